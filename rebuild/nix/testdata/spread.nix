# An image of packages that take some seconds each and need nothing of each
# other, so that several machines build them.
let
  docker = import <expr/docker.nix> { inherit host; };
  host = import <expr/host.nix> { };
  part = i: host.run "part-${toString i}-1.0" { } ''
    sleep 2; mkdir -p "$out/bin"; echo ${toString i} > "$out/bin/part-${toString i}"
  '';
in docker.layered { name = "spread"; tag = "v1"; roots = builtins.genList part 4; config = { }; }
