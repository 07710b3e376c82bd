# audit as a package of Nix, from this checkout:
#
#   nix-build .packaging --arg vendorHash '"sha256-…"'
#
# vendorHash is that of the modules in go.sum: buildGoModule says which one it is where
# another is given. null takes them from a folder that "go mod vendor" has made.
{ pkgs ? import <nixpkgs> { }, vendorHash ? null }:
pkgs.buildGoModule {
  pname = "audit";
  version = "0";
  src = ./..;
  inherit vendorHash;
  subPackages = [ "cmd/audit" ];
  env.CGO_ENABLED = "0";
  ldflags = [ "-s" "-w" "-buildid=" ];
  flags = [ "-trimpath" ];
  doCheck = false; # .ci/run has the tests
  postInstall = ''
    mkdir -p $out/share/man/man1
    $out/bin/audit man > $out/share/man/man1/audit.1
  '';
  meta = {
    description = "Verify where a container image came from, and whether it can be built again";
    mainProgram = "audit";
  };
}
