package guix

import (
	"net/url"
	"path"
	"strings"

	"audit/inspect"
)

// said is what Guix has said about the store while it worked, gathered line by
// line (Guix 1.5, guix/status.scm, print-build-event).
type said struct {
	built   map[string]bool   // derivations, by .drv file
	fetched map[string]string // server of each substitute, by base name of the item
	kept    []string          // folders of builds, kept because they failed or differed
}

func newSaid() *said {
	return &said{built: make(map[string]bool), fetched: make(map[string]string)}
}

// Write takes one line.
func (s *said) Write(p []byte) (int, error) {
	line := strings.TrimSpace(string(p))
	if _, drv, ok := strings.Cut(line, "successfully built /"); ok { // after what the build wrote, if that had no newline
		s.built["/"+drv] = true
	}
	if item, ok := between(line, "substituting ", "..."); ok {
		s.fetched[path.Base(item)] = ""
	}
	if item, ok := between(line, "substitution of ", " failed"); ok {
		delete(s.fetched, path.Base(item))
	}
	if address, ok := between(line, "downloading from ", " ..."); ok {
		s.download(address)
	}
	if folder, ok := between(line, "note: keeping build directory `", "'"); ok {
		s.kept = append(s.kept, folder)
	}
	return len(p), nil
}

// download takes the address of a download. That of a substitute ends with the
// base name of its store item; the others are sources.
func (s *said) download(address string) {
	u, err := url.Parse(address)
	if err != nil {
		return
	}
	if base := path.Base(u.Path); inspect.IsStoreName(base) {
		s.fetched[base] = u.Scheme + "://" + u.Host
	}
}

func between(line, before, after string) (string, bool) {
	rest, ok := strings.CutPrefix(line, before)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, after)
}
