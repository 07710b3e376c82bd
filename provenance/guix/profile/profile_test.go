package profile

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"audit/inspect/check"
	"audit/provenance/guix/scheme"
)

const somePath = "/gnu/store/0dwkn8xg5giqwrdplhqn0a0znsa7i9hh-hello-2.12.1"

// The older formats, as far as they go.
func TestParseVersions(t *testing.T) {
	lib := "/gnu/store/mnia32klywnslczwfsfpv157mmkpg40w-lib-1"
	paths := []SearchPath{{Variable: "PATH", Files: []string{"bin", "sbin"}, Separator: ":", Type: "directory"}}
	const spec = `(("PATH" ("bin" "sbin") ":" directory #f))`
	for _, tc := range []struct {
		text string
		want Entry
	}{
		{`(manifest (version 0) (packages (("hello" "2" "out" "` + somePath + `"))))`, Entry{}},
		{`(manifest (version 1) (packages (("hello" "2" "out" "` + somePath + `" ("` + lib + `")))))`, Entry{Inputs: []*Entry{{Path: lib}}}},
		{`(manifest (version 1) (packages (("hello" "2" "out" "` + somePath + `" (("lib" "` + lib + `"))))))`, Entry{Inputs: []*Entry{{Path: lib}}}},
		{`(manifest (version 2 1) (packages (("hello" "2" "out" "` + somePath + `" (propagated-inputs ("` + lib + `")) (search-paths ` + spec + `)))))`,
			Entry{Inputs: []*Entry{{Path: lib}}, SearchPaths: paths}},
		{`(manifest (version 3) (packages (("hello" "2" "out" "` + somePath + `" (propagated-inputs (("lib" "1" "out" "` + lib + `" (propagated-inputs ()) (search-paths ()) (properties)))) (search-paths ` + spec + `) (properties (a . "b"))))))`,
			Entry{Inputs: []*Entry{{Name: "lib", Version: "1", Output: "out", Path: lib}}, SearchPaths: paths, Properties: []Property{{"a", scheme.Str("b")}}}},
		{`(manifest (version 4) (packages (("hello" "2" "out" "` + somePath + `" (search-paths ` + spec + `) (properties ((a . "b")))))))`,
			Entry{SearchPaths: paths, Properties: []Property{{"a", scheme.Str("b")}}}},
	} {
		p := mustParse(t, []byte(tc.text))
		if len(p.Problems) > 0 || len(p.Entries) != 1 {
			t.Errorf("%s: %d entries, %q", tc.text, len(p.Entries), p.Problems)
			continue
		}
		tc.want.Name, tc.want.Version, tc.want.Output, tc.want.Path = "hello", "2", "out", somePath
		if diff := cmp.Diff(&tc.want, p.Entries[0], cmpopts.IgnoreTypes(scheme.Pos{})); diff != "" {
			t.Errorf("%s:\n%s", tc.text, diff)
		}
	}
}

func TestRepeatedEntries(t *testing.T) {
	text := `(manifest (version 4) (packages (
	  ("a" "1" "out" "` + somePath + `" (propagated-inputs (("b" "1" "out" "` + somePath + `"))))
	  (repeated "b" "1" "` + somePath + `")
	  ("c" "1" "out" "` + somePath + `" (propagated-inputs ((repeated "a" "1" "` + somePath + `")))))))`
	p := mustParse(t, []byte(text))
	if len(p.Problems) > 0 || len(p.Entries) != 3 {
		t.Fatalf("%d entries, %q", len(p.Entries), p.Problems)
	}
	if p.Entries[1] != p.Entries[0].Inputs[0] || p.Entries[2].Inputs[0] != p.Entries[0] {
		t.Error("a repeated entry is not the one that came before")
	}
	var names []string
	for _, e := range p.All() {
		names = append(names, e.Name)
	}
	if !slices.Equal(names, []string{"a", "b", "c"}) {
		t.Errorf("all entries: %q", names)
	}
}

// A profile whose repetitions would unfold to 2^60 entries is read and walked
// in no time.
func TestRepeatedEntriesDoNotUnfold(t *testing.T) {
	var b strings.Builder
	b.WriteString(`(manifest (version 4) (packages (("0" "1" "out" "` + somePath + `")`)
	names := "0"
	for i := range 60 {
		again := `(repeated "` + names + `" "1" "` + somePath + `")`
		names = strings.Repeat("i", i+1)
		b.WriteString(`("` + names + `" "1" "out" "` + somePath + `" (propagated-inputs (` + again + again + `)))`)
	}
	b.WriteString(`)))`)
	if p := mustParse(t, []byte(b.String())); len(p.Problems) > 0 || len(p.All()) != 61 {
		t.Errorf("%d entries, %q", len(p.All()), p.Problems)
	}
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{``, `manifest:1:1: no data in the profile manifest`},
		{`; nothing`, `manifest:1:1: no data in the profile manifest`},
		{`(manifest`, `manifest:1:1: a parenthesis that nothing closes`},
		{`"manifest"`, `manifest:1:1: a profile manifest has the form (manifest (version …) (packages …))`},
		{`(manifest (version 4))`, `manifest:1:1: a profile manifest has the form (manifest (version …) (packages …))`},
		{`(manifest (version) (packages ()))`, `manifest:1:11: the form (version N) belongs here`},
		{`(manifest (version "4") (packages ()))`, `manifest:1:11: the form (version N) belongs here`},
		{"(manifest\n (version 5) (packages ()))", `manifest:2:2: version 5 of the profile manifest's format is not known here`},
		{`(manifest (version -1) (packages ()))`, `manifest:1:11: version -1 of the profile manifest's format is not known here`},
		{`(manifest (version 99999999999999999999) (packages ()))`, `manifest:1:11: version 99999999999999999999 of the profile manifest's format is not known here`},
		{`(manifest (version 4) (packages))`, `manifest:1:23: the form (packages (ENTRY …)) belongs here`},
		{`(manifest (version 4) (packages (a . b)))`, `manifest:1:23: the form (packages (ENTRY …)) belongs here`},
	} {
		_, err := Parse("manifest", []byte(tc.text))
		if err == nil || err.Error() != tc.want {
			t.Errorf("%s: got %v, want %s", tc.text, err, tc.want)
		}
	}
}

