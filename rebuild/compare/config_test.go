package compare

import (
	"fmt"
	"strings"
	"testing"

	"audit/inspect"
)

func TestFields(t *testing.T) {
	for _, tc := range []struct{ name, was, now, want string }{
		{"same", `{"a":1}`, `{"a":1}`, ""},
		{"other white space and order of keys", `{"a":1,"b":2}`, "{ \"b\": 2,\n \"a\": 1}", ""},
		{"another value", `{"a":{"b":1}}`, `{"a":{"b":2}}`, "a.b: 1 → 2"},
		{"added to the front of a list", `{"Env":["A=1","B=2"]}`, `{"Env":["LD_PRELOAD=/x","A=1","B=2"]}`, `Env[0]:  → "LD_PRELOAD=/x"`},
		{"taken from a list", `[1,2,3]`, `[1,3]`, `[1]: 2 → `},
		{"changed within a list", `[1,2,3]`, `[1,9,3]`, `[1]: 2 → 9`},
		{"lower case is another key", `{"Env":[]}`, `{"env":[]}`, `Env: [] → ; env:  → []`},
		{"null is not absence", `{"a":null}`, `{}`, `a: null → `},
		{"null is not an empty object", `{"a":null}`, `{"a":{}}`, `a: null → {}`},
		{"odd keys", `{"a b":1,"":2}`, `{"a b":2,"":3}`, `[""]: 2 → 3; ["a b"]: 1 → 2`},
		{"repeated key", `{"a":1,"a":2}`, `{"a":1,"a":3}`, `a#2: 2 → 3`},
		{"repeated key against one", `{"a":1}`, `{"a":1,"a":1}`, `a#2:  → 1`},
		{"escapes", `{"a":"<"}`, `{"a":"\u003c"}`, ""},
		{"escapes of no character", `{"a":"\ud800"}`, `{"a":"\ud801"}`, `a: "\ud800" → "\ud801"`},
		{"number and text", `{"a":1}`, `{"a":"1"}`, `a: 1 → "1"`},
		{"numbers too large for a float", `{"a":9007199254740993}`, `{"a":9007199254740992}`, `a: 9007199254740993 → 9007199254740992`},
		{"no JSON", `{`, `{"a":1}`, `: { → {"a":1}`},
		{"not UTF-8", "{\"a\":\"\xff\"}", "{\"a\":\"\xfe\"}", ": {\"a\":\"\xff\"} → {\"a\":\"\xfe\"}"},
		{"nothing", ``, `{}`, `:  → {}`},
		{"neither", ``, ``, ``},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, f := range fields([]byte(tc.was), []byte(tc.now)) {
				got = append(got, fmt.Sprintf("%s: %s → %s", f.Field, f.Was, f.Now))
			}
			if all := strings.Join(got, "; "); all != tc.want {
				t.Errorf("got %s, want %s", all, tc.want)
			}
		})
	}
}

// TestFieldBounds holds that a hostile config costs no more than is meant.
func TestFieldBounds(t *testing.T) {
	deep := func(leaf string) string {
		return strings.Repeat(`[`, 5000) + leaf + strings.Repeat(`]`, 5000)
	}
	if got := fields([]byte(deep("1")), []byte(deep("2"))); len(got) != 1 || len(got[0].Field) > 4*maxFieldDeep {
		t.Errorf("%d fields", len(got))
	}
	wide := func(leaf string) string { return "[" + strings.Repeat(leaf+",", 5000) + leaf + "]" }
	got := fields([]byte(wide("1")), []byte(wide("2")))
	if len(got) != maxFields+1 || got[maxFields].Now != `"4001 more fields differ"` {
		t.Errorf("%d fields, the last %+v", len(got), got[len(got)-1])
	}
}

// TestCreation holds that only a time is excused, and only where one belongs.
func TestCreation(t *testing.T) {
	w := newWalk(&inspect.Image{}, &inspect.Image{})
	const year = `"2024-01-01T00:00:00Z"`
	for _, tc := range []struct {
		field    string
		was, now string
		want     Cause
	}{
		{"created", year, `"1970-01-01T00:00:01Z"`, Timestamp},
		{"created", year, "", Timestamp},
		{"created", "null", year, Timestamp},
		{"created", year, `"evil"`, Content},
		{"created", year, `["x"]`, Content},
		{"history[12].created", year, "", Timestamp},
		{"history[1].created_by", year, `"1970-01-01T00:00:01Z"`, Content},
		{"history[x].created", year, `"1970-01-01T00:00:01Z"`, Content},
		{"config.created", year, "", Missing},
		{"rootfs.diff_ids[0]x", year, "1", Content},
	} {
		f := FieldDifference{Field: tc.field, Was: tc.was, Now: tc.now}
		if got := w.configCause(&f); got != tc.want {
			t.Errorf("%s %s → %s: %s, want %s", tc.field, tc.was, tc.now, got, tc.want)
		}
	}
}

// TestConfigCauses compares images that differ by their configs only.
func TestConfigCauses(t *testing.T) {
	l := layer(t, f("a", "1"))
	plain := config(`"Env":["PATH=/bin"]`, l)
	other := strings.Repeat("0", 64)
	id := strings.Split(strings.Split(plain, "sha256:")[1], `"`)[0]
	for _, tc := range []struct {
		name, was, now string
		want           string
		equivalent     bool
	}{
		{"LD_PRELOAD", plain, strings.Replace(plain, `"PATH=/bin"`, `"LD_PRELOAD=/evil.so","PATH=/bin"`, 1), `config config.Env[0] extra:  → "LD_PRELOAD=/evil.so"`, false},
		{"a field less", plain, strings.Replace(plain, `"os":"linux",`, "", 1), `config os missing: "linux" → `, false},
		{"entry point", plain, strings.Replace(plain, `"config":{`, `"config":{"Entrypoint":["/x"],`, 1), `config config.Entrypoint extra:  → ["/x"]`, false},
		{"created", `{"created":"1970-01-01T00:00:01Z",` + plain[1:], `{"created":"2024-01-01T00:00:00+00:00",` + plain[1:], `config created timestamp: "1970-01-01T00:00:01Z" → "2024-01-01T00:00:00+00:00"`, true},
		{"history", `{"history":[{"created":"1970-01-01T00:00:01Z"}],` + plain[1:], `{"history":[{"created":"1970-01-01T00:00:02Z"}],` + plain[1:], `config history[0].created timestamp: "1970-01-01T00:00:01Z" → "1970-01-01T00:00:02Z"`, true},
		{"false diffID", plain, strings.Replace(plain, id, other, 1), `config rootfs.diff_ids[0] content: "sha256:` + id + `" → "sha256:` + other + `"`, false},
		{"a diffID too many", plain, strings.Replace(plain, `"]}}`, `","sha256:`+other+`"]}}`, 1), `config rootfs.diff_ids[1] extra:  → "sha256:` + other + `"`, false},
		{"spacing", plain, strings.Replace(plain, `"os":`, `"os": `, 1), `-1 "config.json" packaging: 34 22 2c`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := Images(open(t, archive(t, tc.was, l), nil), open(t, archive(t, tc.now, l), nil))
			if got := strings.TrimSpace(show(c)); !strings.HasPrefix(got, strings.TrimSpace(tc.want)) || strings.Contains(got, "\nconfig") {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if c.Equivalent() != tc.equivalent || c.Identical() {
				t.Errorf("equivalent %v, identical %v", c.Equivalent(), c.Identical())
			}
		})
	}
}
