package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/choice"
	"audit/inspect/digest"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/registry"
	"audit/provenance"
	"audit/provenance/evidence"
	"audit/provenance/locks"
	"audit/provenance/ospackages"
	"audit/provenance/records"
	"audit/provenance/signatures"
	"audit/provenance/vouch"
	"audit/provenance/vouch/deb"
	"audit/provenance/vouch/packages"
	"audit/provenance/vouch/rebuilders"
	"audit/rebuild"
	"audit/rebuild/compare"
	"audit/rebuild/sources"
	"audit/rebuild/why"
	"audit/report"
	"audit/sbom"
)

// A line is one walk from an image to its report. Each step takes what the
// steps before it found; nothing flows back.
type line struct {
	builder  string           // one of Systems.BuilderNames
	demand   bool             // a rebuild that cannot be done decides the exit status
	rebuilt  string           // image built elsewhere; "" to run the builder
	in       rebuild.Settings // of the build systems
	secrets  rebuild.Secrets  // of the addresses that are given
	base     string           // image that this one was built on; "" when nobody says
	fresh    []string
	inputs   bool // build all that took part twice
	options  rebuild.Options
	farms    farms
	packages []*packages.Source // of packages of distributions, beside the image
	// rebuilders are asked what they have built again.
	rebuilders rebuilders.Options
	archives   archives
	known      []string       // folders of reports on other images
	knownBase  *inspect.Image // of these, the one that this was built on; nil for none
	stated     statements     // of others, and whose signatures on them are verified
	reading
	dir       string // for the build; lives as long as the line
	progress  *progress
	builds    *builds       // that others of a batch can have; nil for one image
	taken     *pass.Known   // layers of the images that were read; see layers
	described *locks.Recipe // what the image that was asked for says of its packages; nil when it has store items

	checks map[check.ID]check.Check
	steps  []report.Duration
}

// An audit is all that a line found.
type audit struct {
	image      *inspect.Image
	evidence   *provenance.Evidence
	system     rebuild.System // that builds it again; nil when none can
	plan       *rebuild.Plan
	result     *rebuild.Result
	buildErr   error
	rebuilt    *inspect.Image
	comparison *compare.Comparison
	signed     []signatures.Outcome // what build farms say
	sources    *sources.Walk        // from the image to its sources; nil when it was not walked
	elsewhere  []signatures.Elsewhere
	own        int                  // reports of this very image among those on others
	statements []evidence.Statement // what others say of the image
	vouched    *vouch.Table         // who vouches for each file; nil when nobody was asked
	keys       []vouch.Key          // of those who sign packages
	log        []byte               // the output of the builder
	basis      rebuild.Basis
	verdict    rebuild.Verdict
	report     *report.Report
	attested   *attestation // of the report; nil when nobody signs
	demanded   error        // why a rebuild that was demanded was not done
}

// run is the main flow of audit.
func (l *line) run(ctx context.Context, reference string) (*audit, error) {
	began := time.Now()
	a := new(audit)
	var err error
	if a.image, err = l.inspect(ctx, reference); err != nil {
		return nil, err
	}
	a.statements = evidence.Of(a.image, l.stated.given, l.stated.trust)
	if err := l.readKnown(a); err != nil {
		return nil, err
	}
	if a.evidence, err = l.recover(ctx, a.image); err != nil {
		return nil, err
	}
	if err := misplaced(a.image, a.evidence.Recipe, l.in); err != nil {
		return nil, err
	}
	l.step("repack", func() error {
		l.add(l.repacked(a))
		return nil
	})
	if err := l.askFarms(ctx, a); err != nil {
		return nil, err
	}
	if err := l.rebuild(ctx, a); err != nil {
		return nil, err
	}
	l.followSources(ctx, a, began)
	l.judgeSignaturesAgain(a)
	l.compareKnown(a)
	if err := l.compare(ctx, a); err != nil {
		return nil, err
	}
	if err := l.vouch(ctx, a); err != nil {
		return nil, err
	}
	l.conclude(a, began)
	return a, nil
}

