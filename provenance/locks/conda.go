package locks

import (
	"regexp"
	"strconv"

	"audit/inspect/check"
	"audit/provenance/records"
)

// condaPackage matches the address of a package of conda: channel, platform and file
// (conda 24, models/match_spec and core/path_actions).
var condaPackage = regexp.MustCompile(`^(https?)://[A-Za-z0-9._~:/%+-]+/([a-z]+-[a-z0-9_]+|noarch)/[A-Za-z0-9._!+-]+\.(conda|tar\.bz2)$`)

// condaLocks writes the explicit files of conda's environments, as conda list --explicit
// --md5 does: conda and mamba fetch these very files and compare their digests.
func condaLocks(s Source) []*Lock {
	return s.locks(records.Conda, 2, "conda-explicit.txt", func(w *writer, env environment) {
		w.comment("%s: the packages of the environment %s, as conda-meta has them, which nobody signs", w.name, strconv.QuoteToASCII(check.Brief("/"+env.folder)))
		w.comment("to install them again: conda create --name NAME --file %s", w.name)
		w.head.WriteString("@EXPLICIT\n")
		for _, c := range env.components {
			_, md5 := digestOf(c, "md5")
			_, sha256 := digestOf(c, "sha256")
			switch {
			case !condaPackage.MatchString(c.URL) || len(c.URL) > 1000:
				w.leaveOut(c.Name, c.Version, c.Build, c.URL)
			case md5 != "":
				w.component(c, c.URL+"#"+md5)
			case sha256 != "": // conda 24 takes it, mamba 2 too
				w.component(c, c.URL+"#sha256:"+sha256)
			default:
				w.component(c, c.URL)
			}
		}
	})
}
