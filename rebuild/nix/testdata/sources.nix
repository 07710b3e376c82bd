# Sources of each kind that Nix itself and the fetchers of nixpkgs write, and what has
# no hash. Nothing of it is ever built.
let
  sha256 = name: builtins.hashString "sha256" name;
  fetch = name: more: derivation ({
    inherit name; system = "builtin"; builder = "builtin:fetchurl"; preferLocalBuild = true; impureEnvVars = [ "http_proxy" ];
    url = "https://example.org/${name}"; outputHashAlgo = "sha256"; outputHashMode = "flat"; outputHash = sha256 name;
  } // more);
  busybox = fetch "busybox" { executable = true; outputHashMode = "recursive"; };
  tools = derivation {
    name = "bootstrap-tools"; system = "x86_64-linux"; builder = busybox; args = [ "ash" "-e" (builtins.toFile "unpack.sh" "unpack\n") ];
    tarball = fetch "bootstrap-tools.tar.xz" { };
  };
  run = name: env: derivation ({ inherit name; system = "x86_64-linux"; builder = "${tools}/bin/bash"; args = [ (builtins.toFile "builder.sh" "build ${name}\n") ]; } // env);
  git = run "checkout" {
    url = "https://example.org/repository"; rev = "v1.0"; leaveDotGit = false; outputHashMode = "recursive"; outputHashAlgo = "sha256"; outputHash = sha256 "checkout";
  };
in
{
  good = run "image.tar" { package = run "package-1.0" { src = git; patch = ./six.nix; }; };
  bad = run "image.tar" { src = derivation { name = "x"; system = "builtin"; builder = "builtin:fetchurl"; url = "https://example.org/x"; }; };
}
