package locks

import (
	"cmp"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/base"
	"audit/provenance/ospackages"
)

// An Archive is what an image says of the archive that its packages are from.
type Archive struct {
	Distribution string      // ID of os-release: "debian", "ubuntu"; "" when it is not known
	Sources      []AptSource // of apt, in the order of their files
	Merged       bool        // /bin is a link into /usr, of which one of two packages sees to it
	Again        string      // the command that makes the base image again; "" when it is not known
	Times        []Time      // that are known of it, the latest first
}

// An AptSource is one of apt's (sources.list(5)), with the parts that fit their grammar.
type AptSource struct {
	URI        string // without credentials
	Suites     []string
	Components []string
}

// A Time is one at which the archive had packages of the image.
type Time struct {
	At  time.Time
	How How
	By  string // the file, or the package and its version
}

// A How says what a time follows from.
type How string

// What times follow from.
const (
	BySources How = "sources" // a snapshot that apt's sources name
	ByEpoch   How = "epoch"   // the argument of the tool that made the base image, in the history
	ByRelease How = "release" // the date of apt's lists, which are in the image
	ByPackage How = "package" // the newest file of a package: the archive had it no earlier
)

func (t Time) stamp() string { return t.At.UTC().Format("20060102T150405Z") }

// snapshot is the time of a snapshot that has what the archive had then: a snapshot is
// made some hours after a release, and a package gets into the archive some time after
// it was built.
func (t Time) snapshot() time.Time {
	switch t.How {
	case ByRelease:
		return t.At.Add(6 * time.Hour)
	case ByPackage:
		return t.At.Add(24 * time.Hour)
	}
	return t.At
}

func (t Time) words() string {
	switch t.How {
	case BySources:
		return "which " + t.By + " names"
	case ByEpoch:
		return "which the history says the base image was made of"
	case ByRelease:
		return "the date of " + t.By
	}
	return "no earlier: that is the date of the newest file of " + t.By
}

const (
	aptSources = "etc/apt/sources.list"
	aptLists   = "var/lib/apt/lists"
)

func isAptSource(p string) bool {
	return p == aptSources || path.Dir(p) == aptSources+".d" && (path.Ext(p) == ".list" || path.Ext(p) == ".sources")
}

func isRelease(p string) bool {
	return path.Dir(p) == aptLists && (strings.HasSuffix(p, "_InRelease") || strings.HasSuffix(p, "_Release"))
}

// ReadArchive reads what an image says of the archive of its packages.
func ReadArchive(img *inspect.Image, in *ospackages.Installed) Archive {
	a := Archive{Distribution: in.Release.ID}
	root := img.Root()
	bin, _ := root.Name("bin")
	a.Merged = bin.Entry != nil && bin.Type == '2'
	names := []string{aptSources}
	if folder, parts, ok := root.Folder(aptSources + ".d"); ok {
		for _, part := range parts {
			names = append(names, path.Join(folder, part))
		}
	}
	for _, name := range names {
		if text, _, ok := root.Content(name); ok && isAptSource(name) {
			a.read(name, string(text))
		}
	}
	if folder, parts, ok := root.Folder(aptLists); ok {
		for _, part := range parts {
			if text, _, ok := root.Content(path.Join(folder, part)); ok && isRelease(path.Join(aptLists, part)) {
				a.release(part, string(text))
			}
		}
	}
	if epoch, _, ok := base.DebianEpoch(img); ok {
		a.Again = epoch.Command
		a.Times = append(a.Times, Time{At: epoch.At, How: ByEpoch})
	}
	if newest, ok := newestPackage(img, in); ok {
		a.Times = append(a.Times, newest)
	}
	slices.SortStableFunc(a.Times, func(a, b Time) int { return b.At.Compare(a.At) })
	return a
}

// snapshotted matches the address of a snapshot, as makers of images leave it in a
// comment.
var snapshotted = regexp.MustCompile(`https?://snapshot\.[a-z.]+/(?:archive/)?[a-z-]+/([0-9]{8}T[0-9]{6}Z)`)

// read reads a file of sources in either form.
func (a *Archive) read(name, text string) {
	for _, m := range snapshotted.FindAllStringSubmatch(text, 100) {
		at, err := time.Parse("20060102T150405Z", m[1])
		if err == nil && !slices.ContainsFunc(a.Times, func(t Time) bool { return t.At.Equal(at) }) {
			a.Times = append(a.Times, Time{At: at, How: BySources, By: name})
		}
	}
	if path.Ext(name) == ".sources" {
		for paragraph := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
			a.paragraph(paragraph)
		}
		return
	}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if rest = strings.TrimSpace(rest); strings.HasPrefix(rest, "[") {
			_, rest, _ = strings.Cut(rest, "]")
		}
		if words := strings.Fields(rest); kind == "deb" && len(words) >= 2 {
			a.add(words[:1], words[1:2], words[2:])
		}
	}
}

