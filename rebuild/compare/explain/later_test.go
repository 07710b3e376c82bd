package explain

import (
	"testing"
	"time"
)

func TestDayOf(t *testing.T) {
	for text, want := range map[string]string{
		"2034-12-31": "2034-12-31", "2034/12/31 10:00:00": "2034-12-31", "2034-12-31T10:00:00Z": "2034-12-31", "20341231": "2034-12-31",
		"20341231100000": "2034-12-31", "20341231T100000Z": "2034-12-31", "1704067200": "2024-01-01", "1704067200.123": "2024-01-01",
		"1704067200000": "2024-01-01", "20411": "2025-11-19", "Sun, 31 Dec 2034 10:00:00 +0000": "2034-01-01", "31.12.2034": "2034-01-01",
		"12/31/2034": "2034-01-01", "2034": "2034-01-01", "Dec 31 10:00:00": "", "10:00:00": "",
	} {
		if got, known := dayOf(text); got != want || known != (want != "") {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// A day to come is no time of a build: what is valid until then is content.
func TestDaysToCome(t *testing.T) {
	for _, c := range []struct{ path, was, now, want string }{
		{"a", "until: 2024-12-31\n", "until: 2026-03-01\n", "date; line line=1: 2024-12-31 → 2026-03-01\n"},
		{"a", "until: 2024-12-31\n", "until: 2034-12-31\n", "content; changed-line line=1: \"until: 2024-12-31\" → \"until: 2034-12-31\"\n"},
		{"a", "until: 2034-12-31\n", "until: 2024-12-31\n", "content; changed-line line=1: \"until: 2034-12-31\" → \"until: 2024-12-31\"\n"},
		{"etc/shadow", "a:*:19000::::::\n", "a:*:29000::::::\n", "content; changed-line line=1: \"a:*:19000::::::\" → \"a:*:29000::::::\"\n"},
	} {
		e := New(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)).Explain(c.path, []byte(c.was), []byte(c.now))
		if got := show(e); got != c.want {
			t.Errorf("%s → %s: got %swant %s", c.was, c.now, got, c.want)
		}
	}
}
