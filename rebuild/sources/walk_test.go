package sources

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/archive"
	"audit/rebuild/drv"
)

// fetched reads what the fixtures put into the environment of a derivation that fetches.
func fetched(d *drv.Derivation) rebuild.Fetch {
	f := rebuild.Fetch{Executable: d.Env["executable"] != "", Revision: d.Env["commit"], Lists: []string{d.Env["mirrors"]}}
	f.Addresses = strings.Fields(strings.Trim(strings.ReplaceAll(d.Env["url"], `"`, ""), "()"))
	switch d.Builder {
	case "builtin:download":
		f.Method = rebuild.FetchURL
	case "builtin:git-download":
		f.Method = rebuild.GitMethod(f.Revision)
	}
	return f
}

// walk follows a derivation of a store that is written into a folder.
func walk(t *testing.T, s *fixtures.Store, root fixtures.Made, in Input) (*Walk, rebuild.Derivations) {
	t.Helper()
	at := rebuild.Derivations{Root: root.Drv, Below: t.TempDir(), Beside: t.TempDir()}
	if err := s.Write(at.Beside); err != nil {
		t.Fatal(err)
	}
	g, err := Read(at)
	if err != nil {
		t.Fatal(err)
	}
	in.Graph, in.Fetch = g, fetched
	w, err := Follow(in)
	if err != nil {
		t.Fatal(err)
	}
	w.Verify(g, at)
	return w, at
}

