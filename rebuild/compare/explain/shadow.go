package explain

import (
	"path"
	"regexp"
)

// A shadowDecoder explains the passwords of a system (shadow(5)): text, in
// which each account has the day on which its password was last set. Whatever
// makes an account while an image is built leaves the day of the build there.
type shadowDecoder struct{}

func (shadowDecoder) decode(d *diff, was, now []byte) bool {
	if name := path.Base(d.path); name != "shadow" && name != "shadow-" || !isText(was) || !isText(now) {
		return false
	}
	in := *d
	in.finders = append(d.finders[:len(d.finders):len(d.finders)],
		finder{Date, regexp.MustCompile(`(?m)^[^:\n]+:[^:\n]*:(\d{1,6}):`), digits, pathSight})
	in.lines(was, now)
	return true
}
