package main

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"audit/inspect/check"
	"audit/provenance/guix"
	"audit/provenance/signatures"
	"audit/rebuild"
	"audit/report"
)

var updateTable = flag.Bool("update-table", false, "write testdata/table.txt")

// A tableRow is a form by an era of Guix, and a sample of it.
type tableRow struct {
	form, era, sample string
	rebuilt           string // a second build of the same, made elsewhere; "" for none
}

func tableRows() []tableRow {
	return []tableRow{
		{"docker", "1.0", "eras/era-v1.0.1-single-gzip.tar.gz", ""},
		{"docker", "between 1.0 and 1.1", "eras/era-81c3dc3224-single-gzip.tar.gz", ""},
		{"docker", "1.2", "eras/era-v1.2.0-single-gzip.tar.gz", ""},
		{"docker", "1.3", "eras/era-18a4882e30-single-gzip.tar.gz", ""},
		{"docker", "between 1.3 and 1.4", "eras/era-9f00e7429d-single-gzip.tar.gz", ""},
		{"docker", "1.4", "eras/era-v1.4.0-single-gzip.tar.gz", ""},
		{"docker", "1.5", "eras/era-v1.5.0-single-gzip.tar.gz", ""},
		{"docker --max-layers", "between 1.4 and 1.5", "eras/era-d3d3eedf7f-layers6-gzip.tar.gz", ""},
		{"docker -C zstd", "1.5", "eras/era-v1.5.0-single-zstd.tar.zst", ""},
		{"docker, transformations", "1.5", "eras/era-v1.5.0-single-gzip-transf.tar.gz", ""},
		{"docker, no provenance", "1.5", "eras/era-v1.5.0-single-gzip-noprov.tar.gz", ""},
		{"docker --max-layers", "1.5", "eras/era-v1.5.0-layers5-gzip.tar.gz", ""},
		{"docker", "1.5", "realpack/real-hello-guile-numpy-docker-pack.tar.gz", ""},
		{"docker", "1.5", "images/tiny.tar.gz", "images/tiny.other-ext4.tar.gz"},
		{"docker, not deterministic", "1.5", "images/stamp-A.tar.gz", "images/stamp-B.tar.gz"},
		{"docker --max-layers", "1.5", "images/tiny-layers4.tar.gz", "images/tiny-layers4.tmpfs-store.tar.gz"},
		{"docker --localstatedir", "1.5", "images/tiny-localstatedir.tar.gz", ""},
		{"docker -S", "1.5", "images/hello-opt1.tar.gz", ""},
		{"docker -R", "1.5", "forms/tiny-docker-R.tar.gz", ""},
		{"docker, long names", "1.5", "longnames/long-names.tar.gz", ""},
		{"tarball", "1.5", "forms/tiny-tarball.tar.gz", "forms/tiny-tarball-none.tar"},
		{"tarball", "1.5", "realpack/real-hello-guile-numpy-tarball-pack.tar.gz", ""},
		{"tarball -R", "1.5", "forms/tiny-tarball-R.tar.gz", ""},
		{"tarball -RR", "1.5", "forms/tiny-tarball-RR.tar.gz", ""},
		{"tarball -S --localstatedir", "1.5", "forms/tiny-tarball-db.tar.gz", ""},
		{"tarball --profile-name", "1.5", "forms/tiny-tarball-current-guix.tar.gz", ""},
		{"squashfs", "1.5", "forms/tiny.squashfs", "forms/tiny-xz.squashfs"},
		{"squashfs -C xz", "1.5", "forms/tiny-xz.squashfs", ""},
		{"squashfs --entry-point --localstatedir", "1.5", "forms/tiny-entry-db.squashfs", ""},
		{"docker, exported by Docker", "1.5", "forms/tiny.docker-export.tar", ""},
		{"docker --localstatedir, exported by Docker", "1.5", "forms/tiny-localstatedir.docker-export.tar.gz", ""},
		{"docker -S, exported by Podman", "1.5", "forms/hello-opt1.podman-export.tar", ""},
		{"system", "1.5", "forms/system.tar.gz", ""},
		{"system, with a daemon", "1.5", "forms/system-db.tar.gz", ""},
		{"system --max-layers", "1.5", "forms/system-layers4.tar.gz", ""},
	}
}

