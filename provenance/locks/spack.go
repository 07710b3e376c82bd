package locks

import (
	"path"
	"regexp"
	"strconv"

	"audit/inspect/check"
	"audit/provenance/records"
)

// Names, versions, hashes and architectures (Spack 0.23, spec_parser.py, arch_spec).
var (
	spackName    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]*$`)
	spackVersion = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
	spackHash    = regexp.MustCompile(`^[a-z2-7]{32}$`)
	spackArch    = regexp.MustCompile(`^[a-z0-9_]+-[a-z0-9_.]+-[a-z0-9_]+$`)
)

const spackFile = "spack.yaml"

// spackLocks writes an environment of Spack with all packages that are installed. Which
// of them somebody asked for, their variants and their compilers are in Spack's own
// database: the hash of each, in a comment, stands for that.
func spackLocks(s Source) []*Lock {
	var w writer
	w.name = spackFile
	for _, c := range s.Records.Components {
		if c.Ecosystem != records.Spack {
			continue
		}
		if !spackName.MatchString(c.Name) || !spackVersion.MatchString(c.Version) || c.Build != "" && !spackHash.MatchString(c.Build) {
			w.leaveOut(c.Name, c.Version, c.Build)
			continue
		}
		line := "  - " + c.Name + "@=" + c.Version
		if spackArch.MatchString(c.Arch) {
			line += " arch=" + c.Arch
		}
		if c.Build != "" {
			line += " # /" + c.Build
		}
		w.component(c, line)
	}
	if w.lock.Entries == 0 && len(w.lock.LeftOut) == 0 {
		return nil
	}
	w.comment("%s: the packages that Spack installed, as .spack/spec.json has them, which nobody signs", spackFile)
	w.comment("Variants and compilers are left to Spack: /HASH names those of the image, where a build cache has it.")
	for f := range s.Image.Root().Files() {
		if path.Base(f.Path) == "spack.lock" && f.Inode.Type == '0' {
			w.comment("the image has the lock of an environment: %s, %s", strconv.QuoteToASCII(check.Brief(f.Path)), f.Inode.Digest)
			break
		}
	}
	w.head.WriteString("spack:\n  concretizer:\n    unify: when_possible\n  specs:\n")
	return []*Lock{w.finish()}
}