func TestParseProblems(t *testing.T) {
	head := `"hello" "2" "out" "` + somePath + `"`
	for _, tc := range []struct{ version, entries, want string }{
		{"4", `x`, "1:34: recipe/not-as-guix-writes (NAME VERSION OUTPUT PATH …)"},
		{"4", `("hello" "2" "out")`, "1:34: recipe/not-as-guix-writes (NAME VERSION OUTPUT PATH …)"},
		{"4", `(hello "2" "out" "` + somePath + `")`, "1:35: recipe/not-a-string a symbol"},
		{"4", `("hello" "2" "out" "/tmp/x")`, `1:34: recipe/not-a-store-path "/tmp/x"`},
		{"4", `(` + head + ` x)`, "1:112: recipe/not-as-guix-writes (NAME VALUE)"},
		{"4", `(` + head + ` (odd 1))`, "1:112: recipe/field-not-known odd"},
		{"4", `(` + head + ` (search-paths))`, "1:112: recipe/field-values search-paths"},
		{"4", `(` + head + ` (search-paths ()) (search-paths ()))`, "1:130: recipe/field-twice search-paths"},
		{"4", `(` + head + ` (search-paths ((1))))`, "1:127: recipe/not-as-guix-writes (VARIABLE (FILE …) SEPARATOR TYPE PATTERN)"},
		{"4", `(` + head + ` (search-paths (("A" (1) #f directory #f))))`, "1:127: recipe/not-as-guix-writes (VARIABLE (FILE …) SEPARATOR TYPE PATTERN)"},
		{"4", `(` + head + ` (search-paths x))`, "1:126: recipe/not-as-guix-writes (SEARCH-PATH …)"},
		{"4", `(` + head + ` (propagated-inputs x))`, "1:131: recipe/not-as-guix-writes (ENTRY …)"},
		{"4", `(` + head + ` (properties (x)))`, "1:125: recipe/not-as-guix-writes (NAME . VALUE)"},
		{"4", `(` + head + ` (properties ((a . 1) (a . 2))))`, "1:133: recipe/property-twice a"},
		{"4", `(repeated "a" "1" "` + somePath + `")`, `1:34: recipe/nothing-to-repeat "a"`},
		{"3", `(` + head + ` (search-paths ()))`, `1:34: recipe/field-missing "hello" propagated-inputs`},
		{"2", `(` + head + ` (propagated-inputs (1)) (search-paths ()))`, "1:132: recipe/not-a-string a number"},
		{"1", `(` + head + `)`, "1:34: recipe/not-as-guix-writes (NAME VERSION OUTPUT PATH (INPUT …))"},
		{"0", `(` + head + ` ())`, "1:112: recipe/not-as-guix-writes (NAME VERSION OUTPUT PATH)"},
		{"4", `)) #t ((`, ""},
	} {
		text := "(manifest (version " + tc.version + ") (packages (" + tc.entries + ")))"
		p, err := Parse("manifest", []byte(text))
		if tc.want == "" {
			if err == nil {
				t.Errorf("%s: no error", text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := written(p.Problems); got != "manifest:"+tc.want {
			t.Errorf("%s: problems %q, want %q", text, got, tc.want)
		}
	}
}

// written writes messages one a line: their place, code and other arguments.
func written(messages []check.Message) string {
	var lines []string
	for _, m := range messages {
		line := m.Code
		if m.Args["line"] != nil {
			line = m.Args.String("file") + ":" + m.Args.String("line") + ":" + m.Args.String("column") + ": " + m.Code
		}
		for _, name := range slices.Sorted(maps.Keys(m.Args)) {
			if !slices.Contains([]string{"file", "line", "column"}, name) {
				line += " " + m.Args.String(name)
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"profiles/*.manifest", "eras/*.profile-manifest", "export/*.profile-manifest", "realpack/*.profile-manifest"} {
		files, err := filepath.Glob(filepath.Join(fixturesDir, pattern))
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Parse("manifest", text)
		if err != nil {
			return
		}
		if list := p.Channels(); len(list.List) > 0 {
			if _, _, err := ReadChannels(list.File()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := ReadManifest(p.ManifestFile()); err != nil {
			t.Fatal(err)
		}
		p.Losses()
		p.All()
	})
}