// TestTable runs the whole line on a sample of each form of each era, and holds
// the outcome of every check against testdata/table.txt. No cell is empty, and
// what was skipped says why. No builder is here: derivation and rebuild are
// those of a second build made elsewhere, where there is one, and of the real
// suite. (The store of the samples in eras is made up and the same for all, so
// two of their images hold items that their profile does not lead to.)
func TestTable(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	farm := httptest.NewServer(http.FileServer(http.Dir("../../fixtures/guix/publish")))
	defer farm.Close()
	keys, err := signatures.ReadKeys("../../fixtures/guix/publish/signing-key.pub")
	if err != nil {
		t.Fatal(err)
	}
	table := newTable()
	for _, row := range tableRows() {
		l := &line{builder: "none", farms: farms{servers: []string{farm.URL}, keys: keys}, dir: t.TempDir()}
		if row.rebuilt != "" {
			l.rebuilt = filepath.Join("../../fixtures/guix", row.rebuilt)
		}
		a, err := l.run(t.Context(), filepath.Join("../../fixtures/guix", row.sample))
		if err != nil {
			t.Errorf("%s: %v", row.sample, err)
			continue
		}
		pack, ok := a.evidence.Recipe.Details.(guix.Pack)
		if !ok || !strings.Contains(pack.Era, row.era) {
			t.Errorf("%s: taken for Guix %s", row.sample, pack.Era)
		}
		table.add(t, row, l.ordered(), a.verdict)
		if again := stored(t, a.report); again.Verdict != a.verdict {
			t.Errorf("%s: %s, and the stored report says %s", row.sample, a.verdict, again.Verdict)
		}
	}
	text := table.String()
	t.Log("\n" + text)
	if *updateTable {
		if err := os.WriteFile("testdata/table.txt", []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/table.txt")
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("the table is another one than testdata/table.txt, which was:\n%s", want)
	}
}

// stored is a report that is written and read again, which judges it again.
func stored(t *testing.T, r *report.Report) *report.Report {
	t.Helper()
	var text bytes.Buffer
	if err := report.WriteJSON(&text, r); err != nil {
		t.Fatal(err)
	}
	again, err := report.ReadJSON(&text)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// A table has a row for each sample and a column for each check; notes say why
// a check was skipped or could not decide.
type table struct {
	rows  [][]string
	notes []string
}

func newTable() *table {
	head := []string{"form", "era"}
	for _, id := range check.IDs() {
		head = append(head, string(id))
	}
	return &table{rows: [][]string{append(head, "verdict")}}
}

func (tb *table) add(t *testing.T, row tableRow, checks []check.Check, verdict rebuild.Verdict) {
	t.Helper()
	cells := []string{row.form, row.era}
	for i, c := range checks {
		if c.ID != check.IDs()[i] || summaryOf(c) == "" {
			t.Errorf("%s: the cell of %s is empty: %+v", row.sample, check.IDs()[i], c)
		}
		cell := c.Status.String()
		if c.Status == check.Skipped || c.Status == check.Unknown {
			why, _, _ := strings.Cut(summaryOf(c), ";")
			cell += fmt.Sprintf(" %d", tb.note(why))
		}
		cells = append(cells, cell)
	}
	tb.rows = append(tb.rows, append(cells, verdict.String()))
}

// summaryOf says in words why a check ended as it did.
func summaryOf(c check.Check) string {
	var parts []string
	for _, reason := range c.Reasons {
		parts = append(parts, sentences().Text(reason))
	}
	return strings.Join(parts, "; ")
}

// note returns the number of a note, which starts at one.
func (tb *table) note(text string) int {
	if i := slices.Index(tb.notes, text); i >= 0 {
		return i + 1
	}
	tb.notes = append(tb.notes, text)
	return len(tb.notes)
}

func (tb *table) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range tb.rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush()
	lines := strings.Split(b.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	text := strings.Join(lines, "\n") + "\n"
	for i, note := range tb.notes {
		text += fmt.Sprintf("%d: %s\n", i+1, note)
	}
	return text
}
