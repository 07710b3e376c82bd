package explain

import (
	"path"
	"regexp"
)

// A shadowDecoder explains the passwords of a system (shadow(5)): text, in
// which each account has the day on which its password was last set. Whatever
// makes an account while an image is built leaves the day of the build there. No
// other field of an account is ever a date of the build: not its password, and not
// the day on which it expires.
type shadowDecoder struct{}

func (shadowDecoder) decode(d *diff, was, now []byte) bool {
	if name := path.Base(d.path); name != "shadow" && name != "shadow-" || !isText(was) || !isText(now) {
		return false
	}
	in := *d
	in.finders = []finder{{Date, regexp.MustCompile(`(?m)^[^:\n]+:[^:\n]*:([1-3]\d{4}):`), digits, pathSight, nil}} // from 1997 to 2079
	in.lines(was, now)
	return true
}
