package compare

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/compression"
	"audit/inspect/image"
)

// knownText writes the freedoms that a comparison names.
func knownText(c *Comparison) string {
	var all []string
	for _, k := range c.Known {
		all = append(all, fmt.Sprintf("%s %d", strings.TrimPrefix(k.Code, "known/"), k.Count))
	}
	return strings.Join(all, ", ")
}

// TestKnownSamples holds that the freedoms of Guix are recognised in what Guix
// has packed, and that none is named where something else differs.
func TestKnownSamples(t *testing.T) {
	for _, tc := range []struct{ was, now, want string }{
		{"tiny.tar.gz", "tiny.tar.gz", ""},
		{"tiny.tar.gz", "tiny.other-ext4.tar.gz", "guix-readdir-order 1"},
		{"tiny-layers4.tar.gz", "tiny-layers4.tmpfs-store.tar.gz", "guix-layer-sizes 3"},
		{"tiny.tar.gz", "tiny-layers4.tar.gz", "other-layering 5"},
		{"stamp-A.tar.gz", "stamp-B.tar.gz", ""},
	} {
		const dir = "../../fixtures/guix/images/"
		c := Images(open(t, dir+tc.was, nil), open(t, dir+tc.now, nil), layeringFreedoms(false))
		if got := knownText(c); got != tc.want {
			t.Errorf("%s, %s: %s, want %s", tc.was, tc.now, got, tc.want)
		}
		for _, d := range c.Differences {
			if named := d.Known != ""; named != (d.Cause == Order) && tc.want != "" {
				t.Errorf("%s, %s: %+v", tc.was, tc.now, d)
			}
		}
	}
}

// TestHiddenEntries: one image keeps in its layers what the other has squashed.
// That is named with its path, and the root file systems decide.
func TestHiddenEntries(t *testing.T) {
	for _, tc := range []struct {
		name     string
		was, now [][]item
		want     string
		same     bool
	}{
		{"removed", [][]item{{f("a", "1"), f("b", "1")}, {f(".wh.b", "")}}, [][]item{{f("a", "1")}}, "hidden-entries 2", true},
		{"replaced", [][]item{{f("a", "1"), f("b", "1")}, {f("a", "2").change(setuid)}}, [][]item{{f("a", "2").change(setuid), f("b", "1")}}, "hidden-entries 3", true},
		{"replaced, and another time", [][]item{{f("a", "1"), f("b", "1")}, {f("a", "2")}}, [][]item{{f("a", "2").change(at1(5, 0)), f("b", "1")}}, "hidden-entries 2", true},
		{"replaced, and one more", [][]item{{f("a", "1"), f("b", "1")}, {f("a", "2")}}, [][]item{{f("a", "2"), f("b", "1"), f("c", "")}}, "hidden-entries 2", false},
		{"replaced, and another mode", [][]item{{f("a", "1"), f("b", "1")}, {f("a", "2")}}, [][]item{{f("a", "2").change(setuid), f("b", "1")}}, "", false},
		{"a record that no entry has", [][]item{{f("a", "1"), f("b", "1")}, {f("a", "2")}}, [][]item{{f("a", "2"), f("b", "1").record("SCHILY.acl.access", "user::rwx")}}, "hidden-entries 2", false},
		{"the same record in an entry that met none", [][]item{{f("a", "1")}, {f("c", "")}}, [][]item{{f("a", "1")}, {f("c", ""), f("a", "1").record("SCHILY.acl.access", "user::rwx")}}, "", false},
		{"a whiteout of nothing", [][]item{{f("a", "1")}, {f("c", "")}}, [][]item{{f("a", "1")}, {f("c", ""), f(".wh.b", "")}}, "", false},
		{"an opaque marker that hides", [][]item{{d("a"), f("a/b", "1")}, {f("a/.wh..wh..opq", "")}}, [][]item{{d("a")}}, "hidden-entries 2", true},
		{"an opaque marker that hides nothing", [][]item{{d("a")}, {f("a/.wh..wh..opq", "")}}, [][]item{{d("a")}}, "", false},
		{"a whiteout beside what it hides", [][]item{{f("b", "1")}, {f("b", "2"), f(".wh.b", "")}}, [][]item{{f("b", "2")}}, "", false},
		{"marks of overlayfs", [][]item{{d("a"), f("a/b", "1")}, {d("a").xattr("trusted.overlay.opaque", "y"), f("a/b", "2")}}, [][]item{{d("a").xattr("trusted.overlay.opaque", "y"), f("a/b", "2")}}, "", false},
		{"behind a link of a folder", [][]item{{d("usr"), l("lib", "usr"), f("usr/x", "1")}, {f("lib/x", "2")}}, [][]item{{d("usr"), l("lib", "usr"), f("usr/x", "1")}, {f("lib/x", "3")}}, "hidden-entries 1", false},
		{"as many layers", [][]item{{f("a", "1"), f("b", "1")}, {f(".wh.b", "")}}, [][]item{{f("a", "1")}, {f(".wh.b", "")}}, "hidden-entries 1", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var images [2]*inspect.Image
			for i, layers := range [][][]item{tc.was, tc.now} {
				var packed [][]byte
				for _, items := range layers {
					packed = append(packed, layer(t, items...))
				}
				images[i] = imageOf(t, packed...)
			}
			c := Images(images[0], images[1], nil)
			if got := knownText(c); got != tc.want || c.Equivalent() != tc.same {
				t.Errorf("%s, want %s; equivalent %v\n%s", got, tc.want, c.Equivalent(), show(c))
			}
		})
	}
}

