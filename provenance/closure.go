package provenance

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
)

// ClosureFindings is transitional: [Closure] takes its place.
type ClosureFindings struct {
	Wrong     []check.Finding // contradicts how the system packs
	Undecided []check.Finding // may be right, and the image does not tell
	Notes     []check.Finding // worth knowing
}

// Fail adds what contradicts how the system packs. The layer is -1 where there
// is none.
func (f *ClosureFindings) Fail(rule string, layer int, path, format string, args ...any) {
	f.Wrong = append(f.Wrong, newFinding(check.Problem, rule, layer, path, format, args...))
}

// Doubt adds what can be neither explained nor called wrong.
func (f *ClosureFindings) Doubt(rule string, layer int, path, format string, args ...any) {
	f.Undecided = append(f.Undecided, newFinding(check.Problem, rule, layer, path, format, args...))
}

// Note adds what is worth knowing and speaks for nothing.
func (f *ClosureFindings) Note(rule string, layer int, path, format string, args ...any) {
	f.Notes = append(f.Notes, newFinding(check.Note, rule, layer, path, format, args...))
}

func newFinding(level check.Level, rule string, layer int, path, format string, args ...any) check.Finding {
	return check.Finding{Rule: rule, Level: level, Layer: layer, Path: path, Words: fmt.Sprintf(format, args...)}
}

// Check makes the check of what was gathered: a pass only where nothing is wrong
// and nothing undecided. Explained says in words how much is explained, bytes how
// many bytes that are.
func (f *ClosureFindings) Check(explained string, bytes int64) check.Check {
	out := check.Check{ID: check.Closure, Status: check.Pass, Summary: explained, Bytes: bytes}
	out.Findings = slices.Concat(f.Wrong, f.Undecided, f.Notes)
	slices.SortStableFunc(out.Findings, func(a, b check.Finding) int {
		return cmp.Or(cmp.Compare(a.Layer, b.Layer), inspect.ComparePaths(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Words, b.Words))
	})
	switch {
	case len(f.Wrong) > 0:
		out.Status = check.Fail
		out.Summary = tally(f.Wrong) + "; " + explained
	case len(f.Undecided) > 0:
		out.Status = check.Unknown
		out.Summary = "undecided: " + tally(f.Undecided) + "; " + explained
	}
	return out
}

// tally counts findings, and those of each rule: "3 findings (2
// unexplained-file, 1 whiteout)".
func tally(findings []check.Finding) string {
	counts := make(map[string]int)
	for _, f := range findings {
		counts[f.Rule]++
	}
	var parts []string
	for rule, n := range counts {
		parts = append(parts, fmt.Sprintf("%d %s", n, rule))
	}
	slices.SortFunc(parts, func(a, b string) int {
		return strings.Compare(a[strings.IndexByte(a, ' '):], b[strings.IndexByte(b, ' '):])
	})
	plural := "s"
	if len(findings) == 1 {
		plural = ""
	}
	return fmt.Sprintf("%d finding%s (%s)", len(findings), plural, strings.Join(parts, ", "))
}

// A Closure gathers what the check named closure finds. It has the one rule for
// files that nothing explains, so that they weigh the same in every system.
type Closure struct {
	check.List
	// Claimed says that the recipe claims to make every file of the image, and is
	// bound to its bytes: then a file that nothing explains breaks that claim.
	Claimed bool

	dangerous check.List
}

// Unexplained adds an entry that nothing explains: no package, no store item, no
// rule of a packer. It is a problem where every file is claimed, else undecided.
// Entries that an intruder would want stand first, under a code of their own. The
// arguments are those of [check.Say].
func (c *Closure) Unexplained(img *inspect.Image, layer int, e *inspect.Entry, args ...any) {
	args = append(args, "kind", KindOf(e))
	if code := Dangerous(img, layer, e); code != "" {
		c.dangerous.Append(check.Find(c.level(), layer, e.Path, code, append(args, "mode", fmt.Sprintf("%04o", e.Mode))...))
		return
	}
	c.Append(check.Find(c.level(), layer, e.Path, "closure/unexplained-file", args...))
}

