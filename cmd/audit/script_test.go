package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"audit/fixtures"
	"audit/fixtures/fake"
)

func TestMain(m *testing.M) {
	fake.Play(playEngine, "docker", "buildctl", "buildah")
	testscript.Main(m, map[string]func(){
		"audit": main, "audit-measured": measured, "write-hostile": writeHostile,
		"write-sif": writeSIF,
	})
}

// TestScripts pins what a user of the command line sees. No builder is on the
// PATH of the scripts: what needs one is in the real suite.
func TestScripts(t *testing.T) {
	samples, err := filepath.Abs("../../fixtures/guix")
	if err != nil {
		t.Fatal(err)
	}
	dockerSamples, err := filepath.Abs("../../fixtures/docker")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("SAMPLES", samples)
			env.Setenv("DOCKER", dockerSamples)
			env.Setenv("TZ", "UTC")
			bin, err := fewTools(env.WorkDir, env.Getenv("PATH"))
			env.Setenv("PATH", bin)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"tamper":    tamper,
			"status":    status,
			"norun":     norun,
			"newlike":   newlike,
			"engines":   engines,
			"tampered":  tampered,
			"bootstrap": bootstrap,
			"archived":  archived,
			"built":     built,
			"packaged":  packaged,
		},
	})
}

// built OUT SPEC.json writes the image that a fixtures.Docker describes, as docker save does.
func built(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: built OUT SPEC.json")
	}
	var spec fixtures.Docker
	decoder := json.NewDecoder(bytes.NewReader([]byte(ts.ReadFile(args[1]))))
	decoder.DisallowUnknownFields()
	ts.Check(decoder.Decode(&spec))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), spec.Archive(), 0o666))
}

// fewTools makes a folder with audit and the few programs that the scripts use
// and nothing else, so that no script sees a builder that this machine has.
func fewTools(work, path string) (string, error) {
	bin := filepath.Join(work, ".bin")
	if err := os.Mkdir(bin, 0o777); err != nil {
		return "", err
	}
	for _, name := range []string{"sh", "grep", "head", "true", "cat", "mkdir", "mkfifo", "sed", "audit"} {
		for _, dir := range filepath.SplitList(path) {
			tool := filepath.Join(dir, name)
			if _, err := os.Stat(tool); err != nil {
				continue
			}
			if err := os.Symlink(tool, filepath.Join(bin, name)); err != nil {
				return "", err
			}
			break
		}
	}
	return bin, nil
}

// tamper IN OUT EDIT [ARG…] plants one change in an image.
func tamper(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: tamper IN OUT EDIT [ARG...]")
	}
	edit, err := editNamed(ts, args[2], args[3:])
	ts.Check(err)
	ts.Check(fixtures.TamperFile(ts.MkAbs(args[0]), ts.MkAbs(args[1]), edit))
}

func editNamed(ts *testscript.TestScript, name string, args []string) (fixtures.Edit, error) {
	number := func(i int) int64 {
		n, err := strconv.ParseInt(args[i], 0, 64)
		ts.Check(err)
		return n
	}
	switch name {
	case "flip":
		return fixtures.FlipLayerByte(int(number(0)), int(number(1))), nil
	case "outside":
		return fixtures.AddFileOutsideStore(args[0], args[1]), nil
	case "setuid":
		return fixtures.SetSetuid(args[0]), nil
	case "owner":
		return fixtures.ChangeOwner(args[0], number(1), number(2)), nil
	case "mtime":
		return fixtures.ChangeMtime(args[0], number(1)), nil
	case "swap":
		return fixtures.SwapEntries(args[0], args[1]), nil
	case "twice":
		return fixtures.DuplicateEntry(args[0]), nil
	case "remove-item":
		return fixtures.RemoveItem(args[0]), nil
	case "add-item":
		return fixtures.AddUnreferencedItem(args[0]), nil
	case "config-digest":
		return fixtures.ChangeConfigDigest, nil
	case "byte-inside":
		return fixtures.ChangeByteInsideItem(args[0], int(number(1))), nil
	case "file-inside":
		return fixtures.AddFileInsideItem(args[0], args[1], args[2]), nil
	case "garbage":
		return fixtures.TrailingGarbage(int(number(0)), args[1]), nil
	case "padding":
		return fixtures.PaddingByte(args[0], byte(number(1))), nil
	case "manifest":
		return fixtures.SetProfileManifest(ts.ReadFile(args[0])), nil
	case "member":
		return fixtures.AddMember(args[0], args[1]), nil
	}
	return nil, fmt.Errorf("no edit %q", name)
}

// status REPORT.json CHECK STATUS demands how a check ended; the check named
// verdict stands for the verdict.
func status(ts *testscript.TestScript, neg bool, args []string) {
	var r struct {
		Verdict string
		Checks  []struct{ ID, Status string }
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &r))
	got := map[string]string{"verdict": r.Verdict}
	for _, c := range r.Checks {
		got[c.ID] = c.Status
	}
	if len(r.Checks) != 8 {
		ts.Fatalf("%d checks, want 8", len(r.Checks))
	}
	if (got[args[1]] == args[2]) == neg {
		ts.Fatalf("%s is %q, want %q", args[1], got[args[1]], args[2])
	}
}

// norun IN.json OUT.json writes a report without what changes from run to run.
func norun(ts *testscript.TestScript, _ bool, args []string) {
	var r map[string]json.RawMessage
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &r))
	if _, ok := r["run"]; !ok {
		ts.Fatalf("the report has no run")
	}
	delete(r, "run")
	out, err := json.Marshal(r)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out, 0o666))
}

// newlike NAME writes an image of the default spec.
func newlike(ts *testscript.TestScript, _ bool, args []string) {
	var out bytes.Buffer
	ts.Check(fixtures.Write(&out, fixtures.Spec{}))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out.Bytes(), 0o666))
}

// tampered FOLDER writes an honest OCI archive, and the ways in which it can be
// tampered with, each with the old descriptor and with one that fits.
func tampered(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(writeTampered(dir))
}

func writeTampered(dir string) error {
	if err := os.WriteFile(filepath.Join(dir, "honest.tar"), fixtures.Tampering{}.OCIArchive(true), 0o666); err != nil {
		return err
	}
	for name, fit := range map[string]bool{"stale": false, "fitted": true} {
		folder := filepath.Join(dir, name)
		if err := os.Mkdir(folder, 0o777); err != nil {
			return err
		}
		for _, t := range fixtures.Tamperings() {
			if err := os.WriteFile(filepath.Join(folder, t.Name+".tar"), t.OCIArchive(fit), 0o666); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeSIF is the command write-sif SQUASHFS SIF.
func writeSIF() {
	squashfs, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = os.WriteFile(os.Args[2], fixtures.SIF("Bootstrap: scratch\n", squashfs), 0o666)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
