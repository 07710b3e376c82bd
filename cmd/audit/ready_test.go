package main

import (
	"strings"
	"testing"
	"time"

	"audit/rebuild/policy"
)

// TestReadyPolicies: each can be read, and refuses codes that there are.
func TestReadyPolicies(t *testing.T) {
	for _, r := range policy.AllReady() {
		p, err := policy.ReadReady(r.Name, time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC))
		if err != nil || r.About == "" {
			t.Errorf("%s: %v", r.Name, err)
		}
		for _, code := range p.Refuse {
			known := false
			for have := range sentences() {
				known = known || have == code || strings.HasSuffix(code, "/") && strings.HasPrefix(have, code)
			}
			if !known {
				t.Errorf("%s refuses %s, which nothing finds", r.Name, code)
			}
		}
	}
}
