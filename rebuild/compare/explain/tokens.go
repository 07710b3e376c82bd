package explain

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A finder knows how one form of date, path or host name is written.
type finder struct {
	reason Reason
	form   *regexp.Regexp // its first group, if it has one, is the token
	alone  string         // characters that may not stand right before or after it
	sight  int            // how far before and after a place it is looked for, in bytes
	// near says whether two tokens may be the same thing of two builds; nil for any.
	near func(a, b string) bool
}

// A token is a place where such a thing stands.
type token struct {
	from, to int
	*finder
}

// How far a date can reach, and a path.
const (
	dateSight = 64
	pathSight = 512
)

// find returns the tokens that hold the byte at a place, or end right before it.
func find(finders []finder, data []byte, at int) []token {
	var found []token
	for i := range finders {
		f := &finders[i]
		start := max(0, at-f.sight)
		window := data[start:min(len(data), at+f.sight)]
		for _, m := range f.form.FindAllSubmatchIndex(window, -1) {
			from, to := m[len(m)-2], m[len(m)-1]
			if from < 0 || start+from > at || start+to < at || from == to {
				continue
			}
			if before, after := beside(window, from-1), beside(window, to); !strings.Contains(f.alone, before) || before == "" {
				if !strings.Contains(f.alone, after) || after == "" {
					found = append(found, token{start + from, start + to, f})
				}
			}
		}
	}
	return found
}

func beside(data []byte, at int) string {
	if at < 0 || at >= len(data) {
		return ""
	}
	return string(data[at : at+1])
}

