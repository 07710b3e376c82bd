package guix

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"audit/inspect/check"
	"audit/inspect/userfile"
	"audit/provenance"
	"audit/provenance/guix/profile"
	"audit/rebuild"
	"audit/rebuild/shell"
)

// Given is what the user gives in the place of what an image records: programs of
// their own choice, which Guix runs as it runs those of a recipe. "" where the image's
// own is taken.
type Given struct {
	Channels string `json:"channels,omitempty"` // text of a channels.scm
	Manifest string `json:"manifest,omitempty"` // text of a manifest.scm
}

func (g Given) isZero() bool { return g == Given{} }

// maxGiven bounds a file that is given, in bytes.
const maxGiven = 1 << 20

// readGiven reads the files that the user names, "" for none.
func readGiven(channels, manifest string) (g Given, err error) {
	if channels != "" {
		if g.Channels, err = readProgram(channels); err != nil {
			return g, fmt.Errorf("--guix-channels: %w", err)
		}
	}
	if manifest != "" {
		if g.Manifest, err = readProgram(manifest); err != nil {
			return g, fmt.Errorf("--guix-manifest: %w", err)
		}
	}
	return g, nil
}

func readProgram(file string) (string, error) {
	text, err := userfile.Read(file, maxGiven)
	switch {
	case err != nil:
		return "", err
	case strings.TrimSpace(string(text)) == "":
		return "", fmt.Errorf("%s is empty", file)
	case !utf8.Valid(text) || strings.Contains(string(text), "\x00"):
		return "", fmt.Errorf("%s is no text", file)
	}
	return string(text), nil
}

// checkGiven says what of the details that the user has given cannot be run.
func (d Details) checkGiven() error {
	if d.isSystem() && d.Given.Manifest != "" {
		return errors.New("a whole system has a configuration, and no manifest that could be given")
	}
	for _, m := range d.Mirrors {
		if !slices.ContainsFunc(d.channels(), func(c provenance.Channel) bool { return c.Name == m.Name && isAddress(c.URL) }) {
			return fmt.Errorf("--channel-url %s: %s names no address of a channel %s", m.Name, channelsFile, m.Name)
		}
	}
	return nil
}

// channels are those of the channels.scm of a plan, as far as they can be known without
// running it.
func (d Details) channels() []provenance.Channel {
	if d.Given.Channels != "" {
		return profile.ReadGiven([]byte(d.Given.Channels)).Channels
	}
	return d.Channels
}

// checkMirrors says of what --channel-url the recipe has no channel.
func (d Details) checkMirrors() error {
	var names []string
	for _, c := range d.channels() {
		names = append(names, c.Name)
	}
	for _, m := range d.Mirrors {
		switch {
		case slices.Contains(names, m.Name):
		case len(names) == 0:
			return &rebuild.UsageError{Err: fmt.Errorf("--channel-url %s: the recipe has no channels", m.Name)}
		default:
			return &rebuild.UsageError{Err: fmt.Errorf("--channel-url %s: the recipe has no channel of that name; it has %s", m.Name, strings.Join(names, ", "))}
		}
	}
	return nil
}

// packages are those that the image records, none where others are given.
func (d Details) packages() profile.Manifest {
	if d.Given.Manifest != "" {
		return nil
	}
	return d.Pack.Manifest
}

// completable says whether a recipe lacks nothing but channels or packages, which
// anyone may add.
func (d Details) completable() bool {
	d.Given = Given{Channels: "(list)"}
	if !d.isSystem() {
		d.Given.Manifest = "(list)"
	}
	return d.check() == nil
}

// judgeGiven says of programs in the place of what the image records why they may be
// run: the user names them.
func judgeGiven(planned Given, by Trusted) []rebuild.Trust {
	trust := []rebuild.Trust{}
	for _, g := range []struct{ what, planned, named, file, flag string }{
		{channelsFile, planned.Channels, by.Given.Channels, by.ChannelsFile, "--guix-channels"},
		{manifestFile, planned.Manifest, by.Given.Manifest, by.ManifestFile, "--guix-manifest"},
	} {
		if g.planned == "" {
			continue
		}
		t := rebuild.Trust{Kind: "program", Channel: g.what, URL: g.file, Trusted: g.planned == g.named, Flag: g.flag + " FILE"}
		t.Reason = check.Say("plan/given-program", "flag", g.flag)
		if !t.Trusted {
			t.Reason = check.Say("plan/program-not-given", "name", g.what, "flag", t.Flag)
		}
		trust = append(trust, t)
	}
	return trust
}

// local lists the files and folders of this machine that are named.
func (t Trusted) local() []string {
	places := []string{t.ChannelsFile, t.ManifestFile}
	for _, m := range t.Mirrors {
		places = append(places, m.URL)
	}
	var all []string
	for _, p := range places {
		if p != "" && !strings.Contains(p, "://") {
			all = append(all, p)
		}
	}
	return all
}

