package report

import (
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/provenance"
	"audit/rebuild"
)

// maxNext bounds what is said to do next.
const maxNext = 3

// next says what whoever reads the report can do, the most useful first; nothing where
// there is nothing left to do.
func (r *Report) next() []string {
	var steps []string
	switch r.Verdict {
	case rebuild.Contradicted:
		for _, c := range r.Checks {
			if c.Status == check.Fail {
				steps = append(steps, r.advice(c.ID, c.Status))
				break
			}
		}
	case rebuild.Unreproducible, rebuild.Different:
		steps = append(steps, "Look at the differences, by their cause, and at the evidence of each.")
		if r.Verdict == rebuild.Unreproducible {
			steps = append(steps, r.buildTwice())
		}
	case rebuild.BuildFailed:
		steps = append(steps, r.buildAdvice())
	case rebuild.Matching:
		if !given(r) && r.hasStore() {
			steps = append(steps, "--fresh all builds again what was reused.")
		}
		steps = append(steps, r.askSigners())
	case rebuild.Unverified:
		allow := r.allow()
		steps = append(steps, r.lookFirst(), r.readAll(), allow, r.askSigners())
		if r.Recipe.Status == provenance.Partial && allow == "" {
			steps = append(steps, "Ask whoever made it for the recipe: without one nobody can build it again.")
		}
	case rebuild.Reproducible, rebuild.Equivalent, rebuild.Vouched:
		steps = append(steps, "audit attest report.json signs this for others.")
	}
	steps = slices.DeleteFunc(steps, func(s string) bool { return s == "" })
	return steps[:min(len(steps), maxNext)]
}

// buildTwice says how a build that varies is told from an image that was changed; "" where
// it was built twice, or elsewhere.
func (r *Report) buildTwice() string {
	switch {
	case given(r), r.Rebuild != nil && len(r.Rebuild.Fresh) > 0:
		return ""
	case !r.hasStore(): // of which alone --fresh builds anything again
		return "Build it twice on one machine and compare the two with audit compare: what differs there too varies from build to build, and is no sign that the image was changed."
	}
	return "--fresh all builds everything twice, which separates a package that does not come out the same from an image that was changed."
}

// hasStore says whether what builds the image reuses store items.
func (r *Report) hasStore() bool { return r.words.of(r.Recipe.System).Store != "" }

// buildAdvice says what to do about a build that failed.
func (r *Report) buildAdvice() string {
	if r.Rebuild != nil && r.Rebuild.Hint != "" {
		return short(r.Rebuild.Hint)
	}
	if r.Rebuild != nil && r.Rebuild.Log != "" {
		return "The findings of the check rebuild name what the log points at; " + r.Rebuild.Log + " has all of it."
	}
	return "The findings of the check rebuild name what the log points at."
}

// allow says how an image could be built again that was not: what is to be trusted, or
// else given.
func (r *Report) allow() string {
	if r.words.of(r.Recipe.System).Name == "" && !r.notAsked(check.Recipe) {
		return "Nothing that is known here builds it again: ask its author how it was made, or put it beside an image that you trust with audit compare."
	}
	if r.Plan == nil && (r.Status(check.Rebuild) != check.Skipped || r.Recipe.Status == provenance.None || r.notAsked(check.Rebuild)) {
		return ""
	}
	return r.remedy(check.Rebuild)
}

// remedy says what lets a check decide that has not. A plan that is refused names what it
// lacks, wherever it is run.
func (r *Report) remedy(id check.ID) string {
	w := r.words.only(r.Recipe.System)
	switch {
	case r.compared() || r.notAsked(id):
		return "It was not asked for: audit IMAGE makes all checks of one image."
	case id == check.Signatures && r.nothingSigned():
		return "Nothing has to be done: no build farm and no distribution signs what is in this image. Whether somebody vouches for the image as a whole, its statements say."
	case r.Plan == nil || id != check.Rebuild && id != check.Derivation:
		return w.remedy(id)
	}
	if flags := r.wouldAllow(); len(flags) > 0 {
		more := ""
		if len(flags) > maxNext {
			more = " and what else -v names"
		}
		return "To have it built again, name what may be run and fetched, if you trust it: " + strings.Join(flags[:min(len(flags), maxNext)], " ") + more + "."
	}
	lacks := slices.DeleteFunc(slices.Clone(r.Plan.Refused), func(m Message) bool { return m.Code == "plan/needs-trust" })
	if len(lacks) == 0 {
		return w.remedy(id)
	}
	return "To have it built again: " + r.Say(lacks[len(lacks)-1]) + "."
}

// wouldAllow are the flags that name what a rebuild would run or fetch and is not trusted.
func (r *Report) wouldAllow() (flags []string) {
	for _, t := range r.Plan.Trust {
		if !t.Trusted && t.Flag != "" && !slices.Contains(flags, short(t.Flag)) {
			flags = append(flags, short(t.Flag))
		}
	}
	return flags
}

// askSigners says how to have signatures checked, where nobody was asked.
func (r *Report) askSigners() string {
	c := r.check(check.Signatures)
	switch {
	case c.Status != check.Skipped || r.notAsked(check.Signatures):
		return ""
	case len(r.StoreItems) > 0:
		return "--online asks the official build farms whether they signed the same bytes."
	case c.has("signatures/not-asked"), r.nothingSigned():
		return ""
	}
	return "To have its packages verified: " + c.lacksOfPackages()
}

// lacksOfPackages says what is lacking for packages to be verified: not what was given.
func (c Check) lacksOfPackages() string {
	switch {
	case c.has("signatures/deb-no-release"):
		return "--packages DIR or URL must have the Release file that the key has signed (InRelease, or Release and Release.gpg), the lists of packages that it names, and the packages."
	case c.has("signatures/apk-no-source"):
		return "--packages DIR or URL, with the packages in the versions that the image has."
	case c.has("signatures/deb-none-listed"), c.has("signatures/deb-names-only"), c.has("signatures/apk-names-only"):
		return "--packages DIR or URL must have them in the versions that the image has; of an older image a snapshot of the archive has."
	case c.has("signatures/apk-none-verified"), c.has("signatures/rpm-none-verified"):
		return "--trusted-key FILE, another key: those that are trusted have not signed them."
	}
	return "--trusted-key FILE, the key of whoever signed them, and where it is not rpm the packages, --packages DIR or URL."
}

// nothingSigned says that the image has nothing that a build farm or a distribution signs.
func (r *Report) nothingSigned() bool {
	c := r.check(check.Signatures)
	return c.has("signatures/nothing-signed") || c.has("signatures/no-packages")
}

// check returns a check by its ID, the zero Check when there is none.
func (r *Report) check(id check.ID) Check {
	for _, c := range r.Checks {
		if c.ID == id {
			return c
		}
	}
	return Check{}
}

// notAsked says that a check is none that the verb makes.
func (r *Report) notAsked(id check.ID) bool {
	c := r.check(id)
	return c.has("report/not-asked") || c.has("report/comparison-only")
}

func (c Check) has(code string) bool {
	return slices.ContainsFunc(c.Summary, func(m Message) bool { return m.Code == code })
}