const (
	digits  = "0123456789"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// newFinders returns the forms of dates, of the folders in which programs are
// built, of host names and of store paths.
func newFinders() []finder {
	var list []finder
	for _, form := range dates {
		list = append(list, finder{Date, dateForm(form), digits + letters, dateSight, nil})
	}
	return append(list,
		finder{Date, dateForm(dotted), digits + letters + ".", dateSight, nil},
		finder{Date, dateForm(copyright), digits + letters, dateSight, nil},
		finder{Date, regexp.MustCompile(clock), digits + ":", dateSight, nil},
		finder{Date, regexp.MustCompile(`SOURCE_DATE_EPOCH["']?[ \t]*[:=]?[ \t]*["']?(` + epoch + `)`), digits + letters + "._-", dateSight, nearTimes},
		finder{StorePath, regexp.MustCompile(storePath), letters + digits, pathSight / 2, samePackage},
		finder{Path, regexp.MustCompile(buildFolder), "", pathSight, sameFile},
		finder{Path, regexp.MustCompile(userAtHost), "", dateSight, nil},
		finder{Path, regexp.MustCompile(hostKey), "", dateSight, nil},
		finder{Path, regexp.MustCompile(uname), "", dateSight, nil},
	)
}

// numberFinders return the forms of numbers that are dates where the format says
// so: anywhere else a number can be anything.
func numberFinders() []finder {
	return []finder{
		{Date, dateForm(`{Y}{M}{D}(?:{h}{m}{s})?`), digits + letters, dateSight, nil},
		{Date, regexp.MustCompile(epoch), digits + letters + "._-", dateSight, nearTimes},
	}
}

// withNumbers is the diff of values that are known to be dates.
func (d *diff) withNumbers() *diff {
	in := *d
	in.finders = append(d.finders[:len(d.finders):len(d.finders)], d.numbers...)
	return &in
}

// dateKeys know names of values that are dates, by the words that they are made of.
type dateKeys struct{ word, joint *regexp.Regexp }

func newDateKeys() dateKeys {
	return dateKeys{
		regexp.MustCompile(`(?i)(?:^|[^a-z])(?:date|time|timestamp|epoch|created|modified|updated|built|mtime|ctime|atime)(?:$|[^a-z])`),
		regexp.MustCompile(`([a-z])([A-Z])`),
	}
}

// has says whether a value with this name is a date.
func (k dateKeys) has(name string) bool {
	return k.word.MatchString(k.joint.ReplaceAllString(name, "${1}_${2}"))
}

// isNumber says whether a content is a number that is a date, and nothing else, as
// stamps of a build are.
func (x *Explainer) isNumber(data []byte) bool {
	const longest = 32
	text := bytes.TrimSpace(data)
	return len(text) <= longest && slices.ContainsFunc(x.numbers, func(f finder) bool {
		at := f.form.FindIndex(text)
		return at != nil && at[0] == 0 && at[1] == len(text)
	})
}

// The forms of dates; Y, M and so on stand for numbers and names of a date.
var dates = [...]string{
	// ISO 8601, RFC 3339, and date -I; gettext has no seconds
	`{Y}[-/]{M}[-/]{D}(?:[T _]{h}:{m}(?::{s}(?:[.,]\d{1,9})?)?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?)?`,
	// the basic form of ISO 8601, with a time: without, it is a number as any
	`{Y}{M}{D}[T_-]{h}{m}{s}(?:Z|[+-]\d\d'?\d\d'?)?`,
	// RFC 2822, HTTP, and date in English outside of America
	`(?:{dow},? )?\d{1,2}[ -]{mon}[ -]{Y}(?:[ :]{h}:{m}(?::{s})?(?: [AP]M)?(?: (?:[+-]\d{4}|[A-Z]{2,5}))?)?`,
	// date and asctime in the C locale, __DATE__ of C
	`(?:{dow} )?{mon} +\d{1,2} (?:{h}:{m}:{s} (?:[AP]M )?(?:(?:[A-Z]{2,5}|[+-]\d{2,4}) )?)?{Y}`,
	// in words, as manuals have it
	`(?:\d{1,2} )?{mon}(?: \d{1,2},)? {Y}`,
	// as Americans write it
	`\d{1,2}/\d{1,2}/{Y}(?: {h}:{m}(?::{s})?(?: [AP]M)?)?`,
	// logs, without a year
	`{mon} +\d{1,2} {h}:{m}(?::{s})?`,
}

func dateForm(form string) *regexp.Regexp {
	return regexp.MustCompile(strings.NewReplacer(
		"{Y}", `(?:19[7-9]\d|20\d\d)`, "{M}", `(?:0[1-9]|1[0-2])`, "{D}", `(?:0[1-9]|[12]\d|3[01])`,
		"{h}", `(?:[01]\d|2[0-3])`, "{m}", `[0-5]\d`, "{s}", `(?:[0-5]\d|60)`,
		"{dow}", `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*`, "{mon}", `(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?`,
	).Replace(form))
}

const (
	// a date as much of Europe writes it; versions have more parts, or others
	dotted = `(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.{Y}`
	// the last year of a copyright notice that a tool fills in
	copyright = `(?:[Cc]opyright|COPYRIGHT|©|&copy;|\([Cc]\))(?: (?:©|&copy;|\([Cc]\)))?[ ,:]*(?:\d{4} ?[-–,] ?)?({Y})`
	// the time of day, as __TIME__ of C has it, and as Americans say it
	clock = `(?:[01]?\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?(?: [AP]M)?`
	// seconds since 1970, since 2001; or milliseconds and so on
	epoch = `[1-4]\d{9}(?:\.\d{1,9}|\d{9}|\d{6}|\d{3})?`

	// a path below a folder in which programs are built, and no other: that
	// /usr/bin/a became /usr/bin/b is no accident of the build
	buildFolder = `(?:^|[^0-9A-Za-z_./~-]|-[ILB]|file://)(/(?:build|builds|builddir|buildroot|tmp|var/tmp|private/tmp|private/var|home|root|Users|` +
		`usr/src|usr/obj|workspace|github/workspace|go/src|var/lib/jenkins)[0-9A-Za-z_.-]*(?:/[0-9A-Za-z_.+@%~=,/-]*)?)`
	// who built it where; other addresses are no accident
	userAtHost = `(?:^|[^0-9A-Za-z_.-])((?:root|build|builder|buildd|buildozer|nobody|user|runner|jenkins|mockbuild|vagrant|ubuntu|debian|admin|guixbuild\w*|nixbld\d*)@[0-9A-Za-z][0-9A-Za-z.-]*)`
	hostKey    = `(?i:build[ _-]?host|uname -n|built on(?: host)?|compiled on(?: host)?)["']?[ \t]*[:=]?[ \t]*["']?([0-9A-Za-z][0-9A-Za-z.-]*)`
	// the store path of an item, or what of it stands alone
	storePath = `(?:/(?:gnu|nix)/store/)?([0-9a-df-np-sv-z]{32}(?:-[0-9A-Za-z+._?=-]+)?)`
	// what uname -a says, before the version of the kernel
	uname = `(?i:linux) ([0-9A-Za-z][0-9A-Za-z.-]*) \d+\.\d+\.\d`
)

// maxYears is how far apart two numbers of seconds may lie that are both taken
// for times of a build.
const maxYears = 30

// nearTimes says whether two numbers, which can be anything, may be times of two
// builds: of one length and not far apart.
func nearTimes(a, b string) bool {
	if !strings.Contains(a, ".") && !strings.Contains(b, ".") && len(a) != len(b) {
		return false
	}
	m, _ := strconv.ParseInt(a[:10], 10, 64)
	n, _ := strconv.ParseInt(b[:10], 10, 64)
	return max(m-n, n-m) < maxYears*365*24*3600
}

func samePackage(a, b string) bool { return packageOf(a) == packageOf(b) }

// packageOf is the name of the package of a store item, without hash and version.
func packageOf(item string) string {
	const hashAndDash = 33
	name := item[min(len(item), hashAndDash):]
	if at := regexp.MustCompile(`-[0-9]`).FindStringIndex(name); at != nil {
		name = name[:at[0]]
	}
	return name
}

// sameFile says whether two paths below folders of builds are of the same file, or
// of the folders themselves, by whose names a build system is known.
func sameFile(a, b string) bool {
	if path.Base(a) == path.Base(b) {
		return true
	}
	own := regexp.MustCompile(`^/(?:build|builds|builddir|buildroot|workspace)[0-9A-Za-z_.-]*(?:/[^/]*)?/?$|^/(?:private/)?(?:var/)?tmp/(?:guix-build-|nix-build-|tmp\.|pip-)[^/]*/?$`)
	return own.MatchString(a) && own.MatchString(b)
}
