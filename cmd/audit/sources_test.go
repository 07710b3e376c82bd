package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"audit/fixtures"
	"audit/rebuild/drv"
	"audit/report"
)

// bootstrap DIR [SOURCE] writes an image of one store item, hello.tar, and the
// derivations that lead from it to the seeds; that SOURCE has no hash. $HELLO names the
// first.
func bootstrap(ts *testscript.TestScript, _ bool, args []string) {
	s := fixtures.NewStore("/gnu/store")
	if len(args) > 1 {
		s.Unfixed = args[1]
	}
	hello := s.Bootstrap()
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o777))
	ts.Check(s.Write(dir))
	image := fixtures.Docker{Layers: [][]fixtures.File{{{Name: strings.TrimPrefix(hello.Out, "/") + "/bin/hello", Body: "hello", Mode: 0o755}}}}
	ts.Check(os.WriteFile(ts.MkAbs("hello.tar"), image.Archive(), 0o666))
	ts.Setenv("HELLO", filepath.Join(dir, filepath.Base(hello.Drv)))
}

// walked REPORT.json demands that the report has each fixed output that a walk of its
// own finds below the derivation of the image, and no other.
func walked(ts *testscript.TestScript, _ bool, args []string) {
	var r report.Report
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &r))
	if r.Road == nil {
		ts.Fatalf("%s: the derivations were not followed", args[0])
	}
	seen := make(map[string]bool)
	hashes := make(map[string]string)
	for queue := []string{r.Road.Derivation}; len(queue) > 0; queue = queue[1:] {
		if seen[queue[0]] {
			continue
		}
		seen[queue[0]] = true
		d, err := drv.Read(queue[0])
		ts.Check(err)
		for _, o := range d.Outputs {
			if o.Hash != "" {
				hashes[o.Path] = strings.TrimPrefix(o.Algorithm, "r:") + ":" + o.Hash
			}
		}
		for _, in := range d.Inputs {
			queue = append(queue, in.Path)
		}
	}
	for _, s := range r.Sources {
		if hashes[s.Path] != s.Algorithm+":"+s.Hash || len(s.Addresses) == 0 {
			ts.Fatalf("%s: %q, want %q, from somewhere", s.Path, s.Algorithm+":"+s.Hash, hashes[s.Path])
		}
		delete(hashes, s.Path)
	}
	if len(hashes) > 0 || len(seen) != r.Road.Derivations || len(seen) < 100 {
		ts.Fatalf("not in the report: %v; %d derivations, and %d in the report", hashes, len(seen), r.Road.Derivations)
	}
	if !slices.ContainsFunc(r.Sources, func(s report.Source) bool { return s.Seed != "" }) {
		ts.Fatalf("none of %d sources is a seed", len(r.Sources))
	}
}

// archived serves an archive with the API of Software Heritage, that has some of the
// sources of bootstrap; $ARCHIVE is its address.
func archived(ts *testscript.TestScript, _ bool, _ []string) {
	sum := func(name string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(name))) }
	has := map[string]string{
		"/api/1/content/sha256:" + sum("compiler-1.0.tar.gz") + "/": `{"checksums": {"sha256": "` + sum("compiler-1.0.tar.gz") + `"}}`,
		"/api/1/extid/nar-sha256/hex:" + sum("bash") + "/": `{"extid_type": "nar-sha256", "extid": "` + sum("bash") +
			`", "target": "swh:1:dir:0123456789abcdef0123456789abcdef01234567"}`,
		"/api/1/origin/https://git.example/hello/get/": `{"url": "https://git.example/hello"}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch record, ok := has[r.URL.Path]; {
		case r.URL.Path == "/api/1/known/":
			fmt.Fprint(w, `{"swh:1:rev:0123456789abcdef0123456789abcdef01234567": {"known": true}}`)
		case ok:
			fmt.Fprint(w, record)
		default:
			http.Error(w, `{"exception": "NotFoundExc", "reason": "not found"}`, http.StatusNotFound)
		}
	}))
	ts.Defer(server.Close)
	ts.Setenv("ARCHIVE", server.URL+"/api/1/")
}
