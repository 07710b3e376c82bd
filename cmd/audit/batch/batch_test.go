package batch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"audit/inspect/limit"
	"audit/inspect/registry"
	"audit/inspect/registry/access"
	"audit/inspect/web"
	"audit/rebuild"
	"audit/report/fleet"
)

// Shards are parts of the list that no two have in common, whatever its order, and those
// of one repository stay together.
func TestShards(t *testing.T) {
	var images []fleet.Image
	for i := range 103 {
		images = append(images, fleet.Image{Reference: fmt.Sprintf("docker://registry.example:5000/lab/tool%d:1.%d", i%10, i/10)})
	}
	for _, n := range []int{1, 2, 7, 103, 200} {
		seen, families := make(map[string]int), make(map[string]map[int]bool)
		for i := 1; i <= n; i++ {
			part := Shard{i, n}.Of(images)
			if len(part) > 103/n+1 {
				t.Errorf("%d/%d has %d images", i, n, len(part))
			}
			for _, img := range part {
				seen[img.Reference]++
				f := family(img.Reference)
				if families[f] == nil {
					families[f] = make(map[int]bool)
				}
				families[f][i] = true
			}
		}
		if len(seen) != 103 {
			t.Errorf("%d shards have %d images", n, len(seen))
		}
		for reference, count := range seen {
			if count != 1 {
				t.Errorf("%s is in %d of %d shards", reference, count, n)
			}
		}
		if n == 2 {
			for f, in := range families {
				if len(in) > 1 && f != "docker://registry.example:5000/lab/tool5" && f != "docker://registry.example:5000/lab/tool4" {
					t.Errorf("%s is in %d shards", f, len(in))
				}
			}
		}
		slices.Reverse(images)
	}
}

// The variables of engines say which shard a task is.
func TestParseShard(t *testing.T) {
	for name, test := range map[string]struct {
		text, env, want string
	}{
		"all": {"", "", "1/1"}, "first": {"1/8", "", "1/8"}, "last": {"8/8", "", "8/8"}, "zero": {"0/8", "", ""}, "beyond": {"9/8", "", ""},
		"half": {"1/", "", ""}, "sign": {"+1/8", "", ""}, "text": {"a/b", "", ""}, "much": {"1/99999999999999999999", "", ""},
		"none": {"auto", "", ""}, "Slurm": {"auto", "SLURM_ARRAY_TASK_ID=0 AUDIT_SHARDS=8", "1/8"}, "Slurm alone": {"auto", "SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_COUNT=2", ""},
		"Kubernetes": {"auto", "JOB_COMPLETION_INDEX=7 AUDIT_SHARDS=8", "8/8"}, "beyond the count": {"auto", "JOB_COMPLETION_INDEX=8 AUDIT_SHARDS=8", ""},
		"Grid Engine": {"auto", "SGE_TASK_ID=1 SGE_TASK_LAST=4 AUDIT_SHARDS=8", "1/8"}, "outside of an array": {"auto", "SGE_TASK_ID=undefined AUDIT_SHARDS=8", ""},
		"GitLab": {"auto", "CI_NODE_INDEX=1 CI_NODE_TOTAL=5", "1/5"}, "another count": {"auto", "CI_NODE_INDEX=1 CI_NODE_TOTAL=5 AUDIT_SHARDS=6", ""},
		"AWS": {"auto", "AWS_BATCH_JOB_ARRAY_INDEX=4 AWS_BATCH_JOB_ARRAY_SIZE=5", "5/5"}, "Buildkite": {"auto", "BUILDKITE_PARALLEL_JOB=0 BUILDKITE_PARALLEL_JOB_COUNT=2", "1/2"},
		"two engines": {"auto", "SLURM_ARRAY_TASK_ID=0 CI_NODE_INDEX=1 CI_NODE_TOTAL=5 AUDIT_SHARDS=5", ""}, "no number": {"auto", "PBS_ARRAY_INDEX=x AUDIT_SHARDS=5", ""},
	} {
		shard, err := ParseShard(test.text, func(name string) string {
			for _, pair := range strings.Fields(test.env) {
				if value, ok := strings.CutPrefix(pair, name+"="); ok {
					return value
				}
			}
			return ""
		})
		got := ""
		if err == nil {
			got = shard.String()
		}
		if got != test.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, test.want)
		}
	}
}

