package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"audit/cmd/audit/batch"
	"audit/cmd/audit/batch/list"
	"audit/inspect"
	"audit/inspect/form"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/oci"
	"audit/inspect/pass"
	"audit/inspect/registry"
	"audit/inspect/userfile"
	"audit/inspect/web"
	"audit/rebuild"
	"audit/report"
	"audit/report/fleet"
)

func batchCommand() *cli.Command {
	return &cli.Command{
		Name:      "batch",
		Usage:     "audits the images of a list into one folder, a shard of them on each worker",
		ArgsUsage: "LIST",
		Flags:     batchFlags(),
		Action: func(c *cli.Context) error {
			name, err := oneArgument(c, "LIST")
			if err != nil {
				return err
			}
			return runBatch(c, name)
		},
	}
}

// batchFlags are those of audit run but for what is about one image, or judges it: the
// exit status of a worker is no verdict.
func batchFlags() []cli.Flag {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "keep the results in `DIR`; what is there already is not done again"},
		&cli.IntFlag{Name: "jobs", Aliases: []string{"j"}, Usage: "audit `N` images at a time (default: 2, or 1 where there is one core)"},
		&cli.StringFlag{Name: "shard", Usage: "do part `I/N` of the list, I from 1 to N; auto takes I from the variables of the engine that this runs in, and N from " + batch.ShardsVariable + " where the engine has none that holds"},
		&cli.DurationFlag{Name: "timeout", Usage: "give up an image, or the listing of a registry, after `TIME`, such as 2h (default: never)"},
		platformFlag(), layerCacheFlag(),
	}
	flags = append(flags, registryFlags()...)
	for _, f := range slices.Concat(farmFlags(), packageFlags(), archiveFlags(), statementFlags(), buildFlags()) {
		switch f := f.(type) {
		case *cli.StringFlag:
			if f.Name == "rebuilt" || f.Name == "base" {
				continue
			}
			if f.Name == "builder" {
				f.Value = "none"
			}
		case *cli.StringSliceFlag:
			if f.Name == "known" { // audit summary does it
				continue
			}
		}
		flags = append(flags, f)
	}
	return append(flags, engineFlags()...)
}

// runBatch does a shard of a list.
func runBatch(c *cli.Context, name string) error {
	shard, err := shardOf(c)
	if err != nil {
		return err
	}
	if err := checkBatch(c); err != nil {
		return err
	}
	l, err := newLine(c)
	if err != nil {
		return err
	}
	entries, err := readList(c, name, l.access, c.Duration("timeout"))
	if err != nil {
		return err
	}
	if isPipe(name) {
		name = "-" // as for the tasks of engines: it can be read once
	}
	if printed, err := writeEngine(c, name, entries); printed || err != nil {
		return err
	}
	folder, err := openBatch(c.String("output"))
	if err != nil {
		return err
	}
	o := options{c: c, named: make(map[string]string)}
	readOptions, err := o.key(false)
	if err != nil {
		return err
	}
	buildOptions, err := o.key(true)
	if err != nil {
		return err
	}
	b := &batchRun{line: l, builder: l.builder, folder: folder, readOptions: readOptions, builds: make(map[string]*builds), addresses: make(map[string]list.Entry, len(entries)), digests: make(map[string]string), stderr: c.App.ErrWriter}
	for _, e := range entries {
		b.addresses[e.Reference], b.digests[e.Address] = e, e.Digest
	}
	if err := b.prepare(c.String("layer-cache")); err != nil {
		return err
	}
	defer b.close()
	w := &batch.Worker{
		Folder: folder, Shard: shard, Name: workerName(), Jobs: jobs(c), Timeout: c.Duration("timeout"), Options: readOptions,
		Resolve: b.resolve, Fetch: b.fetch, Audit: b.audit, Log: b.log, Pause: 2 * time.Second,
	}
	tally, err := w.Run(c.Context, list.Images(entries))
	if err == nil && b.builder != "none" {
		w.Options, w.Audit, w.Group, w.Leave = buildOptions, b.rebuild, b.group, b.leave
		tally, err = w.Continue(c.Context, tally)
	}
	l.progress.clear()
	return ended(c, tally, err)
}

// shardOf is the part of the list that is asked for.
func shardOf(c *cli.Context) (batch.Shard, error) {
	shard, err := batch.ParseShard(c.String("shard"), func(name string) string {
		if name == batch.ShardsVariable && c.IsSet("shards") { // which is the variable of that flag
			return fmt.Sprint(c.Int("shards"))
		}
		return os.Getenv(name)
	})
	if err != nil {
		return shard, usage("--shard: %w", err)
	}
	return shard, nil
}

