package guix

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"modernc.org/sqlite"
	"modernc.org/sqlite/vfs"

	"audit/inspect"
)

// A validPath is a row of the table ValidPaths with those of Refs (Guix 1.5,
// guix/store/schema.sql): what the store that the image was packed from knew
// of a store item.
type validPath struct {
	path       string
	hash       string // "sha256:HEX" of its NAR
	narSize    int64  // -1 when it is not recorded
	references []string
}

// Limits of a database, which is hostile until shown otherwise.
const (
	maxPaths      = 1 << 20
	maxReferences = 8 << 20
	maxValue      = 1 << 20 // bytes of one value
	databaseTime  = time.Minute
)

// database holds the image's store database, when it has one, against its store
// items. It is the one place of an image that tells what the NAR hashes were
// when the image was packed.
func (c *closureCheck) database() {
	f, ok := c.file(databasePath)
	if !ok || f.Type != '0' {
		return
	}
	data, ok := c.img.Body(f.Layer, f.Path)
	if !ok {
		c.doubt("database-unread", f.Layer, f.Path, "the image was opened without keeping the store's database")
		return
	}
	rows, err := readDatabase(data)
	if err != nil {
		c.doubt("database-unread", f.Layer, f.Path, "the store's database cannot be read: %s", quote(err.Error()))
		return
	}
	known := make(map[string]bool, len(rows))
	for _, row := range rows {
		if known[row.path] {
			c.fail("database-item-twice", f.Layer, f.Path, "the store's database lists %s twice", quote(row.path))
		}
		known[row.path] = true
		c.databaseRow(f.Layer, row)
	}
	for i := range c.img.Items {
		if item := &c.img.Items[i]; !known[item.Path] {
			c.fail("database-lacks-item", item.Layer, item.Path, "the store's database does not list it")
		}
	}
	c.rows = len(rows)
}

// databaseRow compares what a row says of a store item with the item itself.
func (c *closureCheck) databaseRow(layer int, row validPath) {
	item := c.items[row.path]
	if item == nil {
		c.fail("database-item-missing", layer, databasePath, "the store's database lists %s, which is not in the image", quote(row.path))
		return
	}
	if item.Problem != "" {
		return
	}
	if hash := item.NarHash.String(); row.hash != hash {
		c.fail("nar-hash-differs", item.Layer, item.Path, "its NAR hash is %s, and the store's database says %s", hash, quote(row.hash))
	}
	if row.narSize >= 0 && row.narSize != item.NarSize {
		c.fail("nar-size-differs", item.Layer, item.Path, "its NAR has %d bytes, and the store's database says %d", item.NarSize, row.narSize)
	}
	if extra, missing := difference(item.References, row.references), difference(row.references, item.References); len(extra)+len(missing) > 0 {
		c.fail("references-differ", item.Layer, item.Path, "beyond what the store's database says it refers to [%s], and not to [%s]", strings.Join(extra, " "), strings.Join(missing, " "))
	}
}

// difference returns what is in a and not in b; both are sorted.
func difference(a, b []string) []string {
	var only []string
	for _, s := range a {
		if _, there := slices.BinarySearch(b, s); !there {
			only = append(only, s)
		}
	}
	return only
}

// readDatabase reads a store database from memory. Nothing of it is run: its
// schema is not trusted, and only tables proper are asked, in two queries that
// name their columns.
func readDatabase(data []byte) (rows []validPath, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), databaseTime)
	defer cancel()
	name, fsys, err := vfs.New(oneFile(data))
	if err != nil {
		return nil, err
	}
	defer fsys.Close()
	db, err := sql.Open("sqlite", "file:db.sqlite?immutable=1&mode=ro&vfs="+name+
		"&_pragma=trusted_schema(0)&_pragma=query_only(1)&_pragma=cell_size_check(1)&_pragma=temp_store(2)")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	const limitLength = 0 // SQLITE_LIMIT_LENGTH
	if _, err := sqlite.Limit(conn, limitLength, maxValue); err != nil {
		return nil, err
	}
	return readTables(ctx, conn)
}

