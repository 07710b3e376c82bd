package guix

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"audit/provenance"
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

// Trusted is what a user lets run on this machine beside the channels that
// carry the official introduction of Guix.
type Trusted struct {
	Channels      []string // addresses of channels
	Configuration bool     // the configuration of a system, a program that the image holds
}

// configurationOfImage is how a plan names the program that is the
// configuration of a system among what would be run.
const configurationOfImage = "configuration.scm of the image"

// judge says of everything that a plan would run whether it may be, and why.
func judge(plan rebuild.Plan, channels []provenance.Channel, trusted Trusted) []rebuild.Trust {
	out := judgeChannels(channels, trusted.Channels)
	if !isSystem(plan) {
		return out
	}
	t := rebuild.Trust{Channel: configurationOfImage, Trusted: trusted.Configuration}
	t.Why = "it is a program by whoever made the image, and Guix runs it as this user"
	if t.Trusted {
		t.Why = "--trust-configuration allows it; " + t.Why
	}
	return append(out, t)
}

// judgeChannels says of each channel whether its code may be run. Guix runs a
// channel's build code outside any sandbox and authenticates its history from
// the introduction that it is given, wherever the history is fetched from. So
// it is the introduction that is trusted, and not the address.
func judgeChannels(channels []provenance.Channel, trusted []string) []rebuild.Trust {
	out := []rebuild.Trust{}
	for _, c := range channels {
		ok, why := judgeOne(c, trusted)
		out = append(out, rebuild.Trust{Channel: c.Name, URL: c.URL, Trusted: ok, Why: why})
	}
	return out
}

func judgeOne(c provenance.Channel, trusted []string) (ok bool, why string) {
	flagged := c.URL != "" && slices.Contains(trusted, c.URL)
	switch {
	case c.Name == "guix" && official(c.Introduction) && address(c.URL):
		return true, "it carries the official introduction of Guix, from which its history is authenticated"
	case flagged && c.Introduction == nil:
		return true, "--trust-channel names its address; it has no introduction, so nothing authenticates its history"
	case flagged:
		return true, "--trust-channel names its address"
	case c.Introduction == nil:
		return false, "it has no introduction, so nothing authenticates its history"
	case !official(c.Introduction):
		return false, "its introduction is not the official one of Guix"
	case c.Name != "guix":
		return false, "it carries the introduction of Guix, and is not the channel guix"
	}
	return false, "its address is none from which Guix could be fetched"
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

// address says whether a text has the form of an address: nothing that a tool
// could take for an option, a command or several words.
func address(url string) bool {
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

// distrust names what is not trusted, "" when all is.
func distrust(trust []rebuild.Trust) string {
	var names, flags []string
	for _, t := range trust {
		switch {
		case t.Trusted:
		case t.Channel == configurationOfImage && t.URL == "":
			names = append(names, fmt.Sprintf("%s (%s)", t.Channel, t.Why))
			flags = append(flags, "--trust-configuration")
		default:
			names = append(names, fmt.Sprintf("channel %q at %q (%s)", t.Channel, t.URL, t.Why))
			flags = append(flags, "--trust-channel "+shell.Word(t.URL))
		}
	}
	if names == nil {
		return ""
	}
	return fmt.Sprintf("a rebuild would run code that is not trusted: %s; to allow it: %s",
		strings.Join(names, ", "), strings.Join(flags, " "))
}