// checkBatch says what is wrong with the flags that are a batch's alone.
func checkBatch(c *cli.Context) error {
	switch {
	case c.String("output") == "":
		return usage("say where the results belong (-o DIR)")
	case c.IsSet("jobs") && c.Int("jobs") < 1:
		return usage("--jobs %d: at least one image is audited at a time", c.Int("jobs"))
	case c.String("platform") == everyPlatform:
		return usage("--platform %s is for audit run: a batch has one result of each image", everyPlatform)
	case c.Duration("timeout") < 0:
		return usage("--timeout %s: it is less than none", c.Duration("timeout"))
	}
	return nil
}

func jobs(c *cli.Context) int {
	if n := c.Int("jobs"); n > 0 {
		return n
	}
	return min(2, runtime.GOMAXPROCS(0))
}

func workerName() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}

func openBatch(dir string) (*batch.Folder, error) {
	folder, err := batch.OpenFolder(dir)
	var foreign *batch.ForeignError
	switch {
	case errors.As(err, &foreign):
		return nil, usage("%w", err)
	case err != nil && batch.IsPassing(err):
		return nil, again(err)
	}
	if err != nil {
		return nil, err
	}
	folder.Check = fleet.CheckReport
	return folder, nil
}

// again says that the work is not done, and that another try may do it.
func again(err error) error { return &exitError{status: exitAgain, err: err} }

// ended is the exit status of a worker: whether its images have results, whatever
// those say.
func ended(c *cli.Context, t batch.Tally, err error) error {
	switch {
	case c.Context.Err() != nil:
		return again(fmt.Errorf("told to stop after %d of %d images: nothing half-written is left behind", t.Audited+t.Known, t.Images))
	case err != nil && batch.IsPassing(err):
		return again(err)
	case err != nil:
		return err
	}
	if !c.Bool("quiet") {
		fmt.Fprintf(c.App.Writer, "%d images: %d audited, %d known, %d unreadable, %d not done\n", t.Images, t.Audited, t.Known, t.Unreadable, t.NotDone)
	}
	switch {
	case t.Passing > 0:
		return again(fmt.Errorf("%d of %d images have no result for a reason that may pass; the same command does what is missing", t.Passing, t.Images))
	case t.Unreadable+t.NotDone > 0:
		return unreadable(fmt.Errorf("%d of %d images have no result", t.Unreadable+t.NotDone, t.Images))
	}
	return nil
}

// A batchRun audits the images of a batch, one line for each.
type batchRun struct {
	line    *line // of which each image has a copy
	builder string
	folder  *batch.Folder

	readOptions string             // of results without a rebuild
	fetcher     *web.Fetcher       // of what lies at addresses
	builds      map[string]*builds // by plan
	added       int64              // bytes that may have come into the cache since room was made
	mu          sync.Mutex         // of builds and added

	addresses map[string]list.Entry // by reference
	digests   map[string]string     // that the list wants, by address
	layouts   oci.Layouts
	stderr    io.Writer
	scratch   *batch.Scratch
	cache     string // of layers, while this lasts; "" where the user has one
}

// mostCached bounds the layers that are kept on disk while a batch lasts, in bytes. A pod of
// --engine kubernetes has half as much again, for what is at work besides.
const mostCached = 8 << 30

// layersKept is how many entries of layers are kept in memory for the images to come.
const layersKept = 1 << 18

// prepare makes what the images share: each layer is fetched once, and taken apart once
// while it is remembered.
func (b *batchRun) prepare(cache string) (err error) {
	if b.scratch, err = batch.NewScratch(); err != nil {
		return err
	}
	b.line.taken = pass.NewForgetful(layersKept)
	if b.fetcher, err = web.NewFetcher(b.line.access, limit.DefaultLimits().Idle, nil); err != nil {
		b.scratch.Close()
		return usage("%w", err)
	}
	if cache == "" {
		b.cache = filepath.Join(b.scratch.Dir, "layers")
		b.line.layerCache = b.cache
		return nil
	}
	batch.SweepCache(cache)
	return nil
}

func (b *batchRun) close() { b.scratch.Close() }

// resolve finds what a reference leads to.
func (b *batchRun) resolve(ctx context.Context, reference string, before fleet.Status) (batch.Target, error) {
	e := b.addresses[reference]
	if e.Problem != "" {
		return batch.Target{}, &batch.UnreadableError{Err: errors.New(e.Problem)}
	}
	t, err := b.target(ctx, e.Address, before)
	if err == nil {
		err = wanted(e.Digest, t)
	}
	if err != nil {
		return t, &batch.UnreadableError{Err: err}
	}
	return t, nil
}