func readTables(ctx context.Context, conn *sql.Conn) ([]validPath, error) {
	if err := checkTable(ctx, conn, "ValidPaths", "id", "path", "hash", "narSize"); err != nil {
		return nil, err
	}
	if err := checkTable(ctx, conn, "Refs", "referrer", "reference"); err != nil {
		return nil, err
	}
	rows, byID, err := readPaths(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("reading the table ValidPaths: %w", err)
	}
	if err := readReferences(ctx, conn, rows, byID); err != nil {
		return nil, fmt.Errorf("reading the table Refs: %w", err)
	}
	return rows, nil
}

// checkTable makes sure that table is a plain table: no view, no virtual table,
// and with columns that are stored and not computed.
func checkTable(ctx context.Context, conn *sql.Conn, table string, columns ...string) error {
	var kind, text string
	err := conn.QueryRowContext(ctx, `SELECT type, sql FROM sqlite_master WHERE name = ?`, table).Scan(&kind, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("there is no table %s", table)
	}
	if err != nil {
		return err
	}
	if kind != "table" || !strings.HasPrefix(text, "CREATE TABLE ") {
		return fmt.Errorf("%s is no plain table", table)
	}
	for _, column := range columns {
		var hidden int
		err := conn.QueryRowContext(ctx, `SELECT hidden FROM pragma_table_xinfo(?) WHERE name = ?`, table, column).Scan(&hidden)
		if err != nil || hidden != 0 {
			return fmt.Errorf("the table %s has no plain column %s", table, column)
		}
	}
	return nil
}

func readPaths(ctx context.Context, conn *sql.Conn) (rows []validPath, byID map[int64]int, err error) {
	byID = make(map[int64]int)
	err = query(ctx, conn, `SELECT id, path, hash, narSize FROM ValidPaths NOT INDEXED`, maxPaths, func(values []any) error {
		id, ok1 := values[0].(int64)
		path, ok2 := values[1].(string)
		hash, ok3 := values[2].(string)
		size, ok4 := values[3].(int64)
		if values[3] == nil {
			size, ok4 = -1, true
		}
		if !ok1 || !ok2 || !ok3 || !ok4 {
			return errors.New("a row does not hold an id, a path, a hash and a size")
		}
		byID[id] = len(rows)
		rows = append(rows, validPath{path: path, hash: hash, narSize: size})
		return nil
	})
	return rows, byID, err
}

func readReferences(ctx context.Context, conn *sql.Conn, rows []validPath, byID map[int64]int) error {
	err := query(ctx, conn, `SELECT referrer, reference FROM Refs NOT INDEXED`, maxReferences, func(values []any) error {
		from, ok1 := values[0].(int64)
		to, ok2 := values[1].(int64)
		i, ok3 := byID[from]
		j, ok4 := byID[to]
		if !ok1 || !ok2 || !ok3 || !ok4 {
			return errors.New("a row does not hold the ids of two store items")
		}
		rows[i].references = append(rows[i].references, rows[j].path)
		return nil
	})
	for i := range rows {
		slices.Sort(rows[i].references)
	}
	return err
}

// query hands each row to take, up to limit rows.
func query(ctx context.Context, conn *sql.Conn, text string, limit int, take func([]any) error) error {
	rows, err := conn.QueryContext(ctx, text)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for n := 0; rows.Next(); n++ {
		if n == limit {
			return &inspect.LimitError{Name: "rows", Limit: int64(limit), Where: databasePath}
		}
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		if err := take(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// oneFile is a file system with one file in memory, whatever its name ends
// with: journals and the like do not exist in it.
type oneFile []byte

func (f oneFile) Open(name string) (fs.File, error) {
	if name != "db.sqlite" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &openFile{Reader: bytes.NewReader(f), size: int64(len(f))}, nil
}

type openFile struct {
	*bytes.Reader
	size int64
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *openFile) Close() error               { return nil }

// An openFile describes itself.
func (f *openFile) Name() string       { return "db.sqlite" }
func (f *openFile) Size() int64        { return f.size }
func (f *openFile) Mode() fs.FileMode  { return 0o444 }
func (f *openFile) ModTime() time.Time { return time.Time{} }
func (f *openFile) IsDir() bool        { return false }
func (f *openFile) Sys() any           { return nil }
