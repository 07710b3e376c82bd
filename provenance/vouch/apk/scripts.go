package apk

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/inspect/limit"
	"audit/provenance/ospackages"
	"audit/provenance/vouch"
)

// maxScripts bounds the bytes of the scripts that apk keeps, unpacked.
const maxScripts = 64 << 20

// addScripts takes the scripts of a verified package, by the names that apk gives them.
func (j *judge) addScripts(all content) {
	for name, sum := range all.scripts {
		j.scripts[name] = sum
	}
	j.verified[all.stem] = all.pkg
}

// keptScripts compares the scripts that apk keeps, since it runs them when it changes or
// removes a package, with those of signed control parts. All of them being so, the file is
// made from these.
func (j *judge) keptScripts() {
	seen := make(map[string]bool) // by several names, through links
	for _, at := range ospackages.ApkScripts {
		text, f, ok := j.root.Content(at)
		if !ok || f.Inode.Type != '0' || seen[f.Path] {
			continue
		}
		seen[f.Path] = true
		by, changed, err := j.compareScripts(text)
		switch {
		case err != nil:
			j.list.Append(check.Find(check.Undecided, f.Layer, f.Path, "signatures/apk-unread", "error", check.Brief(err.Error())))
		case changed != "":
			j.list.Append(check.Find(check.Problem, f.Layer, f.Path, "signatures/apk-script-changed", "package", by.name, "script", check.Brief(changed)))
			j.table.Contradict(f.Path, "apk "+by.name)
		case by != nil && j.isPlain(f):
			j.table.Vouch(f.Path, vouch.Word{Kind: vouch.Made, By: "apk control parts", Keys: []string{by.key.Fingerprint}, Rule: "apk-scripts"})
		}
	}
}

// isPlain says whether a file is root's, and no other's to write.
func (j *judge) isPlain(f inspect.File) bool {
	a := f.Inode.Header.Attr()
	return (j.owners.IsFlat() || a.UID == 0 && a.GID == 0) && f.Inode.Header.Mode&0o7777&^0o755 == 0 && len(a.Xattrs) == 0
}

// compareScripts returns the first script that is another than the package has it, with
// that package. It returns one of the packages where all are as they were signed, and none
// where one is of a package that is not verified.
func (j *judge) compareScripts(text []byte) (by *pkg, changed string, err error) {
	plain := io.Reader(bytes.NewReader(text))
	if z, err := gzip.NewReader(bytes.NewReader(text)); err == nil {
		plain = z
	}
	bounded := &io.LimitedReader{R: plain, N: maxScripts + 1}
	foreign := false
	for r := tar.NewReader(bounded); ; {
		h, err := r.Next()
		switch {
		case bounded.N == 0:
			return nil, "", &limit.Error{Name: "bytes of scripts", Limit: maxScripts, Where: "apk's database"}
		case errors.Is(err, io.EOF) && foreign:
			return nil, "", nil
		case errors.Is(err, io.EOF):
			return by, "", nil
		case err != nil:
			return nil, "", fmt.Errorf("reading the scripts of packages: %w", err)
		}
		at := strings.LastIndexByte(h.Name, '.')
		of := j.verified[h.Name[:max(at, 0)]]
		if of == nil {
			foreign = true
			continue
		}
		meter := digest.NewMeter(r)
		if _, err := io.Copy(io.Discard, meter); err != nil {
			return nil, "", fmt.Errorf("reading the scripts of packages: %w", err)
		}
		if want, ok := j.scripts[h.Name]; !ok || want != meter.Sum() || h.Typeflag != tar.TypeReg {
			return of, h.Name[at+1:], nil
		}
		by = of
	}
}