// What lies in the infrastructure is worth another try, what lies in the image is not.
func TestIsPassing(t *testing.T) {
	for _, err := range []error{
		&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, &net.DNSError{IsTimeout: true}, syscall.ENOSPC, &os.PathError{Op: "write", Err: syscall.EIO}, io.ErrUnexpectedEOF,
		&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}, &url.Error{Op: "Get", Err: &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}},
		&os.PathError{Op: "open", Err: syscall.EMFILE}, &os.PathError{Op: "read", Err: syscall.ESTALE}, &os.LinkError{Op: "rename", Err: syscall.ENOSPC}, syscall.EAGAIN,
		&limit.Error{Name: limit.IdleSeconds}, &access.CutError{Err: io.EOF}, &ChangedError{}, &web.StatusError{Code: 503}, &web.StatusError{Code: 429}, rebuild.ErrNotDone, rebuild.ErrNoBuilder,
	} {
		if !IsPassing(&UnreadableError{fmt.Errorf("reading: %w", err)}) {
			t.Errorf("%v is for good", err)
		}
	}
	for _, err := range []error{
		&net.DNSError{IsNotFound: true}, os.ErrNotExist, os.ErrPermission, &limit.Error{Name: "entries"}, &limit.FormatError{Err: io.EOF}, &web.StatusError{Code: 404},
		rebuild.ErrBuild, rebuild.ErrRefused, errors.New("x"), &LocalError{io.ErrUnexpectedEOF},
		fmt.Errorf("reading: %w", &limit.FormatError{Where: "layer 1", Err: io.ErrUnexpectedEOF}),
		&os.PathError{Op: "open", Err: syscall.EACCES}, &os.PathError{Op: "open", Err: syscall.EROFS}, &os.PathError{Op: "open", Err: syscall.ENOTDIR}, &os.PathError{Op: "open", Err: syscall.EISDIR},
		&os.PathError{Op: "open", Err: syscall.ELOOP}, &os.PathError{Op: "open", Err: syscall.ENAMETOOLONG}, &os.PathError{Op: "write", Err: syscall.EFBIG}, syscall.EINVAL, syscall.EPERM,
		&os.LinkError{Op: "rename", Err: syscall.EEXIST}, &os.LinkError{Op: "rename", Err: syscall.ENOTEMPTY}, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EACCES)},
		&url.Error{Op: "Get", Err: &tls.CertificateVerificationError{Err: errors.New("x")}},
	} {
		if IsPassing(&UnreadableError{fmt.Errorf("reading: %w", err)}) {
			t.Errorf("%v passes", err)
		}
	}
}

// A fake is a worker of images that are not there.
type fake struct {
	mu    sync.Mutex
	tries map[string]int
	order []string
	fails map[string]error // of an audit, until it was tried twice
}

func (f *fake) worker(t *testing.T, dir string) *Worker {
	t.Helper()
	folder, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &Worker{
		Folder: folder, Name: "test", Jobs: 1, Options: strings.Repeat("0", 32),
		Resolve: func(_ context.Context, reference string, _ fleet.Status) (Target, error) {
			base, _, _ := strings.Cut(reference, "-")
			return Target{Reference: reference, Digest: fmt.Sprintf("sha256:%x", reference), Base: base}, nil
		},
		Audit: func(_ context.Context, target Target) ([]File, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.tries[target.Reference]++
			f.order = append(f.order, target.Reference)
			if err := f.fails[target.Reference]; err != nil && f.tries[target.Reference] < 3 {
				return nil, err
			}
			return []File{{Name: "report.json", Mode: 0o644, Write: func(w io.Writer) error {
				_, err := io.WriteString(w, "{\n  \"a\": {\n  }\n}\n")
				return err
			}}}, nil
		},
	}
}

func imagesNamed(names ...string) (images []fleet.Image) {
	for _, name := range names {
		images = append(images, fleet.Image{Reference: name})
	}
	return images
}