func (b *batchRun) target(ctx context.Context, address string, before fleet.Status) (batch.Target, error) {
	if name, ok := strings.CutPrefix(address, "docker://"); ok {
		p, err := registry.Pin(ctx, name, true, b.line.access)
		return batch.Target{Reference: "docker://" + p.Reference, Digest: p.Digest.String(), Base: p.Base.String()}, err
	}
	if strings.HasPrefix(address, "https://") {
		return batch.Look(ctx, b.fetcher, address, before), nil
	}
	if dir, name, ok := layoutOf(address); ok {
		sum, base, err := b.layouts.Pin(dir, name)
		return batch.Target{Reference: address, Digest: sum.String(), Base: base.String()}, ofFile(address, err)
	}
	if transport, _, ok := strings.Cut(address, ":"); ok && isOfEngine(transport) {
		return batch.Target{}, fmt.Errorf("%s: a batch has no images of an engine or its store, which may be another any time: save it in a file, or name it in a registry", address)
	}
	path := imageFile(address)
	t, err := batch.HashFile(ctx, path, before)
	if path != address {
		t.Reference, t.Choice = address, strings.Replace(address, path, "", 1)
	}
	return t, ofFile(address, err)
}

// isOfEngine says of a transport that it takes the names of an engine or a store here.
func isOfEngine(transport string) bool {
	return slices.ContainsFunc(inspect.Forms(), func(f form.Form) bool {
		return f.Named && string(f.Transport) == transport && f.Transport != image.Registry
	})
}

// ofFile marks the error of an image that is not in a registry.
func ofFile(reference string, err error) error {
	if err == nil || strings.HasPrefix(reference, "docker://") {
		return err
	}
	return &batch.LocalError{Err: err}
}

// fetch fetches the file of an address, which the list names.
func (b *batchRun) fetch(ctx context.Context, t batch.Target) (batch.Target, func(), error) {
	fetched, done, err := batch.Fetch(ctx, b.fetcher, b.scratch.Dir, t)
	if err != nil {
		return t, nil, &batch.UnreadableError{Err: err}
	}
	if err := wanted(b.digests[t.Reference], fetched); err != nil {
		done()
		return t, nil, &batch.UnreadableError{Err: err}
	}
	return fetched, done, nil
}

// wanted holds what a reference leads to against the digest that the list has for it.
func wanted(digest string, t batch.Target) error {
	if digest == "" || t.Digest == "" || digest == t.Digest {
		return nil
	}
	return fmt.Errorf("it is %s, and the list wants %s", t.Digest, digest)
}

// layoutOf splits oci:DIR:NAME.
func layoutOf(address string) (dir, name string, ok bool) {
	rest, ok := strings.CutPrefix(address, "oci:")
	if !ok {
		if info, err := os.Stat(address); err != nil || !info.IsDir() {
			return "", "", false
		}
		return address, "", true
	}
	if _, err := os.Stat(rest); err == nil {
		return rest, "", true
	}
	for i, c := range rest {
		if info, err := os.Stat(rest[:i]); c == ':' && err == nil && info.IsDir() {
			return rest[:i], rest[i+1:], true
		}
	}
	dir, name, _ = strings.Cut(rest, ":")
	return dir, name, true
}

// imageFile is the file of an address: what follows its transport, up to what chooses an
// image in it.
func imageFile(address string) string {
	if _, err := os.Stat(address); err == nil {
		return address
	}
	_, rest, ok := strings.Cut(address, ":")
	if !ok {
		return address
	}
	if _, err := os.Stat(rest); errors.Is(err, fs.ErrNotExist) {
		for i, c := range rest {
			if _, err := os.Stat(rest[:i]); c == ':' && err == nil {
				return rest[:i]
			}
		}
	}
	return rest
}

// audit makes the result of one image, and builds nothing.
func (b *batchRun) audit(ctx context.Context, t batch.Target) ([]batch.File, error) {
	l := *b.line
	l.builder, l.demand = "none", false
	return b.run(ctx, &l, t)
}

// rebuild makes the result of one image, and builds it again.
func (b *batchRun) rebuild(ctx context.Context, t batch.Target) ([]batch.File, error) {
	l := *b.line
	if _, plan := b.group(t); plan != "" {
		b.mu.Lock()
		if b.builds[plan] == nil {
			b.builds[plan] = new(builds)
		}
		l.builds = b.builds[plan]
		b.mu.Unlock()
	}
	return b.run(ctx, &l, t)
}

// leave lets go of what was built of a plan.
func (b *batchRun) leave(t batch.Target) {
	_, plan := b.group(t)
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := b.builds[plan]; last != nil {
		last.forget()
		delete(b.builds, plan)
	}
}

