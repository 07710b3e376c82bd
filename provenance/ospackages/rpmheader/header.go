// Package rpmheader reads headers, which are what rpm knows of a package: in a file and
// in the database of an installed system (rpm 4.18, lib/header.c).
//
// A header is two numbers, an index of tags, and the values that it points into, all
// big-endian. The database adds to it what rpm found when it installed: the signatures
// that the file had before its header, times, states. [Signed] gives what the vendor
// made and nothing else.
package rpmheader

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Tags (rpm 4.18 and 6.0, include/rpm/rpmtag.h).
const (
	Immutable      = 63  // the region that is signed
	SHA1Header     = 269 // digests of the region, in hexadecimal
	SHA256Header   = 273
	DSAHeader      = 267 // signatures of the region, by DSA
	RSAHeader      = 268 // and by any other algorithm
	OpenPGP        = 278 // several, in base 64 (rpm 4.20)
	PubKeys        = 266 // of a key: in base 64
	LegacyGPG      = 262 // signatures of header and payload
	LegacyPGP      = 259
	Name           = 1000
	Version        = 1001
	Release        = 1002
	Epoch          = 1003
	Description    = 1005
	License        = 1014
	Arch           = 1022
	PreIn          = 1023 // scripts
	PostIn         = 1024
	PreUn          = 1025
	PostUn         = 1026
	FileSizes      = 1028
	FileModes      = 1030
	FileRdevs      = 1033
	FileDigests    = 1035
	FileLinkTos    = 1036
	FileFlags      = 1037
	FileUserName   = 1039
	FileGroupName  = 1040
	SourceRPM      = 1044
	FileVerify     = 1045
	TriggerScripts = 1065
	DirIndexes     = 1116
	BaseNames      = 1117
	DirNames       = 1118
	PreTrans       = 1151
	PostTrans      = 1152
	FileCaps       = 5010
	FileDigestAlgo = 5011
	FileTriggers   = 5066
	TransTriggers  = 5076
)

// Types of a tag's value (rpm 4.18, include/rpm/rpmtypes.h).
const (
	typeInt16       = 3
	typeInt32       = 4
	typeString      = 6
	typeBinary      = 7
	typeStringArray = 8
	typeI18NString  = 9
)

// Of a file (include/rpm/rpmfiles.h).
const (
	ConfigFlag = 1  // RPMFILE_CONFIG
	DocFlag    = 2  // RPMFILE_DOC
	GhostFlag  = 64 // RPMFILE_GHOST: it is not in the package
)

// What rpm verifies of a file (include/rpm/rpmvf.h).
const (
	VerifyDigest = 1
	VerifyLink   = 4
	VerifyUser   = 8
	VerifyGroup  = 16
	VerifyMode   = 64
	VerifyRdev   = 128
	VerifyCaps   = 256
)

// A Header is an index of tags and their values.
type Header struct {
	tags map[uint32]tag
	data []byte
}

type tag struct{ kind, offset, count uint32 }

const (
	// Intro is how many bytes the two numbers have.
	Intro      = 8
	indexEntry = 16
	maxTags    = 1 << 16
)

// vendorTags are those by which a package is called, with its files and its scripts:
// what a vendor says, and no installation.
func vendorTags() []uint32 {
	return []uint32{
		Name, Version, Release, Epoch, License, Arch, SourceRPM,
		PreIn, PostIn, PreUn, PostUn, PreTrans, PostTrans, TriggerScripts, FileTriggers, TransTriggers,
		FileSizes, FileModes, FileRdevs, FileDigests, FileLinkTos, FileFlags, FileUserName, FileGroupName, FileVerify,
		DirIndexes, BaseNames, DirNames, FileCaps, FileDigestAlgo,
	}
}

// Read reads a header as a database has it, with all that was added to it. Where it has
// a region, what a package is called, its files and its scripts are those of the region
// alone: what was added to these is in [Region.Overridden].
func Read(blob []byte) (Header, error) {
	index, data, err := split(blob)
	if err != nil {
		return Header{}, err
	}
	h := read(index, data)
	if r, err := Signed(blob); err == nil {
		for _, id := range r.Overridden {
			delete(h.tags, id)
			if t, ok := r.tags[id]; ok {
				h.tags[id] = t
			}
		}
	}
	return h, nil
}

// split returns the index and the values.
func split(blob []byte) (index, data []byte, err error) {
	if len(blob) < Intro {
		return nil, nil, errors.New("its header ends early")
	}
	count, size := uint64(binary.BigEndian.Uint32(blob)), uint64(binary.BigEndian.Uint32(blob[4:]))
	if count > maxTags || Intro+count*indexEntry+size > uint64(len(blob)) {
		return nil, nil, fmt.Errorf("its header of %d bytes is too short for %d tags and %d bytes of values", len(blob), count, size)
	}
	index, rest := blob[Intro:][:count*indexEntry], blob[Intro+count*indexEntry:]
	return index, rest[:size], nil
}

func read(index, data []byte) Header {
	h := Header{tags: make(map[uint32]tag, len(index)/indexEntry), data: data}
	for ; len(index) >= indexEntry; index = index[indexEntry:] {
		h.tags[binary.BigEndian.Uint32(index)] = entry(index)
	}
	return h
}

