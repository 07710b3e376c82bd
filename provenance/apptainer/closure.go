package apptainer

import (
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/ospackages"
	"audit/provenance/vouch"
)

// maxListed bounds the findings alike that are listed one by one.
const maxListed = 200

// closure answers: does a package own each entry, does Apptainer lay it down, or
// can the definition have made it? The last explains nothing that an intruder would
// want, and is undecided. Words are those of signed packages, nil where none were
// verified.
func closure(img *inspect.Image, installed *ospackages.Installed, words *vouch.Entries) check.Check {
	var c provenance.Closure
	c.Max = maxListed
	c.Append(installed.Problems...)
	entries, owned, placed, made := 0, 0, 0, 0
	bytes := int64(0)
	for _, l := range img.Layers {
		if l.Broken != nil {
			c.Append(provenance.UnreadLayer(l))
		}
		for n := range l.Entries {
			e := l.Entries[n]
			entries++
			switch {
			case isLaidDown(e):
				if !c.Unowned(img, l.Index, e) {
					placed++
				}
			case owns(installed, l.Index, n, e) && !installed.Raised(l.Index, n):
				owned++
				bytes += e.FrameSize + e.Size
			case isSigned(words, e):
				owned++
				bytes += e.FrameSize + e.Size
			default:
				made++
				if provenance.Dangerous(img, l.Index, e) != "" {
					c.Unowned(img, l.Index, e, provenance.Rights(installed, l.Index, n, e, true)...)
				}
			}
		}
	}
	if made > 0 {
		c.Undecided(-1, "", "closure/explained-by-definition", "entries", made)
	}
	out := c.Check(check.Say("closure/explained-by-apptainer", "explained", owned+placed, "entries", entries, "owned", owned, "placed", placed), bytes)
	if out.Status == check.Pass { // what Apptainer puts there is known by its place alone
		out.Status = check.Unknown
	}
	return out
}

// isSigned says whether signed packages have an entry as it is, or it is a device of every
// container.
func isSigned(words *vouch.Entries, e *inspect.Entry) bool {
	if words == nil {
		return false
	}
	w, ok := words.Of(e)
	return ok && w.HasRights()
}

// owns says whether a package owns an entry and records these very bytes.
func owns(installed *ospackages.Installed, layer, index int, e *inspect.Entry) bool {
	switch installed.Compare(layer, index).Standing {
	case ospackages.OwnRecord:
		return true
	case ospackages.Unrecorded:
		p, _ := installed.Owner(e.Path)
		return p != nil && e.Type != '0' && e.Type != '1'
	}
	return false
}

// isLaidDown says whether Apptainer and Singularity lay down an entry themselves:
// their folder, the links to it, and the empty places that they mount at
// (internal/pkg/build/files and sources/base_environment.go).
func isLaidDown(e *inspect.Entry) bool {
	if e.Path == folder || strings.HasPrefix(e.Path, folder+"/") {
		return true
	}
	switch e.Path {
	case "singularity", "environment", ".exec", ".run", ".shell", ".test":
		return e.Type == '2' && strings.HasPrefix(e.Linkname, folder+"/")
	case ".", "dev", "proc", "sys", "tmp", "var", "var/tmp", "root", "home", "etc":
		return e.Type == '5'
	case "etc/hosts", "etc/resolv.conf":
		return e.Type == '0' && e.Size == 0
	}
	return false
}
