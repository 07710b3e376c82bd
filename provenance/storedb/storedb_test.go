package storedb

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
)

const (
	pathsTable = `CREATE TABLE ValidPaths (id integer primary key, path text unique not null, hash text not null, narSize integer)`
	nixTable   = `CREATE TABLE ValidPaths (id integer primary key, path text unique not null, hash text not null, registrationTime integer not null, deriver text, narSize integer, ultimate integer, sigs text, ca text)`
	refsTable  = `CREATE TABLE Refs (referrer integer not null, reference integer not null)`
)

// makeDatabase returns the bytes of a database made by statements.
func makeDatabase(t testing.TB, statements ...string) []byte {
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

// What Guix and Nix themselves have put into images.
func TestReadSamples(t *testing.T) {
	for _, tc := range []struct{ image, database, item, hash, references string }{
		{"guix/images/tiny-localstatedir.tar.gz", "var/guix/db/db.sqlite", "/gnu/store/4bpymp7xj89wli1jyf186frx9lxyq7bj-tiny-lib-2.1",
			"sha256:74840c04fc9fa265da51d7ba9fdf8655cb7578b2c9a7a9551deb21d7fe230272", "/gnu/store/szdbpxjpmifp9p8m03bl90kxdklrw480-tiny-data-1.0"},
		{"nix/images-mini/withdb.tar.gz", "nix/var/nix/db/db.sqlite", "/nix/store/ry9087l700hqkcyng71y4gv882nxi18i-libgreet-1.0",
			"sha256:7200017ec76491f6d82e2319072cc589cab1687ae59fd37d6823106414a9f724", "/nix/store/c74vd3v4h465mkqqz3687yavpimpygqj-words-1.0"},
	} {
		t.Run(tc.image, func(t *testing.T) {
			img, err := inspect.Open(t.Context(), filepath.Join("../../fixtures", tc.image), inspect.Options{Stores: fixtures.Stores(), Keep: func(p string) bool { return p == tc.database }})
			if err != nil {
				t.Fatal(err)
			}
			data, ok := img.Body(0, tc.database)
			if !ok {
				t.Fatal("the database was not kept")
			}
			items, err := Read(data)
			if err != nil {
				t.Fatal(err)
			}
			if len(items) != len(img.Items) {
				t.Errorf("%d rows for %d items", len(items), len(img.Items))
			}
			for _, it := range items {
				if it.Path == tc.item && (it.Hash != tc.hash || strings.Join(it.References, " ") != tc.references) {
					t.Errorf("%+v", it)
				}
			}
		})
	}
}

// The columns that only Nix has, and may leave empty.
func TestReadOrigin(t *testing.T) {
	items, err := Read(makeDatabase(t, nixTable, refsTable,
		`INSERT INTO ValidPaths VALUES (1, 'a', 'sha256:0', 1, 'a.drv', 7, 1, 'k1:AA== k2:BB==', NULL), (2, 'b', 'sha256:1', 1, NULL, NULL, NULL, NULL, NULL)`))
	if err != nil {
		t.Fatal(err)
	}
	if a := items[0]; a.Deriver != "a.drv" || strings.Join(a.Signatures, ",") != "k1:AA==,k2:BB==" {
		t.Errorf("%+v", a)
	}
	if b := items[1]; b.Deriver != "" || len(b.Signatures) > 0 || b.NarSize != -1 {
		t.Errorf("%+v", b)
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
		{"good", []string{pathsTable, refsTable, row}, ""},
		{"a trigger", []string{pathsTable, refsTable, row, `CREATE TRIGGER t BEFORE DELETE ON Refs BEGIN DELETE FROM ValidPaths; END`}, ""},
		{"no tables", []string{`CREATE TABLE x (y)`}, "there is no table ValidPaths"},
		{"one table", []string{pathsTable}, "there is no table Refs"},
		{"a view", []string{refsTable, `CREATE VIEW ValidPaths AS SELECT 1 AS id, 'p' AS path, 'h' AS hash, 1 AS narSize`}, "ValidPaths is no plain table"},
		{"a virtual table", []string{refsTable, `CREATE VIRTUAL TABLE ValidPaths USING rtree(id, path, hash)`}, "ValidPaths is no plain table"},
		{"a computed column", []string{refsTable, `CREATE TABLE ValidPaths (id integer primary key, path text, hash text AS (hex(zeroblob(1000000))), narSize integer)`}, "no plain column hash"},
		{"a computed column that may be missing", []string{refsTable, `CREATE TABLE ValidPaths (id integer primary key, path text, hash text, narSize integer, deriver text AS (hex(zeroblob(1000000))))`}, ""},
		{"a missing column", []string{pathsTable, `CREATE TABLE Refs (referrer integer)`}, "no plain column reference"},
		{"a blob for a path", []string{pathsTable, refsTable, `INSERT INTO ValidPaths VALUES (1, x'00', 'sha256:0', 7)`}, "a row does not have an id, a path, a hash and a size"},
		{"a text for a size", []string{pathsTable, refsTable, `INSERT INTO ValidPaths VALUES (1, 'p', 'sha256:0', 'x')`}, "a row does not have an id, a path, a hash and a size"},
		{"a reference to nothing", []string{pathsTable, refsTable, row, `INSERT INTO Refs VALUES (1, 2)`}, "a row does not have the ids of two store items"},
		{"a value of two megabytes", []string{pathsTable, refsTable, `INSERT INTO ValidPaths VALUES (1, hex(zeroblob(1000000)), 'sha256:0', 7)`}, "too big"},
	} {
		_, err := Read(makeDatabase(t, tc.statements...))
		if (tc.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
}

// What is not a database, or only half of one, is an error and no more.
func TestReadBrokenDatabase(t *testing.T) {
	whole := makeDatabase(t, pathsTable, refsTable)
	for _, data := range [][]byte{nil, []byte("SQLite format 3"), whole[:100], whole[:len(whole)/2], make([]byte, 8192)} {
		if _, err := Read(data); err == nil {
			t.Errorf("%d bytes: no error", len(data))
		}
	}
}

// Whatever the bytes, reading them ends in items or in an error.
func FuzzRead(f *testing.F) {
	f.Add(makeDatabase(f, pathsTable, refsTable, `INSERT INTO ValidPaths VALUES (1, 'p', 'sha256:0', 7)`, `INSERT INTO Refs VALUES (1, 1)`))
	f.Fuzz(func(t *testing.T, data []byte) {
		items, err := Read(data)
		if err != nil && items != nil {
			t.Errorf("%d items and the error %v", len(items), err)
		}
	})
}

func TestCompareRow(t *testing.T) {
	item := &inspect.StoreItem{Path: "/nix/store/lib", NarHash: v1.Hash{Algorithm: "sha256", Hex: "12"}, NarSize: 5, References: []string{"a", "b"}}
	same := Item{Path: item.Path, Hash: "sha256:12", NarSize: 5, References: []string{"a", "b"}}
	if found := same.compare(item); found != nil {
		t.Errorf("findings where all agrees: %+v", found)
	}
	sizeless := same
	sizeless.NarSize = -1
	if found := sizeless.compare(item); found != nil {
		t.Errorf("findings where a size is not recorded: %+v", found)
	}
	found := Item{Path: item.Path, Hash: "sha256:\n", NarSize: 6, References: []string{"b", "c"}}.compare(item)
	var got []string
	for _, f := range found {
		got = append(got, f.Message.String())
	}
	want := `closure/nar-hash-differs computed="sha256:12" recorded="sha256:\n"
closure/nar-size-differs bytes="5" recorded="6"
closure/references-differ absent="c" unrecorded="a"`
	if strings.Join(got, "\n") != want {
		t.Errorf("got %s", strings.Join(got, "\n"))
	}
	unread := *item
	unread.Problem = check.Say("item/layer-broken")
	if found := (Item{}).compare(&unread); found != nil {
		t.Errorf("findings about an item that could not be read: %+v", found)
	}
}

func TestCompare(t *testing.T) {
	items := []inspect.StoreItem{{Path: "a"}, {Path: "b", Problem: check.Say("item/layer-broken")}, {Path: "c"}}
	a := Item{Path: "a", Hash: items[0].NarHash.String()}
	h := Compare([]Item{a, {Path: "b"}, {Path: "d"}, a}, items, 2, "db")
	if len(h.Wrong) != 1 || h.Wrong[0].Code != "closure/database-item-twice" || h.Wrong[0].Layer != 2 || h.Wrong[0].Path != "db" {
		t.Errorf("wrong: %+v", h.Wrong)
	}
	if !slices.Equal(h.Missing, []string{"d"}) || len(h.Lacking) != 1 || h.Lacking[0].Path != "c" {
		t.Errorf("missing %q, lacking %+v", h.Missing, h.Lacking)
	}
	if h := Compare([]Item{{Path: "a", Hash: "sha256:00"}}, items[:1], 0, "db"); len(h.Wrong) != 1 || h.Wrong[0].Code != "closure/nar-hash-differs" {
		t.Errorf("another hash: %+v", h)
	}
}
