package sources

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/archive"
	"audit/rebuild/swhid"
)

// maxIdentified bounds the sources that are read to be identified, in bytes.
const maxIdentified = 1 << 30

// Identify computes the identifiers of those sources that the store has.
func (w *Walk) Identify(at rebuild.Derivations) {
	for i := range w.Sources {
		s := &w.Sources[i]
		file, err := Find(at, s.Path)
		if err != nil {
			continue
		}
		if id, err := swhid.Of(file, maxIdentified); err == nil {
			s.SWHID = id
		}
	}
}

// Questions ask for each source, in their order. Lists returns the addresses that a
// list of mirrors has, by the name of the mirror; those of databases by "".
func (w *Walk) Questions(lists func(path string) map[string][]string) []archive.Question {
	all := make([]archive.Question, len(w.Sources))
	for i, s := range w.Sources {
		q := archive.Question{Name: s.Name, Algorithm: s.Algorithm, Hash: s.Hash, Recursive: s.Recursive, SWHID: s.SWHID}
		mirrors := make(map[string][]string)
		for _, list := range s.Lists {
			maps.Copy(mirrors, lists(list))
		}
		q.Databases = mirrors[""]
		switch s.Method {
		case rebuild.FetchGitCommit:
			q.Commit, q.Origins = s.Revision, s.Addresses
		case rebuild.FetchGitRef, rebuild.FetchHg, rebuild.FetchHgRef, rebuild.FetchSVN, rebuild.FetchBzr, rebuild.FetchCVS:
			q.Origins = s.Addresses
		case rebuild.FetchURL:
			q.Files, q.Whole = filesAt(s.Addresses, mirrors)
		}
		all[i] = q
	}
	return all
}

// maxFiles is how many addresses of a file are looked at; archives are asked first.
const maxFiles = 100

// filesAt returns the addresses of the web among those of a file, its mirrors among
// them, and whether there are no others.
func filesAt(addresses []string, mirrors map[string][]string) (files []string, whole bool) {
	whole = len(addresses) > 0
	for _, address := range addresses {
		u, err := url.Parse(address)
		switch {
		case len(files) > maxFiles:
			return distinct(files), false
		case err == nil && u.Scheme == "mirror" && len(mirrors[u.Host]) > 0:
			for _, mirror := range mirrors[u.Host] {
				more, all := filesAt([]string{mirror + strings.TrimPrefix(u.EscapedPath(), "/")}, nil)
				files, whole = append(files, more...), whole && all
			}
		case err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
			files = append(files, address)
		default:
			whole = false
		}
	}
	return distinct(files), whole
}

// held adds what archives have answered to the check.
func (w *Walk) held(c *check.Check, found *check.List) {
	if w.Answers == nil {
		return
	}
	count := make(map[archive.State]int)
	movable := 0
	var silent []string
	for i, a := range w.Answers {
		s := w.Sources[i]
		count[a.State]++
		if s.Method.Movable() {
			movable++
		}
		switch a.State {
		case archive.Gone:
			found.Note(-1, s.Path, "sources/gone")
		case archive.Unknown:
			silent = append(silent, s.Name)
		}
	}
	for _, commit := range w.Commits {
		switch commit.Answer.State {
		case archive.Archived:
			found.Note(-1, "", "sources/commit-archived", "name", commit.Name, "swhid", commit.SWHID)
		case archive.Unknown:
			silent = append(silent, commit.Name)
		default:
			found.Note(-1, "", "sources/commit-not-archived", "name", commit.Name, "swhid", commit.SWHID)
		}
	}
	if len(silent) > 0 {
		found.Undecided(-1, "", "sources/not-answered", list(silent, "names")...)
	}
	c.Because("sources/held", "count", len(w.Answers), "archived", count[archive.Archived], "commits", count[archive.Commit],
		"origins", count[archive.Origin], "addresses", count[archive.Address],
		"not-archived", count[archive.NotArchived], "gone", count[archive.Gone], "unknown", count[archive.Unknown], "movable", movable)
}

// Days are those on which the answers were given, sorted.
func (w *Walk) Days() []string {
	days := make(map[string]bool)
	for _, a := range w.Answers {
		if a.Day != "" {
			days[a.Day] = true
		}
	}
	return slices.Sorted(maps.Keys(days))
}
