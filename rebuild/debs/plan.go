package debs

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/userfile"
	"audit/provenance"
	"audit/provenance/openpgp"
	"audit/provenance/vouch/deb"
	"audit/provenance/vouch/packages"
	"audit/rebuild"
)

// Details are what a plan has beside its header.
type Details struct {
	Folder   string    `json:"folder"` // of the packages, as the user named it
	Suite    string    `json:"suite"`  // the codename, of which mmdebstrap knows habits
	Arch     string    `json:"architecture"`
	Merged   bool      `json:"mergedUsr"`       // /bin and its like are links into /usr
	Epoch    int64     `json:"sourceDateEpoch"` // seconds since 1970; 0 for none
	Sources  string    `json:"sources"`         // etc/apt/sources.list as the image has it
	Options  []string  `json:"dpkgOptions"`     // path-exclude and path-include of the image
	Packages []Package `json:"packages"`        // sorted by name
}

// A Package is one to install.
type Package struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Arch    string   `json:"architecture"`
	Auto    bool     `json:"automatic"` // it came with another
	SHA256  []string `json:"sha256"`    // of the files that signed indexes name for it
	Archive string   `json:"archive"`
}

// maxKeyring bounds the bytes of a keyring.
const maxKeyring = 16 << 20

// Plan says how to install the packages of an image again.
func (System) Plan(img *inspect.Image, _ provenance.Recipe, in rebuild.Settings) (rebuild.Plan, error) {
	if given, err := (System{}).Given(in); err != nil || !given {
		return rebuild.Plan{}, errors.Join(err, provenance.ErrNotMine)
	}
	plan := rebuild.Plan{System: Name, Image: img.Reference, ConfigDigest: img.Config.Digest.String(), Trust: []rebuild.Trust{}}
	family, err := newFamily(context.Background(), in) // a plan has no context
	if err != nil {
		return plan, &rebuild.UsageError{Err: err}
	}
	choices, err := family.Choices(context.Background(), img)
	if err != nil {
		return plan, &rebuild.UsageError{Err: err}
	}
	d := details(img, choices)
	d.Folder = in.Text(packagesFlag)
	plan.Local = []string{d.Folder, in.Text(keyringFlag)}
	plan.Reasons = d.refused()
	plan.Trust, plan.Command, plan.Details = d.trust(), d.command(), d
	return plan, nil
}

// newFamily opens the packages and the keys that are given.
func newFamily(ctx context.Context, in rebuild.Settings) (f deb.Family, err error) {
	text, err := userfile.Read(in.Text(keyringFlag), maxKeyring)
	if err != nil {
		return f, fmt.Errorf("--%s: %w", keyringFlag, err)
	}
	if f.Keys, err = openpgp.ReadKeyring(ctx, text); err != nil {
		return f, fmt.Errorf("--%s: %w", keyringFlag, err)
	}
	source, err := packages.Open(in.Text(packagesFlag), packages.Options{})
	if err == nil && source.IsServer() {
		err = errors.New("a folder is wanted")
	}
	if err != nil {
		return f, fmt.Errorf("--%s: %w", packagesFlag, err)
	}
	f.Sources = []*packages.Source{source}
	return f, nil
}

func details(img *inspect.Image, choices []deb.Choice) Details {
	root := img.Root()
	var d Details
	for _, c := range choices {
		p := Package{Name: c.Package, Version: c.Version, Arch: c.Arch, Auto: c.Auto, Archive: c.Archive}
		for _, l := range c.Listed {
			p.SHA256 = append(p.SHA256, l.Sum.Hash().Hex)
		}
		d.Packages = append(d.Packages, p)
		if d.Suite == "" || c.Suite != "" && strings.HasPrefix(d.Suite, c.Suite+"-") { // of updates, or security
			d.Suite = c.Suite
		}
		if c.Package == "dpkg" {
			d.Arch = c.Arch
		}
	}
	if f, ok := root.Name("bin"); ok && f.Type == '2' {
		d.Merged = true
	}
	if text, _, ok := root.Content(sourcesFile); ok && len(text) <= maxSources {
		d.Sources = string(text)
	}
	d.Options = options(root)
	d.Epoch = epoch(img)
	return d
}

// options are those of dpkg's in the image that leave out files.
func options(root *inspect.Root) (all []string) {
	folder, names, _ := root.Folder(optionsFolder)
	for _, name := range names {
		text, _, _ := root.Content(path.Join(folder, name))
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); validOption.MatchString(line) && len(all) < maxOptions {
				all = append(all, line)
			}
		}
	}
	return all
}

// maxOptions bounds them.
const maxOptions = 100

// epoch is the time of the newest file where Python's byte code was made while
// SOURCE_DATE_EPOCH was set: then it names sources by their hash. Else it is 0.
func epoch(img *inspect.Image) (newest int64) {
	hashed := false
	for f := range img.Root().Files() {
		newest = max(newest, f.ModTime)
		if strings.HasSuffix(f.Path, ".pyc") && f.Inode.Type == '0' && !hashed {
			content, _, ok := img.Root().Content(f.Path)
			hashed = ok && len(content) > 8 && content[4] == 3
		}
	}
	if !hashed {
		return 0
	}
	return newest
}

