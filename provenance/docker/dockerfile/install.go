package dockerfile

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"audit/inspect/check"
)

// An installer is a kind of program that fetches packages by name.
type installer struct {
	programs []string
	verbs    []string // that install what is named
	upgrades []string // that take the newest of everything
	valued   []string // options with a value of their own
	// pinned says whether a name has a version that stays; nil when none can.
	pinned func(name string) bool
	// settles are words in the script that make all versions stay.
	settles *regexp.Regexp
	// alone is what keeps the verb to the lock file without names; "" where it is
	// repeatable without them.
	alone string
	// logs are left behind, with times in them, unless the script cleans up.
	logs string
}

// installers are made once: their expressions take longer to compile than a
// script takes to read.
var installers = sync.OnceValue(func() []installer {
	with := func(mark string) func(string) bool {
		return func(name string) bool { return strings.Contains(name, mark) }
	}
	return []installer{
		{programs: []string{"apt-get", "apt", "aptitude"}, verbs: []string{"install"}, upgrades: []string{"upgrade", "dist-upgrade", "full-upgrade"},
			valued: []string{"-o", "-t", "-c", "--option", "--target-release", "--config-file", "--default-release"}, pinned: debian,
			settles: regexp.MustCompile(`snapshot\.(debian|ubuntu)\.(org|com)`), logs: "/var/log"},
		{programs: []string{"apk"}, verbs: []string{"add"}, upgrades: []string{"upgrade"},
			valued: []string{"-t", "--virtual", "-X", "--repository", "-p", "--root", "--repositories-file", "--arch"},
			pinned: func(name string) bool { return strings.HasPrefix(name, ".") || strings.ContainsAny(name, "=~") }},
		{programs: []string{"yum", "dnf", "microdnf", "tdnf"}, verbs: []string{"install", "localinstall", "reinstall"}, upgrades: []string{"update", "upgrade", "distro-sync"},
			valued: []string{"-c", "-x", "--config", "--exclude"}, pinned: regexp.MustCompile(`-\d|\.rpm$|^/`).MatchString, logs: "/var/log"},
		{programs: []string{"zypper"}, verbs: []string{"install", "in"}, upgrades: []string{"update", "up", "dup", "patch"}, valued: []string{"-r", "--repo"}, pinned: with("=")},
		{programs: []string{"pacman"}, verbs: []string{"-S", "-Sy", "-Syu", "-Syyu", "-Su"}},
		{programs: []string{"pip", "pip2", "pip3", "pipx"}, verbs: []string{"install"},
			valued: []string{"-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-t", "--target", "--prefix", "--root", "-e", "--editable", "--trusted-host"},
			pinned: python, settles: regexp.MustCompile(`--require-hashes`)},
		{programs: []string{"npm"}, verbs: []string{"install", "i", "add"}, upgrades: []string{"update", "upgrade"}, valued: []string{"--prefix", "-C", "--registry"},
			pinned: node, alone: "npm ci"},
		{programs: []string{"yarn", "pnpm"}, verbs: []string{"install", "add", "global", "i"}, upgrades: []string{"upgrade", "update"}, pinned: node,
			settles: regexp.MustCompile(`--frozen-lockfile|--immutable`), alone: "--frozen-lockfile"},
		{programs: []string{"gem"}, verbs: []string{"install"}, upgrades: []string{"update"}, settles: regexp.MustCompile(`(^|\s)(-v|--version)\b`), pinned: regexp.MustCompile(`:\d|\.gem$`).MatchString},
		{programs: []string{"cargo"}, verbs: []string{"install"}, upgrades: []string{"update"}, valued: []string{"--root", "--features", "--target", "--path"},
			settles: regexp.MustCompile(`--locked|--version|--path`), pinned: regexp.MustCompile(`@\d`).MatchString},
		{programs: []string{"conda", "mamba", "micromamba"}, verbs: []string{"install", "create"}, upgrades: []string{"update", "upgrade"},
			valued: []string{"-n", "--name", "-c", "--channel", "-p", "--prefix", "-f", "--file"}, pinned: with("=")},
		{programs: []string{"composer"}, verbs: []string{"require"}, upgrades: []string{"update"}, pinned: with(":")},
	}
})

// debian accepts NAME=VERSION and files.
func debian(name string) bool {
	return strings.Contains(name, "=") || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "./")
}

