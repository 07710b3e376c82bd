package explain

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"audit/inspect/check"
)

// A bytesDecoder explains any content: dates and paths where nothing else
// differs, else where it parts and what is there.
type bytesDecoder struct{}

func (bytesDecoder) decode(d *diff, was, now []byte) bool {
	first, all := d.align(was, now, byteAt)
	if all {
		return true
	}
	if d.inner != "" {
		d.add(byteAt(first.was), Content, hexAt(was, first.was), hexAt(now, first.now))
	} else {
		d.add(check.Message{}, Content, "", "")
	}
	d.show(bytesAt(was, now, first))
	return true
}

// Bytes says how two byte strings differ, and shows what is at the first place
// where they do.
func Bytes(was, now []byte) check.Message {
	at := FirstDifference(was, now)
	return bytesAt(was, now, parting{at, at})
}

// bytesAt is Bytes that shows another place, the first that nothing explains.
func bytesAt(was, now []byte, at parting) check.Message {
	first := FirstDifference(was, now)
	args := []any{"was-size", len(was), "now-size", len(now), "offset", first, "was-window", Window(was, at.was), "now-window", Window(now, at.now)}
	if n, last := countDifferent(was, now); n > 0 {
		args = append(args, "last", last, "differ", n, "common", min(len(was), len(now)))
	}
	if at.was != first {
		args = append(args, "unexplained", at.was)
	}
	return check.Say("difference/bytes", args...)
}

func sizeText(data []byte) string { return fmt.Sprintf("%d bytes", len(data)) }

// countDifferent counts the differing bytes of the common length, and returns
// the index of the last.
func countDifferent(was, now []byte) (n, last int) {
	for i := range min(len(was), len(now)) {
		if was[i] != now[i] {
			n, last = n+1, i
		}
	}
	return n, last
}

// FirstDifference returns the first index at which two byte strings differ, -1
// when they are the same.
func FirstDifference(a, b []byte) int {
	n := common(a, b)
	if n == len(a) && n == len(b) {
		return -1
	}
	return n
}

// Window shows some bytes around an index in hexadecimal and as text.
func Window(data []byte, at int) string {
	const before, after = 8, 16
	if at >= len(data) {
		return fmt.Sprintf("the end, at byte %d", len(data))
	}
	from, to := max(0, at-before), min(len(data), at+after)
	return fmt.Sprintf("% x  %q", data[from:to], data[from:to])
}

// hexAt shows a few bytes from an index on in hexadecimal, "" at the end.
func hexAt(data []byte, at int) string {
	const most = 8
	at = min(at, len(data))
	return fmt.Sprintf("% x", data[at:min(len(data), at+most)])
}

// IsPlain says whether a text is UTF-8 of characters that can all be printed.
func IsPlain(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) < 0
}
