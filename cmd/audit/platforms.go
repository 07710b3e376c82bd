package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"audit/inspect/choice"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/rebuild"
	"audit/report"
)

// everyPlatform is the value of --platform for all images of an index.
const everyPlatform = "all"

// A platformAudit is what came out for one platform.
type platformAudit struct {
	platform string
	dir      string
	report   *report.Report // nil where the image could not be read
	failed   error          // why the exit status is not 0
}

// auditPlatforms audits each image of an index, each into a folder of its own, and prints
// the worst first. The exit status is that of the worst.
func auditPlatforms(c *cli.Context, reference string) error {
	j, err := newJob(c)
	if err != nil {
		return err
	}
	if !slices.Contains([]string{textFormat, "markdown", "annotations"}, j.format.Name) {
		return usage("--format %s is for one image: with --platform all a report of each is in its folder", j.format.Name)
	}
	base, err := newLine(c)
	if err != nil {
		return err
	}
	named := c.String("output")
	p := &platforms{c: c, job: j, base: base, reference: reference, dir: cmp.Or(named, folderFor(rebuild.WithoutSecrets(reference)))}
	if err := checkPlatformFolders(p.dir); err != nil {
		return err
	}
	if err := p.run(); err != nil {
		exit, isExit := errors.AsType[*exitError](err)
		if named == "" || isExit && exit.status == exitUsage {
			return err
		}
		return errors.Join(err, p.removeOthers())
	}
	if err := p.removeOthers(); err != nil {
		return err
	}
	return p.put()
}

// platforms is an audit of several under way.
type platforms struct {
	c         *cli.Context
	job       job
	base      *line // of which each has a copy
	reference string
	dir       string
	done      []platformAudit
	absent    []string // that the index names, and that are not here
}

// run audits the image that is taken by itself, which names the others, and then these.
// Where none is taken by itself the error names them.
func (p *platforms) run() error {
	first, all, err := p.one("")
	if several, ok := errors.AsType[*choice.Error](err); ok && len(several.Platforms) > 0 {
		all, err = several.Platforms, nil
	} else if err == nil {
		p.done = append(p.done, first)
	}
	if err != nil {
		return err
	}
	for _, platform := range all {
		if platform == first.platform {
			continue
		}
		next, _, err := p.one(platform)
		switch exit, ok := errors.AsType[*exitError](err); {
		case limit.IsAbsent(err): // engines save those that they have
			p.absent = append(p.absent, platform)
			continue
		case ok && exit.status == exitUnreadable && p.c.Context.Err() == nil:
			next = platformAudit{platform: platform, failed: err}
		case err != nil:
			return err
		}
		p.done = append(p.done, next)
	}
	return nil
}

// one audits the image for a platform, and returns the platforms of its index.
func (p *platforms) one(platform string) (done platformAudit, all []string, err error) {
	l := *p.base
	l.platform, l.checks, l.steps = platform, nil, nil
	a, failed, err := p.job.do(p.c, &l, func(l *line) (*audit, error) { return l.run(p.c.Context, p.reference) })
	if err != nil {
		return done, nil, err
	}
	done = platformAudit{platform: platform, report: a.report, failed: failed}
	for _, e := range a.image.Platforms {
		if e.Kind != image.ImageEntry || e.Platform == "" || slices.Contains(all, e.Platform) {
			continue
		}
		all = append(all, e.Platform)
		if e.Chosen {
			done.platform = e.Platform
		}
	}
	done.platform = cmp.Or(done.platform, a.report.Image.Platform)
	done.dir = filepath.Join(p.dir, platformFolder(done.platform))
	if slices.ContainsFunc(p.done, func(d platformAudit) bool { return d.dir == done.dir }) {
		done.dir += fmt.Sprintf("-%d", len(p.done))
	}
	if err := os.MkdirAll(p.dir, 0o777); err != nil {
		return done, nil, fmt.Errorf("making the folder for the reports: %w", err)
	}
	return done, all, a.save(done.dir)
}

// lacks says that an index has no image for the platform that was asked for.
func lacks(err error) bool {
	several, ok := errors.AsType[*choice.Error](err)
	return ok && several.Want != "" && !several.Several && len(several.Platforms) > 0
}

