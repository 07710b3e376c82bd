package guix

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"audit/inspect"
	"audit/provenance"
	"audit/provenance/guix"
	"audit/rebuild"
)

// Details are what a plan for Guix holds: how its packer is called, and with what.
// The files that guix is pointed to are written from them when they are needed.
type Details struct {
	Pack guix.Pack `json:"pack"` // with the packages, which become manifest.scm
	// Channels become channels.scm.
	Channels []provenance.Channel `json:"channels"`
	// Configuration is that of a whole system, which takes the place of the
	// packages: a program. "" for a pack.
	Configuration string `json:"configuration,omitempty"`
}

// The files that guix is pointed to.
const (
	channelsFile      = "channels.scm"
	manifestFile      = "manifest.scm"
	configurationFile = "configuration.scm" // instead of a manifest, for a whole system
)

// Files writes the files of a plan: channels.scm and manifest.scm, or the
// configuration of a system.
func (d Details) Files() []rebuild.PlanFile {
	files := []rebuild.PlanFile{{Name: channelsFile, Text: string(guix.ChannelsFile(d.Channels))}}
	if d.isSystem() {
		return append(files, rebuild.PlanFile{Name: configurationFile, Text: d.Configuration})
	}
	return append(files, rebuild.PlanFile{Name: manifestFile, Text: string(d.Pack.Manifest.File())})
}

// isSystem says whether a plan is that of a whole system.
func (d Details) isSystem() bool { return guix.IsSystem(d.Pack) }

// command returns what guix is to do, its verbs, and the arguments that follow.
func (d Details) command() (verbs, arguments []string) {
	words := guix.Command(d.Pack)
	switch {
	case len(words) == 0:
		return nil, nil
	case d.isSystem():
		return words[:2], append(words[2:], configurationFile)
	}
	return words[:1], append(words[1:], "-m", manifestFile)
}

// invocation is the main command for people, one argument a word.
func (d Details) invocation() []string {
	verbs, arguments := d.command()
	if verbs == nil {
		return nil
	}
	return slices.Concat([]string{"guix", "time-machine", "-C", channelsFile, "--"}, verbs, arguments)
}

// check says what of the details, which may come from a file that anyone has
// edited, is of no form that guix pack or guix system could have been given.
func (d Details) check() error {
	p := d.Pack
	if verbs, _ := d.command(); verbs == nil {
		return fmt.Errorf("no command of guix makes what is of the form %q", p.Format)
	}
	if inspect.StoreName(p.Root) == "" || path.Clean(p.Root) != p.Root || !strings.HasPrefix(p.Root, "/") {
		return fmt.Errorf("%q, of which the image is said to be made, is no store item", p.Root)
	}
	if d.isSystem() != (d.Configuration != "") {
		return fmt.Errorf("the plan needs a %s for a whole system, and for nothing else", configurationFile)
	}
	for what, text := range map[string]string{configurationFile: d.Configuration, "the system type": p.SystemType, "the image's tag": p.ImageTag} {
		if strings.Contains(text, "\x00") {
			return fmt.Errorf("%s holds a NUL character", what)
		}
	}
	if err := checkPack(p); err != nil {
		return err
	}
	if err := checkPackages(d); err != nil {
		return err
	}
	return checkChannels(d.Channels)
}

// checkPack checks the options of a packer.
func checkPack(p guix.Pack) error {
	if strings.ContainsFunc(p.SystemType, func(r rune) bool { return !isLetter(r) && r != '_' && r != '-' }) {
		return fmt.Errorf("%q is no system type", p.SystemType)
	}
	if strings.ContainsFunc(string(p.Compression), func(r rune) bool { return !isLetter(r) }) {
		return fmt.Errorf("%q is no name of a compression", p.Compression)
	}
	if p.MaxLayers < 0 || !slices.Contains([]string{"", "guix-profile", "current-guix"}, p.ProfileName) {
		return fmt.Errorf("guix pack makes neither %d layers nor a profile named %q", p.MaxLayers, p.ProfileName)
	}
	for _, l := range p.Symlinks {
		if strings.ContainsAny(l.Source+l.Target, "=\x00") || !strings.HasPrefix(l.Source, "/") {
			return fmt.Errorf("guix pack cannot make the link %q to %q", l.Source, l.Target)
		}
	}
	for _, arg := range p.EntryPoint {
		if strings.Contains(arg, "\x00") {
			return fmt.Errorf("the entry point %q holds a NUL character", arg)
		}
	}
	if p.Export == nil {
		return nil
	}
	known := guix.EngineLayout()
	for _, name := range p.Export.Files {
		if known[name] == nil {
			return fmt.Errorf("%q is no file that a container engine adds", name)
		}
	}
	return nil
}

// checkPackages checks the packages of a pack. Their names and versions become
// texts in manifest.scm, whatever is in them.
func checkPackages(d Details) error {
	if d.isSystem() {
		return nil
	}
	if len(d.Pack.Manifest) == 0 {
		return fmt.Errorf("the plan has no packages for %s", manifestFile)
	}
	for _, p := range d.Pack.Manifest {
		if p.Name == "" || p.Output == "" {
			return fmt.Errorf("%q with output %q is no package", p.Name, p.Output)
		}
	}
	return nil
}

// checkChannels checks channels as package profile checks those of a profile.
func checkChannels(channels []provenance.Channel) error {
	if len(channels) == 0 {
		return fmt.Errorf("the plan has no channels for %s", channelsFile)
	}
	for _, c := range channels {
		if err := guix.CheckChannel(c); err != nil {
			return fmt.Errorf("the channel %q: %w", c.Name, err)
		}
	}
	return nil
}

func isLetter(r rune) bool {
	return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
