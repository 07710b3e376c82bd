package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"audit/inspect/check"
	"audit/inspect/registry/access"
	"audit/report/fleet"
)

// A Worker does a shard of a list.
type Worker struct {
	Folder  *Folder
	Shard   Shard
	Name    string        // of the worker, for people: host and process
	Jobs    int           // images at a time
	Timeout time.Duration // for each image; 0 for none
	Options string        // names all but the image that decides a result: see [Key]

	// Resolve finds what a reference leads to now. The status is that of the last
	// time, zero when there is none.
	Resolve func(ctx context.Context, reference string, before fleet.Status) (Target, error)
	// Fetch fetches the file of a late target, of which it computes the digest. It is
	// removed when done is called.
	Fetch func(ctx context.Context, t Target) (fetched Target, done func(), err error)
	// Audit makes the result of an image. An error means that there is none: a
	// [*UnreadableError] where the image is to blame.
	Audit func(ctx context.Context, t Target) ([]File, error)
	// Group, when set, says which images are of one plan, and which plans of one group.
	// Those of a plan are done one after the other, and the first plan of a group before
	// all others of it. Plans that took longest the last time come first. An image of no
	// plan is done by itself.
	Group func(t Target) (group, plan string)
	// Leave, when set, is called when all images of a plan have ended, with one of them.
	Leave func(t Target)
	// Log, when set, is called for each image that ends, from one goroutine at a time.
	Log func(Event)
	// Pause is how long to wait before what failed for a passing reason is tried
	// again; each time twice as long.
	Pause time.Duration
}

// An Event is the end of the work on one image.
type Event struct {
	Status fleet.Status
	Ended  int // images that have ended so far
	Of     int // all of the shard
}

// A Tally counts how the images of a shard ended.
type Tally struct {
	Images     int
	Audited    int // in this run
	Known      int // their result was there
	Unreadable int
	NotDone    int
	Passing    int // of those without a result, how many for a reason that may pass

	done []task
}

// An UnreadableError says that an image cannot be read.
type UnreadableError struct{ Err error }

func (e *UnreadableError) Error() string { return e.Err.Error() }

func (e *UnreadableError) Unwrap() error { return e.Err }

// rounds is how often an image is tried in one run at most, and mostLost how many
// workers may end in a row while they are at one image before a run leaves it out.
const (
	rounds   = 3
	mostLost = 5
)

// Key names the result of an image, given a digest over all else that decides it.
func Key(image, options string) string {
	_, hex, _ := strings.Cut(image, ":")
	return hex + "-" + options
}

// A task is one image, whatever the references to it.
type task struct {
	target     Target
	key        string
	references []string
	before     fleet.Status // of the first reference
}

// A run is that of a worker.
type run struct {
	*Worker
	mu    sync.Mutex
	tally Tally
	ended int
}

// Run audits the images of the list that are of the worker's shard, but for those
// whose result is there. The error is that of the folder, or of ctx: what became of
// each image is in its status.
func (w *Worker) Run(ctx context.Context, images []fleet.Image) (Tally, error) {
	if err := w.Folder.SetList(images); err != nil {
		return Tally{}, err
	}
	r := &run{Worker: w}
	var references []string
	for _, img := range w.Shard.Of(images) {
		references = append(references, img.Reference)
	}
	r.tally.Images = len(references)
	err := r.rounds(ctx, references, nil)
	return r.tally, err
}

// Continue does the images that have a result in the tally of another worker, as they
// were then. The tally that it returns is of all.
func (w *Worker) Continue(ctx context.Context, t Tally) (Tally, error) {
	r := &run{Worker: w, tally: Tally{Images: t.Images, Unreadable: t.Unreadable, NotDone: t.NotDone, Passing: t.Passing}}
	r.ended = t.Unreadable + t.NotDone
	tasks := slices.Clone(t.done)
	for i := range tasks {
		tasks[i].key = tasks[i].target.Key(r.Options)
		tasks[i].before = w.Folder.Status(tasks[i].references[0])
	}
	err := r.rounds(ctx, nil, tasks)
	return r.tally, err
}

