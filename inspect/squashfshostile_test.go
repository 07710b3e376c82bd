package inspect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/inspect/form"
	"audit/inspect/image"
	"audit/inspect/integrity"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/paths"
	"audit/inspect/squashfs"
)

// sketch writes the entries of an image in one line.
func sketch(img *image.Image) string {
	var b strings.Builder
	for _, f := range img.Files() {
		fmt.Fprintf(&b, "%c %s ", f.Type, f.Path)
		if f.Linkname != "" {
			fmt.Fprintf(&b, "-> %s", f.Linkname)
		}
		if !f.Digest.IsZero() {
			b.WriteString(sketchContent(f.Digest, int(f.Size)))
		}
		for _, key := range slices.Sorted(maps.Keys(f.Attr().Xattrs)) {
			fmt.Fprintf(&b, " %s=%s", key, f.Attr().Xattrs[key])
		}
		b.WriteString("|")
	}
	return b.String()
}

func sketchContent(sum digest.Sum, size int) string { return fmt.Sprintf("%x %d", sum[:2], size) }

// super returns a change of a number in the superblock.
func super[N uint16 | uint32 | uint64](at int, n N) func(m *squashMaker) {
	return func(m *squashMaker) {
		m.shape = func(p []byte) { copy(p[at:], numbers(nil, n)) }
	}
}

