package rebuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"audit/fixtures/fake"
	"audit/inspect"
)

// TestMain lets the test binary double as the tool that tests run.
func TestMain(m *testing.M) {
	fake.Play(play, "tool")
	os.Exit(m.Run())
}

// play is a tool whose first argument is its behaviour.
func play(_, _ string, args []string) int {
	behaviour, args := args[0], args[1:]
	switch behaviour {
	case "env":
		env := os.Environ()
		slices.Sort(env)
		fmt.Println(strings.Join(env, "\n"))
	case "stubborn": // ignores SIGTERM while it holds a pipe open
		signal.Ignore(syscall.SIGTERM)
		hold(args[0])
		select {}
	case "parent": // has a stubborn child and obeys by itself
		spawn("stubborn", args[0])
		hold(args[0])
		fmt.Fprintln(os.Stderr, "ready")
		time.Sleep(time.Hour)
	case "stubborn-parent":
		signal.Ignore(syscall.SIGTERM)
		spawn("stubborn", args[0])
		hold(args[0])
		fmt.Fprintln(os.Stderr, "ready")
		time.Sleep(time.Hour)
	case "leaver": // ends and leaves a child behind
		spawn("stubborn", args[0])
		fmt.Println("done")
	case "polite": // tidies up when told to stop
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		fmt.Fprintln(os.Stderr, "ready")
		<-c
		_ = os.WriteFile(args[0], []byte("tidy"), 0o600)
	case "chatty":
		for i := range 20000 {
			fmt.Fprintf(os.Stderr, "line %d of many, many lines\n", i)
		}
	}
	return 0
}

// hold opens the named pipe for writing: its reader sees the end of it only
// when every process that holds it is gone.
func hold(pipe string) {
	if _, err := os.OpenFile(pipe, os.O_WRONLY, 0); err != nil {
		panic(err)
	}
}

// spawn starts a tool in the same process group and waits until it holds the pipe.
func spawn(behaviour, pipe string) {
	cmd := exec.Command(os.Args[0], behaviour, pipe)
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	hold(pipe) // blocks until the test reads it
}

// tool returns the command line of the tool with these arguments.
func tool(t *testing.T, args ...string) []string {
	t.Helper()
	dir := t.TempDir()
	if err := fake.Link(dir, "tool"); err != nil {
		t.Fatal(err)
	}
	return append([]string{filepath.Join(dir, "tool")}, args...)
}

func sh(script string) []string { return []string{"/bin/sh", "-c", script} }

// onLine calls f with every line.
type onLine func(line string) error

func (f onLine) Write(p []byte) (int, error) { return len(p), f(string(p)) }