// Images that share a base come one after the other; what fails for a passing reason is
// tried again in the same run, what the image is to blame for is not.
func TestRun(t *testing.T) {
	f := &fake{tries: make(map[string]int), fails: map[string]error{"b-2": syscall.ENOSPC, "a-3": &UnreadableError{os.ErrNotExist}}}
	dir := filepath.Join(t.TempDir(), "found")
	tally, err := f.worker(t, dir).Run(t.Context(), imagesNamed("b-1", "a-1", "b-2", "a-3"))
	if err != nil || tally.Audited != 3 || tally.Unreadable != 1 || tally.Passing != 0 {
		t.Errorf("%+v, %v", tally, err)
	}
	if want := []string{"a-1", "a-3", "b-1", "b-2", "b-2", "b-2"}; !slices.Equal(f.order, want) {
		t.Errorf("in the order %q, want %q", f.order, want)
	}
	w := f.worker(t, dir)
	if s := w.Folder.Status("b-2"); s.State != fleet.Done || s.Tries != 3 {
		t.Errorf("%+v", s)
	}
	if s := w.Folder.Status("a-3"); s.State != fleet.Unreadable || s.Again || s.Problem == "" {
		t.Errorf("%+v", s)
	}
	if tally, err := w.Run(t.Context(), imagesNamed("b-1", "a-1", "b-2")); err != nil || tally.Known != 3 || len(f.order) != 6 {
		t.Errorf("%+v, %v, %q", tally, err, f.order)
	}
}

// What is in the place of a result and is none is done again, and the result takes its
// place: a folder without a report, a report that is torn or empty, a file, a link.
func TestDamagedResult(t *testing.T) {
	f := &fake{tries: make(map[string]int)}
	w := f.worker(t, t.TempDir())
	key := Key(fmt.Sprintf("sha256:%x", "a-1"), w.Options)
	place, report := w.Folder.Path(key, ""), w.Folder.Path(key, "report.json")
	for name, damage := range map[string]func() error{
		"nothing there":      func() error { return os.RemoveAll(place) },
		"no report":          func() error { return os.Rename(report, report+".old") },
		"an empty report":    func() error { return os.Truncate(report, 0) },
		"a torn report":      func() error { return os.Truncate(report, 14) },
		"half of an end":     func() error { return os.Truncate(report, 16) },
		"zeros for a report": func() error { return os.WriteFile(report, make([]byte, 18), 0o666) },
		"a folder for a report": func() error {
			return errors.Join(os.Remove(report), os.MkdirAll(filepath.Join(report, "x"), 0o777))
		},
		"a file for a folder": func() error { return errors.Join(os.RemoveAll(place), os.WriteFile(place, nil, 0o666)) },
		"a link for a folder": func() error {
			return errors.Join(os.Rename(place, place+".other"), os.Symlink(place+".other", place))
		},
	} {
		for _, want := range []int{1, 0} {
			if tally, err := w.Run(t.Context(), imagesNamed("a-1")); err != nil || tally.Audited+tally.Known != 1 || want == 0 && tally.Known != 1 {
				t.Fatalf("before %s: %+v, %v", name, tally, err)
			}
		}
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		f.tries = make(map[string]int)
		if tally, err := w.Run(t.Context(), imagesNamed("a-1")); err != nil || tally.Audited != 1 || !w.Folder.Has(key, "a-1") {
			t.Errorf("%s: %+v, %v", name, tally, err)
		}
	}
	if parts, _ := filepath.Glob(filepath.Join(filepath.Dir(filepath.Clean(place)), partPrefix+"*")); len(parts) > 0 {
		t.Errorf("left behind: %q", parts)
	}
}

