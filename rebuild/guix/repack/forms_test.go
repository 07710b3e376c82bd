package repack

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix"
	"audit/rebuild/gnutar"
	"audit/report"
)

// Every form by Guix: it is packed again byte for byte, or the reason is said
// why that cannot be.
func TestForms(t *testing.T) {
	for file, want := range map[string]struct {
		status check.Status
		says   string
	}{
		"tiny-tarball.tar.gz":                                    {check.Pass, "1 of 1 layers regenerated, byte for byte, by the rules of guix pack -f tarball since Guix 1.4"},
		"tiny-tarball-none.tar":                                  {check.Pass, "1 of 1"},
		"tiny-tarball-R.tar.gz":                                  {check.Pass, "1 of 1"},
		"tiny-tarball-RR.tar.gz":                                 {check.Pass, "1 of 1"},
		"tiny-tarball-db.tar.gz":                                 {check.Pass, "1 of 1"},
		"tiny-docker-R.tar.gz":                                   {check.Pass, "by the rules of Guix 1.5; the order inside folders is readdir's"},
		"system.tar.gz":                                          {check.Pass, "by the rules of guix system image of Guix 1.5; the order inside folders is readdir's"},
		"system-db.tar.gz":                                       {check.Pass, "1 of 1"},
		"system-layers4.tar.gz":                                  {check.Pass, "4 of 4 layers regenerated"},
		"tiny.squashfs":                                          {check.Skipped, "repack/squashfs"},
		"tiny-xz.squashfs":                                       {check.Skipped, "repack/squashfs"},
		"tiny-entry-db.squashfs":                                 {check.Skipped, "repack/squashfs"},
		"tiny.docker-export.tar":                                 {check.Skipped, "repack/exported"},
		"hello-opt1.docker-export.tar":                           {check.Skipped, "repack/exported"},
		"hello-opt1.podman-export.tar":                           {check.Skipped, "repack/exported"},
		"tiny-localstatedir.docker-export.tar.gz":                {check.Skipped, "repack/exported"},
		"../realpack/real-hello-guile-numpy-tarball-pack.tar.gz": {check.Pass, "1 of 1"},
	} {
		img := openAll(t, filepath.Join(samples, "forms", file))
		ev, err := guix.System{}.Recover(img, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := Check(img, ev.Recipe)
		if got.Status != want.status || !strings.Contains(summaryOf(got), want.says) {
			t.Errorf("%s", file)
			dump(t, got)
		}
		if want.status == check.Pass && got.Bytes != wholeSize(img) {
			t.Errorf("%s: %d of %d bytes", file, got.Bytes, wholeSize(img))
		}
	}
}

func wholeSize(img *inspect.Image) (n int64) {
	for _, l := range img.Layers {
		n += l.UncompressedSize
	}
	return n
}

// One change to a tarball, which no digest gives away.
func TestTamperedTarball(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(t testing.TB, l *rawLayer)
		rule   string
		path   string // a suffix
		says   string
	}{
		{"a mode", func(t testing.TB, l *rawLayer) { l.members[l.find(t, "bin/hello")].set(100, "0000755") }, "header-differs", "bin/hello", "mode is"},
		{"an owner", func(t testing.TB, l *rawLayer) { l.members[l.find(t, "./gnu/")].set(265, "evil") }, "header-differs", "gnu", "uname is"},
		{"the store's mode", func(t testing.TB, l *rawLayer) { l.members[l.find(t, "./gnu/")].set(100, "0001777") }, "header-differs", "gnu", "mode is"},
		{"a time", func(t testing.TB, l *rawLayer) { l.members[l.find(t, "./")].set(136, "00000000002") }, "header-differs", ".", "mtime is"},
		{"names without a dot", func(t testing.TB, l *rawLayer) {
			m := l.members[l.find(t, "./gnu/")]
			clear(m.main()[:gnutar.NameSize])
			m.set(0, "gnu/")
		}, "header-differs", "gnu", "name is"},
		{"an order", func(t testing.TB, l *rawLayer) {
			i, j := l.find(t, "/numpy.scm"), l.find(t, "/numpy2.scm")
			l.members[i], l.members[j] = l.members[j], l.members[i]
		}, "entry-order", "numpy.scm", "tar --sort=name writes it before"},
		{"a file beside the store", func(t testing.TB, l *rawLayer) {
			m := l.members[l.find(t, "/numpy.scm")].clone()
			clear(m.main()[:gnutar.NameSize])
			m.set(0, "./evil")
			l.members = append(l.members, m)
			l.pad()
		}, "unexpected-entry", "evil", "neither a store item"},
		{"no root", func(t testing.TB, l *rawLayer) { l.members = l.members[1:]; l.pad() }, "entry-order", "gnu", "right after the folder"},
		{"a byte after the end", func(t testing.TB, l *rawLayer) { l.end[len(l.end)-1] = 1 }, "data-after-end", "", "zeros to the end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := cut(t, tarballBytes(t))
			honest := guixRecipe(t, tarballBytes(t))
			c.change(t, l)
			img := openBytes(t, l.bytes())
			got := Check(img, honest)
			for _, f := range got.Findings {
				if familyOf(f) == c.rule && strings.HasSuffix(f.Path, c.path) && strings.Contains(wordsOf(f), c.says) && got.Status == check.Fail {
					return
				}
			}
			dump(t, got)
			t.Errorf("no finding %s of %s that says %q", c.rule, c.path, c.says)
		})
	}
}

