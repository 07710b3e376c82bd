package rebuilders

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"audit/inspect/check"
	"audit/provenance/vouch"
)

// Options say whom to ask and whom to trust.
type Options struct {
	Servers []string // addresses as [CheckServer] takes them
	Keys    []Key
	AtLeast int // operators that must have built a package again; 0 means 1
	// Client is what servers are asked with; nil means one of our own.
	Client *http.Client
	// Timeout bounds the whole; 0 means 10 minutes.
	Timeout time.Duration
	// Progress, when set, is called after each answer, one call at a time, with the
	// number of answers so far and of those expected.
	Progress func(done, total int)
}

var errTimeout = errors.New("the time for asking was over")

// Check asks about packages that were verified, and makes the words on their files
// stronger where enough operators have built them again. The findings are notes, and
// undecided where a server did not answer or contradicts what was verified: no rebuilder
// makes an image worse.
func Check(ctx context.Context, t *vouch.Table, archives []vouch.Archive, opt Options) (findings []check.Finding, keys []vouch.Key) {
	archives = slices.Clone(archives)
	slices.SortFunc(archives, func(a, b vouch.Archive) int {
		return cmp.Or(strings.Compare(a.By, b.By), strings.Compare(a.Arch, b.Arch))
	})
	answers := ask(ctx, archives, opt)
	c := &conclusion{archives: archives, by: make([][]Key, len(archives)), keys: opt.Keys}
	for _, a := range answers {
		c.add(a)
	}
	c.apply(t, max(opt.AtLeast, 1))
	c.say()
	return c.list.Sorted(), c.used()
}

// An answer is what a server said of all packages.
type answer struct {
	server string
	about  []outcome // of each package
}

// An outcome is what a server said of one package.
type outcome struct {
	keys    []Key  // of a verified attestation over its digest
	status  string // the strongest that is not signed: GOOD before BAD; "" for none
	differs bool   // a verified attestation has another digest of a file of its name
	bad     error  // of an attestation that does not count
	err     error  // of a question without an answer
}

// ask asks all servers, side by side.
func ask(ctx context.Context, archives []vouch.Archive, opt Options) []answer {
	timeout := cmp.Or(opt.Timeout, 10*time.Minute)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errTimeout)
	defer cancel()
	answers := make([]answer, len(opt.Servers))
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for i, address := range opt.Servers {
		answers[i].about = make([]outcome, len(archives))
		s, err := newServer(address, opt.Client)
		if err != nil {
			continue // the user was told so
		}
		answers[i].server = s.String()
		wg.Go(func() {
			for j, a := range archives {
				answers[i].about[j] = s.about(ctx, a, opt.Keys)
				mu.Lock()
				if done++; opt.Progress != nil {
					opt.Progress(done, len(archives)*len(opt.Servers))
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return answers
}

// about asks about one package.
func (s *server) about(ctx context.Context, a vouch.Archive, keys []Key) (o outcome) {
	records, err := s.records(ctx, a)
	if err != nil {
		return outcome{err: err}
	}
	asked := 0
	for _, r := range records {
		if r.status == good || o.status == "" {
			o.status = r.status
		}
		if r.link == "" || asked == maxAsked {
			continue
		}
		asked++
		text, err := s.get(ctx, r.link, nil, maxLink)
		if errors.Is(err, errAbsent) {
			continue
		}
		if err != nil {
			o.err = err
			return o
		}
		o.take(text, a, keys)
	}
	return o
}

const (
	good = "GOOD"
	bad  = "BAD"
)

// take judges an attestation. One may be of another file of the same build, which says
// nothing of this.
func (o *outcome) take(text []byte, a vouch.Archive, keys []Key) {
	link, err := verify(text, keys)
	if err != nil {
		o.bad = err
		return
	}
	want := hex.EncodeToString(a.Sum[:])
	for name, sum := range link.products {
		switch {
		case sum == want:
			o.keys = append(o.keys, link.keys...)
			return
		case isFileOf(name, a):
			o.differs = true
		}
	}
}

// isFileOf says whether a file is called as that of a package is: NAME_VERSION_ARCH.deb,
// without the epoch.
func isFileOf(file string, a vouch.Archive) bool {
	_, version, ok := strings.Cut(a.Version, ":")
	if !ok {
		version = a.Version
	}
	return strings.HasPrefix(file, a.Name+"_"+version+"_"+a.Arch+".")
}