// group says on which commits of channels the recipe of an image rests, so that what the
// build system makes of these is made once, and which its plan is. Both are "" for an
// image that cannot be built again.
func (b *batchRun) group(t batch.Target) (channels, plan string) {
	key := t.Key(b.readOptions)
	channels, planned, err := fleet.ReadChannels(b.folder.Path(key, "report.json"))
	if !planned || err != nil {
		return "", ""
	}
	text, err := userfile.Read(b.folder.Path(key, "plan.json"), report.MaxBytes)
	if err != nil {
		return channels, ""
	}
	var p rebuild.Plan
	if err := json.Unmarshal(text, &p); err != nil {
		return channels, ""
	}
	p.Image, p.ConfigDigest, p.Command = "", "", nil
	return channels, fmt.Sprintf("%x", sha256.Sum256(planJSON(p)))
}

// run runs the line of one image.
func (b *batchRun) run(ctx context.Context, l *line, t batch.Target) ([]batch.File, error) {
	l.checks, l.steps, l.progress = nil, nil, nil
	var err error
	if l.dir, err = os.MkdirTemp(b.scratch.Dir, "image-"); err != nil {
		return nil, fmt.Errorf("making a temporary folder: %w", err)
	}
	defer func() {
		if !l.builds.keeps(l.dir) {
			os.RemoveAll(l.dir)
		}
	}()
	first := *l
	a, err := l.run(ctx, t.Reference)
	if err == nil && l.builder == "none" && strings.HasPrefix(t.Reference, "docker://") && isOtherBytes(a.report) {
		*l = first // what came on the way once may come right the next time; a registry that has it so sends it again
		a, err = l.run(ctx, t.Reference)
	}
	b.makeRoom(a)
	err = ofFile(t.Reference, err)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	var exit *exitError
	switch {
	case errors.As(err, &exit) && exit.status == exitUnreadable:
		return nil, &batch.UnreadableError{Err: err}
	case err != nil:
		return nil, err
	case errors.Is(a.buildErr, rebuild.ErrNotDone), a.demanded != nil && errors.Is(a.buildErr, rebuild.ErrNoBuilder):
		return nil, fmt.Errorf("no rebuild: %w", a.buildErr)
	}
	if err := judge(a.report, nil); err != nil {
		return nil, err
	}
	if err := b.isOf(a.report.Image, t); err != nil {
		return nil, err
	}
	files, err := a.files()
	if err != nil {
		return nil, err
	}
	var all []batch.File
	for _, f := range files {
		all = append(all, batch.File{Name: f.name, Mode: modeOf(f.name), Write: f.writeAll})
	}
	return all, nil
}

// isOtherBytes says that the bytes of a layer, or of the config, are not those that the
// manifest names.
func isOtherBytes(r *report.Report) bool {
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			if f.Code == "integrity/digest-mismatch" || f.Code == "integrity/document-digest-mismatch" {
				return true
			}
		}
	}
	return false
}

// isOf holds what was audited against what was to be: a file or a layout may have been
// written to since its digest was computed, and a registry may send anything.
func (b *batchRun) isOf(img report.Image, t batch.Target) error {
	digests := []string{img.ArchiveDigest, img.IndexDigest, img.ManifestDigest.Digest, img.ConfigDigest}
	if slices.Contains(digests, t.Digest) {
		return nil
	}
	if dir, name, ok := layoutOf(t.Reference); ok && img.Transport == image.OCI { // several of one name have no digest of their own
		if sum, _, err := b.layouts.Pin(dir, name); err == nil && sum.String() == t.Digest {
			return nil
		}
	}
	return &batch.ChangedError{Wanted: t.Digest, Found: cmp.Or(digests...)}
}

// makeRoom keeps the cache of layers within its bound. Looking at all that is in it for
// each image would cost as much as there are images and layers together: it is looked at
// when those that may have come since fill an eighth of it, or it is not known how much
// they are.
func (b *batchRun) makeRoom(a *audit) {
	const step = mostCached / 8
	if b.cache == "" {
		return
	}
	added := int64(step)
	if a != nil {
		added = 0
		for _, l := range a.image.Layers {
			added += l.Size
		}
	}
	b.mu.Lock()
	b.added += added
	full := b.added >= step
	if full {
		b.added = 0
	}
	b.mu.Unlock()
	if full {
		batch.Trim(b.cache, mostCached-step)
	}
}

// log reports an image that has ended.
func (b *batchRun) log(e batch.Event) {
	if e.Status.State != fleet.Done {
		b.line.progress.clear()
		text := e.Status.Problem
		if !strings.Contains(text, e.Status.Reference) {
			text = e.Status.Reference + ": " + text
		}
		fmt.Fprintf(b.stderr, "audit: %s\n", report.Printable(text))
	}
	if show := b.line.progress.count("auditing images"); show != nil {
		show(e.Ended, e.Of)
	}
}
