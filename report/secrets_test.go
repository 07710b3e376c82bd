package report

import (
	"bytes"
	"strings"
	"testing"

	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// What the user has given a builder is in no part of a report, though the rebuilt
// image's history has it; what the original has itself stays.
func TestReportHidesSecrets(t *testing.T) {
	in := unreproducibleInput(t, 0)
	const secret = "T0psecret"
	in.Secrets = []string{secret, "tiny"}
	in.Comparison.Config = append(in.Comparison.Config, compare.FieldDifference{Field: "history[3].created_by", Was: `"RUN tiny"`, Now: `"|1 KEY=` + secret + ` /bin/sh"`, Cause: compare.Content})
	in.Result.Command = append(in.Result.Command, "--build-arg=KEY="+secret)
	last := &in.Checks[len(in.Checks)-1]
	last.Findings = append(last.Findings, check.Find(check.Problem, 0, "a/"+secret, "rebuild/x", "now", secret, "list", []string{secret}))
	in.Image.Config.Raw = append(bytes.TrimSuffix(bytes.TrimSpace(in.Image.Config.Raw), []byte("}")), `,"x":"tiny"}`...)
	r := New(in)
	var all bytes.Buffer
	for _, write := range []func() error{func() error { return WriteJSON(&all, r) }, func() error { return WriteHTML(&all, r) }} {
		if err := write(); err != nil {
			t.Fatal(err)
		}
	}
	if at := strings.Index(all.String(), secret); at >= 0 {
		t.Errorf("…%s…", all.String()[max(0, at-80):min(all.Len(), at+80)])
	}
	if !strings.Contains(all.String(), "RUN tiny") || !strings.Contains(all.String(), "KEY="+rebuild.Hidden) {
		t.Error("too much is hidden, or too little shown")
	}
	if in.Checks[len(in.Checks)-1].Findings[len(last.Findings)-1].Args.String("now") != secret {
		t.Error("the checks that were given have changed")
	}
}