// repacked packs the image again by the rules of its build system.
func (l *line) repacked(a *audit) check.Check {
	s, err := systems().Named(a.evidence.Recipe.System)
	if err != nil {
		return check.Skip(check.Repack, "repack/no-system")
	}
	return s.Repack(a.image, a.evidence.Recipe)
}

// conclude judges what was found and lays it out as a report.
func (l *line) conclude(a *audit, began time.Time) {
	a.basis = rebuild.Origins{
		Given: a.given(), Recipe: a.result != nil && l.givesRecipe(a), Originals: originals(a.image), Made: a.items(), Remade: remade(a.evidence), Operators: signatures.Operators(a.signed),
	}.Basis()
	a.verdict = rebuild.Judge(l.facts(a))
	a.report = l.report(a, began)
}

// givesRecipe says whether the user gave the recipe that the image was built again from.
func (l *line) givesRecipe(a *audit) bool {
	given, err := a.system.Given(l.in)
	return err == nil && given
}

// facts are what the verdict follows from.
func (l *line) facts(a *audit) rebuild.Facts {
	return rebuild.Facts{
		Checks: rebuild.StatusesOf(l.ordered()), Result: a.comparison.Result(), Basis: a.basis,
		Failed: errors.Is(a.buildErr, rebuild.ErrBuild), Unstable: a.result != nil && rebuild.Unstable(a.result.Fresh),
	}
}

// given says that the image is compared with one that was made elsewhere.
func (a *audit) given() bool { return a.comparison != nil && a.result == nil }

// items are what a builder made in this run.
func (a *audit) items() []rebuild.Item {
	if a.result == nil {
		return nil
	}
	return a.result.Items
}

func originals(img *inspect.Image) []string {
	paths := make([]string, len(img.Items))
	for i := range img.Items {
		paths[i] = img.Items[i].Path
	}
	return paths
}

// remade lists the store items that audit made again from others.
func remade(ev *provenance.Evidence) []string {
	if ev == nil { // no recipe was asked for
		return nil
	}
	var paths []string
	for item, standing := range ev.Derived {
		if standing == provenance.Remade {
			paths = append(paths, item)
		}
	}
	slices.Sort(paths)
	return paths
}

// inspect opens the image and makes the first check.
func (l *line) inspect(ctx context.Context, reference string) (img *inspect.Image, err error) {
	err = l.step("inspect", func() error {
		img, err = l.open(ctx, reference)
		return err
	})
	if err != nil {
		return nil, err
	}
	l.add(img.Integrity())
	return img, nil
}

// layers are those that were read of all images, for the next to find them; nil where
// there will be one image alone.
func (l *line) layers() *pass.Known {
	if l.taken == nil && (l.rebuilt != "" || l.base != "" || l.builder != "" && l.builder != "none") {
		l.taken = pass.NewKnown()
	}
	return l.taken
}

// open reads an image with the contents that checks and bills look into. Where
// those of package databases are more than fits into memory it is read without
// them, and closure and bill say what they could not look into.
func (l *line) open(ctx context.Context, reference string) (*inspect.Image, error) {
	opt := inspect.Options{Platform: l.platform, Access: l.access, Known: l.layers(), LayerCache: l.layerCache, Progress: l.progress.bytes("reading " + reference)}
	signed := !l.farms.vendors.IsEmpty()
	opt.Keep = func(path string) bool {
		return systems().Keep(path) || sbom.Keep(path) || locks.Keep(path) || signed && deb.Keep(path) || deb.IsKeyring(path)
	}
	opt.Optional = func(path string) bool { return !systems().Keep(path) || ospackages.Large(path) }
	opt.Weak = func() func(path string) digest.Kinds {
		known := ospackages.Weak()
		return func(path string) digest.Kinds { return known(path) | records.Weak(path) }
	}
	opt.Watch = func(e *inspect.Entry) pass.Watcher {
		if w := records.Watch(e); w != nil {
			return w
		}
		return provenance.WatchKeys(e)
	}
	if l.builder == "none" && l.layerCache == "" { // of what lies in a cache nothing is copied
		opt.Limits = withoutCopies()
	}
	var err error
	if opt.File, err = l.obtain(ctx, reference); err != nil {
		return nil, err
	}
	img, err := open(ctx, reference, opt)
	if err != nil {
		return nil, err
	}
	if err := l.notePublished(img); err != nil {
		return nil, err
	}
	return img, l.complete(ctx, img, slices.Concat(ospackages.Wanted(img), records.Wanted(img)))
}

