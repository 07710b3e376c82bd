package rebuild

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestLine is where a line without end is broken.
const longestLine = 16 << 10

// A lineLog cuts a stream into lines, cleans each and hands it on at once.
// A carriage return ends a line too: that is how tools draw progress.
type lineLog struct {
	to      io.Writer
	broken  func(error)
	kept    headTail
	partial []byte
	failed  bool
}

func (l *lineLog) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := bytes.IndexAny(rest, "\n\r")
		if n < 0 {
			n = len(rest)
		}
		n = min(n, longestLine-len(l.partial))
		l.partial = append(l.partial, rest[:n]...)
		rest = rest[n:]
		if len(rest) == 0 && len(l.partial) < longestLine {
			break
		}
		l.flush()
		if len(rest) > 0 && (rest[0] == '\n' || rest[0] == '\r') {
			rest = rest[1:]
		}
	}
	return len(p), nil
}

// flush hands the line on that was read so far. Lines of nothing but control
// characters say nothing.
func (l *lineLog) flush() {
	line := Clean(l.partial)
	l.partial = l.partial[:0]
	if strings.TrimSpace(line) == "" {
		return
	}
	line += "\n"
	l.kept.add(line)
	if l.to == nil || l.failed {
		return
	}
	if _, err := io.WriteString(l.to, line); err != nil {
		l.failed = true
		l.broken(err)
	}
}

// Clean removes what a terminal would obey instead of show: control sequences
// (ECMA-48, 5.4), other control and format characters, bytes that are not
// UTF-8.
func Clean(line []byte) string {
	var b strings.Builder
	for len(line) > 0 {
		if n := controlSequence(line); n > 0 {
			line = line[n:]
			continue
		}
		r, n := utf8.DecodeRune(line)
		line = line[n:]
		switch {
		case r == '\t':
			b.WriteByte(' ')
		case r == utf8.RuneError && n == 1:
			b.WriteRune(utf8.RuneError)
		case !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// controlSequence returns the length of the "ESC [ parameters final" that line
// begins with, 0 when it does not.
func controlSequence(line []byte) int {
	if !bytes.HasPrefix(line, []byte("\x1b[")) {
		return 0
	}
	for i := 2; i < len(line); i++ {
		if line[i] >= 0x40 && line[i] <= 0x7e {
			return i + 1
		}
	}
	return len(line)
}

// headTail keeps the beginning and the end of a text of any length.
type headTail struct {
	head, tail []byte
	cut        int64 // bytes between them
}

func (t *headTail) add(line string) {
	if t.tail == nil && len(t.head)+len(line) <= logHead {
		t.head = append(t.head, line...)
		return
	}
	t.tail = append(t.tail, line...)
	if len(t.tail) > 2*logTail { // now and then, not with every line
		t.trim()
	}
}

// trim drops whole lines of the tail until it is short enough.
func (t *headTail) trim() {
	n := len(t.tail) - logTail
	if n <= 0 {
		return
	}
	n += bytes.IndexByte(t.tail[n:], '\n') + 1
	t.cut += int64(n)
	t.tail = append([]byte{}, t.tail[n:]...)
}

func (t *headTail) bytes() []byte {
	t.trim()
	text := bytes.Clone(t.head)
	if t.cut > 0 {
		text = fmt.Appendf(text, "[%d bytes of the log are left out here]\n", t.cut)
	}
	return append(text, t.tail...)
}

// limitedBuffer keeps what is written, up to a limit.
type limitedBuffer struct {
	data  []byte
	limit int
	full  func()
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	n := min(len(p), b.limit-len(b.data))
	b.data = append(b.data, p[:n]...)
	if n < len(p) {
		b.full()
	}
	return len(p), nil
}
