package report

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"

	"audit/rebuild"
	"audit/rebuild/archive"
	"audit/rebuild/sources"
)

// A roadView is the way from the image back to its sources as the page draws it.
type roadView struct {
	*Road
	Steps   []roadStep
	Seeds   rows[Source]
	Plain   int // inputs that are named after their content and were not verified
	Methods []tally
	States  []tally // none when nobody was asked
	Table   rows[Source]
}

// A roadStep is one step of the road, or several in one, and how far its stretches of
// a bar reach, in percent.
type roadStep struct {
	Name string
	Level
	Sum                  int
	AtSources, AtSeeds   float64
	WBuilt, WSrcs, WSeed float64
}

// A tally is how many sources have something in common.
type tally struct {
	Name  string
	Count int
}

const (
	roadSteps   = 12  // that are drawn
	roadSources = 400 // rows of the table
	roadSeeds   = 50  // that are named at the end
)

// newRoadView lays out a road; nil when it was not followed.
func newRoadView(r *Report) *roadView {
	if r.Road == nil {
		return nil
	}
	v := &roadView{Road: r.Road, Steps: newSteps(r.Road.Levels), Plain: max(r.Road.Plain-r.Road.Verified, 0)}
	var seeds []Source
	methods, states := make(map[string]int), make(map[string]int)
	for _, s := range r.Sources {
		if s.Seed != "" {
			seeds = append(seeds, s)
		}
		methods[s.Method]++
		if s.State != "" {
			states[s.State]++
		}
	}
	v.Seeds = rows[Source]{seeds[:min(len(seeds), roadSeeds)], max(len(seeds)-roadSeeds, 0)}
	for _, m := range sourceMethods {
		if n := methods[string(m)]; n > 0 {
			v.Methods = append(v.Methods, tally{plural(n, methodWords(string(m)), methodsWords(m)), n})
		}
	}
	for _, s := range sourceStates {
		if n := states[string(s)]; n > 0 {
			v.States = append(v.States, tally{stateWords(string(s)), n})
		}
	}
	all := slices.Clone(r.Sources)
	slices.SortStableFunc(all, func(a, b Source) int { return cmp.Compare(urgency(a), urgency(b)) })
	v.Table = rows[Source]{all[:min(len(all), roadSources)], max(len(all)-roadSources, 0)}
	return v
}

// sourceMethods and sourceStates are in the order in which they are listed.
var (
	sourceMethods = []rebuild.Method{rebuild.FetchURL, rebuild.FetchGitCommit, rebuild.FetchGitRef, rebuild.FetchSVN, rebuild.FetchHg, rebuild.FetchHgRef, rebuild.FetchBzr, rebuild.FetchCVS, rebuild.FetchProgram}
	sourceStates  = []archive.State{archive.Gone, archive.Unknown, archive.NotArchived, archive.Address, archive.Origin, archive.Commit, archive.Archived}
)

// urgency sorts what may be lost first, then what can be moved.
func urgency(s Source) int {
	at := 2 * slices.Index(sourceStates, archive.State(s.State))
	if at < 0 {
		at = 2 * len(sourceStates)
	}
	if !rebuild.Method(s.Method).Movable() {
		at++
	}
	return at
}

// newSteps draws the levels: each by itself, or, where they are many, as many in one
// as fit.
func newSteps(levels []Level) (steps []roadStep) {
	size := max(1, (len(levels)+roadSteps-1)/roadSteps)
	longest := 1
	for from := 0; from < len(levels); from += size {
		to := min(from+size, len(levels)) - 1
		s := roadStep{Name: count(from, "step")}
		switch {
		case from == 0 && to == 0:
			s.Name = "the image"
		case from != to:
			s.Name = fmt.Sprintf("%d to %d steps", from, to)
		}
		for _, l := range levels[from : to+1] {
			s.Built += l.Built
			s.Level.Sources += l.Sources
			s.Level.Seeds += l.Seeds
		}
		s.Sum = s.Built + s.Level.Sources + s.Level.Seeds
		longest = max(longest, s.Sum)
		steps = append(steps, s)
	}
	for i := range steps {
		s := &steps[i]
		unit := 100 / float64(longest)
		s.WBuilt, s.WSrcs, s.WSeed = float64(s.Built)*unit, float64(s.Level.Sources)*unit, float64(s.Level.Seeds)*unit
		s.AtSources = s.WBuilt
		s.AtSeeds = s.WBuilt + s.WSrcs
	}
	return steps
}

// methodWords name a way to fetch.
func methodWords(method string) string {
	switch rebuild.Method(method) {
	case rebuild.FetchURL:
		return "file"
	case rebuild.FetchGitCommit:
		return "git commit"
	case rebuild.FetchGitRef:
		return "git tag or branch"
	case rebuild.FetchSVN:
		return "Subversion revision"
	case rebuild.FetchHg:
		return "Mercurial changeset"
	case rebuild.FetchHgRef:
		return "Mercurial tag or branch"
	case rebuild.FetchBzr:
		return "Bazaar revision"
	case rebuild.FetchCVS:
		return "CVS date or tag"
	}
	return "made by a program of the recipe"
}

// methodsWords name a way in which several were fetched.
func methodsWords(m rebuild.Method) string {
	switch words := methodWords(string(m)); m {
	case rebuild.FetchGitRef, rebuild.FetchHgRef, rebuild.FetchCVS, rebuild.FetchProgram:
		return words
	default:
		return words + "s"
	}
}

// stateWords say where a source is still to be had.
func stateWords(state string) string {
	switch archive.State(state) {
	case archive.Archived:
		return "archived"
	case archive.Commit:
		return "its commit is archived"
	case archive.Origin:
		return "its repository is archived"
	case archive.Address:
		return "only at its address"
	case archive.NotArchived:
		return "not archived"
	case archive.Gone:
		return "gone"
	case archive.Unknown:
		return "not known"
	}
	return "not asked"
}

// seedWords say by what rule a seed is known.
func seedWords(seed string) string {
	switch sources.Seed(seed) {
	case sources.SeedBuilder:
		return "it builds, and nothing built it"
	case sources.SeedProgram:
		return "it is run before anything was built"
	case sources.SeedUnpacked:
		return "unpacked before anything was built"
	}
	return ""
}

// hostOf is where a source comes from first, for people.
func hostOf(s Source) string {
	if len(s.Addresses) == 0 {
		return ""
	}
	if u, err := url.Parse(s.Addresses[0]); err == nil && u.Host != "" {
		if u.Scheme == "mirror" {
			return "mirrors of " + u.Host
		}
		return u.Host
	}
	return s.Addresses[0]
}
