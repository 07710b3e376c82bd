package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"audit/inspect"
)

func TestReadBackIsEqual(t *testing.T) {
	for name, in := range inputs(t) {
		fresh := New(in)
		doc := asJSON(t, fresh)
		stored, err := ReadJSON(bytes.NewReader(doc), testSystems()...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(fresh, stored, cmpopts.IgnoreUnexported(Report{})); diff != "" {
			t.Errorf("%s: the stored report is another:\n%s", name, diff)
		}
		for kind, write := range renderers() {
			if a, b := render(t, write, fresh), render(t, write, stored); !bytes.Equal(a, b) {
				t.Errorf("%s: the stored report renders to other %s", name, kind)
			}
		}
	}
}

func TestJSONForm(t *testing.T) {
	doc := asJSON(t, New(hostileInput(t)))
	if !bytes.HasSuffix(doc, []byte("}\n")) || !bytes.HasPrefix(doc, []byte("{\n  \"schemaVersion\": \"2\",\n")) {
		t.Errorf("the report is not indented, or has no last line feed: %.60q", doc)
	}
	if !bytes.Contains(doc, []byte("<script>")) {
		t.Error("< is escaped")
	}
	for _, line := range bytes.Split(bytes.TrimSuffix(doc, []byte("\n")), []byte("\n")) {
		if Printable(string(line)) != string(line) {
			t.Errorf("printing the report would obey %q", line)
		}
	}
}

func TestListsAreNeverNull(t *testing.T) {
	least := New(Input{Image: &inspect.Image{}})
	doc := string(asJSON(t, least))
	if got := strings.Count(doc, "null"); got != 6 {
		t.Errorf("%d values are null, not only plan, road, rebuild, comparison, base and share:\n%s", got, doc)
	}
	stored, err := ReadJSON(strings.NewReader(strings.Replace(doc, `"storeItems": []`, `"storeItems": null`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if string(asJSON(t, stored)) != doc {
		t.Error("a null list is not read as an empty one")
	}
}

// TestOnlyRunChanges makes the report of one image twice: elsewhere, later.
func TestOnlyRunChanges(t *testing.T) {
	a, b := reproducibleInput(t), reproducibleInput(t)
	moved := *b.Image
	moved.Reference = "docker-archive:/somewhere/else/tiny-layers4.tar.gz"
	b.Image = &moved
	a.Image.Reference = "docker-archive:here/tiny-layers4.tar.gz"
	b.Run = Run{Date: time.Date(2031, 1, 2, 3, 4, 5, 6, time.UTC), Host: "other", Durations: []Duration{{"inspect", 9}}}
	b.Rebuilt = a.Rebuilt
	first, second := New(a), New(b)
	if cmp.Equal(first.Run, second.Run) {
		t.Error("the run is the same")
	}
	first.Run, second.Run = Run{}, Run{}
	if diff := cmp.Diff(string(asJSON(t, first)), string(asJSON(t, second))); diff != "" {
		t.Errorf("more than the run has changed:\n%s", diff)
	}
}

func TestReadRefuses(t *testing.T) {
	good := string(asJSON(t, New(unverifiedInput(t))))
	for _, c := range []struct{ doc, want string }{
		{"", "unexpected end of JSON input"},
		{"{}", "no schemaVersion"},
		{`{"schemaVersion": null}`, "no schemaVersion"},
		{strings.Replace(good, `"schemaVersion": "2"`, `"schemaVersion": "7"`, 1), "it is of schema 7, and this audit knows 2"},
		{strings.Replace(good, `"schemaVersion": "2"`, `"schemaVersion": 1.5`, 1), "it is of schema 1.5"},
		{strings.Replace(good, `"tool"`, `"tools"`, 1), `another version of audit wrote it, audit the image again: json: unknown field "tools"`},
		{strings.Replace(good, `"status": "pass"`, `"status": "passed"`, 1), `unknown status "passed"`},
		{strings.Replace(good, `"verdict": "unverified"`, `"verdict": "good"`, 1), `unknown verdict "good"`},
		{strings.Replace(good, `"id": "integrity"`, `"id": "honesty"`, 1), `check 1 is "honesty", not "integrity"`},
		{`{"schemaVersion": "2"}`, "it has 0 checks, not 8"},
		{`{"schemaVersion": "1"}`, "it is of schema 1, written by an older audit: audit the image again"},
		{strings.Replace(good, `"code": "integrity/`, `"code": "Integrity/`, 1), `"Integrity/summary" is no code`},
		{good + "{}", "invalid character"},
		{good[:len(good)/2], "unexpected end of JSON input"},
	} {
		r, err := ReadJSON(strings.NewReader(c.doc))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "reading the report: ") {
			t.Errorf("%.40q gives %v, want %q", c.doc, err, c.want)
		}
		if r != nil {
			t.Errorf("%.40q gives a report beside the error", c.doc)
		}
	}
}

func TestReadIsBounded(t *testing.T) {
	doc := asJSON(t, New(unverifiedInput(t)))
	var limit *inspect.LimitError
	if _, err := readJSON(bytes.NewReader(doc), int64(len(doc))-1); !errors.As(err, &limit) || limit.Limit != int64(len(doc))-1 {
		t.Errorf("a report that is too long gives %v", err)
	}
	if _, err := readJSON(bytes.NewReader(doc), int64(len(doc))); err != nil {
		t.Errorf("a report as long as allowed gives %v", err)
	}
}

// FuzzRender: whatever is read as a report renders without a panic, to a
// summary that no terminal obeys, and writing it settles at once.
func FuzzRender(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range files {
		doc, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		r, err := ReadJSON(bytes.NewReader(doc))
		if err != nil {
			return
		}
		once := asJSON(t, r)
		back, err := ReadJSON(bytes.NewReader(once))
		if err != nil || !reflect.DeepEqual(json.RawMessage(once), json.RawMessage(asJSON(t, back))) {
			t.Fatalf("writing what was read changes it: %v", err)
		}
		checkTerminal(t, render(t, renderers()["text"], r))
		for _, write := range renderers() {
			render(t, write, r)
		}
	})
}

// TestReadJSONRepeatedKeys: a key that stands twice, in whatever case, could mean one
// thing to audit and another to who else reads the report.
func TestReadJSONRepeatedKeys(t *testing.T) {
	var doc bytes.Buffer
	if err := WriteJSON(&doc, New(contradictedInput(t))); err != nil {
		t.Fatal(err)
	}
	for _, twice := range []string{`"status": "pass", "status"`, `"Status": "pass", "status"`} {
		edited := strings.Replace(doc.String(), `"status"`, twice, 1)
		if _, err := ReadJSON(strings.NewReader(edited)); err == nil || !strings.Contains(err.Error(), "stands there twice") {
			t.Errorf("%s: %v", twice, err)
		}
	}
	edited := strings.Replace(doc.String(), `"schemaVersion": "2"`, `"schemaVersion": 2`, 1)
	if _, err := ReadJSON(strings.NewReader(edited)); err == nil || !strings.Contains(err.Error(), "is no text") {
		t.Errorf("a number: %v", err)
	}
}