// Unowned adds an entry that something weaker than a package or a recipe explains,
// such as an instruction of a history, if it is one that an intruder would want.
func (c *Closure) Unowned(img *inspect.Image, layer int, e *inspect.Entry, args ...any) {
	if Dangerous(img, layer, e) != "" {
		c.Unexplained(img, layer, e, args...)
	}
}

// Raised adds an entry that a package explains but for the rights that its mode or a
// capability gives to whoever runs it.
func (c *Closure) Raised(layer int, e *inspect.Entry, args ...any) {
	args = append(args, "kind", KindOf(e), "mode", fmt.Sprintf("%04o", e.Mode))
	c.dangerous.Append(check.Find(c.level(), layer, e.Path, "closure/mode-raised", args...))
}

func (c *Closure) level() check.Level {
	if c.Claimed {
		return check.Problem
	}
	return check.Undecided
}

// Check makes the check of what was gathered: a pass only where there is neither a
// problem nor anything undecided. Explained says how much is explained, bytes how
// many bytes of the layers that are.
func (c *Closure) Check(explained check.Message, bytes int64) check.Check {
	out := check.Check{ID: check.Closure, Bytes: bytes}
	out.Findings = slices.Concat(c.dangerous.Sorted(), c.Sorted())
	out.Status = check.Worst(out.Findings)
	for _, level := range []check.Level{check.Problem, check.Undecided} {
		if n := c.Count(level) + c.dangerous.Count(level); n > 0 {
			code := map[check.Level]string{check.Problem: "closure/problems", check.Undecided: "closure/undecided"}[level]
			out.Because(code, "count", n, "kinds", tallied(c.dangerous.Tally(level), c.Tally(level)))
			break
		}
	}
	out.Reasons = append(out.Reasons, explained)
	return out
}

func tallied(tallies ...[]check.Tally) []string {
	var all []string
	for _, t := range slices.Concat(tallies...) {
		all = append(all, fmt.Sprintf("%d %s", t.Count, t.Name()))
	}
	return all
}

// Dangerous returns the code of what makes an entry one that an intruder would
// want: it gives whoever runs it the rights of its owner or group, or a
// capability, or is a device, or a private key; "" for any other.
func Dangerous(img *inspect.Image, layer int, e *inspect.Entry) string {
	isFile := e.Type == '0' || e.Type == '1'
	switch {
	case isFile && e.Mode&0o4000 != 0:
		return "closure/setuid-file"
	case isFile && e.Mode&0o2000 != 0 && e.Mode&0o010 != 0: // without the group's x it is a lock's mark
		return "closure/setgid-file"
	case e.Xattrs["security.capability"] != "":
		return "closure/capability-file"
	case e.Type == '3' || e.Type == '4':
		return "closure/device"
	case isFile && IsKey(e.Path):
		if data, ok := img.Body(layer, e.Path); ok && privateKey.Match(data) {
			return "closure/private-key"
		}
	}
	return ""
}

// IsKey says of the path of a file whether it is one that private keys usually
// have: the content is looked into where an image was opened with it kept.
func IsKey(p string) bool {
	name := path.Base(p)
	switch name {
	case "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "ssh_host_rsa_key", "ssh_host_dsa_key", "ssh_host_ecdsa_key",
		"ssh_host_ed25519_key", "server.key", "tls.key", "privkey.pem", "private.pem", "private.key":
		return true
	}
	return false
}

// privateKey is how a private key begins (RFC 7468, and OpenSSH's PROTOCOL.key).
var privateKey = regexp.MustCompile(`(?m)^-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----`)

// KindOf names the kind of an entry.
func KindOf(e *inspect.Entry) string {
	kinds := map[byte]string{'0': "file", '1': "hard link", '2': "symlink", '3': "character device", '4': "block device",
		'5': "folder", '6': "named pipe", inspect.Socket: "socket"}
	if kind, ok := kinds[e.Type]; ok {
		return kind
	}
	return "entry"
}
