package explain

import (
	"bytes"
	"debug/buildinfo"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"audit/inspect/check"
)

// A goDecoder explains programs made by Go: what they say of their build
// (package runtime/debug, BuildInfo), then the rest as any program's.
type goDecoder struct{}

func (goDecoder) decode(d *diff, was, now []byte) bool {
	a, okA := goBuild(was)
	b, okB := goBuild(now)
	if !okA || !okB {
		return false
	}
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		d.value(check.Say("difference/go-build-info", "field", shown(key)), a[key], b[key])
	}
	if !(elfDecoder{}).decode(d, was, now) {
		bytesDecoder{}.decode(d, was, now)
	}
	return true
}

// goBuild returns what a program says of its build, by key.
func goBuild(data []byte) (map[string]string, bool) {
	if !looksLikeGo(data) {
		return nil, false
	}
	info, err := buildinfo.Read(bytes.NewReader(data))
	if err != nil {
		return nil, false
	}
	facts := map[string]string{"go": info.GoVersion, "path": info.Path, "mod": moduleText(&info.Main)}
	for _, m := range info.Deps {
		facts["dep "+m.Path] = moduleText(m)
	}
	for _, s := range info.Settings {
		facts["build "+s.Key] = s.Value
	}
	return facts, true
}

// looksLikeGo says whether data is a program for one of the systems that Go
// knows, with a mark of its linker.
func looksLikeGo(data []byte) bool {
	for _, magic := range []string{"\x7fELF", "MZ", "\xcf\xfa\xed\xfe", "\xfe\xed\xfa"} {
		if bytes.HasPrefix(data, []byte(magic)) {
			return bytes.Contains(data, []byte("\xff Go buildinf:"))
		}
	}
	return false
}

func moduleText(m *debug.Module) string {
	words := []string{m.Path, m.Version, m.Sum}
	if m.Replace != nil {
		words = append(words, "=>", m.Replace.Path, m.Replace.Version, m.Replace.Sum)
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}
