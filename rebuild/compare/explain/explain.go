// Package explain says what differs inside a file: two contents in, the reasons
// out. It is pure, and the same contents always have the same explanation.
//
// The formats that commonly break reproducibility are decoded, each by a
// decoder in a file of its own, and what lies inside of them is explained in
// turn: the date in a man page inside a .gz is found as a date. Text has a diff
// of its lines; for all other bytes the report says where they part.
//
// Two rules keep an explanation honest. A decoder explains a difference and
// never erases one: contents that are not the same bytes always have at least
// one part. And a reason is only given for what was compared with it: a
// difference is a date where a date stands in both contents and all around it
// is the same; what is left over is [Content]. Together the parts are all that
// a reader of the format sees differently.
//
// Contents are hostile until shown otherwise: what is unpacked, nested and
// listed has bounds, each reported where it is met.
package explain

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"strconv"
	"strings"
	"time"

	"audit/inspect/check"
)

// A Reason is why a part of two contents differs. The zero value is Content:
// nothing is known but that it does.
type Reason int

// The reasons.
const (
	Content   Reason = iota // something else
	Date                    // a date or time stands in both
	Path                    // a folder of a build, or a host name, stands in both
	StorePath               // the path of a store item stands in both
	Order                   // the same parts stand in another order
	Packing                 // the same is inside, packed in another way
	Follows                 // a checksum or an identifier that follows from the rest
	reasons                 // how many there are
)

var reasonNames = [...]string{"content", "date", "path", "store path", "order", "packing", "follows"}

func (r Reason) String() string { return reasonNames[r] }

// An Explanation is how two contents differ.
type Explanation struct {
	Parts []Part // in the order of the contents, the first 100 of those that matter most
	More  int    // parts that are not among them

	// Shown is what is shown at length: a diff of lines, as the argument "diff", or
	// where the bytes part, or why something was not looked into.
	Shown []check.Message

	count [reasons]int
	index map[likeness]int
	size  int // bytes of Shown
}

// A Part is one thing inside of two contents that is not the same.
type Part struct {
	// What differs is a code "difference/…" and where it stands. The argument
	// "inside" names the archives and packed streams that are around it, from the
	// outermost to the innermost, separated by " ⟫ ". It is zero for the whole.
	What   check.Message
	Reason Reason
	Was    string // at most 200 bytes; with Now, "" where Shown has it
	Now    string
	Count  int // places with this very difference, of which What is the first
}

// A likeness is what parts have in common that are listed once.
type likeness struct {
	reason         Reason
	was, now, what string
}

// Has says whether any part has the reason.
func (e *Explanation) Has(r Reason) bool { return e.count[r] > 0 }

// Bounds on what is listed of one file.
const (
	maxParts = 100
	maxValue = 200
	maxShown = 64 << 10
)

// add notes a part, together with those that have the same values elsewhere.
func (e *Explanation) add(p Part) {
	e.addAs(likeness{reason: p.Reason, was: p.Was, now: p.Now}, p)
}

func (e *Explanation) addAs(same likeness, p Part) {
	e.count[p.Reason] += p.Count
	if i, ok := e.index[same]; ok {
		e.Parts[i].Count += p.Count
		return
	}
	if e.index == nil {
		e.index = make(map[likeness]int)
	}
	if len(e.Parts) < maxParts {
		e.index[same] = len(e.Parts)
		e.Parts = append(e.Parts, p)
		return
	}
	e.instead(same, p)
}

// instead lists a part in place of the last one that matters less than it, and counts what
// is not listed.
func (e *Explanation) instead(same likeness, p Part) {
	at := -1
	for i := range e.Parts {
		if w := e.Parts[i].Weight(); w > p.Weight() && (at < 0 || w >= e.Parts[at].Weight()) {
			at = i
		}
	}
	if at < 0 {
		e.More += p.Count
		return
	}
	maps.DeleteFunc(e.index, func(_ likeness, i int) bool { return i == at })
	e.More += e.Parts[at].Count
	e.index[same], e.Parts[at] = at, p
}

