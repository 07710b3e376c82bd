package main

import (
	"context"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"audit/rebuild"
	"audit/rebuild/archive"
	"audit/rebuild/sources"
	"audit/rebuild/swhid"
)

func archiveFlags() []cli.Flag {
	return grouped(helpSigners, []cli.Flag{
		&cli.StringSliceFlag{Name: "archive", Usage: "ask the archive at `URL`, which has the API of Software Heritage, for sources (with --online: " + archive.SoftwareHeritage + "); may be given again"},
		&cli.StringFlag{Name: "archive-cache", Usage: "keep answers of archives in `DIR`, with their day"},
	})
}

// archives are whom to ask where sources are still to be had.
type archives struct {
	servers []string
	cache   string
}

func newArchives(c *cli.Context) (archives, error) {
	a := archives{servers: c.StringSlice("archive"), cache: c.String("archive-cache")}
	for _, server := range a.servers {
		if u, err := url.Parse(server); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return a, usage("--archive: https://HOST/PATH or http://HOST/PATH belongs here")
		}
	}
	if info, err := os.Stat(a.cache); a.cache != "" && err == nil && !info.IsDir() {
		return a, usage("--archive-cache: %s is no folder", a.cache)
	}
	if a.cache != "" && len(a.servers) == 0 && !c.Bool("online") {
		return a, usage("--archive-cache: no archive is asked (--archive URL, --online)")
	}
	return a, nil
}

// askArchives asks where the sources are still to be had, and the commits of the
// recipe. Nobody is asked unasked.
func (l *line) askArchives(ctx context.Context, a *audit, about rebuild.About, at rebuild.Derivations, began time.Time) {
	opt := archive.Options{API: l.archives.servers, CacheDir: l.archives.cache, Now: began, Addresses: l.farms.online}
	if l.farms.online {
		opt.Farms = webFarms(l.farms.servers, about)
		if len(opt.API) == 0 {
			opt.API = []string{archive.SoftwareHeritage}
		}
	}
	if len(opt.API) == 0 {
		return
	}
	opt.Progress = l.progress.count("asking archives")
	read := make(map[string]map[string][]string)
	questions := a.sources.Questions(func(path string) map[string][]string {
		if _, done := read[path]; !done {
			read[path] = mirrorsAt(about, at, path)
		}
		return read[path]
	})
	n := len(questions)
	for _, c := range a.evidence.Recipe.Channels {
		if swhid.Revision(c.Commit) != "" {
			questions = append(questions, archive.Question{Name: c.Name, Commit: c.Commit})
		}
	}
	answers := archive.Ask(ctx, questions, opt)
	a.sources.Answers = answers[:n]
	for i, q := range questions[n:] {
		a.sources.Commits = append(a.sources.Commits, sources.Commit{Name: q.Name, SWHID: swhid.Revision(q.Commit), Answer: answers[n+i]})
	}
}

// webFarms are the build farms that serve files: those that are named, and the official ones.
func webFarms(named []string, about rebuild.About) (all []string) {
	for _, server := range named {
		if strings.HasPrefix(server, "http") {
			all = append(all, server)
		}
	}
	for _, farm := range about.Farms {
		all = append(all, farm.Server)
	}
	return all
}

// maxMirrors bounds a list of mirrors; that of a real system has 10 KB.
const maxMirrors = 1 << 20

// mirrorsAt reads a list of mirrors, where the store has it.
func mirrorsAt(about rebuild.About, at rebuild.Derivations, path string) map[string][]string {
	file, err := sources.Find(at, path)
	if err != nil || about.Mirrors == nil {
		return nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxMirrors))
	if err != nil {
		return nil
	}
	return about.Mirrors(text)
}
