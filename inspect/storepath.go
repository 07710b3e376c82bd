package inspect

import "strings"

// storeDirs are where the store of GNU Guix and of Nix lies in an image.
var storeDirs = [...]string{"gnu/store/", "nix/store/"}

// nixBase32 is the alphabet of store hashes (Nix 2.8, libutil/hash.cc): the
// digits and letters without e, o, u and t.
const nixBase32 = "0123456789abcdfghijklmnpqrsvwxyz"

// hashChars is the length of a store hash: 160 bits, 5 a character.
const hashChars = 32

// ItemOf returns the store path ("/gnu/store/HASH-NAME") that the entry at
// path belongs to, or "" when it is not inside a store item.
func ItemOf(path string) string {
	for _, dir := range storeDirs {
		rest, ok := strings.CutPrefix(path, dir)
		if !ok {
			continue
		}
		base, _, _ := strings.Cut(rest, "/")
		if IsStoreName(base) {
			return "/" + dir + base
		}
	}
	return ""
}

// IsStoreName says whether base has the form HASH-NAME of a store item.
func IsStoreName(base string) bool {
	if len(base) < hashChars+2 || base[hashChars] != '-' {
		return false
	}
	for i := range hashChars {
		if strings.IndexByte(nixBase32, base[i]) < 0 {
			return false
		}
	}
	return true
}

// StoreMode is the mode that a store of Guix or Nix gives to an entry in it.
func StoreMode(e *Entry) int64 {
	switch {
	case e.Type == '2':
		return 0o777
	case e.Type == '5' || e.Mode&0o100 != 0:
		return 0o555
	}
	return 0o444
}