// Weight orders parts by how much they matter to whoever runs what is inside: code and
// content come first, then what only tools read, then what has a known reason, then what
// follows from others.
func (p Part) Weight() int {
	switch {
	case p.Reason == Follows:
		return 3
	case p.Reason != Content:
		return 2
	}
	switch p.What.Code {
	case "difference/member-field", "difference/debug-section", "difference/compilers", "difference/debug-link", "difference/elf-rest":
		return 1
	}
	return 0
}

// merge adds the parts of another explanation.
func (e *Explanation) merge(other *Explanation) {
	listed := [reasons]int{}
	for _, p := range other.Parts {
		e.add(p)
		listed[p.Reason] += p.Count
	}
	for r, n := range other.count {
		e.count[r] += n - listed[r]
	}
	e.More += other.More
}

// total counts all parts.
func (e *Explanation) total() (n int) {
	for _, c := range e.count {
		n += c
	}
	return n
}

// show adds what is shown at length, as long as there is room.
func (e *Explanation) show(m check.Message) {
	if e.size > maxShown {
		return
	}
	n := 0
	for name := range m.Args {
		n += len(m.Args.String(name))
	}
	if e.size += n; e.size > maxShown {
		m = check.Say("difference/not-shown", "limit", maxShown)
	}
	e.Shown = append(e.Shown, m)
}

// An Explainer explains the contents of one comparison. Its bounds are for all
// of them together.
type Explainer struct {
	decoders []decoder // the first that knows a content explains it
	plain    []decoder // those that look at bytes as they are
	finders  []finder
	numbers  []finder // of numbers that are dates where the format says so
	dateKeys dateKeys
	latest   time.Time // what is later is no time of a build; zero for none
	work     int       // pairs of lines that may still be compared
	expand   int64     // bytes that may still be unpacked
	lookups  int       // places where dates and paths may still be looked for
}

// New returns an Explainer that knows all formats. A date that is later than a time is
// taken for no time of a build; the zero time takes any.
func New(latest time.Time) *Explainer {
	plain := []decoder{textDecoder{}, bytesDecoder{}}
	return &Explainer{
		decoders: append([]decoder{
			gzipDecoder{}, streamDecoder{}, zipDecoder{}, arDecoder{}, tarDecoder{}, pycDecoder{},
			goDecoder{}, guileDecoder{}, elfDecoder{}, pngDecoder{}, pdfDecoder{}, sqliteDecoder{},
			gettextDecoder{}, manDecoder{}, infoDecoder{}, shadowDecoder{}, idDecoder{}, engineDecoder{},
			auxCacheDecoder{}, fontCacheDecoder{}, jsonDecoder{},
		}, plain...),
		plain: plain, finders: newFinders(), numbers: numberFinders(), dateKeys: newDateKeys(), latest: latest,
		work: maxLineWork, expand: maxExpand, lookups: maxLookups,
	}
}

// Explain says how two contents differ that are not the same bytes. The path of
// the file helps with formats that have no magic number.
func (x *Explainer) Explain(path string, was, now []byte) *Explanation {
	d := &diff{Explainer: x, finders: x.finders, path: path, out: new(Explanation)}
	if d.safely(was, now) {
		return d.out
	}
	d.out = new(Explanation)
	bytesDecoder{}.decode(d, was, now)
	return d.out
}

// safely explains and says whether it came to an end. Some of the libraries
// below are not made for bytes that are meant to break them (debug/elf says so
// of itself): a fault in one costs the explanation, and not the audit.
func (d *diff) safely(was, now []byte) (ended bool) {
	defer func() {
		if recover() != nil {
			ended = false
		}
	}()
	d.explain(was, now)
	return true
}

// A decoder knows a format of files.
type decoder interface {
	// decode notes in d how two contents differ that are not the same bytes:
	// all that a reader of the format sees. It returns false, and notes
	// nothing, when one of them is not of its format: the next is asked.
	decode(d *diff, was, now []byte) bool
}