func tarballBytes(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(samples, "realpack/real-hello-guile-numpy-tarball-pack.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(gunzip(t, data)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func openBytes(t *testing.T, data []byte) *inspect.Image {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pack.tar")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return openAll(t, "rootfs:"+path)
}

func guixRecipe(t *testing.T, data []byte) provenance.Recipe {
	t.Helper()
	ev, err := guix.System{}.Recover(openBytes(t, data), nil)
	if err != nil {
		t.Fatal(err)
	}
	return ev.Recipe
}

// The documents around config and layers are the packer's to the last byte.
func TestDocuments(t *testing.T) {
	for name, tc := range map[string]struct {
		sample, document string
		edit             func(raw *rawImage, name string)
		rule             string
	}{
		"no repositories":       {oldestImage, "repositories", func(raw *rawImage, name string) { delete(raw.others, name) }, "document-missing"},
		"other repositories":    {plainImage, "repositories", func(raw *rawImage, name string) { raw.others[name] = []byte(`{"evil":{}}`) }, "document-differs"},
		"another version":       {plainImage, "VERSION", func(raw *rawImage, name string) { raw.others[name] = []byte("1.1") }, "document-differs"},
		"spaces":                {plainImage, "json", func(raw *rawImage, name string) { raw.others[name] = append(raw.others[name], ' ') }, "document-differs"},
		"a manifest with a \\n": {plainImage, "manifest.json", func(raw *rawImage, _ string) { raw.tag += `:latest","x` }, "document-differs"},
	} {
		raw := apart(t, filepath.Join(samples, tc.sample))
		full := tc.document
		for other := range raw.others {
			if filepath.Base(other) == tc.document {
				full = other
			}
		}
		tc.edit(raw, full)
		img := openAll(t, raw.pack(t))
		ev, err := guix.System{}.Recover(img, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := Check(img, ev.Recipe)
		found := false
		for _, f := range got.Findings {
			found = found || familyOf(f) == tc.rule && f.Path == full && f.Level == check.Problem
		}
		if !found || got.Status != check.Fail {
			t.Errorf("%s: no %s of %s", name, tc.rule, full)
			dump(t, got)
		}
	}
}

// The header that ends the reading of a layer is shown by the field that was
// changed in it.
func TestMisfit(t *testing.T) {
	honest := gnutar.AppendBlock(nil, gnutar.Header{Name: "gnu/store/x", Mode: 0o444, Size: 7, Time: 1, Kind: tar.TypeReg, Uname: "root", Gname: "root"})
	for _, f := range gnutar.Fields() {
		block := bytes.Clone(honest)
		block[f.From] ^= 4
		want := f.Name
		switch f.Name {
		case "name", "size", "linkname":
			want = "its checksum"
		case "checksum":
			want = "its checksum"
		}
		code, args := misfit(block, owner{uname: "root", gname: "root"})
		if got := report.AllSentences().Text(check.Say(code, args...)); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", f.Name, got)
		}
		if signed(block) {
			t.Errorf("%s: the checksum is said to be right", f.Name)
		}
	}
	if !signed(honest) {
		t.Error("the checksum of an honest header is said to be wrong")
	}
}
