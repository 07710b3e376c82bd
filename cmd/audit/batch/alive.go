package batch

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"audit/report/fleet"
)

// A worker that is at an image touches its status each beat. One that was silent for
// long has ended: the time allows for file systems that show another machine's changes
// a minute late.
const (
	beat   = 30 * time.Second
	silent = 5 * time.Minute
)

// touch notes that somebody is still at a reference. A status that another user has
// written cannot be touched: who wrote it does.
func (f *Folder) touch(reference string) {
	os.Chtimes(f.statusPath(reference), time.Time{}, time.Now().Add(f.ahead))
}

// quiet is for how long the status of a reference was neither written nor touched.
func (f *Folder) quiet(reference string) time.Duration {
	info, err := os.Lstat(f.statusPath(reference))
	if err != nil {
		return 0
	}
	return time.Now().Add(f.ahead).Sub(info.ModTime())
}

// beats touches the status of each reference at every so often, until stop is called.
func (f *Folder) beats(ctx context.Context, references []string, every time.Duration) (stop func()) {
	ctx, stop = context.WithCancel(ctx)
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			for _, reference := range references {
				f.touch(reference)
			}
		}
	}()
	return stop
}

// isLost says of the status that a try began with that its worker has ended before the
// try did. Another worker at the same image is none such: it has a process here, or is
// heard of.
func (r *run) isLost(s fleet.Status) bool {
	if s.State != fleet.Trying {
		return false
	}
	return isGone(s.Worker, r.Name) || r.Folder.quiet(s.Reference) > silent
}

// isGone says of a worker, named HOST:PROCESS, that it was on the host of another, own,
// and its process is no more. The first process of a container that was started again
// has the name of the one before it.
func isGone(name, own string) bool {
	host, process, ok := cutLast(name)
	ownHost, _, named := cutLast(own)
	if !ok || !named || host == "" || host != ownHost {
		return false
	}
	if name == own {
		return true
	}
	pid, err := strconv.Atoi(process)
	if err != nil || pid < 1 {
		return false
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return false // where a process is not found before it is asked for, its age decides
	}
	defer p.Release()
	return errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

func cutLast(name string) (host, process string, ok bool) {
	i := strings.LastIndexByte(name, ':')
	if i < 0 {
		return "", "", false
	}
	return name[:i], name[i+1:], true
}
