package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/sorairolake/lzip-go"
)

// TestRealForms runs audit against the real Guix on its other forms.
func TestRealForms(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "guix" {
		t.Skip("needs GNU Guix 1.5.0 with the channels of the samples: .ci/lab sets it up, AUDIT_TEST_REAL=guix says that it is there")
	}
	scripts, err := filepath.Glob("testdata/real_forms/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts: %v", len(scripts), err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) { runReal(t, script) })
	}
	if !t.Failed() {
		fmt.Printf("real suite: guix, %d tests of forms\n", len(scripts))
	}
}

// lzipped IN OUT writes an image in gzip again as guix pack --compression=lzip
// would: the store has nothing that could stand in for lzip.
func lzipped(ts *testscript.TestScript, _ bool, args []string) {
	in, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer in.Close()
	plain, err := gzip.NewReader(in)
	ts.Check(err)
	var out bytes.Buffer
	w := lzip.NewWriter(&out)
	_, err = io.Copy(w, plain)
	ts.Check(err)
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out.Bytes(), 0o666))
}
