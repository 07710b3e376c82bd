# An image of a package that does not build.
derivation {
  name = "image.tar"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/usr/bin:/bin";
  package = derivation {
    name = "broken-1.0"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/usr/bin:/bin";
    args = [ "-euc" "echo it does not compile >&2; exit 1" ];
  };
  args = [ "-euc" "echo $package > $out; exit 0" ];
}
