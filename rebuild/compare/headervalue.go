package compare

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"audit/inspect/check"
)

// A headerField names something in the headers of an entry.
type headerField struct {
	extended byte // type flag of the extended header that it is of; 0 for the entry's own, and its records
	name     fieldName
	key      string // of a record
}

// A fieldName names a field of a header, or a part of the headers of an entry.
type fieldName string

// The fields of a header (POSIX.1-2017 pax, ustar; GNU tar 1.35, tar.h).
const (
	tarFormat     fieldName = "tar format" // magic and version
	nameField     fieldName = "name field"
	prefixField   fieldName = "name prefix field"
	modeField     fieldName = "mode field"
	uidField      fieldName = "uid field"
	gidField      fieldName = "gid field"
	sizeField     fieldName = "size field"
	mtimeField    fieldName = "mtime field"
	checksumField fieldName = "checksum field"
	typeFlag      fieldName = "type flag"
	linkField     fieldName = "link name field"
	userField     fieldName = "user name field"
	groupField    fieldName = "group name field"
	majorField    fieldName = "device major field"
	minorField    fieldName = "device minor field"
	accessTime    fieldName = "access time field" // of GNU tar, as the next two
	changeTime    fieldName = "change time field"
	gnuFields     fieldName = "GNU fields"
	headerEnd     fieldName = "end of the header"
)

// What extended headers have beside fields.
const (
	namePattern   fieldName = "name" // as a pattern, which entries share
	longName      fieldName = "text"
	paxRecord     fieldName = "PAX record"
	brokenRecords fieldName = "records" // which cannot be parsed
	extendedPad   fieldName = "padding"
)

// What is about the headers of an entry as a whole, or about its names.
const (
	paddingBefore fieldName = "padding before the header"
	sparseMap     fieldName = "map of the sparse file"
	allHeaders    fieldName = "headers" // which are too large to be compared by field
	recordOrder   fieldName = "order of records"
	nameSpelling  fieldName = "spelling of the name"
	linkSpelling  fieldName = "spelling of the link name"
	sparseFile    fieldName = "sparse file"
)

// String is the name of the field, such as "PAX record mtime" or "extended header
// L: mode field".
func (f headerField) String() string {
	switch {
	case f.name == paxRecord && f.extended != 0:
		return "global PAX record " + nameText(f.key)
	case f.name == paxRecord:
		return "PAX record " + nameText(f.key)
	case f.extended != 0:
		return fmt.Sprintf("extended header %c: %s", f.extended, f.name)
	}
	return string(f.name)
}

// A headerValue is what is peculiar of a field.
type headerValue struct {
	kind valueKind
	own  bool   // of a number: it is that of the entry
	n    int    // bytes, for the kinds that count them
	text string // raw bytes, or what follows the digits of a number
}

// A valueKind is how a field of a header is written.
type valueKind byte

// The kinds; zero is that of a number in no known form.
const (
	rawBytes    valueKind = iota + 1
	recordText            // the value of a record
	formatName            // of a tar format
	ofEntry               // a record with the value that the entry's field has
	endsInNUL             // the entry's text and a NUL
	splitName             // its first n bytes are in the prefix
	cutText               // the first n bytes of the entry's text
	digested              // n bytes with the digest text; n is 0 when it is not known
	zeroPadded            // octal, then text
	spacePadded           // octal, then text
	unpadded
	base256
	emptyNumber
)

// Message says how the field is written.
func (v headerValue) Message() check.Message {
	if v.own {
		form := v
		form.own = false
		return check.Say("value/entry-number", "form", form.Message())
	}
	switch v.kind {
	case recordText:
		return Text(valueText(v.text)).Message()
	case formatName:
		return Text(v.text).Message()
	case ofEntry:
		return check.Say("value/of-entry")
	case endsInNUL:
		return check.Say("value/ends-in-nul")
	case splitName:
		return check.Say("value/split-name", "bytes", v.n)
	case cutText:
		return check.Say("value/cut-text", "bytes", v.n)
	case digested:
		return check.Say("value/digested", "bytes", v.n, "digest", v.text)
	case zeroPadded:
		return check.Say("value/octal-zero-padded", "tail", strconv.Quote(v.text))
	case spacePadded:
		return check.Say("value/octal-space-padded", "tail", strconv.Quote(v.text))
	case unpadded:
		return check.Say("value/octal-unpadded")
	case base256:
		return check.Say("value/base-256")
	case emptyNumber:
		return check.Say("value/number-empty")
	}
	return Text(strconv.Quote(v.text)).Message()
}

// headerValues are the values of a field that headers may have several times.
type headerValues []headerValue

// maxHeaderValues bounds the values of one field that a difference shows.
const maxHeaderValues = 20

// value is nil where there are none.
func (list headerValues) value() Value {
	if len(list) == 0 {
		return nil
	}
	return list
}

// Message lists the values.
func (list headerValues) Message() check.Message {
	last := min(len(list), maxHeaderValues) - 1
	m := list[last].Message()
	if more := len(list) - 1 - last; more > 0 {
		m = check.Say("value/list", "first", m, "rest", check.Say("value/more", "values", more))
	}
	for i := last - 1; i >= 0; i-- {
		m = check.Say("value/list", "first", list[i].Message(), "rest", m)
	}
	return m
}

// A peculiarity is a field of the headers of an entry and how it is written.
type peculiarity struct {
	headerField
	headerValue
}

// appendTo adds the peculiarity to a shape, so that no two are written alike.
func (p peculiarity) appendTo(shape []byte) []byte {
	shape = append(shape, p.extended, byte(p.kind), map[bool]byte{true: 1}[p.own])
	shape = binary.AppendUvarint(shape, uint64(p.n))
	for _, text := range []string{string(p.name), p.key, p.text} {
		shape = binary.AppendUvarint(shape, uint64(len(text)))
		shape = append(shape, text...)
	}
	return shape
}

// peculiarities reads what appendTo has written.
func peculiarities(shape string) (all []peculiarity) {
	rest := []byte(shape)
	number := func() int {
		n, size := binary.Uvarint(rest)
		rest = rest[size:]
		return int(n)
	}
	text := func() string {
		n := number()
		s := string(rest[:n])
		rest = rest[n:]
		return s
	}
	for len(rest) > 0 {
		p := peculiarity{headerField{extended: rest[0]}, headerValue{kind: valueKind(rest[1]), own: rest[2] == 1}}
		rest = rest[3:]
		p.n, p.name, p.key, p.text = number(), fieldName(text()), text(), text()
		all = append(all, p)
	}
	return all
}
