package main

import "fmt"

// A mode is one way in which a tool writes an image.
type mode struct {
	tool, name string
	make       string // commands that write $F, or lay it where ref says
	ref        string // how audit is given it; "" for $F
	// opaque says that the layers' content cannot be read, so nobody knows their
	// diffIDs without the image's keys.
	opaque bool
}

// modes are all of them: the rows of the matrix.
func modes() []mode {
	return append(buildkitModes(), append(containersModes(), append(engineModes(), otherModes()...)...)...)
}

// absent are tools that write images and are not run here, and why.
var absent = [][2]string{
	{"kaniko", "no version of its module can be had; what it writes is in the corpus (lane field)"},
	{"Apptainer", "no version of its module can be had; its SIF library's siftool is run instead"},
	{"dockerTools, nix2container", "Nix's packages cannot be had; the lane nix runs their packers' code, and images are in the corpus"},
}

func buildkitModes() []mode {
	var rows []mode
	kit := func(name, options, output string) {
		rows = append(rows, mode{tool: "BuildKit", name: name, make: "kit " + options + " --output " + output})
	}
	attests := []struct{ name, option string }{
		{"", ""},
		{", provenance min", "--opt attest:provenance=mode=min"},
		{", provenance max", "--opt attest:provenance=mode=max"},
	}
	for _, compression := range []string{"uncompressed", "gzip", "zstd", "estargz"} {
		compress := fmt.Sprintf("compression=%s,force-compression=true", compression)
		for _, a := range attests {
			kit("oci, "+compression+a.name, a.option, "type=oci,dest=$F,name=lab/kit:1,"+compress)
		}
		kit("docker, "+compression, "", "type=docker,dest=$F,name=lab/kit:1,"+compress)
		kit("oci, "+compression+", SOURCE_DATE_EPOCH", "--opt build-arg:SOURCE_DATE_EPOCH=1", "type=oci,dest=$F,"+compress)
		kit("oci, "+compression+", rewrite-timestamp", "--opt build-arg:SOURCE_DATE_EPOCH=1", "type=oci,dest=$F,rewrite-timestamp=true,"+compress)
		kit("docker, "+compression+", rewrite-timestamp", "--opt build-arg:SOURCE_DATE_EPOCH=1", "type=docker,dest=$F,rewrite-timestamp=true,"+compress)
		rows = append(rows, mode{tool: "BuildKit", name: "image, pushed, " + compression, ref: "docker://$REGISTRY/kit/" + compression + ":1",
			make: "kit --output type=image,name=$REGISTRY/kit/" + compression + ":1,push=true,registry.insecure=true," + compress})
	}
	kit("oci, a folder", "", "type=oci,dest=$F,tar=false")
	kit("oci, a folder, provenance max", "--opt attest:provenance=mode=max", "type=oci,dest=$F,tar=false")
	kit("oci, Docker's media types", "", "type=oci,dest=$F,oci-mediatypes=false")
	kit("docker, OCI media types", "", "type=docker,dest=$F,oci-mediatypes=true")
	kit("oci, annotations", "", "type=oci,dest=$F,annotation.org.opencontainers.image.title=lab,annotation-manifest-descriptor.note=y")
	kit("oci, inline cache", "--export-cache type=inline", "type=oci,dest=$F")
	kit("oci, two platforms", "--opt filename=Twin --opt platform=linux/amd64,linux/arm64", "type=oci,dest=$F")
	kit("oci, two platforms, provenance", "--opt filename=Twin --opt platform=linux/amd64,linux/arm64 --opt attest:provenance=mode=max", "type=oci,dest=$F")
	kit("tar", "", "type=tar,dest=$F")
	kit("tar, SOURCE_DATE_EPOCH", "--opt build-arg:SOURCE_DATE_EPOCH=1", "type=tar,dest=$F")
	return rows
}