func TestRunOutput(t *testing.T) {
	dir := t.TempDir()
	out, err := Run(t.Context(), Command{Argv: sh("pwd; cat; echo to the log >&2"), Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	real, _ := filepath.EvalSymlinks(dir)
	if got := strings.TrimSpace(string(out.Stdout)); got != dir && got != real {
		t.Errorf("ran in %s, want %s", got, dir)
	}
	if got := string(out.Log); got != "to the log\n" {
		t.Errorf("log %q", got)
	}
}

func TestRunInput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(file, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := Run(t.Context(), Command{Argv: sh("cat"), Stdin: file})
	if err != nil || string(out.Stdout) != "from a file" {
		t.Errorf("%q, %v", out.Stdout, err)
	}
	if _, err := Run(t.Context(), Command{Argv: sh("cat"), Stdin: file + "x"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestRunEnvironment(t *testing.T) {
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		t.Setenv(name, "") // so that it comes back after the test
		os.Unsetenv(name)
	}
	for _, name := range []string{"PATH", "HOME", "https_proxy", "MY_TOKEN", "GUIX_DAEMON_SOCKET", "GUIX_PACKAGE_PATH", "LANG", "LC_ALL", "LD_PRELOAD_X"} {
		t.Setenv(name, "x-"+name)
	}
	out, err := Run(t.Context(), Command{
		Argv: tool(t, "env"), Pass: []string{"GUIX_DAEMON_SOCKET", "NOT_SET"}, Env: []string{"MORE=1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "GUIX_DAEMON_SOCKET=x-GUIX_DAEMON_SOCKET\nHOME=x-HOME\nLC_ALL=C.UTF-8\nMORE=1\nNO_COLOR=1\nPATH=x-PATH\nhttps_proxy=x-https_proxy\n"
	got := slices.DeleteFunc(strings.SplitAfter(string(out.Stdout), "\n"), func(v string) bool {
		return strings.HasPrefix(v, "GOCOVERDIR=") || strings.HasPrefix(v, "PWD=")
	})
	if strings.Join(got, "") != want {
		t.Errorf("environment:\n%s\nwant:\n%s", strings.Join(got, ""), want)
	}
}

func TestRunMissingTool(t *testing.T) {
	for _, name := range []string{"no-such-tool-anywhere", filepath.Join(t.TempDir(), "guix")} {
		_, err := Run(t.Context(), Command{Argv: []string{name}})
		if !errors.Is(err, exec.ErrNotFound) {
			t.Errorf("%s: %v, want exec.ErrNotFound", name, err)
		}
	}
}

func TestRunFailure(t *testing.T) {
	for script, want := range map[string]int{"echo some; echo why >&2; exit 7": 7, "echo some; echo why >&2; kill -9 $$": -1} {
		out, err := Run(t.Context(), Command{Argv: sh(script)})
		var exit *ExitError
		if !errors.As(err, &exit) || exit.Code != want {
			t.Errorf("%s: %v, want an ExitError with code %d", script, err, want)
		}
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v is also another kind of error", script, err)
		}
		if string(out.Stdout) != "some\n" || string(out.Log) != "why\n" {
			t.Errorf("%s: output %q, log %q", script, out.Stdout, out.Log)
		}
	}
}

func TestRunNothingToStart(t *testing.T) {
	for name, c := range map[string]Command{
		"NUL in an argument": {Argv: []string{"/bin/sh", "a\x00b"}},
		"no such folder":     {Argv: sh("true"), Dir: "/no/such/folder"},
	} {
		_, err := Run(t.Context(), c)
		var exit *ExitError
		if err == nil || errors.As(err, &exit) || errors.Is(err, exec.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A cancelled command leaves no process behind, whatever its processes think
// of SIGTERM.
func TestRunCancel(t *testing.T) {
	for _, behaviour := range []string{"parent", "stubborn-parent"} {
		t.Run(behaviour, func(t *testing.T) {
			pipe := fifo(t)
			gone := readAll(t, pipe)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := Run(ctx, Command{
				Argv: tool(t, behaviour, pipe), Grace: 200 * time.Millisecond,
				Log: onLine(func(string) error { cancel(); return nil }),
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v, want context.Canceled", err)
			}
			<-gone
		})
	}
}

func TestRunCancelIsPolite(t *testing.T) {
	tidy := filepath.Join(t.TempDir(), "tidy")
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the user has changed their mind")
	_, err := Run(ctx, Command{
		Argv: tool(t, "polite", tidy), Grace: time.Minute,
		Log: onLine(func(string) error { cancel(why); return nil }),
	})
	if !errors.Is(err, why) {
		t.Errorf("%v, want the cause", err)
	}
	if _, err := os.Stat(tidy); err != nil {
		t.Errorf("the tool was not told to stop: %v", err)
	}
}

func TestRunDeadline(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := Run(ctx, Command{Argv: sh("sleep 1000"), Grace: time.Second})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want context.DeadlineExceeded", err)
	}
}

func TestRunLeavesNothingBehind(t *testing.T) {
	pipe := fifo(t)
	gone := readAll(t, pipe)
	out, err := Run(t.Context(), Command{Argv: tool(t, "leaver", pipe), Grace: 200 * time.Millisecond})
	if err != nil || string(out.Stdout) != "done\n" {
		t.Errorf("output %q, error %v", out.Stdout, err)
	}
	<-gone
}

func TestRunTooMuchOutput(t *testing.T) {
	out, err := Run(t.Context(), Command{Argv: sh("while echo more; do :; done"), Stdout: 1000, Grace: time.Second})
	var limit *inspect.LimitError
	if !errors.As(err, &limit) || limit.Limit != 1000 {
		t.Errorf("%v, want a LimitError", err)
	}
	if len(out.Stdout) != 1000 {
		t.Errorf("kept %d bytes, want 1000", len(out.Stdout))
	}
}

func TestRunLogCannotBeWritten(t *testing.T) {
	full := errors.New("no space left")
	_, err := Run(t.Context(), Command{
		Argv: sh("while echo more >&2; do :; done"), Grace: time.Second,
		Log: onLine(func(string) error { return full }),
	})
	if !errors.Is(err, full) {
		t.Errorf("%v, want the log's error", err)
	}
}

func TestRunLongLog(t *testing.T) {
	n := 0
	out, err := Run(t.Context(), Command{Argv: tool(t, "chatty"), Log: onLine(func(string) error { n++; return nil })})
	if err != nil {
		t.Fatal(err)
	}
	if n != 20000 {
		t.Errorf("%d lines were handed on, want all 20000", n)
	}
	log := string(out.Log)
	if !strings.HasPrefix(log, "line 0 of") || !strings.HasSuffix(log, "line 19999 of many, many lines\n") {
		t.Error("the log lacks its head or its tail")
	}
	if len(log) > logHead+logTail+100 {
		t.Errorf("the log has %d bytes", len(log))
	}
	checkCut(t, log, 20000)
}

// checkCut holds the number of bytes that a shortened log says it left out
// against the bytes that are missing.
func checkCut(t *testing.T, log string, lines int) {
	t.Helper()
	whole := 0
	for i := range lines {
		whole += len(fmt.Sprintf("line %d of many, many lines\n", i))
	}
	_, rest, ok := strings.Cut(log, "[")
	note, _, _ := strings.Cut(rest, "\n")
	var cut int
	if _, err := fmt.Sscanf(note, "%d bytes", &cut); !ok || err != nil {
		t.Fatalf("the log does not say what was cut: %q", note)
	}
	if got := len(log) - len("["+note+"\n") + cut; got != whole {
		t.Errorf("kept and cut bytes are %d, the log had %d", got, whole)
	}
}

func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// readAll reads a named pipe to its end, which comes when the last process
// that holds it has ended.
func readAll(t *testing.T, pipe string) <-chan struct{} {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f, err := os.Open(pipe)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		_, _ = io.Copy(io.Discard, f)
	}()
	return done
}

// No tool gets the user's SSH agent, nor what else could speak for the user.
func TestNoAgentIsHandedOn(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "/run/agent")
	t.Setenv("GIT_SSH_COMMAND", "ssh -i key")
	t.Setenv("GITHUB_TOKEN", "secret")
	out, err := Run(t.Context(), Command{Argv: []string{"/bin/sh", "-c", `printf '%s' "${SSH_AUTH_SOCK-none} ${GIT_SSH_COMMAND-none} ${GITHUB_TOKEN-none}"`}})
	if err != nil || string(out.Stdout) != "none none none" {
		t.Errorf("%q, %v", out.Stdout, err)
	}
}
