package fleet

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"audit/inspect"
	"audit/inspect/check"
	"audit/rebuild"
	"audit/report"
)

// Options say what a summary is of.
type Options struct {
	Tool  string   // version of audit
	List  []Image  // what has to be there; nil for the lists that the folders have
	Since *Summary // an earlier one; nil for none

	// Demand is the name of what is demanded of each image, and Holds says whether it
	// is so: of a report, given its path, by its verdict and the status of the check
	// named closure. An image without a result never holds. A nil Holds demands nothing
	// but a result.
	Demand string
	Holds  func(path string, v rebuild.Verdict, closure check.Status) (violation string, err error)

	// First says what stands out in a report ([report.First]); nil where nobody asks. What
	// it gets has no more than that needs.
	First func(r *report.Report) string
}

// The limits of folders of results.
const (
	maxEntries = 10_000_000
)

// A candidate is a result, or a status, that may be what is known of an image.
type candidate struct {
	status Status // zero of a report that lies alone
	path   string // of the report; "" where there is none
	facts  *facts // of a report that lies alone
}

// A collector gathers what folders have of images.
type collector struct {
	ctx      context.Context // of the whole collection
	opt      Options
	listed   map[string][]string    // references that have to be there, with their names; nil where nobody says
	found    map[string][]candidate // by reference
	loose    []candidate
	bad      []Bad
	apart    map[string]bool // folders with results of a batch, and nothing else of it
	unlisted int
	seen     int
	b        *builder
	last     *facts // that were read last
	lastPath string
}

// Collect reads folders, those of batches or any with reports, and makes a summary. A
// file in them that cannot be read is named in it, and ends nothing. The error is that
// of a folder, an [inspect.LimitError], or that of the context. The order of the folders
// has no say.
func Collect(ctx context.Context, dirs []string, opt Options) (*Summary, error) {
	c := &collector{ctx: ctx, opt: opt, found: make(map[string][]candidate), apart: make(map[string]bool), b: newBuilder(opt.Tool)}
	if opt.List != nil {
		c.expect(opt.List)
	}
	for _, dir := range dirs {
		if err := c.folder(dir); err != nil {
			return nil, fmt.Errorf("reading %s: %w", dir, err)
		}
	}
	s := c.summary()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return s, nil
}

// expect notes images that have to be there.
func (c *collector) expect(images []Image) {
	if c.listed == nil {
		c.listed = make(map[string][]string, len(images))
	}
	for _, img := range images {
		c.listed[img.Reference] = append(c.listed[img.Reference], img.Names...)
	}
}

// folder reads the folder of a batch, of which any part may be lost, or one with reports.
// Where nobody says what has to be there, a part that is lost is a fault: what is missing
// with it would not be seen.
func (c *collector) folder(dir string) error {
	if !isBatch(dir) {
		return c.reports(dir)
	}
	own, err := c.list(dir)
	if err != nil {
		return err
	}
	if isFolder(filepath.Join(dir, StatusFolder)) {
		return c.statuses(dir, own)
	}
	c.fault(filepath.Join(dir, StatusFolder), errors.New("a batch has the statuses of its images here, and they are not there"))
	c.apart[filepath.Join(dir, ResultsFolder)] = true // said already
	return c.reports(dir)
}

// list reads what the batch of a folder is of; nil where that is not known.
func (c *collector) list(dir string) (own map[string]bool, err error) {
	l, err := ReadList(dir)
	switch {
	case IsAbsent(err) && c.opt.List != nil:
		return nil, nil
	case IsAbsent(err):
		err = errors.New("a batch has its list here, and it is not there: which images are missing cannot be known")
	}
	if err != nil {
		c.fault(filepath.Join(dir, ListFile), err)
		return nil, nil
	}
	if c.opt.List == nil {
		c.expect(l.Images)
	}
	own = make(map[string]bool, len(l.Images))
	for _, img := range l.Images {
		if err := c.count(dir); err != nil {
			return nil, err
		}
		own[img.Reference] = true
	}
	return own, nil
}