func entry(e []byte) tag {
	return tag{binary.BigEndian.Uint32(e[4:]), binary.BigEndian.Uint32(e[8:]), binary.BigEndian.Uint32(e[12:])}
}

// A Region is the part of a header that its vendor made.
type Region struct {
	Header
	// Parts are, one after the other, the bytes that are hashed and signed.
	Parts [][]byte
	// Overridden are tags of what vendors alone say that entries behind the region have
	// too, which rpm takes before those of the region.
	Overridden []uint32
}

// magic begins a header in a file, and what is signed of it.
var magic = [8]byte{0x8e, 0xad, 0xe8, 0x01}

// Signed returns the region of a header that is signed, and nothing that was added when
// it was installed. Its index entry is the first of all and leads to a trailer behind
// the region's values, which says how many entries the region has: 16 bytes for each,
// as a negative number (rpm 4.18, lib/header.c, hdrblobVerifyRegion).
func Signed(blob []byte) (Region, error) {
	index, data, err := split(blob)
	if err != nil {
		return Region{}, err
	}
	if len(index) == 0 || binary.BigEndian.Uint32(index) != Immutable {
		return Region{}, errors.New("its header has no region that could be signed")
	}
	first := entry(index)
	end := uint64(first.offset) + indexEntry
	if first.kind != typeBinary || first.count != indexEntry || end > uint64(len(data)) {
		return Region{}, errors.New("the region of its header is not as one begins")
	}
	trailer := entry(data[first.offset:])
	size := uint64(-int64(int32(trailer.offset)))
	if t := binary.BigEndian.Uint32(data[first.offset:]); t != Immutable || trailer.kind != typeBinary || trailer.count != indexEntry ||
		size == 0 || size%indexEntry != 0 || size > uint64(len(index)) {
		return Region{}, errors.New("the region of its header is not as one ends")
	}
	r := Region{Header: read(index[:size], data[:first.offset])}
	if len(r.tags) != int(size/indexEntry) {
		return Region{}, errors.New("the region of its header has a tag twice")
	}
	intro := make([]byte, len(magic)+Intro)
	copy(intro, magic[:])
	binary.BigEndian.PutUint32(intro[8:], uint32(size/indexEntry))
	binary.BigEndian.PutUint32(intro[12:], uint32(end))
	r.Parts = [][]byte{intro, index[:size], data[:end]}
	added := read(index[size:], data)
	for _, id := range vendorTags() {
		if added.Has(id) {
			r.Overridden = append(r.Overridden, id)
		}
	}
	return r, nil
}

// at returns the bytes from where the values of a tag begin.
func (h Header) at(t tag) []byte {
	if uint64(t.offset) > uint64(len(h.data)) {
		return nil
	}
	return h.data[t.offset:]
}

// Size is how many bytes the values have together.
func (h Header) Size() int { return len(h.data) }

// Has says whether there is such a tag.
func (h Header) Has(id uint32) bool {
	_, ok := h.tags[id]
	return ok
}

// Texts returns the strings of a tag, as many as there are.
func (h Header) Texts(id uint32) []string {
	t, ok := h.tags[id]
	if !ok || t.kind != typeString && t.kind != typeStringArray && t.kind != typeI18NString {
		return nil
	}
	var all []string
	rest := h.at(t)
	for range t.count {
		text, after, ok := bytes.Cut(rest, []byte{0})
		if !ok {
			break
		}
		all, rest = append(all, string(text)), after
	}
	return all
}

// Text returns the first string of a tag, "" where there is none.
func (h Header) Text(id uint32) string {
	t, ok := h.tags[id]
	if !ok || t.count == 0 || t.kind != typeString && t.kind != typeStringArray && t.kind != typeI18NString {
		return ""
	}
	text, _, _ := bytes.Cut(h.at(t), []byte{0})
	return string(text)
}

// Numbers returns the 32-bit numbers of a tag, as many as there are.
func (h Header) Numbers(id uint32) []uint32 {
	t, ok := h.tags[id]
	if !ok || t.kind != typeInt32 {
		return nil
	}
	var all []uint32
	for rest := h.at(t); len(rest) >= 4 && len(all) < int(t.count); rest = rest[4:] {
		all = append(all, binary.BigEndian.Uint32(rest))
	}
	return all
}

// Shorts returns the 16-bit numbers of a tag, as many as there are.
func (h Header) Shorts(id uint32) []uint16 {
	t, ok := h.tags[id]
	if !ok || t.kind != typeInt16 {
		return nil
	}
	var all []uint16
	for rest := h.at(t); len(rest) >= 2 && len(all) < int(t.count); rest = rest[2:] {
		all = append(all, binary.BigEndian.Uint16(rest))
	}
	return all
}

// Binary returns the bytes of a tag, nil when they are not there in full.
func (h Header) Binary(id uint32) []byte {
	t, ok := h.tags[id]
	if rest := h.at(t); ok && t.kind == typeBinary && uint64(t.count) <= uint64(len(rest)) {
		return rest[:t.count]
	}
	return nil
}
