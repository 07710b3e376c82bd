package main

import (
	"io"

	"audit/rebuild"
)

// A buildLog keeps what a builder says, for a file beside the report, and
// hands each line to the progress line. It is capped: the start and the end of
// a long build say most.
type buildLog struct {
	show    io.Writer
	secrets rebuild.Secrets // masked in each line
	head    []byte
	tail    []byte
	cut     bool
}

// What a buildLog keeps, in bytes.
const (
	logHead = 256 << 10
	logTail = 768 << 10
)

func newBuildLog(shown *progress, secrets rebuild.Secrets) *buildLog {
	return &buildLog{show: shown, secrets: secrets}
}

func (l *buildLog) Write(line []byte) (int, error) {
	p := []byte(l.secrets.Mask(string(line)))
	if room := logHead - len(l.head); room > 0 {
		n := min(room, len(p))
		l.head = append(l.head, p[:n]...)
		l.tail = append(l.tail, p[n:]...)
	} else {
		l.tail = append(l.tail, p...)
	}
	if extra := len(l.tail) - 2*logTail; extra > 0 {
		l.tail = append([]byte(nil), l.tail[len(l.tail)-logTail:]...)
		l.cut = true
	}
	if _, err := l.show.Write(p); err != nil {
		return 0, err
	}
	return len(line), nil
}

func (l *buildLog) bytes() []byte {
	if !l.cut {
		return append(l.head, l.tail...)
	}
	return append(append(l.head, "\n[… cut: the log was longer …]\n"...), l.tail...)
}