// isBatch says that a folder has a list, statuses, or results under their keys.
func isBatch(dir string) bool {
	if _, err := os.Lstat(filepath.Join(dir, ListFile)); err == nil {
		return true
	}
	return isFolder(filepath.Join(dir, StatusFolder)) || hasKeys(filepath.Join(dir, ResultsFolder))
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// hasKeys says that a folder has one whose name is the key of a result.
func hasKeys(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(1000)
		if slices.ContainsFunc(names, keyForm.MatchString) {
			return true
		}
		if err != nil {
			return false
		}
	}
}

func (c *collector) fault(path string, err error) {
	c.bad = append(c.bad, Bad{path, check.ClipTo(check.Printable(err.Error()), 500)})
}

// count bounds what is looked at, and ends with the context.
func (c *collector) count(dir string) error {
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	if c.seen++; c.seen > maxEntries {
		return &inspect.LimitError{Name: "entries of folders of results", Limit: maxEntries, Where: dir}
	}
	return nil
}

// statuses reads those of a batch. What a batch did of an earlier list is not counted.
func (c *collector) statuses(dir string, own map[string]bool) error {
	entries, err := os.ReadDir(filepath.Join(dir, StatusFolder))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := c.count(dir); err != nil {
			return err
		}
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(dir, StatusFolder, e.Name())
		s, err := ReadStatus(path)
		if err == nil && e.Name() != StatusName(s.Reference) { // a reference has one
			err = fmt.Errorf("it is the status of %.100q, which does not belong here", s.Reference)
		}
		if err != nil {
			c.fault(path, err)
			continue
		}
		if own != nil && c.opt.List == nil && !own[s.Reference] {
			c.unlisted++
			continue
		}
		one := candidate{status: s}
		if s.State == Done {
			one.path = filepath.Join(dir, ResultsFolder, filepath.Base(s.Key), "report.json")
		}
		c.found[s.Reference] = append(c.found[s.Reference], one)
	}
	return nil
}

// reports reads those that lie in a folder, at any depth, and the batches in it. Links
// are not followed.
func (c *collector) reports(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := c.count(dir); err != nil {
			return err
		}
		if d.IsDir() && path != dir {
			return c.below(path)
		}
		if !d.Type().IsRegular() || d.Name() != "report.json" && !strings.HasSuffix(d.Name(), ".report.json") {
			return nil
		}
		f, err := c.facts(path)
		if err != nil {
			c.fault(path, err)
			return nil
		}
		c.loose = append(c.loose, candidate{path: path, facts: f})
		return nil
	})
}

// below reads a folder of a folder that is the one of a batch. Results under their keys
// that lie without the rest of their batch are a fault where nobody says what has to be
// there.
func (c *collector) below(dir string) error {
	if isBatch(dir) {
		if err := c.folder(dir); err != nil {
			return err
		}
		return filepath.SkipDir
	}
	parent := filepath.Dir(dir)
	if c.opt.List == nil && keyForm.MatchString(filepath.Base(dir)) && !c.apart[parent] {
		c.apart[parent] = true
		c.fault(parent, errors.New("results of a batch lie here without its list: which images are missing cannot be known"))
	}
	return nil
}

// summary merges what was found, image by image.
func (c *collector) summary() *Summary {
	c.b.out.Policy.Require = c.opt.Demand
	references := make(map[string]bool, len(c.found)+len(c.listed))
	for reference := range c.listed {
		references[reference] = true
	}
	for reference := range c.found {
		switch {
		case c.opt.List == nil:
			references[reference] = true
		case !references[reference]:
			c.unlisted++
		}
	}
	alone := c.adopt(references)
	rows := make([]Row, 0, len(references)+len(alone))
	for _, reference := range slices.Sorted(maps.Keys(references)) {
		rows = append(rows, c.row(reference, c.found[reference]))
	}
	for _, key := range slices.Sorted(maps.Keys(alone)) {
		rows = append(rows, c.row(alone[key][0].facts.Reference, alone[key]))
	}
	c.b.out.Unlisted = c.unlisted
	slices.SortFunc(c.bad, func(x, y Bad) int { return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.Problem, y.Problem)) })
	c.b.out.Bad = slices.Compact(c.bad)
	return c.b.finish(rows, c.opt.Since)
}

