package repack

import (
	"cmp"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix"
)

// gnuTar finds the real thing. A machine without it cannot run these tests;
// CI must have it.
func gnuTar(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"gtar", "tar"} {
		out, err := exec.Command(name, "--version").Output()
		if err == nil && strings.Contains(string(out), "GNU tar") {
			return name
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("GNU tar is missing, and this is CI")
	}
	t.Skip("SKIPPED: NO GNU TAR HERE, SO NOTHING WAS COMPARED WITH IT")
	return ""
}

// A packer runs the commands that the packer of one era runs, on a store and a
// folder of other files.
type packer struct {
	t          *testing.T
	tar        string
	dir        string // holds root/gnu/store and extra
	options    []string
	extraFirst bool
}

func (p packer) run(arg ...string) {
	p.t.Helper()
	cmd := exec.Command(p.tar, arg...)
	cmd.Dir = p.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("tar %q: %v\n%s", arg, err, out)
	}
}

// delete does what the packer does last: it removes an entry that is not
// there, and the archive is another afterwards.
func (p packer) delete(file string) {
	cmd := exec.Command(p.tar, "--delete", "/", "-f", file)
	cmd.Dir = p.dir
	cmd.Run() // "Not found in archive"
}

// single makes the one layer of an image.
func (p packer) single(items, extra []string) []byte {
	args := append([]string{"-cf", "layer.tar"}, p.options...)
	inRoot, inExtra := p.in("root", items), p.in("extra", extra)
	if p.extraFirst {
		args = slices.Concat(args, inExtra, inRoot)
	} else {
		args = slices.Concat(args, inRoot, inExtra)
	}
	p.run(args...)
	p.delete("layer.tar")
	return p.read()
}

// in returns the arguments that name files of a folder.
func (p packer) in(folder string, names []string) []string {
	if len(names) == 0 {
		return nil
	}
	return append([]string{"-C", filepath.Join(p.dir, folder)}, names...)
}

func (p packer) read() []byte {
	data, err := os.ReadFile(filepath.Join(p.dir, "layer.tar"))
	if err != nil {
		p.t.Fatal(err)
	}
	return data
}

// layered makes the layers of an image with no more than so many.
func (p packer) layered(options, items, extra []string, most int) [][]byte {
	items = p.bySize(items)
	heads := len(items) - 1
	if len(items) >= most {
		heads = most - 2
	}
	var layers [][]byte
	for _, item := range items[:heads] {
		p.run(append(slices.Clone(options), "-C", filepath.Join(p.dir, "root"), "-cf", filepath.Join(p.dir, "layer.tar"), item)...)
		layers = append(layers, p.read())
	}
	p.run(append(slices.Clone(options), "-cf", "layer.tar", "--files-from", "/dev/null")...)
	for _, item := range items[heads:] {
		p.run(append(slices.Clone(options), "-rf", filepath.Join(p.dir, "layer.tar"), "-C", filepath.Join(p.dir, "root"), item)...)
	}
	return append(layers, p.read(), p.single(nil, extra))
}

// settle gives everything in the store the time that the daemon gives it.
func (p packer) settle() {
	p.t.Helper()
	cmd := exec.Command("find", filepath.Join(p.dir, "root/gnu/store"), "-exec", "touch", "-h", "-d", "@1", "{}", "+")
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("touch: %v\n%s", err, out)
	}
}

func (p packer) bySize(items []string) []string {
	size := make(map[string]int64)
	for _, item := range items {
		p.walk(filepath.Join(p.dir, "root", item), func(_ string, info fs.FileInfo) { size[item] += info.Size() })
	}
	items = slices.Clone(items)
	slices.SortFunc(items, func(a, b string) int { // the closure of items without references: from the last to the first
		return cmp.Or(cmp.Compare(size[b], size[a]), cmp.Compare(b, a))
	})
	return items
}