// containersModes are those of the tools that share containers/image.
func containersModes() []mode {
	rows := []mode{
		{tool: "buildah", name: "bud, OCI", make: "buildah push -q lab/layered:1 oci-archive:$F:1"},
		{tool: "buildah", name: "bud, Docker's format", make: "buildah bud -q --layers --format docker --network none -t lab/v2s2:1 . && buildah push -q lab/v2s2:1 docker-archive:$F:lab/v2s2:1"},
		{tool: "buildah", name: "bud, squashed", make: "buildah bud -q --squash --network none -t lab/squash:1 . && buildah push -q lab/squash:1 oci-archive:$F:1"},
		{tool: "buildah", name: "bud, one layer, timestamp", make: "buildah bud -q --layers=false --timestamp 1 --network none -t lab/stamp:1 . && buildah push -q lab/stamp:1 oci:$F:1"},
		{tool: "buildah", name: "bud, no history", make: "buildah bud -q --omit-history --network none -t lab/nohistory:1 . && buildah push -q lab/nohistory:1 oci:$F:1"},
		{tool: "buildah", name: "from scratch, copy, commit", make: "c=$(buildah from scratch) && buildah copy -q $c root.tar /x/ && buildah config --label a=b --entrypoint '[\"/x\"]' $c && buildah commit -q $c oci:$F:1"},
		{tool: "buildah", name: "push, zstd", make: "buildah push -q --compression-format zstd lab/layered:1 oci:$F:1"},
		{tool: "buildah", name: "push, a manifest list", make: "buildah manifest create lab/list:1 && buildah manifest add lab/list:1 lab/layered:1 && buildah manifest push -q --all lab/list:1 oci:$F:1"},
		{tool: "podman", name: "save, docker-archive", make: "podman save -q -o $F lab/layered:1"},
		{tool: "podman", name: "save, oci-archive", make: "podman save -q --format oci-archive -o $F lab/layered:1"},
		{tool: "podman", name: "save, oci-dir", make: "podman save -q --format oci-dir -o $F lab/layered:1"},
		{tool: "podman", name: "save of two tags", make: "podman tag lab/layered:1 lab/other:1 && podman save -q -o $F lab/layered:1 lab/other:1"},
		{tool: "podman", name: "save of two images", make: "podman save -q -m -o $F lab/layered:1 lab/twin:1", ref: "docker-archive:$F:localhost/lab/twin:1"},
		{tool: "podman", name: "import of a tar", make: "podman import -q root.tar lab/imported:1 && podman save -q -o $F lab/imported:1"},
		{tool: "podman", name: "commit", make: "c=$(podman create lab/layered:1) && podman commit -q $c lab/committed:1 && podman save -q -o $F lab/committed:1"},
		{tool: "podman", name: "export", make: "c=$(podman create lab/layered:1) && podman export -o $F $c", ref: "rootfs:$F"},
		{tool: "skopeo", name: "encrypted layers", make: "skopeo copy -q --encryption-key jwe:$D/key.pub oci:$D/base:1 oci:$F:1", opaque: true},
		{tool: "skopeo", name: "one encrypted layer of four", make: "skopeo copy -q --encryption-key jwe:$D/key.pub --encrypt-layer 1 oci:$D/base:1 oci:$F:1", opaque: true},
		{tool: "skopeo", name: "decrypted again", make: "skopeo copy -q --decryption-key $D/key oci:$D/encrypted:1 oci:$F:1"},
		{tool: "skopeo", name: "sync to a registry", make: "skopeo copy -q --all --dest-tls-verify=false oci:$D/base:1 docker://$REGISTRY/lab/sync:1", ref: "docker://$REGISTRY/lab/sync:1"},
	}
	places := []struct{ name, from, to string }{
		{"docker-archive", "docker-archive:$D/base.docker.tar", "docker-archive:$F:lab/copy:1"},
		{"oci", "oci:$D/base:1", "oci:$F:1"},
		{"oci-archive", "oci-archive:$D/base.oci.tar:1", "oci-archive:$F:1"},
		{"dir", "dir:$D/base.dir", "dir:$D/through.dir"},
	}
	for _, from := range places {
		for _, to := range places {
			if to.name == "dir" {
				rows = append(rows, mode{tool: "skopeo", name: from.name + " to dir to oci",
					make: fmt.Sprintf("rm -rf $D/through.dir; skopeo copy -q %s %s && skopeo copy -q dir:$D/through.dir oci:$F:1", from.from, to.to)})
				continue
			}
			rows = append(rows, mode{tool: "skopeo", name: from.name + " to " + to.name, make: fmt.Sprintf("skopeo copy -q %s %s", from.from, to.to)})
			if to.name != "docker-archive" {
				rows = append(rows, mode{tool: "skopeo", name: from.name + " to " + to.name + ", zstd",
					make: fmt.Sprintf("skopeo copy -q --dest-compress-format zstd %s %s", from.from, to.to)})
			}
		}
	}
	return rows
}

// engineModes are those of Docker's engine: Debian's, and a current one with each of
// its two stores.
func engineModes() []mode {
	var rows []mode
	for _, e := range []struct{ name, host string }{
		{"docker 20.10", ""},
		{"docker 28, graph driver", "DOCKER_HOST=unix://$D/graph.sock "},
		{"docker 28, containerd", "DOCKER_HOST=unix://$D/store.sock "},
	} {
		row := func(name, ref, commands string) {
			rows = append(rows, mode{tool: e.name, name: name, ref: ref, make: "export " + e.host + "F=$F; " + commands})
		}
		row("build, save", "", "docker build -q --network none -t lab/built:1 . && docker save -o $F lab/built:1")
		row("save of two tags", "", "docker tag lab/built:1 lab/built:2 && docker save -o $F lab/built:1 lab/built:2")
		row("save without a tag", "", "docker save -o $F $(docker image inspect -f '{{.Id}}' lab/built:1)")
		row("save of two images", "docker-archive:$F:lab/twin:1", "docker build -q --network none -t lab/twin:1 -f Twin . && docker save -o $F lab/built:1 lab/twin:1")
		row("load of BuildKit's, save", "", "docker load -q -i $D/kit.docker.tar && docker save -o $F lab/kit:1")
		row("load of skopeo's, save", "", "docker load -q -i $D/base.docker.tar && docker save -o $F lab/base:1")
		row("import, save", "", "docker import root.tar lab/imported:1 && docker save -o $F lab/imported:1")
		row("commit, save", "", "c=$(docker create --network none lab/built:1) && docker commit $c lab/committed:1 && docker save -o $F lab/committed:1")
		row("a layer without files, save", "", "printf 'FROM lab/built:1\\nRUN [\"/bin/busybox\", \"true\"]\\nLABEL a=b\\n' | docker build -q --network none -t lab/nothing:1 - && docker save -o $F lab/nothing:1")
		row("export", "rootfs:$F", "c=$(docker create --network none lab/built:1) && docker export -o $F $c")
	}
	return rows
}