// An image that takes too long, to find or to audit, is not done: another worker tries it,
// until several have, and this one does not. The others are none the worse.
func TestTimeout(t *testing.T) {
	f := &fake{tries: make(map[string]int)}
	w := f.worker(t, t.TempDir())
	resolve, audit := w.Resolve, w.Audit
	w.Timeout = 20 * time.Millisecond
	w.Resolve = func(ctx context.Context, reference string, before fleet.Status) (Target, error) {
		if reference == "slow-1" {
			<-ctx.Done()
			return Target{}, &UnreadableError{ctx.Err()}
		}
		return resolve(ctx, reference, before)
	}
	w.Audit = func(ctx context.Context, target Target) ([]File, error) {
		files, err := audit(ctx, target)
		if target.Reference == "slow-2" {
			<-ctx.Done()
			return nil, &UnreadableError{errors.New("cut off in the middle")}
		}
		return files, err
	}
	for i := 1; i <= mostLost; i++ {
		tally, err := w.Run(t.Context(), imagesNamed("a-1", "slow-1", "slow-2"))
		passing := 2
		if i == mostLost {
			passing = 0
		}
		if err != nil || tally.Audited+tally.Known != 1 || tally.NotDone != 2 || tally.Passing != passing || f.tries["slow-2"] != i {
			t.Errorf("%d: %+v, %v, %v", i, tally, err, f.tries)
		}
		for _, name := range []string{"slow-1", "slow-2"} {
			if s := w.Folder.Status(name); s.State != fleet.NotDone || s.Again != (passing > 0) || s.Problem != "not done within the 20ms of --timeout" {
				t.Errorf("%+v", s)
			}
		}
	}
}