func (p packer) walk(root string, visit func(string, fs.FileInfo)) {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			visit(path, info)
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// A grove grows store items at random, in the normal form of the store.
type grove struct {
	t    *testing.T
	rand *rand.Rand
	root string
}

const letters = "aaabbcz-._ABZ09+ é~"

func (g grove) name() string {
	n := 1 + g.rand.IntN(20)
	if g.rand.IntN(6) == 0 {
		n = 60 + g.rand.IntN(60)
	}
	runes := []rune(letters)
	var b strings.Builder
	for range n {
		b.WriteRune(runes[g.rand.IntN(len(runes))])
	}
	return "n" + strings.TrimRight(b.String(), " ")
}

// item grows one store item and returns its path in the store.
func (g grove) item(links bool) string {
	const digits = "0123456789abcdfghijklmnpqrsvwxyz"
	var hash strings.Builder
	for range 32 {
		hash.WriteByte(digits[g.rand.IntN(len(digits))])
	}
	path := "gnu/store/" + hash.String() + "-item"
	full := filepath.Join(g.root, path)
	switch g.rand.IntN(8) {
	case 0:
		g.file(full)
	case 1:
		g.must(os.Symlink(g.name(), full))
	default:
		var files []string
		g.folder(full, 3, links, &files)
	}
	return path
}

func (g grove) folder(path string, depth int, links bool, files *[]string) {
	g.must(os.Mkdir(path, 0o755))
	for range g.rand.IntN(7) {
		entry := filepath.Join(path, g.name())
		if _, err := os.Lstat(entry); err == nil {
			continue
		}
		switch kind := g.rand.IntN(10); {
		case kind < 3 && depth > 0:
			g.folder(entry, depth-1, links, files)
		case kind < 5:
			g.must(os.Symlink(strings.Repeat("../x", g.rand.IntN(40))+"/t", entry))
		case kind < 7 && links && len(*files) > 0:
			g.must(os.Link((*files)[g.rand.IntN(len(*files))], entry))
		default:
			g.file(entry)
			*files = append(*files, entry)
		}
	}
	g.must(os.Chmod(path, 0o555))
	g.t.Cleanup(func() { os.Chmod(path, 0o755) })
}

func (g grove) file(path string) {
	sizes := []int{0, 1, 511, 512, 513, 9728, 10240, g.rand.IntN(3000)}
	mode := fs.FileMode(0o444)
	if g.rand.IntN(2) == 0 {
		mode = 0o555
	}
	g.must(os.WriteFile(path, make([]byte, sizes[g.rand.IntN(len(sizes))]), 0o644))
	g.must(os.Chmod(path, mode))
}

func (g grove) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// grow fills dir with a store of so many items, a profile among them, and
// returns the names of all.
func grow(t *testing.T, dir string, seed uint64, items int, links bool) []string {
	g := grove{t: t, rand: rand.New(rand.NewPCG(seed, 7)), root: filepath.Join(dir, "root")}
	g.must(os.MkdirAll(filepath.Join(g.root, "gnu/store"), 0o755))
	var names []string
	for range items {
		names = append(names, g.item(links))
	}
	return names
}

const profileRoot = "gnu/store/zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz-profile"

// plant makes a profile and the files outside the store that a call of the
// packer with these symlinks makes, and returns the arguments of tar for the latter.
func plant(t *testing.T, dir string, folders []string, symlinks [][2]string) []string {
	g := grove{t: t}
	profile := filepath.Join(dir, "root", profileRoot)
	g.must(os.MkdirAll(profile, 0o755))
	g.must(os.Chmod(profile, 0o555))
	extra := filepath.Join(dir, "extra")
	g.must(os.MkdirAll(extra, 0o755))
	for _, f := range folders {
		g.must(os.MkdirAll(filepath.Join(extra, f), 0o755))
	}
	for _, s := range symlinks {
		g.must(os.MkdirAll(filepath.Dir(filepath.Join(extra, s[0])), 0o755))
		g.must(os.Symlink("/"+profileRoot+"/"+s[1], filepath.Join(extra, s[0])))
	}
	if slices.Contains(folders, "tmp") {
		g.must(os.Chmod(filepath.Join(extra, "tmp"), 0o777|fs.ModeSticky))
	}
	top, err := os.ReadDir(extra)
	g.must(err)
	var names []string
	for _, e := range top {
		names = append(names, e.Name())
	}
	return names
}

// GNU tar itself packs random stores with the very commands of each era, and
// each layer is regenerated, byte for byte.
func TestAgainstGNUTar(t *testing.T) {
	program := gnuTar(t)
	owners := []string{"--mtime=@1", "--owner=root:0", "--group=root:0"}
	normal := []string{"--mtime=@1", "--owner=0", "--group=0", "--numeric-owner", "--sort=name", "--mode=go+u,go-w"}
	whole := append(slices.Clone(owners), "--hard-dereference", "--check-links")
	eras := []struct {
		name, era  string
		options    []string
		folders    []string
		extraFirst bool
		links      bool
		layers     int
		layering   []string
		config     string
	}{
		{"1.0", "1.0", append([]string{"--sort=name"}, owners...), nil, false, true, 0, nil, `"config":null,"container_config":null`},
		{"1.2", "1.1-1.2", append([]string{"--sort=name"}, owners...), []string{"tmp"}, false, true, 0, nil, `"config":{"env":[]},"container_config":null`},
		{"1.3", "1.3", append([]string{"--sort=name"}, whole...), []string{"tmp"}, false, true, 0, nil, `"config":{"env":[]},"container_config":null`},
		{"1.4", "1.4", append([]string{"--format=gnu"}, whole...), []string{"tmp"}, false, true, 0, nil, `"config":{"env":[]},"container_config":null`},
		{"1.5", "1.5", append([]string{"--format=gnu"}, whole...), []string{"tmp", "gnu/store"}, true, true, 0, nil, history},
		{"1.5 in 3 layers", "1.5", append([]string{"--format=gnu"}, whole...), []string{"tmp", "gnu/store"}, true, true, 3, normal, history},
		{"1.5 in 30 layers", "1.5", append([]string{"--format=gnu"}, whole...), []string{"tmp", "gnu/store"}, true, true, 30, normal, history},
		{"2025 in 4 layers", "1.4", append([]string{"--format=gnu"}, whole...), []string{"tmp"}, false, true, 4, normal, history},
		{"2024 in 4 layers", "1.4", append([]string{"--format=gnu"}, whole...), []string{"tmp"}, false, true, 4, nil, `"config":{"env":[]},"container_config":null`},
	}
	symlinks := [][2]string{{"bin", "bin"}, {"opt/gnu/bin", "bin/"}, {"opt/" + strings.Repeat("long", 30), ""}, {"usr/share", "share/x"}}
	for _, e := range eras {
		for seed := range uint64(2) {
			t.Run(fmt.Sprint(e.name, ", seed ", seed), func(t *testing.T) {
				p := packer{t: t, tar: program, dir: t.TempDir(), options: e.options, extraFirst: e.extraFirst}
				items := append(grow(t, p.dir, seed, 6, e.links), profileRoot)
				extra := plant(t, p.dir, e.folders, symlinks)
				p.settle()
				raw := &rawImage{config: []byte(head + e.config + tail)}
				switch {
				case e.layers > 0:
					for _, data := range p.layered(e.layering, items, extra, e.layers) {
						raw.layers = append(raw.layers, cut(t, data))
					}
				case e.era == "1.0":
					raw.layers = []*rawLayer{cut(t, p.single(items, []string{symlinks[0][0], symlinks[2][0], symlinks[1][0], symlinks[3][0]}))}
				default:
					raw.layers = []*rawLayer{cut(t, p.single(items, extra))}
				}
				expectRegenerated(t, raw, e.era)
			})
		}
	}
}

const (
	head    = `{"architecture":"amd64","comment":"Generated by GNU Guix","created":"1970-01-01T00:00:01Z",`
	history = `"config":{"env":[]},"container_config":null,"history":[{"created":"1970-01-01T00:00:01Z","created_by":"guix pack -f docker","comment":"guix pack"}]`
	tail    = `,"os":"linux","rootfs":{"type":"layers","diff_ids":[`
)

func expectRegenerated(t *testing.T, raw *rawImage, era string) {
	t.Helper()
	img := open(t, raw.pack(t))
	recipe := recipeOf(t, img, era)
	c := Check(img, recipe)
	var all int64
	for _, l := range img.Layers {
		all += l.UncompressedSize
	}
	// On a file system that is not known here the split stays undecided.
	split := func(f check.Finding) bool { return nameOf(f) == "split-not-by-size" }
	if c.Bytes != all || c.Status != check.Pass && !slices.ContainsFunc(c.Findings, split) {
		dump(t, c)
		t.Fatalf("%d of %d bytes regenerated", c.Bytes, all)
	}
	changePack(func(p *guix.Pack) { p.Era = "" })(&recipe)
	if c := Check(img, recipe); c.Bytes != all {
		dump(t, c)
		t.Fatal("with the era unknown: not regenerated")
	}
}

// The tarballs of old packers, as GNU tar writes them with their very commands,
// in whatever order the symlinks were asked for.
func TestOldTarballsAgainstGNUTar(t *testing.T) {
	program := gnuTar(t)
	options := []string{"--format=gnu", "--sort=name", "--mtime=@1", "--owner=root:0", "--group=root:0", "--check-links"}
	for name, tc := range map[string]struct {
		options []string
		links   [][2]string // source, and target in the profile
		args    []string
		says    string
	}{
		"no links":     {options, nil, nil, "up to Guix 1.3"},
		"at the top":   {options, [][2]string{{"bin", "bin"}}, []string{"./bin"}, "up to Guix 1.3"},
		"in a folder":  {options, [][2]string{{"opt/gnu", ""}}, []string{"./opt", "./opt/gnu"}, "up to Guix 1.3"},
		"deep":         {options, [][2]string{{"opt/gnu/bin", "bin"}}, []string{"./opt/gnu", "./opt/gnu/bin"}, "up to Guix 1.3"},
		"in any order": {options, [][2]string{{"opt/gnu/bin", "bin"}, {"opt/a", "a"}, {"bin", "bin"}}, []string{"./bin", "./opt/gnu", "./opt/gnu/bin", "./opt", "./opt/a"}, "up to Guix 1.3"},
		"without hard links": {append(slices.Clone(options), "--hard-dereference"), [][2]string{{"opt/gnu", ""}, {"bin", "bin"}}, []string{"./opt", "./opt/gnu", "./bin"},
			"of Guix 1.3, without hard links"},
	} {
		t.Run(name, func(t *testing.T) {
			p := packer{t: t, tar: program, dir: t.TempDir()}
			grow(t, p.dir, 1, 5, false)
			plant(t, p.dir, nil, nil)
			g := grove{t: t}
			root := filepath.Join(p.dir, "root")
			var links []guix.Symlink
			for _, l := range tc.links {
				source := filepath.Join(root, l[0])
				g.must(os.MkdirAll(filepath.Dir(source), 0o755))
				g.must(os.Symlink(guix.RelativeName(filepath.Dir("/"+l[0]), "/"+profileRoot+"/"+l[1]), source))
				links = append(links, guix.Symlink{Source: "/" + l[0], Target: l[1]})
			}
			g.must(os.Chmod(filepath.Join(root, "gnu/store"), 0o775|fs.ModeSticky))
			p.settle()
			p.run(slices.Concat(tc.options, []string{"-cf", filepath.Join(p.dir, "layer.tar"), "-C", root, "./gnu/store"}, tc.args)...)
			img := openBytes(t, p.read())
			pack := guix.Pack{Format: "tarball", Era: "1.0 to 1.3", Root: "/" + profileRoot, Symlinks: links}
			recipe := provenance.Recipe{System: guix.Name, Status: provenance.Complete, Details: pack}
			c := Check(img, recipe)
			if c.Status != check.Pass || !strings.Contains(summaryOf(c), tc.says) || c.Bytes != wholeSize(img) {
				dump(t, c)
				t.Fatal("not regenerated")
			}
			if len(tc.links) == 0 {
				return
			}
			l := cut(t, p.read())
			n := len(l.members)
			l.members[n-1], l.members[n-2] = l.members[n-2], l.members[n-1]
			if c := Check(openBytes(t, l.bytes()), recipe); c.Status != check.Fail {
				dump(t, c)
				t.Error("the last two entries were swapped, and that is not found")
			}
			l = cut(t, p.read())
			l.members = l.members[:n-1]
			l.pad()
			if c := Check(openBytes(t, l.bytes()), recipe); c.Status != check.Fail {
				dump(t, c)
				t.Error("the last entry was taken away, and that is not found")
			}
		})
	}
}