// python accepts NAME==VERSION, files and folders, and commits of repositories.
func python(name string) bool {
	if strings.Contains(name, "://") {
		return commit.MatchString(name) || strings.Contains(name, "#sha256=")
	}
	return strings.Contains(name, "==") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "/") || strings.HasSuffix(name, ".whl")
}

var nodeVersion = regexp.MustCompile(`.@\d+\.\d+\.\d+`)

// node accepts NAME@1.2.3, files and folders.
func node(name string) bool {
	return nodeVersion.MatchString(name) || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "file:")
}

// reason says why a call of an installer is not repeatable.
func (in installer) reason(program string, args []string, s *script) check.Message {
	verb, names := in.call(args)
	settled := in.settles != nil && s.matches(in.settles)
	switch {
	case slices.Contains(in.upgrades, verb) && !settled:
		return check.Say("recipe/newest-packages", "command", program+" "+verb)
	case !slices.Contains(in.verbs, verb) || settled:
		return check.Message{}
	}
	var loose []string
	for _, n := range names {
		if in.pinned == nil || !in.pinned(n) {
			loose = append(loose, n)
		}
	}
	switch {
	case len(loose) > 0:
		return check.Say("recipe/loose-versions", "command", program+" "+verb, "packages", first(loose), "more-packages", max(0, len(loose)-mostPackages))
	case len(names) == 0 && in.alone != "" && !files(args):
		return check.Say("recipe/unlocked-versions", "command", program+" "+verb, "option", in.alone)
	case in.logs != "" && len(names) > 0 && !strings.Contains(s.text, in.logs):
		return check.Say("recipe/package-logs", "command", program+" "+verb, "folder", in.logs)
	}
	return check.Message{}
}

// files says whether a call names what to install in a file.
func files(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		return a == "-r" || a == "-e" || strings.HasPrefix(a, "--requirement") || strings.HasPrefix(a, "--file") || strings.HasPrefix(a, "--editable")
	})
}

// call returns the verb of a command and the names after it.
func (in installer) call(args []string) (verb string, names []string) {
	for n := 0; n < len(args); n++ {
		a := args[n]
		switch {
		case verb == "" && slices.Contains(in.verbs, a):
			verb = a
		case slices.Contains(in.valued, a):
			n++
		case strings.HasPrefix(a, "-"), strings.HasPrefix(a, ">"), strings.HasPrefix(a, "<"), a == "2>":
		case verb == "":
			verb = a
		case verb == "global" && (a == "add" || a == "install"):
		default:
			names = append(names, a)
		}
	}
	return verb, names
}

// mostPackages bounds how many packages a message names.
const mostPackages = 6

func first(names []string) []string { return names[:min(len(names), mostPackages)] }

// Network says which program of a RUN needs the network, "" when none is seen
// that does, or when it has none anyway.
func (i Instruction) Network() string {
	if i.Keyword != "RUN" || i.Flag("network") == "none" {
		return ""
	}
	for _, c := range Commands(i.Script()) {
		if c.reaches() {
			return strings.Join(c[:min(len(c), 2)], " ")
		}
	}
	return ""
}

func (c Command) reaches() bool {
	name, args := c.Program(), c[1:]
	first := ""
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			first = a
			break
		}
	}
	switch name {
	case "curl", "wget", "aria2c":
		return slices.ContainsFunc(args, func(a string) bool { found := address.FindString(a); return found != "" && !here.MatchString(found) })
	case "git":
		return (first == "clone" || first == "pull" || first == "fetch") && address.MatchString(strings.Join(args, " "))
	case "apt-get", "apt":
		return first == "update"
	case "apk":
		return (first == "add" || first == "update" || first == "upgrade") && !slices.Contains(args, "--no-network")
	case "npm", "yarn", "pnpm":
		return (first == "ci" || first == "install" || first == "i" || first == "add") && !slices.Contains(args, "--offline")
	case "go":
		return len(args) > 1 && (args[0] == "mod" && args[1] == "download" || args[0] == "install" && strings.Contains(args[len(args)-1], "@"))
	case "pip", "pip3", "yum", "dnf", "microdnf", "tdnf", "zypper", "gem", "bundle", "conda", "mamba", "micromamba":
		return (first == "install" || first == "update" || first == "upgrade") && !slices.Contains(args, "--no-index") && !slices.Contains(args, "--local")
	}
	return false
}