func otherModes() []mode {
	return []mode{
		{tool: "umoci 0.4", name: "init, insert", make: "/usr/bin/umoci init --layout $F && /usr/bin/umoci new --image $F:1 && /usr/bin/umoci insert --image $F:1 root / && /usr/bin/umoci gc --layout $F"},
		{tool: "umoci 0.6", name: "init, insert", make: "$TOOLS/umoci init --layout $F && $TOOLS/umoci new --image $F:1 && $TOOLS/umoci insert --image $F:1 root / && $TOOLS/umoci insert --opaque --image $F:1 new /opt/b"},
		{tool: "umoci 0.6", name: "insert, zstd", make: "$TOOLS/umoci init --layout $F && $TOOLS/umoci new --image $F:1 && $TOOLS/umoci insert --compress zstd --image $F:1 root /"},
		{tool: "umoci 0.6", name: "unpack, repack", make: "cp -r $D/base $F && $TOOLS/umoci unpack --image $F:1 $F.bundle && echo more >$F.bundle/rootfs/more && rm $F.bundle/rootfs/etc/one && $TOOLS/umoci repack --image $F:2 $F.bundle && $TOOLS/umoci rm --image $F:1 && $TOOLS/umoci gc --layout $F"},
		{tool: "crane", name: "append to nothing", make: "$TOOLS/crane append --oci-empty-base -f root.tar -t lab/append:1 -o $F"},
		{tool: "crane", name: "append to an image", make: "$TOOLS/crane append -b $REGISTRY/lab/base:1 -f new.tar -t lab/append:1 -o $F"},
		{tool: "crane", name: "pull, tarball", make: "$TOOLS/crane pull $REGISTRY/lab/base:1 $F"},
		{tool: "crane", name: "pull, legacy", make: "$TOOLS/crane pull --format legacy $REGISTRY/lab/base:1 $F"},
		{tool: "crane", name: "pull, oci", make: "$TOOLS/crane pull --format oci $REGISTRY/lab/base:1 $F"},
		{tool: "crane", name: "flatten", make: "$TOOLS/crane flatten $REGISTRY/lab/base:1 -t $REGISTRY/lab/flat:1", ref: "docker://$REGISTRY/lab/flat:1"},
		{tool: "crane", name: "mutate", make: "$TOOLS/crane mutate $REGISTRY/lab/base:1 -l a=b --append new.tar -t $REGISTRY/lab/mutated:1", ref: "docker://$REGISTRY/lab/mutated:1"},
		{tool: "crane", name: "rebase", make: "$TOOLS/crane rebase $REGISTRY/lab/mutated:1 --old_base $REGISTRY/lab/base:1 --new_base $REGISTRY/lab/flat:1 -t $REGISTRY/lab/rebased:1", ref: "docker://$REGISTRY/lab/rebased:1"},
		{tool: "crane", name: "index", make: "$TOOLS/crane index append -m $REGISTRY/lab/base:1 -t $REGISTRY/lab/index:1", ref: "docker://$REGISTRY/lab/index:1"},
		{tool: "crane", name: "export", make: "$TOOLS/crane export $REGISTRY/lab/base:1 $F", ref: "rootfs:$F"},
		{tool: "ko", name: "tarball", make: "ko --push=false --tarball=$F"},
		{tool: "ko", name: "OCI layout", make: "ko --push=false --oci-layout-path=$F"},
		{tool: "ko", name: "OCI layout, no SBOM, date", make: "SOURCE_DATE_EPOCH=1 ko --push=false --sbom=none --oci-layout-path=$F"},
		{tool: "ko", name: "pushed, with an SBOM", make: "ko --sbom=spdx --tags=1", ref: "docker://$REGISTRY/ko/app:1"},
		{tool: "siftool", name: "a squashfs partition", make: "mksquashfs root $D/root.squashfs -quiet -no-progress -noappend && $TOOLS/siftool new $F && $TOOLS/siftool add --datatype 4 --parttype 2 --partfs 1 --partarch 2 --groupid 1 $F $D/root.squashfs", ref: "sif:$F"},
		{tool: "siftool", name: "and a definition", make: "printf 'Bootstrap: docker\\nFrom: debian:12\\n%%post\\n  true\\n' >$D/def && $TOOLS/siftool new $F && $TOOLS/siftool add --datatype 1 --groupid 1 $F $D/def && $TOOLS/siftool add --datatype 4 --parttype 2 --partfs 1 --partarch 2 --groupid 1 $F $D/root.squashfs", ref: "sif:$F"},
	}
}