func TestBootstrap(t *testing.T) {
	s := fixtures.NewStore("/gnu/store")
	hello := s.Bootstrap()
	w, _ := walk(t, s, hello, Input{Items: []inspect.StoreItem{{Path: hello.Out, Bytes: 7}}})
	var got []string
	for _, source := range w.Sources {
		got = append(got, strings.TrimSpace(strings.Join([]string{source.Name, string(source.Method), source.Revision, string(source.Seed)}, " ")))
		if !slices.Equal(source.NeededBy, []string{hello.Out}) || source.Needed != 1 || source.Level == 0 || len(source.Hash) != 64 {
			t.Errorf("%+v", source)
		}
	}
	want := []string{
		"bash url  builder", "compiler-1.0.tar.gz url", "hello-3.0-checkout git-ref v3.0", "interpreter.tar.xz url  unpacked",
		"library-2.0-checkout git-commit 0123456789abcdef0123456789abcdef01234567", "static-binaries.tar.xz url  unpacked", "tar url  program",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if w.Derivations != 12 || len(w.Plain) != 8 {
		t.Errorf("%d derivations, %d plain inputs", w.Derivations, len(w.Plain))
	}
	c := w.Check()
	if c.Status != check.Pass || c.Bytes != 7 {
		t.Errorf("%v, %d bytes: %v", c.Status, c.Bytes, c.Findings)
	}
	if codes := codesOf(c); codes != "sources/movable sources/one-host sources/one-host" {
		t.Error(codes)
	}
}

func codesOf(c check.Check) string {
	var codes []string
	for _, f := range c.Findings {
		codes = append(codes, f.Code)
	}
	return strings.Join(codes, " ")
}

// What no hash fixes, and what cannot be seen here, decides the check.
func TestStatus(t *testing.T) {
	download := fixtures.Drv{Name: "x.tar", Builder: "builtin:download", Env: map[string]string{"url": `"file:///home/x.tar"`}}
	for _, tc := range []struct {
		name   string
		make   func(s *fixtures.Store) fixtures.Made
		status check.Status
		codes  string
	}{
		{name: "a source without a hash", status: check.Fail, codes: "sources/no-hash", make: func(s *fixtures.Store) fixtures.Made {
			text := s.Text("b", "x")
			return s.Add(fixtures.Drv{Name: "p", Builder: text, Sources: []string{text}, Inputs: []fixtures.Made{s.Add(download)}})
		}},
		{name: "a source of the machine, and a weak hash", status: check.Pass, codes: "sources/weak-hash sources/local-address sources/no-address",
			make: func(s *fixtures.Store) fixtures.Made {
				text, fixed := s.Text("b", "x"), download
				fixed.Algorithm, fixed.Hash = "md5", strings.Repeat("0", 32)
				other := fixtures.Drv{Name: "vendored", Builder: text, Sources: []string{text}, Algorithm: "r:sha256", Hash: strings.Repeat("1", 64)}
				return s.Add(fixtures.Drv{Name: "p", Builder: text, Sources: []string{text}, Inputs: []fixtures.Made{s.Add(fixed), s.Add(other)}})
			}},
		{name: "a program of the machine", status: check.Unknown, codes: "sources/program-of-the-machine", make: func(s *fixtures.Store) fixtures.Made {
			return s.Add(fixtures.Drv{Name: "p", Builder: "/bin/sh"})
		}},
		{name: "a text that is not here", status: check.Unknown, codes: "sources/names-not-verified", make: func(s *fixtures.Store) fixtures.Made {
			text := s.Text("b", "x")
			delete(s.Files, text)
			return s.Add(fixtures.Drv{Name: "p", Builder: text, Sources: []string{text}})
		}},
		{name: "a text that was changed", status: check.Fail, codes: "sources/name-not-content", make: func(s *fixtures.Store) fixtures.Made {
			text := s.Text("b", "x")
			s.Files[text] = "y"
			return s.Add(fixtures.Drv{Name: "p", Builder: text, Sources: []string{text}})
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := fixtures.NewStore("/gnu/store")
			w, _ := walk(t, s, tc.make(s), Input{})
			c := w.Check()
			var codes []string
			for _, f := range c.Findings {
				if f.Code != "sources/one-host" {
					codes = append(codes, f.Code)
				}
			}
			if c.Status != tc.status || strings.Join(codes, " ") != tc.codes {
				t.Errorf("%v %q, want %v %q", c.Status, codes, tc.status, tc.codes)
			}
		})
	}
}

func TestItemOfNoDerivation(t *testing.T) {
	s := fixtures.NewStore("/gnu/store")
	w, _ := walk(t, s, s.Bootstrap(), Input{Items: []inspect.StoreItem{{Path: "/gnu/store/00000000000000000000000000000000-x"}}})
	if c := w.Check(); c.Status != check.Unknown || !strings.Contains(codesOf(c), "sources/items-of-no-derivation") {
		t.Errorf("%v %v", c.Status, c.Findings)
	}
}

// A derivation that is not what its name says is refused, and so are those that lack
// one.
func TestReadBroken(t *testing.T) {
	s := fixtures.NewStore("/gnu/store")
	hello := s.Bootstrap()
	for name, change := range map[string]func(dir string) error{
		"changed": func(dir string) error {
			file := filepath.Join(dir, filepath.Base(hello.Drv))
			text, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(file, []byte(strings.Replace(string(text), "/bin/interpret", "/bin/another", 1)), 0o644)
			}
			return err
		},
		"missing": func(dir string) error {
			all, err := filepath.Glob(dir + "/*-compiler-1.0.drv")
			if err == nil {
				err = os.Remove(all[0])
			}
			return err
		},
	} {
		at := rebuild.Derivations{Root: hello.Drv, Below: t.TempDir(), Beside: t.TempDir()}
		if err := s.Write(at.Beside); err != nil {
			t.Fatal(err)
		}
		if err := change(at.Beside); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(at); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// What archives answered is counted, and an outage decides nothing.
func TestHeld(t *testing.T) {
	s := fixtures.NewStore("/gnu/store")
	w, at := walk(t, s, s.Bootstrap(), Input{})
	if err := os.WriteFile(filepath.Join(at.Beside, path.Base(w.Sources[1].Path)), []byte("test content\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.Identify(at)
	questions := w.Questions(func(string) map[string][]string {
		return map[string][]string{"gnu": {"https://one.example/gnu/", "ftp://two.example/"}}
	})
	want := archive.Question{
		Name: "compiler-1.0.tar.gz", Algorithm: "sha256", Hash: w.Sources[1].Hash, SWHID: "swh:1:cnt:d670460b4b4aece5915caf5c68d12f560a9fe3e4",
		Files: []string{"https://one.example/gnu/compiler/compiler-1.0.tar.gz"},
	}
	if diff := cmp.Diff(want, questions[1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if q := questions[4]; q.Commit == "" || len(q.Origins) != 1 || q.Whole {
		t.Errorf("%+v", q)
	}
	if q := questions[0]; !q.Whole || len(q.Files) != 2 || !q.Recursive {
		t.Errorf("%+v", q)
	}
	w.Answers = make([]archive.Answer, len(w.Sources))
	for i, state := range []archive.State{archive.Archived, archive.Address, archive.Origin, archive.Gone, archive.Archived, archive.NotArchived, archive.Archived} {
		w.Answers[i] = archive.Answer{State: state, Day: "2026-11-29"}
	}
	c := w.Check()
	got := c.Reasons[1]
	if c.Status != check.Pass || got.Args.Int("archived") != 3 || got.Args.Int("gone") != 1 || got.Args.Int("movable") != 1 || len(w.Days()) != 1 {
		t.Errorf("%v %v", c.Status, c.Reasons)
	}
	if !strings.Contains(codesOf(c), "sources/gone") {
		t.Error(codesOf(c))
	}
	w.Answers[0].State = archive.Unknown
	w.Commits = []Commit{{Name: "channel", Answer: archive.Answer{State: archive.Archived}}}
	if c := w.Check(); c.Status != check.Unknown || !strings.Contains(codesOf(c), "sources/commit-archived sources/not-answered") {
		t.Errorf("%v %v", c.Status, codesOf(c))
	}
}
