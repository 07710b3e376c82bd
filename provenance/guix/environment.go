package guix

import (
	"strings"

	"audit/inspect"
)

// environmentName is the store item with the script that sets the environment
// in a squashfs, and environmentLink what leads to it.
const (
	environmentName = "singularity-environment.sh"
	environmentLink = ".singularity.d/env/90-environment.sh"
)

// environment finds the script that sets the environment in a squashfs. It is
// the packer's own when it does nothing but that, for the profile.
func (v *view) environment(p Pack) (item string, ok bool) {
	link, ok := v.files.At(environmentLink)
	if p.Format != formatSquashfs || !ok || link.Type != '2' {
		return "", false
	}
	item = v.img.Stores.ItemOf(strings.TrimPrefix(absolute(link), "/"))
	if item == "" || inspect.StoreName(item) != environmentName || link.Linkname != RelativeName("/.singularity.d/env", item) {
		return "", false
	}
	text, _, ok := v.body(item[1:])
	return item, ok && setsEnvironment(string(text), p.Root)
}

// setsEnvironment says whether a script is the one for the profile root: that
// of 1.5 reads the file etc/profile of the profile, that of 1.1 to 1.4 sets and
// exports search paths in it, one after the other.
func setsEnvironment(script, root string) bool {
	if script == ". "+root+"/etc/profile\n" {
		return true
	}
	lines := strings.Split(strings.TrimSuffix(script, "\n"), "\n")
	if len(lines)%2 != 0 {
		return script == ""
	}
	for i := 0; i < len(lines); i += 2 {
		name, value, ok := strings.Cut(lines[i], "=")
		if !ok || !isVariable(name) || !isSearchPath(value, root) || lines[i+1] != "export "+name {
			return false
		}
	}
	return true
}

func isVariable(name string) bool {
	return name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == ""
}

// isSearchPath says whether a text, as a shell reads it, is a list of folders
// in a profile.
func isSearchPath(text, root string) bool {
	for folder := range strings.SplitSeq(text, ":") {
		rest, ok := strings.CutPrefix(folder, root)
		plain := strings.Trim(strings.ToLower(rest), "abcdefghijklmnopqrstuvwxyz0123456789/._+-") == ""
		if !ok || !plain || rest != "" && rest[0] != '/' || strings.Contains(rest, "..") {
			return false
		}
	}
	return true
}
