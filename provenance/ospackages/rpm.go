package ospackages

import (
	"fmt"
	"path"

	"audit/inspect"
	"audit/inspect/paths"
)

// Folders in which rpm keeps its database, by era and distribution.
func rpmFolders() []string {
	return []string{"var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"}
}

// Names of the database, by backend.
const (
	rpmSqlite   = "rpmdb.sqlite"
	rpmNdb      = "Packages.db"
	rpmBerkeley = "Packages"
)

func isRpm(p string) bool {
	switch dir, base := paths.Split(p); base {
	case rpmSqlite, rpmNdb, rpmBerkeley:
		return path.Base(dir) == "rpm" // wherever a link may lead there from
	}
	return false
}

// RpmUnread is the code of the problem that a database of rpm cannot be read, or not in full.
const RpmUnread = "packages/database-unread"

// KeyPackage is the name under which rpm keeps keys, as if they were packages.
const KeyPackage = "gpg-pubkey"

// A Header is what a database of rpm has of a package or a key: see package rpmheader.
type Header struct {
	Bytes []byte // not to be changed
	Path  string // of the database
	Layer int
}

// rpm reads the databases of rpm. A folder that has several, as an upgrade
// leaves them, is read through the one that rpm itself would take; one that is a
// link to another is no second one.
func (r *reader) rpm() {
	for _, dir := range rpmFolders() {
		for _, name := range []string{rpmSqlite, rpmNdb, rpmBerkeley} {
			data, f, ok := r.body(dir + "/" + name)
			if !ok {
				continue
			}
			if !r.isSeen(f) {
				r.rpmDatabase(name, data, f)
				r.rpmLog(f)
			}
			break
		}
	}
}

// rpmLog reports a log beside a database that rpm would read before it: SQLite merges it
// when the database is closed ("Write-Ahead Logging").
func (r *reader) rpmLog(f inspect.File) {
	if log, ok := r.root.Lookup(f.Path + "-wal"); ok && log.Inode.Size > 0 {
		r.problem(log.Path, log.Layer, "packages/unmerged-log")
	}
}

func (r *reader) rpmDatabase(name string, data []byte, f inspect.File) {
	headers, packages, errs := rpmPackages(name, data)
	for _, h := range headers {
		r.in.Headers = append(r.in.Headers, Header{Bytes: h, Path: f.Path, Layer: f.Layer})
	}
	for _, err := range errs {
		r.problem(f.Path, f.Layer, RpmUnread, "error", err)
	}
	r.found(Rpm, f, packages)
	r.recordDatabase(f, packages, func(data []byte) []Package {
		_, packages, _ := rpmPackages(name, data)
		return packages
	})
}

// rpmPackages reads a database of the backend that its name says: the headers, and what
// those of packages say. The errors say what in it cannot be read.
func rpmPackages(name string, data []byte) (headers [][]byte, packages []Package, errs []error) {
	var err error
	switch name {
	case rpmSqlite:
		headers, err = sqliteHeaders(data)
	case rpmNdb:
		headers, err = ndbHeaders(data)
	case rpmBerkeley:
		headers, err = berkeleyHeaders(data)
	}
	if err != nil {
		errs = append(errs, err)
	}
	for _, h := range headers {
		p, err := rpmPackage(h)
		if err != nil {
			errs = append(errs, fmt.Errorf("reading a package: %w", err))
			continue
		}
		if p.Name != KeyPackage {
			packages = append(packages, p)
		}
	}
	return headers, packages, errs
}
