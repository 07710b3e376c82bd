package docker

import (
	"encoding/json"
	"path"
	"regexp"
	"strings"

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
	run, nth := setting(path), -1
	for _, i := range c.history {
		if i.Layer != layer || nth == maxTogether-1 {
			continue
		}
		nth++
		by := i.String()
		switch {
		case len(by) > maxSetting:
		case i.Keyword == "COPY" || i.Keyword == "ADD":
			if made := c.made[layer]; nth < len(made) && givesRights.MatchString(i.Flag("chmod")) && made[nth].has(path, false) {
				return by
			}
		case run.MatchString(plainWords(i.Text)):
			return by
		}
	}
	return ""
}

// plainWords are the words of a command with spaces between them: its exec form is an array
// of JSON.
func plainWords(text string) string {
	var words []string
	if strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &words) == nil {
		return strings.Join(words, " ")
	}
	return text
}

// rightsMode is a mode of chmod(1) that sets the user or group of who runs a file.
const rightsMode = `(([ugoa]*[+=-][rwxXst]*,)*[ugoa]*[+=][rwxXt]*s[rwxXst]*(,[^\s"']*)?|0*[2-7][0-7]{3})`

var givesRights = regexp.MustCompile(`^["']?` + rightsMode + `["']?$`)

// setting matches commands that give a file rights by its name, by that of a folder with all
// that is in it, or, of install(1), by that of the folder that it goes to.
func setting(file string) *regexp.Regexp {
	const mode, between, end = `["']?` + rightsMode + `["']?\s`, `([^;&|\n]*[\s"'])?["']?/?`, `/?([\s;&|"')]|$)`
	var above []string
	for dir := path.Dir(file); dir != "." && dir != "/"; dir = path.Dir(dir) {
		above = append(above, regexp.QuoteMeta(dir))
	}
	name, base := regexp.QuoteMeta(file), regexp.QuoteMeta(path.Base(file))
	all := []string{
		`\bchmod\s+(-\S+\s+)*` + mode + between + name + end,
		`\bsetcap\s` + between + name + end,
		`\binstall\s[^;&|\n]*(-[A-Za-z]*m\s*|--mode[= ])` + mode + between + name + end,
	}
	if len(above) > 0 {
		all = append(all, `\bchmod\s+(-\S+\s+)*(-\w*R\w*|--recursive)\s+(-\S+\s+)*`+mode+between+`(`+strings.Join(above, "|")+`)`+end,
			`\binstall\s[^;&|\n]*(-[A-Za-z]*m\s*|--mode[= ])`+mode+`([^;&|\n]*[\s/])?`+base+`\s+([^;&|\n]*\s)?["']?/?`+above[0]+end)
	}
	return regexp.MustCompile(strings.Join(all, "|"))
}
