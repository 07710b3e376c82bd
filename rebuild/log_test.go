package rebuild

import (
	"strings"
	"testing"
	"testing/iotest"
	"unicode"

	"io"

	"github.com/google/go-cmp/cmp"
)

func lines(t *testing.T, r io.Reader) []string {
	t.Helper()
	var got []string
	l := &lineLog{to: onLine(func(line string) error { got = append(got, line); return nil })}
	if _, err := io.Copy(l, r); err != nil {
		t.Fatal(err)
	}
	l.flush()
	return got
}

func TestLineLog(t *testing.T) {
	long := strings.Repeat("x", longestLine)
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"two lines", "one\ntwo\n", []string{"one\n", "two\n"}},
		{"no newline at the end", "one\ntwo", []string{"one\n", "two\n"}},
		{"progress", "\r\x1b[K 50% ▕██  ▏\r\x1b[K100% ▕████▏done\n", []string{" 50% ▕██  ▏\n", "100% ▕████▏done\n"}},
		{"blank lines", "one\n\n\x1b[0m\ntwo\r\n", []string{"one\n", "two\n"}},
		{"colours", "\x1b[1;31merror:\x1b[0m why\n", []string{"error: why\n"}},
		{"window title", "\x1b]0;title\x07text\n", []string{"]0;title" + "text\n"}},
		{"right-to-left override", "a\u202eb\n", []string{"ab\n"}},
		{"C1 control", "a\u009bb\n", []string{"ab\n"}},
		{"tab", "a\tb\n", []string{"a b\n"}},
		{"not UTF-8", "a\xffb\n", []string{"a\ufffdb\n"}},
		{"long line", long + "y\nz\n", []string{long + "\n", "y\n", "z\n"}},
		{"just as long as a line may be", long + "\nz\n", []string{long + "\n", "z\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, lines(t, strings.NewReader(tt.in))); diff != "" {
				t.Errorf("at once (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, lines(t, iotest.OneByteReader(strings.NewReader(tt.in)))); diff != "" {
				t.Errorf("byte by byte (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzLineLog(f *testing.F) {
	f.Add("one\r\n\x1b[2Jtwo\x00\xff")
	f.Fuzz(func(t *testing.T, in string) {
		got := lines(t, strings.NewReader(in))
		if diff := cmp.Diff(got, lines(t, iotest.OneByteReader(strings.NewReader(in)))); diff != "" {
			t.Errorf("lines depend on how the bytes come:\n%s", diff)
		}
		for _, line := range got {
			body, ok := strings.CutSuffix(line, "\n")
			if !ok || strings.ContainsFunc(body, unicode.IsControl) {
				t.Errorf("%q is not one clean line", line)
			}
		}
	})
}
