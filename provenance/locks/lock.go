package locks

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/ospackages"
	"audit/provenance/records"
	"audit/provenance/vouch"
)

// A Lock is the file of one ecosystem.
type Lock struct {
	File    provenance.File
	Entries int      // packages that are in it
	LeftOut []string // packages that its grammar does not allow, quoted: the first of them
	More    int      // of these, how many are not listed

	titles     []string // of the packages and components that are in it
	local      []string // those that were installed from a folder or file where the image was built: left out, too
	sourceless []string // names and versions of those that do not say where they are from
}

// An ecosystem writes the locks of one kind of package, none where the image has none of
// its packages.
type ecosystem func(Source) []*Lock

// A Source is what locks are made of.
type Source struct {
	Image     *inspect.Image
	Installed *ospackages.Installed
	Records   *records.All
	// BaseLayers are the lowest layers whose files are those of a base image that is
	// known, so that they are not the image's own.
	BaseLayers int
}

// ecosystems are all, in the order of their files. This is the one list: a new one is a
// line here.
func ecosystems() []ecosystem {
	return []ecosystem{aptLock, apkLock, rpmLock, condaLocks, pythonLocks, rLocks, spackLocks, easybuildLock, npmLock}
}

// Keep says whether this package needs the content of the file at a path.
func Keep(path string) bool { return isAptSource(path) || isRelease(path) || path == apkRepositories }

// A Recipe is what locks say of an image.
type Recipe struct {
	Locks []Lock
	Share provenance.Share
	// Findings are of the check named recipe.
	Findings []check.Finding

	own    ownFiles
	source Source
}

// Read writes the locks of an image, which must have been opened with [Keep].
func Read(s Source) *Recipe {
	r := &Recipe{source: s}
	var found check.List
	for _, write := range ecosystems() {
		for _, lock := range write(s) {
			r.Locks = append(r.Locks, *lock)
			found.Append(check.Find(check.Note, -1, lock.File.Name, "recipe/lock", "packages", lock.Entries))
			if n := len(lock.LeftOut) + lock.More; n > 0 {
				found.Undecided(-1, lock.File.Name, "recipe/lock-left-out", "packages", n, "names", lock.LeftOut[:min(len(lock.LeftOut), 3)])
			}
			if names, beyond := vouch.Some(lock.local); len(names) > 0 {
				found.Undecided(-1, lock.File.Name, "recipe/lock-local", "packages", len(lock.local), "names", names, "beyond", beyond)
			}
			if names, beyond := vouch.Some(lock.sourceless); len(names) > 0 {
				found.Undecided(-1, lock.File.Name, "recipe/lock-source-unknown", "packages", len(lock.sourceless), "names", names, "beyond", beyond)
			}
		}
	}
	r.measure(nil)
	found.Append(check.Finding{Message: r.Share.Message(), Level: check.Note, Layer: -1})
	r.Findings = found.All()
	return r
}

// Hear measures again, with what is known of files from signed packages. What scripts make
// of these comes of installing them again, and what nobody vouches for does not.
func (r *Recipe) Hear(words *vouch.Table) {
	before := r.Share.Message()
	r.own, r.Share = ownFiles{}, provenance.Share{}
	r.measure(words)
	for i, f := range r.Findings {
		if f.Code == before.Code {
			r.Findings[i].Message = r.Share.Message()
		}
	}
}

// Files are the locks, and the list of the files of one's own.
func (r *Recipe) Files() []provenance.File {
	var files []provenance.File
	for _, l := range r.Locks {
		files = append(files, l.File)
	}
	return append(files, r.ownFiles())
}

// Packages counts those in all locks.
func (r *Recipe) Packages() (n int) {
	for _, l := range r.Locks {
		n += l.Entries
	}
	return n
}

// maxLeftOut bounds how many packages that are left out of a lock are named in it.
const maxLeftOut = 50