// withoutCopies are the limits for an image that nothing more is asked of.
func withoutCopies() *inspect.Limits {
	limits := limit.DefaultLimits()
	limits.CopyBytes = 0
	return &limits
}

// complete reads contents that were not kept. Of an image that came as a stream
// there may be none to be read: closure and bill say what they could not look into.
func (l *line) complete(ctx context.Context, img *inspect.Image, files []inspect.File) error {
	limits := limit.DefaultLimits()
	limits.KeptBytes = max(limits.KeptBytes, 384<<20) // records.Wanted asks for up to 304 MiB, ospackages.Wanted for 48
	opt := inspect.Options{Platform: l.platform, Limits: &limits, Progress: l.progress.bytes("reading contents")}
	if err := inspect.Complete(ctx, img, files, opt); err != nil && !errors.Is(err, inspect.ErrNotKept) {
		return unreadable(err)
	}
	return nil
}

// isFolder says that a reference is a folder, and without a transport before it.
func isFolder(reference string) bool {
	info, err := os.Stat(reference)
	return err == nil && info.IsDir()
}

// open reads an image; an error means that it cannot be read.
func open(ctx context.Context, reference string, opt inspect.Options) (*inspect.Image, error) {
	opt.Stores = systems().Stores()
	if err := emptyName(reference); err != nil {
		return nil, err
	}
	img, err := inspect.Open(ctx, reference, opt)
	wrong, isWrong := errors.AsType[*registry.NameError](err)
	switch {
	case isWrong:
		return nil, usage("%w", wrong)
	case err != nil && timedOut(ctx):
		return nil, unreadable(fmt.Errorf("reading %s: %w", reference, context.Cause(ctx)))
	case isMissing(reference, err):
		return nil, noFile(reference)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, unreadable(fmt.Errorf("%w; it ends too early: was it fetched whole?", err))
	case lacks(err):
		return nil, unreadable(fmt.Errorf("reading %s: %s", reference, noPlatform(err)))
	case err != nil && isFolder(reference):
		return nil, unreadable(fmt.Errorf("%w; each image in a folder is audited by audit batch %s", err, reference))
	case err != nil:
		return nil, unreadable(err)
	}
	img.Reference = publicReference(img)
	return img, nil
}

// isMissing says that an image cannot be read since there is no such file.
func isMissing(reference string, err error) bool {
	var choice *choice.Error
	transport, path, ok := strings.Cut(reference, ":")
	if ok && (isOfEngine(transport) || slices.Contains(transports(), transport) && exists(path)) { // such as a folder that is no OCI layout
		return false
	}
	return errors.Is(err, fs.ErrNotExist) && !exists(reference) && !errors.As(err, &choice)
}

// recover finds the recipe and makes the checks that follow from it.
func (l *line) recover(ctx context.Context, img *inspect.Image) (ev *provenance.Evidence, err error) {
	base, err := l.openBase(ctx)
	if err != nil {
		return nil, err
	}
	err = l.step("provenance", func() error {
		ev, err = provenance.Recover(img, base, systems())
		return err
	})
	if err != nil {
		return nil, unreadable(fmt.Errorf("recovering the recipe: %w", err))
	}
	l.described = describe(img, ev)
	l.add(ev.Recover)
	l.add(ev.Closure)
	return ev, nil
}

