package rebuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"audit/inspect"
)

// A Command is a program to run and the bounds to run it in.
type Command struct {
	Argv []string
	Dir  string   // where it runs
	Pass []string // names of environment variables to hand on, beside those that every tool gets
	Env  []string // more variables, each NAME=VALUE
	// Stdin is a file to read as standard input; "" for nothing.
	Stdin string
	// Log, when set, is given standard error as it comes: one Write a line,
	// with its newline and without control characters. An error from it ends
	// the command.
	Log io.Writer
	// Stdout is the most bytes of standard output to take; 0 means 1 MiB. More
	// ends the command with an [inspect.LimitError].
	Stdout int
	// Grace is how long the processes have to end by themselves after they
	// are asked to, before they are killed; 0 means 10 seconds.
	Grace time.Duration
}

// The defaults of a Command, and the share of a long log that is kept.
const (
	defaultStdout = 1 << 20
	defaultGrace  = 10 * time.Second
	logHead       = 64 << 10
	logTail       = 192 << 10
)

// Output is what a command wrote.
type Output struct {
	Stdout []byte
	Log    []byte // standard error, its middle cut out when it is long
}

// An ExitError reports a command that ran and failed.
type ExitError struct {
	Argv   []string
	Code   int    // exit status; -1 when a signal ended it
	Reason string // such as "exit status 1" or "signal: killed"
}

func (e *ExitError) Error() string { return fmt.Sprintf("running %s: %s", e.Argv[0], e.Reason) }

// Run runs a command to its end, in a process group of its own, with nothing
// on standard input but what c says and a clean environment. When ctx ends the whole group is
// asked to stop with SIGTERM and, after a grace, made to with SIGKILL; nothing
// of the group outlives Run, however the command ends.
//
// A tool that is not there, one that failed and one that was cancelled are
// three different errors: the first wraps [exec.ErrNotFound], the second is an
// [*ExitError], the third wraps the cause of ctx's end. In each case the
// output has what was written until then.
func Run(ctx context.Context, c Command) (Output, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stdout := &limitedBuffer{limit: c.stdout(), full: func() { cancel(c.tooMuch()) }}
	log := &lineLog{to: c.Log, broken: func(err error) { cancel(fmt.Errorf("writing the log: %w", err)) }}

	cmd, err := c.command(ctx)
	if err != nil {
		return Output{}, err
	}
	cmd.Stdout, cmd.Stderr = stdout, log
	if c.Stdin != "" {
		in, err := os.Open(c.Stdin)
		if err != nil {
			return Output{}, fmt.Errorf("running %s: %w", c.Argv[0], err)
		}
		defer in.Close()
		cmd.Stdin = in
	}
	var until time.Time // when the grace ends; zero unless cancelled
	cmd.Cancel = func() error {
		until = time.Now().Add(c.grace())
		return stopGroup(cmd.Process)
	}
	if err = cmd.Start(); err == nil {
		err = cmd.Wait()
		endGroup(cmd.Process.Pid, until)
	}
	log.flush()
	out := Output{Stdout: stdout.data, Log: log.kept.bytes()}
	return out, c.outcome(ctx, cmd, err)
}

// command prepares the process.
func (c Command) command(ctx context.Context) (*exec.Cmd, error) {
	path, err := find(c.Argv[0])
	if err != nil {
		return nil, fmt.Errorf("looking for %s: %w", c.Argv[0], err)
	}
	cmd := exec.CommandContext(ctx, path, c.Argv[1:]...)
	cmd.Args[0] = c.Argv[0]
	cmd.Dir = c.Dir
	cmd.Env = append(environment(os.Environ(), c.Pass), c.Env...)
	ownGroup(cmd)
	cmd.WaitDelay = c.grace()
	return cmd, nil
}

// find returns the absolute path of a program, which a relative one would not
// be where the command runs. A path that leads to no program is a tool that is
// not there too.
func find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil && !errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("%w: %w", exec.ErrNotFound, err)
	}
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// outcome sorts the ends of a process into the kinds of error that callers
// distinguish.
func (c Command) outcome(ctx context.Context, cmd *exec.Cmd, err error) error {
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("running %s: %w", c.Argv[0], context.Cause(ctx))
	case errors.As(err, &exit):
		return &ExitError{Argv: c.Argv, Code: exit.ExitCode(), Reason: exit.Error()}
	case errors.Is(err, exec.ErrWaitDelay) && cmd.ProcessState.Success():
		return nil // a left-behind child held the pipes; it is gone now
	case err != nil:
		return fmt.Errorf("running %s: %w", c.Argv[0], err)
	}
	return nil
}

func (c Command) tooMuch() error {
	return &inspect.LimitError{Name: "bytes of standard output", Limit: int64(c.stdout()), Where: c.Argv[0]}
}

func (c Command) stdout() int {
	if c.Stdout > 0 {
		return c.Stdout
	}
	return defaultStdout
}

func (c Command) grace() time.Duration {
	if c.Grace > 0 {
		return c.Grace
	}
	return defaultGrace
}

// passed are the variables that every tool gets: where to find programs, who
// and where the user is, and how to reach the network.
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "TMPDIR",
	"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY",
	"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO",
}

// environment keeps of env what tools need and nothing that changes what they
// make; the locale is always the same one.
func environment(env, more []string) []string {
	var kept []string
	for _, v := range env {
		name, _, _ := strings.Cut(v, "=")
		if slices.Contains(passed, name) || slices.Contains(more, name) {
			kept = append(kept, v)
		}
	}
	return append(kept, "LC_ALL=C.UTF-8", "NO_COLOR=1")
}
