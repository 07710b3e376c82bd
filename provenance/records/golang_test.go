package records

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
)

// noted is what Go 1.18 and later note in a program.
func noted(version, modules string) []byte {
	out := append([]byte(goMark), 8, goInline)
	out = append(out, make([]byte, goHeader-len(out))...)
	for _, text := range []string{version, modules} {
		out = append(binary.AppendUvarint(out, uint64(len(text))), text...)
	}
	return out
}

const sentinel = "0123456789abcdef"

var modules = sentinel + "path\texample.org/tool\nmod\texample.org/tool\tv1.2.3\th1:abc=\ndep\texample.org/lib\tv0.1.0\th1:def=\n" +
	"dep\texample.org/old\tv1.0.0\n=>\t../local\t\t\n" + sentinel

// program is a file with a note at an offset, and things that look like one before it.
func program(offset int, note []byte) []byte {
	body := bytes.Repeat([]byte{0x90}, offset+len(note)+minProgram)
	copy(body[32:], goMark+"\x08\x07") // other flags
	copy(body[128:], goMark+"\x08\x02"+strings.Repeat("\xff", 40))
	copy(body[205:], noted("go1.1", "")) // not at a multiple of 16
	copy(body[offset:], note)
	return body
}

func watch(body []byte, piece int) []byte {
	w := &goWatcher{size: int64(len(body))}
	for p := range slices.Chunk(body, piece) {
		w.Watch(p)
	}
	return w.Note()
}

// What Go noted is found in whatever pieces a program is read.
func TestWatcherInPieces(t *testing.T) {
	note := noted("go1.26.1 X:nocoverageredesign", modules)
	body := program(4096, note)
	for _, piece := range []int{1, 7, 13, 14, 15, 16, 100, 4095, 4097, 4100, 128 << 10} {
		if got := watch(body, piece); !bytes.Equal(got, note) {
			t.Errorf("in pieces of %d: %q", piece, got)
		}
	}
	if got := watch(body[:4096+len(note)-1], 100); got != nil {
		t.Errorf("what is cut short gives %q", got)
	}
	if got := watch(bytes.Repeat([]byte(goMark+"\x09\x09"), 5000), 1000); got != nil {
		t.Errorf("marks alone give %q", got)
	}
}

func TestGo(t *testing.T) {
	all := read(t, []fixtures.File{
		{Name: "usr/bin/tool", Body: string(program(4096, noted("go1.26.1 X:nocoverageredesign", modules))), Mode: 0o755},
		{Name: "usr/bin/own", Body: string(program(64, noted("go1.20", ""))), Mode: 0o755},
		{Name: "usr/share/tool", Body: string(program(64, noted("go1.26.1", modules)))},
	})
	expect(t, components(all), []string{"go stdlib 1.20", "go stdlib 1.26.1", "go example.org/tool v1.2.3", "go example.org/lib v0.1.0", "go example.org/old"})
	if c := all.Components[3]; c.Sum != "h1:def=" || c.Locator.Namespace != "example.org" || c.Locator.Name != "lib" || c.At.Path != "usr/bin/tool" {
		t.Errorf("%+v", c)
	}
	if all.Components[4].Locator.Type != "" {
		t.Error("a folder of the machine that built it has a package URL")
	}
}

// This test is a program that Go has made.
func TestOwnProgram(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	want, err := readBuildInfo(body)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readNote(watch(body, 128<<10))
	if err != nil || got.GoVersion != want.GoVersion || got.String() != want.String() {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

// Programs of an older Go are read whole; what is too large, and too much together, is
// left, and that is said.
func TestOlderPrograms(t *testing.T) {
	older := append([]byte(goMark), 8, 0)
	older = append(older, make([]byte, goHeader-len(older))...)
	all := read(t, []fixtures.File{{Name: "bin/old", Body: string(program(4096, older)), Mode: 0o755}})
	if len(all.Components)+len(all.Problems) > 0 {
		t.Errorf("%v, %v: it is no program", components(all), all.Problems)
	}
	lower := &inspect.Layer{Watched: true, Entries: []*inspect.Entry{{Path: "bin/d", Type: '0', Mode: 0o755, Size: 60 << 20, Digest: inspect.Sum{9}}}}
	layer := &inspect.Layer{Index: 1, Watched: true}
	for i, size := range []int64{64<<20 + 1, 64 << 20, 64 << 20, 60 << 20, 1 << 20, 64 << 20} {
		e := &inspect.Entry{Path: "bin/" + string(rune('a'+i)), Type: '0', Mode: 0o755, Size: size, Digest: inspect.Sum{byte(i + 1)}}
		layer.Entries = append(layer.Entries, e)
		if i != 4 { // of no older Go
			layer.SetNote(e.Digest, older)
		}
	}
	img := &inspect.Image{Layers: []*inspect.Layer{lower, layer}}
	names := func(files []inspect.File) (list []string) {
		for _, f := range files {
			list = append(list, f.Path)
		}
		return list
	}
	chosen, left := wholePrograms(img)
	expect(t, names(chosen), []string{"bin/b", "bin/c", "bin/f"})
	expect(t, names(left), []string{"bin/a", "bin/d"})
	if all := Read(img); len(all.Problems) != 5 {
		t.Errorf("%v, want five problems", all.Problems)
	}
}

// FuzzWatcher: a note does not depend on the pieces, and nothing that calls itself a
// program breaks its readers.
func FuzzWatcher(f *testing.F) {
	f.Add(program(64, noted("go1.26", modules))[:2000], 5)
	f.Add([]byte("\x7fELF\x02\x01\x01"), 1)
	f.Add([]byte("MZ\x00\x00"), 3)
	f.Add([]byte("\xcf\xfa\xed\xfe"), 1)
	f.Fuzz(func(t *testing.T, body []byte, piece int) {
		whole := watch(body, len(body)+1)
		if got := watch(body, max(1, piece)); !bytes.Equal(got, whole) {
			t.Fatalf("in pieces of %d %q, whole %q", piece, got, whole)
		}
		if len(whole) > goHeader {
			_, _ = readNote(whole)
		}
		if info, err := readBuildInfo(body); err == nil && info == nil {
			t.Fatal("neither information nor error")
		}
	})
}