// adopt gives reports that lie alone to the references that they are of, and returns the
// others, those of one image together.
func (c *collector) adopt(references map[string]bool) map[string][]candidate {
	plain := make(map[string]string, len(references))
	for reference := range references {
		if _, twice := plain[bare(reference)]; twice {
			plain[bare(reference)] = "" // it may be any of them
			continue
		}
		plain[bare(reference)] = reference
	}
	alone := make(map[string][]candidate)
	for _, one := range c.loose {
		reference := one.facts.Reference
		if !references[reference] {
			reference = plain[bare(reference)]
		}
		switch {
		case reference != "":
			c.found[reference] = append(c.found[reference], one)
		case c.opt.List != nil:
			c.unlisted++
		default:
			key := one.facts.Reference + "\x00" + cmp.Or(one.facts.Config, one.facts.Digest)
			alone[key] = append(alone[key], one)
		}
	}
	return alone
}

// bare is a reference without its transport and, where it has a tag too, its digest.
func bare(reference string) string {
	reference = strings.TrimPrefix(reference, "docker://")
	if name, _, ok := strings.Cut(reference, "@"); ok && strings.LastIndexByte(name, ':') > strings.LastIndexByte(name, '/') {
		return name
	}
	return reference
}

// newest orders candidates: those with a result first, then by time, then by what they
// are of.
func newest(x, y candidate) int {
	a, b := x.status, y.status
	return cmp.Or(order(x.path == "", y.path == ""), y.date().Compare(x.date()), cmp.Compare(a.Key, b.Key), cmp.Compare(x.digest(), y.digest()),
		cmp.Compare(a.State, b.State), cmp.Compare(a.Problem, b.Problem), cmp.Compare(a.Tries, b.Tries), cmp.Compare(x.path, y.path))
}

func (x candidate) date() time.Time {
	if x.facts != nil {
		return x.facts.Date
	}
	return x.status.Began
}

func (x candidate) digest() string {
	if x.facts != nil {
		return x.facts.Digest
	}
	return x.status.Digest
}

// row is what is known of one image: the newest result that can be read, else why there
// is none.
func (c *collector) row(reference string, all []candidate) Row {
	r := Row{Reference: reference, Names: slices.Compact(slices.Sorted(slices.Values(c.listed[reference]))), State: Missing, Problem: "nobody has begun"}
	slices.SortFunc(all, newest)
	for len(all) > 0 {
		one := all[0]
		if one.path == "" {
			if r.State == Missing {
				r.State, r.Problem, r.Digest, r.Tries = one.status.State, one.status.Problem, one.status.Digest, one.status.Tries
			}
			if r.State == Trying {
				r.Problem = cmp.Or(r.Problem, "a worker is at it, or was when it ended")
			}
			all = all[1:]
			continue
		}
		var same []candidate
		same, all = alike(all)
		found, err := c.worstOf(same)
		if found == nil {
			r.State, r.Problem = BadResult, check.ClipTo(check.Printable(err.Error()), 500)
			continue
		}
		s := found.of.status
		r.Problem, r.Digest, r.Key, r.Tries = found.facts.First, s.Digest, s.Key, s.Tries
		c.b.addFacts(&r, found.facts)
		r.Holds, r.Violation = found.violation == "", found.violation
		return r
	}
	r.Violation = "it has no result"
	return r
}