// layeringFreedoms are some that depend on how the layers lie; old says that times
// and owners are among them.
func layeringFreedoms(old bool) []Freedom {
	isOrder := func(d *Difference) bool { return d.Cause == Order }
	layered := func(l Layering) bool { return l.Original > 1 && l.Original == l.Rebuilt }
	return []Freedom{
		{Code: "known/guix-readdir-order", Explains: isOrder, When: func(l Layering) bool { return l.SiblingsOnly }},
		{Code: "known/guix-layer-sizes", Explains: isOrder, When: func(l Layering) bool { return layered(l) && l.WholeItemsMoved }},
		{Code: "known/guix-layered-2024", When: func(l Layering) bool { return layered(l) && old }, Explains: func(d *Difference) bool {
			return d.Cause == Timestamp || d.Cause == Owner || d.Cause == Mode || d.Cause == Order
		}},
	}
}

// TestFreedomOfOrder holds what order a walk through folders can give, and what only
// somebody else can have made.
func TestFreedomOfOrder(t *testing.T) {
	a, b := stored(itemA, "a"), stored(itemB, "b")
	turned := []item{a[0], a[2], a[1]}
	split := []item{a[0], a[1], b[0], a[2], b[1], b[2]}
	nested := cat([]item{d(itemA), d(itemA + "/x"), f(itemA+"/x/1", ""), f(itemA+"/x/2", "")}, b)
	entered := cat([]item{d(itemA), d(itemA + "/x"), f(itemA+"/x/1", "")}, b, []item{f(itemA+"/x/2", "")})
	for _, tc := range []struct {
		name     string
		was, now []item
		want     string
	}{
		{"files of a folder", cat(a, b), cat(turned, b), "guix-readdir-order 1"},
		{"items", cat(a, b), cat(b, a), ""},
		{"items in each other", cat(a, b), split, ""},
		{"a folder left and entered again", nested, entered, ""},
		{"a changed mode too", cat(a, b), []item{a[0], a[2].change(setuid), a[1], b[0], b[1], b[2]}, "guix-readdir-order 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x, y := layer(t, tc.was...), layer(t, tc.now...)
			c := Images(imageOf(t, x), imageOf(t, y), layeringFreedoms(false))
			if got := knownText(c); got != tc.want {
				t.Errorf("%s, want %s\n%s", got, tc.want, show(c))
			}
			other := Images(imageOf(t, x), imageOf(t, y), nil)
			if len(other.Known) > 0 {
				t.Errorf("no freedoms, yet %s", knownText(other))
			}
		})
	}
}

// TestFreedomOfLayers compares layers in which items changed places.
func TestFreedomOfLayers(t *testing.T) {
	a, b, c := stored(itemA, "a"), stored(itemB, "b"), stored(itemC, "c")
	later := []item{b[0].change(at1(5, 0)), b[1], b[2]}
	for _, tc := range []struct {
		name     string
		old      bool
		was, now [][]item
		want     string
	}{
		{"whole items", false, [][]item{cat(a, b), c}, [][]item{a, cat(b, c)}, "guix-layer-sizes 1"},
		{"layers", false, [][]item{a, b}, [][]item{b, a}, "guix-layer-sizes 2"},
		{"part of an item", false, [][]item{cat(a, b), c}, [][]item{cat(a, b[:2]), cat(c, b[2:])}, "other-layering 1"},
		{"files of an item", false, [][]item{cat(a, b), c}, [][]item{{a[0], a[2], a[1], b[0], b[1], b[2]}, c}, ""},
		{"times, of 2024", true, [][]item{cat(a, b), c}, [][]item{cat(a, later), c}, "guix-layered-2024 1"},
		{"times, of today", false, [][]item{cat(a, b), c}, [][]item{cat(a, later), c}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			open := func(list [][]item) *inspect.Image {
				var packed [][]byte
				for _, l := range list {
					packed = append(packed, layer(t, l...))
				}
				return imageOf(t, packed...)
			}
			c := Images(open(tc.was), open(tc.now), layeringFreedoms(tc.old))
			if got := knownText(c); got != tc.want {
				t.Errorf("%s, want %s\n%s", got, tc.want, show(c))
			}
		})
	}
}

