package records

import (
	"bytes"
	"debug/buildinfo"
	"encoding/binary"
	"errors"
	"path"
	"runtime/debug"
	"strings"

	"audit/inspect"

	"github.com/package-url/packageurl-go"
)

// goMark begins what Go notes in programs (debug/buildinfo of Go 1.26). From Go 1.18 on
// the version and the modules follow the header; before that it points to them.
const goMark = "\xff Go buildinf:"

const (
	goHeader   = 32      // bytes from the mark to the version
	goInline   = 2       // the flag of Go 1.18 and later
	maxNote    = 1 << 20 // bytes of what Go noted in one program; of the largest some 100 KiB
	maxMarks   = 8       // that are looked at in one file: programs that read others have the mark in their data
	minProgram = 64 << 10
)

// isProgram says whether a file may be made by Go, which makes no smaller ones.
func isProgram(e *inspect.Entry) bool {
	return e.Type == '0' && e.Size >= minProgram && !isEgg(e.Path) && (e.Mode&0o111 != 0 || strings.Contains(path.Base(e.Path), ".so"))
}

// A goWatcher looks for what Go noted in a program, in one go.
type goWatcher struct {
	size  int64  // of the file, as promised
	at    int64  // bytes of the content so far
	tail  []byte // the last of them, fewer than a mark has
	note  []byte // from a mark on; nil where there is none
	from  int64  // where note begins
	marks int    // that were no beginning of it
	done  bool
	rust  bool // the mark of cargo-auditable was seen: it counts where there is nothing of Go
}

func (w *goWatcher) Watch(p []byte) {
	if w.done {
		return
	}
	border := append(bytes.Clone(w.tail), p[:min(len(p), len(goMark)-1)]...)
	w.rust = w.rust || w.hasRust(border, w.at-int64(len(w.tail))) || w.hasRust(p, w.at)
	if w.note != nil {
		w.note = append(w.note, p...)
	} else {
		w.search(border, p)
	}
	w.judge()
	w.at += int64(len(p))
	w.tail = append(w.tail, p[max(0, len(p)-len(goMark)+1):]...)
	w.tail = w.tail[max(0, len(w.tail)-len(goMark)+1):]
}

// hasRust says whether bytes at an offset have the mark of cargo-auditable, near the end
// of the file.
func (w *goWatcher) hasRust(p []byte, offset int64) bool {
	skip := w.size - rustTail - offset
	return skip < int64(len(p)) && bytes.Contains(p[max(0, skip):], []byte(rustMark))
}

// search looks for a mark, which may have begun in the bytes before: border has the last
// of these and the first of p.
func (w *goWatcher) search(border, p []byte) {
	from := w.at - int64(len(w.tail))
	if i := indexMark(border, from); i >= 0 {
		w.from = from + int64(i)
		w.note = append(border[i:len(w.tail)], p...)
		return
	}
	if i := indexMark(p, w.at); i >= 0 {
		w.from, w.note = w.at+int64(i), bytes.Clone(p[i:])
	}
}

// indexMark finds the first mark in p, which begins at an offset of the file: marks lie
// at multiples of 16.
func indexMark(p []byte, offset int64) int {
	for i := 0; ; i++ {
		n := bytes.Index(p[i:], []byte(goMark[2:])) // text is rarer in programs than the bytes before it
		if n < 0 {
			return -1
		}
		i += n
		if at := i - 2; at >= 0 && (offset+int64(at))%16 == 0 && bytes.HasPrefix(p[at:], []byte(goMark)) {
			return at
		}
	}
}

// judge looks whether what follows the mark is whole, or another mark is to be looked
// for.
func (w *goWatcher) judge() {
	for w.note != nil && !w.done {
		n := noteSize(w.note)
		switch {
		case n == 0 && len(w.note) <= maxNote+2*binary.MaxVarintLen64+goHeader:
			return // more is needed
		case n > 0:
			w.note, w.done = bytes.Clone(w.note[:n]), true
			return
		}
		w.marks++
		w.done = w.marks == maxMarks
		i := indexMark(w.note[1:], w.from+1)
		if i < 0 || w.done {
			w.note = nil
			return
		}
		w.from += int64(i) + 1
		w.note = w.note[i+1:]
	}
}

// noteSize returns how many bytes after a mark belong to it: 0 when more are needed to
// know, -1 when it is none of Go's.
func noteSize(note []byte) int {
	if len(note) < goHeader {
		return 0
	}
	size, flags := note[14], note[15]
	switch {
	case flags&goInline == 0 && (size == 4 || size == 8) && flags <= 1:
		return goHeader // of an older Go
	case flags&^3 != 0:
		return -1
	}
	at := goHeader
	for range 2 {
		n, used := binary.Uvarint(note[at:])
		switch {
		case used == 0 && len(note)-at < binary.MaxVarintLen64:
			return 0
		case used <= 0 || n > maxNote:
			return -1
		}
		at += used + int(n)
		if len(note) < at {
			return 0
		}
	}
	if !bytes.HasPrefix(note[goHeader+1:], []byte("go")) && !bytes.HasPrefix(note[goHeader+1:], []byte("devel")) {
		return -1
	}
	return at
}

