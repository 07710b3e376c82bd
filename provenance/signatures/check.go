// Package signatures makes the check of that name: did parties that are trusted
// sign the bytes of each store item of an image?
//
// A build farm publishes for each store item that it built a narinfo, a short
// signed text that states the SHA-256 of the item's NAR, its size and its
// references. [Check] asks substitute servers for the narinfo of each item of
// an image, by the hash in its store path, verifies the signature against keys
// that the caller trusts, and compares what was signed with what was found in
// the image. It is what guix challenge does, for an image and with signatures,
// without Guix. Whoever signs is an operator with one voice, whatever the number
// of its keys; how many must have signed is for the caller to say.
//
// Several formats of signatures are known (see formats), whatever server they come
// from.
//
// A server is trusted with nothing: it is a way to get at signatures. One that
// lies, hangs, floods or is broken can make the check unknown and can make it
// neither pass nor fail. Only this package talks to substitute servers, and it
// does so sparingly: few requests at a time, a pause between them, three tries,
// an end after several failures in a row, each request with a deadline. A public
// server cannot redirect it into the network of this machine.
//
// Farms have what they built, which is packages. What is made for the image, such
// as the union of its packages, no farm can know: such an item needs no signature
// where it was proved that its content follows from other items, and is not
// covered otherwise, whatever it is called.
package signatures

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"audit/inspect"
	"audit/inspect/check"
)

// Options say whom to ask and whom to trust.
type Options struct {
	// Servers are addresses as [CheckServer] takes them.
	Servers []string
	// Keys are trusted to say what a store item is.
	Keys []Key
	// Terms are what the answers are judged by.
	Terms Terms
	// CacheDir keeps verified answers of web servers from run to run; ""
	// keeps none.
	CacheDir string
	// MaxAge is how long an answer is kept; 0 means 30 days.
	MaxAge time.Duration
	// Client is what web servers are asked with; nil means one of our own.
	// Its rule for redirects is replaced.
	Client *http.Client
	// Timeout bounds the whole check, 0 means 10 minutes, and RequestTimeout a
	// single request, 0 means 10 seconds.
	Timeout, RequestTimeout time.Duration
	// Parallel is how many requests a server gets at a time; 0 means 4.
	Parallel int
	// Progress, when set, is called after each answer, one call at a time,
	// with the number of answers so far and of those expected.
	Progress func(done, total int)
}

func (opt Options) withDefaults() Options {
	orDefault(&opt.MaxAge, 30*24*time.Hour)
	orDefault(&opt.Timeout, 10*time.Minute)
	orDefault(&opt.RequestTimeout, 10*time.Second)
	orDefault(&opt.Parallel, 4)
	if opt.Progress == nil {
		opt.Progress = func(int, int) {}
	}
	return opt
}

func orDefault[T int | time.Duration](v *T, value T) {
	if *v <= 0 {
		*v = value
	}
}

var errTimeout = errors.New("the time for asking was over")

// Check asks every server about every item and concludes. The outcomes are
// sorted by path, then in the order of the servers.
//
// It is [check.Pass] when enough operators signed the NAR hash found here of every
// item that needs it, at least one, and none signed another; [check.Fail] when a
// trusted key signed another NAR hash of any item; else [check.Unknown], and
// [check.Skipped] without servers. When ctx ends, what was not asked until then is
// Unreachable.
func Check(ctx context.Context, items []inspect.StoreItem, opt Options) (check.Check, []Outcome) {
	if len(opt.Servers) == 0 {
		return check.Skip(check.Signatures, "signatures/not-asked"), nil
	}
	opt = opt.withDefaults()
	ctx, cancel := context.WithTimeoutCause(ctx, opt.Timeout, errTimeout)
	defer cancel()
	r := newRun(sorted(items), opt)
	r.askAll(ctx)
	c := Conclude(items, r.outcomes, opt.Terms)
	if r.cacheErr != nil {
		c.Findings = append(c.Findings, check.Find(check.Note, -1, "", "signatures/cache", "error", plain(r.cacheErr)))
	}
	return c, r.outcomes
}

// A run asks all servers about all items.
type run struct {
	opt     Options
	items   []inspect.StoreItem
	servers []*server
	client  *http.Client

	outcomes []Outcome // of item i by server j: number i·len(servers)+j

	mu       sync.Mutex
	done     int
	cacheErr error // the first one
}

