package main

import (
	"testing"
	"time"

	"audit/rebuild/policy"
)

// TestReadyPolicies: each can be read, and refuses codes that there are.
func TestReadyPolicies(t *testing.T) {
	for _, r := range policy.AllReady() {
		_, err := policy.ReadReady(r.Name, time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC), findingCodes())
		if err != nil || r.About == "" {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
}
