package guix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"

	"audit/rebuild"
	"audit/rebuild/shell"
)

// handedOn are the variables that guix gets beside those of every tool: where
// its daemon, its state and its locales are. Those that change what it makes,
// such as GUIX_PACKAGE_PATH and GUIX_BUILD_OPTIONS, are left out.
func handedOn() []string {
	return []string{
		"GUIX_DAEMON_SOCKET", "GUIX_STATE_DIRECTORY", "GUIX_DATABASE_DIRECTORY",
		"GUIX_CONFIGURATION_DIRECTORY", "GUIX_LOCPATH", "GUILE_AUTO_COMPILE",
	}
}

// maxStdout bounds what guix may print: at most the paths of a big closure.
const maxStdout = 64 << 20

// run runs guix in the job's folder and returns its standard output.
func (s *session) run(ctx context.Context, args ...string) ([]byte, error) {
	out, err := s.try(ctx, args...)
	return out.Stdout, explain(err, string(out.Log))
}

// try is run for callers that read failures themselves.
func (s *session) try(ctx context.Context, args ...string) (rebuild.Output, error) {
	var log io.Writer = s.said
	if s.job.Log != nil {
		if _, err := io.WriteString(s.job.Log, "$ "+shell.Printable(shell.Words(append([]string{"guix"}, args...)))+"\n"); err != nil {
			return rebuild.Output{}, fmt.Errorf("writing the log: %w", err)
		}
		log = io.MultiWriter(s.said, s.job.Log)
	}
	return rebuild.Run(ctx, rebuild.Command{
		Argv: append([]string{s.guix}, args...), Dir: s.job.Dir, Pass: handedOn(), Log: log, Stdout: maxStdout,
	})
}

// howToGetGuix is advice for a machine without it.
const howToGetGuix = "Install GNU Guix (https://guix.gnu.org/download, or a distribution's package guix) and run audit again; " +
	"or run rebuild.sh on a machine that has it and hand the image over with --rebuilt IMAGE."

// explain turns the failure of a command into what it means for a build: no
// builder, a failed build, or an interruption.
func explain(err error, log string) error {
	var exit *rebuild.ExitError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return &rebuild.HintError{Err: &stopError{rebuild.ErrNoBuilder, "GNU Guix is not installed: " + err.Error()}, Hint: howToGetGuix}
	case !errors.As(err, &exit):
		return err
	}
	for _, f := range failures() {
		if f.says.MatchString(log) {
			err := &stopError{kind: f.kind, text: f.means + ": " + complaint(log, f.says)}
			return &rebuild.HintError{Err: err, Hint: f.hint}
		}
	}
	return &stopError{kind: rebuild.ErrBuild, text: err.Error() + ": " + complaint(log, guixError)}
}

// A stopError is a reason why there is no rebuild, of one of the kinds that
// package rebuild names; its text says what happened without naming the kind.
type stopError struct {
	kind error
	text string
}

func (e *stopError) Error() string { return e.text }

func (e *stopError) Unwrap() error { return e.kind }

// A failure is a way of failing that people meet, and what they can do.
type failure struct {
	says  *regexp.Regexp // a line of the log
	kind  error
	means string
	hint  string
}

// guixError matches the line in which Guix says what went wrong.
var guixError = regexp.MustCompile(`error: `)

// failures are the known ones, the most telling first (messages of Guix 1.5.0,
// libgit2 1.9 and Guile 3.0).
func failures() []failure {
	known := func(says string, kind error, means, hint string) failure {
		return failure{regexp.MustCompile(says), kind, means, hint}
	}
	const build = "The recipe is what the image says; what cannot be built now may be buildable elsewhere, with the substitutes of a build farm, or with --rebuilt."
	return []failure{
		known("error: failed to connect to [`']/", rebuild.ErrNoBuilder, "the Guix daemon does not answer",
			"Start guix-daemon (systemctl start guix-daemon), or set GUIX_DAEMON_SOCKET; or run rebuild.sh on a machine where Guix works and hand the image over with --rebuilt IMAGE."),
		known(`No space left on device`, rebuild.ErrBuild, "the disk is full",
			"Free some space, for example with guix gc, and run audit again."),
		known(`lacks an introduction and cannot be authenticated`, rebuild.ErrBuild, "the channel cannot be authenticated",
			"The image was made before Guix recorded introductions, or from a fork without one. Its channels.scm shows which; Guix refuses to run it as it is."),
		known(`not signed by an authorized key|could not authenticate commit|cannot be authenticated`, rebuild.ErrBuild, "the channel's history is not signed by those who may",
			"The address may serve another history than the one the image was made from."),
		known(`object not found - no match for id|revision .* could not be found|commit .* not found`, rebuild.ErrBuild, "the recorded commit is not in the channel's repository",
			"It may never have been pushed, or the history was rewritten. If another copy has it, point git there: git config --global url.COPY.insteadOf ADDRESS."),
		known(`failed to resolve address|Name or service not known|name resolution|Network is unreachable|Connection (refused|timed out)|unable to connect|failed to connect to|failed to send request|SSL error|TLS error|Git error`, rebuild.ErrBuild, "the channel could not be fetched",
			"A network is needed unless this machine has used the same commits before. If the address has moved, point git to the new one: git config --global url.NEW.insteadOf OLD."),
		known(`error: .*: unknown package|error: .*: package not found`, rebuild.ErrBuild, "the recipe names a package that its channels do not have",
			"It may come from a channel that the image does not record, or from a file of its author."),
		known("is required to build [`'].*but I am a", rebuild.ErrBuild, "the image is for another kind of machine",
			"Build on such a machine, or enable emulation: on Guix System the service qemu-binfmt, elsewhere the package qemu-user-static."),
		known(`some substitutes for the outputs of derivation .* failed`, rebuild.ErrBuild, "a substitute could not be fetched",
			"Try again; Guix builds from source what it cannot fetch when its daemon runs with --fallback."),
		known(`(unshare|clone|setting up the build environment|mount).*Operation not permitted`, rebuild.ErrBuild, "the Guix daemon may not make its build sandbox here",
			"Inside a container the daemon needs more privileges (docker run --privileged)."),
		known(`unrecognized option`, rebuild.ErrBuild, "the Guix of the recipe does not know an option",
			"The image may have been made by a later Guix than the one that it records."),
		known("error: build (of .* )?failed|build of .* failed", rebuild.ErrBuild, "a package does not build", build),
	}
}

// complaint returns the line of a log that says what went wrong: the last that
// matches, else the last of all.
func complaint(log string, says *regexp.Regexp) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if says.MatchString(lines[i]) {
			return strings.TrimSpace(lines[i])
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}
