package rpmheader

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"

	made "audit/fixtures/rpm"
)

func tiny() []byte {
	return made.Package{Name: "tiny", Version: "1", Release: "2", Arch: "x86_64", Files: []made.File{{Path: "/usr/bin/tiny", Body: "x", Mode: 0o100755}}}.Header()
}

// The region is what the header's own digest is of, and has nothing that was added when
// the package was installed.
func TestSigned(t *testing.T) {
	blob := tiny()
	whole, err := Read(blob)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Signed(blob)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(bytes.Join(r.Parts, nil))
	if got, want := hex.EncodeToString(sum[:]), whole.Text(SHA256Header); got != want {
		t.Errorf("its digest is %s, and the header says %s", got, want)
	}
	if r.Text(Name) != "tiny" || len(r.Texts(BaseNames)) != 1 || r.Shorts(FileModes)[0] != 0o100755 || r.Numbers(FileDigestAlgo)[0] != 8 {
		t.Errorf("the region is read as %+v", r.Header)
	}
	const installTime = 1008
	if !whole.Has(installTime) || r.Has(installTime) || r.Has(SHA256Header) {
		t.Error("what was added is in the region, or lost")
	}
}

// What was added to a region is not read in place of what the vendor says.
func TestOverridden(t *testing.T) {
	blob := made.Package{Name: "tiny", Version: "1", Release: "2", Arch: "x86_64", Added: map[uint32]string{Name: "openssl", Epoch: "9", Version: "99", 1006: "later"}}.Header()
	h, err := Read(blob)
	if err != nil {
		t.Fatal(err)
	}
	if got := h.Text(Name) + " " + h.Text(Version) + " " + h.Text(1006); got != "tiny 1 later" || h.Has(Epoch) {
		t.Errorf("it is read as %s, with an epoch: %v", got, h.Has(Epoch))
	}
	r, err := Signed(blob)
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint32{Name, Version, Epoch}; !slices.Equal(r.Overridden, want) {
		t.Errorf("overridden are %d, want %d", r.Overridden, want)
	}
}

// What is not as a region begins and ends has none.
func TestNoRegion(t *testing.T) {
	put := func(at int, v uint32) []byte {
		blob := tiny()
		binary.BigEndian.PutUint32(blob[at:], v)
		return blob
	}
	blob := tiny()
	index := int(binary.BigEndian.Uint32(blob))
	trailer := 8 + 16*index + int(binary.BigEndian.Uint32(blob[16:]))
	for name, blob := range map[string][]byte{
		"nothing":             nil,
		"no entries":          make([]byte, 8),
		"another first entry": put(8, 1000),
		"of another type":     put(12, 4),
		"behind the end":      put(16, 1<<31),
		"of another length":   put(20, 17),
		"another trailer":     put(trailer, 62),
		"of no entries":       put(trailer+8, 0),
		"of half an entry":    put(trailer+8, ^uint32(16*3+7)),
		"of too many":         put(trailer+8, ^uint32(16*1000-1)),
		"forwards":            put(trailer+8, 16),
		"a tag twice":         put(8+16*2, 1000),
		"cut":                 blob[:len(blob)/2],
	} {
		if r, err := Signed(blob); err == nil {
			t.Errorf("%s: %d parts", name, len(r.Parts))
		}
	}
}

// FuzzSigned: a header is read without a panic, and nothing of its region lies behind the
// bytes that are signed.
func FuzzSigned(f *testing.F) {
	f.Add(tiny())
	f.Fuzz(func(t *testing.T, blob []byte) {
		r, err := Signed(blob)
		if err != nil {
			return
		}
		if n := len(bytes.Join(r.Parts, nil)); n > len(blob)+8 || r.Size() > n {
			t.Errorf("%d bytes are signed of %d", n, len(blob))
		}
		for id := range r.tags {
			r.Texts(id)
			r.Numbers(id)
			r.Shorts(id)
			r.Binary(id)
		}
	})
}
