# A script that writes an image to its standard output, as streamLayeredImage
# makes one; and that tries to leave a trace outside.
derivation {
  name = "stream-image"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/usr/bin:/bin";
  passAsFile = [ "text" ];
  text = ''
    #!/bin/sh
    PATH=/usr/bin:/bin
    echo "writing the image" >&2
    [ -z "''${OUTSIDE-}" ] || touch "$OUTSIDE"
    work=$(mktemp -d); cd "$work"; mkdir root; echo hello > root/hello
    tar -C root --sort=name --mtime=@1 --owner=0 --group=0 --numeric-owner -cf layer.tar .
    sum=$(sha256sum layer.tar | cut -d ' ' -f 1)
    printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$sum" > config.json
    printf '[{"Config":"config.json","RepoTags":["streamed:v1"],"Layers":["layer.tar"]}]' > manifest.json
    tar --mtime=@1 --owner=0 --group=0 --numeric-owner -cf - config.json layer.tar manifest.json
    exit 0
  '';
  args = [ "-euc" "sed 's/^    //' < $textPath > $out; chmod 755 $out; exit 0" ];
}
