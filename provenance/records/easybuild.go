package records

import (
	"errors"
	"path"
	"regexp"
	"strings"
)

// isEasyBuild says whether a file is the easyconfig that EasyBuild left beside what it
// installed: PREFIX/easybuild/NAME.eb.
func isEasyBuild(p string) bool {
	return path.Ext(p) == ".eb" && path.Base(path.Dir(p)) == "easybuild"
}

// easyconfig matches assignments of plain texts in an easyconfig, which is a program in
// Python ("Writing easyconfig files", docs.easybuild.io). Those that are computed are
// not taken.
var (
	easyconfig = regexp.MustCompile(`(?m)^(name|version|versionsuffix)\s*=\s*(?:'([^'\\\n]*)'|"([^"\\\n]*)")\s*(?:#.*)?$`)
	toolchain  = regexp.MustCompile(`(?m)^toolchain\s*=\s*\{([^}\n]*)\}`)
	toolField  = regexp.MustCompile(`['"](name|version)['"]\s*:\s*['"]([^'"]*)['"]`)
	system     = regexp.MustCompile(`(?m)^toolchain\s*=\s*SYSTEM\s*$`)
)

// easybuild reads an easyconfig. It lists no files.
func (r *reader) easybuild(at found, body []byte) error {
	fields := make(map[string]string)
	for _, m := range easyconfig.FindAllSubmatch(body, maxFields) {
		fields[string(m[1])] = string(m[2]) + string(m[3])
	}
	if fields["name"] == "" {
		return errors.New("it names no package")
	}
	with := ""
	if m := toolchain.FindSubmatch(body); m != nil {
		of := make(map[string]string)
		for _, f := range toolField.FindAllSubmatch(m[1], maxFields) {
			of[string(f[1])] = string(f[2])
		}
		with = of["name"] + "-" + of["version"]
	} else if system.Match(body) {
		with = "system"
	}
	r.add(Component{
		Ecosystem: EasyBuild, Name: fields["name"], Version: fields["version"], In: -1,
		Build: strings.TrimPrefix(with+fields["versionsuffix"], "-"),
	}, at.File)
	r.environment(path.Dir(path.Dir(at.name)), EasyBuild, true)
	return nil
}