// against compares what is given with what the image itself records.
func (d Details) against() []check.Message {
	given := profile.ReadGiven([]byte(d.Given.Channels)).Against(d.Channels, nil)
	if d.Given.Manifest == "" {
		return given
	}
	return append(given, profile.ReadGiven([]byte(d.Given.Manifest)).Against(nil, d.Pack.Manifest)...)
}

// given adds to the check named derivation what differs between a recipe that is given
// and what the image records: what evaluating it gives is the better evidence.
func (s *session) given(level check.Level, differs []check.Message) {
	for _, m := range differs {
		s.result.Derivation.Findings = append(s.result.Derivation.Findings, check.Finding{Message: m, Level: level, Layer: -1})
	}
}

// A Mirror is from where a channel is fetched instead of its own address. Its history
// is authenticated from its introduction all the same, and its own address stays in
// channels.scm: the store path of a profile depends on that.
type Mirror struct {
	Name string // of the channel
	URL  string // or an absolute folder with a clone
}

// newMirrors reads the values of --channel-url.
func newMirrors(given []string) ([]Mirror, error) {
	var all []Mirror
	for _, text := range given {
		name, url, ok := strings.Cut(text, "=")
		if !strings.Contains(url, "://") && url != "" {
			abs, err := filepath.Abs(url)
			if err == nil {
				_, err = os.Stat(abs)
			}
			if err != nil {
				return nil, fmt.Errorf("--channel-url %s: %w", name, err)
			}
			url = abs
		}
		if _, twice := mirrorOf(name, all); twice {
			return nil, fmt.Errorf("--channel-url %s is given twice", name)
		}
		if !ok || name == "" || !isAddress(url) {
			return nil, errors.New("--channel-url: NAME=URL belongs here, with the address of a repository or a folder") // without the text: it may be secret
		}
		all = append(all, Mirror{name, url})
	}
	return all, nil
}

func mirrorOf(name string, all []Mirror) (Mirror, bool) {
	i := slices.IndexFunc(all, func(m Mirror) bool { return m.Name == name })
	if i < 0 {
		return Mirror{}, false
	}
	return all[i], true
}

func (d Details) isMirrored(name string) bool {
	_, ok := mirrorOf(name, d.Mirrors)
	return ok
}

// judge says why a channel that is fetched from a mirror may be: the user names it.
func (m Mirror) judge(c provenance.Channel) rebuild.Trust {
	t := rebuild.Trust{Kind: "channel", Channel: c.Name, URL: rebuild.WithoutSecrets(m.URL), Trusted: true}
	t.Flag = "--channel-url " + shell.Word(c.Name+"="+t.URL)
	code := "plan/channel-mirrored"
	if c.Introduction == nil {
		code = "plan/channel-mirrored-unauthenticated"
	}
	t.Reason = check.Say(code, "address", rebuild.WithoutSecrets(c.URL))
	return t
}

// gitFolder is the folder of the job, or of the script, in which git finds its
// configuration (git-config(1), $XDG_CONFIG_HOME/git/config; libgit2 reads it too).
const gitFolder = "config"

// gitConfig is the configuration that has git fetch from mirrors. The longest address
// that a rule begins with wins, so all other channels get one that changes nothing.
// The user's own configuration, which it takes the place of, is included.
func (d Details) gitConfig(own string) string {
	var b strings.Builder
	b.WriteString("[include]\n\tpath = " + gitQuote(own) + "\n")
	for _, c := range d.channels() {
		to := c.URL
		if m, ok := mirrorOf(c.Name, d.Mirrors); ok {
			to = m.URL
		}
		if isAddress(c.URL) {
			b.WriteString("[url " + gitQuote(to) + "]\n\tinsteadOf = " + gitQuote(c.URL) + "\n")
		}
	}
	return b.String()
}

// gitQuote quotes a value, or the name of a section, of a git configuration
// (git-config(1), Syntax). Control characters are in no address.
func gitQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// ownGitConfig is the configuration of git that the user has in
// $XDG_CONFIG_HOME/git/config.
func ownGitConfig() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "~/.config/git/config"
	}
	return filepath.Join(dir, "git", "config")
}

// writeMirrors has git fetch from the mirrors of a plan.
func (s *session) writeMirrors() error {
	if len(s.details.Mirrors) == 0 {
		return nil
	}
	dir := filepath.Join(s.job.Dir, gitFolder, "git")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("writing the addresses of mirrors: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(s.details.gitConfig(ownGitConfig())), 0o600); err != nil {
		return fmt.Errorf("writing the addresses of mirrors: %w", err)
	}
	s.env = append(s.env, "XDG_CONFIG_HOME="+filepath.Join(s.job.Dir, gitFolder))
	return nil
}
