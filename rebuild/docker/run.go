package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"audit/rebuild"
	"audit/rebuild/shell"
)

// handedOn are the variables that engines get beside those of every tool: where
// they are, and where their images are. What changes the images that they make is
// left out.
func handedOn() []string {
	return []string{
		"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION", "BUILDX_BUILDER", "BUILDX_CONFIG",
		"BUILDKIT_HOST",
		"STORAGE_DRIVER", "STORAGE_OPTS", "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "CONTAINERS_REGISTRIES_CONF", "BUILDAH_ISOLATION", "BUILDAH_RUNTIME",
	}
}

// logins are the variables that say where the user's logins to registries are. An
// engine gets them for a source that the user names; what an image names is
// fetched without.
func logins() []string { return []string{"DOCKER_CONFIG", "REGISTRY_AUTH_FILE"} }

// environment returns the variables that an engine gets: those of the job, and by
// name those of the user.
func (s *session) environment(env []string) (own, pass []string) {
	own = append([]string{"SSH_AUTH_SOCK="}, env...)
	if s.job.Settings.Text("source") != "" {
		return own, slices.Concat(handedOn(), logins())
	}
	none := filepath.Join(s.job.Dir, noLogins)
	return append(own, "DOCKER_CONFIG="+none, "REGISTRY_AUTH_FILE="+filepath.Join(none, "config.json")), handedOn()
}

// noLogins is a folder with the settings of an engine that has no logins.
const noLogins = "no-logins"

// run runs a program in the job's folder. What it says on standard output goes
// to the log too: engines write there what they do.
func (s *session) run(ctx context.Context, env []string, argv ...string) (rebuild.Output, error) {
	var log io.Writer = s.steps
	if s.job.Log != nil {
		line := "$ " + shell.Printable(strings.TrimSpace(strings.Join(env, " ")+" "+shell.Words(s.secrets.words(argv)))) + "\n"
		if _, err := io.WriteString(s.job.Log, line); err != nil {
			return rebuild.Output{}, fmt.Errorf("writing the log: %w", err)
		}
		log = io.MultiWriter(s.steps, masked{s.job.Log, s.secrets})
	}
	argv = append([]string{"/bin/sh", "-c", `exec "$@" >&2`, "sh"}, argv...)
	own, pass := s.environment(env)
	out, err := rebuild.Run(ctx, rebuild.Command{Argv: argv, Dir: s.job.Dir, Pass: pass, Env: own, Log: log})
	out.Log = []byte(s.secrets.mask(string(out.Log)))
	return out, err
}

// shown is a command as the report has it: without where this run happens, and
// without what may be secret.
func (s *session) shown(argv []string) []string {
	words := s.secrets.words(argv)
	for n, w := range words {
		if strings.HasPrefix(w, "--tag=") {
			w = "--tag=" + repository
		}
		w = strings.ReplaceAll(w, s.job.Dir, ".")
		if !isRemote(s.context) {
			w = strings.ReplaceAll(w, s.context, s.args.shownContext())
		}
		words[n] = w
	}
	return words
}

// ask runs a program for what it prints, and says nothing of it.
func (s *session) ask(ctx context.Context, argv ...string) (string, error) {
	own, pass := s.environment(nil)
	out, err := rebuild.Run(ctx, rebuild.Command{Argv: argv, Dir: s.job.Dir, Pass: pass, Env: own})
	if err != nil {
		return "", absent(err, string(out.Log))
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out.Stdout)), "\n")
	return first, nil
}

// absent turns the failure of a program that was asked whether it is there into
// what that means: it is not.
func absent(err error, log string) error {
	var exit *rebuild.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w: %w", rebuild.ErrNoBuilder, exec.ErrNotFound)
	case errors.As(err, &exit):
		return fmt.Errorf("%w: %w: %s", rebuild.ErrNoBuilder, err, last(log))
	}
	return err
}