func TestHostileSquashfs(t *testing.T) {
	for name, test := range map[string]struct {
		make func(m *squashMaker)
		want string
	}{
		"version":           {super(28, uint16(3)), "version 3.0"},
		"block size":        {super(12, uint32(4000)), "blocks of 4000 bytes"},
		"block size 2 MiB":  {super(12, uint32(2<<20)), "blocks of 2097152 bytes"},
		"block log":         {super(22, uint16(13)), "2 to the power of 13"},
		"compressor":        {super(20, uint16(9)), "compressor number 9"},
		"lzo":               {super(20, uint16(3)), "packed with lzo"},
		"end":               {super(40, uint64(1<<40)), "truncated"},
		"end is negative":   {super(40, uint64(1<<63)), "claims to be of 9223372036854775808 bytes"},
		"root":              {super(32, uint64(1<<60)), "reading the root folder"},
		"root offset":       {super(32, uint64(0xfff0)), "reading the root folder: offset 65520"},
		"id table":          {super(48, uint64(1<<50)), "table of owners should be at byte"},
		"id table missing":  {super(48, uint64(none64)), "table of owners should be at byte"},
		"id count":          {super(26, uint16(60000)), "reading the table of owners"},
		"no ids":            {super(26, uint16(0)), "owner 0 of 0"},
		"inode table":       {super(64, uint64(1)), "table of inodes should be at byte 1"},
		"fragment table":    {super(80, uint64(97)), ""},
		"xattr table":       {super(56, uint64(96)), "reading the table of extended attributes"},
		"root is a file":    {func(m *squashMaker) { m.file("a", []byte("x")); m.shape = func(p []byte) { copy(p[32:], zeros(8)) } }, "its root is no folder"},
		"kind of inode":     {func(m *squashMaker) { m.add(m.inode("a", 15)) }, "an inode of kind 8"},
		"kind 0":            {func(m *squashMaker) { m.add(m.inode("a", 0)) }, "an inode of kind 0"},
		"kind in folder":    {func(m *squashMaker) { m.file("a", nil); m.names[0].kind = 3 }, "its folder says inode 1 of kind 3"},
		"number in folder":  {func(m *squashMaker) { m.file("a", nil); m.names[0].number = 7 }, "its folder says inode 7"},
		"inode nowhere":     {func(m *squashMaker) { m.file("a", nil); m.names[0].ref = 1 << 40 }, `reading "a"`},
		"name with slash":   {func(m *squashMaker) { m.file("a/b", nil) }, `"a/b" is no name`},
		"name of NUL":       {func(m *squashMaker) { m.file("a\x00", nil) }, "is no name"},
		"dot":               {func(m *squashMaker) { m.file(".", nil) }, `"." is no name`},
		"dot dot":           {func(m *squashMaker) { m.file("..", nil) }, `".." is no name`},
		"long name":         {func(m *squashMaker) { m.file(strings.Repeat("x", 257), nil) }, "is no name"},
		"folder in itself":  {folderInItself, "the folder lies in itself"},
		"folder twice":      {func(m *squashMaker) { d := m.folder("a"); m.add(d); d.name = "b"; m.add(d) }, "or in two places"},
		"number twice":      {func(m *squashMaker) { m.file("a", nil); m.number--; m.file("b", nil) }, "inode 1 is there twice"},
		"deep folders":      {deepFolders, "more than 4096 folders in each other"},
		"long listing":      {func(m *squashMaker) { m.listed(1 << 30) }, "folder"},
		"short listing":     {func(m *squashMaker) { m.listed(10) }, "longer than its inode says"},
		"long run":          {func(m *squashMaker) { m.dirs = numbers(nil, uint32(256)); m.listed(500) }, "a run of more than 256 names"},
		"block beyond":      {blocks(1<<30, 4096, 4096|plainBlock), "where the file system has"},
		"block too long":    {blocks(96, 4096, 4097|plainBlock), "a stored block of 4097 bytes"},
		"block too short":   {blocks(96, 4096, 5|plainBlock), "has 5 bytes where 4096 are due"},
		"last too long":     {blocks(96, 10, 11|plainBlock), "has 11 bytes where 10 are due"},
		"block size bits":   {blocks(96, 4096, 1<<25), "a stored block of 33554432 bytes"},
		"block not zlib":    {blocks(96, 4096, 50), "unpacking the block at byte 96"},
		"list of blocks":    {blocks(96, 1<<30, 0), "bytes before its end"},
		"no such fragment":  {tail(7, 0, 5), "reading fragment 7: there are 1"},
		"fragment offset":   {tail(0, 30, 5), "5 bytes at byte 30 of fragment 0"},
		"fragment -1":       {tail(0, none32, 5), "fragment 0, which has"},
		"empty fragment":    {func(m *squashMaker) { tail(0, 0, 5)(m); copy(m.tails[8:], zeros(4)) }, "reading fragment 0: it is empty"},
		"fragment nowhere":  {func(m *squashMaker) { tail(0, 0, 5)(m); copy(m.tails, numbers(nil, uint64(1<<63))) }, "reading fragment 0"},
		"long target":       {func(m *squashMaker) { m.add(m.inode("a", 3, uint32(1), uint32(1<<31))) }, "more than 32768 path bytes"},
		"target past end":   {func(m *squashMaker) { m.add(m.inode("a", 3, uint32(1), uint32(30000))) }, `reading "a"`},
		"size of 2^63":      {large(1 << 63), "a file of 9223372036854775808 bytes"},
		"a hole of 2^62":    {hugeHole, "more than"},
		"xattr set":         {xattr(5, nil), "set 5 of 1"},
		"xattr kind":        {xattr(0, numbers(nil, uint16(9), uint16(1), byte('x'), uint32(0))), "names of kind 9"},
		"xattr twice":       {xattr(0, numbers(nil, uint16(0), uint16(1), byte('x'), uint32(0), uint16(0), uint16(1), byte('x'), uint32(0))), `"user.x" is there twice`},
		"xattr value":       {xattr(0, numbers(nil, uint16(0), uint16(1), byte('x'), uint32(1<<20))), "a value of 1048576 bytes"},
		"xattr reference":   {xattr(0, numbers(nil, uint16(0x100), uint16(1), byte('x'), uint32(3), byte(1), byte(1), byte(1))), "not of 8 bytes"},
		"xattr ref nowhere": {xattr(0, numbers(nil, uint16(0x100), uint16(1), byte('x'), uint32(8), uint64(1<<50))), "leads past the end"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newSquashMaker()
			test.make(m)
			img, err := openBytes(t, m.image(), pass.Options{Stores: fixtures.Stores()})
			if test.want == "" {
				if err != nil {
					t.Error(err, img)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			checkTyped(t, err)
		})
	}
}

func checkTyped(t testing.TB, err error) {
	t.Helper()
	var over *LimitError
	var format *FormatError
	if err != nil && !errors.As(err, &over) && !errors.As(err, &format) {
		t.Errorf("an error without a type: %v", err)
	}
}

// openWith opens bytes as a stream of a form.
func openWith(f form.Form, raw []byte, limits Limits) (*Image, error) {
	in := &form.Input{Pass: pass.New(context.Background(), Options{Stores: fixtures.Stores(), Limits: &limits}), Transport: f.Transport}
	defer in.Close()
	if err := in.Read(bytes.NewReader(raw)); err != nil {
		return nil, err
	}
	img, err := f.Open(in)
	if err == nil {
		integrity.Conclude(in.Pass, img)
	}
	return img, err
}

// folderInItself makes the root hold a folder that holds the root.
func folderInItself(m *squashMaker) {
	m.add(squashEntry{"root", metaPlace(64), 3, 1})
	d := m.folder("a") // inode 1, of 40 bytes
	m.inode("", 6, uint32(1), uint32(0))
	m.add(d)
}

func deepFolders(m *squashMaker) {
	for range 4096 + 2 {
		d := m.folder("a")
		m.add(d)
	}
}

// listed adds a folder whose inode says that its listing is of n bytes.
func (m *squashMaker) listed(n uint32) {
	m.file("x", nil)
	m.dirs = append(m.dirs, m.listing()...)
	m.names = nil
	m.add(m.inode("a", 8, uint32(1), n+3, uint32(0), uint32(0), uint16(0), uint16(0), noFragment))
}

func blocks(start, size, stored uint32) func(m *squashMaker) {
	return func(m *squashMaker) {
		m.data = text(6000)
		m.add(m.inode("a", 2, start, noFragment, uint32(0), size, stored))
	}
}

func tail(fragment, offset, size uint32) func(m *squashMaker) {
	return func(m *squashMaker) {
		m.data = text(32)
		m.tails = numbers(nil, uint64(superblockSize), uint32(len(m.data))|plainBlock, uint32(0))
		m.add(m.inode("a", 2, uint32(0), fragment, offset, size))
	}
}

func large(size uint64) func(m *squashMaker) {
	return func(m *squashMaker) {
		m.add(m.inode("a", 9, uint64(96), size, uint64(0), uint32(1), noFragment, uint32(0), noFragment))
	}
}

// hugeHole is a file with a list of blocks of a megabyte each, all holes.
func hugeHole(m *squashMaker) {
	m.block = 1 << 20
	large(1 << 62)(m)
	m.inodes = append(m.inodes, zeros(1<<18)...)
}

func xattr(set uint32, pairs []byte) func(m *squashMaker) {
	return func(m *squashMaker) {
		m.xattrs = append(pairs, zeros(20)...)
		m.sets = numbers(nil, uint64(0), uint32(2), uint32(0))
		m.add(m.inode("a", 14, uint32(1), set))
	}
}

// A folder whose names are not in order and bytes that nothing leads to can be
// read, and are told.
func TestSquashfsFindings(t *testing.T) {
	for name, test := range map[string]struct {
		make  func(m *squashMaker)
		after string
		want  string
	}{
		"disorder":       {func(m *squashMaker) { m.file("b", nil); m.file("a", nil); m.file("c", nil) }, "", `integrity/squashfs-order folder="." name="a"`},
		"a name twice":   {func(m *squashMaker) { m.file("a", nil); m.file("a", nil) }, "", `integrity/squashfs-order folder="." name="a"`},
		"unused data":    {func(m *squashMaker) { m.file("a", text(10)); m.data = append(m.data, "secret"...) }, "", `integrity/unreferenced-blocks bytes="6" offset="106"`},
		"unused at once": {func(m *squashMaker) { m.data = []byte("secret"); m.file("a", text(10)) }, "", `integrity/unreferenced-blocks bytes="6" offset="96"`},
		"data after end": {func(m *squashMaker) { m.file("a", text(10)) }, "\x00\x00hidden", "integrity/trailing-squashfs-data"},
		"lost inode":     {func(m *squashMaker) { m.file("a", nil); m.inode("b", 6, uint32(1)) }, "", `integrity/squashfs-inode-count claimed="3" found="2"`},
		"padding":        {func(m *squashMaker) { m.file("a", text(10)); m.data = append(m.data, zeros(100)...) }, string(zeros(4096)), ""},
	} {
		m := newSquashMaker()
		test.make(m)
		img, err := openBytes(t, append(m.image(), test.after...), pass.Options{Stores: fixtures.Stores()})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if test.want == "" {
			if len(img.Problems) > 0 {
				t.Errorf("%s: %v", name, img.Problems)
			}
			continue
		}
		if len(img.Problems) == 0 || !strings.Contains(img.Problems[0].String(), test.want) || img.Integrity().Status != check.Fail {
			t.Errorf("%s: %v, want %q", name, img.Problems, test.want)
		}
	}
}

// Files of several names are links where a tar would have them, and never from
// a store item to what lies outside of the store: its NAR holds them itself.
func TestSquashfsLinks(t *testing.T) {
	m := newSquashMaker()
	f := m.inode("run", 2, uint32(96), noFragment, uint32(0), uint32(4), 4|plainBlock)
	m.data = []byte("code")
	l := m.inode("sym", 3, uint32(1), uint32(1), byte('x'))
	named := func(e squashEntry, name string) squashEntry { e.name = name; return e }
	m.names = []squashEntry{f, named(f, "walk"), l, named(l, "sym2")}
	item := m.folder(strings.TrimPrefix(itemA, "gnu/store/"))
	m.add(item)
	store := m.folder("store")
	m.add(store)
	gnu := m.folder("gnu")
	m.names = []squashEntry{named(f, "a"), gnu, named(f, "h"), named(l, "z"), named(l, "z2")}
	img, err := openBytes(t, m.image(), pass.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	in := itemA + "/"
	want := "5 . |0 a 5694 4|5 gnu |5 gnu/store |5 " + itemA + " |0 " + in + "run 5694 4|2 " + in + "sym -> x|2 " + in + "sym2 -> x|1 " + in + "walk -> " + in + "run|" +
		"1 h -> a|2 z -> x|1 z2 -> z|"
	if got := sketch(img); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	same, err := openBytes(t, tarOf(t, folder(itemA), executable(in+"run", "code"), symlink(in+"sym", "x"), symlink(in+"sym2", "x"), executable(in+"walk", "code")), pass.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	if len(img.Items) != 1 || img.Items[0].NarHash != same.Items[0].NarHash || !img.Items[0].Problem.IsZero() {
		t.Errorf("store items %v, want %v", img.Items, same.Items)
	}
}

func executable(name, content string) archiveMember {
	m := regular(name, content)
	m.hdr.Mode = 0o755
	return m
}

// Wherever a squashfs is cut off, that is said.
func TestSquashfsTruncation(t *testing.T) {
	honest := honestSquashfs()
	cut := func(raw []byte, n int) {
		_, err := openBytes(t, raw[:n], pass.Options{Stores: fixtures.Stores()})
		if err == nil {
			t.Errorf("cut off at byte %d of %d: no error", n, len(raw))
		}
		if n > 0 {
			checkTyped(t, err)
		}
	}
	for n := range superblockSize {
		cut(honest, n)
	}
	for n := int(le.Uint64(honest[64:])); n < len(honest); n++ { // all of its tables
		cut(honest, n)
	}
	for _, path := range squashSamples(t) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		used := int(le.Uint64(raw[40:]))
		for n := 0; n < used; n += 997 {
			cut(raw, n)
		}
		cut(raw, used-1)
		if _, err := openBytes(t, raw[:used], pass.Options{Stores: fixtures.Stores()}); err != nil {
			t.Errorf("%s without its padding: %v", path, err)
		}
	}
}

// Images that promise more than they have cost no more than they have.
func TestSquashfsLimits(t *testing.T) {
	for name, test := range map[string]struct {
		path string
		edit func(l *limit.Limits)
		want string
	}{
		"entries": {"gzip.squashfs", func(l *limit.Limits) { l.Entries = 20 }, "more than 20 entries"},
		"bytes":   {"zstd-4k-nofragments.squashfs", func(l *limit.Limits) { l.Bytes = 10_000 }, "more than 10000 uncompressed bytes"},
		"xattrs":  {"plain-4k.squashfs", func(l *limit.Limits) { l.KeptBytes = 2000 }, "more than 2000 kept bytes"},
		"paths":   {"xz-4k.squashfs", func(l *limit.Limits) { l.PathBytes = 100 }, "more than 100 path bytes"},
	} {
		limits := limit.DefaultLimits()
		test.edit(&limits)
		_, err := Open(context.Background(), squashFixtures+test.path, pass.Options{Stores: fixtures.Stores(), Limits: &limits})
		var over *LimitError
		if !errors.As(err, &over) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// A name that is repeated without end in a listing that is stored once is
// stopped by the limit of entries, in the memory of as many.
func TestSquashfsManyNames(t *testing.T) {
	m := newSquashMaker()
	f := m.file("n", nil)
	m.names = nil
	for i := range 200_000 {
		f.name = fmt.Sprintf("%06d", i)
		m.names = append(m.names, f)
	}
	raw := m.image()
	limits := limit.DefaultLimits()
	limits.Entries = 1000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := openBytes(t, raw, pass.Options{Stores: fixtures.Stores(), Limits: &limits})
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "more than 1000 entries") {
		t.Errorf("%v, want a limit", err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
}

func FuzzSquashfs(f *testing.F) {
	found, err := filepath.Glob(squashFixtures + "*.squashfs")
	if err != nil || len(found) == 0 {
		f.Fatal("no samples", err)
	}
	for _, path := range found {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add(honestSquashfs())
	limits := limit.DefaultLimits()
	limits.Entries, limits.Bytes, limits.KeptBytes = 2000, 4<<20, 1<<20
	f.Fuzz(func(t *testing.T, raw []byte) {
		img, err := openWith(squashfs.Form(), raw, limits)
		checkTyped(t, err)
		if err != nil {
			return
		}
		var bytes int64
		for _, e := range img.Layers[0].Entries {
			bytes += e.Size
			if e.Path != paths.Clean(e.Name()) || e.Type == '0' == e.Digest.IsZero() {
				t.Errorf("entry %+v", e)
			}
		}
		if l := img.Layers[0]; l.UncompressedSize != bytes || bytes > limits.Bytes || l.Digest != digest.Of(raw).Hash() {
			t.Errorf("%d bytes of content where the layer has %d, digest %v", bytes, l.UncompressedSize, l.Digest)
		}
	})
}
