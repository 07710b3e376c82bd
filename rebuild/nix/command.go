package nix

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
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
func policy(d Details, o rebuild.Options) []string {
	words := []string{
		"--option", "sandbox", "true", "--option", "sandbox-fallback", "false",
		"--option", "allow-import-from-derivation", strconv.FormatBool(d.Imports), "--option", "accept-flake-config", "false",
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

// settings are the options of a plan's settings, which every command gets.
func settings(d Details) []string {
	var words []string
	for _, s := range d.Settings {
		words = append(words, "--option", s.Name, s.Value)
	}
	return words
}

// place are the options that say where this run happens: they change nothing.
func (s *session) place() []string {
	return []string{"--store", s.root, "--log-format", "internal-json", "--option", "build-users-group", usersGroup()}
}

// byHand is the command that does by hand what a plan does, without the bounds
// that this package puts on it.
func byHand(d Details) []string {
	var command []string
	switch {
	case d.Expression != nil:
		command = append([]string{"nix-build", "--no-out-link", d.Expression.File}, attribute(d.Expression)...)
		for _, p := range d.Expression.Paths {
			command = append(command, "-I", p.word())
		}
		command = append(append(command, arguments(d.Expression)...), allowedURIs(d.Expression)...)
	case d.Flake != nil:
		command = []string{"nix", "build", "--no-link", "--json", d.Flake.word()}
	default:
		command = []string{"nix-store", "--realise", d.Derivation}
	}
	return append(command, settings(d)...)
}

func attribute(e *Expression) []string {
	if e.Attribute == "" {
		return nil
	}
	return []string{"-A", e.Attribute}
}

// arguments are the options that give an expression its arguments.
func arguments(e *Expression) (words []string) {
	for _, a := range e.Arguments {
		words = append(words, a.words()...)
	}
	return words
}

func allowedURIs(e *Expression) []string {
	if len(e.URIs) == 0 {
		return nil
	}
	return []string{"--option", "allowed-uris", strings.Join(e.URIs, " ")}
}

// evaluateExpression returns the command that evaluates an expression, in
// restricted mode. It may read the work tree that it lies in.
func evaluateExpression(e *Expression) (call, error) {
	file, err := filepath.Abs(e.File)
	if err == nil {
		file, err = filepath.EvalSymlinks(file)
	}
	if err != nil {
		return call{}, fmt.Errorf("%w: %w", rebuild.ErrRefused, err)
	}
	words := []string{"--option", "restrict-eval", "true", "-I", "audit-expression=" + workTree(file)}
	words = append(words, searchPaths(e)...)
	words = append(append(append(words, file), attribute(e)...), arguments(e)...)
	return call{program: "nix-instantiate", words: words}, nil
}

// searchPaths are the options of an expression that only its evaluation gets.
func searchPaths(e *Expression) []string {
	var words []string
	for _, p := range e.Paths {
		words = append(words, "-I", p.absolute().word())
	}
	return append(words, allowedURIs(e)...)
}

// absolute returns a search path whose folder is absolute. What is no folder here
// stays as it is.
func (p SearchPath) absolute() SearchPath {
	if _, err := os.Stat(p.Folder); err != nil {
		return p
	}
	if abs, err := filepath.Abs(p.Folder); err == nil {
		p.Folder = abs
	}
	return p
}

// workTree returns what an expression may read: the Git work tree that it lies
// in, else its own folder.
func workTree(file string) string {
	own := file
	if info, err := os.Stat(file); err == nil && !info.IsDir() {
		own = filepath.Dir(file)
	}
	for dir := own; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil && dir != "/" {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return own
		}
	}
}

// evaluateFlake returns the command that evaluates a flake, in pure mode.
func evaluateFlake(f *Flake) (call, error) {
	reference, err := f.evaluated()
	return call{program: "nix", words: append(flakeOptions(), "--raw", reference)}, err
}

func flakeOptions() []string {
	return []string{"eval", "--extra-experimental-features", "nix-command flakes", "--option", "pure-eval", "true",
		"--option", "use-registries", "false", "--option", "eval-cache", "false", "--no-update-lock-file"}
}

// evaluated returns what nix eval is asked for. A flake in a folder is named by
// its absolute path.
func (f *Flake) evaluated() (string, error) {
	reference := f.Reference
	if strings.HasPrefix(reference, ".") || strings.HasPrefix(reference, "/") {
		abs, err := filepath.Abs(reference)
		if err != nil {
			return "", fmt.Errorf("%w: %w", rebuild.ErrRefused, err)
		}
		reference = abs
	}
	return reference + "#" + cmp.Or(f.Attribute, "default") + ".drvPath", nil
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
	words := append(policy(s.details, s.job.Options), settings(s.details)...)
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
// own, and folders for what is temporary or fetched that go with the job.
func (s *session) environment() []string {
	env := []string{
		"NIX_CONF_DIR=" + s.inJob("conf"), "NIX_USER_CONF_FILES=", "TMPDIR=" + s.inJob("tmp"),
		"XDG_CACHE_HOME=" + s.inJob("cache"), "XDG_DATA_HOME=" + s.inJob("data"), "XDG_STATE_HOME=" + s.inJob("state"),
	}
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
	return out, nixTool().Explain(err, s.log.own.String())
}

// try is run for callers that read failures themselves.
func (s *session) try(ctx context.Context, c call) ([]byte, error) {
	argv := append([]string{s.program(c.program)}, s.place()...)
	argv = append(argv, policy(s.details, s.job.Options)...)
	argv = append(argv, settings(s.details)...)
	argv = append(argv, c.words...)
	if err := s.announce(c); err != nil {
		return nil, err
	}
	out, err := rebuild.Run(ctx, rebuild.Command{
		Argv: argv, Dir: s.job.Dir, Pass: handedOn(), Env: s.environment(), Log: s.log, Stdout: maxStdout, Stdin: c.stdin,
	})
	return out.Stdout, err
}

// announce writes a command into the log, without the options that all have.
func (s *session) announce(c call) error {
	s.log.text.Reset()
	s.log.own.Reset()
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
	argv := append([]string{c.program}, policy(s.details, s.job.Options)...)
	return append(append(argv, settings(s.details)...), c.words...)
}
