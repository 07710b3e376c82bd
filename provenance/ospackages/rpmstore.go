package ospackages

import (
	"encoding/binary"
	"errors"
	"fmt"

	"audit/provenance/ospackages/rpmheader"
)

// ndbHeaders returns the headers in a database of rpm's own format: pages of
// slots, each of which leads to a blob (rpm 4.18, lib/backend/ndb/rpmpkg.c).
// All numbers are little-endian.
func ndbHeaders(data []byte) ([][]byte, error) {
	const (
		page, slot, blobHead = 4096, 16, 16
		magic                = "RpmP"
	)
	if len(data) < 2*slot || string(data[:4]) != magic {
		return nil, errors.New("it is no database of rpm's format ndb")
	}
	if version := binary.LittleEndian.Uint32(data[4:]); version != 0 {
		return nil, fmt.Errorf("it is of version %d of the format ndb, and only 0 is known", version)
	}
	slots := uint64(binary.LittleEndian.Uint32(data[12:])) * page
	if slots < 2*slot || slots > uint64(len(data)) {
		return nil, errors.New("it does not have the slots that it claims")
	}
	var headers [][]byte
	room := len(data)            // an honest one has no byte twice
	head := data[2*slot : slots] // the first two are the database's header
	for ; len(head) >= slot; head = head[slot:] {
		number, at := binary.LittleEndian.Uint32(head[4:]), uint64(binary.LittleEndian.Uint32(head[8:]))*blobHead
		if string(head[:4]) != "Slot" || number == 0 {
			continue
		}
		if at+blobHead > uint64(len(data)) {
			return headers, errors.New("a package lies behind its end")
		}
		blob := data[at:]
		size := uint64(binary.LittleEndian.Uint32(blob[12:]))
		if string(blob[:4]) != "BlbS" || binary.LittleEndian.Uint32(blob[4:]) != number || blobHead+size > uint64(len(blob)) {
			return headers, errors.New("a package is not where its slot says")
		}
		if room -= int(size); room < 0 {
			return headers, errOverlap
		}
		headers = append(headers, blob[blobHead:blobHead+size])
	}
	return headers, nil
}

var errOverlap = errors.New("its packages are larger than it is")

// Of the pages of a hash database (Berkeley DB 5.3, src/dbinc/db_page.h).
const (
	pageHead     = 26
	pageUnsorted = 2 // hash pages as written before 4.6
	pageOverflow = 7
	pageMeta     = 8
	pageHash     = 13

	itemInline  = 1 // a key or value on the page itself
	itemOffPage = 3 // one on overflow pages
)

// A berkeley is a hash database of Berkeley DB, in the byte order of the
// machine that wrote it.
type berkeley struct {
	data  []byte
	size  int // of a page
	order binary.ByteOrder
	room  int // bytes that values may still have together
}

// berkeleyHeaders returns the headers in a hash database: the values, of which
// the keys are numbers of packages. The number 0 has a count.
func berkeleyHeaders(data []byte) ([][]byte, error) {
	b, err := newBerkeley(data)
	if err != nil {
		return nil, err
	}
	var headers [][]byte
	for n := range len(data) / b.size {
		page := b.page(uint32(n))
		if kind := page[25]; kind != pageHash && kind != pageUnsorted {
			continue
		}
		values, err := b.values(page)
		if err != nil {
			return headers, err
		}
		headers = append(headers, values...)
	}
	return headers, nil
}

func newBerkeley(data []byte) (*berkeley, error) {
	const hashMagic = 0x061561
	b := &berkeley{data: data, order: binary.LittleEndian, room: len(data)}
	if len(data) < 512 {
		return nil, errors.New("it is too short for a hash database of Berkeley DB")
	}
	if binary.BigEndian.Uint32(data[12:]) == hashMagic {
		b.order = binary.BigEndian
	}
	b.size = int(b.order.Uint32(data[20:]))
	if b.order.Uint32(data[12:]) != hashMagic || data[25] != pageMeta {
		return nil, errors.New("it is no hash database of Berkeley DB")
	}
	if b.size < 512 || b.size > 64<<10 || b.size&(b.size-1) != 0 {
		return nil, fmt.Errorf("it says that its pages have %d bytes", b.size)
	}
	if data[24] != 0 {
		return nil, errors.New("it is encrypted")
	}
	return b, nil
}

// page returns page n, nil when the database has fewer.
func (b *berkeley) page(n uint32) []byte {
	at := int64(n) * int64(b.size)
	if at+int64(b.size) > int64(len(b.data)) {
		return nil
	}
	return b.data[at : at+int64(b.size)]
}

// values returns the values on a hash page. Keys and values take turns in its
// list of offsets; each item ends where the one before it begins.
func (b *berkeley) values(page []byte) ([][]byte, error) {
	count := int(b.order.Uint16(page[20:]))
	if pageHead+2*count > len(page) {
		return nil, errors.New("a page lists more than fits into it")
	}
	var all [][]byte
	end := len(page)
	for i := range count {
		start := int(b.order.Uint16(page[pageHead+2*i:]))
		if start >= end {
			return nil, errors.New("the items of a page lie over each other")
		}
		item := page[start:end]
		end = start
		if i%2 == 0 {
			continue
		}
		value, err := b.value(item)
		if err != nil {
			return nil, err
		}
		if value != nil {
			all = append(all, value)
		}
	}
	return all, nil
}

// value returns what an item has; nil when it is too short for a header.
func (b *berkeley) value(item []byte) ([]byte, error) {
	switch {
	case item[0] == itemInline && len(item) > rpmheader.Intro:
		return item[1:], nil
	case item[0] == itemOffPage && len(item) >= 12:
		return b.chain(b.order.Uint32(item[4:]), b.order.Uint32(item[8:]))
	}
	return nil, nil
}

// chain reads a value of so many bytes from the overflow pages that begin with
// page n.
func (b *berkeley) chain(n, size uint32) ([]byte, error) {
	if int64(size) > int64(b.room) {
		return nil, errOverlap
	}
	b.room -= int(size)
	value := make([]byte, 0, size)
	for len(value) < int(size) {
		page := b.page(n)
		if page == nil || page[25] != pageOverflow {
			return nil, errors.New("a value leads to a page that is none of a value")
		}
		used := min(int(b.order.Uint16(page[22:])), len(page)-pageHead)
		if used == 0 {
			return nil, errors.New("a page of a value is empty")
		}
		value = append(value, page[pageHead:pageHead+used]...)
		n = b.order.Uint32(page[16:])
	}
	return value[:size], nil
}
