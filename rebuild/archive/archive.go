// Package archive asks where sources are still to be had: in the archive of Software
// Heritage (or another server with its API), at build farms and in the Disarchive
// database, and at their own addresses.
//
// A source is asked for by what it is: the SHA-256 of a file, the NAR hash of a folder
// (an ExtID of the archive), the hash of a commit; only for a tag by its origin, which
// shows less. Questions are few: one archive that has it is enough. Nobody is asked
// unasked. A server is trusted with nothing: what it says changes no check to a pass or
// a fail. One that does not answer, or answers that it was asked too often (429, or
// X-RateLimit-Remaining: 0), is asked no more in this run, and what it was not asked is
// [Unknown]. So is what was answered with something else than was asked for: a page for
// people, or the record of another thing.
//
// The API is that of https://archive.softwareheritage.org/api/1/ (swh-web, endpoints
// content, extid, known and origin). guix publish serves /file/NAME/sha256/HASH, of
// which only the beginning of the answer is seen: that the file has the hash is what
// the farm says.
package archive

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// A State says what is known of where a source is still to be had. The zero value is
// NotAsked.
type State string

// The states, the best first.
const (
	NotAsked State = ""
	// Archived says that an archive or a farm says to have the very content, by its
	// hash; or the commit, of a question that has no hash.
	Archived State = "archived"
	// Commit says that an archive has the commit by which the source is fetched. That
	// what is fetched by it has the hash is not known.
	Commit  State = "commit"
	Origin  State = "origin"  // an archive has its repository; whether with this revision is not known
	Address State = "address" // no archive has it, and one of its own addresses answers
	Gone    State = "gone"    // no archive has it, and its own addresses, or their names, are no more
	// NotArchived says that no archive has it; its own addresses were not asked, or
	// cannot be.
	NotArchived State = "not-archived"
	Unknown     State = "unknown" // somebody who could have it did not answer
)

// A Question is a source that is asked for.
type Question struct {
	Name      string   // of the store item, as farms know it
	Algorithm string   // of Hash
	Hash      string   // in hexadecimal
	Recursive bool     // it is that of a NAR
	Commit    string   // of git; "" when there is none
	Origins   []string // addresses of repositories
	SWHID     string   // of its content; "" when it is not known
	Files     []string // addresses of the file, with http or https
	Whole     bool     // it has no other addresses
	Databases []string // of Disarchive, that the derivation names
}

// An Answer is where a source is to be had.
type Answer struct {
	State State
	Where string // address of the archive's answer, or of the source itself; "" for none
	Day   string // of the answer, "2006-01-02"; "" where nobody answered
}

// Software Heritage's own address.
const SoftwareHeritage = "https://archive.softwareheritage.org/api/1/"

// Options say whom to ask.
type Options struct {
	API       []string // servers with the API of Software Heritage
	Farms     []string // build farms, by their addresses
	Addresses bool     // ask Disarchive and the addresses of the sources, too
	// Now is the time of the run.
	Now time.Time
	// CacheDir keeps answers from run to run; "" keeps none.
	CacheDir string
	// Client is what servers are asked with; nil means one of our own. Its rule for
	// redirects is replaced.
	Client *http.Client
	// Timeout bounds all, 0 means 10 minutes, and RequestTimeout a single request,
	// 0 means 20 seconds.
	Timeout, RequestTimeout time.Duration
	// Progress, when set, is called after each source, one call at a time.
	Progress func(done, total int)
}

// parallel is how many sources are asked for at a time.
const parallel = 4

// Ask asks for each source, and returns an answer for each, in their order. When ctx
// ends, what was not asked until then is Unknown.
func Ask(ctx context.Context, questions []Question, opt Options) []Answer {
	if opt.Timeout <= 0 {
		opt.Timeout = 10 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, opt.Timeout)
	defer cancel()
	a := newAsker(opt)
	a.known(ctx, questions)
	answers := make([]Answer, len(questions))
	next := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range parallel {
		wg.Go(func() {
			for i := range next {
				answers[i] = a.ask(ctx, questions[i])
				mu.Lock()
				if done++; opt.Progress != nil {
					opt.Progress(done, len(questions))
				}
				mu.Unlock()
			}
		})
	}
	for i := range questions {
		next <- i
	}
	close(next)
	wg.Wait()
	return answers
}
