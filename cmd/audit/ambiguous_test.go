package main

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/fixtures/ambiguous"
	"audit/inspect"
	"audit/inspect/check"
)

// TestAmbiguous demands that integrity finds in each image of two readings, and in
// no other, what the case says. The real suite compares with real readers.
func TestAmbiguous(t *testing.T) {
	for _, c := range ambiguous.Cases(runtime.GOARCH) {
		t.Run(c.Name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "image")
			if err := writeBuffered(path, c.Write); err != nil {
				t.Fatal(err)
			}
			img, err := inspect.Open(t.Context(), ambiguousReference(c, path), inspect.Options{Stores: fixtures.Stores()})
			if (err != nil) != c.Refused {
				t.Fatalf("%v, want an error: %v", err, c.Refused)
			}
			if err == nil && !slices.Equal(problemCodes(img), strings.Fields(c.Code)) {
				t.Errorf("integrity finds %q, want %q", problemCodes(img), c.Code)
			}
		})
	}
}

// ambiguousReference is how audit is asked for the image of a case, by the name 1
// that the readers ask for.
func ambiguousReference(c ambiguous.Case, path string) string {
	if c.Form == ambiguous.OCI {
		return string(c.Form) + ":" + path + ":1"
	}
	return string(c.Form) + ":" + path
}

// problemCodes are the codes of the problems that integrity finds, each once.
func problemCodes(img *inspect.Image) []string {
	codes := []string{}
	for _, f := range img.Problems {
		if code := strings.TrimPrefix(f.Code, "integrity/"); f.Level == check.Problem && !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	return codes
}
