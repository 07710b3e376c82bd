package sbom

import (
	"bytes"
	"debug/buildinfo"
	"errors"
	"iter"
	"path"
	"runtime/debug"
	"strings"

	"audit/inspect"
	"audit/inspect/check"

	"github.com/package-url/packageurl-go"
)

// Bounds of the programs that are looked into for what Go noted in them.
const (
	maxProgram  = 64 << 20  // bytes of one
	maxPrograms = 192 << 20 // bytes of all
	minProgram  = 64 << 10  // Go makes no smaller ones
)

// Programs returns the files that can be programs made by Go, whose contents the
// bill of the image's files needs: see [inspect.Complete].
func Programs(img *inspect.Image) []inspect.File {
	chosen, _ := choosePrograms(img, img.Root().Files())
	return chosen
}

// choosePrograms returns the executables to look into, in the order of paths,
// and those that are too large or too many. What a layer above replaces is
// read along with what it is replaced by, and counts.
func choosePrograms(img *inspect.Image, files iter.Seq[inspect.File]) (chosen, left []inspect.File) {
	wanted := make(map[string]int64)
	for f := range files {
		if isProgram(f) {
			wanted[f.Path] = 0
		}
	}
	for _, l := range img.Layers {
		for i := range l.Entries {
			if _, ok := wanted[l.Entries[i].Path]; ok {
				wanted[l.Entries[i].Path] += l.Entries[i].Size
			}
		}
	}
	total := int64(0)
	for f := range files {
		if !isProgram(f) {
			continue
		}
		if cost := wanted[f.Path]; f.Size <= maxProgram && total+cost <= maxPrograms {
			total += cost
			chosen = append(chosen, f)
			continue
		}
		left = append(left, f)
	}
	return chosen, left
}

func isProgram(f inspect.File) bool {
	return f.Type == '0' && f.Mode&0o111 != 0 && f.Size >= minProgram && !strings.Contains(path.Base(f.Path), ".so")
}

// programs adds the modules that programs made by Go are built from.
func (f *finder) programs(files iter.Seq[inspect.File]) {
	chosen, left := choosePrograms(f.img, files)
	for _, file := range left {
		f.gap(file, check.Say("sbom/program-too-large", "each", maxProgram, "all", maxPrograms))
	}
	for _, file := range chosen {
		body, _, ok := f.img.Root().Content(file.Path)
		if !ok {
			f.gap(file, check.Say("sbom/program-not-kept"))
			continue
		}
		if !isObject(body) {
			continue
		}
		info, err := readBuildInfo(body)
		if err != nil {
			continue // not made by Go
		}
		f.modules(info, file)
	}
}

// isObject says whether a file starts as the programs of Linux, macOS or
// Windows do.
func isObject(body []byte) bool {
	for _, magic := range []string{"\x7fELF", "\xcf\xfa\xed\xfe", "\xce\xfa\xed\xfe", "\xfe\xed\xfa", "MZ", "\xca\xfe\xba\xbe"} {
		if bytes.HasPrefix(body, []byte(magic)) {
			return true
		}
	}
	return false
}

// readBuildInfo reads what Go notes in programs. The packages below
// debug do not promise to bear every hostile file.
func readBuildInfo(body []byte) (info *debug.BuildInfo, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("it breaks the rules of its format")
		}
	}()
	return buildinfo.Read(bytes.NewReader(body))
}

func (f *finder) modules(info *debug.BuildInfo, file inspect.File) {
	in := f.container(file.Path)
	put := func(name, version string) {
		if name == "" {
			return
		}
		if version == "(devel)" {
			version = ""
		}
		f.add(Part{
			Ecosystem: Go, Name: name, Version: version, PURL: modulePURL(name, version),
			In: in, Evidence: []Place{{file.Layer, file.Path}},
		})
	}
	if version, ok := strings.CutPrefix(info.GoVersion, "go"); ok {
		version, _, _ = strings.Cut(version, " ") // what follows are experiments
		put("stdlib", version)
	}
	put(info.Main.Path, info.Main.Version)
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		put(m.Path, m.Version)
	}
}

// modulePURL returns the package URL of a module (purl-spec, type golang), or
// of Go's own library, which scanners know as a module named stdlib.
func modulePURL(name, version string) string {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "/") {
		return "" // a folder on the machine that built it
	}
	namespace, base := path.Split(name)
	return newPURL(packageurl.TypeGolang, strings.TrimSuffix(namespace, "/"), base, version, nil)
}
