package why_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/rebuild/guix"
	"audit/rebuild/nix"
	"audit/rebuild/why"
)

// rules are those that apply to a log of testdata.
func rules(name string) []why.Rule {
	if strings.HasPrefix(name, "nix") {
		return slices.Concat(nix.System{}.About().Causes, why.Rules())
	}
	return slices.Concat(guix.System{}.About().Causes, why.Rules())
}

// Each log of testdata, which a real tool wrote about a build that was made to fail so,
// shows its cause.
func TestCausesOfRealLogs(t *testing.T) {
	want := map[string]string{
		"guix-gone.log":     "source-gone 127.0.0.1:8765/nothing-1.tar.gz sha256/0mdqa9w1",
		"guix-hash.log":     "source-changed 0mdqa9w1p6c 1w9q5ax5rvs",
		"guix-bomb.log":     "time-bomb test-tls",
		"guix-year.log":     "time-bomb 2021 2026",
		"guix-late.log":     "too-long slow-1.0",
		"guix-silent.log":   "too-long quiet-1.0",
		"guix-space.log":    "no-space",
		"guix-old.log":      "other-kernel FATAL: kernel too old",
		"guix-nodaemon.log": "no-daemon /nowhere",
		"nix-gone.log":      "source-gone nothing-1.tar.gz",
		"nix-hash.log":      "source-changed sha256-47DEQpj8 sha256-f4sd",
		"nix-feature.log":   "other-machine kvm2",
		"nix-arch.log":      "other-machine aarch64-linux x86_64-linux",
		"nix-late.log":      "too-long slow-1.0",
		"nix-bomb.log":      "time-bomb x509",
	}
	logs, err := filepath.Glob("testdata/*.log")
	if err != nil || len(logs) != len(want) {
		t.Fatalf("%d logs, %v, want %d", len(logs), err, len(want))
	}
	for _, file := range logs {
		name := filepath.Base(file)
		log, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		causes := why.Causes(log, rules(name))
		if len(causes) < 2 || causes[len(causes)-1].Code != "why/about-the-build" {
			t.Errorf("%s: %v", name, causes)
			continue
		}
		words := strings.Fields(want[name])
		if got := fmt.Sprint(causes[0]); causes[0].Code != "why/"+words[0] || slices.ContainsFunc(words[1:], func(w string) bool { return !strings.Contains(got, w) }) {
			t.Errorf("%s: %s, want %s", name, got, want[name])
		}
	}
}

// Logs of builds that go well, or that fail for a reason of their own, show nothing.
func TestNoCause(t *testing.T) {
	for _, log := range []string{
		"", "building /gnu/store/x.drv...\nsuccessfully built /gnu/store/x.drv\n", "PASS: test-certificate\nPASS: test-year 2021 2022\n",
		"make: *** [Makefile:3: all] Error 1\n", "checking for certificate has expired... no\n",
	} {
		for _, all := range [][]why.Rule{rules("guix"), rules("nix")} {
			if got := why.Causes([]byte(log), all); got != nil {
				t.Errorf("%q: %v", log, got)
			}
		}
	}
}

// A hostile build is given a bounded part of the report, whatever it writes.
func TestCausesAreBounded(t *testing.T) {
	line := []byte("FATAL: kernel too old No space left on device Illegal instruction Out of memory Network is unreachable error: certificate has expired ")
	long := append(bytes.Repeat(line, 100_000), '\n')
	causes := why.Causes(append([]byte("Disk quota exceeded\n"), long...), rules("guix"))
	if len(causes) != 5 {
		t.Errorf("%d causes", len(causes))
	}
	for _, c := range causes {
		for _, value := range c.Args {
			if len(value.(string)) > 300 {
				t.Errorf("%s: %d bytes", c.Code, len(value.(string)))
			}
		}
	}
}
