package explain

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"audit/inspect/check"
	"audit/provenance/memdb"
)

// A sqliteDecoder explains SQLite databases (sqlite.org/fileformat2.html) by
// what they hold: their schema, and the rows of all tables.
type sqliteDecoder struct{}

const sqliteMagic = "SQLite format 3\x00"

// Bounds on a database, which is hostile until shown otherwise.
const (
	maxRows     = 200_000  // of all tables
	maxDump     = 32 << 20 // bytes of all rows, in words
	maxBlob     = 64       // bytes of a value that are shown
	maxSQLValue = 16 << 20 // bytes of a value, or of one that SQLite makes
)

func (sqliteDecoder) decode(d *diff, was, now []byte) bool {
	if !bytes.HasPrefix(was, []byte(sqliteMagic)) || !bytes.HasPrefix(now, []byte(sqliteMagic)) {
		return false
	}
	a, errA := dumpSQLite(was)
	b, errB := dumpSQLite(now)
	switch {
	case errors.Is(errA, errTooLarge) || errors.Is(errB, errTooLarge):
		d.add(check.Message{}, Content, "", "")
		d.show(check.Say("difference/large-database", "limit-rows", maxRows, "limit", maxDump))
		d.show(Bytes(was, now))
	case errA != nil || errB != nil:
		return false
	case bytes.Equal(a, b):
		d.add(check.Say("difference/sqlite-pages"), Packing, sizeText(was), sizeText(now))
		d.show(Bytes(was, now))
	default:
		in := *d
		in.inner = d.way("rows")
		in.finders = append(d.finders[:len(d.finders):len(d.finders)], finder{Date, regexp.MustCompile("@(" + epoch + ")"), digits + letters + "._-", dateSight, nearTimes})
		in.lines(a, b)
	}
	return true
}

// dumpSQLite writes the schema and the rows of a database, a line each. Nothing
// of it is run (see package memdb): views and virtual tables are not asked, and
// columns that are computed are left out.
func dumpSQLite(data []byte) ([]byte, error) {
	db, err := memdb.Open(data, maxSQLValue)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	out := &sqliteDump{db: db}
	err = out.all()
	return out.text.Bytes(), err
}

type sqliteDump struct {
	db    *memdb.DB
	text  bytes.Buffer
	rows  int
	dates []bool // of the columns that are read: by its name it holds dates
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
	columns, err := s.db.Columns(name)
	if err != nil || len(columns) == 0 {
		return err
	}
	s.dates = make([]bool, len(columns))
	keys := newDateKeys()
	for i, c := range columns {
		s.dates[i] = keys.has(c)
		columns[i] = "+" + quoteSQL(c) // so that the driver makes no times or truths of numbers
	}
	return s.query(name, "SELECT "+strings.Join(columns, ", ")+" FROM "+quoteSQL(name)+" NOT INDEXED", nil)
}

func quoteSQL(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// query writes the rows of a query and hands them to take.
func (s *sqliteDump) query(label, text string, take func([]any)) error {
	return s.db.Query(label, text, maxRows+1, func(values []any) error {
		if s.rows++; s.rows > maxRows || s.text.Len() > maxDump {
			return errTooLarge
		}
		s.row(label, values)
		if take != nil {
			take(values)
		}
		return nil
	})
}

func (s *sqliteDump) row(label string, values []any) {
	s.text.WriteString(shown(label))
	for i, v := range values {
		s.text.WriteString([]string{": ", " | "}[min(i, 1)])
		if _, isInt := v.(int64); isInt && i < len(s.dates) && s.dates[i] {
			s.text.WriteByte('@') // in no other value, since texts are quoted
		}
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
		if IsPlain(v) && !strings.ContainsAny(v, "|'") {
			return "'" + v + "'"
		}
		return strconv.Quote(v)
	case []byte:
		if len(v) > maxBlob {
			return fmt.Sprintf("x'…' (%d bytes, sha256:%x)", len(v), sha256.Sum256(v))
		}
		return fmt.Sprintf("x'%x'", v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}