var (
	validName    = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)
	validVersion = regexp.MustCompile(`^[0-9A-Za-z.+:~-]+$`)
	validSum     = regexp.MustCompile(`^[0-9a-f]{64}$`)
	validOption  = regexp.MustCompile(`^path-(ex|in)clude[= ]/[^\n"'\\]*$`)
)

// maxSources bounds the bytes of apt's sources.
const maxSources = 64 << 10

// check says what is wrong with details that come from an image or a file: they become
// arguments of programs.
func (d Details) check() error {
	switch {
	case d.Suite != "" && !validName.MatchString(d.Suite), d.Arch != "" && !validName.MatchString(d.Arch):
		return fmt.Errorf("suite %q, architecture %q: no such names", d.Suite, d.Arch)
	case len(d.Sources) > maxSources:
		return fmt.Errorf("the sources have more than %d bytes", maxSources)
	case d.Epoch < 0:
		return errors.New("the time is before 1970")
	}
	for _, o := range d.Options {
		if !validOption.MatchString(o) {
			return fmt.Errorf("%q is no option of dpkg that leaves out files", o)
		}
	}
	for _, p := range d.Packages {
		if !validName.MatchString(p.Name) || !validVersion.MatchString(p.Version) || !validName.MatchString(p.Arch) {
			return fmt.Errorf("%q, version %q, architecture %q: no such package", p.Name, p.Version, p.Arch)
		}
		if slices.ContainsFunc(p.SHA256, func(sum string) bool { return !validSum.MatchString(sum) }) {
			return fmt.Errorf("%s has a digest that is none", p.Name)
		}
	}
	return nil
}

// refused says why the packages cannot be installed.
func (d Details) refused() (reasons []check.Message) {
	if err := d.check(); err != nil {
		return []check.Message{check.Say("plan/packages-folder", "error", check.Brief(err.Error()))}
	}
	var unlisted, foreign []string
	for _, p := range d.Packages {
		if len(p.SHA256) == 0 {
			unlisted = append(unlisted, p.Name+" "+p.Version)
		}
		if p.Arch != "all" && p.Arch != architecture() && !slices.Contains(foreign, p.Arch) {
			foreign = append(foreign, p.Arch)
		}
	}
	if len(d.Packages) == 0 {
		reasons = append(reasons, check.Say("plan/packages-none"))
	}
	if len(unlisted) > 0 {
		reasons = append(reasons, check.Say("plan/packages-unlisted", "count", len(unlisted), "names", unlisted[:min(5, len(unlisted))]))
	}
	if len(foreign) > 0 {
		reasons = append(reasons, check.Say("plan/packages-foreign", "names", foreign))
	}
	return reasons
}

// architecture is what dpkg calls that of this machine.
func architecture() string {
	if name, ok := map[string]string{"386": "i386", "arm": "armhf", "mips64le": "mips64el", "ppc64le": "ppc64el"}[runtime.GOARCH]; ok {
		return name
	}
	return runtime.GOARCH
}

// trust lists the packages, whose scripts are run.
func (d Details) trust() []rebuild.Trust {
	all := []rebuild.Trust{}
	for _, p := range d.Packages {
		if len(p.SHA256) > 0 {
			all = append(all, rebuild.Trust{Kind: "package", Channel: p.Name + " " + p.Version, Trusted: true, Reason: check.Say("plan/package-signed", "archive", p.Archive)})
		}
	}
	return all
}

// command is what is run, for people: in a folder with the repository that is made of
// the packages.
func (d Details) command() []string {
	return d.arguments("repository", "rebuilt.tar", "sources.list")
}

// arguments of mmdebstrap: apt finds by itself what came with other packages, since the
// repository has nothing else.
func (d Details) arguments(repository, to, sources string) []string {
	var include []string
	for _, p := range d.Packages {
		if !p.Auto {
			include = append(include, p.Name+"="+p.Version)
		}
	}
	args := []string{"unshare", "--net", "mmdebstrap", "--mode=root", "--variant=essential", "--format=tar", "--architectures=" + d.Arch}
	if d.Merged {
		args = append(args, "--hook-dir="+mergedHooks)
	}
	for _, o := range d.Options {
		args = append(args, "--dpkgopt="+o)
	}
	if d.Sources != "" {
		args = append(args, "--customize-hook=upload "+sources+" /etc/apt/sources.list")
	}
	return append(args, "--include="+strings.Join(include, ","), d.Suite, to, "deb [trusted=yes] copy:"+filepath.ToSlash(repository)+" ./")
}

// mergedHooks are those of mmdebstrap that make the links into /usr before packages are
// unpacked.
const mergedHooks = "/usr/share/mmdebstrap/hooks/merged-usr"

// sums are the digests of a package.
func (p Package) sums() map[string]bool {
	all := make(map[string]bool)
	for _, sum := range p.SHA256 {
		all[sum] = true
	}
	return all
}
