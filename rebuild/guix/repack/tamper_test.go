package repack

import (
	"archive/tar"
	"audit/inspect/check"
	"audit/rebuild/gnutar"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// A raw image is one taken apart: the bytes of its config and layers.
type rawImage struct {
	config []byte
	layers []*rawLayer
	name   string            // of the archive's one layer; "" for a name of no meaning
	tag    string            // "" for one of no meaning
	others map[string][]byte // small members of the archive, by name
}

// A rawLayer is a tar archive cut into its members.
type rawLayer struct {
	members []rawMember
	end     []byte
}

// A rawMember is the header blocks of a member and its content with padding.
type rawMember struct{ headers, content []byte }

// main returns the header block that all other headers serve.
func (m rawMember) main() []byte { return m.headers[len(m.headers)-gnutar.BlockSize:] }

// set overwrites bytes of the main header and makes its checksum right.
func (m rawMember) set(at int, text string) {
	copy(m.main()[at:], text)
	m.sign()
}

func (m rawMember) sign() {
	block := m.main()
	copy(block[148:156], "        ")
	sum := 0
	for _, c := range block {
		sum += int(c)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
}

func (m rawMember) clone() rawMember {
	return rawMember{bytes.Clone(m.headers), bytes.Clone(m.content)}
}

func (l *rawLayer) bytes() []byte {
	var b []byte
	for _, m := range l.members {
		b = append(append(b, m.headers...), m.content...)
	}
	return append(b, l.end...)
}

// pad makes the end of archive right again after members came or went.
func (l *rawLayer) pad() {
	l.end = nil
	l.end = make([]byte, gnutar.EndOfArchive(int64(len(l.bytes()))))
}

// find returns the index of the first member whose name ends so.
func (l *rawLayer) find(t testing.TB, suffix string) int {
	t.Helper()
	for i, m := range l.members {
		name, _, _ := bytes.Cut(m.main()[:100], []byte{0})
		if strings.HasSuffix(string(name), suffix) {
			return i
		}
	}
	t.Fatalf("no member %q", suffix)
	return 0
}

// cut takes a tar archive apart.
func cut(t testing.TB, data []byte) *rawLayer {
	t.Helper()
	l := &rawLayer{}
	r := bytes.NewReader(data)
	tr := tar.NewReader(r)
	at := 0
	for {
		hdr, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		start := len(data) - r.Len()
		stop := start + int(hdr.Size+gnutar.Padding(hdr.Size))
		l.members = append(l.members, rawMember{bytes.Clone(data[at:start]), bytes.Clone(data[start:stop])})
		at = stop
	}
	l.end = bytes.Clone(data[at:])
	return l
}

// apart takes a docker-archive apart.
func apart(t testing.TB, path string) *rawImage {
	t.Helper()
	files := archiveFiles(t, path)
	var manifest []struct{ Layers, RepoTags []string }
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	raw := &rawImage{config: files["config.json"], tag: manifest[0].RepoTags[0], others: make(map[string][]byte)}
	if len(manifest[0].Layers) == 1 {
		raw.name = manifest[0].Layers[0]
	}
	for name, body := range files {
		if !strings.HasSuffix(name, "/layer.tar") && name != "config.json" && name != "manifest.json" && !strings.HasSuffix(name, "/") {
			raw.others[name] = body
		}
	}
	for _, name := range manifest[0].Layers {
		raw.layers = append(raw.layers, cut(t, files[name]))
	}
	return raw
}

// pack writes the image as a docker-archive and returns its path. The config
// has the diffIDs of the layers as they are now: nothing gives a change away.
func (raw *rawImage) pack(t testing.TB) string {
	t.Helper()
	return raw.packAs(t, diffIDsOf(raw))
}

func diffIDsOf(raw *rawImage) []string {
	var ids []string
	for _, l := range raw.layers {
		ids = append(ids, fmt.Sprintf(`"sha256:%x"`, sha256.Sum256(l.bytes())))
	}
	return ids
}

// packAs is pack with a config that claims these diffIDs.
func (raw *rawImage) packAs(t testing.TB, ids []string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := tar.NewWriter(out)
	put := func(name string, data []byte) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Format: tar.FormatGNU}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for i, l := range raw.layers {
		name := raw.layerName(i, ids)
		names = append(names, fmt.Sprintf("%q", name))
		put(name, l.bytes())
	}
	for _, name := range slices.Sorted(maps.Keys(raw.others)) {
		put(name, raw.others[name])
	}
	head, _, _ := strings.Cut(string(raw.config), `"diff_ids":[`)
	put("config.json", []byte(head+`"diff_ids":[`+strings.Join(ids, ",")+`]}}`))
	put("manifest.json", []byte(`[{"Config":"config.json","RepoTags":["`+cmp.Or(raw.tag, "x:latest")+`"],"Layers":[`+strings.Join(names, ",")+`]}]`))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// layerName is the packer's own name for a layer, where the image has one.
func (raw *rawImage) layerName(i int, ids []string) string {
	switch {
	case raw.name != "":
		return raw.name
	case raw.tag != "":
		return strings.Trim(ids[i], `"`) + "/layer.tar"
	}
	return fmt.Sprintf("%d/layer.tar", i)
}

// A tampering is one change to a sample, and the finding about it.
type tampering struct {
	name   string
	sample string
	change func(t testing.TB, raw *rawImage)
	rule   string
	path   string // a suffix
	says   string // part of the message
}

const (
	plainImage   = "images/tiny.tar.gz"
	layeredImage = "images/tiny-layers4.tar.gz"
	sortedImage  = "eras/era-v1.2.0-single-gzip.tar.gz"
	oldestImage  = "eras/era-v1.0.1-single-gzip.tar.gz"
	linkedImage  = "eras/era-v1.5.0-layers5-gzip.tar.gz"
	dataImage    = "images/tiny-localstatedir.tar.gz"
)

// setField returns a change that sets a field of the first member named so.
func setField(suffix string, at int, text string) func(testing.TB, *rawImage) {
	return func(t testing.TB, raw *rawImage) {
		l := raw.layers[0]
		l.members[l.find(t, suffix)].set(at, text)
	}
}

// swap returns a change that swaps two members of a layer.
func swap(layer int, a, b string) func(testing.TB, *rawImage) {
	return func(t testing.TB, raw *rawImage) {
		l := raw.layers[layer]
		i, j := l.find(t, a), l.find(t, b)
		l.members[i], l.members[j] = l.members[j], l.members[i]
	}
}

// insert returns a change that puts a member of the bytes b before another.
func insert(layer int, before string, make func(near rawMember) rawMember) func(testing.TB, *rawImage) {
	return func(t testing.TB, raw *rawImage) {
		l := raw.layers[layer]
		i := l.find(t, before)
		l.members = slices.Insert(l.members, i, make(l.members[i].clone()))
		l.pad()
	}
}

func editConfig(old, new string) func(testing.TB, *rawImage) {
	return func(t testing.TB, raw *rawImage) {
		if !strings.Contains(string(raw.config), old) {
			t.Fatalf("the config has no %s", old)
		}
		raw.config = []byte(strings.Replace(string(raw.config), old, new, 1))
	}
}

func editEnd(change func([]byte) []byte) func(testing.TB, *rawImage) {
	return func(t testing.TB, raw *rawImage) {
		l := raw.layers[0]
		l.end = change(l.end)
	}
}

// renamed gives a member another name, of the same length or shorter.
func renamed(m rawMember, name string) rawMember {
	clear(m.main()[:100])
	m.set(0, name)
	return m
}

func tamperings() []tampering {
	const hello = "/bin/tiny-hello"
	pax := func(record string) func(rawMember) rawMember {
		return func(near rawMember) rawMember {
			body := fmt.Sprintf("%d %s\n", len(record)+4, record)
			h := gnutar.AppendBlock(nil, gnutar.Header{Name: "PaxHeaders/x", Mode: 0o644, Size: int64(len(body)), Time: 1, Kind: 'x'})
			return rawMember{h, append([]byte(body), make([]byte, gnutar.Padding(int64(len(body))))...)}
		}
	}
	return []tampering{
		{"setuid", plainImage, setField(hello, 100, "0004555"), "header-differs", hello, `mode is "0004555", the packer writes "0000555"`},
		{"setuid, layered", linkedImage, setField("/bin/hello", 100, "0004555"), "header-differs", "/bin/hello", "mode"},
		{"group-writable folder", plainImage, setField("-tiny-hello-3.2/bin/", 100, "0000775"), "header-differs", "-tiny-hello-3.2/bin", "mode"},
		{"writable file", plainImage, setField("/tiny.sh", 100, "0000644"), "header-differs", "/tiny.sh", `"0000444"`},
		{"symlink mode", plainImage, setField("-profile/share/info", 100, "0000755"), "header-differs", "-profile/share/info", "mode"},
		{"uid", plainImage, setField(hello, 108, "0001750"), "header-differs", hello, `uid is "0001750", the packer writes "0000000"`},
		{"gid", plainImage, setField(hello, 116, "0001750"), "header-differs", hello, "gid"},
		{"uid, layered", layeredImage, setField("-emacs-subdirs/", 108, "0001750"), "header-differs", "-emacs-subdirs", "uid"},
		{"mtime", plainImage, setField(hello, 136, "00000000002"), "header-differs", hello, `mtime is "00000000002", the packer writes "00000000001"`},
		{"mtime of an old era", oldestImage, setField("/bin/hello", 136, "00000000000"), "header-differs", "/bin/hello", "mtime"},
		{"uname", plainImage, setField(hello, 265, "user"), "header-differs", hello, `uname is "user", the packer writes "root"`},
		{"gname", plainImage, setField(hello, 297, "user"), "header-differs", hello, "gname"},
		{"uname, numeric owners", layeredImage, setField("-emacs-subdirs/", 265, "root"), "header-differs", "-emacs-subdirs", "uname"},
		{"device number", plainImage, setField(hello, 329, "0000000\x00"), "header-differs", hello, "devmajor"},
		{"USTAR magic", plainImage, setField(hello, 257, "ustar\x0000"), "header-differs", hello, "magic"},
		{"after the fields", plainImage, setField(hello, 400, "hidden"), "header-differs", hello, "header padding, at byte 55, is 0x68"},
		{"after the name", plainImage, setField(hello, 98, "x"), "header-differs", hello, "name, at byte 98, is 0x78, the packer writes 0x00"},
		{"number with spaces", plainImage, setField(hello, 100, "   555 "), "header-differs", hello, "mode"},
		{"size in base 256", plainImage, setField("/tiny.sh", 124, "\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00H"), "header-differs", "/tiny.sh", "size"},
		{"checksum in another style", plainImage, func(t testing.TB, raw *rawImage) {
			m := raw.layers[0].members[0]
			copy(m.main()[154:], " \x00")
		}, "header-differs", "gnu", "checksum"},
		{"contiguous file", plainImage, setField("/tiny.sh", 156, "7"), "header-differs", "/tiny.sh", "typeflag"},
		{"named pipe", plainImage, setField("-info-dir/share/info/", 156, "6"), "unexpected-type", "/share/info", `type "6"`},
		{"device", plainImage, setField("-info-dir/share/info/", 156, "3"), "unexpected-type", "/share/info", `type "3"`},
		{"hard link where files are written whole", plainImage, func(t testing.TB, raw *rawImage) {
			l := raw.layers[0]
			m := l.members[l.find(t, "-profile/share/info")]
			clear(m.main()[157:257])
			m.set(156, "1gnu/store/szdbpxjpmifp9p8m03bl90kxdklrw480-tiny-data-1.0/data.txt")
		}, "hard-link", "-profile/share/info", "--hard-dereference"},
		{"hard link into another item", linkedImage, func(t testing.TB, raw *rawImage) {
			l := raw.layers[3]
			m := l.members[l.find(t, "/zoneinfo/Zulu")]
			clear(m.main()[157:257])
			m.set(157, "gnu/store/8hmw466m5n5njxbpmqsf01dc9svkhyk5-glibc-2.35/lib/libc.so.6")
		}, "hard-link", "/zoneinfo/Zulu", "another store item"},
		{"hard link to a folder", linkedImage, func(t testing.TB, raw *rawImage) {
			l := raw.layers[3]
			m := l.members[l.find(t, "/zoneinfo/Zulu")]
			clear(m.main()[157:257])
			m.set(157, "gnu/store/3d6y95inn81p7wjldkm4zv9yl1pjraaj-tzdata-2023c/share")
		}, "hard-link", "/zoneinfo/Zulu", "no file"},
		{"hard link of another mode", oldestImage, setField("/zoneinfo/Zulu", 100, "0000555"), "header-differs", "/zoneinfo/Zulu", "mode"},

		{"swapped entries", sortedImage, swap(0, "/zoneinfo/GMT", "/zoneinfo/UTC"), "entry-order", "/zoneinfo/GMT", "--sort=name"},
		{"swapped entries, 1.0", oldestImage, swap(0, "/zoneinfo/GMT", "/zoneinfo/UTC"), "entry-order", "/zoneinfo/GMT", "--sort=name"},
		{"swapped entries, layered", layeredImage, swap(1, "-profile/etc/profile", "-profile/manifest"), "entry-order", "-profile/etc/profile", ""},
		{"swapped symlinks, layered", layeredImage, swap(1, "-profile/share/emacs", "-profile/share/info"), "entry-order", "-profile/share/emacs", "--sort=name"},
		{"swapped entries of different folders", plainImage, swap(0, "/tiny.sh", "/data.txt"), "entry-order", "/tiny.sh", "among the entries of its folder"},
		{"swapped outside the store", plainImage, swap(0, "gnu/", "tmp/"), "entry-order", "tmp", ""},
		{"swapped layers", layeredImage, func(t testing.TB, raw *rawImage) {
			raw.layers[2], raw.layers[3] = raw.layers[3], raw.layers[2]
		}, "unexpected-entry", "gnu", ""},
		{"entry moved out of its folder", plainImage, func(t testing.TB, raw *rawImage) {
			l := raw.layers[0]
			i := l.find(t, "/tiny.sh")
			m := l.members[i]
			l.members = append(slices.Delete(l.members, i, i+1), m)
		}, "entry-order", "/tiny.sh", ""},
		{"folder without an entry", plainImage, func(t testing.TB, raw *rawImage) {
			l := raw.layers[0]
			i := l.find(t, "-tiny-hello-3.2/bin/")
			l.members = slices.Delete(l.members, i, i+1)
			l.pad()
		}, "entry-order", "/bin/tiny-hello", "its folder"},

		{"entry twice", plainImage, insert(0, "/bin/tiny-hello", func(m rawMember) rawMember { return m }), "duplicate-entry", hello, ""},
		{"entry twice under another spelling", plainImage, insert(0, "tmp/", func(m rawMember) rawMember {
			return renamed(m, "./tmp/")
		}), "duplicate-entry", "tmp", ""},
		{"item in two layers", layeredImage, func(t testing.TB, raw *rawImage) {
			l := raw.layers[2]
			for _, m := range raw.layers[0].members {
				l.members = append(l.members, m.clone())
			}
			l.pad()
		}, "duplicate-entry", "-emacs-subdirs", "layer 0"},
		{"two items in a layer", layeredImage, func(t testing.TB, raw *rawImage) {
			a, b := raw.layers[1], raw.layers[2]
			a.members, b.members = append(a.members, b.members[:3]...), b.members[3:]
			a.pad()
			b.pad()
		}, "layer-split", "", "2 store items"},

		{"padding after content", plainImage, func(t testing.TB, raw *rawImage) {
			l := raw.layers[0]
			content := l.members[l.find(t, "/tiny.sh")].content
			content[len(content)-1] = 'x'
		}, "padding-differs", "/tiny.sh", "0x78"},
		{"padding after the last content", layeredImage, func(t testing.TB, raw *rawImage) {
			content := raw.layers[0].members[len(raw.layers[0].members)-1].content
			content[len(content)-1] = 'x'
		}, "padding-differs", "/subdirs.el", "0x78"},
		{"PAX header", plainImage, insert(0, hello, pax("atime=1")), "header-differs", hello, `typeflag is "x"`},
		{"extended attribute", plainImage, insert(0, hello, pax("SCHILY.xattr.security.capability=\x01")), "header-differs", hello, "PAX"},
		{"data after the end", plainImage, editEnd(func(end []byte) []byte { end[len(end)-1] = 'x'; return end }), "data-after-end", "", "0x78"},
		{"record too long", plainImage, editEnd(func(end []byte) []byte { return append(end, make([]byte, gnutar.RecordSize)...) }), "record-padding", "", ""},
		{"record too short", plainImage, editEnd(func(end []byte) []byte { return end[:1024] }), "record-padding", "", "1024 zero bytes"},
		{"one block too many", plainImage, editEnd(func(end []byte) []byte { return append(end, make([]byte, gnutar.BlockSize)...) }), "record-padding", "", ""},

		{"name with a dot before it", plainImage, func(t testing.TB, raw *rawImage) {
			l := raw.layers[0]
			i := l.find(t, "tmp/")
			l.members[i] = renamed(l.members[i], "./tmp/")
		}, "header-differs", "tmp", `name is "./tmp/", the packer writes "tmp/"`},
		{"file outside the store", plainImage, insert(0, "/bin/tiny-hello", func(m rawMember) rawMember {
			return renamed(m, "gnu/store/.links")
		}), "unexpected-entry", "gnu/store/.links", ""},
		{"file in /tmp", plainImage, func(t testing.TB, raw *rawImage) {
			l := raw.layers[0]
			m := renamed(l.members[l.find(t, "/tiny.sh")].clone(), "tmp/run")
			l.members = slices.Insert(l.members, 3, m)
			l.pad()
		}, "unexpected-entry", "tmp/run", ""},
		{"no /tmp", plainImage, func(t testing.TB, raw *rawImage) {
			l := raw.layers[0]
			l.members = slices.Delete(l.members, 2, 3)
			l.pad()
		}, "missing-entry", "tmp", ""},
		{"/tmp without its sticky bit", plainImage, setField("tmp/", 100, "0000777"), "header-differs", "tmp", `"0001777"`},
		{"writable /gnu/store", plainImage, setField("gnu/store/", 100, "0001775"), "header-differs", "gnu/store", "mode"},
		{"database for all to write", dataImage, setField("/db.sqlite", 100, "0000666"), "header-differs", "db.sqlite", `"0000644"`},
		{"gcroot elsewhere", dataImage, func(t testing.TB, raw *rawImage) {
			l := raw.layers[0]
			m := l.members[l.find(t, "/gcroots/profiles")]
			clear(m.main()[157:257])
			m.set(157, "/etc")
		}, "header-differs", "gcroots/profiles", "linkname"},
		{"store item in the last layer", layeredImage, func(t testing.TB, raw *rawImage) {
			l := raw.layers[3]
			l.members = append(l.members, renamed(raw.layers[0].members[0].clone(), "gnu/store/00000000000000000000000000000000-x/"))
			l.pad()
		}, "unexpected-entry", "-x", ""},
		{"layers where the era makes one", sortedImage, func(t testing.TB, raw *rawImage) {
			raw.layers = append(raw.layers, raw.layers[0])
		}, "layer-count", "", "Guix 1.1 and 1.2"},

		{"LD_PRELOAD", plainImage, editConfig(`"env":["PATH=`, `"env":["LD_PRELOAD=/tmp/x.so","PATH=`), "config-differs", "config.json", "config.env[0]"},
		{"LD_PRELOAD from the profile", plainImage, editConfig(`-profile/bin"]`, `-profile/bin","LD_PRELOAD=/gnu/store/x.so"]`), "config-differs", "config.json", "config.env[1]"},
		{"search path elsewhere", plainImage, editConfig(`-profile/bin"]`, `-profile/bin:/tmp"]`), "config-differs", "config.json", "config.env[0]"},
		{"user", plainImage, editConfig(`"config":{`, `"config":{"user":"1",`), "config-differs", "config.json", `config.user is "1"`},
		{"created", plainImage, editConfig(`"created":"1970-01-01T00:00:01Z"`, `"created":"2026-01-01T00:00:00Z"`), "config-differs", "config.json", "created is"},
		{"architecture", plainImage, editConfig(`"amd64"`, `"sparc"`), "config-differs", "config.json", "architecture"},
		{"no history", plainImage, editConfig(`"history":[{"created":"1970-01-01T00:00:01Z","created_by":"guix pack -f docker","comment":"guix pack"}],`, ``), "config-differs", "config.json", "history is missing"},
		{"history in an old era", sortedImage, editConfig(`"os":`, `"history":[],"os":`), "config-differs", "config.json", "history"},
		{"white space", plainImage, editConfig(`"os":"linux"`, `"os": "linux"`), "config-differs", "config.json", "another text"},
	}
}

func TestTampering(t *testing.T) {
	for _, c := range tamperings() {
		t.Run(c.name, func(t *testing.T) {
			raw := apart(t, filepath.Join(samples, c.sample))
			c.change(t, raw)
			img := open(t, raw.pack(t))
			if len(img.Problems) > 0 {
				t.Logf("inspect: %v", img.Problems)
			}
			got := Check(img, recipeOf(t, img, eraOf(filepath.Base(c.sample))))
			if got.Status != check.Fail {
				t.Fatalf("%s: %s", got.Status, summaryOf(got))
			}
			if !slices.ContainsFunc(got.Findings, func(f check.Finding) bool {
				return f.Level == check.Problem && familyOf(f) == c.rule && strings.HasSuffix(f.Path, c.path) && strings.Contains(wordsOf(f), c.says)
			}) {
				t.Errorf("no %s at %q saying %q", c.rule, c.path, c.says)
				dump(t, got)
			}
		})
	}
}

// An image that was taken apart and put together again still passes: what the
// tamperings show is due to their changes alone.
func TestUntampered(t *testing.T) {
	for _, path := range images(t) {
		if strings.HasSuffix(path, ".zst") {
			continue
		}
		img := open(t, apart(t, path).pack(t))
		if got := Check(img, recipeOf(t, img, eraOf(filepath.Base(path)))); got.Status != check.Pass {
			t.Errorf("%s: %s", path, summaryOf(got))
		}
	}
}

// archiveFiles reads a docker-archive, plain or compressed with gzip.
func archiveFiles(t testing.TB, path string) map[string][]byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	tr := tar.NewReader(gunzip(t, data))
	for {
		hdr, err := tr.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(hdr.Name, "./")] = body
	}
}

func gunzip(t testing.TB, data []byte) io.Reader {
	t.Helper()
	if bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		z, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(z.Close)
		return z
	}
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return bytes.NewReader(data)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return z
}