// TestPlaces holds that what programs keep for themselves is named where the bytes
// show it, and that at the same paths nothing else is.
func TestPlaces(t *testing.T) {
	const shadow = "root:*:19723:0:99999:7:::\n"
	id := strings.Repeat("0a", 16)
	for _, tc := range []struct {
		name, path, was, now string
		want                 string
	}{
		{"a log", "var/log/apt/history.log", "Start-Date: 2024-01-02  03:04:05\n", "Start-Date: 2024-01-03  03:04:05\n", "package-logs 1"},
		{"a log with another program", "var/log/apt/history.log", "Commandline: apt install a\n", "Commandline: apt install b\n", ""},
		{"a log of its own", "var/log/own.log", "2024-01-02\n", "2024-01-03\n", ""},
		{"a cache with a date", "var/lib/apt/lists/x_InRelease", "Date: Tue, 02 Jan 2024 03:04:05 UTC\n", "Date: Wed, 03 Jan 2024 03:04:05 UTC\n", "package-caches 1"},
		{"a cache with a program", "var/cache/apt/archives/run", "#!/bin/sh\n", "#!/bin/sh\nevil\n", ""},
		{"a day", "etc/shadow", shadow, strings.Replace(shadow, "19723", "19724", 1), "password-days 1"},
		{"a password", "etc/shadow", shadow, strings.Replace(shadow, "*", "", 1), ""},
		{"a password and a day", "etc/shadow", shadow, strings.Replace(strings.Replace(shadow, "*", "", 1), "19723", "19724", 1), ""},
		{"a password, and the day of another account", "etc/shadow", shadow + "x:!:19723::::::\n", strings.Replace(shadow, "*", "", 1) + "x:!:19724::::::\n", "password-days 1"},
		{"a machine id", "etc/machine-id", id, strings.Repeat("1b", 16), "machine-id 1"},
		{"no machine id", "etc/machine-id", id, "evil", ""},
		{"the id of a machine elsewhere", "srv/machine-id", id, strings.Repeat("1b", 16), ""},
		{"a container", "etc/hosts", "127.0.0.1 localhost\n", "127.0.0.1 localhost\n172.17.0.2 0a1b2c3d4e5f\n", "engine-files 1"},
		{"a host", "etc/hosts", "127.0.0.1 localhost\n", "127.0.0.1 localhost\n172.17.0.2 deb.debian.org\n", ""},
		{"an address", "etc/hosts", "127.0.0.1 localhost\n", "127.0.0.1 localhost\n6.6.6.6 0a1b2c3d4e5f\n", ""},
		{"a file that engines make empty", ".dockerenv", "", "evil\n", ""},
		{"a cache of ldconfig that is none", "var/cache/ldconfig/aux-cache", "a", "b", ""},
		{"a cache of fonts that is none", "var/cache/fontconfig/x.cache-7", "a", "b", ""},
		{"the date in the code of Python", "x.pyc", "\xa7\r\r\n\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00z\n2024-01-02", "\xa7\r\r\n\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00z\n2025-01-02", ""},
		{"the time in the header of Python", "x.pyc", "\xa7\r\r\n\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00N", "\xa7\r\r\n\x00\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00N", "python-bytecode 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x, y := layer(t, f(tc.path, tc.was)), layer(t, f(tc.path, tc.now))
			c := files(t, archive(t, config("", x), x), archive(t, config("", y), y))
			if got := knownText(c); got != tc.want || c.Equivalent() {
				t.Errorf("%s, want %s\n%s", got, tc.want, show(c))
			}
			for _, k := range c.Known {
				if !slices.ContainsFunc(c.Differences, func(d Difference) bool { return d.Known == k.Code }) {
					t.Errorf("%+v is at no difference", k)
				}
			}
		})
	}
	x, y := layer(t, f("var/log/dpkg.log", "")), layer(t, f("var/log/dpkg.log", "").change(setuid))
	if c := Images(imageOf(t, x), imageOf(t, y), nil); len(c.Known) > 0 {
		t.Errorf("a mode is no log: %s", knownText(c))
	}
}