func (w *goWatcher) Note() []byte {
	switch {
	case w.done:
		return w.note // nil after too many marks
	case w.rust:
		return []byte(rustNote)
	}
	return nil
}

// Bounds of the programs that are read whole.
const (
	maxProgram  = 64 << 20  // bytes of one
	maxPrograms = 192 << 20 // bytes of all
)

// wholePrograms returns the programs of an older Go or of Rust, which have to be read whole,
// in the order of paths, and those that are too large or too many.
func wholePrograms(img *inspect.Image) (chosen, left []inspect.File) {
	var all []inspect.File
	for f := range img.Root().Files() {
		if isWhole(img.Root(), f) {
			all = append(all, f)
		}
	}
	return affordable(img, all, maxProgram, maxPrograms)
}

func isWhole(root *inspect.Root, f inspect.File) bool {
	n := len(root.Note(f))
	return isProgram(f.Inode.Entry) && (n == goHeader || n == len(rustNote))
}

// programs adds the modules that programs made by Go are built from.
func (r *reader) programs() {
	_, left := wholePrograms(r.img)
	skip := make(map[string]bool, len(left))
	for _, file := range left {
		skip[file.Path] = true
		r.problem(file, "sbom/program-too-large", "each", maxProgram, "all", maxPrograms)
	}
	for file := range r.root.Files() {
		if !isProgram(file.Inode.Entry) || isJar(file.Inode.Entry.Path) || isTarball(file.Inode.Entry.Path) || skip[file.Path] {
			continue
		}
		switch note := r.note(file); {
		case note == nil && !r.img.Layers[file.Inode.Layer].Watched:
			r.problem(file, "sbom/program-not-kept")
		case len(note) == goHeader || string(note) == rustNote:
			r.whole(file)
		case note != nil:
			if info, err := readNote(note); err == nil {
				r.modules(info, file)
			} else {
				r.problem(file, "records/unread", "error", err)
			}
		}
	}
}

// whole reads a program of Go before 1.18, or one of Rust.
func (r *reader) whole(file inspect.File) {
	body, _, ok := r.root.Content(file.Path)
	if !ok {
		r.problem(file, "sbom/program-not-kept")
		return
	}
	if info, err := readBuildInfo(body); err == nil {
		r.modules(info, file)
	}
	r.rust(file, body)
}

// readNote reads what follows a mark: the version, and the modules between two marks
// of 16 bytes.
func readNote(note []byte) (*debug.BuildInfo, error) {
	var parts [2]string
	rest := note[goHeader:]
	for i := range parts {
		n, used := binary.Uvarint(rest)
		if used <= 0 || n > uint64(len(rest)-used) {
			return nil, errors.New("what Go noted in it is cut short")
		}
		parts[i], rest = string(rest[used:used+int(n)]), rest[used+int(n):]
	}
	modules := parts[1]
	if len(modules) >= 33 && modules[len(modules)-17] == '\n' {
		modules = modules[16 : len(modules)-16]
	} else {
		modules = ""
	}
	info, err := debug.ParseBuildInfo(modules)
	if err != nil {
		return nil, err
	}
	info.GoVersion = parts[0]
	return info, nil
}

// readBuildInfo reads what Go noted in a program. The packages below debug do not
// promise to bear every hostile file.
func readBuildInfo(body []byte) (info *debug.BuildInfo, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("it breaks the rules of its format")
		}
	}()
	return buildinfo.Read(bytes.NewReader(body))
}

// modules adds the modules that a program is built from.
func (r *reader) modules(info *debug.BuildInfo, file inspect.File) {
	put := func(name, version, sum string) {
		if name == "" {
			return
		}
		if version == "(devel)" {
			version = ""
		}
		r.add(Component{Ecosystem: Go, Name: name, Version: version, Sum: sum, Locator: moduleLocator(name), In: -1}, file)
	}
	if version, ok := strings.CutPrefix(info.GoVersion, "go"); ok {
		version, _, _ = strings.Cut(version, " ") // what follows are experiments
		put("stdlib", version, "")
	}
	put(info.Main.Path, info.Main.Version, info.Main.Sum)
	for _, m := range info.Deps {
		switch by := m.Replace; {
		case by == nil:
			put(m.Path, m.Version, m.Sum)
		case isFolder(by.Path):
			r.add(Component{Ecosystem: Go, Name: m.Path, Origin: Local, In: -1}, file)
		default:
			put(by.Path, by.Version, by.Sum)
		}
	}
}

// isFolder says whether the path of a module is that of a folder on the machine that built
// the program.
func isFolder(name string) bool { return strings.HasPrefix(name, ".") || path.IsAbs(name) }

// moduleLocator locates a module (purl-spec, type golang), or Go's own library, which
// scanners know as a module named stdlib.
func moduleLocator(name string) Locator {
	if isFolder(name) {
		return Locator{}
	}
	namespace, base := path.Split(name)
	return Locator{Type: packageurl.TypeGolang, Namespace: strings.TrimSuffix(namespace, "/"), Name: base}
}
