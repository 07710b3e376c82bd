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
	if explained {
		if by := c.setBy(layer, e.Path); by != "" {
			return append(args, "sets", check.Brief(by))
		}
	}
	return append(args, "instruction", c.by[layer])
}

// What is looked for instructions that set rights, which a hostile history could make slow.
const (
	maxSet     = 20       // files
	maxSetting = 16 << 10 // bytes of one instruction
)

// setBy returns the instruction of a layer that gives a file rights by its name, "" where
// none is found within those limits.
func (c *closureCheck) setBy(layer int, path string) string {
	if c.asked++; c.asked > maxSet {
		return ""
	}
	const mode = `([ugoa]*[+=][rwxXt]*s[rwxXst]*|0?[2-7][0-7]{3})`
	name := `([^;&|\n]*[\s"'])?["']?/?` + regexp.QuoteMeta(path) + `([\s;&|"')]|$)`
	sets := regexp.MustCompile(`\bchmod\s+(-\S+\s+)*([ugoa]*[+=-][rwxXst]*,)*` + mode + `(,\S*)?\s` + name +
		`|\bsetcap\s` + name + `|\binstall\s[^;&|\n]*(-m\s*|--mode[= ])` + mode + `\s` + name)
	left := maxTogether
	for _, i := range c.history {
		if i.Layer != layer || left == 0 {
			continue
		}
		left--
		if by := i.String(); len(by) <= maxSetting && sets.MatchString(by) {
			return by
		}
	}
	return ""
}
