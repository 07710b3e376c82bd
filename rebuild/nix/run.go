package nix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"audit/rebuild"
	"audit/rebuild/shell"
)

// The server and the key that are asked and trusted unless others are named
// (https://nixos.org/manual/nix/stable/command-ref/conf-file, substituters).
const (
	officialServer = "https://cache.nixos.org"
	officialKey    = "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="
)

// policy are the options that every command gets and that decide what comes
// out: they stand in the report. What nix.conf says is left out.
func policy(o rebuild.Options) []string {
	words := []string{
		"--option", "sandbox", "true", "--option", "sandbox-fallback", "false",
		"--option", "allow-import-from-derivation", "false", "--option", "accept-flake-config", "false",
		"--option", "require-sigs", "true", "--option", "fallback", "true",
	}
	servers, keys := o.SubstituteURLs, o.SubstituteKeys
	if len(servers) == 0 {
		servers = []string{officialServer}
	}
	if len(keys) == 0 {
		keys = []string{officialKey}
	}
	if o.NoSubstitutes {
		servers = nil
	}
	words = append(words, "--option", "substitute", strconv.FormatBool(len(servers) > 0),
		"--option", "substituters", strings.Join(servers, " "), "--option", "trusted-public-keys", strings.Join(keys, " "),
		"--option", "builders", o.Builders)
	if o.Cores > 0 {
		words = append(words, "--option", "cores", strconv.Itoa(o.Cores))
	}
	if o.MaxJobs > 0 {
		words = append(words, "--option", "max-jobs", strconv.Itoa(o.MaxJobs))
	}
	return words
}

// settings are the options of a plan that every command gets, and not only the
// evaluation.
func settings(s rebuild.Source) []string {
	var taken []string
	for words := s.Options; len(words) > 2; {
		if words[0] != "--option" {
			words = words[2:]
			continue
		}
		if words[1] != "allowed-uris" {
			taken = append(taken, words[:3]...)
		}
		words = words[3:]
	}
	return taken
}

// place are the options that say where this run happens: they change nothing.
func (s *session) place() []string {
	return []string{"--store", s.root, "--log-format", "internal-json", "--option", "build-users-group", usersGroup()}
}

// usersGroup is the group of the users that root builds as; "" where there is
// none, or for others than root.
func usersGroup() string {
	if _, err := user.LookupGroup("nixbld"); err != nil || os.Geteuid() != 0 {
		return ""
	}
	return "nixbld"
}

// configuration is the nix.conf of this run. Commands get the same settings as
// options; this is for what Nix itself starts, such as another store that it
// builds in. Who builds there, and how much at a time, is that one's affair.
func (s *session) configuration() string {
	var b strings.Builder
	words := append(policy(s.job.Options), settings(*s.plan.Source)...)
	for words = append(words, "--option", "build-users-group", usersGroup()); len(words) > 2; words = words[3:] {
		if words[1] != "builders" && words[1] != "max-jobs" {
			b.WriteString(words[1] + " = " + words[2] + "\n")
		}
	}
	return b.String()
}

// handedOn are the variables that Nix gets beside those of every tool. Those
// that change what it makes, such as NIX_PATH, NIX_CONFIG and NIX_REMOTE, are
// left out.
func handedOn() []string { return []string{"NIX_SSHOPTS", "NIX_SSL_CERT_FILE"} }

// environment are the variables that this package sets: no nix.conf but our
// own, and a folder for what is temporary that goes with the job.
func (s *session) environment() []string {
	env := []string{"NIX_CONF_DIR=" + s.inJob("conf"), "NIX_USER_CONF_FILES=", "TMPDIR=" + s.inJob("tmp")}
	if os.Getenv("USER") == "" {
		env = append(env, "USER=audit") // Nix does not start without one
	}
	return env
}

func (s *session) inJob(name string) string { return filepath.Join(s.job.Dir, name) }

// maxStdout bounds what a command may print: at most the paths of a big
// closure.
const maxStdout = 64 << 20

// A call is a command of Nix.
type call struct {
	program string
	words   []string
	stdin   string // file; "" for nothing
}

// run runs a command of Nix and returns its standard output.
func (s *session) run(ctx context.Context, c call) ([]byte, error) {
	out, err := s.try(ctx, c)
	return out, s.explain(err)
}

// try is run for callers that read failures themselves.
func (s *session) try(ctx context.Context, c call) ([]byte, error) {
	argv := append([]string{s.program(c.program)}, s.place()...)
	argv = append(argv, policy(s.job.Options)...)
	argv = append(argv, settings(*s.plan.Source)...)
	argv = append(argv, c.words...)
	if err := s.announce(c); err != nil {
		return nil, err
	}
	out, err := rebuild.Run(ctx, rebuild.Command{
		Argv: argv, Dir: s.job.Dir, Pass: handedOn(), Env: s.environment(), Log: s.said, Stdout: maxStdout, Stdin: c.stdin,
	})
	return out.Stdout, err
}

// announce writes a command into the log, without the options that all have.
func (s *session) announce(c call) error {
	s.said.text.Reset()
	if s.job.Log == nil {
		return nil
	}
	_, err := io.WriteString(s.job.Log, "$ "+shell.Printable(shell.Words(append([]string{c.program}, c.words...)))+"\n")
	if err != nil {
		return fmt.Errorf("writing the log: %w", err)
	}
	return nil
}

// program returns the path of one of Nix's programs.
func (s *session) program(name string) string {
	if s.bin == "" {
		return name
	}
	return filepath.Join(s.bin, name)
}