// A writer writes a lock. All of its text is its caller's own, or was checked: comments
// are escaped, and entries must fit a grammar.
type writer struct {
	name       string // of the file
	head, body strings.Builder
	lock       Lock
	known      map[string]bool
	document   string // in place of comments and entries, for a format that has no comments
}

// comment writes a line that is none of the lock's entries. Arguments that are texts of
// the image are to be written with %q, or checked.
func (w *writer) comment(format string, args ...any) {
	w.head.WriteString("# " + plain(fmt.Sprintf(format, args...)) + "\n")
}

// plain is a text on one line without what a terminal would obey.
func plain(text string) string {
	return strings.ReplaceAll(check.Printable(text), "\n", " ")
}

// entry adds a line, once.
func (w *writer) entry(line string) {
	if w.known[line] {
		return
	}
	if w.known == nil {
		w.known = make(map[string]bool)
	}
	w.known[line] = true
	w.lock.Entries++
	w.body.WriteString(line + "\n")
}

// installed adds an entry of a package that a package manager has installed.
func (w *writer) installed(p *ospackages.Package, line string) {
	w.entry(line)
	w.lock.titles = append(w.lock.titles, titleOf(p))
}

// leaveOut names what does not fit the grammar.
func (w *writer) leaveOut(words ...string) {
	if len(w.lock.LeftOut) == maxLeftOut {
		w.lock.More++
		return
	}
	for i, word := range words {
		words[i] = strconv.QuoteToASCII(check.Clip(strings.ToValidUTF8(word, "\uFFFD")))
	}
	w.lock.LeftOut = append(w.lock.LeftOut, strings.Join(words, " "))
}

// isLocal names a package that was not from an index in a comment, and says that it was
// none: who takes one of its name from an index gets what somebody else has put there.
func (w *writer) isLocal(c records.Component) bool {
	if c.Origin != records.Local {
		return false
	}
	w.lock.local = append(w.lock.local, check.Brief(c.Name+" "+c.Version))
	return true
}

// finish puts the lock together.
func (w *writer) finish() *Lock {
	for _, left := range w.lock.LeftOut {
		w.comment("left out, since its name, version or address is none of the format: %s", left)
	}
	for _, name := range w.lock.local[:min(len(w.lock.local), maxLeftOut)] {
		w.comment("left out, since it is from a folder, a file or a repository that others cannot fetch, and what an index has under this name may be another: %s", strconv.QuoteToASCII(name))
	}
	if more := len(w.lock.local) - maxLeftOut; more > 0 {
		w.comment("left out likewise: %d more", more)
	}
	if w.lock.More > 0 {
		w.comment("left out: %d more", w.lock.More)
	}
	text := w.head.String() + w.body.String()
	if w.document != "" {
		text = w.document
	}
	w.lock.File = provenance.File{Name: w.name, Text: []byte(text)}
	return &w.lock
}

// jsonOf is a value as a JSON document.
func jsonOf(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return "" // only of values that are none of ours
	}
	return b.String()
}

// of are the packages of a manager.
func of(in *ospackages.Installed, m ospackages.Manager) []ospackages.Package {
	return slices.DeleteFunc(slices.Clone(in.Packages), func(p ospackages.Package) bool { return p.Manager != m })
}

// begin writes what each lock of a package manager begins with.
func (w *writer) begin(in *ospackages.Installed, m ospackages.Manager, name, form string) {
	w.name = name
	w.comment("%s: %s, one a line, of %s", name, form, distribution(in.Release))
	for _, d := range in.Databases {
		if d.Manager == m && d.Packages > 0 {
			w.comment("as %s (layer %d) has them, which nobody signs", strconv.QuoteToASCII(check.Brief(d.Path)), d.Layer)
			return // of Distroless there is one for each package
		}
	}
}

// distribution names one for people.
func distribution(r ospackages.Release) string {
	if name := check.Brief(r.Name + r.ID); name == "" {
		return "a distribution that does not name itself"
	}
	if r.Name != "" {
		return check.Brief(r.Name)
	}
	return check.Brief(r.ID + " " + r.Version)
}
