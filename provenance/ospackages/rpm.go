package ospackages

import (
	"path"
	"slices"
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
	switch path.Base(p) {
	case rpmSqlite, rpmNdb, rpmBerkeley:
		return slices.Contains(rpmFolders(), path.Dir(p))
	}
	return false
}

// rpm reads the databases of rpm. A folder that has several, as an upgrade
// leaves them, is read through the one that rpm itself would take.
func (r *reader) rpm() {
	for _, dir := range rpmFolders() {
		for _, name := range []string{rpmSqlite, rpmNdb, rpmBerkeley} {
			data, f, ok := r.body(dir + "/" + name)
			if !ok {
				continue
			}
			var packages []Package
			var headers [][]byte
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
				r.problem(f.Path, f.Layer, "packages/database-unread", "error", err)
			}
			for _, h := range headers {
				p, err := rpmPackage(h)
				if err != nil {
					r.problem(f.Path, f.Layer, "packages/package-unread", "error", err)
					continue
				}
				if p.Name != "gpg-pubkey" { // a key, kept as if it were a package
					packages = append(packages, p)
				}
			}
			r.found(Rpm, f, packages)
			break
		}
	}
}
