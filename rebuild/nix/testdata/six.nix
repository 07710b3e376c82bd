# Six jobs of some seconds, and an image of them all.
let
  job = i: derivation {
    name = "job-${toString i}"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/usr/bin:/bin";
    args = [ "-euc" "sleep 2; echo job ${toString i} > $out; exit 0" ];
  };
in derivation {
  name = "jobs.tar"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/usr/bin:/bin";
  jobs = builtins.genList job 6;
  args = [ "-euc" "cat $jobs > $out; exit 0" ];
}
