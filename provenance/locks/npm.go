package locks

import (
	"encoding/base64"
	"encoding/hex"
	"path"
	"regexp"
	"strconv"
	"strings"

	"audit/inspect/check"
	"audit/provenance/records"
)

// Names and versions (docs.npmjs.com, package.json "name"; semver.org 2.0).
var (
	npmName    = regexp.MustCompile(`^(@[a-z0-9~][a-z0-9._~-]*/)?[A-Za-z0-9~][A-Za-z0-9._~-]*$`)
	npmVersion = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
)

const npmFile = "packages.npm.lock"

// maxPointers bounds the locks of npm that are named.
const maxPointers = 50

// npmLock lists the packages of npm in an image, and the locks of its projects, which are
// what npm itself takes: they are named, with their digests, and not written again.
func npmLock(s Source) []*Lock {
	var w writer
	w.name = npmFile
	for _, c := range s.Records.Components {
		if owner, _ := s.Installed.Owner(c.At.Path); c.Ecosystem != records.Npm || c.In >= 0 || owner != nil {
			continue
		}
		if w.isLocal(c) {
			continue
		}
		if !npmName.MatchString(c.Name) || !npmVersion.MatchString(c.Version) || len(c.Name) > 214 {
			w.leaveOut(c.Name, c.Version)
			continue
		}
		line := c.Name + "@" + c.Version
		if algorithm, digest := digestOf(c, "sha512", "sha384", "sha256", "sha1"); digest != "" {
			line += " " + integrity(algorithm, digest)
		}
		switch {
		case c.Origin != "":
			line += " " + c.Origin // of the form of its pattern
		case plainAddress.MatchString(c.URL) && len(c.URL) <= 1000:
			line += " " + c.URL
		}
		w.component(c, line)
	}
	if w.lock.Entries == 0 && len(w.lock.LeftOut)+len(w.lock.local) == 0 {
		return nil
	}
	w.comment("%s: NAME@VERSION INTEGRITY ADDRESS of the packages in node_modules; the latter two where npm's lock has them, which nobody signs", npmFile)
	pointers := 0
	for f := range s.Image.Root().Files() {
		if f.Inode.Type != '0' || !isNpmLock(f.Path) {
			continue
		}
		if pointers++; pointers > maxPointers {
			w.comment("more such locks are in the image")
			break
		}
		w.comment("%s installs by %s, %s", installerOf(f.Path), strconv.QuoteToASCII(check.Brief(f.Path)), f.Inode.Digest)
	}
	if pointers == 0 {
		w.comment("The image has no lock of npm, yarn or pnpm: by what was fetched is not known.")
	}
	return []*Lock{w.finish()}
}

// installerOf is the command that installs by a lock, and by nothing else.
func installerOf(p string) string {
	switch path.Base(p) {
	case "yarn.lock":
		return "yarn install --frozen-lockfile (since yarn 2: --immutable)"
	case "pnpm-lock.yaml":
		return "pnpm install --frozen-lockfile"
	}
	return "npm ci"
}

// isNpmLock says whether a file is the lock of a project.
func isNpmLock(p string) bool {
	switch path.Base(p) {
	case "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml":
		return !strings.Contains("/"+path.Dir(p)+"/", "/node_modules/")
	}
	return false
}

// integrity is a digest as npm has it (W3C Subresource Integrity).
func integrity(algorithm, digest string) string {
	raw, err := hex.DecodeString(digest)
	if err != nil {
		return ""
	}
	return algorithm + "-" + base64.StdEncoding.EncodeToString(raw)
}