// paragraph reads one of a file in the form of deb822(5).
func (a *Archive) paragraph(text string) {
	fields := make(map[string][]string)
	var key string
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, " "), strings.HasPrefix(line, "\t"):
			fields[key] = append(fields[key], strings.Fields(line)...)
		default:
			var value string
			key, value, _ = strings.Cut(line, ":")
			key = strings.ToLower(key)
			fields[key] = strings.Fields(value)
		}
	}
	if slices.Contains(fields["types"], "deb") && !slices.Contains(fields["enabled"], "no") {
		a.add(fields["uris"], fields["suites"], fields["components"])
	}
}

// suiteName matches suites and components.
var suiteName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/+~-]*$`)

// maxSources bounds the sources that are taken.
const maxSources = 100

func (a *Archive) add(uris, suites, components []string) {
	valid := func(words []string) []string {
		return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !suiteName.MatchString(w) || len(w) > 100 })
	}
	for _, text := range uris {
		uri, ok := address(text)
		if ok && len(a.Sources) < maxSources && len(valid(suites)) > 0 {
			a.Sources = append(a.Sources, AptSource{uri, valid(suites), valid(components)})
		}
	}
}

// plainAddress matches an address without anything that a shell would read.
var plainAddress = regexp.MustCompile(`^(https?|file)://[A-Za-z0-9._~:/%+-]+$`)

// address is one of a repository, without credentials; false for what is none.
func address(text string) (string, bool) {
	u, err := url.Parse(text)
	if err != nil || len(text) > 500 {
		return "", false
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String(), plainAddress.MatchString(u.String())
}

// release takes the date of a Release file (deb822; RFC 5322 date).
func (a *Archive) release(name, text string) {
	for line := range strings.Lines(text[:min(len(text), 4096)]) {
		value, ok := strings.CutPrefix(line, "Date:")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		at, err := time.Parse(time.RFC1123, value)
		if err != nil {
			at, err = time.Parse("Mon, _2 Jan 2006 15:04:05 MST", value)
		}
		if err == nil {
			a.Times = append(a.Times, Time{At: at.UTC(), How: ByRelease, By: path.Join(aptLists, name)})
		}
		return
	}
}

// Suites are those of all sources, the first first.
func (a Archive) Suites() []string {
	var all []string
	for _, s := range a.Sources {
		for _, suite := range s.Suites {
			if !slices.Contains(all, suite) {
				all = append(all, suite)
			}
		}
	}
	return all
}

// Snapshot is the address of the archive as it was at the latest time that is known of
// it, "" where no time is, or nobody keeps snapshots.
func (a Archive) Snapshot() string { return a.snapshotOf("") }

// snapshotOf is that of the archive which has a suite.
func (a Archive) snapshotOf(suite string) string {
	if len(a.Times) == 0 {
		return ""
	}
	latest := slices.MaxFunc(a.Times, func(a, b Time) int { return a.snapshot().Compare(b.snapshot()) })
	stamp := latest.snapshot().UTC().Format("20060102T150405Z")
	switch a.Distribution {
	case "debian":
		archive := "debian"
		if strings.HasSuffix(suite, "-security") || strings.HasSuffix(suite, "/updates") {
			archive = "debian-security"
		}
		return "http://snapshot.debian.org/archive/" + archive + "/" + stamp + "/"
	case "ubuntu":
		return "http://snapshot.ubuntu.com/ubuntu/" + stamp + "/"
	}
	return ""
}

// maxTime is the end of the year 9999.
const maxTime = 253402300799

// newestPackage finds the package whose files are the newest. Files that scripts make
// and configuration are not counted: they have the date of the installation. A date is
// that of the package's changelog where it was built reproducibly.
func newestPackage(img *inspect.Image, in *ospackages.Installed) (newest Time, ok bool) {
	var best *inspect.Entry
	for _, l := range img.Layers {
		for index, e := range l.Entries {
			if e.Type != '0' || e.ModTime > maxTime || best != nil && cmp.Compare(e.ModTime, best.ModTime) <= 0 {
				continue
			}
			if found := in.Compare(l.Index, index); found.Standing == ospackages.OwnRecord {
				best = e
				name := found.Package
				if p, _ := in.Owner(e.Path); p != nil {
					name = p.Name + " " + p.Version
				}
				newest = Time{At: time.Unix(e.ModTime, 0).UTC(), How: ByPackage, By: strconv.QuoteToASCII(check.Clip(name))}
			}
		}
	}
	return newest, best != nil && best.ModTime > 0
}
