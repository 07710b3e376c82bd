package records

import (
	"regexp"
	"strings"
)

// Locks of yarn and pnpm, which have packages by name and version and not by their place.
const (
	yarnLockName = "yarn.lock"
	pnpmLockName = "pnpm-lock.yaml"
)

// namedLock reads the locks of yarn and pnpm in a folder, by NAME@VERSION.
func (r *reader) namedLock(project string) map[string]npmLocked {
	if text, _, ok := r.beside(project + pnpmLockName); ok {
		return pnpmLocked(string(text))
	}
	if text, _, ok := r.beside(project + yarnLockName); ok {
		return yarnLocked(string(text))
	}
	return nil
}

// Lines of a lock of yarn 1 (yarnpkg/lockfile, "yarn lockfile v1"). The one of later
// versions has digests of archives that yarn itself made, which are not taken.
var (
	yarnKey   = regexp.MustCompile(`^"?(?:[^",]+@npm:)?((?:@[^/@",]+/)?[^/@",]+)@[^,]*`)
	yarnField = regexp.MustCompile(`^  (version|resolved|integrity) "?([^" ]+)"?$`)
)

func yarnLocked(text string) map[string]npmLocked {
	all := make(map[string]npmLocked)
	name, now := "", npmLocked{}
	put := func() {
		if name != "" && now.Version != "" {
			all[name+"@"+now.Version] = now
		}
		name, now = "", npmLocked{}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if m := yarnField.FindStringSubmatch(line); m != nil {
			switch m[1] {
			case "version":
				now.Version = m[2]
			case "resolved":
				now.Resolved = m[2]
			case "integrity":
				now.Integrity = m[2]
			}
			continue
		}
		if m := yarnKey.FindStringSubmatch(line); m != nil && strings.HasSuffix(line, ":") && line[0] != ' ' {
			put()
			name = m[1]
		}
	}
	put()
	return all
}

// Lines of a lock of pnpm (pnpm/spec, lockfile 5 to 9): of a package, and of what it was
// resolved to. Its YAML is written by one program, in one form.
var (
	pnpmKey        = regexp.MustCompile(`^  '?/?((?:@[^/@]+/)?[^/@()':]+)[@/]([^()':_]+)[^:]*:$`)
	pnpmResolution = regexp.MustCompile(`^    resolution: \{(?:.*, )?integrity: ([^,} ]+)`)
	pnpmTarball    = regexp.MustCompile(`[{ ]tarball: ([^,} ]+)`)
)

func pnpmLocked(text string) map[string]npmLocked {
	all := make(map[string]npmLocked)
	name, version := "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if m := pnpmKey.FindStringSubmatch(line); m != nil {
			name, version = m[1], m[2]
			continue
		}
		if m := pnpmResolution.FindStringSubmatch(line); m != nil && name != "" {
			now := npmLocked{Version: version, Integrity: m[1]}
			if t := pnpmTarball.FindStringSubmatch(line); t != nil {
				now.Resolved = t[1]
			}
			all[name+"@"+version] = now
			name = ""
		}
	}
	return all
}
