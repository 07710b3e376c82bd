package guix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"

	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/shell"
	"audit/rebuild/store"
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
	var log io.Writer = s.log
	if s.job.Log != nil {
		if _, err := io.WriteString(s.job.Log, "$ "+shell.Printable(shell.Words(append([]string{"guix"}, args...)))+"\n"); err != nil {
			return rebuild.Output{}, fmt.Errorf("writing the log: %w", err)
		}
		log = io.MultiWriter(s.log, s.job.Log)
	}
	return rebuild.Run(ctx, rebuild.Command{
		Argv: append([]string{s.guix}, args...), Dir: s.job.Dir, Pass: handedOn(), Log: log, Stdout: maxStdout,
	})
}

// howToGetGuix is advice for a machine without it.
const howToGetGuix = "Install GNU Guix (https://guix.gnu.org/download, or a distribution's package guix) and run audit again; " +
	"or run rebuild.sh on a machine that has it and hand the image over with --rebuilt IMAGE."

// explain turns the failure of a command into what it means for a build: no
// builder, a failed build, a build that was not done, or an interruption.
//
// A build has failed only where Guix says that a builder has. What Guix itself
// reports of daemon, disk, machines or channels says nothing of the recipe; and the
// same words in what a build wrote do not make its failure one of the machine.
func explain(err error, log string) error {
	var exit *rebuild.ExitError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return &rebuild.HintError{Err: &store.StopError{Kind: rebuild.ErrNoBuilder, Text: "GNU Guix is not installed: " + err.Error()}, Hint: howToGetGuix}
	case !errors.As(err, &exit):
		return err
	}
	own := ownWords(log)
	if f, line, ok := infrastructure(lastError(own)); ok {
		return stopped(f, line)
	}
	if b := brokenBuild(log); b != nil {
		return &rebuild.HintError{Err: &store.StopError{Kind: b.cause().Kind, Text: b.text()}, Hint: b.cause().Hint}
	}
	if m := packageMissing.FindStringSubmatch(own); m != nil {
		return incomplete(m[1], complaint(own, packageMissing))
	}
	if f, line, ok := match(failures(), lastError(own)); ok {
		return stopped(f, line)
	}
	if f, line, ok := infrastructure(own); ok {
		return stopped(f, line)
	}
	if b := quietBuild(log); b != nil {
		return &rebuild.HintError{Err: &store.StopError{Kind: rebuild.ErrBuild, Text: b.text()}, Hint: b.cause().Hint}
	}
	if f, line, ok := match(failures(), own); ok {
		return stopped(f, line)
	}
	return &store.StopError{Kind: rebuild.ErrNotDone, Text: err.Error() + ": " + complaint(log, guixError)}
}

// incomplete is the error of a recipe that names a package which none of its channels
// has.
func incomplete(name, line string) error {
	err := &rebuild.IncompleteError{
		Package: name, Missing: check.Say("recipe/package-not-in-channels", "package", name),
		Err: &store.StopError{Kind: rebuild.ErrNotDone, Text: "the recipe names a package that its channels do not have: " + line},
	}
	return &rebuild.HintError{Err: err, Hint: notInChannels}
}

// stopped is the error of a failure that a line shows.
func stopped(f store.Failure, line string) error {
	return &rebuild.HintError{Err: &store.StopError{Kind: f.Kind, Text: f.Means + ": " + line}, Hint: f.Hint}
}

// guixError matches the line in which Guix says what went wrong.
var guixError = regexp.MustCompile(`error: `)

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
