package fleet

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"audit/inspect/check"
	"audit/rebuild"
	"audit/report"
)

// A made is a report as far as a summary looks at it.
type made struct {
	reference, config string
	items             map[string]string
	recipe            string
	layers            []string
	failing           check.ID
	nobody            int
	day               int
	rights            []string // setuid files
}

// write writes the report into a folder.
func (m made) write(t testing.TB, dir string) {
	t.Helper()
	r := report.Report{SchemaVersion: report.SchemaVersion, Tool: report.Tool{Name: "audit", Version: "1"}}
	r.Image.Reference, r.Image.ConfigDigest = m.reference, digestOf(m.config)
	r.Image.Created = "2021-05-03T00:00:00Z"
	for _, l := range m.layers {
		r.Image.Layers = append(r.Image.Layers, report.Layer{Digest: l, DiffID: l, Size: 1 << 20})
	}
	for path, hash := range m.items {
		r.StoreItems = append(r.StoreItems, report.StoreItem{Path: path, NarHash: "sha256:" + hash})
	}
	r.Recipe.Status = "none"
	if m.recipe != "" {
		r.Recipe.System, r.Recipe.Status = "guix", "complete"
		r.Recipe.Files = []report.File{{Name: "manifest.scm", Text: m.recipe}}
		r.Recipe.Channels = []report.Channel{{Name: "guix", URL: "https://git.example/guix.git", Commit: strings.Repeat("1", 40)}}
		r.Plan = &report.Plan{System: "guix"}
	}
	for _, id := range check.IDs() {
		c := report.Check{ID: id, Status: check.Pass}
		if id == check.Rebuild || id == check.Repack {
			c.Status = check.Skipped
		}
		if id == m.failing {
			c.Status = check.Fail
			r.Verdict = rebuild.Contradicted
		}
		if id == check.Closure && len(m.rights) > 0 {
			c.Status, c.Findings = check.Unknown, []report.Finding{{Code: "closure/note", Level: check.Note, Path: "note"}}
			for _, path := range m.rights {
				c.Findings = append(c.Findings, report.Finding{Code: "closure/setuid-file", Level: check.Undecided, Path: path})
			}
		}
		r.Checks = append(r.Checks, c)
	}
	r.Coverage.Contents = 1000
	r.Coverage.Vouchers = []report.VoucherShare{{Kind: "signed", Bytes: int64(1000 - m.nobody)}, {Kind: "nobody", Bytes: int64(m.nobody)}}
	r.Run.Date = time.Date(2026, 11, m.day+1, 2, 0, 0, 0, time.UTC)
	r.Run.Reference = m.reference
	r.Run.Durations = []report.Duration{{Step: "inspect", Seconds: 0.5}}
	var b bytes.Buffer
	if err := report.WriteJSON(&b, &r); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "report.json"), b.String())
}

// digestOf is a digest that ends with what the config is called here.
func digestOf(config string) string {
	return "sha256:" + strings.Repeat("0", 64-len(config)) + config
}

// short is such a digest without the zeros.
func short(digest string) string {
	algorithm, hex, found := strings.Cut(digest, ":")
	if !found {
		return digest
	}
	return algorithm + ":" + strings.TrimLeft(hex, "0")
}

// keyOf is the key of the result of a config.
func keyOf(config string) string {
	return digestOf(config)[len("sha256:"):] + "-" + strings.Repeat("0", 32)
}

func put(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// batch writes the folder of a batch: reports for references, and statuses for those
// without.
func batch(t testing.TB, dir string, reports []made, others ...Status) {
	t.Helper()
	var l List
	for i, m := range reports {
		key := keyOf(m.config)
		m.write(t, filepath.Join(dir, ResultsFolder, key))
		others = append(others, Status{Reference: m.reference, Digest: digestOf(m.config), Key: key, State: Done, Tries: 1 + i%2, Began: time.Date(2026, 11, m.day+1, 1, 0, 0, 0, time.UTC)})
	}
	for _, s := range others {
		s.SchemaVersion = SchemaVersion
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, StatusFolder, StatusName(s.Reference)), string(text))
		l.Images = append(l.Images, Image{Reference: s.Reference, Names: []string{"P" + s.Reference[len(s.Reference)-1:]}})
	}
	l.Images = append(l.Images, Image{Reference: "docker://registry.example/missing:1"})
	l.SchemaVersion = SchemaVersion
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, ListFile), string(text))
}