func newRun(items []inspect.StoreItem, opt Options) *run {
	r := &run{opt: opt, items: items, client: newClient(opt.Client, opt.Parallel)}
	for _, address := range opt.Servers {
		r.servers = append(r.servers, newServer(address, r.client, opt))
	}
	r.outcomes = make([]Outcome, len(items)*len(r.servers))
	return r
}

// askAll asks the servers side by side.
func (r *run) askAll(ctx context.Context) {
	var wg sync.WaitGroup
	for j, s := range r.servers {
		next := make(chan int)
		for range r.opt.Parallel {
			wg.Go(func() {
				for i := range next {
					o, err := s.ask(ctx, r.items[i])
					r.record(i*len(r.servers)+j, o, err)
				}
			})
		}
		wg.Go(func() {
			defer close(next)
			for i := range r.items {
				next <- i
			}
		})
	}
	wg.Wait()
	if r.opt.Client == nil {
		r.client.CloseIdleConnections()
	}
}

func (r *run) record(at int, o Outcome, cacheErr error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes[at] = o
	if r.cacheErr == nil {
		r.cacheErr = cacheErr
	}
	r.done++
	r.opt.Progress(r.done, len(r.outcomes))
}

// A server answers for one of Options.Servers.
type server struct {
	name   string // its address, without a password
	source source
	keys   []Key
	cache  *cache // nil for none
}

func newServer(address string, client *http.Client, opt Options) *server {
	s := &server{keys: opt.Keys}
	u, err := parseServer(address)
	if err != nil {
		s.name = address[strings.LastIndexByte(address, '@')+1:]
		s.source = refused{err}
		return s
	}
	s.name = strings.TrimSuffix(u.Redacted(), "/")
	if u.Scheme == "file" {
		s.source = folder(u.Path)
		return s
	}
	s.source = &website{base: u, client: client, timeout: opt.RequestTimeout}
	if opt.CacheDir != "" {
		s.cache = &cache{opt.CacheDir, opt.MaxAge}
	}
	return s
}

// ask asks about one item. The error is that of keeping the answer.
func (s *server) ask(ctx context.Context, item inspect.StoreItem) (Outcome, error) {
	o := about(item, s.name)
	switch {
	case !isStorePath(item.Path):
		o.Why = check.Say("answer/no-store-path")
		return o, nil
	case item.NarHash.Hex == "":
		o.Why = check.Say("answer/no-nar-hash", "problem", item.Problem)
		return o, nil
	}
	hash := itemHash(item.Path)
	if s.cache != nil {
		if kept := judge(o, item, s.cache.recall(hash, s.name), s.keys); kept.isProof() {
			return kept, nil
		}
	}
	text, err := s.source.get(ctx, hash+".narinfo")
	switch {
	case err == errAbsent:
		return o, nil
	case errors.Is(err, errAbsent):
		o.Why = check.Say("answer/forbidden")
		return o, nil
	case err != nil:
		o.Word, o.Why = Unreachable, noAnswer(err)
		return o, nil
	}
	o = judge(o, item, text, s.keys)
	if s.cache != nil && o.isProof() {
		err = s.cache.keep(hash, s.name, text)
	}
	return o, err
}

// noAnswer says why a server gave no answer.
func noAnswer(err error) check.Message {
	if up, ok := errors.AsType[*givenUpError](err); ok {
		return check.Say("answer/given-up", "requests", giveUp, "last", noAnswer(up.last))
	}
	if status, ok := errors.AsType[statusError](err); ok {
		return check.Say("answer/http-status", "status", int(status), "text", http.StatusText(int(status)))
	}
	if slow, ok := errors.AsType[*slowError](err); ok {
		return check.Say("answer/slow", "limit", slow.limit)
	}
	if errors.Is(err, errTimeout) {
		return check.Say("answer/time-over")
	}
	return check.Say("answer/error", "error", err)
}

// isProof says whether a trusted key has spoken.
func (o Outcome) isProof() bool { return o.Word == Signed || o.Word == Differs }

// itemHash returns the 32 characters that a store path of the form
// /STORE/HASH-NAME begins its name with.
func itemHash(path string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	hash, _, _ := strings.Cut(name, "-")
	return hash
}