// openBase reads the image that the user says this one was built on; else it is the one
// of the known images whose layers are there, nil for none.
func (l *line) openBase(ctx context.Context) (base *inspect.Image, err error) {
	if l.base == "" {
		return l.knownBase, nil
	}
	err = l.step("inspect the base", func() error {
		base, err = open(ctx, l.base, inspect.Options{Platform: l.platform, Access: l.access, Known: l.layers(), LayerCache: l.layerCache, Limits: withoutCopies(), Progress: l.progress.bytes("reading the base image")})
		return err
	})
	return base, err
}

// rebuild plans the rebuild and runs the builder, unless there is a reason not
// to, which the checks then give.
func (l *line) rebuild(ctx context.Context, a *audit) error {
	var err error
	if a.system, err = systems().For(a.evidence.Recipe, l.in); err == nil {
		err = l.makePlan(a)
	}
	if mistake, ok := errors.AsType[*rebuild.UsageError](err); ok {
		return usage("%w", mistake)
	}
	if errors.Is(err, provenance.ErrNotMine) {
		return notFor(a.system.About(), l.in)
	}
	builder, ok := l.asked(a)
	switch {
	case l.rebuilt != "":
		l.notDerived(a, reasonError{check.Say("plan/made-elsewhere")})
	case l.builder == "none":
		l.notBuilt(a, reasonError{check.Say("plan/no-builder-asked")})
	case err != nil:
		l.notBuilt(a, err)
	case !ok:
		l.notBuilt(a, reasonError{check.Say("plan/other-builder", "builder", l.builder, "system", string(a.system.About().Name))})
	default:
		return l.build(ctx, a, builder)
	}
	return nil
}

// asked returns the builder that --builder means for the image's system.
func (l *line) asked(a *audit) (rebuild.Builder, bool) {
	if a.system == nil {
		return nil, false
	}
	return rebuild.BuilderOf(a.system, l.builder)
}

func (l *line) makePlan(a *audit) error {
	plan, err := a.system.Plan(a.image, a.evidence.Recipe, l.in)
	if err != nil {
		return fmt.Errorf("planning the rebuild: %w", err)
	}
	plan = publicPlan(plan, l.secrets)
	a.plan = &plan
	return nil
}

// build runs the builder and opens what it made.
func (l *line) build(ctx context.Context, a *audit, builder rebuild.Builder) error {
	log := newBuildLog(l.progress, l.secrets)
	err := l.step("rebuild", func() error {
		job := rebuild.Job{Dir: l.dir, Log: log, Fresh: l.fresh, CheckInputs: l.inputs, Image: a.image, Options: l.options, Settings: l.in}
		a.result, a.buildErr = l.builds.build(ctx, builder, a, job, log)
		return a.buildErr
	})
	a.log = log.bytes()
	var mistake *rebuild.UsageError
	switch {
	case errors.As(err, &mistake):
		return usage("%w", mistake)
	case stopped(ctx) != nil:
		return stopped(ctx)
	case err != nil:
		l.notBuilt(a, err)
		return nil
	}
	l.add(a.result.Derivation)
	a.rebuilt, err = l.second(ctx, a.result.Image)
	return err
}

// notBuilt says in the checks that need a builder why there is nothing to
// check. A build that was tried and failed is not one that did not run.
func (l *line) notBuilt(a *audit, why error) {
	var lacks *rebuild.IncompleteError
	if errors.As(why, &lacks) {
		a.evidence.Lacks(lacks.Package, lacks.Missing)
		l.add(a.evidence.Recover)
	}
	l.notDerived(a, why)
	if a.result != nil && a.result.Derivation.Status != check.Skipped {
		l.add(a.result.Derivation)
	}
	if errors.Is(why, rebuild.ErrBuild) {
		l.add(withCauses(rebuild.FailedCheck(why.Error()), a))
		return
	}
	reason := check.Skip(check.Rebuild, "rebuild/not-built", "error", why, "tool", toolWanted(why, a.system))
	if reasons := whyNot(why); reasons != nil {
		reason.Reasons = reasons
	}
	l.add(withCauses(reason, a))
	if l.demand {
		a.demanded = notRebuilt(worded(why), adviceFor(why))
	}
}

