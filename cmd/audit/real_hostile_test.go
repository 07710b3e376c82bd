package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"audit/fixtures/hostile"
)

// TestRealHostile reads every image of the hostile cast with a process of its
// own, as a user does, and holds the peak of its memory against a bound. It
// prints a table of what happened, with the seconds of CPU that it took.
func TestRealHostile(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "hostile" {
		t.Skip("takes minutes: AUDIT_TEST_REAL=hostile asks for it")
	}
	fmt.Printf("| %-46s | exit |   MiB | CPU s | what it says\n", "image")
	cases, highest := hostile.Cases("../../fixtures"), int64(0)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "image")
			writeApart(t, c.Name, path)
			e, peak, cpu := inspectApart(t, path, emptyFolder(t, dir))
			e.left = leftIn(t, dir)
			e.check(t, c)
			if limit := max(c.MiB, 300); peak > limit {
				t.Errorf("peak of memory %d MiB, want at most %d", peak, limit)
			}
			highest = max(highest, peak)
			fmt.Printf("| %-46s | %4d | %5d | %5.1f | %.160s\n", c.Name, e.status, peak, cpu.Seconds(), e.words(t, c, dir))
		})
	}
	if !t.Failed() {
		fmt.Printf("real suite: hostile %d images, the highest peak of memory is %d MiB\n", len(cases), highest)
	}
}

// words is what tells the user: the line on standard error, or the finding in
// the report that the case is about, or else what integrity sums up.
func (e ending) words(t *testing.T, c hostile.Case, dir string) string {
	t.Helper()
	if c.Exit == 3 {
		said := strings.ReplaceAll(e.stderr, dir+"/", "")
		return strings.TrimPrefix(strings.TrimSpace(said), "audit: reading image: ")
	}
	all := e.sentences(t)
	for _, said := range all {
		if strings.Contains(said, c.Says) {
			return said
		}
	}
	return all[0]
}

// inspectApart runs audit inspect as a process of its own and returns the peak
// of its memory, in MiB, and the time that it had a processor.
func inspectApart(t *testing.T, path, tmp string) (ending, int64, time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var stdout, stderr, peak bytes.Buffer
	cmd := exec.CommandContext(ctx, "audit-measured", "inspect", "--json", path)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &stdout, &stderr, []*os.File{w}
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	err = cmd.Run()
	w.Close()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatal("it took more than three minutes")
	}
	if _, err := peak.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	var kib int64
	if _, err := fmt.Sscan(peak.String(), &kib); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return ending{status: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}, kib >> 10, cpu
}

// measured is the command audit-measured: audit that writes the peak of its
// memory, in KiB, to file descriptor 3. What a parent learns of its children
// (getrusage) begins with what the parent itself took.
func measured() {
	status := Main(append([]string{"audit"}, os.Args[1:]...), os.Stdin, os.Stdout, os.Stderr)
	about, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	_, peak, _ := strings.Cut(string(about), "VmHWM:")
	peak, _, _ = strings.Cut(peak, "kB")
	fmt.Fprintln(os.NewFile(3, "peak"), strings.TrimSpace(peak))
	os.Exit(status)
}

// writeApart has another process write the image: the most memory that this
// one ever had would count for the processes that it starts.
func writeApart(t *testing.T, name, path string) {
	t.Helper()
	if out, err := exec.Command("write-hostile", name, path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// writeHostile is the command write-hostile NAME FILE.
func writeHostile() {
	for _, c := range hostile.Cases("../../fixtures") {
		if c.Name != os.Args[1] {
			continue
		}
		if err := writeBuffered(os.Args[2], c.Write); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(2)
}
