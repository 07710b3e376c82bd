package guix

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audit/inspect"
)

const (
	validPathsTable = `CREATE TABLE ValidPaths (id integer primary key, path text unique not null, hash text not null, narSize integer)`
	refsTable       = `CREATE TABLE Refs (referrer integer not null, reference integer not null)`
)

// makeDatabase returns the bytes of a database made by statements.
func makeDatabase(t *testing.T, statements ...string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "db.sqlite")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestReadDatabase(t *testing.T) {
	img := open(t, filepath.Join(fixturesDir, "images/tiny-localstatedir.tar.gz"))
	data, ok := img.Body(0, databasePath)
	if !ok {
		t.Fatal("the database was not kept")
	}
	rows, err := readDatabase(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(img.Items) {
		t.Errorf("%d rows for %d items", len(rows), len(img.Items))
	}
	for _, row := range rows {
		if row.path == tinyLib && (row.narSize != 520 || strings.Join(row.references, " ") != tinyData ||
			row.hash != "sha256:74840c04fc9fa265da51d7ba9fdf8655cb7578b2c9a7a9551deb21d7fe230272") {
			t.Errorf("%+v", row)
		}
	}
}

// A database that is no store's, or that would have something else run than
// the reading of a table.
func TestReadHostileDatabase(t *testing.T) {
	row := `INSERT INTO ValidPaths VALUES (1, 'p', 'sha256:0', 7)`
	for _, tc := range []struct {
		name       string
		statements []string
		want       string
	}{
		{"good", []string{validPathsTable, refsTable, row}, ""},
		{"a trigger", []string{validPathsTable, refsTable, row, `CREATE TRIGGER t BEFORE DELETE ON Refs BEGIN DELETE FROM ValidPaths; END`}, ""},
		{"no tables", []string{`CREATE TABLE x (y)`}, "there is no table ValidPaths"},
		{"one table", []string{validPathsTable}, "there is no table Refs"},
		{"a view", []string{refsTable, `CREATE VIEW ValidPaths AS SELECT 1 AS id, 'p' AS path, 'h' AS hash, 1 AS narSize`}, "ValidPaths is no plain table"},
		{"a virtual table", []string{refsTable, `CREATE VIRTUAL TABLE ValidPaths USING rtree(id, path, hash)`}, "ValidPaths is no plain table"},
		{"a computed column", []string{refsTable, `CREATE TABLE ValidPaths (id integer primary key, path text, hash text AS (hex(zeroblob(1000000))), narSize integer)`}, "no plain column hash"},
		{"a missing column", []string{validPathsTable, `CREATE TABLE Refs (referrer integer)`}, "no plain column reference"},
		{"a blob for a path", []string{validPathsTable, refsTable, `INSERT INTO ValidPaths VALUES (1, x'00', 'sha256:0', 7)`}, "a row does not hold an id, a path, a hash and a size"},
		{"a text for a size", []string{validPathsTable, refsTable, `INSERT INTO ValidPaths VALUES (1, 'p', 'sha256:0', 'x')`}, "a row does not hold an id, a path, a hash and a size"},
		{"a reference to nothing", []string{validPathsTable, refsTable, row, `INSERT INTO Refs VALUES (1, 2)`}, "a row does not hold the ids of two store items"},
		{"a value of two megabytes", []string{validPathsTable, refsTable, `INSERT INTO ValidPaths VALUES (1, hex(zeroblob(1000000)), 'sha256:0', 7)`}, "too big"},
	} {
		_, err := readDatabase(makeDatabase(t, tc.statements...))
		if (tc.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
}

// What is not a database, or only half of one, is an error and no more.
func TestReadBrokenDatabase(t *testing.T) {
	whole := makeDatabase(t, validPathsTable, refsTable)
	for _, data := range [][]byte{nil, []byte("SQLite format 3"), whole[:100], whole[:len(whole)/2], make([]byte, 8192)} {
		if _, err := readDatabase(data); err == nil {
			t.Errorf("%d bytes: no error", len(data))
		}
	}
}

// A database that says something else than what the items are.
func TestDatabaseThatDisagrees(t *testing.T) {
	img := open(t, filepath.Join(fixturesDir, "images/tiny-localstatedir.tar.gz"))
	v := newView(img)
	c := &closureCheck{view: v}
	lib := v.items[tinyLib]
	c.databaseRow(0, validPath{path: tinyLib, hash: lib.NarHash.String(), narSize: lib.NarSize, references: lib.References})
	c.databaseRow(0, validPath{path: tinyLib, hash: lib.NarHash.String(), narSize: -1, references: lib.References})
	if len(c.wrong) > 0 {
		t.Errorf("findings where all agrees: %+v", c.wrong)
	}
	c.databaseRow(0, validPath{path: tinyLib, hash: "sha256:00", narSize: 1, references: []string{tinyHello}})
	c.databaseRow(0, validPath{path: "/gnu/store/x\n"})
	check := inspect.Check{Findings: c.wrong}
	wantFindings(t, check, "nar-hash-differs "+tinyLib, "nar-size-differs "+tinyLib, "references-differ "+tinyLib, "database-item-missing "+databasePath)
	const want = "beyond what the store's database says it refers to [" + tinyData + "], and not to [" + tinyHello + "]"
	if got := c.wrong[2].Message; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
