package explain

import (
	"bytes"
	"strconv"
	"strings"

	"audit/inspect/check"
)

// An arDecoder explains ar archives, as static libraries and Debian's packages
// are (ar(5) of FreeBSD 14; the long names of GNU and of BSD).
type arDecoder struct{}

const arMagic = "!<arch>\n"

func (arDecoder) decode(d *diff, was, now []byte) bool {
	a, okA := parseAr(was)
	b, okB := parseAr(now)
	if !okA || !okB {
		return false
	}
	for _, p := range d.members(arNames(a), arNames(b)) {
		d.arMember(a[p[0]], b[p[1]])
	}
	return true
}

func (d *diff) arMember(a, b arMember) {
	name := shown(a.name)
	if a.time != b.time {
		d.add(check.Say("difference/member-field", "member", name, "field", "time"), Date, secondsText(a.time), secondsText(b.time))
	}
	for _, f := range []struct{ name, was, now string }{
		{"uid", a.uid, b.uid}, {"gid", a.gid, b.gid}, {"mode", a.mode, b.mode},
	} {
		if f.was != f.now {
			d.add(check.Say("difference/member-field", "member", name, "field", f.name), Content, f.was, f.now)
		}
	}
	if a.isTable() && !bytes.Equal(a.data, b.data) {
		d.add(check.Say("difference/symbol-table", "member", name), Follows, strconv.Itoa(len(a.data))+" bytes", strconv.Itoa(len(b.data))+" bytes")
		d.tableSymbols(name, a.data, b.data)
		return
	}
	d.inside(name, a.name, a.data, b.data)
	if a.pad != b.pad {
		d.add(check.Say("difference/member-field", "member", name, "field", "padding"), Packing, a.pad, b.pad)
	}
}

// secondsText writes a time that a header has in decimal digits.
func secondsText(field string) string {
	if n, err := strconv.ParseInt(field, 10, 64); err == nil {
		return unixTime(n)
	}
	return field
}

// An arMember is a member with its header, whose fields are without the spaces
// that fill them.
type arMember struct {
	name                 string
	time, uid, gid, mode string
	data                 []byte
	pad                  string
}

// isTable says whether the member is the table of the symbols of all others,
// which a linker reads instead of them.
func (m arMember) isTable() bool {
	return m.name == "/" || m.name == "/SYM64/" || strings.HasPrefix(m.name, "__.SYMDEF")
}

// tableSymbols notes the names that only one of two tables of symbols has; the
// offsets before them follow from the sizes of the members.
func (d *diff) tableSymbols(name string, was, now []byte) {
	if x, y := symbols(was), symbols(now); !bytes.Equal(x, y) {
		d.add(check.Say("difference/symbol-names", "member", name), Content, string(x), string(y))
	}
}

// symbols returns the names in a table of symbols of the System V form.
func symbols(table []byte) []byte {
	if len(table) < 4 {
		return table
	}
	n := int64(table[0])<<24 | int64(table[1])<<16 | int64(table[2])<<8 | int64(table[3])
	if 4*n+4 > int64(len(table)) {
		return table
	}
	return table[4*n+4:]
}

func arNames(members []arMember) []string {
	names := make([]string, 0, len(members))
	for _, m := range members {
		names = append(names, m.name)
	}
	return names
}

// parseAr takes an archive apart; every byte of it is in a member.
func parseAr(data []byte) ([]arMember, bool) {
	rest, ok := bytes.CutPrefix(data, []byte(arMagic))
	var members []arMember
	var long []byte // the table of long names, of GNU
	for ok && len(rest) > 0 {
		var m arMember
		if m, rest, ok = parseArMember(rest); !ok {
			return nil, false
		}
		if m.name == "//" {
			long = m.data
		}
		m.resolve(long)
		members = append(members, m)
	}
	return members, ok
}

func parseArMember(data []byte) (m arMember, rest []byte, ok bool) {
	const header = 60
	if len(data) < header || string(data[58:header]) != "`\n" {
		return m, nil, false
	}
	field := func(from, to int) string { return strings.TrimRight(string(data[from:to]), " ") }
	m = arMember{name: field(0, 16), time: field(16, 28), uid: field(28, 34), gid: field(34, 40), mode: field(40, 48)}
	size, err := strconv.ParseUint(field(48, 58), 10, 32)
	data = data[header:]
	if err != nil || size > uint64(len(data)) {
		return m, nil, false
	}
	m.data, data = data[:size], data[size:]
	if size%2 == 1 && len(data) > 0 {
		m.pad, data = string(data[:1]), data[1:]
	}
	return m, data, true
}

// resolve finds the name of a member where it does not fit into the header.
func (m *arMember) resolve(long []byte) {
	if n, err := strconv.Atoi(strings.TrimPrefix(m.name, "#1/")); err == nil && strings.HasPrefix(m.name, "#1/") && 0 <= n && n <= len(m.data) {
		m.name, m.data = strings.TrimRight(string(m.data[:n]), "\x00"), m.data[n:]
		return
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(m.name, "/")); err == nil && strings.HasPrefix(m.name, "/") && 0 <= n && n < len(long) {
		name, _, _ := strings.Cut(string(long[n:]), "\n")
		m.name = strings.TrimSuffix(name, "/")
		return
	}
	if len(m.name) > 1 && m.name != "//" && m.name != "/SYM64/" {
		m.name = strings.TrimSuffix(m.name, "/")
	}
}
