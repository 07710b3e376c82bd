package jsondiff

import (
	"fmt"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	for _, tc := range []struct{ name, was, now, want string }{
		{"same", `{"a":1}`, `{"a":1}`, ""},
		{"other white space and order of keys", `{"a":1,"b":2}`, "{ \"b\": 2,\n \"a\": 1}", ""},
		{"another value", `{"a":{"b":1}}`, `{"a":{"b":2}}`, "a.b: 1 → 2"},
		{"added to the front of a list", `{"Env":["A=1","B=2"]}`, `{"Env":["LD_PRELOAD=/x","A=1","B=2"]}`, `Env[0]:  → "LD_PRELOAD=/x"`},
		{"taken from a list", `[1,2,3]`, `[1,3]`, `[1]: 2 → `},
		{"changed within a list", `[1,2,3]`, `[1,9,3]`, `[1]: 2 → 9`},
		{"lower case is another key", `{"Env":[]}`, `{"env":[]}`, `Env: [] → ; env:  → []`},
		{"elements in another order", `{"a":[1,2,{"b":3}]}`, `{"a":[2,{"b":3},1]}`, `a: [1,2,{"b":3}] → [2,{"b":3},1]`},
		{"elements in another order, and one changed", `[1,2,3]`, `[2,1,4]`, `[0]: 1 → 2; [1]: 2 → 1; [2]: 3 → 4`},
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
			found, more := Diff([]byte(tc.was), []byte(tc.now))
			for _, f := range found {
				got = append(got, fmt.Sprintf("%s: %s → %s", f.Path, f.Was, f.Now))
				if f.Order != (tc.name == "elements in another order") {
					t.Errorf("%s: order %v", f.Path, f.Order)
				}
			}
			if more != 0 {
				t.Errorf("%d more", more)
			}
			if all := strings.Join(got, "; "); all != tc.want {
				t.Errorf("got %s, want %s", all, tc.want)
			}
		})
	}
}

// TestBounds holds that a hostile document costs no more than is meant.
func TestBounds(t *testing.T) {
	deep := func(leaf string) string {
		return strings.Repeat(`[`, 5000) + leaf + strings.Repeat(`]`, 5000)
	}
	if got, _ := Diff([]byte(deep("1")), []byte(deep("2"))); len(got) != 1 || len(got[0].Path) > 4*maxDeep {
		t.Errorf("%d fields", len(got))
	}
	wide := func(leaf string) string { return "[" + strings.Repeat(leaf+",", 5000) + leaf + "]" }
	got, more := Diff([]byte(wide("1")), []byte(wide("2")))
	if len(got) != maxFields || more != 4001 {
		t.Errorf("%d fields and %d more", len(got), more)
	}
}

// FuzzDiff holds that documents that differ by more than how they are written
// have a difference, and the same ones none.
func FuzzDiff(f *testing.F) {
	f.Add(`{"a":[1,2],"a":"x"}`, `{"a":[2,1]}`)
	f.Add(`[[],{"b":null}]`, `[{"b":0}]`)
	f.Fuzz(func(t *testing.T, was, now string) {
		found, _ := Diff([]byte(was), []byte(now))
		back, _ := Diff([]byte(now), []byte(was))
		x, okX := Compact([]byte(was))
		y, okY := Compact([]byte(now))
		if (was == now || okX && okY && string(x) == string(y)) && len(found) > 0 {
			t.Errorf("the same, yet %v", found)
		}
		if okX != okY && len(found) == 0 || len(found) != len(back) {
			t.Errorf("%v one way, %v the other", found, back)
		}
	})
}