// rounds tries references and images until they have ended, some of them again after a
// pause.
func (r *run) rounds(ctx context.Context, references []string, tasks []task) error {
	for round := range rounds {
		last := round == rounds-1
		found, unresolved, err := r.resolve(ctx, references, last)
		if err != nil {
			return err
		}
		tasks, err = r.all(ctx, append(tasks, found...), last)
		if err != nil {
			return err
		}
		if references = unresolved; len(references)+len(tasks) == 0 {
			return nil
		}
		if err := access.Wait(ctx, r.Pause<<round); err != nil {
			return err
		}
	}
	return nil
}

// all does tasks, and returns those to try again: none after the last round.
func (r *run) all(ctx context.Context, tasks []task, last bool) (again []task, err error) {
	q := newQueue(r.units(tasks))
	var mu sync.Mutex
	err = each(ctx, r.Jobs, make([]struct{}, min(max(r.Jobs, 1), len(tasks))), func(ctx context.Context, _ struct{}) error {
		for {
			u, ok := q.take()
			if !ok {
				return nil
			}
			failed, err := r.unit(ctx, u, last)
			mu.Lock()
			again = append(again, failed...)
			mu.Unlock()
			q.end(u)
			if err != nil {
				return err
			}
		}
	})
	return again, err
}

// unit does the tasks of a unit.
func (r *run) unit(ctx context.Context, u unit, last bool) (again []task, err error) {
	for _, t := range u.tasks {
		passing, err := r.do(ctx, &t, last)
		if err != nil {
			return again, err
		}
		if passing && len(t.references) > 0 {
			t.before = r.Folder.Status(t.references[0])
			again = append(again, t)
		}
	}
	if r.Leave != nil {
		r.Leave(u.tasks[0].target)
	}
	return again, nil
}

// units puts tasks into the order in which they are done: those that share a base
// beside each other, where nobody groups them.
func (r *run) units(tasks []task) (all []unit) {
	slices.SortFunc(tasks, func(a, b task) int {
		return cmp.Or(cmp.Compare(a.target.Base, b.target.Base), cmp.Compare(a.references[0], b.references[0]))
	})
	at := make(map[[2]string]int)
	for _, t := range tasks {
		var group, plan string
		if r.Group != nil {
			group, plan = r.Group(t.target)
		}
		i, known := at[[2]string{group, plan}]
		if !known || plan == "" {
			i = len(all)
			at[[2]string{group, plan}], all = i, append(all, unit{group: group})
		}
		all[i].tasks = append(all[i].tasks, t)
	}
	slices.SortStableFunc(all, func(a, b unit) int { return cmp.Compare(lasted(b.tasks), lasted(a.tasks)) })
	return all
}

// lasted is what the rebuilds of a unit took the last time, in seconds.
func lasted(group []task) (seconds float64) {
	for _, t := range group {
		seconds += t.before.Rebuild
	}
	return seconds
}

// lookups is how many references are resolved at a time: that waits for networks.
const lookups = 8

// resolve finds the images that references lead to, each once, and returns the
// references to try again.
func (r *run) resolve(ctx context.Context, references []string, last bool) (all []task, again []string, err error) {
	var mu sync.Mutex
	tasks := make(map[string]*task)
	err = each(ctx, max(r.Jobs, lookups), references, func(ctx context.Context, reference string) error {
		before := r.Folder.Status(reference)
		var target Target
		err := r.timed(ctx, func(ctx context.Context) (err error) {
			target, err = r.Resolve(ctx, reference, before)
			return err
		})
		mu.Lock()
		defer mu.Unlock()
		switch passing, here := passes(err, before.Tries+1); {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case here && !last:
			again = append(again, reference)
			return nil
		case err != nil:
			return r.fail(fleet.Status{Reference: reference, Tries: before.Tries + 1, Began: time.Now().UTC(), Rebuild: before.Rebuild}, err, passing)
		}
		key := target.Key(r.Options)
		t := tasks[cmp.Or(key, reference)]
		if t == nil {
			tasks[cmp.Or(key, reference)] = &task{target: target, key: key, before: before, references: []string{reference}}
			return nil
		}
		if reference < t.references[0] {
			t.target, t.before = target, before
		}
		t.references = append(t.references, reference)
		slices.Sort(t.references)
		return nil
	})
	for _, t := range tasks {
		all = append(all, *t)
	}
	slices.Sort(again)
	return all, again, err
}