// What takes the place of a status makes room; where it cannot, that is an error of this
// place alone.
func TestNoPlace(t *testing.T) {
	f := &fake{tries: make(map[string]int)}
	w := f.worker(t, t.TempDir())
	if err := os.MkdirAll(filepath.Join(w.Folder.statusPath("a-1"), "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	if tally, err := w.Run(t.Context(), imagesNamed("a-1", "a-2")); err != nil || tally.Audited != 2 {
		t.Errorf("%+v, %v", tally, err)
	}
	if s := w.Folder.Status("a-1"); s.State != fleet.Done {
		t.Errorf("%+v", s)
	}
	var noPlace *PlaceError
	if err := replace(w.Folder.dir+"/.", "text"); !errors.As(err, &noPlace) || IsPassing(err) && !errors.Is(err, syscall.EBUSY) {
		t.Error(err)
	}
}

// An image at which one worker after the other ends is left out of a run, and named.
func TestLost(t *testing.T) {
	f := &fake{tries: make(map[string]int)}
	w := f.worker(t, t.TempDir())
	key := Key(fmt.Sprintf("sha256:%x", "a-1"), w.Options)
	if err := w.Folder.SetStatus(fleet.Status{Reference: "a-1", Key: key, State: fleet.Trying, Tries: 5, Lost: mostLost - 1}); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(w.Folder.statusPath("a-1"), time.Time{}, time.Now().Add(-2*silent)); err != nil {
		t.Fatal(err)
	}
	if tally, err := w.Run(t.Context(), imagesNamed("a-1")); err != nil || tally.NotDone != 1 || tally.Passing != 0 || len(f.order) != 0 {
		t.Errorf("%+v, %v", tally, err)
	}
	if tally, err := w.Run(t.Context(), imagesNamed("a-1")); err != nil || tally.Audited != 1 {
		t.Errorf("%+v, %v", tally, err)
	}
}

// Any number of workers may be at one image at a time: none of them counts the others
// among those that have ended.
func TestManyAtOne(t *testing.T) {
	dir, arrived, all := t.TempDir(), make(chan struct{}), make(chan struct{})
	const workers = 2 * mostLost
	var tallies [workers]Tally
	var group sync.WaitGroup
	for i := range workers {
		f := &fake{tries: make(map[string]int)}
		w := f.worker(t, dir)
		w.Name = fmt.Sprintf("host%d:1", i)
		audit := w.Audit
		w.Audit = func(ctx context.Context, target Target) ([]File, error) {
			arrived <- struct{}{}
			<-all
			return audit(ctx, target)
		}
		group.Go(func() {
			var err error
			if tallies[i], err = w.Run(t.Context(), imagesNamed("a-1")); err != nil {
				t.Error(err)
			}
			if tallies[i].Audited == 0 { // it never came to the image
				t.Errorf("worker %d: %+v", i, tallies[i])
				arrived <- struct{}{}
			}
		})
		<-arrived // one after the other, so that each sees the status of the one before
	}
	close(all)
	group.Wait()
}

// A worker has ended when its process on this host is no more, or when it was silent for
// long; while it is at an image it is heard of.
func TestIsLost(t *testing.T) {
	ended := exec.Command(os.Args[0], "-test.run=^$")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	f := &fake{tries: make(map[string]int)}
	w := f.worker(t, t.TempDir())
	w.Name = "here:" + fmt.Sprint(os.Getpid())
	r := &run{Worker: w}
	for _, test := range []struct {
		worker string
		state  fleet.State
		age    time.Duration
		want   bool
	}{
		{"here:" + fmt.Sprint(ended.Process.Pid), fleet.Trying, 0, true},
		{"here:" + fmt.Sprint(ended.Process.Pid), fleet.NotDone, 0, false},
		{"here:" + fmt.Sprint(os.Getppid()), fleet.Trying, 0, false},
		{"there:" + fmt.Sprint(ended.Process.Pid), fleet.Trying, 0, false},
		{"there:1", fleet.Trying, 2 * silent, true},
		{w.Name, fleet.Trying, 0, true},
		{"", fleet.Trying, 0, false},
	} {
		s := fleet.Status{Reference: "a-1", Worker: test.worker, State: test.state}
		if err := w.Folder.SetStatus(s); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(w.Folder.statusPath("a-1"), time.Time{}, time.Now().Add(-test.age)); err != nil {
			t.Fatal(err)
		}
		if got := r.isLost(s); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
	old := time.Now().Add(-2 * silent)
	if err := os.Chtimes(w.Folder.statusPath("a-1"), time.Time{}, old); err != nil {
		t.Fatal(err)
	}
	stop := w.Folder.beats(t.Context(), []string{"a-1"}, time.Millisecond)
	defer stop()
	for w.Folder.quiet("a-1") > silent {
		time.Sleep(time.Millisecond)
	}
}

// The plan that took longest the last time begins, those of one plan are done one after
// the other, and the others of a group when its first has ended.
func TestGroups(t *testing.T) {
	f := &fake{tries: make(map[string]int)}
	w := f.worker(t, t.TempDir())
	tally, err := w.Run(t.Context(), imagesNamed("a-1", "a-2", "b-1", "b-2", "b-3", "c"))
	if err != nil {
		t.Fatal(err)
	}
	s := w.Folder.Status("b-2")
	s.Rebuild = 3600
	if err := w.Folder.SetStatus(s); err != nil {
		t.Fatal(err)
	}
	var left atomic.Int32
	w.Options = strings.Repeat("1", 32)
	w.Group = func(target Target) (string, string) {
		group, _, ok := strings.Cut(target.Reference, "-")
		if !ok {
			return "", ""
		}
		return group, map[string]string{"b-2": "1", "b-1": "2", "b-3": "1"}[target.Reference]
	}
	w.Leave = func(Target) { left.Add(1) }
	f.order = nil
	if tally, err = w.Continue(t.Context(), tally); err != nil || tally.Audited != 6 {
		t.Errorf("%+v, %v", tally, err)
	}
	if want := []string{"b-2", "b-3", "a-1", "c", "b-1", "a-2"}; !slices.Equal(f.order, want) || left.Load() != 5 {
		t.Errorf("in the order %q, want %q; %d plans", f.order, want, left.Load())
	}
	f.order = nil
	w.Options, w.Jobs = strings.Repeat("2", 32), 4
	if tally, err = w.Continue(t.Context(), tally); err != nil || tally.Audited != 6 {
		t.Errorf("%d, %v", tally.Audited, err)
	}
	own, others := slices.Index(f.order, "b-1"), []int{slices.Index(f.order, "b-2"), slices.Index(f.order, "b-3")}
	if others[0] > others[1] || others[0] < own && own < others[1] {
		t.Errorf("in the order %q", f.order)
	}
}

// What was read is no end where it is to be built: a summary before that shows what is
// missing. What was built stays so when it is read again.
func TestFinally(t *testing.T) {
	f := &fake{tries: make(map[string]int)}
	w := f.worker(t, t.TempDir())
	options, finally := w.Options, strings.Repeat("1", 32)
	for n := range 2 {
		w.Options, w.Finally = options, finally
		tally, err := w.Run(t.Context(), imagesNamed("a"))
		if err != nil || tally.Audited+tally.Known != 1 || tally.NotDone+tally.Passing != 0 {
			t.Errorf("%+v, %v", tally, err)
		}
		s := w.Folder.Status("a")
		if n == 0 && (s.State != fleet.NotDone || !s.Again) || n == 1 && (s.State != fleet.Done || !strings.HasSuffix(s.Key, finally)) {
			t.Errorf("%d, when it was read: %+v", n, s)
		}
		w.Options, w.Finally = finally, ""
		tally, err = w.Continue(t.Context(), tally)
		if s := w.Folder.Status("a"); err != nil || tally.Audited+tally.Known != 1 || s.State != fleet.Done || s.Problem != "" || s.Again {
			t.Errorf("%d, when it was built: %+v, %+v, %v", n, s, tally, err)
		}
	}
	if f.tries["a"] != 2 {
		t.Errorf("%d tries", f.tries["a"])
	}
}

// What workers that were killed have left is removed by its age, and what others write now
// stays; a folder with anything else is none of a batch.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenFolder(dir); err != nil {
		t.Fatal(err)
	}
	old, young := filepath.Join(dir, fleet.ResultsFolder, partPrefix+"1"), filepath.Join(dir, fleet.StatusFolder, partPrefix+"2")
	for _, path := range []string{old, young} {
		if err := os.MkdirAll(filepath.Join(path, "x"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-2*stale)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFolder(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Error("what was left behind stays")
	}
	if _, err := os.Stat(young); err != nil {
		t.Error("what somebody writes is removed")
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "thesis.tex"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	var foreign *ForeignError
	if _, err := OpenFolder(other); !errors.As(err, &foreign) {
		t.Error(err)
	}
}

// A file that is the same by all that its file system knows is not read again; one that
// took its place is, though its name, its size and its time are the same.
func TestHashFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "image")
	put := func(text string) {
		t.Helper()
		fresh := path + ".new"
		if err := errors.Join(os.WriteFile(fresh, []byte(text), 0o666), os.Chtimes(fresh, time.Unix(1, 0), time.Unix(1, 0)), os.Rename(fresh, path)); err != nil {
			t.Fatal(err)
		}
	}
	put("one")
	first, err := HashFile(t.Context(), path, fleet.Status{})
	if err != nil {
		t.Fatal(err)
	}
	before := fleet.Status{File: first.File, Digest: "sha256:known", Began: time.Now().Add(time.Hour)}
	again, err := HashFile(t.Context(), path, before)
	if err != nil || runtime.GOOS == "linux" && again.Digest != before.Digest {
		t.Errorf("%+v, %v", again, err)
	}
	put("two")
	other, err := HashFile(t.Context(), path, before)
	if err != nil || other.Digest == before.Digest || other.Digest == first.Digest || other.File.Size != first.File.Size || !other.File.Modified.Equal(first.File.Modified) {
		t.Errorf("%+v, %v", other, err)
	}
}

// What a worker that was killed has left in a cache is removed by its age: whoever writes a
// blob does so all the time.
func TestSweepCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "[cache]")
	old, young, blob := filepath.Join(dir, "sha256", registry.PartPrefix+"1"), filepath.Join(dir, "sha256", registry.PartPrefix+"2"), filepath.Join(dir, "sha256", "aa")
	if err := os.MkdirAll(filepath.Dir(old), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{old, young, blob} {
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if path == young {
			continue
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-2*stale)); err != nil {
			t.Fatal(err)
		}
	}
	if err := SweepCache(dir); err != nil {
		t.Error(err)
	}
	if err := SweepCache(blob); err == nil {
		t.Error("a file is a cache")
	}
	left, err := os.ReadDir(filepath.Dir(old))
	if err != nil || len(left) != 2 || left[0].Name() != filepath.Base(young) {
		t.Errorf("%v, %v", left, err)
	}
}

// Room is made in a cache by removing what was not used for longest.
func TestTrim(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"new", "old", "middle"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, make([]byte, 100), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Unix(int64([]int{3, 1, 2}[i]), 0)); err != nil {
			t.Fatal(err)
		}
	}
	Trim(dir, 250)
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 || left[0].Name() != "middle" || left[1].Name() != "new" {
		t.Errorf("%v, %v", left, err)
	}
}
