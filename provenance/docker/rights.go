package docker

import (
	"regexp"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
)

// rights are arguments about an entry that says what made its layer, and of one that gives
// rights what packages and the history have to do with that. An instruction that sets them
// by name is named itself.
func (c *closureCheck) rights(layer, index int, e *inspect.Entry, explained bool) []any {
	if provenance.Dangerous(c.img, layer, e) == "" {
		return []any{"instruction", c.by[layer]}
	}
	args := provenance.Rights(c.installed, layer, index, e, explained)
	if by := c.setBy(layer, e.Path); explained && by != "" {
		return append(args, "sets", check.Brief(by))
	}
	return append(args, "instruction", c.by[layer])
}

// setBy returns the instruction of a layer that gives a file rights by its name, "" where
// there is none, or as many files were looked for as are listed.
func (c *closureCheck) setBy(layer int, path string) string {
	if c.asked++; c.asked > maxListed {
		return ""
	}
	const mode = `([ugoa]*[+=][rwxXt]*s[rwxXst]*|0?[2-7][0-7]{3})`
	name := `([^;&|\n]*[\s"'])?["']?/?` + regexp.QuoteMeta(path) + `([\s;&|"')]|$)`
	sets := regexp.MustCompile(`\bchmod\s+(-\S+\s+)*([ugoa]*[+=-][rwxXst]*,)*` + mode + `(,\S*)?\s` + name +
		`|\bsetcap\s` + name + `|\binstall\s[^;&|\n]*(-m\s*|--mode[= ])` + mode + `\s` + name)
	for _, i := range c.history {
		if i.Layer == layer && sets.MatchString(i.String()) {
			return i.String()
		}
	}
	return ""
}