// each calls do for each of the things, so many at a time, in their order, until one
// call returns an error or ctx ends.
func each[T any](ctx context.Context, jobs int, all []T, do func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan T)
	var workers sync.WaitGroup
	for range min(max(jobs, 1), len(all)) {
		workers.Go(func() {
			for v := range next {
				if err := do(ctx, v); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, v := range all {
		select {
		case next <- v:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}

// do audits one image unless its result is there. It says whether the image is to be
// tried again in this run.
func (r *run) do(ctx context.Context, t *task, last bool) (again bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, context.Cause(ctx)
	}
	s := fleet.Status{
		Digest: t.target.Digest, Key: t.key, State: fleet.Trying, Began: time.Now().UTC(), Worker: r.Name, Shard: r.Shard.String(),
		File: t.target.File, Tries: 1, Rebuild: t.before.Rebuild,
	}
	if t.key != "" && r.Folder.Has(t.key, t.target.Reference) {
		return false, r.done(*t, s, true)
	}
	if before := r.Folder.Status(t.references[0]); before.Key == t.key { // others may have written it since t.before
		s.Tries, s.Lost = before.Tries+1, before.Lost
		if r.isLost(before) {
			s.Lost++
		}
	}
	if s.Lost >= mostLost {
		s.Tries, s.Lost = s.Tries-1, 0
		return false, r.failAll(*t, s, fmt.Errorf("%d workers in a row have ended while they were at it", mostLost), false)
	}
	if err := r.set(t, s); err != nil || len(t.references) == 0 {
		return false, err
	}
	stop := r.Folder.beats(ctx, t.references, beat)
	known, err := r.audit(ctx, t)
	stop()
	s.Digest, s.Key, s.File, s.Seconds = t.target.Digest, t.key, t.target.File, time.Since(s.Began).Seconds()
	if r.Group != nil {
		s.Rebuild = s.Seconds
	}
	switch {
	case ctx.Err() != nil:
		s.State, s.Problem, s.Again, s.Lost = fleet.NotDone, "the worker was told to stop", true, 0
		return false, errors.Join(context.Cause(ctx), r.set(t, s))
	case err == nil:
		return false, r.done(*t, s, known)
	}
	passing, here := passes(err, s.Tries)
	if here && !last {
		s.State, s.Problem, s.Again, s.Lost = fleet.NotDone, clip(err), true, 0
		return true, r.set(t, s)
	}
	return false, r.failAll(*t, s, err, passing)
}

// A TimeoutError says that the time for an image has passed.
type TimeoutError struct{ Limit time.Duration }

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("not done within the %s of --timeout", e.Limit)
}

// passes says of the error of a try whether another may end otherwise, and whether that is
// one of this run. After a timeout it is another worker's, which may be less busy or find
// more in a cache; not for ever, since some images need more time.
func passes(err error, tries int) (passing, here bool) {
	if _, late := errors.AsType[*TimeoutError](err); late {
		return tries < mostLost, false
	}
	passing = err != nil && IsPassing(err)
	return passing, passing
}

// timed does what has the time of one image. Whatever comes of it after that is a
// [*TimeoutError].
func (r *run) timed(ctx context.Context, do func(ctx context.Context) error) error {
	if r.Timeout <= 0 {
		return do(ctx)
	}
	late := &TimeoutError{r.Timeout}
	limited, cancel := context.WithTimeoutCause(ctx, r.Timeout, late)
	defer cancel()
	err := do(limited)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return late
	}
	return err
}

// audit makes the result of an image, and puts it into its place. It says whether the
// result of one that had to be fetched was there.
func (r *run) audit(ctx context.Context, t *task) (known bool, err error) {
	err = r.timed(ctx, func(ctx context.Context) error {
		known, err = r.auditIn(ctx, t)
		return err
	})
	return known, err
}

func (r *run) auditIn(ctx context.Context, t *task) (known bool, err error) {
	opened := t.target
	if t.target.Late {
		var done func()
		if opened, done, err = r.Fetch(ctx, t.target); err != nil {
			return false, err
		}
		defer done()
		t.target.Digest, t.target.File, t.key = opened.Digest, opened.File, opened.Key(r.Options)
		if r.Folder.Has(t.key, opened.Reference) {
			return true, nil
		}
	}
	files, err := r.Audit(ctx, opened)
	if err != nil {
		return false, err
	}
	return false, r.Folder.Put(t.key, opened.Reference, files)
}

// set writes the status of each reference to an image. Those that have no place for one
// have ended, and are references to it no longer.
func (r *run) set(t *task, s fleet.Status) error {
	var kept []string
	for _, reference := range t.references {
		s.Reference = reference
		noPlace, err := r.put(s)
		if err != nil {
			return err
		}
		if !noPlace {
			kept = append(kept, reference)
		}
	}
	t.references = kept
	return nil
}

// put writes a status. Where there is no place for it, that is how its image ends: the
// others go on.
func (r *run) put(s fleet.Status) (noPlace bool, err error) {
	err = r.Folder.SetStatus(s)
	if _, noPlace = errors.AsType[*PlaceError](err); noPlace {
		s.State, s.Problem, s.Again = fleet.NotDone, clip(err), IsPassing(err)
		r.log(s, false)
		return true, nil
	}
	return false, err
}

// done notes that a result is there. A status that says so already stays, but for the
// day.
func (r *run) done(t task, s fleet.Status, known bool) error {
	s.State, s.Lost = fleet.Done, 0
	r.mu.Lock()
	r.tally.done = append(r.tally.done, t)
	r.mu.Unlock()
	for _, reference := range t.references {
		s.Reference = reference
		before := r.Folder.Status(reference)
		if !known || before.State != fleet.Done || before.Key != s.Key || !sameFile(before.File, s.File) {
			if known { // by whom, and what it took, is in that status
				s.Tries, s.Seconds = max(before.Tries, 1), before.Seconds
			}
			if noPlace, err := r.put(s); err != nil {
				return err
			} else if noPlace {
				continue
			}
		}
		r.log(s, known)
	}
	return nil
}

func sameFile(a, b *fleet.File) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Size == b.Size && a.Modified.Equal(b.Modified) && a.Tag == b.Tag
}

func (r *run) failAll(t task, s fleet.Status, err error, passing bool) error {
	for _, reference := range t.references {
		s.Reference = reference
		if err := r.fail(s, err, passing); err != nil {
			return err
		}
	}
	return nil
}

// fail notes why there is no result of a reference.
func (r *run) fail(s fleet.Status, err error, passing bool) error {
	var unreadable *UnreadableError
	s.State, s.Problem, s.Again, s.Lost = fleet.NotDone, clip(err), passing, 0
	if errors.As(err, &unreadable) && !passing {
		s.State = fleet.Unreadable
	}
	s.Worker, s.Shard = r.Name, r.Shard.String()
	if noPlace, err := r.put(s); noPlace || err != nil {
		return err
	}
	r.log(s, false)
	return nil
}

// log counts how an image ended, and reports it.
func (r *run) log(s fleet.Status, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended++
	switch {
	case s.State == fleet.Done && known:
		r.tally.Known++
	case s.State == fleet.Done:
		r.tally.Audited++
	case s.State == fleet.Unreadable:
		r.tally.Unreadable++
	default:
		r.tally.NotDone++
	}
	if s.State != fleet.Done && s.Again {
		r.tally.Passing++
	}
	if r.Log != nil {
		r.Log(Event{Status: s, Ended: r.ended, Of: r.tally.Images})
	}
}

// clip is an error as a status has it.
func clip(err error) string { return check.ClipTo(check.Printable(err.Error()), 1000) }
