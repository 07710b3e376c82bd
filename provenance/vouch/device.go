package vouch

import (
	"strings"

	"audit/inspect/image"
)

// IsDevice says whether what is at a path, of a type as in [image.Entry], is one of the
// devices that every container has, by its place and its number (Linux,
// Documentation/admin-guide/devices.txt): engines mount their own over it, and it gives
// no more than those.
func IsDevice(path string, kind byte, a *image.Attributes) bool {
	type number struct{ major, minor int64 }
	known := map[string]number{"null": {1, 3}, "zero": {1, 5}, "full": {1, 7}, "random": {1, 8}, "urandom": {1, 9},
		"tty": {5, 0}, "console": {5, 1}, "ptmx": {5, 2}}
	name, inDev := strings.CutPrefix(path, "dev/")
	want, ok := known[name]
	return inDev && ok && kind == '3' && want == (number{a.Devmajor, a.Devminor})
}
