package ospackages

import (
	"errors"

	"audit/provenance/memdb"
)

// maxPackages bounds the packages of one database.
const maxPackages = 1 << 17

// sqliteHeaders returns the headers in a database of SQLite (rpm 4.18,
// lib/backend/sqlite.c). No value can be larger than the database.
func sqliteHeaders(data []byte) ([][]byte, error) {
	db, err := memdb.Open(data, len(data))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := db.Check("Packages", "hnum", "blob"); err != nil {
		return nil, err
	}
	var headers [][]byte
	room := len(data)
	err = db.Query("the database of rpm", `SELECT blob FROM Packages NOT INDEXED`, maxPackages, func(values []any) error {
		blob, ok := values[0].([]byte)
		if room -= len(blob); !ok || room < 0 {
			return errors.New("a row has no header of a package")
		}
		headers = append(headers, blob)
		return nil
	})
	return headers, err
}
