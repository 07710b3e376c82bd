package guix

import (
	"slices"
	"strings"
	"unicode"

	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix"
	"audit/provenance/guix/profile"
	"audit/rebuild"
	"audit/rebuild/shell"
)

// The introduction from which the history of Guix itself is authenticated
// (Guix 1.5, guix/channels.scm, %guix-channel-introduction): the first commit
// that had to be signed, and the key that signed it.
const (
	officialCommit      = "9edb3f66fd807b096b48283debdcddccfea34bad"
	officialFingerprint = "BBB02DDF2CEAF6A80D1DE643A2A06DF2A33A54FA"
)

// officialAddresses are those at which the project itself publishes Guix: the
// default of guix/channels.scm since 1.5.0, that of before, and Codeberg, to which
// the repository moved in May 2025 (https://guix.gnu.org/en/blog/2025/migrating-to-codeberg/).
func officialAddresses() []string {
	return []string{
		"https://git.guix.gnu.org/guix.git",
		"https://git.savannah.gnu.org/git/guix.git",
		"https://codeberg.org/guix/guix.git",
		"https://codeberg.org/guix/guix",
	}
}

// Trusted is what a user lets run and be fetched on this machine beside the
// channel guix with the official introduction at an official address, and
// transformations that only choose among packages.
type Trusted struct {
	Channels      []string // addresses of channels, as channels.scm has them, with or without user information
	Configuration bool     // the configuration of a system, a program that the image has
	// Sources are prefixes of addresses from which transformations may fetch; one
	// that names a transformation, OPTION=VALUE, allows that one.
	Sources rebuild.Prefixes

	// Given are programs that the user names in the place of what the image records, and
	// the files that hold them.
	Given                      Given
	ChannelsFile, ManifestFile string
	Mirrors                    []Mirror // addresses that the user names in the place of those of channels
}

// judge says of everything that a plan would run or fetch whether it may, and why:
// channels, then transformations, then the configuration of a system.
func judge(d Details, trusted Trusted) []rebuild.Trust {
	out := judgeGiven(d.Given, trusted)
	for _, c := range d.channels() {
		if d.Given.Channels != "" && !d.isMirrored(c.Name) {
			continue // the program that names them is the user's own
		}
		out = append(out, judgeChannel(c, trusted))
	}
	seen := make(map[profile.Transformation]bool)
	for _, p := range d.packages() {
		for _, t := range p.Transformations {
			if !seen[t] && !d.isSystem() {
				seen[t] = true
				out = append(out, judgeTransformation(t, trusted.Sources))
			}
		}
	}
	if !d.isSystem() {
		return out
	}
	t := rebuild.Trust{Kind: "program", Channel: "configuration.scm of the image", Trusted: trusted.Configuration, Flag: "--trust-configuration"}
	t.Reason = check.Say("plan/program-not-trusted", "name", t.Channel, "flag", t.Flag)
	if t.Trusted {
		t.Reason = check.Say("plan/program-named", "flag", t.Flag)
	}
	return append(out, t)
}

// judgeChannel says of a channel whether its code may be run. Guix runs a channel's
// build code outside any sandbox. It authenticates the history from the
// introduction, but only once it has fetched it: so the address counts too.
func judgeChannel(c provenance.Channel, by Trusted) rebuild.Trust {
	if m, ok := mirrorOf(c.Name, by.Mirrors); ok {
		return m.judge(c)
	}
	trusted := by.Channels
	t := rebuild.Trust{Kind: "channel", Channel: c.Name, URL: rebuild.WithoutSecrets(c.URL)}
	t.Flag = "--trust-channel " + shell.Word(t.URL)
	say := func(code string) check.Message {
		return check.Say(code, "name", c.Name, "address", t.URL, "flag", t.Flag)
	}
	flagged := isAddress(c.URL) && (slices.Contains(trusted, c.URL) || slices.Contains(trusted, t.URL))
	t.Trusted = flagged || c.Name == "guix" && official(c.Introduction) && slices.Contains(officialAddresses(), c.URL)
	switch {
	case t.Trusted && !flagged:
		t.Reason = say("plan/channel-official")
	case flagged && c.Introduction == nil:
		t.Reason = say("plan/channel-named-unauthenticated")
	case flagged:
		t.Reason = say("plan/channel-named")
	case !isAddress(c.URL):
		t.Flag = ""
		t.Reason = check.Say("plan/channel-without-address", "name", c.Name, "address", t.URL)
	case guix.IsLocal(c.URL):
		t.Reason = say("plan/channel-local")
	case c.Introduction == nil:
		t.Reason = say("plan/channel-unauthenticated")
	case !official(c.Introduction):
		t.Reason = say("plan/channel-of-others")
	case c.Name != "guix":
		t.Reason = say("plan/channel-not-guix")
	default:
		t.Reason = say("plan/channel-elsewhere")
	}
	return t
}

// official says whether an introduction is that of Guix, however its parts are
// written.
func official(in *provenance.Introduction) bool {
	if in == nil {
		return false
	}
	fingerprint := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, in.Fingerprint)
	return fingerprint == officialFingerprint && strings.EqualFold(in.Commit, officialCommit)
}

// isAddress says whether a text has the form of an address: nothing that a tool
// could take for an option, a command or several words.
func isAddress(url string) bool {
	scheme, rest, ok := strings.Cut(url, "://")
	known := ok && slices.Contains([]string{"https", "http", "git", "ssh", "file"}, scheme)
	if !known && !strings.HasPrefix(url, "/") {
		return false
	}
	if known && strings.HasPrefix(rest, "-") {
		return false
	}
	return !strings.ContainsFunc(url, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) })
}

// judgeTransformation says of a package transformation whether it may be applied.
// Those that only choose among the packages of the channels may, always. All others
// fetch from an address, read a file, or take what is newest: they may when
// --trust-source names the address, or the transformation itself.
func judgeTransformation(t profile.Transformation, sources rebuild.Prefixes) rebuild.Trust {
	text := t.Option + "=" + t.Value
	out := rebuild.Trust{Kind: "transformation", Channel: "--" + text, Flag: "--" + rebuild.TrustSource + " " + shell.Word(text)}
	if slices.Contains(sources, text) {
		out.Trusted, out.Reason = true, check.Say("plan/transformation-named")
		return out
	}
	switch address, kind := guix.SourceOf(t); {
	case kind == guix.ChoosesPackages:
		out.Trusted, out.Flag, out.Reason = true, "", check.Say("plan/transformation-chooses")
		return out
	case kind == guix.Fetches:
		judged := sources.Judge(out.Kind, address)
		out.URL, out.Trusted, out.Reason, out.Flag = judged.URL, judged.Trusted, judged.Reason, judged.Flag
		out.Channel = "--" + t.Option
		if !out.Trusted {
			out.Reason = check.Say("plan/transformation-fetches", "option", out.Channel, "address", out.URL, "flag", out.Flag)
		}
	case kind == guix.Moves:
		out.Reason = check.Say("plan/transformation-moves", "option", out.Channel, "flag", out.Flag)
	default:
		out.Reason = check.Say("plan/transformation-not-known", "option", out.Channel, "flag", out.Flag)
	}
	return out
}

// distrust are the reasons of what is not trusted, none when all is.
func distrust(trust []rebuild.Trust) []check.Message {
	var reasons []check.Message
	for _, t := range trust {
		if !t.Trusted {
			reasons = append(reasons, t.Reason)
		}
	}
	if len(reasons) > 0 {
		reasons = append([]check.Message{check.Say("plan/not-trusted")}, reasons...)
	}
	return reasons
}
