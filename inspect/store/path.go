package store

import (
	"path"
	"strings"
	"unicode/utf8"
)

// Dirs are where the stores of an image lie: clean absolute paths, each of two
// or more letters after the first slash. Which they are is for the build systems
// to say that have stores.
type Dirs []string

// hashDigits are the digits of a store hash, which are those of its base 32:
// without e, o, u and t.
const hashDigits = "0123456789abcdfghijklmnpqrsvwxyz"

// hashChars is the length of a store hash: 160 bits, 5 a character.
const hashChars = 32

// ItemOf returns the store path ("/STORE/HASH-NAME") that the entry at path, of
// the form of Entry.Path, belongs to, or "" when it is not inside a store item.
func (d Dirs) ItemOf(path string) string {
	dir, base := d.split(path)
	if base == "" {
		return ""
	}
	return dir + "/" + base
}

// InItem says whether ItemOf returns an item.
func (d Dirs) InItem(path string) bool {
	_, base := d.split(path)
	return base != ""
}

func (d Dirs) split(path string) (dir, base string) {
	for _, dir := range d {
		rest, ok := strings.CutPrefix(path, dir[1:])
		if !ok || rest == "" || rest[0] != '/' {
			continue
		}
		base, _, _ := strings.Cut(rest[1:], "/")
		if IsStoreName(base) {
			return dir, base
		}
	}
	return "", ""
}

// IsStoreName says whether base has the form HASH-NAME of a store item.
func IsStoreName(base string) bool {
	if len(base) < hashChars+2 || base[hashChars] != '-' {
		return false
	}
	for i := range hashChars {
		if !isHashDigit[base[i]] {
			return false
		}
	}
	return true
}

// Has says whether a text is the path of a store item, and no more.
func (d Dirs) Has(path string) bool {
	return strings.HasPrefix(path, "/") && d.ItemOf(path[1:]) == path && utf8.ValidString(path)
}

// NameOf returns the name of a store item without its hash: "hello-2.12" of
// "/STORE/HASH-hello-2.12", "" of what is none.
func NameOf(item string) string {
	base := path.Base(item)
	if !IsStoreName(base) {
		return ""
	}
	return base[hashChars+1:]
}