// TestBlobs compares layers that are the same and packed otherwise, and image
// manifests: neither has a say in whether images are identical.
func TestBlobs(t *testing.T) {
	made := func(blob byte, how compression.Kind, manifest string) *inspect.Image {
		img := imageOf(t, layer(t, f("a", "1")))
		img.Transport = image.OCI
		l := img.Layers[0]
		l.Digest, l.Compression, l.Size = inspect.Sum{blob}.Hash(), how, int64(blob)
		if manifest != "" {
			img.Manifest = image.Manifest{Raw: []byte(manifest), Digest: inspect.Sum{blob}.Hash(), Origin: image.Computed}
		}
		return img
	}
	header := func(img *inspect.Image, h compression.GzipHeader) *inspect.Image {
		img.Layers[0].Gzip = &h
		return img
	}
	const one = `{"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[{"digest":"sha256:1","size":1}],"annotations":{"org.opencontainers.image.created":"2024-01-02T03:04:05Z","a":"1"}}`
	two := strings.NewReplacer("sha256:1", "sha256:2", "oci.image", "docker.distribution", "2024", "2025", `"a":"1"`, `"b":"1"`).Replace(one)
	docker := made(3, compression.None, "")
	docker.Transport = image.DockerArchive
	for _, tc := range []struct {
		name            string
		was, now        *inspect.Image
		blobs, manifest string
	}{
		{"the same", made(1, compression.Gzip, one), made(1, compression.Gzip, one), "", ""},
		{"another program", made(1, compression.Gzip, ""), made(2, compression.Gzip, one), "blob-packer compression=gzip", ""},
		{"another compression", made(1, compression.Gzip, ""), made(2, compression.Zstd, ""), "blob-compression now-compression=zstd was-compression=gzip", ""},
		{"another header", header(made(1, compression.Gzip, ""), compression.GzipHeader{ModTime: 1700000000, Name: "layer.tar", ExtraBytes: -1, Level: 2, OS: 3}), header(made(2, compression.Gzip, ""), compression.GzipHeader{ExtraBytes: 4, Level: 4, OS: 255}),
			"blob-gzip-header field=time now= was=2023-11-14T22:13:20Z; blob-gzip-header field=name now= was=layer.tar; blob-gzip-header field=extra field now=(bytes bytes=4) was=; " +
				"blob-gzip-header field=level now=(level-fastest) was=(level-slowest); blob-gzip-header field=operating system now=unknown was=Unix", ""},
		{"the same header", header(made(1, compression.Gzip, ""), compression.GzipHeader{OS: 9}), header(made(2, compression.Gzip, ""), compression.GzipHeader{OS: 9}), "blob-gzip", ""},
		{"a docker-archive", made(1, compression.Gzip, one), docker, "", ""},
		{"manifests", made(1, compression.Gzip, one), made(2, compression.Gzip, two), "blob-packer compression=gzip",
			`annotations.a missing, annotations.b extra, annotations["org.opencontainers.image.created"] timestamp, layers[0].digest compression, mediaType packaging`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := Images(tc.was, tc.now, nil)
			if !c.Identical() || !c.Equivalent() {
				t.Errorf("identical %v, equivalent %v\n%s", c.Identical(), c.Equivalent(), show(c))
			}
			var blobs, manifest []string
			for _, d := range c.Blobs {
				if d.Cause != Compression || !strings.HasPrefix(shown(d.Was), "blob compression=gzip digest=sha256:") {
					t.Errorf("%+v", d)
				}
				blobs = append(blobs, evidenceText(d.Evidence))
			}
			for _, f := range c.Manifest {
				manifest = append(manifest, fmt.Sprintf("%s %s", f.Field, f.Cause))
			}
			if got := strings.Join(blobs, ", "); got != tc.blobs {
				t.Errorf("blobs %q, want %q", got, tc.blobs)
			}
			if got := strings.Join(manifest, ", "); got != tc.manifest {
				t.Errorf("manifest %q, want %q", got, tc.manifest)
			}
		})
	}
	var none v1.Hash
	x, y := made(1, compression.Gzip, ""), made(2, compression.Gzip, "")
	y.Layers[0].Digest = none
	if c := Images(x, y, nil); len(c.Blobs) > 0 {
		t.Errorf("a blob without a digest is not known to differ: %+v", c.Blobs)
	}
}
