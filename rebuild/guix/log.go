package guix

import (
	"net/url"
	"path"
	"strings"

	"audit/inspect/store"
)

// A buildLog is what Guix writes about the store while it works, gathered line by
// line (Guix 1.5, guix/status.scm, print-build-event).
type buildLog struct {
	built   map[string]bool   // derivations, by .drv file
	fetched map[string]string // server of each substitute, by base name of the item
	kept    []string          // folders of builds, kept because they failed or differed
}

func newBuildLog() *buildLog {
	return &buildLog{built: make(map[string]bool), fetched: make(map[string]string)}
}

// Write takes one line.
func (l *buildLog) Write(p []byte) (int, error) {
	line := strings.TrimSpace(string(p))
	if _, drv, ok := strings.Cut(line, "successfully built /"); ok { // after what the build wrote, if that had no newline
		l.built["/"+drv] = true
	}
	if item, ok := between(line, "substituting ", "..."); ok {
		l.fetched[path.Base(item)] = ""
	}
	if item, ok := between(line, "substitution of ", " failed"); ok {
		delete(l.fetched, path.Base(item))
	}
	if address, ok := between(line, "downloading from ", " ..."); ok {
		l.download(address)
	}
	if folder, ok := between(line, "note: keeping build directory `", "'"); ok {
		l.kept = append(l.kept, folder)
	}
	return len(p), nil
}

// download takes the address of a download. That of a substitute ends with the
// base name of its store item; the others are sources.
func (l *buildLog) download(address string) {
	u, err := url.Parse(address)
	if err != nil {
		return
	}
	if base := path.Base(u.Path); store.IsStoreName(base) {
		l.fetched[base] = u.Scheme + "://" + u.Host
	}
}

func between(line, before, after string) (string, bool) {
	rest, ok := strings.CutPrefix(line, before)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, after)
}
