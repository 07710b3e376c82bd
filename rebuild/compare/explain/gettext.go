package explain

import (
	"encoding/binary"
	"strings"

	"audit/inspect/check"
)

// A gettextDecoder explains message catalogues (the GNU gettext manual, "The
// Format of GNU MO Files"): the fields of their header, of which
// POT-Creation-Date is the one that changes most, and their translations.
// Those in the form of text (.po) are text.
type gettextDecoder struct{}

// A message is a text and its translation.
type message struct{ id, text string }

func (gettextDecoder) decode(d *diff, was, now []byte) bool {
	a, okA := parseMO(was)
	b, okB := parseMO(now)
	if !okA || !okB {
		return false
	}
	noted := d.out.total()
	for _, p := range d.members(messageIDs(a), messageIDs(b)) {
		d.message(a[p[0]], b[p[1]])
	}
	if d.out.total() == noted {
		d.add(check.Say("difference/gettext-tables"), Packing, sizeText(was), sizeText(now))
	}
	return true
}

func messageIDs(all []message) []string {
	ids := make([]string, 0, len(all))
	for _, m := range all {
		ids = append(ids, m.id)
	}
	return ids
}

func (d *diff) message(a, b message) {
	if a.id != "" {
		d.value(check.Say("difference/translation", "message", shown(a.id)), a.text, b.text)
		return
	}
	x, y := strings.Split(a.text, "\n"), strings.Split(b.text, "\n")
	keys := func(lines []string) (all []string) {
		for _, line := range lines {
			key, _, _ := strings.Cut(line, ":")
			all = append(all, key)
		}
		return all
	}
	for _, p := range d.members(keys(x), keys(y)) {
		key, was, _ := strings.Cut(x[p[0]], ":")
		_, now, _ := strings.Cut(y[p[1]], ":")
		d.value(check.Say("difference/gettext-header", "field", shown(key)), strings.TrimSpace(was), strings.TrimSpace(now))
	}
}

// parseMO returns the messages of a catalogue, sorted as they are in it.
func parseMO(data []byte) ([]message, bool) {
	const header = 28
	if len(data) < header {
		return nil, false
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(data[:4]) {
	case "\xde\x12\x04\x95":
	case "\x95\x04\x12\xde":
		order = binary.BigEndian
	default:
		return nil, false
	}
	n := order.Uint32(data[8:])
	if uint64(n)*16 > uint64(len(data)) {
		return nil, false
	}
	ids, okIDs := moStrings(data, order, order.Uint32(data[12:]), n)
	texts, okTexts := moStrings(data, order, order.Uint32(data[16:]), n)
	if !okIDs || !okTexts {
		return nil, false
	}
	all := make([]message, n)
	for i := range all {
		all[i] = message{ids[i], texts[i]}
	}
	return all, true
}

// moStrings reads a table of n strings at an offset.
func moStrings(data []byte, order binary.ByteOrder, at, n uint32) ([]string, bool) {
	if uint64(at)+8*uint64(n) > uint64(len(data)) {
		return nil, false
	}
	list, left := make([]string, 0, n), len(data)
	for i := range n {
		size, from := uint64(order.Uint32(data[at+8*i:])), uint64(order.Uint32(data[at+8*i+4:]))
		if from+size > uint64(len(data)) || int(size) > left {
			return nil, false
		}
		left -= int(size) // strings that overlap would make more of them than there are bytes
		list = append(list, string(data[from:from+size]))
	}
	return list, true
}