// A failure is a way of failing that people meet, and what they can do.
type failure struct {
	says  *regexp.Regexp // a line of the log
	also  *regexp.Regexp // another line of it; nil for none
	kind  error
	means string
	hint  string
}

// instructionFailed matches the line in which an engine says that an instruction failed.
var instructionFailed = regexp.MustCompile(`did not complete successfully|returned a non-zero code|building at STEP "RUN |error building at STEP "RUN `)

// machineFailures are those of the engine, of the disk and of the connections to them
// (messages of Docker 20.10 and 28, BuildKit 0.20 and buildah 1.28; texts of errno:
// Go's package syscall).
func machineFailures() []failure {
	re := regexp.MustCompile
	return []failure{
		{re(`(?i)no space left on device|disk quota exceeded`), nil, rebuild.ErrNotDone, "the disk is full", "Free some space, for example with docker system prune."},
		{re(`(?i)cannot allocate memory|too many open files|resource temporarily unavailable|read-only file system|input/output error`), nil,
			rebuild.ErrNotDone, "this machine is short of something", "Free memory, or see what is wrong with the disk, and run audit again."},
		{re(`(?i)cannot connect to the docker daemon|is the docker daemon running|permission denied while trying to connect|error during connect|failed to dial|failed to list workers|buildkitd?\.sock.*(connection refused|no such file)|connection refused.*buildkit`), nil,
			rebuild.ErrNoBuilder, "the engine does not answer", "Start it, or say where it is: DOCKER_HOST, BUILDKIT_HOST."},
		{re(`(?i)code = (Unavailable|Canceled|DeadlineExceeded)|transport is closing|error reading from server|closing transport due to|context deadline exceeded|^(error: |error response from daemon: )?(unexpected EOF|.*: broken pipe|.*: connection reset by peer)$`), nil,
			rebuild.ErrNotDone, "the connection to the engine was lost", "See whether it still runs, and run audit again."},
		{re(`(?i)toomanyrequests|429 Too Many Requests|TLS handshake timeout|i/o timeout|(unexpected status|received unexpected HTTP status).* 5[0-9][0-9]`), nil,
			rebuild.ErrNotDone, "a registry did not answer", "Try again later; an image that is loaded into the engine beforehand is taken from there."},
	}
}

// failures are all others, the most telling first (messages of Docker 20.10 and 28,
// BuildKit 0.20, buildah 1.28 and Git 2.39). The first two separate what goes wrong in
// an instruction from what goes wrong before one runs.
func failures() []failure {
	re, ran := regexp.MustCompile, instructionFailed
	return []failure{
		{ran, re(`(?i)could not resolve host|temporary failure (in name resolution|resolving)|bad address|name or service not known|network is unreachable|no address associated|unable to resolve|dial tcp: lookup|getaddrinfo|EAI_AGAIN|temporary error \(try again later\)`),
			rebuild.ErrRefused, "an instruction wanted the network, and it has none", "Give instructions the network with --network; what they fetch then may not be what it was."},
		{ran, nil, rebuild.ErrBuild, "an instruction failed",
			"What it needed may be gone, or it may need another machine, or something that the plan does not have."},
		{re(`denied by policy`), nil, rebuild.ErrRefused, "the build fetches what the plan does not allow",
			"With --network a build from --source may fetch; a build from provenance fetches nothing that the provenance does not list."},
		{re(`secret .*: not found|secret not found|could not find secret|no secret with id`), nil, rebuild.ErrRefused, "a secret that the build needs is not here", ""},
		{re(`(?i)pull access denied|manifest (for .* )?(unknown|not found)|failed to resolve source metadata|error initializing source docker://|creating build container: .*(pull|short-name)|failed to do request: Head|no such image|repository does not exist`), nil,
			rebuild.ErrRefused, "an image that the build starts from cannot be had", "It may be gone, or need a login, or the registry cannot be reached; an image that is loaded into the engine beforehand is taken from there."},
		{re(`(?i)failed to (fetch|checkout|load|clone) remote|unable to 'git clone'|unable to connect to|could not read (from remote repository|Username)|couldn't find remote ref|not our ref|reference is not a tree|remote error: |error fetching: |failed to read downloaded context|invalid response status|cloning "`), nil,
			rebuild.ErrRefused, "the source cannot be had", "The repository may be gone or moved, or the commit was removed from it, or the network cannot be reached. If you have a copy: --source."},
		{re(`failed to load cache key: (Get|Head) |unexpected status|digest mismatch`), nil, rebuild.ErrRefused, "something that the build fetches cannot be had as it was", ""},
		{re(`cannot set --network other than host`), nil, rebuild.ErrNoBuilder, "buildah with chroot isolation cannot keep instructions from the network",
			"Let buildah run containers (BUILDAH_ISOLATION=oci, with runc or crun), or give instructions the network with --network."},
		{re(`BuildKit is enabled but the buildx component is missing`), nil, rebuild.ErrNoBuilder, "docker has no BuildKit here", howToGetBuildKit},
		{re(`exec format error|no match for platform`), nil, rebuild.ErrNotDone, "the image is for another kind of machine", "Build on such a machine, or enable emulation: the package qemu-user-static."},
		{re(`failed to (compute cache key|calculate checksum)|(COPY|ADD) failed: |building at STEP "(COPY|ADD) |(?i)(failed to read|unable to evaluate symlinks in|cannot find|no) dockerfile`), nil, rebuild.ErrBuild, "the source has not what an instruction copies", "It may be another source than the one that the image was built from."},
	}
}

