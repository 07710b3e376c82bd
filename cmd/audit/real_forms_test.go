package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRealForms runs audit against the real Guix on its other forms.
func TestRealForms(t *testing.T) {
	if os.Getenv("AUDIT_REAL") != "guix" {
		t.Skip("needs GNU Guix 1.5.0 with the channels of the samples: .ci/lab sets it up, AUDIT_REAL=guix says that it is there")
	}
	scripts, err := filepath.Glob("testdata/real_forms/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts: %v", len(scripts), err)
	}
	ran := 0
	for _, script := range scripts {
		name := strings.TrimSuffix(filepath.Base(script), ".txtar")
		t.Run(name, func(t *testing.T) {
			if tools := hasSquashfsTools(t); name == "squashfs" && !tools || name == "no_squashfs_tools" && tools {
				t.Skipf("the store has squashfs-tools: %t", tools)
			}
			ran++
			runReal(t, script)
		})
	}
	if !t.Failed() {
		fmt.Printf("real suite: guix, %d tests of forms\n", ran)
	}
}

// hasSquashfsTools says whether the store has, or has a stand-in for, what packs
// a squashfs: without a network it cannot be built.
func hasSquashfsTools(t *testing.T) bool {
	t.Helper()
	found, err := filepath.Glob("/gnu/store/*-squashfs-tools-[0-9]*/bin/mksquashfs")
	if err != nil {
		t.Fatal(err)
	}
	return len(found) > 0
}
