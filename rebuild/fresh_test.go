package rebuild

import (
	"testing"

	"audit/inspect"
)

func TestWithFresh(t *testing.T) {
	same := Fresh{Derivation: "/gnu/store/a-x.drv", Same: true}
	other := Fresh{Derivation: "/gnu/store/b-y.drv", Differences: []string{"share/built-at"}}
	undone := Fresh{Derivation: "/gnu/store/c-z.drv", Problem: "its source is gone"}
	for name, test := range map[string]struct {
		fresh  []Fresh
		status inspect.Status
		rules  []string
	}{
		"none":                 {nil, inspect.Pass, nil},
		"all the same":         {[]Fresh{same}, inspect.Pass, nil},
		"one differs":          {[]Fresh{same, other}, inspect.Fail, []string{"fresh-build-differs"}},
		"one cannot be built":  {[]Fresh{undone, same}, inspect.Pass, []string{"fresh-build-not-done"}},
		"one differs, one not": {[]Fresh{other, undone}, inspect.Fail, []string{"fresh-build-differs", "fresh-build-not-done"}},
	} {
		c := WithFresh(inspect.Check{ID: inspect.Rebuild, Status: inspect.Pass}, test.fresh)
		if c.Status != test.status || len(c.Findings) != len(test.rules) {
			t.Errorf("%s: %v with %v", name, c.Status, c.Findings)
			continue
		}
		for i, f := range c.Findings {
			if f.Rule != test.rules[i] {
				t.Errorf("%s: finding %d is %s, want %s", name, i, f.Rule, test.rules[i])
			}
		}
		if Unstable(test.fresh) != (test.status == inspect.Fail) {
			t.Errorf("%s: unstable is %v", name, Unstable(test.fresh))
		}
	}
}
