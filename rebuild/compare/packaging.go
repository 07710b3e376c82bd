package compare

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A note is a kind of difference that many entries of a layer share.
type note struct {
	layer int // of the original
	field headerField
}

// seen is what is reported of a note: how often, and the first.
type seen struct {
	count    int
	path     string
	was, now Value
	layer    int // of the rebuild
}

func (w *walk) note(a, b at, field headerField, was, now Value) {
	n := w.notes[note{a.layer, field}]
	if n == nil {
		n = &seen{path: a.Path, was: was, now: now, layer: b.layer}
		w.notes[note{a.layer, field}] = n
	}
	n.count++
}

func compareNotes(x, y note) int {
	return cmp.Or(cmp.Compare(x.layer, y.layer), strings.Compare(x.field.String(), y.field.String()))
}

func (w *walk) reportNotes() {
	for _, key := range slices.SortedFunc(maps.Keys(w.notes), compareNotes) {
		n := w.notes[key]
		w.report(Difference{Path: n.path, Layer: key.layer, Cause: Packaging, Was: n.was, Now: n.now,
			Evidence: evidence("difference/headers", "field", key.field, "entries", n.count)}, key.layer, n.layer)
	}
}

// packaging compares how names are spelt that mean the same path.
func (w *walk) packaging(a, b at) {
	if a.Name() != b.Name() && kind(a.Entry) == kind(b.Entry) {
		w.note(a, b, headerField{name: nameSpelling}, Text(nameText(a.Name())), Text(nameText(b.Name())))
	}
	if kind(a.Entry) == hardLink && kind(b.Entry) == hardLink && a.Linkname != b.Linkname && target(a.Entry) == target(b.Entry) {
		w.note(a, b, headerField{name: linkSpelling}, Text(nameText(a.Linkname)), Text(nameText(b.Linkname)))
	}
	if a.Sparse != b.Sparse {
		w.note(a, b, headerField{name: sparseFile}, Text(strconv.FormatBool(a.Sparse)), Text(strconv.FormatBool(b.Sparse)))
	}
}

func (s *side) shape(r ref) shapeID { return s.shapes[r.layer][r.index] }

// headerRecord is the code of a field of the headers that no entry has.
const headerRecord = "difference/header-record"

// framing compares the shapes of the headers of two entries. Between entries
// of two kinds they differ of necessity.
func (w *walk) framing(a, b at, x, y shapeID) {
	if x == y || x == 0 || y == 0 || kind(a.Entry) != kind(b.Entry) {
		return
	}
	found := w.names.differences(x, y)
	follows := func(d headerDifference) bool { return followsFrom(a, b, d.field) }
	some := slices.ContainsFunc(found, follows)
	for _, d := range found {
		switch {
		case some && (follows(d) || d.field.isExtension()):
		case d.cause == Packaging:
			w.note(a, b, d.field, d.was, d.now)
		default:
			w.report(Difference{Path: a.Path, Layer: a.layer, Cause: d.cause, Was: d.was, Now: d.now, Evidence: evidence(headerRecord, "field", d.field),
				Privileged: lendsRights(a.Entry) || lendsRights(b.Entry)}, a.layer, b.layer)
		}
	}
}

// isExtension says whether a field is of the form of an extended header, and no
// record in it.
func (f headerField) isExtension() bool { return f.extended != 0 && f.name != paxRecord }

// followsFrom says whether a difference in the shape of headers follows from a
// field of the entries that differs, since one value needs a record and the
// other does not.
func followsFrom(a, b at, field headerField) bool {
	name := field.name
	switch {
	case field.extended == 'L':
		name = namePattern
	case field.extended == 'K':
		name = linkField
	case name == paxRecord && field.extended == 0:
		if attr, ok := xattrName(field.key); ok {
			return !sameXattr(a, b, attr)
		}
		name = map[string]fieldName{"path": namePattern, "linkpath": linkField, "size": sizeField, "uid": uidField, "gid": gidField,
			"uname": userField, "gname": groupField, "mtime": mtimeField}[field.key]
	case name == nameField && field.extended == 0:
		name = namePattern
	}
	switch name {
	case namePattern, prefixField:
		return a.Name() != b.Name()
	case linkField:
		return a.Linkname != b.Linkname
	case sizeField:
		return a.Size != b.Size
	case uidField:
		return a.Attr().UID != b.Attr().UID
	case gidField:
		return a.Attr().GID != b.Attr().GID
	case userField:
		return a.Attr().Uname != b.Attr().Uname
	case groupField:
		return a.Attr().Gname != b.Attr().Gname
	case mtimeField:
		return !sameTime(a.Entry, b.Entry)
	case modeField:
		return a.Mode != b.Mode
	}
	return false
}

