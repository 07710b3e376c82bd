package explain

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
	"modernc.org/sqlite/vfs"
)

// A sqliteDecoder explains SQLite databases (sqlite.org/fileformat2.html) by
// what they hold: their schema, and the rows of all tables.
type sqliteDecoder struct{}

const sqliteMagic = "SQLite format 3\x00"

// Bounds on a database, which is hostile until shown otherwise.
const (
	maxRows      = 200_000          // of all tables
	maxDump      = 32 << 20         // bytes of all rows, in words
	maxBlob      = 64               // bytes of a value that are shown
	maxSQLValue  = 16 << 20         // bytes of a value, or of one that SQLite makes
	databaseTime = 30 * time.Second // a database that makes SQLite take longer is broken on purpose
)

func (sqliteDecoder) decode(d *diff, was, now []byte) bool {
	if !bytes.HasPrefix(was, []byte(sqliteMagic)) || !bytes.HasPrefix(now, []byte(sqliteMagic)) {
		return false
	}
	a, errA := dumpSQLite(was)
	b, errB := dumpSQLite(now)
	switch {
	case errors.Is(errA, errTooLarge) || errors.Is(errB, errTooLarge):
		d.add("", Content, "", "")
		d.text(fmt.Sprintf("a database of more than %d rows or %d bytes, not looked into: %s", maxRows, maxDump, Bytes(was, now)))
	case errA != nil || errB != nil:
		return false
	case bytes.Equal(a, b):
		d.add("SQLite pages", Packing, fmt.Sprintf("%d bytes", len(was)), fmt.Sprintf("%d bytes", len(now)))
		d.text("the same schema and rows, laid out in another way: " + Bytes(was, now))
	default:
		in := *d
		in.where = d.at("rows") + ": "
		in.lines(a, b)
	}
	return true
}

// dumpSQLite writes the schema and the rows of a database, a line each. Nothing
// of it is run: its schema is not trusted, views and virtual tables are not
// asked, and columns that are computed are left out.
func dumpSQLite(data []byte) ([]byte, error) {
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
	if _, err := sqlite.Limit(conn, limitLength, maxSQLValue); err != nil {
		return nil, err
	}
	out := &sqliteDump{ctx: ctx, conn: conn}
	err = out.all()
	return out.text.Bytes(), err
}

type sqliteDump struct {
	ctx  context.Context
	conn *sql.Conn
	text bytes.Buffer
	rows int
}

func (s *sqliteDump) all() error {
	for _, pragma := range []string{"user_version", "application_id", "encoding"} {
		if err := s.query("pragma "+pragma, "PRAGMA "+pragma, nil); err != nil {
			return err
		}
	}
	var tables []string
	err := s.query("schema", `SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name, sql`, func(row []any) {
		kind, _ := row[0].(string)
		name, _ := row[1].(string)
		text, _ := row[3].(string)
		if kind == "table" && strings.HasPrefix(strings.ToUpper(text), "CREATE TABLE") {
			tables = append(tables, name)
		}
	})
	for _, table := range tables {
		if err == nil {
			err = s.table(table)
		}
	}
	return err
}

// table writes the rows of a table, in the order of their keys.
func (s *sqliteDump) table(name string) error {
	columns, err := s.columns(name)
	if err != nil || len(columns) == 0 {
		return err
	}
	return s.query(name, "SELECT "+strings.Join(columns, ", ")+" FROM "+quoteSQL(name)+" NOT INDEXED", nil)
}

// columns returns the columns of a table that are stored, quoted.
func (s *sqliteDump) columns(table string) ([]string, error) {
	var names []string
	rows, err := s.conn.QueryContext(s.ctx, `SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0`, table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, "+"+quoteSQL(name)) // so that the driver makes no times or truths of numbers
	}
	return names, rows.Err()
}

func quoteSQL(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// query writes the rows of a query and hands them to take.
func (s *sqliteDump) query(label, text string, take func([]any)) error {
	rows, err := s.conn.QueryContext(s.ctx, text)
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
	for rows.Next() {
		if s.rows++; s.rows > maxRows || s.text.Len() > maxDump {
			return errTooLarge
		}
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		s.row(label, values)
		if take != nil {
			take(values)
		}
	}
	return rows.Err()
}

func (s *sqliteDump) row(label string, values []any) {
	s.text.WriteString(shown(label))
	for i, v := range values {
		s.text.WriteString([]string{": ", " | "}[min(i, 1)])
		s.text.WriteString(valueText(v))
	}
	s.text.WriteByte('\n')
}

// valueText writes a value so that no two are written alike.
func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		if isPlain(v) && !strings.ContainsAny(v, "|'") {
			return "'" + v + "'"
		}
		return strconv.Quote(v)
	case []byte:
		if len(v) > maxBlob {
			return fmt.Sprintf("a blob of %d bytes, sha256:%x", len(v), sha256.Sum256(v))
		}
		return fmt.Sprintf("x'%x'", v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
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
