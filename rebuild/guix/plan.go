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
	channelsFile = "channels.scm"
	manifestFile = "manifest.scm"
)

// NewPlan says how to build an image again from its recipe. trusted are the
// addresses of channels whose code may be run although they do not carry the
// official introduction of Guix.
//
// A recipe that cannot be built, or must not be, gives a plan all the same,
// with the reason in Refused. A recipe of another build system is an error
// that wraps [provenance.ErrNotMine].
func NewPlan(img *inspect.Image, recipe provenance.Recipe, trusted []string) (rebuild.Plan, error) {
	if recipe.System != provenance.Guix {
		return rebuild.Plan{}, fmt.Errorf("planning a rebuild with Guix: %w", provenance.ErrNotMine)
	}
	plan := rebuild.Plan{
		System:       provenance.Guix,
		Image:        img.Reference,
		ConfigDigest: img.Config.Digest.String(),
		Root:         recipe.Pack.Root,
		Files:        []rebuild.PlanFile{},
		Pack:         packArguments(recipe.Pack),
		Trust:        judge(recipe.Channels, trusted),
	}
	for _, f := range recipe.Files {
		plan.Files = append(plan.Files, rebuild.PlanFile{Name: f.Name, Text: string(f.Text)})
	}
	plan.Refused = refusal(plan, recipe)
	return plan, nil
}

// packArguments returns the arguments of guix that call its packer as the
// image tells. Values that the image chose stand behind the name of their
// option in one argument, so that none can be taken for an option.
func packArguments(p provenance.Pack) []string {
	args := append([]string{"pack"}, guix.Options(p)...)
	return append(args, "-m", manifestFile)
}

// packOption matches one of the options that packArguments gives: those that
// only say how to lay out the image. Others could run code (--expression,
// --load-path) or fetch something else (--with-source).
var packOption = regexp.MustCompile(`^--(save-provenance|localstatedir|relocatable|format=docker|max-layers=[0-9]+` +
	`|(system|compression|symlink|entry-point|entry-point-argument|image-tag)=(?s:.*))$`)

// refusal says why a plan must not be run, "" when it may.
func refusal(plan rebuild.Plan, recipe provenance.Recipe) string {
	if recipe.Status != provenance.Complete {
		return incomplete(recipe)
	}
	if f := recipe.Pack.Format; f != "docker" {
		return fmt.Sprintf("the image is of the format %q, and only docker images can be built again", f)
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
	for _, name := range []string{channelsFile, manifestFile} {
		if !have[name] {
			return fmt.Errorf("the plan has no %s", name)
		}
	}
	if err := onlyPacks(plan.Pack); err != nil {
		return err
	}
	if storeName(plan.Root) == "" || path.Clean(plan.Root) != plan.Root {
		return fmt.Errorf("%q, of which the image is said to be made, is no store item", plan.Root)
	}
	return nil
}

// onlyPacks checks that a command does nothing but to pack the manifest.
func onlyPacks(command []string) error {
	n := len(command)
	if n < 3 || command[0] != "pack" || command[n-2] != "-m" || command[n-1] != manifestFile {
		return errors.New("the plan does not call guix pack for " + manifestFile)
	}
	for _, arg := range command[1 : n-2] {
		if !packOption.MatchString(arg) {
			return fmt.Errorf("%q is no option of guix pack for a plan", arg)
		}
		if strings.Contains(arg, "\x00") {
			return errors.New("an argument of guix pack holds a NUL character")
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