// explain turns the failure of a build into what it means: not allowed, not to
// be had, a failed build, a build that was not done, or an interruption.
//
// A build has failed only where the engine says so of an instruction; and what that
// one wrote never makes its failure one of the machine.
func explain(err error, log string) error {
	var exit *rebuild.ExitError
	if err == nil || !errors.As(err, &exit) {
		return err
	}
	machines := log
	if line := complaint(log, instructionFailed); line != "" {
		machines = reasonOf(line, last(log))
	}
	if found := match(machineFailures(), machines); found != nil {
		return found
	}
	if found := match(failures(), log); found != nil {
		return found
	}
	return fmt.Errorf("%w: %w: %s", rebuild.ErrNotDone, err, last(log))
}

// reasonOf is what an engine says of why an instruction could not run, or what it
// says at last after one that failed: "" where the instruction ended by itself and
// nothing else is given.
func reasonOf(line, last string) string {
	switch {
	case !exitStatus.MatchString(line):
		return line
	case ownError.MatchString(last) && !exitStatus.MatchString(last):
		return last
	}
	return ""
}

var (
	exitStatus = regexp.MustCompile(`exit (code|status):? [0-9]+|returned a non-zero code: [0-9]+`)
	ownError   = regexp.MustCompile(`^(?i)error(:| response from daemon:)`)
)

// match returns the error of the first of the failures that a log shows, nil where it
// shows none.
func match(all []failure, log string) error {
	for _, f := range all {
		line := complaint(log, f.says)
		if line != "" && f.also != nil {
			line = complaint(log, f.also)
		}
		if line == "" {
			continue
		}
		err := fmt.Errorf("%w: %s: %s", f.kind, f.means, line)
		if f.hint == "" {
			return err
		}
		return &rebuild.HintError{Err: err, Hint: f.hint}
	}
	return nil
}

// complaint returns the last line of a log that matches; "" when none does.
func complaint(log string, says *regexp.Regexp) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	for n := len(lines) - 1; n >= 0; n-- {
		if says.MatchString(lines[n]) {
			return strings.TrimSpace(lines[n])
		}
	}
	return ""
}

func last(log string) string {
	log = strings.TrimSpace(log)
	return strings.TrimSpace(log[strings.LastIndexByte(log, '\n')+1:])
}