// alike splits the candidates that say that they are the same result as the first, by
// their key or by their time, from the others.
func alike(all []candidate) (same, others []candidate) {
	for _, one := range all {
		if one.path != "" && (one.date().Equal(all[0].date()) || one.status.Key != "" && one.status.Key == all[0].status.Key) {
			same = append(same, one)
		} else {
			others = append(others, one)
		}
	}
	return same, others
}

// A judged is a result that was read, and what is demanded and not so.
type judged struct {
	of        candidate
	facts     *facts
	violation string
}

// worstOf reads candidates that say that they are the same result. Where they differ, the
// worst stands for them, and all are named as faults. It is nil where none can be read.
func (c *collector) worstOf(same []candidate) (found *judged, failed error) {
	differ := false
	for _, one := range same {
		f, err := c.read(one)
		if err == nil && one.facts == nil {
			err = f.matches(one.status)
		}
		if err != nil {
			c.fault(one.path, err)
			failed = err
			continue
		}
		next := &judged{one, f, c.violation(one.path, f)}
		if found == nil {
			found = next
			continue
		}
		differ = differ || compareJudged(found, next) != 0
		if compareJudged(next, found) < 0 {
			found = next
		}
	}
	if differ {
		for _, one := range same {
			c.fault(one.path, errors.New("results that have to be the same differ: the worst of them counts"))
		}
	}
	return found, failed
}

// compareJudged orders results, the worst first; 0 means that a summary shows the same of
// both but for when, and by whom, they were made.
func compareJudged(x, y *judged) int {
	a, b := x.facts, y.facts
	if a.Verdict != b.Verdict {
		return cmp.Compare(slices.Index(worst, a.Verdict.String()), slices.Index(worst, b.Verdict.String()))
	}
	for _, id := range check.IDs() {
		if n := cmp.Compare(badness(b.Checks[id]), badness(a.Checks[id])); n != 0 {
			return n
		}
	}
	return cmp.Or(order(x.violation == "", y.violation == ""), cmp.Compare(b.Nobody, a.Nobody), cmp.Compare(x.violation, y.violation),
		cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.Config, b.Config), cmp.Compare(a.LayersSum, b.LayersSum), cmp.Compare(a.RecipeSum, b.RecipeSum),
		cmp.Compare(a.ItemsSum, b.ItemsSum), cmp.Compare(a.Contents, b.Contents), cmp.Compare(a.Total, b.Total),
		cmp.Compare(a.System, b.System), cmp.Compare(a.Recipe, b.Recipe), cmp.Compare(b.First, a.First))
}

// badness orders how a check ended, the worst last.
func badness(s check.Status) int {
	return slices.Index([]check.Status{check.Pass, check.Skipped, check.Unknown, check.Fail}, s)
}

// read reads the report of a candidate, that of a batch each once.
func (c *collector) read(one candidate) (*facts, error) {
	if one.facts != nil {
		return one.facts, nil
	}
	if c.last != nil && c.lastPath == one.path {
		return c.last, nil
	}
	f, err := c.facts(one.path)
	if err == nil {
		c.last, c.lastPath = f, one.path
	}
	return f, err
}

// facts reads a report, and keeps its store items as numbers.
func (c *collector) facts(path string) (*facts, error) {
	if c.ctx.Err() != nil {
		return nil, context.Cause(c.ctx)
	}
	f, err := readFacts(path, c.opt.First)
	if err == nil {
		f.ItemsSum = fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, f.Items)))
		f.numbers = c.b.items.numbers(f.Items)
		f.Items = nil
	}
	return f, err
}

// violation is what is demanded and not so.
func (c *collector) violation(path string, f *facts) string {
	if c.opt.Holds == nil {
		return ""
	}
	violation, err := c.opt.Holds(path, f.Verdict, f.Checks[check.Closure])
	if err != nil {
		c.fault(path, err)
		return "what is demanded cannot be asked of its report"
	}
	return violation
}
