// Package memdb reads SQLite databases that lie in an image.
//
// A database is hostile until shown otherwise. It is read from memory, in a
// file system that has no other file, so that no journal is replayed; its
// schema is not trusted; only tables proper are asked, in queries that name
// their columns; rows, values and time are bounded.
package memdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"modernc.org/sqlite"
	"modernc.org/sqlite/vfs"

	"audit/inspect"
)

// maxTime bounds how long one database may take.
const maxTime = time.Minute

// A DB is an open database.
type DB struct {
	ctx   context.Context
	conn  *sql.Conn
	close []func() error // what was opened, in that order
}

// Open opens the database in data, none of whose values may have more than
// maxValue bytes. It must be closed.
func Open(data []byte, maxValue int) (*DB, error) {
	d := new(DB)
	err := d.open(data, maxValue)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *DB) open(data []byte, maxValue int) error {
	var cancel context.CancelFunc
	d.ctx, cancel = context.WithTimeout(context.Background(), maxTime)
	d.close = append(d.close, func() error { cancel(); return nil })
	name, fsys, err := vfs.New(oneFile(data))
	if err != nil {
		return err
	}
	d.opened(fsys)
	db, err := sql.Open("sqlite", "file:db.sqlite?immutable=1&mode=ro&vfs="+name+
		"&_pragma=trusted_schema(0)&_pragma=query_only(1)&_pragma=cell_size_check(1)&_pragma=temp_store(2)")
	if err != nil {
		return err
	}
	d.opened(db)
	if d.conn, err = db.Conn(d.ctx); err != nil {
		return err
	}
	d.opened(d.conn)
	const limitLength = 0 // SQLITE_LIMIT_LENGTH
	_, err = sqlite.Limit(d.conn, limitLength, maxValue)
	return err
}

func (d *DB) opened(c io.Closer) { d.close = append(d.close, c.Close) }

// Close closes the database.
func (d *DB) Close() (err error) {
	for i := len(d.close) - 1; i >= 0; i-- {
		err = errors.Join(err, d.close[i]())
	}
	d.close = nil
	return err
}

// IsMalformed says whether err is that of bytes which are no database, or none
// that is whole (SQLite 3.50, "Result and Error Codes": SQLITE_CORRUPT and
// SQLITE_NOTADB), as opposed to one that is too large or has other tables.
func IsMalformed(err error) bool {
	const primary, corrupt, notADatabase = 0xff, 11, 26
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Code()&primary == corrupt || e.Code()&primary == notADatabase
}

// Check makes sure that table is a plain table: no view, no virtual table, and
// with columns that are stored and not computed.
func (d *DB) Check(table string, columns ...string) error {
	var kind, text string
	err := d.conn.QueryRowContext(d.ctx, `SELECT type, sql FROM sqlite_master WHERE name = ?`, table).Scan(&kind, &text)
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
		if !d.Has(table, column) {
			return fmt.Errorf("the table %s has no plain column %s", table, column)
		}
	}
	return nil
}

// Has says whether a table has a column that is stored and not computed.
func (d *DB) Has(table, column string) bool {
	var hidden int
	err := d.conn.QueryRowContext(d.ctx, `SELECT hidden FROM pragma_table_xinfo(?) WHERE name = ?`, table, column).Scan(&hidden)
	return err == nil && hidden == 0
}

// Columns returns the columns of a table that are stored and not computed, in
// their order.
func (d *DB) Columns(table string) ([]string, error) {
	rows, err := d.conn.QueryContext(d.ctx, `SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0`, table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// Query hands each row to take, up to limit rows; more are a
// [*inspect.LimitError], which names the database as where. Values are int64,
// float64, string, []byte and nil.
func (d *DB) Query(where, text string, limit int, take func([]any) error) error {
	rows, err := d.conn.QueryContext(d.ctx, text)
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
			return &inspect.LimitError{Name: "rows", Limit: int64(limit), Where: where}
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