// shown is a command as the report has it: with all that decides what comes
// out, without where this run happens.
func (s *session) shown(c call) []string {
	argv := append([]string{c.program}, policy(s.job.Options)...)
	return append(append(argv, settings(*s.plan.Source)...), c.words...)
}

// howToGetNix is advice for a machine without it.
const howToGetNix = "Install Nix (https://nixos.org/download, or a distribution's package nix-bin) and run audit again; " +
	"or run rebuild.sh on a machine that has it and hand the image over with --rebuilt IMAGE."

// explain turns the failure of a command into what it means for a build: no
// builder, a failed build, or an interruption.
func (s *session) explain(err error) error {
	var exit *rebuild.ExitError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return &rebuild.HintError{Err: fmt.Errorf("%w: %w", rebuild.ErrNoBuilder, err), Hint: howToGetNix}
	case !errors.As(err, &exit):
		return err
	}
	log := s.said.text.String()
	for _, f := range failures() {
		if f.says.MatchString(log) {
			return &rebuild.HintError{Err: fmt.Errorf("%w: %s: %s", f.kind, f.means, complaint(log, f.says)), Hint: f.hint}
		}
	}
	return fmt.Errorf("%w: %w: %s", rebuild.ErrBuild, err, complaint(log, nixError))
}

// A failure is a way of failing that people meet, and what they can do.
type failure struct {
	says  *regexp.Regexp // a line of the log
	kind  error
	means string
	hint  string
}

// nixError matches the line in which Nix says what went wrong.
var nixError = regexp.MustCompile(`error: `)

// failures are the known ones, the most telling first (messages of Nix 2.8).
func failures() []failure {
	known := func(says string, kind error, means, hint string) failure {
		return failure{regexp.MustCompile(says), kind, means, hint}
	}
	return []failure{
		known(`No space left on device`, rebuild.ErrBuild, "the disk is full",
			"The build has a store of its own; give it room, or another place with TMPDIR."),
		known(`this system does not support the kernel namespaces|does not support .*namespaces|cannot (set up|create) .*namespace|unshar.*Operation not permitted|cloning builder process: Operation not permitted|setting up a private mount namespace`,
			rebuild.ErrNoBuilder, "Nix's sandbox does not work here",
			"The sandbox needs user namespaces: sysctl kernel.unprivileged_userns_clone=1 (and kernel.apparmor_restrict_unprivileged_userns=0 where that exists); inside a container, run that one with --privileged. audit never builds outside the sandbox."),
		known(`is forbidden in restricted mode`, rebuild.ErrRefused, "the expression reads something outside its folder, or fetches from somewhere",
			"Say what it may read with --nix-path FOLDER or --nix-path NAME=FOLDER, and where it may fetch from with --nix-uri PREFIX."),
		known(`allow-import-from-derivation' is disabled|cannot build .* during evaluation`, rebuild.ErrRefused, "the expression builds something in order to be evaluated",
			"Evaluate it where that is trusted, and hand over the derivation with --nix-drv."),
		known(`was not found in the Nix search path`, rebuild.ErrBuild, "the expression needs something by the search path",
			"Say what it is with --nix-path NAME=FOLDER, such as nixpkgs=/path/to/nixpkgs of the revision that the image was made from."),
		known(`attribute '.*' (missing|in selection path .* not found)|does not provide attribute|attribute .* not found`, rebuild.ErrBuild, "the recipe has no such attribute",
			"See what it has: nix eval --json -f FILE --apply builtins.attrNames, or nix flake show REF."),
		known(`requires lock file changes|needs to be (created|updated)|lock file .* is required`, rebuild.ErrBuild, "the flake has no lock file, or one that does not fit",
			"Without a lock file a flake means something else every day. Use the revision that has one: REF?rev=…"),
		known(`(?m)^error: .*(unable to download|resolve host|Connection (refused|timed out)|Network is unreachable)`, rebuild.ErrBuild, "something could not be fetched",
			"A network is needed for sources and substitutes; an HTTP cache of a machine that has them will do: --substitute-urls."),
		known(`hash mismatch in fixed-output derivation`, rebuild.ErrBuild, "a source has changed since it was pinned",
			"What its address serves now is not what the recipe was written for. A binary cache may still have it."),
		known(`required to build .*, but I am a|lacks? system features|required system or feature not available`, rebuild.ErrBuild, "the image is for another kind of machine, or needs more of it",
			"Build on such a machine, or name one with --builders."),
		known(`is not signed by any of the keys|lacks a (valid )?signature by a trusted key`, rebuild.ErrBuild, "a substitute is signed by nobody who is trusted",
			"Name the key of the cache with --substitute-key, or build without it: --no-substitutes."),
		known(`timed out after|silent for more than`, rebuild.ErrBuild, "a build took too long", "Its bound can be moved with --nix-setting timeout=SECONDS."),
		known(`error: (build|builder) (of|for) .* failed|error: .*dependenc(y|ies) .*failed`, rebuild.ErrBuild, "a package does not build",
			"The recipe is what was given; what cannot be built now may be buildable elsewhere, or with the substitutes of a binary cache."),
	}
}

// complaint returns the line of a log that says what went wrong: the first that
// matches, since the others follow from it; else the last of all.
func complaint(log string, says *regexp.Regexp) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	for _, line := range lines {
		if says.MatchString(line) {
			return strings.TrimSpace(line)
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}