// A diff is the explanation of two contents under way, or of two that lie
// inside of them.
type diff struct {
	*Explainer
	finders []finder
	path    string // of the file, or of what is inside
	inner   string // the way inside: what is around, separated by " ⟫ "
	depth   int
	out     *Explanation

	unordered bool // the order of lines means nothing
}

// maxDepth bounds the formats that are looked into inside of each other.
const maxDepth = 4

func (d *diff) explain(was, now []byte) {
	decoders := d.decoders
	if d.depth > maxDepth {
		decoders = d.plain
	}
	noted := d.out.total()
	for _, c := range decoders {
		if c.decode(d, was, now) {
			break
		}
	}
	if d.out.total() == noted {
		d.add(check.Message{}, Content, "", "")
		d.show(Bytes(was, now))
	}
}

// inside explains what lies in something that is named, unless it is the same.
func (d *diff) inside(name, path string, was, now []byte) {
	if bytes.Equal(was, now) {
		return
	}
	in := *d
	in.inner, in.path, in.depth, in.finders, in.unordered = d.way(name), path, d.depth+1, d.Explainer.finders, false
	in.explain(was, now)
}

// way is the way to something that is named.
func (d *diff) way(name string) string {
	if d.inner == "" {
		return name
	}
	return d.inner + " ⟫ " + name
}

// step names what is inside of a packed stream: the file without the ending of its
// format, or else the format.
func (d *diff) step(format, ending string) string {
	if name, ok := strings.CutSuffix(path.Base(d.path), ending); ok && name != "" {
		return shown(name)
	}
	return format
}

// at adds the way inside to a message.
func (d *diff) at(m check.Message) check.Message {
	if d.inner == "" {
		return m
	}
	if m.IsZero() {
		m = check.Say("difference/inside")
	}
	args := maps.Clone(m.Args)
	if args == nil {
		args = make(check.Args, 1)
	}
	args["inside"] = d.inner
	return check.Message{Code: m.Code, Args: args}
}

// add notes a part.
func (d *diff) add(what check.Message, r Reason, was, now string) {
	d.out.add(Part{What: d.at(what), Reason: r, Was: shown(was), Now: shown(now), Count: 1})
}

// show adds to what is shown at length.
func (d *diff) show(m check.Message) { d.out.show(d.at(m)) }

// value compares two values and notes why they differ, if they do.
func (d *diff) value(what check.Message, was, now string) {
	switch {
	case was == now:
	case d.explained([]byte(was), []byte(now), func(int) check.Message { return what }):
	default:
		d.add(what, Content, was, now)
	}
}

// number compares two numbers, which differ for a known reason.
func (d *diff) number(what check.Message, r Reason, was, now uint64) {
	if was != now {
		d.add(what, r, strconv.FormatUint(was, 10), strconv.FormatUint(now, 10))
	}
}

// only notes what only one of two contents has; the code says which.
func (d *diff) only(what check.Message) {
	p := Part{What: d.at(what), Count: 1}
	d.out.addAs(likeness{what: fmt.Sprint(p.What)}, p)
}

// Bounds on what unpacking may cost.
const (
	maxExpand     = 512 << 20 // bytes, of all files together
	maxExpandFile = 64 << 20  // bytes of one stream
)

// tooLarge notes that something was not looked into, as it is too large when it
// is unpacked.
func (d *diff) tooLarge(what string) {
	d.add(check.Message{}, Content, "", "")
	d.show(check.Say("difference/too-large-unpacked", "what", what, "limit", maxExpandFile, "limit-all", maxExpand))
}

// shown shortens a value, and writes it quoted where it cannot be printed.
func shown(s string) string {
	cut := len(s) > maxValue
	if cut {
		s = strings.ToValidUTF8(s[:maxValue-4], "")
	}
	if !IsPlain(s) {
		s = strconv.Quote(s)
		if len(s) > maxValue-4 {
			s, cut = strings.ToValidUTF8(s[:maxValue-4], ""), true
		}
	}
	if cut {
		s += "…"
	}
	return s
}
