package compare

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Decides says whether a difference is about what decides who may log in, what they may do
// or what runs: of a file by one of its paths, or because in one of the images everybody may
// write where a system looks for such files.
func Decides(cause Cause, was, now Value, paths ...string) bool {
	return slices.ContainsFunc(paths, DecidesAccess) ||
		cause == Mode && isOpen(was) != isOpen(now) && slices.ContainsFunc(paths, isGuarded)
}

// Decides says whether the difference is about what decides who may do what.
func (d *Difference) Decides() bool {
	return Decides(d.Cause, d.Was, d.Now, d.Path, d.RenamedTo())
}

// isOpen says whether a mode lets everybody write, and not only each their own.
func isOpen(v Value) bool {
	if v == nil {
		return false
	}
	m := v.Message()
	text := m.Args.String("mode") + m.Args.String("text") // the latter from a stored report
	mode, err := strconv.ParseUint(text[:min(len(text), 4)], 8, 16)
	return err == nil && mode&0o1002 == 0o0002
}

// isGuarded says whether nobody but root writes to a path of an ordinary system.
func isGuarded(path string) bool {
	switch path {
	case "", ".", "etc", "usr", "root", "var", "var/spool", "bin", "sbin", "lib", "lib64", "libexec":
		return true
	}
	return IsForPrograms(path+"/") || strings.HasPrefix(path, "etc/") || strings.HasPrefix(path, "root/")
}

// DecidesAccess says whether a file decides who may log in, what they may do, or which code
// runs beside their own: logins and their rights (passwd(5), sudoers(5), pam(8), polkit(8)),
// what the loader of programs takes in (ld.so(8)), what runs by itself (cron(8), at(1)), and
// what an Apptainer image runs.
func DecidesAccess(path string) bool {
	inEtc, ok := strings.CutPrefix(strings.TrimPrefix(path, "usr/"), "etc/")
	if ok {
		first, _, _ := strings.Cut(inEtc, "/")
		return slices.Contains(accessFiles(), strings.TrimSuffix(first, "-"))
	}
	for _, folder := range []string{"var/spool/cron", "var/spool/at", "var/spool/atjobs", "usr/share/polkit-1", "usr/lib/pam.d", ".singularity.d"} {
		if path == folder || strings.HasPrefix(path, folder+"/") {
			return path != ".singularity.d/labels.json" && path != ".singularity.d/Singularity" // which say what was, and run nothing
		}
	}
	return strings.Contains("/"+path, "/.ssh/")
}

// accessFiles are the files and folders of /etc that decide who may do what.
func accessFiles() []string {
	return []string{"passwd", "shadow", "group", "gshadow", "subuid", "subgid", "sudoers", "sudoers.d", "doas.conf", "doas.d",
		"pam.d", "pam.conf", "security", "environment", "polkit-1", "ssh", "login.defs", "nsswitch.conf",
		"ld.so.preload", "ld.so.conf", "ld.so.conf.d", "crontab", "crontabs", "anacrontab",
		"cron.d", "cron.hourly", "cron.daily", "cron.weekly", "cron.monthly", "cron.allow", "cron.deny", "at.allow", "at.deny"}
}

// Decides says whether a field of the image config decides what runs and as whom: the user,
// the commands, the variables by which loaders, shells and interpreters find code, and the
// capabilities that Podman gives by a label.
func (f *FieldDifference) Decides() bool { return !f.Cause.Harmless() && f.Weight() < decidesNothing }

// decidesNothing is the weight of all other fields.
const decidesNothing = 5

// Weight orders fields of the config: those that decide what runs and as whom come first.
func (f *FieldDifference) Weight() int {
	name, ok := cutFold(f.Field, "config.")
	if !ok {
		if f.Field == "config" || f.Field == "" { // all of it, as engines decode it
			return 0
		}
		return decidesNothing
	}
	end := strings.IndexAny(name, ".[#")
	if end < 0 {
		end = len(name)
	}
	switch strings.ToLower(name[:end]) {
	case "user":
		if userOf(f.Was) != userOf(f.Now) {
			return 0
		}
	case "entrypoint", "cmd":
		return 1
	case "env":
		was, now := loading(f.Was), loading(f.Now)
		switch {
		case maps.Equal(was, now):
		case hasLoader(was), hasLoader(now):
			return 2
		default:
			return 3
		}
	case "healthcheck", "shell", "onbuild":
		return 4
	case "labels":
		if strings.Contains(f.Field, "io.containers.capabilities") {
			return 4
		}
	}
	return decidesNothing
}

// cutFold is strings.CutPrefix for keys as engines decode them, in upper or lower case.
func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// userOf is the user that a JSON text names, whose number is 0 under any of its names.
func userOf(text string) string {
	var user string
	if text != "" && json.Unmarshal([]byte(text), &user) != nil {
		return text
	}
	name, group, _ := strings.Cut(user, ":")
	if n, err := strconv.ParseUint(name, 10, 32); name == "" || name == "root" || err == nil && n == 0 {
		name = "0"
	}
	if group == "root" {
		group = "0"
	}
	return name + ":" + group
}

// hasLoader says whether variables of the loader of programs (ld.so(8)) are among some.
func hasLoader(vars map[string]string) bool {
	for name := range vars {
		if strings.HasPrefix(name, "LD_") {
			return true
		}
	}
	return false
}

// loading are the variables of a JSON text, one or a list of them, by which code is found.
func loading(text string) map[string]string {
	var all []string
	if json.Unmarshal([]byte(text), &all) != nil {
		all = make([]string, 1)
		if json.Unmarshal([]byte(text), &all[0]) != nil {
			return nil
		}
	}
	found := make(map[string]string)
	for _, v := range all {
		if name, value, _ := strings.Cut(v, "="); strings.HasPrefix(name, "LD_") || slices.Contains(loadingNames(), name) {
			found[name] = value // the last counts
		}
	}
	return found
}

// loadingNames are the variables by which shells and interpreters find code, as their
// manual pages name them.
func loadingNames() []string {
	return []string{"PATH", "GCONV_PATH", "GLIBC_TUNABLES", "BASH_ENV", "ENV", "PROMPT_COMMAND", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP",
		"PERL5LIB", "PERL5OPT", "RUBYLIB", "RUBYOPT", "NODE_OPTIONS", "NODE_PATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS",
		"CLASSPATH", "LUA_PATH", "LUA_CPATH", "GUILE_LOAD_PATH", "GUILE_LOAD_COMPILED_PATH", "R_PROFILE", "R_LIBS"}
}
