package ospackages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"strconv"

	"audit/inspect/paths"
)

// Tags of a header (rpm 4.18, include/rpm/rpmtag.h).
const (
	tagName           = 1000
	tagVersion        = 1001
	tagRelease        = 1002
	tagEpoch          = 1003
	tagLicense        = 1014
	tagArch           = 1022
	tagFileModes      = 1030
	tagFileDigests    = 1035
	tagFileFlags      = 1037
	tagFileVerify     = 1045
	tagSourceRPM      = 1044
	tagDirIndexes     = 1116
	tagBaseNames      = 1117
	tagDirNames       = 1118
	tagFileDigestAlgo = 5011
)

// Types of a tag's value (rpm 4.18, include/rpm/rpmtypes.h).
const (
	typeInt16       = 3
	typeInt32       = 4
	typeString      = 6
	typeStringArray = 8
	typeI18NString  = 9
)

// Of a file (include/rpm/rpmfiles.h, include/rpm/rpmvf.h).
const (
	configFlag   = 1  // RPMFILE_CONFIG
	ghostFlag    = 64 // RPMFILE_GHOST: it is not in the package
	verifyDigest = 1  // RPMVERIFY_FILEDIGEST
)

// digestAlgorithm is that of the file digests of a header (RFC 4880, 9.4); MD5
// where none is named.
func (h header) digestAlgorithm() string {
	number := uint32(1)
	if all := h.numbers(tagFileDigestAlgo); len(all) > 0 {
		number = all[0]
	}
	return map[uint32]string{1: "md5", 2: "sha1", 8: "sha256"}[number]
}

// A header is what rpm knows of a package: two numbers, the index of tags, and
// the values that it points into, all big-endian (rpm 4.18, lib/header.c).
type header struct {
	tags map[uint32]tag
	data []byte
}

type tag struct{ kind, offset, count uint32 }

const (
	headerIntro = 8
	indexEntry  = 16
	maxTags     = 1 << 16
)

func readHeader(blob []byte) (header, error) {
	h := header{tags: make(map[uint32]tag)}
	if len(blob) < headerIntro {
		return h, errors.New("its header ends early")
	}
	count, size := uint64(binary.BigEndian.Uint32(blob)), uint64(binary.BigEndian.Uint32(blob[4:]))
	if count > maxTags || headerIntro+count*indexEntry+size > uint64(len(blob)) {
		return h, fmt.Errorf("its header of %d bytes is too short for %d tags and %d bytes of values", len(blob), count, size)
	}
	index := blob[headerIntro:]
	h.data = index[count*indexEntry:][:size]
	for i := range count {
		e := index[i*indexEntry:]
		h.tags[binary.BigEndian.Uint32(e)] = tag{binary.BigEndian.Uint32(e[4:]), binary.BigEndian.Uint32(e[8:]), binary.BigEndian.Uint32(e[12:])}
	}
	return h, nil
}

// at returns the bytes from where the values of a tag begin.
func (h header) at(t tag) []byte {
	if uint64(t.offset) > uint64(len(h.data)) {
		return nil
	}
	return h.data[t.offset:]
}

// texts returns the strings of a tag, as many as there are.
func (h header) texts(id uint32) []string {
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

func (h header) text(id uint32) string {
	if all := h.texts(id); len(all) > 0 {
		return all[0]
	}
	return ""
}

// numbers returns the 32-bit numbers of a tag, as many as there are.
func (h header) numbers(id uint32) []uint32 {
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

// shorts returns the 16-bit numbers of a tag, as many as there are.
func (h header) shorts(id uint32) []uint16 {
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

// rpmPackage reads the header of a package.
func rpmPackage(blob []byte) (Package, error) {
	h, err := readHeader(blob)
	if err != nil {
		return Package{}, err
	}
	p := Package{Name: h.text(tagName), Version: h.text(tagVersion), Arch: h.text(tagArch), Source: h.text(tagSourceRPM), License: h.text(tagLicense)}
	if p.Name == "" {
		return p, errors.New("it has no name")
	}
	if release := h.text(tagRelease); release != "" {
		p.Version += "-" + release
	}
	if epoch := h.numbers(tagEpoch); len(epoch) > 0 {
		p.Version = strconv.FormatUint(uint64(epoch[0]), 10) + ":" + p.Version
	}
	p.Files = h.files()
	return p, nil
}

// files puts the parallel lists of a header together.
func (h header) files() []File {
	names, dirs, of := h.texts(tagBaseNames), h.texts(tagDirNames), h.numbers(tagDirIndexes)
	digests, flags, verify := h.texts(tagFileDigests), h.numbers(tagFileFlags), h.numbers(tagFileVerify)
	algorithm, modes := h.digestAlgorithm(), h.shorts(tagFileModes)
	var files []File
	room := namesOf(len(h.data))
	for i, name := range names {
		if i >= len(of) || int64(of[i]) >= int64(len(dirs)) {
			break
		}
		if room -= len(dirs[of[i]]) + len(name); room < 0 {
			break
		}
		f := File{Path: paths.Clean(path.Join(dirs[of[i]], name)), Config: flag(flags, i)&configFlag != 0}
		if i < len(digests) && flag(flags, i)&ghostFlag == 0 {
			f.Digest = newDigest(algorithm, digests[i])
		}
		if i < len(modes) {
			f.Mode = int64(modes[i] & 0o7777)
		}
		f.Made = i < len(verify) && verify[i]&verifyDigest == 0
		files = append(files, f)
	}
	return files
}

// flag returns the flags of a file, 0 where the list is too short.
func flag(flags []uint32, i int) uint32 {
	if i < len(flags) {
		return flags[i]
	}
	return 0
}
