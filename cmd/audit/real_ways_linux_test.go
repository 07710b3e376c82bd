package main

// A way is a form in which an image reaches audit.
type way struct {
	by     string // what makes it
	make   string // with these commands
	ref    string // how audit is told
	input  string // what it reads as standard input
	form   string // what it takes that for
	origin string // of the manifest's digest: computed where one was observed
}

const (
	observed = "computed"
	madeUp   = "synthesised"
)

// ways are all forms of an image. Those whose form is a file system have no
// layers, and no config.
func ways() []way {
	return []way{
		{"skopeo, buildah, umoci or podman: OCI layout", "", "$START", "", "oci", observed},
		{"the same by its tag", "", "oci:$START:1", "", "oci", observed},
		{"skopeo copy oci-archive:", "skopeo copy -q oci:$START:1 oci-archive:$F/oci-archive:1", "$F/oci-archive", "", "oci-archive", observed},
		{"the same, packed", "zstd -q -o $F/oci-archive.packed $F/oci-archive", "$F/oci-archive.packed", "", "oci-archive", observed},
		{"the same on standard input", "", "-", "$F/oci-archive", "oci-archive", observed},
		{"umoci: layout in a tar", "tar -C $START -cf $F/layout .", "oci-archive:$F/layout:1", "", "oci-archive", observed},
		{"podman save --format oci-archive", "podman save -q --format oci-archive -o $F/podman-oci $REF", "$F/podman-oci", "", "oci-archive", observed},
		{"podman save --format oci-dir", "podman save -q --format oci-dir -o $F/podman-dir $REF", "$F/podman-dir", "", "oci", observed},
		{"buildah push oci-archive:", "buildah push -q $REF oci-archive:$F/buildah-oci:1", "$F/buildah-oci", "", "oci-archive", observed},
		{"docker save", "", "$F/save.tar", "", "docker-archive", madeUp},
		{"the same on standard input", "", "-", "$F/save.tar", "docker-archive", madeUp},
		{"docker save, V1 folders alone", "mkdir $F/folders; tar -C $F/folders -xf $F/save.tar; rm $F/folders/*.json; tar -C $F/folders -cf $F/v1 .", "$F/v1", "", "docker-archive", madeUp},
		{"docker save of two images", "docker build -q --network none -t lab/twin:2 -f Twin . >/dev/null; docker save -o $F/two lab/twin:2 $REF", "docker-archive:$F/two:$REF", "", "docker-archive", madeUp},
		{"docker save | gzip", "gzip -c $F/save.tar >$F/save.gz", "$F/save.gz", "", "docker-archive", madeUp},
		{"docker save | gzip, on standard input", "", "-", "$F/save.gz", "docker-archive", madeUp},
		{"docker save | gzip, in two members", "(head -c 5000 $F/save.tar | gzip; tail -c +5001 $F/save.tar | gzip) >$F/save.members", "$F/save.members", "", "docker-archive", madeUp},
		{"docker save | zstd", "zstd -q $F/save.tar -o $F/save.zst", "$F/save.zst", "", "docker-archive", madeUp},
		{"docker save | xz", "xz -k $F/save.tar -c >$F/save.xz", "$F/save.xz", "", "docker-archive", madeUp},
		{"docker save | bzip2", "bzip2 -c $F/save.tar >$F/save.bz2", "$F/save.bz2", "", "docker-archive", madeUp},
		{"podman save", "podman save -q -o $F/podman-save $REF", "$F/podman-save", "", "docker-archive", madeUp},
		{"skopeo copy docker-archive:", "skopeo copy -q oci:$START:1 docker-archive:$F/skopeo-archive:$REF", "docker-archive:$F/skopeo-archive", "", "docker-archive", madeUp},
		{"buildah push docker-archive:", "buildah push -q $REF docker-archive:$F/buildah-archive:$REF", "$F/buildah-archive", "", "docker-archive", madeUp},
		{"docker push", "", "docker://$REGISTRY/$NAME:docker", "", "docker", observed},
		{"podman push", "podman push -q --tls-verify=false $REF $REGISTRY/$NAME:podman", "docker://$REGISTRY/$NAME:podman", "", "docker", observed},
		{"skopeo copy docker://, layers in zstd", "skopeo copy -q --format oci --dest-compress-format zstd --dest-tls-verify=false oci:$START:1 docker://$REGISTRY/$NAME:zstd", "docker://$REGISTRY/$NAME:zstd", "", "docker", observed},
		{"the same by its digest", "", "docker://$REGISTRY/$NAME@$(skopeo inspect --tls-verify=false docker://$REGISTRY/$NAME:zstd --format '{{.Digest}}')", "", "docker", observed},
		{"docker", "", "docker-daemon:$REF", "", "docker-daemon", madeUp},
		{"podman's socket", "", "docker-daemon:docker.io/$REF", "", "docker-daemon", madeUp},
		{"docker export", "docker create --name $(basename $F) --network none $REF /none >/dev/null && docker export -o $F/export $(basename $F)", "$F/export", "", "rootfs", madeUp},
		{"the same, packed, on standard input", "gzip -c $F/export >$F/export.gz", "-", "$F/export.gz", "rootfs", madeUp},
		{"podman export", "podman create -q --name $(basename $F) $REF /none >/dev/null && podman export -o $F/podman-export $(basename $F)", "rootfs:$F/podman-export", "", "rootfs", madeUp},
		{"umoci unpack, tar", "tar -C $ROOT --xattrs --xattrs-include='*' -cf $F/rootfs .", "rootfs:$F/rootfs", "", "rootfs", madeUp},
		{"umoci unpack, tar --sparse", "tar -C $ROOT --sparse --xattrs --xattrs-include='*' -cf $F/sparse .", "rootfs:$F/sparse", "", "rootfs", madeUp},
		{"mksquashfs -comp gzip", "mksquashfs $ROOT $F/squash.gzip -comp gzip -quiet -no-progress", "$F/squash.gzip", "", "squashfs", madeUp},
		{"mksquashfs -comp xz", "mksquashfs $ROOT $F/squash.xz -comp xz -quiet -no-progress", "squashfs:$F/squash.xz", "", "squashfs", madeUp},
		{"mksquashfs -comp zstd", "mksquashfs $ROOT $F/squash.zstd -comp zstd -b 4096 -quiet -no-progress", "$F/squash.zstd", "", "squashfs", madeUp},
		{"the same on standard input", "", "-", "$F/squash.zstd", "squashfs", madeUp},
		{"a SIF around that of gzip", "write-sif $F/squash.gzip $F/sif", "sif:$F/sif", "", "sif", madeUp},
		{"the same on standard input", "", "-", "$F/sif", "sif", madeUp},
	}
}
