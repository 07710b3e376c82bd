package provenance

import (
	"fmt"
	"slices"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/provenance/ospackages"
	"audit/provenance/vouch"
)

// A Closure gathers what the check named closure finds. It has the one rule for
// files that nothing explains, so that they weigh the same in every system.
type Closure struct {
	check.List
	// Claimed says that the recipe claims to make every file of the image, and is
	// bound to its bytes: then a file that nothing explains breaks that claim.
	Claimed bool

	dangerous check.List
	seen      map[*inspect.Entry]bool // what containers see, once it was asked for
}

// Unexplained adds an entry that nothing explains: no package, no store item, no
// rule of a packer. It is a problem where every file is claimed, else undecided.
// Entries that an intruder would want stand first, under a code of their own. The
// arguments are those of [check.Say].
func (c *Closure) Unexplained(img *inspect.Image, layer int, e *inspect.Entry, args ...any) {
	if !c.Unowned(img, layer, e, args...) {
		c.Append(check.Find(c.level(), layer, e.Path, "closure/unexplained-file", append(args, "kind", KindOf(e))...))
	}
}

// Unowned adds an entry that something weaker than a package or a recipe explains,
// such as an instruction of a history, if it is one that an intruder would want, which
// it returns. Rights that a layer above removes, with the file or without, no container
// has: they are noted. A key that is removed is in the image all the same.
func (c *Closure) Unowned(img *inspect.Image, layer int, e *inspect.Entry, args ...any) bool {
	code := Dangerous(img, layer, e)
	if code == "" {
		return false
	}
	args = slices.Concat([]any{"why", "rights/nobodys"}, args, []any{"kind", KindOf(e), "mode", fmt.Sprintf("%04o", e.Mode)})
	if code != "closure/private-key" && !c.sees(img, e) {
		c.Note(layer, e.Path, "closure/hidden-rights", args...)
		return false
	}
	c.dangerous.Append(check.Find(c.level(), layer, e.Path, code, args...))
	return true
}

// Rights says, in arguments for Unexplained and Unowned, what packages and a recipe have
// to do with the rights that an entry of a layer gives: explained says that the recipe can
// have made it.
func Rights(in *ospackages.Installed, layer, index int, e *inspect.Entry, explained bool) []any {
	found := in.Compare(layer, index)
	owner, _ := in.Owner(e.Path)
	switch {
	case found.Standing == ospackages.Changed:
		return []any{"why", "rights/changed", "package", check.Brief(found.Package)}
	case owner != nil && in.Raised(layer, index):
		return []any{"why", "rights/raised", "package", check.Brief(owner.Name)}
	case owner != nil:
		return []any{"why", "rights/listed", "package", check.Brief(owner.Name)}
	case explained:
		return []any{"why", "rights/recipe"}
	}
	return nil
}

// sees says whether a container sees what an entry made, under any of its names.
func (c *Closure) sees(img *inspect.Image, e *inspect.Entry) bool {
	if c.seen == nil {
		c.seen = make(map[*inspect.Entry]bool)
		for f := range img.Root().Files() {
			c.seen[f.Entry], c.seen[f.Inode.Entry], c.seen[f.Inode.Header] = true, true, true
		}
	}
	return c.seen[e]
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
// capability, or is a device that not every container has, or a private key; "" for
// any other.
func Dangerous(img *inspect.Image, layer int, e *inspect.Entry) string {
	isFile := e.Type == '0' || e.Type == '1'
	switch {
	case isFile && e.Mode&0o4000 != 0:
		return "closure/setuid-file"
	case isFile && e.Mode&0o2000 != 0 && e.Mode&0o010 != 0: // without the group's x it is a lock's mark
		return "closure/setgid-file"
	case e.Attr().Xattrs["security.capability"] != "":
		return "closure/capability-file"
	case (e.Type == '3' || e.Type == '4') && !vouch.IsDevice(e.Path, e.Type, e.Attr()):
		return "closure/device"
	case isFile && hasKey(img, layer, e):
		return "closure/private-key"
	}
	return ""
}

// KindOf names the kind of an entry.
func KindOf(e *inspect.Entry) string {
	kinds := map[byte]string{'0': "file", '1': "hard link", '2': "symlink", '3': "character device", '4': "block device",
		'5': "folder", '6': "named pipe", image.Socket: "socket"}
	if kind, ok := kinds[e.Type]; ok {
		return kind
	}
	return "entry"
}
