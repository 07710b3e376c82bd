package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// An image is made by one tool, and starts as an OCI layout.
type madeImage struct {
	name string // in lower case: it is the name of a repository
	make string // commands that write the layout $START with the tag 1
	// items is how many store items it has.
	items int

	diffIDs []string // as skopeo tells them
	shown   inspected
	files   []string // as umoci lays them out
}

// images are all images. Their root file system has all that a layer can hold.
func (l *shelf) images(t *testing.T) []*madeImage {
	t.Helper()
	l.run(t, `mkdir -p root/{bin,etc,opt/a,opt/b,var/mail,tmp}
		cd root
		cp /bin/busybox bin/busybox; ln bin/busybox bin/sh
		cp /bin/busybox bin/ping; setcap cap_net_raw+ep bin/ping
		cp /bin/busybox bin/su; chmod 4755 bin/su
		echo one >etc/one; ln etc/one etc/one-link; setfattr -n user.origin -v lab etc/one
		ln -s ../etc/one opt/link; echo a >opt/a/1; echo b >opt/b/1; echo b2 >opt/b/2; chown 1000:1000 opt/a opt/b/2
		chmod 1777 tmp; chgrp 8 var/mail; chmod 2775 var/mail; mkfifo var/pipe; mknod var/null c 1 3
		truncate -s 5M var/holes; echo end >>var/holes; : >var/empty; echo ü >"etc/a name with ü"
		cd ..
		tar -C root --sort=name --mtime=@1 --numeric-owner --xattrs --xattrs-include='*' -cf root.tar .
		mkdir new; echo new >new/3; echo layer >layer.txt`)
	l.write(t, "Dockerfile", `FROM scratch
ADD root.tar /
RUN ["/bin/busybox", "rm", "/opt/a/1"]
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox rm -r /opt/b && /bin/busybox mkdir /opt/b && echo new >/opt/b/3 && /bin/busybox ln /etc/one /etc/one-more"]
COPY layer.txt /opt/c/
CMD ["/bin/sh"]
`)
	l.write(t, "Twin", "FROM scratch\nCOPY layer.txt /twin\n")
	l.write(t, ".dockerignore", "*\n!root.tar\n!layer.txt\n")
	return []*madeImage{
		{name: "docker", make: "docker build -q --network none -t made/docker:1 . && docker save -o $F/made made/docker:1 && skopeo copy -q docker-archive:$F/made oci:$START:1"},
		{name: "buildah", make: "buildah bud -q --layers --network none -t made/buildah:1 . && buildah push -q made/buildah:1 oci:$START:1"},
		{name: "podman", make: "podman build -q --format docker --timestamp 1 --isolation chroot -t made/podman:1 . && podman save -q --format oci-dir -o $START made/podman:1 && umoci tag --image $START:localhost/made/podman:1 1 && umoci rm --image $START:localhost/made/podman:1"},
		{name: "umoci", make: `umoci init --layout $START && umoci new --image $START:1 && umoci insert --image $START:1 root /
			umoci insert --opaque --image $START:1 new /opt/b && umoci insert --whiteout --image $START:1 /opt/a/1 && umoci gc --layout $START`},
		{name: "guix", make: "gunzip -c $FIXTURES/guix/images/tiny-layers4.tar.gz >$F/made && skopeo copy -q docker-archive:$F/made oci:$START:1", items: 6},
	}
}

// start makes an image, and takes from other tools than audit what it is.
func (l *shelf) start(t *testing.T, im *madeImage) {
	t.Helper()
	f := filepath.Join(l.dir, "of-"+im.name)
	if err := os.Mkdir(f, 0o777); err != nil {
		t.Fatal(err)
	}
	l.env = append(l.env, "F="+f, "START="+f+"/start", "ROOT="+f+"/bundle/rootfs", "NAME=lab/"+im.name, "REF=lab/"+im.name+":1")
	l.run(t, im.make)
	var config struct {
		RootFS struct {
			IDs []string `json:"diff_ids"`
		}
	}
	if err := json.Unmarshal([]byte(l.run(t, "skopeo inspect --config --raw oci:$START:1")), &config); err != nil {
		t.Fatal(err)
	}
	im.diffIDs = config.RootFS.IDs
	l.run(t, `umoci unpack --image $START:1 $F/bundle
		skopeo copy -q oci:$START:1 containers-storage:$REF
		skopeo copy -q oci:$START:1 docker-archive:$F/load:$REF
		docker load -q -i $F/load
		docker save -o $F/save.tar $REF`)
	im.files = diskTree(t, f+"/bundle/rootfs")
	im.shown = l.inspect(t, "oci:$START:1", "")
	if len(im.shown.StoreItems) != im.items || (im.shown.Recipe.Status == "complete") != (im.items > 0) {
		t.Errorf("%d store items, recipe %s of %s", len(im.shown.StoreItems), im.shown.Recipe.Status, im.shown.Recipe.System)
	}
}