// maxDiffs bounds the pairs of shapes whose differences are remembered.
const maxDiffs = 1 << 12

// A headerDifference is a field of the headers that two shapes have otherwise.
type headerDifference struct {
	field    headerField
	was, now Value
	cause    Cause
}

// differences compares two shapes field by field.
func (n *shapeNames) differences(x, y shapeID) []headerDifference {
	pair := [2]shapeID{x, y}
	found, ok := n.diffs[pair]
	if !ok {
		found = shapeDifferences(peculiarities(n.shapes[x]), peculiarities(n.shapes[y]))
		if len(n.diffs) < maxDiffs {
			n.diffs[pair] = found
		}
	}
	return found
}

func shapeDifferences(was, now []peculiarity) []headerDifference {
	x, y := byField(was), byField(now)
	var found []headerDifference
	seen := make(map[headerField]bool)
	for _, p := range slices.Concat(was, now) {
		f := p.headerField
		if seen[f] {
			continue
		}
		seen[f] = true
		if !slices.Equal(x[f], y[f]) && !isPartOfWhole(f, x, y) {
			found = append(found, headerDifference{f, x[f].value(), y[f].value(), headerCause(f, x[f], y[f])})
		}
	}
	if len(found) == 0 {
		found = append(found, headerDifference{headerField{name: recordOrder}, order(was), order(now), Packaging})
	}
	return found
}

func byField(shape []peculiarity) map[headerField]headerValues {
	values := make(map[headerField]headerValues)
	for _, p := range shape {
		values[p.headerField] = append(values[p.headerField], p.headerValue)
	}
	return values
}

// isPartOfWhole says whether a field is of an extended header that only one of
// two shapes has: its name alone is reported.
func isPartOfWhole(f headerField, x, y map[headerField]headerValues) bool {
	name := headerField{extended: f.extended, name: namePattern}
	return f.isExtension() && f != name && (x[name] == nil || y[name] == nil)
}

// order lists the fields of a shape as they come.
func order(shape []peculiarity) Value {
	var fields []string
	for _, p := range shape {
		fields = append(fields, p.headerField.String())
	}
	return Text(strings.Join(fields, ", "))
}

// addsNothing says whether records are none, or one with the value of the entry's field.
func addsNothing(values headerValues) bool {
	return len(values) == 0 || len(values) == 1 && values[0].kind == ofEntry
}

// headerCause says why a field of the headers differs that is none of an
// [inspect.Entry]. Records that are not known may hold what a container sees,
// as access control lists and file flags do: they count as attributes.
func headerCause(field headerField, was, now headerValues) Cause {
	switch field.name {
	case accessTime, changeTime:
		return Timestamp
	case paxRecord:
		if field.extended == 0 && !(addsNothing(was) && addsNothing(now)) {
			return recordCause(field.key)
		}
	}
	return Packaging
}

func recordCause(key string) Cause {
	switch key {
	case "atime", "ctime", "mtime", "LIBARCHIVE.creationtime":
		return Timestamp
	case "path", "linkpath", "size", "uid", "gid", "uname", "gname", "comment", "charset", "hdrcharset",
		"SCHILY.dev", "SCHILY.ino", "SCHILY.nlink", "SCHILY.realsize", "SCHILY.devmajor", "SCHILY.devminor":
		return Packaging
	}
	if strings.HasPrefix(key, "GNU.sparse.") {
		return Packaging
	}
	return Xattr
}
