package guix

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"audit/inspect"
	"audit/provenance"
	"audit/provenance/guix"
	"audit/rebuild"
)

// The files of a plan, which guix is pointed to by these names.
const (
	channelsFile      = "channels.scm"
	manifestFile      = "manifest.scm"
	configurationFile = "configuration.scm" // instead of a manifest, for a whole system
)

// NewPlan says how to build an image again from its recipe. trusted is what may
// be run beside the channels that carry the official introduction of Guix.
//
// A recipe that cannot be built, or must not be, gives a plan all the same,
// with the reason in Refused. A recipe of another build system is an error
// that wraps [provenance.ErrNotMine].
func NewPlan(img *inspect.Image, recipe provenance.Recipe, trusted Trusted) (rebuild.Plan, error) {
	if recipe.System != provenance.Guix {
		return rebuild.Plan{}, fmt.Errorf("planning a rebuild with Guix: %w", provenance.ErrNotMine)
	}
	plan := rebuild.Plan{
		System:       provenance.Guix,
		Image:        img.Reference,
		ConfigDigest: img.Config.Digest.String(),
		Root:         recipe.Pack.Root,
		Files:        []rebuild.PlanFile{},
		Pack:         command(recipe.Pack),
		Export:       export(recipe.Pack.Export),
	}
	for _, f := range recipe.Files {
		if isPlanFile(f.Name) {
			plan.Files = append(plan.Files, rebuild.PlanFile{Name: f.Name, Text: string(f.Text)})
		}
	}
	plan.Trust = judge(plan, recipe.Channels, trusted)
	plan.Refused = refusal(plan, recipe)
	return plan, nil
}

// isPlanFile tells the files that guix is pointed to. A recipe may have others,
// of what the image holds beside.
func isPlanFile(name string) bool {
	return name == channelsFile || name == manifestFile || name == configurationFile
}

func export(e *provenance.Export) *rebuild.Export {
	if e == nil {
		return nil
	}
	return &rebuild.Export{Files: e.Files, OwnerNames: e.OwnerNames}
}

// command returns the arguments of guix that call its packer as the image
// tells.
func command(p provenance.Pack) []string {
	args := guix.Command(p)
	switch {
	case len(args) == 0:
		return []string{}
	case args[0] == "pack":
		return append(args, "-m", manifestFile)
	}
	return append(args, configurationFile)
}

// verbs returns the first words of a command: what guix is to do.
func verbs(command []string) []string {
	if len(command) > 1 && command[0] == "system" {
		return command[:2]
	}
	return command[:min(1, len(command))]
}

// isSystem says whether a plan is that of a whole system, whose configuration
// is a program.
func isSystem(plan rebuild.Plan) bool { return len(plan.Pack) > 0 && plan.Pack[0] == "system" }

// packOption and systemOption match the options that a command can have: those
// that only say how to lay out the image. Others could run code (--expression,
// --load-path) or fetch something else (--with-source).
var (
	packOption = regexp.MustCompile(`^--(save-provenance|localstatedir|relocatable|format=(docker|tarball|squashfs)|profile-name=(guix-profile|current-guix)|max-layers=[0-9]+` +
		`|(system|compression|symlink|entry-point|entry-point-argument|image-tag)=(?s:.*))$`)
	systemOption = regexp.MustCompile(`^--(save-provenance|image-type=docker|max-layers=[0-9]+|system=(?s:.*))$`)
)

// refusal says why a plan must not be run, "" when it may.
func refusal(plan rebuild.Plan, recipe provenance.Recipe) string {
	if recipe.Status != provenance.Complete {
		return incomplete(recipe)
	}
	if f := recipe.Pack.Format; len(plan.Pack) == 0 {
		return fmt.Sprintf("these files are of the form %q, and no command of guix is known to make that", f)
	}
	for _, l := range recipe.Pack.Symlinks {
		if strings.Contains(l.Source+l.Target, "=") {
			return fmt.Sprintf("guix pack cannot make the link %q, whose name has an equals sign", l.Source)
		}
	}
	if err := runnable(plan); err != nil {
		return err.Error()
	}
	return firstOf(ambiguous(recipe.Channels), distrust(plan.Trust))
}

func incomplete(recipe provenance.Recipe) string {
	if len(recipe.Problems) == 0 {
		return fmt.Sprintf("the recipe is not complete (%s)", recipe.Status)
	}
	return "the recipe is not complete: " + strings.Join(recipe.Problems, "; ")
}

// runnable says what about a plan, which may come from a file that anyone has
// edited, cannot be run.
func runnable(plan rebuild.Plan) error {
	have := make(map[string]bool)
	for _, f := range plan.Files {
		if !plainName(f.Name) || have[f.Name] {
			return fmt.Errorf("%q is no name for a file of a plan", f.Name)
		}
		if strings.Contains(f.Text, "\x00") {
			return fmt.Errorf("the file %s holds a NUL character", f.Name)
		}
		have[f.Name] = true
	}
	needed := []string{channelsFile, manifestFile}
	if isSystem(plan) {
		needed[1] = configurationFile
	}
	for _, name := range needed {
		if !have[name] {
			return fmt.Errorf("the plan has no %s", name)
		}
	}
	if err := onlyPacks(plan.Pack); err != nil {
		return err
	}
	if err := onlyEngineFiles(plan.Export); err != nil {
		return err
	}
	if rebuild.StoreName(plan.Root) == "" || path.Clean(plan.Root) != plan.Root {
		return fmt.Errorf("%q, of which the image is said to be made, is no store item", plan.Root)
	}
	return nil
}

// onlyPacks checks that a command does nothing but to pack the manifest, or the
// system of the configuration.
func onlyPacks(command []string) error {
	options, option := command, packOption
	n := len(command)
	switch {
	case n > 2 && command[0] == "pack" && command[n-2] == "-m" && command[n-1] == manifestFile:
		options = command[1 : n-2]
	case n > 2 && command[0] == "system" && command[n-1] == configurationFile && (command[1] == "image" || command[1] == "docker-image"):
		options, option = command[2:n-1], systemOption
	default:
		return errors.New("the plan does not call guix pack for " + manifestFile + ", nor guix system for " + configurationFile)
	}
	for _, arg := range options {
		if !option.MatchString(arg) {
			return fmt.Errorf("%q is no option of guix %s for a plan", arg, command[0])
		}
		if strings.Contains(arg, "\x00") {
			return errors.New("an argument of guix holds a NUL character")
		}
	}
	return nil
}

// onlyEngineFiles checks that nothing is to be laid beside what Guix packs but
// what container engines lay.
func onlyEngineFiles(e *rebuild.Export) error {
	if e == nil {
		return nil
	}
	known := guix.EngineLayout()
	for _, file := range e.Files {
		if known[file] == nil {
			return fmt.Errorf("%q is no file that a container engine lays", file)
		}
	}
	return nil
}

// plainName says whether a name is that of a file beside others, hidden from
// neither people nor options.
func plainName(name string) bool {
	if name == "" || strings.HasPrefix(name, "-") || strings.HasPrefix(name, ".") {
		return false
	}
	return lettersAnd(name, "._-")
}

// lettersAnd says whether a text has nothing but ASCII letters, digits and some
// more characters.
func lettersAnd(text, more string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune(more, r)
	})
}

// ambiguous says which name two channels have, "" when each has its own.
func ambiguous(channels []provenance.Channel) string {
	seen := make(map[string]bool)
	for _, c := range channels {
		if seen[c.Name] {
			return fmt.Sprintf("two channels are named %q, and which of them Guix would take is not certain", c.Name)
		}
		seen[c.Name] = true
	}
	return ""
}
