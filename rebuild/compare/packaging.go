package compare

import (
	"slices"
	"strconv"
	"strings"
)

// A note is a kind of difference that many entries of a layer share.
type note struct {
	layer int // of the original
	field string
}

// seen is what is reported of a note: how often, and the first.
type seen struct {
	count    int
	path     string
	was, now string
	layer    int // of the rebuild
}

func (w *walk) note(a, b at, field, was, now string) {
	n := w.notes[note{a.layer, field}]
	if n == nil {
		n = &seen{path: a.Path, was: was, now: now, layer: b.layer}
		w.notes[note{a.layer, field}] = n
	}
	n.count++
}

func (w *walk) reportNotes() {
	for key, n := range w.notes {
		w.report(Difference{Path: n.path, Layer: key.layer, Cause: Packaging, Was: n.was, Now: n.now,
			Evidence: evidence("difference/headers", "field", key.field, "entries", n.count)}, key.layer, n.layer)
	}
}

// packaging compares how names are spelt that mean the same path.
func (w *walk) packaging(a, b at) {
	if a.Name != b.Name && kind(a.Entry) == kind(b.Entry) {
		w.note(a, b, "spelling of the name", nameText(a.Name), nameText(b.Name))
	}
	if kind(a.Entry) == hardLink && kind(b.Entry) == hardLink && a.Linkname != b.Linkname && target(a.Entry) == target(b.Entry) {
		w.note(a, b, "spelling of the link name", nameText(a.Linkname), nameText(b.Linkname))
	}
	if a.Sparse != b.Sparse {
		w.note(a, b, "sparse file", strconv.FormatBool(a.Sparse), strconv.FormatBool(b.Sparse))
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
	follows := func(f FieldDifference) bool { return followsFrom(a, b, f.Field) }
	some := slices.ContainsFunc(found, follows)
	for _, f := range found {
		switch {
		case some && (follows(f) || strings.HasPrefix(f.Field, extensionField)):
		case f.Cause == Packaging:
			w.note(a, b, f.Field, f.Was, f.Now)
		default:
			w.report(Difference{Path: a.Path, Layer: a.layer, Cause: f.Cause, Was: f.Was, Now: f.Now, Evidence: evidence(headerRecord, "field", f.Field),
				Privileged: lendsRights(a.Entry) || lendsRights(b.Entry)}, a.layer, b.layer)
		}
	}
}

// followsFrom says whether a difference in the shape of headers follows from a
// field of the entries that differs, since one value needs a record and the
// other does not.
func followsFrom(a, b at, field string) bool {
	name, _, _ := strings.Cut(field, " field")
	if key, ok := strings.CutPrefix(field, recordField); ok {
		name = key
	} else if key, ok := strings.CutPrefix(field, extensionField); ok {
		flag, part, _ := strings.Cut(key, ": ")
		name = map[string]string{"L": "path", "K": "linkpath"}[flag]
		if name == "" {
			name = part
		}
	}
	switch name {
	case "path", "name", "name prefix":
		return a.Name != b.Name
	case "linkpath", "link name":
		return a.Linkname != b.Linkname
	case "size":
		return a.Size != b.Size
	case "uid":
		return a.Attr().UID != b.Attr().UID
	case "gid":
		return a.Attr().GID != b.Attr().GID
	case "uname", "user name":
		return a.Attr().Uname != b.Attr().Uname
	case "gname", "group name":
		return a.Attr().Gname != b.Attr().Gname
	case "mtime":
		return !sameTime(a.Entry, b.Entry)
	case "mode":
		return a.Mode != b.Mode
	}
	if attr, ok := xattrName(name); ok {
		was, inA := a.Attr().Xattrs[attr]
		now, inB := b.Attr().Xattrs[attr]
		return was != now || inA != inB
	}
	return false
}

// maxDiffs bounds the pairs of shapes whose differences are remembered.
const maxDiffs = 1 << 12

// differences compares two shapes field by field.
func (n *shapeNames) differences(x, y shapeID) []FieldDifference {
	pair := [2]shapeID{x, y}
	found, ok := n.diffs[pair]
	if !ok {
		found = shapeDifferences(n.texts[x], n.texts[y])
		if len(n.diffs) < maxDiffs {
			n.diffs[pair] = found
		}
	}
	return found
}

func shapeDifferences(was, now string) []FieldDifference {
	fields, x, y := shapeFields(was, now)
	var found []FieldDifference
	for _, f := range fields {
		if !slices.Equal(x[f], y[f]) && !isPartOfWhole(f, x, y) {
			found = append(found, FieldDifference{Field: f, Was: valuesText(x[f]), Now: valuesText(y[f]), Cause: headerCause(f, x[f], y[f])})
		}
	}
	if len(found) == 0 {
		found = append(found, FieldDifference{Field: "order of records", Was: order(was), Now: order(now), Cause: Packaging})
	}
	return found
}

// isPartOfWhole says whether a field is of an extended header that only one of
// two shapes has: its name alone is reported.
func isPartOfWhole(field string, x, y map[string][]string) bool {
	header, _, ok := strings.Cut(field, ": ")
	name := header + ": name"
	return ok && strings.HasPrefix(field, extensionField) && field != name && (x[name] == nil || y[name] == nil)
}

func lines(shape string) []string { return strings.Split(strings.TrimSuffix(shape, "\n"), "\n") }

// order lists the fields of a shape as they come.
func order(shape string) string {
	var fields []string
	for _, line := range lines(shape) {
		field, _, _ := strings.Cut(line, "\t")
		fields = append(fields, field)
	}
	return strings.Join(fields, ", ")
}

// shapeFields returns the fields of two shapes, each once, in their order, and
// what each shape says of them.
func shapeFields(was, now string) (fields []string, x, y map[string][]string) {
	x, y = make(map[string][]string), make(map[string][]string)
	for i, shape := range []string{was, now} {
		for _, line := range lines(shape) {
			field, what, _ := strings.Cut(line, "\t")
			if x[field] == nil && y[field] == nil {
				fields = append(fields, field)
			}
			values := []map[string][]string{x, y}[i]
			values[field] = append(values[field], what)
		}
	}
	return fields, x, y
}

// addsNothing says whether records are none, or one with the value of the entry's field.
func addsNothing(values []string) bool {
	return len(values) == 0 || len(values) == 1 && values[0] == entrysOwn
}

// valuesText is what a difference shows of the values of a field.
func valuesText(values []string) string {
	return strings.ReplaceAll(strings.Join(values, ", "), entrysOwn, "the entry's")
}

// headerCause says why a field of the headers differs that is none of an
// [inspect.Entry]. Records that are not known may hold what a container sees,
// as access control lists and file flags do: they count as attributes.
func headerCause(field string, was, now []string) Cause {
	switch field {
	case accessTimeField, changeTimeField:
		return Timestamp
	}
	key, ok := strings.CutPrefix(field, recordField)
	if !ok || addsNothing(was) && addsNothing(now) {
		return Packaging
	}
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