// withCauses adds to the check named rebuild why a build seems to have failed, by its log.
func withCauses(c check.Check, a *audit) check.Check {
	if a.system == nil || len(a.log) == 0 {
		return c
	}
	for _, m := range why.Causes(a.log, slices.Concat(a.system.About().Causes, why.Rules())) {
		c.Findings = append(c.Findings, check.Finding{Message: m, Level: check.Undecided, Layer: -1})
	}
	return c
}

// notDerived says why no recipe was evaluated.
func (l *line) notDerived(a *audit, why error) {
	if a.system != nil && a.system.About().NoDerivation != "" {
		l.skip(check.Derivation, a.system.About().NoDerivation)
		return
	}
	if reasons := whyNot(why); reasons != nil {
		l.add(check.Check{ID: check.Derivation, Status: check.Skipped, Reasons: reasons})
		return
	}
	l.skip(check.Derivation, "derivation/no-builder", "error", why)
}

// toolWanted names the tool of a builder that is missing, "" when none is.
func toolWanted(why error, s rebuild.System) string {
	if errors.Is(why, rebuild.ErrNoBuilder) {
		return s.About().Tool
	}
	return ""
}

// adviceFor says at length what to do about a rebuild that was not done.
func adviceFor(why error) string {
	var h *rebuild.HintError
	if errors.As(why, &h) {
		return h.Hint
	}
	return ""
}

func (l *line) second(ctx context.Context, reference string) (img *inspect.Image, err error) {
	err = l.step("inspect the rebuild", func() error {
		img, err = open(ctx, reference, inspect.Options{
			Keep: systems().Keep, Optional: func(string) bool { return true },
			Known: l.layers(), LayerCache: l.layerCache, Platform: l.platform, Access: l.access, Progress: l.progress.bytes("reading the rebuild"),
		})
		return err
	})
	return img, err
}

// report lays out what was found.
func (l *line) report(a *audit, began time.Time) *report.Report {
	host, _ := os.Hostname()
	in := report.Input{
		Version: version(), Image: a.image, Evidence: a.evidence, Checks: l.ordered(), Signed: a.signed, Sources: a.sources, Plan: a.plan, Statements: a.statements,
		Builder: a.builder(), Result: a.result, BuildErr: a.buildErr, Log: a.logName(), Rebuilt: a.rebuilt, Comparison: a.comparison, Basis: a.basis, Verdict: a.verdict,
		Vouched: a.vouched, Keys: a.keys,
		Systems: systems().Abouts(), Secrets: systems().Secrets(l.in), Addresses: l.secrets,
		Run: report.Run{Date: began, Host: host, Platform: runtime.GOOS + "/" + runtime.GOARCH, Durations: l.steps},
	}
	return report.New(in)
}

// builder names the builder that was asked, "" when none was.
func (a *audit) builder() string {
	if a.result == nil && a.buildErr == nil {
		return ""
	}
	return string(a.plan.System)
}

// logName names the file of the output of the builder, "" when there is none.
func (a *audit) logName() string {
	if len(a.log) == 0 {
		return ""
	}
	return "rebuild.log"
}

func (l *line) add(c check.Check) {
	if l.checks == nil {
		l.checks = make(map[check.ID]check.Check)
	}
	l.checks[c.ID] = c
}

func (l *line) skip(id check.ID, code string, args ...any) { l.add(check.Skip(id, code, args...)) }

// ordered returns the eight checks in the order of a report.
func (l *line) ordered() []check.Check {
	var all []check.Check
	for _, id := range check.IDs() {
		c, ok := l.checks[id]
		if !ok {
			c = check.Skip(id, "report/not-asked")
		}
		all = append(all, c)
	}
	return all
}

// step times one step of the line.
func (l *line) step(name string, do func() error) error {
	began := time.Now()
	err := do()
	l.steps = append(l.steps, report.Duration{Step: name, Seconds: time.Since(began).Seconds()})
	return err
}
