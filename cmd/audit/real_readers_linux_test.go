package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/fixtures/ambiguous"
	"audit/inspect"
)

// TestRealReaders feeds images that two readers could understand differently to
// skopeo, umoci, buildah, containerd and Docker, and compares what they take and
// what a container sees with the model of package inspect. Where all that accept an
// image agree, the model is theirs; where they do not, the integrity check fails.
// Where it is about files the engines unpack twice: all layers into one folder, and
// each layer on its own for overlayfs. It needs root and the packages that .ci/run installs.
func TestRealReaders(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "readers" {
		t.Skip("needs root, skopeo, umoci, buildah, containerd and Docker: AUDIT_TEST_REAL=readers says that they are there")
	}
	b := newReaders(t)
	cases := ambiguous.Cases(runtime.GOARCH)
	fmt.Printf("| %-52s | %-8s | %-8s | %-8s | %-10s | %-8s | audit\n", "case", "skopeo", "umoci", "buildah", "containerd", "docker")
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			r := b.read(t, fmt.Sprintf("case-%03d", i), c)
			fmt.Println(r.row(c))
			r.judge(t, c)
		})
	}
	if !t.Failed() {
		fmt.Printf("real suite: readers %d cases, by %s\n", len(cases), b.versions(t))
	}
}

// A view is what one reader makes of an image.
type view struct {
	refusal    string // why it does not read the image; "" where it does
	crashes    bool   // and it ends
	none       bool   // the reader does not read this form
	user       string
	entrypoint string
	files      []string // nil where the reader unpacks nothing
}

// accepts says whether the reader reads the image.
func (v view) accepts() bool { return !v.none && v.refusal == "" }

// agrees says whether two readers see the same, as far as both look.
func (v view) agrees(w view) bool {
	return v.user == w.user && v.entrypoint == w.entrypoint &&
		(v.files == nil || w.files == nil || slices.Equal(v.files, w.files))
}

// A comparison is what the readers, and audit, make of one case.
type comparison struct {
	readers [][]view // of each column of the table
	audit   view
	codes   []string // problems of the integrity check
	files   bool     // the case is about the root file system
	kinds   []view   // those that differ, in the order of the columns
}

// kind returns the letter of what a reader sees, the same for the same.
func (r *comparison) kind(v view) string {
	switch {
	case v.none:
		return "-"
	case v.crashes:
		return "crashes"
	case v.refusal != "":
		return "refuses"
	}
	i := slices.IndexFunc(r.kinds, v.agrees)
	if i < 0 {
		i = len(r.kinds)
		r.kinds = append(r.kinds, v)
	}
	return string(rune('A' + i))
}

// count returns how many different images the readers see, and whether one
// refuses.
func (r *comparison) count() (kinds int, refused bool) {
	r.kinds = nil
	for _, v := range slices.Backward(slices.Concat(r.readers...)) { // those that see files first
		if r.files && v.files == nil && v.accepts() {
			continue
		}
		r.kind(v)
		refused = refused || v.refusal != ""
	}
	return len(r.kinds), refused
}

func (r *comparison) row(c ambiguous.Case) string {
	r.count()
	row := fmt.Sprintf("| %-52s", c.Name)
	for i, column := range r.readers {
		var cell []string
		for _, v := range column {
			cell = append(cell, r.kind(v))
		}
		row += fmt.Sprintf(" | %-*s", []int{8, 8, 8, 10, 8}[i], strings.Join(slices.Compact(cell), "/"))
	}
	said := r.kind(r.audit)
	if len(r.codes) > 0 {
		said += ", fail: " + strings.Join(r.codes, " ")
	}
	return row + " | " + said
}

// judge demands that audit takes what all readers take, or says that there is more
// than one way to read the image.
func (r *comparison) judge(t *testing.T, c ambiguous.Case) {
	t.Helper()
	kinds, refused := r.count()
	silent := r.audit.accepts() && len(r.codes) == 0
	if r.audit.accepts() == c.Refused {
		t.Errorf("audit reads it: %v, want %v: %s", r.audit.accepts(), !c.Refused, r.audit.refusal)
	}
	if want := strings.Fields(c.Code); !slices.Equal(r.codes, want) {
		t.Errorf("integrity finds %q, want %q", r.codes, want)
	}
	switch {
	case silent && kinds > 1:
		t.Errorf("the readers differ, and integrity passes")
	case silent && kinds == 0:
		t.Errorf("no reader accepts it, and integrity passes")
	case silent && r.kind(r.audit) != "A":
		t.Errorf("audit sees another image than the readers")
	case !silent && kinds == 1 && !refused && c.Despite == "":
		t.Errorf("all readers agree, and integrity fails")
	case c.Despite != "" && (kinds > 1 || refused):
		t.Errorf("the readers do not agree, although the case says so: %s", c.Despite)
	}
	r.explain(t)
}

// explain logs what each reader makes of the image.
func (r *comparison) explain(t *testing.T) {
	for i, column := range append(slices.Clone(r.readers), []view{r.audit}) {
		name := []string{"skopeo", "umoci", "buildah", "containerd", "docker", "audit"}[i]
		for _, v := range column {
			if !v.none {
				t.Logf("%s: %s user %q entrypoint %q\n  %s", name, v.refusal, v.user, v.entrypoint, strings.Join(v.files, "\n  "))
			}
		}
	}
}

// auditView is what the model of package inspect has, the problems of integrity
// and the folders that no entry made.
func auditView(t *testing.T, reference string) (v view, codes []string, implied map[string]bool) {
	t.Helper()
	img, err := inspect.Open(t.Context(), reference, inspect.Options{Stores: fixtures.Stores()})
	if err != nil {
		return view{refusal: err.Error()}, nil, nil
	}
	codes = problemCodes(img)
	config := img.Config.File.Config
	v = view{user: userOf(config.User), entrypoint: strings.Join(config.Entrypoint, " "), files: []string{}}
	implied = make(map[string]bool)
	for f := range img.Root().Files() {
		for dir := filepath.Dir(f.Path); dir != "."; dir = filepath.Dir(dir) {
			if _, ok := implied[dir]; ok {
				break
			}
			implied[dir] = true
		}
		implied[f.Path] = false
	}
	for path, is := range implied {
		if is {
			v.files = append(v.files, path+" 5")
		}
	}
	for f := range img.Root().Files() {
		if f.Path == "." {
			continue
		}
		e := *f.Inode.Entry
		e.Mode, e.Attributes = f.Inode.Header.Mode, f.Inode.Header.Attributes
		v.files = append(v.files, readerLine(entryFile(&e), f.Path))
	}
	slices.Sort(v.files)
	return v, codes, implied
}

// userOf returns a user as a number.
func userOf(user string) string {
	if user == "" {
		return "0"
	}
	return user
}

// readerLine is a file without its times and attributes.
func readerLine(f treeFile, path string) string {
	f.seconds, f.xattrs = 0, nil
	return strings.TrimSuffix(f.line(path), " @0")
}