// noPlatform says which platforms there are, and which one was probably meant: by a part
// of its name, by the name that uname has for it, or by its letters.
func noPlatform(err error) string {
	several, _ := errors.AsType[*choice.Error](err)
	all := slices.Compact(slices.DeleteFunc(slices.Clone(several.Platforms), func(p string) bool { return p == "unknown/unknown" }))
	word := strings.ToLower(several.Want)
	word = strings.NewReplacer("x86_64", "amd64", "aarch64", "arm64").Replace(word)
	near := meant(word, all)
	if i := slices.IndexFunc(all, func(p string) bool { return strings.Contains("/"+p+"/", "/"+word+"/") }); i >= 0 {
		near = ", nearest is " + all[i]
	}
	return fmt.Sprintf("there is no image for --platform %s, but for %s%s", several.Want, strings.Join(all, ", "), near)
}

// put prints what came out, the worst first, and returns why the worst fails.
func (p *platforms) put() error {
	slices.SortStableFunc(p.done, func(a, b platformAudit) int { return cmp.Compare(b.badness(), a.badness()) })
	out := p.c.App.Writer
	if p.job.format.Name == textFormat && !p.c.Bool("quiet") {
		var words []string
		for _, d := range p.done {
			words = append(words, report.Printable(d.platform)+" "+d.word())
		}
		for _, platform := range p.absent {
			words = append(words, report.Printable(platform)+" is in the index and not here")
		}
		fmt.Fprintf(out, "%s: %s\n", count(len(p.done), "platform"), strings.Join(words, ", "))
	}
	for _, d := range p.done {
		if d.report == nil {
			fmt.Fprintf(p.c.App.ErrWriter, "audit: %s: %s\n", report.Printable(d.platform), report.Printable(d.failed.Error()))
			continue
		}
		if p.job.format.Name == textFormat && !p.c.Bool("quiet") {
			fmt.Fprintf(out, "\n%s\n", report.Printable(d.platform))
		}
		if err := p.job.print(p.c, d.report, d.dir); err != nil {
			return err
		}
	}
	worst := p.done[0]
	if worst.failed == nil {
		return nil
	}
	exit := &exitError{status: exitUnwritten}
	errors.As(worst.failed, &exit)
	return &exitError{status: exit.status, err: fmt.Errorf("%s: %w", worst.platform, worst.failed), hint: exit.hint}
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// word is the verdict.
func (d platformAudit) word() string {
	if d.report == nil {
		return "unreadable"
	}
	return d.report.Verdict.String()
}

// badness orders what came out: what the policy refuses, what could not be decided, and
// among the rest the verdicts.
func (d platformAudit) badness() int {
	order := []rebuild.Verdict{
		rebuild.Reproducible, rebuild.Equivalent, rebuild.Vouched, rebuild.Matching, rebuild.Unverified,
		rebuild.BuildFailed, rebuild.Different, rebuild.Unreproducible, rebuild.Contradicted,
	}
	bad := 0
	if d.report != nil {
		bad = slices.Index(order, d.report.Verdict)
	}
	if exit, ok := errors.AsType[*exitError](d.failed); ok && exit.status == exitPolicy {
		return bad + 2*len(order)
	}
	if d.failed != nil {
		return bad + len(order)
	}
	return bad
}

// platformFolder names the folder of a platform. An index can say anything.
func platformFolder(platform string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' || r == '-' {
			return r
		}
		return '-'
	}, platform)
	return "platform-" + name[:min(len(name), 100)]
}

// checkPlatformFolders refuses a folder that has anything else than an earlier run of the
// same kind has written.
func checkPlatformFolders(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("reading the folder for the reports: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), "platform-") || holdsOnlyResults(filepath.Join(dir, e.Name())) != nil {
			return usage("%s contains %s, which is no result of audit --platform all: name another folder with -o", dir, e.Name())
		}
	}
	return nil
}

// removeOthers takes away what is left of an earlier run.
func (p *platforms) removeOthers() error {
	entries, err := os.ReadDir(p.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("taking away an earlier report: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(p.dir, e.Name())
		if slices.ContainsFunc(p.done, func(d platformAudit) bool { return d.dir == path }) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("taking away an earlier report: %w", err)
		}
	}
	return nil
}
