package rebuild

import (
	"errors"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
)

func TestWithFresh(t *testing.T) {
	same := Fresh{Derivation: "/gnu/store/a-x.drv", Same: true}
	other := Fresh{Derivation: "/gnu/store/b-y.drv", Differences: []string{"share/built-at"}}
	undone := Fresh{Derivation: "/gnu/store/c-z.drv", Problem: "its source is gone"}
	for name, test := range map[string]struct {
		fresh  []Fresh
		status check.Status
		rules  []string
	}{
		"none":                 {nil, check.Pass, nil},
		"all the same":         {[]Fresh{same}, check.Pass, nil},
		"one differs":          {[]Fresh{same, other}, check.Fail, []string{"rebuild/fresh-build-differs"}},
		"one cannot be built":  {[]Fresh{undone, same}, check.Pass, []string{"rebuild/fresh-build-not-done"}},
		"one differs, one not": {[]Fresh{other, undone}, check.Fail, []string{"rebuild/fresh-build-differs", "rebuild/fresh-build-not-done"}},
	} {
		c := WithFresh(check.Check{ID: check.Rebuild, Status: check.Pass}, test.fresh)
		if c.Status != test.status || len(c.Findings) != len(test.rules) {
			t.Errorf("%s: %v with %v", name, c.Status, c.Findings)
			continue
		}
		for i, f := range c.Findings {
			if f.Code != test.rules[i] {
				t.Errorf("%s: finding %d is %s, want %s", name, i, f.Code, test.rules[i])
			}
		}
		if Unstable(test.fresh) != (test.status == check.Fail) {
			t.Errorf("%s: unstable is %v", name, Unstable(test.fresh))
		}
	}
}

func TestWantsFresh(t *testing.T) {
	const store = "/gnu/store/00000000000000000000000000000000-"
	for _, test := range []struct {
		pkg, name string
		want      bool
	}{
		{"hello", "hello-2.12.2", true},
		{"hello", "hello", true},
		{"hello-2.12.2", "hello-2.12.2", true},
		{"all", "hello-2.12.2", true},
		{"hello", "hello-", false},
		{"hello", "hello-debug", false},
		{"hell", "hello-2.12.2", false},
	} {
		job := Job{Fresh: []string{test.pkg}, Image: &inspect.Image{Items: []inspect.StoreItem{{Path: store + test.name}}}}
		if got := job.WantsFresh(store + test.name); got != test.want {
			t.Errorf("%s of package %s: %t", test.name, test.pkg, got)
		}
		if err := job.FreshKnown(); errors.Is(err, ErrRefused) == test.want {
			t.Errorf("%s of package %s: %v", test.name, test.pkg, err)
		}
	}
	if err := (Job{Fresh: []string{"hello"}}).FreshKnown(); err != nil {
		t.Errorf("without the original: %v", err)
	}
}
