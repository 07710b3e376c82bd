package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// TestStoredReportIsNotBelieved: what somebody has edited contradicts the rest.
func TestStoredReportIsNotBelieved(t *testing.T) {
	at := func(doc map[string]any, path ...any) any {
		var v any = doc
		for _, key := range path {
			switch key := key.(type) {
			case string:
				v = v.(map[string]any)[key]
			case int:
				v = v.([]any)[key]
			}
		}
		return v
	}
	object := func(doc map[string]any, path ...any) map[string]any { return at(doc, path...).(map[string]any) }
	for name, c := range map[string]struct {
		in   string
		edit func(doc map[string]any)
		want string
	}{
		"a better verdict":             {"unreproducible", func(d map[string]any) { d["verdict"] = "reproducible" }, "the verdict is reproducible, and what was found makes it unreproducible"},
		"a verdict beside a fail":      {"contradicted", func(d map[string]any) { d["verdict"] = "unverified" }, "makes it contradicted"},
		"a pass beside a problem":      {"contradicted", func(d map[string]any) { object(d, "checks", 2)["status"], d["verdict"] = "pass", "unverified" }, "the check closure is pass"},
		"a skip beside a problem":      {"contradicted", func(d map[string]any) { object(d, "checks", 2)["status"], d["verdict"] = "skipped", "unverified" }, "the check closure is skipped"},
		"a fail without a problem":     {"unverified", func(d map[string]any) { object(d, "checks", 0)["status"], d["verdict"] = "fail", "contradicted" }, "the check integrity is fail"},
		"a result of no comparison":    {"unreproducible", func(d map[string]any) { object(d, "comparison")["result"] = "identical" }, "the result of the comparison is \"identical\""},
		"equal layers that differ":     {"equivalent", func(d map[string]any) { object(d, "comparison")["result"] = "identical" }, "makes it \"equivalent\""},
		"more bytes than there are":    {"unverified", func(d map[string]any) { object(d, "coverage")["total"] = 1 }, "the layers have"},
		"a share that is none":         {"unverified", func(d map[string]any) { object(d, "coverage", "checks", 0)["share"] = 0.5 }, "the share of the check integrity"},
		"vouchers that add up to less": {"unverified", func(d map[string]any) { o := object(d, "coverage", "vouchers", 6); o["bytes"], o["share"] = 0, 0 }, "the vouchers have"},
		"built, and nobody built it":   {"reproducible", func(d map[string]any) { object(d, "rebuild", "basis", "items", 0)["from"] = "built" }, "it is not among what was built"},
		"signatures that nobody gave":  {"reproducible", func(d map[string]any) { object(d, "rebuild", "basis", "items", 2)["operators"] = []string{"a", "b"} }, "the verdict rests on 2 signatures"},
		"vouched by nobody":            {"vouched", func(d map[string]any) { object(d, "rebuild", "basis", "items", 0)["operators"] = []string{} }, "what was found makes it unverified"},
		"vouched on nothing":           {"vouched", func(d map[string]any) { d["rebuild"] = nil }, "what was found makes it unverified"},
		"given, and not given":         {"given", func(d map[string]any) { object(d, "rebuild", "basis")["given"] = false }, "that was given"},
	} {
		var doc map[string]any
		if err := json.Unmarshal(asJSON(t, New(inputs(t)[c.in])), &doc); err != nil {
			t.Fatal(err)
		}
		c.edit(doc)
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		r, err := ReadJSON(bytes.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), "contradicts itself") || !strings.Contains(err.Error(), c.want) || r != nil {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
