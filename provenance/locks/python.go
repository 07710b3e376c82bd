package locks

import (
	"regexp"
	"strconv"
	"strings"

	"audit/inspect/check"
	"audit/provenance/records"
)

// Names and versions (packaging.python.org: "Names and normalization", "Version
// specifiers"; versions of before PEP 440 are compared as texts).
var (
	pythonName    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	pythonVersion = regexp.MustCompile(`^(?i)([0-9]+!)?[0-9]+(\.[0-9]+)*((a|b|rc)[0-9]+)?(\.post[0-9]+)?(\.dev[0-9]+)?(\+[a-z0-9]+([._-][a-z0-9]+)*)?$`)
	plainOrigin   = regexp.MustCompile(`^[a-z]+\+https?://[A-Za-z0-9._~:/%+-]+@[0-9A-Za-z._-]+(#subdirectory=[A-Za-z0-9._~/-]+)?$`)
	pythonOther   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.!+_-]*$`)
)

// pythonLocks writes the requirements of each folder of Python packages. No index is
// recorded and no digest of what was fetched, but where a package was not from an index:
// RECORD has the digests of the files that are in it. pip wants a digest of all packages
// where one has it in an option, so that it stands in the address where others have none.
func pythonLocks(s Source) []*Lock {
	return s.locks(records.Python, 2, "requirements.txt", func(w *writer, env environment) {
		w.comment("%s: the Python packages in %s, as their metadata have them, which nobody signs", w.name, strconv.QuoteToASCII(check.Brief("/"+env.folder)))
		w.comment("The index is not recorded. Digests are those that direct_url.json has: RECORD has none of the wheel.")
		w.comment("to install them again: pip install --no-deps -r %s", w.name)
		hashed := true
		for _, c := range env.components {
			_, hex := digestOf(c, "sha256")
			hashed = hashed && (c.Origin == records.Local || c.Origin == "" && hex != "" && plainAddress.MatchString(c.URL))
		}
		whole := wholest(env.components)
		for i, c := range env.components {
			if whole[records.PlainName(c.Name)] == i {
				w.requirement(c, hashed)
			} else {
				w.comment("left out, since pip takes one version of a name, and the files of another agree better with its record: %s", strconv.QuoteToASCII(check.Brief(c.Name+" "+c.Version)))
			}
		}
	})
}

// wholest is the place of the component of each name of which the least is changed or
// missing, the first of equals: what an upgrade left of an older version lies beside it.
func wholest(all []records.Component) map[string]int {
	places := make(map[string]int, len(all))
	for i, c := range all {
		name := records.PlainName(c.Name)
		best, ok := places[name]
		if !ok || c.Differ+c.Missing < all[best].Differ+all[best].Missing {
			places[name] = i
		}
	}
	return places
}

// requirement writes one; hashed says that all have a digest.
func (w *writer) requirement(c records.Component, hashed bool) {
	line := c.Name + "==" + c.Version
	if !pythonVersion.MatchString(c.Version) {
		line = c.Name + "===" + c.Version
	}
	_, hex := digestOf(c, "sha256")
	known := plainAddress.MatchString(c.URL) && len(c.URL) <= 1000
	switch {
	case w.isLocal(c):
		return
	case !pythonName.MatchString(c.Name), !pythonOther.MatchString(c.Version), len(line) > 300:
		w.leaveOut(c.Name, c.Version)
		return
	case c.Origin != "" && plainOrigin.MatchString(c.Origin):
		line = c.Name + " @ " + c.Origin
	case c.Origin != "":
		w.leaveOut(c.Name, c.Version, c.Origin)
		return
	case known && hex != "" && hashed:
		line = c.Name + " @ " + c.URL + " --hash=sha256:" + hex
	case known && hex != "":
		line = c.Name + " @ " + c.URL + "#sha256=" + hex
	case known:
		line += "  # it was from " + c.URL + ", and has no digest"
	case strings.Contains(c.Version, "+"): // PEP 440, "Local version identifiers"
		line += "  # PyPI takes no local versions: it was from another index"
	}
	w.component(c, line)
}
