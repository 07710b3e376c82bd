package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An exception is an image of the field that audit does not find consistent, and
// why that is right. Where it no longer is so, the exception has to go.
type exception struct {
	outcome string // "exit 3", or a verdict
	why     string
}

// exceptions are all of them, by the end of the file's path.
var exceptions = map[string]exception{
	"field/made/01-two-untagged.tar":                 {"exit 3", "it has two images without a tag, and which of them is meant must be chosen"},
	"guix/eras/era-v1.5.0-single-gzip-noprov.tar.gz": {"contradicted", "its store is made up: four items lie there that nothing refers to"},
	"guix/eras/era-v1.5.0-single-gzip-transf.tar.gz": {"contradicted", "its store is made up: the profile has a package that is not in the image"},
}

// imageNames are the ends of the names of files that are images.
var imageNames = []string{".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".img", ".sif", ".squashfs", ".sqfs"}

// TestRealField audits every image of other tools' making in the folders of
// AUDIT_TEST_FIELD, and none may be contradicted, unreadable or end the program but for
// a reason that stands in exceptions.
func TestRealField(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "field" {
		t.Skip("needs folders of images that are not part of the project: AUDIT_TEST_FIELD names them and AUDIT_TEST_REAL=field says so")
	}
	images, outcomes := fieldImages(t), map[string]int{}
	for _, path := range images {
		t.Run(path, func(t *testing.T) {
			got := fieldOutcome(t, path)
			outcomes[got]++
			want, reason := fieldException(path)
			switch {
			case reason == "" && !honest(got):
				t.Errorf("%s, and no reason is written for it", got)
			case reason != "" && got != want:
				t.Errorf("%s; the exception says %s, since %s", got, want, reason)
			}
		})
	}
	for _, outcome := range slices.Sorted(maps.Keys(outcomes)) {
		fmt.Printf("| %-14s | %3d\n", outcome, outcomes[outcome])
	}
	if !t.Failed() {
		fmt.Printf("real suite: field %d images\n", len(images))
	}
}

// fieldImages lists the images in the folders of AUDIT_TEST_FIELD: files whose name says
// that they are one, and OCI layouts. A folder that is missing, or has no image,
// fails.
func fieldImages(t *testing.T) (images []string) {
	t.Helper()
	for _, dir := range filepath.SplitList(os.Getenv("AUDIT_TEST_FIELD")) {
		before := len(images)
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			switch _, layout := os.Stat(filepath.Join(path, "oci-layout")); {
			case err != nil:
				return err
			case d.IsDir() && layout == nil:
				images = append(images, path)
				return fs.SkipDir
			case d.Type().IsRegular() && slices.ContainsFunc(imageNames, func(end string) bool { return strings.HasSuffix(path, end) }):
				images = append(images, path)
			}
			return nil
		})
		if err != nil {
			t.Fatalf("AUDIT_TEST_FIELD: %v", err)
		}
		if len(images) == before {
			t.Fatalf("AUDIT_TEST_FIELD: no image is in %s", dir)
		}
	}
	if len(images) == 0 {
		t.Fatal("AUDIT_TEST_FIELD names no folder")
	}
	return images
}

func fieldException(path string) (outcome, why string) {
	for end, e := range exceptions {
		if strings.HasSuffix(path, "/"+end) {
			return e.outcome, e.why
		}
	}
	return "", ""
}

// fieldOutcome audits an image and returns its verdict, or with which status audit
// ends without one.
func fieldOutcome(t *testing.T, path string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	output, err := exec.Command("audit", "-o", dir, path).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	status := 0
	if exit != nil {
		status = exit.ExitCode()
	}
	if status > exitPolicy || strings.Contains(string(output), "goroutine ") {
		t.Logf("%s", output)
		return fmt.Sprintf("exit %d", status)
	}
	var report fieldReport
	text, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	for _, problem := range report.problems() {
		t.Log(problem)
	}
	return report.Verdict
}

// A fieldReport is what these suites read of a report.json.
type fieldReport struct {
	Verdict string
	Image   struct {
		Transport, ArchiveDigest string
		Layers                   []struct{ Digest, DiffID string }
	}
	Checks []struct {
		ID, Status string
		Findings   []struct{ Code, Level, Path string }
	}
}

// problems are what the checks that fail find.
func (r fieldReport) problems() (problems []string) {
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			if c.Status == "fail" && f.Level == "problem" {
				problems = append(problems, f.Code+" "+f.Path)
			}
		}
	}
	return problems
}

// honest says whether a verdict accuses nobody.
func honest(verdict string) bool {
	return slices.Contains([]string{"unverified", "matching", "vouched", "equivalent", "reproducible"}, verdict)
}
