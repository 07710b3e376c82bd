package locks

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"audit/provenance/records"
)

// Names and versions ("Writing R Extensions" of R 4.4, section 1.1.1).
var (
	rName    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.]*$`)
	rVersion = regexp.MustCompile(`^[0-9]+([.-][0-9]+)+$`)
	rRemote  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)
)

// An renv is the lock of the R package renv (renv 1.0, rstudio.github.io/renv, "The lockfile").
type renv struct {
	R struct {
		Version      string
		Repositories []renvRepository
	}
	Bioconductor *renvBioconductor `json:",omitempty"`
	Packages     map[string]renvPackage
}

type renvRepository struct{ Name, URL string }

// has says whether the lock names a repository.
func (l *renv) has(name string) bool {
	return slices.ContainsFunc(l.R.Repositories, func(r renvRepository) bool { return r.Name == name })
}

type renvBioconductor struct{ Version string }

type renvPackage struct {
	Package, Version, Source string
	Repository               string `json:",omitempty"`
	RemoteType               string `json:",omitempty"`
	RemoteHost               string `json:",omitempty"`
	RemoteRepo               string `json:",omitempty"`
	RemoteUsername           string `json:",omitempty"`
	RemoteRef                string `json:",omitempty"`
	RemoteSha                string `json:",omitempty"`
}

// rLocks writes the lock of each library of R. Packages that are a part of R are in none.
// The repository is that of CRAN, or of Posit's copy of it, as of the day after the newest
// package of it was published: the image does not have its time. Of r-universe it has the
// address. Where DESCRIPTION says none of these, the source is unknown, and a finding says so.
func rLocks(s Source) []*Lock {
	version := ""
	for _, c := range s.Records.Components {
		if c.Ecosystem == records.R && c.Name == "base" && rVersion.MatchString(c.Version) {
			version = c.Version
		}
	}
	var locks []*Lock
	all, more := s.environments(records.R, 2)
	for _, env := range all {
		lock := renv{Packages: make(map[string]renvPackage)}
		lock.R.Version = version
		w := writer{name: "renv.lock"}
		var newest time.Time
		for _, c := range env.components {
			text, _, _ := s.Image.Root().Content(c.At.Path)
			fields := records.Fields(text)
			if field(fields, "priority") == "base" {
				continue
			}
			if at := published(fields); w.renvPackage(&lock, c, fields) && at.After(newest) {
				newest = at
			}
		}
		if w.lock.Entries == 0 && len(w.lock.LeftOut) == 0 {
			continue
		}
		lock.R.Repositories = []renvRepository{}
		for _, name := range slices.Sorted(maps.Keys(lock.Packages)) {
			switch p := lock.Packages[name].Repository; {
			case p == "" || lock.has(p):
			case records.IsCRAN(p):
				lock.R.Repositories = append(lock.R.Repositories, renvRepository{p, cranOf(newest)})
			default:
				lock.R.Repositories = append(lock.R.Repositories, renvRepository{p, p})
			}
		}
		w.document = jsonOf(lock)
		locks = append(locks, w.finish())
	}
	for n, l := range locks {
		l.File.Name = numbered("renv.lock", n, len(locks))
	}
	if len(locks) > 0 {
		locks[len(locks)-1].More += more
	}
	return locks
}

// universe matches the address of a repository of r-universe.dev.
var universe = regexp.MustCompile(`^https://[a-z0-9-]{1,60}\.r-universe\.dev$`)

// renvPackage adds a package of R, and says whether it is one of CRAN.
func (w *writer) renvPackage(lock *renv, c records.Component, fields map[string][]string) (isCRAN bool) {
	if !rName.MatchString(c.Name) || !rVersion.MatchString(c.Version) || path.Base(path.Dir(c.At.Path)) != c.Name {
		w.leaveOut(c.Name, c.Version)
		return false
	}
	p := renvPackage{Package: c.Name, Version: c.Version, Source: "unknown"}
	remote := func(name string) string {
		if text := field(fields, "remote"+name); rRemote.MatchString(text) && len(text) <= 200 {
			return text
		}
		return ""
	}
	switch kind := remote("type"); {
	case (kind == "github" || kind == "gitlab" || kind == "bitbucket") && remote("username") != "" && remote("repo") != "" && remote("sha") != "":
		p = renvPackage{Package: c.Name, Version: c.Version, Source: map[string]string{"github": "GitHub", "gitlab": "GitLab", "bitbucket": "Bitbucket"}[kind],
			RemoteType: kind, RemoteHost: remote("host"), RemoteRepo: remote("repo"), RemoteUsername: remote("username"), RemoteRef: remote("ref"), RemoteSha: remote("sha")}
	case len(fields["biocviews"]) > 0:
		p.Source = "Bioconductor"
	case records.IsCRAN(field(fields, "repository")), universe.MatchString(field(fields, "repository")):
		p.Source, p.Repository = "Repository", field(fields, "repository")
	default:
		w.lock.sourceless = append(w.lock.sourceless, c.Name+" "+c.Version)
	}
	w.lock.Entries++
	w.lock.titles = append(w.lock.titles, c.Title())
	lock.Packages[c.Name] = p
	return records.IsCRAN(p.Repository)
}

func field(fields map[string][]string, name string) string {
	if len(fields[name]) == 0 {
		return ""
	}
	return fields[name][0]
}

// published is when a repository took a package in, zero where that is not recorded.
func published(fields map[string][]string) time.Time {
	date, _, _ := strings.Cut(field(fields, "date/publication"), " ")
	at, err := time.Parse("2006-01-02", date)
	if err != nil {
		return time.Time{}
	}
	return at
}

// cranOf is the address of CRAN as it was the day after a date (packagemanager.posit.co
// keeps each day), of CRAN as it is where none is known.
func cranOf(at time.Time) string {
	if at.IsZero() {
		return "https://cloud.r-project.org"
	}
	return "https://packagemanager.posit.co/cran/" + at.AddDate(0, 0, 1).Format("2006-01-02")
}
