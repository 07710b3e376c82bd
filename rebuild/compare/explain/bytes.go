package explain

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A bytesDecoder explains any content: dates and paths where nothing else
// differs, else where it parts and what is there.
type bytesDecoder struct{}

func (bytesDecoder) decode(d *diff, was, now []byte) bool {
	if !d.tokens(was, now, byteAt) {
		d.add("", Content, "", "")
		d.text(Bytes(was, now))
	}
	return true
}

// Bytes says in a line how two byte strings differ, and shows in two more what
// is at the first place where they do.
func Bytes(was, now []byte) string {
	at := FirstDifference(was, now)
	if at < 0 {
		return "the same bytes"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d bytes, now %d; the first difference is at byte %d", len(was), len(now), at)
	if n, end := countDifferent(was, now); n > 0 {
		fmt.Fprintf(&b, ", the last at byte %d, %s of %d in common differ", end, counted(n, "byte", "bytes"), min(len(was), len(now)))
	}
	fmt.Fprintf(&b, "\n- %s\n+ %s", Window(was, at), Window(now, at))
	return b.String()
}

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

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func isPlain(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) < 0
}
