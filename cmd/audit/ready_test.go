package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"audit/rebuild/policy"
)

var policyDay = time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)

// TestReadyPolicies: each can be read, and refuses codes that there are.
func TestReadyPolicies(t *testing.T) {
	for _, r := range policy.AllReady() {
		_, err := policy.ReadReady(r.Name, policyDay, findingCodes())
		if err != nil || r.About == "" {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
}

// TestPolicyOfThePage: the policy that the page shows can be read, and has all there is.
func TestPolicyOfThePage(t *testing.T) {
	status, page := commanded("", "help", "gate")
	_, rest, _ := strings.Cut(page, "{\n")
	text, _, ok := strings.Cut(rest, "\n}\n")
	if status != exitHolds || !ok {
		t.Fatalf("status %d\n%s", status, page)
	}
	p, err := policy.Read(strings.NewReader("{"+text+"}"), policyDay, findingCodes())
	if err != nil || len(p.Checks) == 0 || len(p.Refuse) == 0 || len(p.Allow) == 0 {
		t.Errorf("%+v, %v", p, err)
	}
	status, schema := commanded("", "policy", "schema")
	var all struct{ Properties map[string]any }
	if err := json.NewDecoder(bytes.NewReader([]byte(schema))).Decode(&all); status != exitHolds || err != nil || len(all.Properties) != 4 {
		t.Errorf("the schema: status %d, %v\n%s", status, err, schema)
	}
}