func demanding(v rebuild.Policy) Options {
	return Options{Tool: "1", Demand: v.String(), Holds: func(_ string, got rebuild.Verdict, closure check.Status) (string, error) {
		if v.Holds(got, closure) {
			return "", nil
		}
		return "the verdict is " + got.String(), nil
	}}
}

func collect(t testing.TB, opt Options, dirs ...string) *Summary {
	t.Helper()
	s, err := Collect(t.Context(), dirs, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const base = "docker://registry.example/lab/tool:"

// fleetOf are two folders of a small fleet in which everything happens that a summary
// reports.
func fleetOf(t testing.TB) (a, b string) {
	t.Helper()
	dir := t.TempDir()
	a, b = filepath.Join(dir, "a"), filepath.Join(dir, "b")
	batch(t, a, []made{
		{reference: base + "1", config: "c1", items: map[string]string{"/gnu/store/x": "aa", "/gnu/store/y": "bb"}, recipe: "same", layers: []string{"sha256:l1", "sha256:l2"}, nobody: 10},
		{reference: base + "2", config: "c2", items: map[string]string{"/gnu/store/x": "cc"}, recipe: "same", layers: []string{"sha256:l1", "sha256:l3"}},
		{reference: base + "3", config: "c3", failing: check.Integrity, layers: []string{"sha256:l1"}, nobody: 999},
	}, Status{Reference: base + "4", State: Unreadable, Problem: "the registry has no image"})
	batch(t, b, []made{
		{reference: base + "4", config: "c4", day: 2},
		{reference: base + "2", config: "c2b", day: 1, layers: []string{"sha256:l4"}}, // audited later
	}, Status{Reference: base + "5", State: Trying, Tries: 2})
	return a, b
}

// What is missing fails, the newest result of an image counts, and the order of the
// folders has no say.
func TestCollect(t *testing.T) {
	a, b := fleetOf(t)
	s := collect(t, demanding(rebuild.RequireConsistent), a, b)
	var got []string
	for _, r := range s.Images {
		got = append(got, fmt.Sprintf("%s %s %s %v %s", strings.TrimPrefix(r.Reference, "docker://registry.example/"), word(&r), short(r.Digest), r.Holds, r.Names))
	}
	want := []string{
		"lab/tool:3 contradicted sha256:c3 false [P3]", "missing:1 missing  false []", "lab/tool:5 trying  false [P5]",
		"lab/tool:1 unverified sha256:c1 true [P1]", "lab/tool:2 unverified sha256:c2b true [P2]", "lab/tool:4 unverified sha256:c4 true [P4]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if s.Images[2].Problem == "" {
		t.Error("why an image that is being tried has no result is not said")
	}
	if s.Policy.Holds || s.Policy.Failing != 3 || s.Counts.States["missing"] != 1 || s.Counts.Nobody != 1009 {
		t.Errorf("%+v, %+v", s.Policy, s.Counts)
	}
	if s.Recipes.Complete != 1 || s.Recipes.Planned != 1 || len(s.Channels) != 1 || s.Channels[0].Oldest != "2021-05-03" {
		t.Errorf("%+v, %+v", s.Recipes, s.Channels)
	}
	for _, f := range []func(*bytes.Buffer, *Summary) error{
		func(w *bytes.Buffer, s *Summary) error { return WriteJSON(w, s) }, func(w *bytes.Buffer, s *Summary) error { return WriteHTML(w, s) },
		func(w *bytes.Buffer, s *Summary) error { return WriteText(w, s) }, func(w *bytes.Buffer, s *Summary) error { return WriteLock(w, s) },
	} {
		var one, two bytes.Buffer
		if err := f(&one, s); err != nil {
			t.Fatal(err)
		}
		if err := f(&two, collect(t, demanding(rebuild.RequireConsistent), b, a, b)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Errorf("the order of folders matters:\n%s\n%s", &one, &two)
		}
	}
}

// One store path with two contents, and equal recipes with different layers, are found
// without a rebuild; a result that another stands for has no part in it.
func TestContents(t *testing.T) {
	a, b := fleetOf(t)
	s := collect(t, Options{}, a)
	if len(s.Contents) != 1 || s.Contents[0].Path != "/gnu/store/x" || len(s.Contents[0].Each) != 2 || s.Contents[0].Each[0].Images[0] != base+"1" {
		t.Errorf("%+v", s.Contents)
	}
	if len(s.Unlike) != 1 || s.Unlike[0].Count != 2 || s.Unlike[0].Layers != 2 {
		t.Errorf("%+v", s.Unlike)
	}
	if len(s.Layers) != 1 || s.Layers[0].Images != 3 || s.Cost.Shared != 2<<20 || s.Cost.Stored != 3<<20 || s.Cost.Seconds != 1.5 {
		t.Errorf("%+v, %+v", s.Layers, s.Cost)
	}
	if s = collect(t, Options{}, a, b); len(s.Contents) != 0 || len(s.Unlike) != 0 {
		t.Errorf("%+v, %+v", s.Contents, s.Unlike)
	}
}

// What has changed since an earlier summary is named.
func TestChanges(t *testing.T) {
	a, b := fleetOf(t)
	var earlier bytes.Buffer
	if err := WriteJSON(&earlier, collect(t, Options{}, a)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "summary.json")
	put(t, path, earlier.String())
	since, err := ReadSummary(path)
	if err != nil {
		t.Fatal(err)
	}
	c := collect(t, Options{Since: since, List: []Image{
		{Reference: base + "1"}, {Reference: base + "2"}, {Reference: base + "4"}, {Reference: base + "5"},
	}}, a, b).Changes
	want := Changes{
		New: []string{base + "5"}, Gone: []string{base + "3", "docker://registry.example/missing:1"}, Moved: []string{base + "2"}, Found: []string{base + "4"},
		Worse: []string{}, Better: []string{}, Lost: []string{},
	}
	if fmt.Sprint(*c) != fmt.Sprint(want) {
		t.Errorf("%+v\nwant\n%+v", *c, want)
	}
	worse := t.TempDir()
	batch(t, worse, []made{{reference: base + "1", config: "c1", failing: check.Closure}})
	if c := collect(t, Options{Since: since}, worse).Changes; len(c.Worse) != 1 || len(c.Gone) != 3 {
		t.Errorf("%+v", c)
	}
	row, counts := `{"state":"done","verdict":"unverified","holds":true}`, `"counts":{"images":1,"states":{"done":1},"verdicts":{"unverified":1}}`
	whole := `{"schemaVersion":"1",` + counts + `,"images":[` + row + `]}`
	put(t, path, whole)
	if _, err := ReadSummary(path); err != nil {
		t.Error(err)
	}
	for name, text := range map[string]string{
		"none": "{}", "half": `{"schemaVersion":`, "other": `{"schemaVersion":"9","counts":{"states":{}}}`, "more": whole + "{}",
		"no images": strings.Replace(whole, row, "", 1), "images twice": strings.TrimSuffix(whole, "}") + `,"images":[]}`,
		"an image twice": strings.Replace(whole, row, row+","+row, 1), "no such verdict": strings.ReplaceAll(whole, "unverified", "superb"),
		"no such state": strings.ReplaceAll(whole, "done", "finished"), "no verdict": strings.Replace(whole, `"verdict":"unverified"`, `"verdict":""`, 1),
		"another verdict": strings.Replace(whole, `"verdict":"unverified"`, `"verdict":"vouched"`, 1), "fails": strings.Replace(whole, "true", "false", 1),
	} {
		put(t, path, text)
		if _, err := ReadSummary(path); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// What no longer holds is worse, though the verdict is the same, where the same is demanded;
// of several images of one name each is compared with itself.
func TestChangesOfDemand(t *testing.T) {
	row := func(digest string, holds bool) Row {
		return Row{Reference: "image.tar", State: Done, Verdict: "unverified", Digest: digest, Holds: holds}
	}
	since := &Summary{Policy: Policy{Require: "explained"}, Images: []Row{row("a", true), row("b", true)}}
	for require, want := range map[string]string{
		"explained":    "{[] [] [] [image.tar] [] [] []}",
		"reproducible": "{[] [] [] [] [] [] []}",
	} {
		if c := changes([]Row{row("b", false), row("a", true)}, since, require); fmt.Sprint(*c) != want {
			t.Errorf("%s: %v, want %s", require, *c, want)
		}
	}
}

// A file that is hostile or broken is named, and the others count.
func TestHostileFolder(t *testing.T) {
	dir := t.TempDir()
	good := made{reference: "image.tar", config: "c1"}
	good.write(t, filepath.Join(dir, "good"))
	text, err := os.ReadFile(filepath.Join(dir, "good", "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	honest := string(text)
	for name, hostile := range map[string]string{
		"empty": "", "half": honest[:len(honest)/2], "more": honest + "{}", "array": "[]", "kind": strings.Replace(honest, `"image": {`, `"image": [{`, 1),
		"schema":     strings.Replace(honest, `"schemaVersion": "2"`, `"schemaVersion": "1"`, 1),
		"liar":       strings.Replace(honest, `"verdict": "unverified"`, `"verdict": "reproducible"`, 1),
		"no verdict": strings.Replace(honest, `"verdict": "unverified"`, `"verdict": "good"`, 1),
		"twice":      strings.Replace(honest, `"verdict": "unverified"`, `"verdict": "reproducible", "verdict": "unverified"`, 1),
		"no checks":  strings.Replace(honest, `"checks": [`, `"checks": [], "czechs": [`, 1),
		"bytes":      strings.Replace(honest, `"contents": 1000`, `"contents": -1`, 1),
		"more bytes": strings.NewReplacer(`"contents": 1000`, `"contents": 9000000000000000000`, `"bytes": 1000`, `"bytes": 9000000000000000000`).Replace(honest),
		"seconds":    strings.Replace(honest, `"seconds": 0.5`, `"seconds": 1e308`, 1),
		"no seconds": strings.Replace(honest, `"seconds": 0.5`, `"seconds": -1`, 1),
		"layer":      strings.Replace(honest, `"layers": `, `"layers": [{"digest": "sha256:00", "size": -5}], "others": `, 1),
		"deep":       `{"run":` + strings.Repeat("[", 100_000),
		"keys":       `{` + strings.Repeat(`"a":1,`, 3) + `"b":2}`,
	} {
		if hostile == honest {
			t.Fatalf("%s is honest", name)
		}
		put(t, filepath.Join(dir, name, "x.report.json"), hostile)
	}
	s := collect(t, Options{}, dir)
	if len(s.Images) != 1 || len(s.Bad) != 17 {
		t.Errorf("%d images; bad are %+v", len(s.Images), s.Bad)
	}
	for _, b := range s.Bad {
		if strings.Contains(b.Problem, "\n") || b.Problem == "" {
			t.Errorf("%+v", b)
		}
	}
	folder := t.TempDir()
	batch(t, folder, []made{{reference: base + "1", config: "c1"}, {reference: base + "2", config: "c2"}}, Status{Reference: base + "3", State: Trying})
	put(t, filepath.Join(folder, ResultsFolder, keyOf("c1"), "report.json"), "{")
	put(t, filepath.Join(folder, StatusFolder, "x.json"), "{")
	put(t, filepath.Join(folder, StatusFolder, "y.json"), `{"schemaVersion":"1","reference":"`+base+`2","state":"done","key":"../../../etc","began":"2027-01-01T00:00:00Z"}`)
	put(t, filepath.Join(folder, StatusFolder, StatusName(base+"3")), `{"schemaVersion":"1","reference":"`+base+`3","state":"done","key":"../../../etc","began":"2027-01-01T00:00:00Z"}`)
	s = collect(t, demanding(rebuild.RequireConsistent), folder)
	if s.Counts.States["bad-result"] != 2 || s.Counts.States["done"] != 1 || len(s.Bad) != 4 || s.Policy.Holds {
		t.Errorf("%+v, %+v", s.Counts.States, s.Bad)
	}
}

// A part of a batch that is lost makes the summary fail, wherever the batch lies.
func TestLost(t *testing.T) {
	for name, test := range map[string]struct {
		lost   []string
		images int // with the one of which there never was a status, as far as the list is known
	}{
		"nothing": {nil, 3}, "statuses": {[]string{StatusFolder}, 3}, "list": {[]string{ListFile}, 2}, "results": {[]string{ResultsFolder}, 3},
		"list and a status": {[]string{ListFile, StatusFolder + "/" + StatusName(base+"2")}, 1}, "a status": {[]string{StatusFolder + "/" + StatusName(base+"2")}, 3},
		"all but the list": {[]string{StatusFolder, ResultsFolder}, 3}, "all but the results": {[]string{StatusFolder, ListFile}, 2},
	} {
		parent := t.TempDir()
		dir := filepath.Join(parent, "deep", "batch")
		batch(t, dir, []made{{reference: base + "1", config: "c1"}, {reference: base + "2", config: "c2"}})
		for _, path := range test.lost {
			if err := os.RemoveAll(filepath.Join(dir, path)); err != nil {
				t.Fatal(err)
			}
		}
		for _, where := range []string{dir, parent} {
			s := collect(t, Options{}, where)
			if s.Counts.Images != test.images || s.Policy.Holds && len(s.Bad) == 0 {
				t.Errorf("%s is lost: %d images of %s, bad are %+v", name, s.Counts.Images, where, s.Bad)
			}
		}
	}
	dir := t.TempDir()
	batch(t, dir, []made{{reference: base + "1", config: "c1"}})
	if s := collect(t, Options{}, filepath.Join(dir, ResultsFolder)); s.Counts.Images != 1 || len(s.Bad) != 1 {
		t.Errorf("results alone: %+v", s.Bad)
	}
	if err := os.Remove(filepath.Join(dir, ListFile)); err != nil {
		t.Fatal(err)
	}
	if s := collect(t, Options{List: []Image{{Reference: base + "1"}}}, dir); !s.Policy.Holds || len(s.Bad) != 0 {
		t.Errorf("with the list of the user: %+v", s.Bad)
	}
}

// Of results of one key, or of one time, that differ the worst counts, and all are named,
// in whatever order the folders come.
func TestDiffering(t *testing.T) {
	one := made{reference: base + "1", config: "c1", layers: []string{"sha256:l1"}}
	worse, later, same, other := one, one, one, one
	worse.failing = check.Closure
	later.failing, later.day = check.Closure, 3
	other.layers = []string{"sha256:l2"}
	for name, test := range map[string]struct {
		second  made
		verdict string
		bad     int
	}{
		"worse": {worse, "contradicted", 2}, "later": {later, "contradicted", 2}, "same": {same, "unverified", 0}, "layers": {other, "unverified", 2},
	} {
		dir := t.TempDir()
		a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
		batch(t, a, []made{one})
		batch(t, b, []made{test.second})
		s, turned := collect(t, Options{}, a, b), collect(t, Options{}, b, a)
		if got := s.Images[len(s.Images)-1]; s.Counts.Verdicts[test.verdict] != 1 || len(s.Bad) != test.bad {
			t.Errorf("%s: %+v; bad are %+v", name, got, s.Bad)
		}
		var x, y bytes.Buffer
		if err := WriteJSON(&x, s); err != nil {
			t.Fatal(err)
		}
		if err := WriteJSON(&y, turned); err != nil || x.String() != y.String() {
			t.Errorf("%s: the order of folders matters: %v\n%s\n%s", name, err, &x, &y)
		}
	}
	dir := t.TempDir()
	one.write(t, filepath.Join(dir, "x"))
	worse.write(t, filepath.Join(dir, "y"))
	if s := collect(t, Options{}, dir); s.Counts.Verdicts["contradicted"] != 1 || len(s.Bad) != 2 {
		t.Errorf("reports alone: %+v, %+v", s.Counts, s.Bad)
	}
}

// A report is that of the image that its status and its key name, or it is none.
func TestForeignResults(t *testing.T) {
	for name, status := range map[string]Status{
		"another report": {Digest: digestOf("c1"), Key: keyOf("c1")},
		"another digest": {Digest: digestOf("c1"), Key: keyOf("c2")},
		"another key":    {Digest: digestOf("c2"), Key: "x/../" + keyOf("c2")},
		"no key":         {Digest: digestOf("c2")},
		"no digest":      {Key: keyOf("c2")},
		"pinned":         {Reference: base + "1@" + digestOf("c1"), Digest: digestOf("c2"), Key: keyOf("c2")},
	} {
		dir := t.TempDir()
		status.Reference, status.State = cmp.Or(status.Reference, base+"1"), Done
		batch(t, dir, nil, status)
		made{reference: base + "1", config: "c2"}.write(t, filepath.Join(dir, ResultsFolder, filepath.Base(status.Key)))
		s := collect(t, Options{}, dir)
		if s.Counts.States[string(BadResult)] != 1 || len(s.Bad) != 1 || s.Policy.Holds {
			t.Errorf("%s: %+v, %+v", name, s.Counts, s.Bad)
		}
	}
}

// A lock has no line that a list would refuse, or read as another image.
func TestLockLines(t *testing.T) {
	dir := t.TempDir()
	var all []made
	for i, text := range []string{"a\ufffdb", "fold/sp #x.tar.gz", "#c", " d", "::e", "good.tar"} {
		all = append(all, made{reference: text, config: fmt.Sprint("c", i)})
	}
	batch(t, dir, all)
	var b bytes.Buffer
	if err := WriteLock(&b, collect(t, Options{}, dir)); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "good.tar # sha256:") {
			t.Errorf("a line is %q", line)
		}
	}
	if strings.Count(b.String(), "\n") != 7 {
		t.Error(b.String())
	}
}

// A summary that is no longer wanted ends.
func TestCancelled(t *testing.T) {
	a, b := fleetOf(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Collect(ctx, []string{a, b}, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A list whose tables would have no end is refused, and named.
func TestHostileList(t *testing.T) {
	for name, img := range map[string]Image{
		"reference": {Reference: strings.Repeat("a", maxReference+1)}, "names": {Reference: "a", Names: make([]string, maxOwnNames+1)},
		"name": {Reference: "a", Names: []string{strings.Repeat("a", maxImageName+1)}},
	} {
		dir := t.TempDir()
		batch(t, dir, []made{{reference: base + "1", config: "c1"}})
		text, err := json.Marshal(List{SchemaVersion, []Image{img}})
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, ListFile), string(text))
		if s := collect(t, Options{}, dir); len(s.Bad) != 1 || s.Counts.Images != 1 {
			t.Errorf("%s: %+v, %+v", name, s.Counts, s.Bad)
		}
	}
}

// A status of a state that there is not is a bad file, and nothing of it is shown but in
// what is wrong with it.
func TestUnknownState(t *testing.T) {
	dir := t.TempDir()
	batch(t, dir, nil, Status{Reference: base + "1", State: "\x1b[31mEVIL <b>x</b> | \"y\""})
	s := collect(t, Options{}, dir)
	if len(s.Bad) != 1 || s.Counts.States[string(Missing)] != 2 || len(s.Counts.States) != 1 {
		t.Errorf("%+v, %+v", s.Counts, s.Bad)
	}
	s.Counts.States["\x1b"], s.Counts.Verdicts["\"evil\""] = 1, 1
	var b bytes.Buffer
	if err := WritePrometheus(&b, s); err != nil || strings.Contains(b.String(), "evil") || strings.Contains(b.String(), "x1b") {
		t.Errorf("%v\n%s", err, &b)
	}
	if got := label("a\\b\"c\x1b\n"); strings.Contains(got, "\x1b") || !strings.HasPrefix(got, `a\\b\"c\\`) {
		t.Error(got)
	}
}

// No cell of a table is a formula, no line of a lock a command, no text of an image
// markup, and no image a label of a metric.
func TestHostileTexts(t *testing.T) {
	dir := t.TempDir()
	var all []made
	for i, text := range []string{"=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "a|b`c", "<script>alert(1)</script>", "a\x1b[31m\nb", "::error::x", `a;=cmd(1)`, `b; "@SUM(1)`, " =1", "\u00a0 @1"} {
		all = append(all, made{reference: text, config: fmt.Sprint("c", i)})
	}
	batch(t, dir, all)
	s := collect(t, demanding(rebuild.RequireReproducible), dir)
	var b bytes.Buffer
	if err := WriteCSV(&b, s); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 16 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, c := range row {
			for cell := range strings.SplitSeq(c, ";") { // as a spreadsheet where a comma is for decimals has them
				if cell = strings.Trim(cell, "\" \u00a0"); cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
					t.Errorf("a cell is %q", c)
				}
			}
		}
	}
	for _, write := range []func(*bytes.Buffer) error{
		func(w *bytes.Buffer) error { return WriteHTML(w, s) }, func(w *bytes.Buffer) error { return WriteMarkdown(w, s) }, func(w *bytes.Buffer) error { return WriteLock(w, s) },
		func(w *bytes.Buffer) error { return WriteText(w, s) }, func(w *bytes.Buffer) error { return WritePrometheus(w, s) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		if text := b.String(); strings.Contains(text, "\x1b") || strings.Contains(text, "\n::error") || strings.Contains(text, "[31m\nb") {
			t.Errorf("%.300s", text)
		}
	}
	b.Reset()
	if err := WriteHTML(&b, s); err != nil || strings.Contains(b.String(), "<script") {
		t.Errorf("%v", err)
	}
	b.Reset()
	if err := WritePrometheus(&b, s); err != nil || strings.Contains(b.String(), "cmd|") || strings.Count(b.String(), "\n") > 80 {
		t.Errorf("%v\n%s", err, &b)
	}
}

// Two thousand results take little memory, and their page opens on a phone.
func TestThousands(t *testing.T) {
	dir := t.TempDir()
	var all []made
	for i := range 2000 {
		m := made{reference: fmt.Sprintf("%s%d", base, i), config: fmt.Sprint(i), items: make(map[string]string), layers: []string{"sha256:base", fmt.Sprint("sha256:own", i)}}
		for j := range 20 {
			m.items[fmt.Sprintf("/gnu/store/%d", i%100*20+j)] = "aa"
		}
		all = append(all, m)
	}
	batch(t, dir, all)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := collect(t, Options{}, dir)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("the summary keeps %d MiB", grown>>20)
	}
	var page bytes.Buffer
	if err := WriteHTML(&page, s); err != nil || page.Len() > 2<<20 || !strings.Contains(page.String(), "and 1001 more") {
		t.Errorf("%d bytes, %v", page.Len(), err)
	}
	runtime.KeepAlive(s)
}

// What stands out in a report is beside its image in every format, whether what is demanded
// holds or not, and it comes first among its likes.
func TestStandingOut(t *testing.T) {
	dir := t.TempDir()
	for _, m := range []made{{reference: "a", config: "c1", nobody: 500}, {reference: "b", config: "c2", rights: []string{"bin/x", "bin/y|z"}}} {
		m.write(t, filepath.Join(dir, m.reference))
	}
	opt := demanding(rebuild.RequireConsistent)
	opt.First = report.First()
	s := collect(t, opt, dir)
	const want = "No package answers for 2 setuid files; the first is bin/x."
	if s.Images[0].Reference != "b" || s.Images[0].Problem != want || s.Images[1].Problem != "" || !s.Policy.Holds {
		t.Errorf("%+v", s.Images)
	}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"text":     func(w *bytes.Buffer) error { return WriteText(w, s) },
		"html":     func(w *bytes.Buffer) error { return WriteHTML(w, s) },
		"json":     func(w *bytes.Buffer) error { return WriteJSON(w, s) },
		"csv":      func(w *bytes.Buffer) error { return WriteCSV(w, s) },
		"markdown": func(w *bytes.Buffer) error { return WriteMarkdown(w, s) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil || strings.Count(b.String(), want) != 1 {
			t.Errorf("%s: %v\n%s", name, err, &b)
		}
	}
	var b bytes.Buffer
	if err := WritePrometheus(&b, s); err != nil || !strings.Contains(b.String(), "\naudit_fleet_standing_out_images 1\n") {
		t.Errorf("%v\n%s", err, &b)
	}
}
