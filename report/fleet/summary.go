package fleet

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"audit/inspect/check"
	"audit/inspect/userfile"
	"audit/report"
)

// A Summary is what many reports show together, as summary.json holds it. It has
// nothing of the day or the machine on which it was made, and nothing of the folders
// that the reports lay in.
type Summary struct {
	SchemaVersion string      `json:"schemaVersion"`
	Tool          report.Tool `json:"tool"`
	Policy        Policy      `json:"policy"`
	Counts        Counts      `json:"counts"`
	Checks        []Check     `json:"checks"`   // in the order of the ladder
	Changes       *Changes    `json:"changes"`  // since the summary that was given; null without one
	Contents      []Contents  `json:"contents"` // store paths with more than one content, sorted by path
	Unlike        []Unlike    `json:"unlike"`   // equal recipes of images whose layers differ, most images first
	Recipes       Recipes     `json:"recipes"`
	Channels      []Channel   `json:"channels"` // most images first
	Layers        []Layer     `json:"layers"`   // that several images share, by what is saved, at most 1,000
	Cost          Cost        `json:"cost"`
	Bad           []Bad       `json:"bad"`      // files that cannot be read or relied on, sorted by path
	Unlisted      int         `json:"unlisted"` // images with a status that the list does not have
	Images        []Row       `json:"images"`   // the worst first

	Linked bool `json:"-"` // the page will lie in the folder of the batch, beside its results
}

// A Policy is what is demanded of each image.
type Policy struct {
	Require string `json:"require"`
	Holds   bool   `json:"holds"` // for all, and each has a result
	Failing int    `json:"failing"`
}

// Counts count images by how far they came, and those with a result by their verdict.
type Counts struct {
	Images   int            `json:"images"`
	States   map[string]int `json:"states"`
	Verdicts map[string]int `json:"verdicts"`
	Total    int64          `json:"total"`    // bytes of all layers of all images
	Contents int64          `json:"contents"` // bytes of the files that containers see
	Nobody   int64          `json:"nobody"`   // of those, bytes that nobody vouches for
}

// A Check counts how one check ended.
type Check struct {
	ID       check.ID       `json:"id"`
	Statuses map[string]int `json:"statuses"`
}

// The states of a row, beside those of a [Status].
const (
	Missing   State = "missing"    // nobody has begun
	BadResult State = "bad-result" // its report cannot be read, or is that of another image
)

// A Row is one image.
type Row struct {
	Reference string         `json:"reference"`
	Names     []string       `json:"names"`   // what the list calls it
	State     State          `json:"state"`   // done, missing, trying, unreadable, not-done, bad-result
	Problem   string         `json:"problem"` // why there is no result; of one that there is what its page says first, where something stands out
	Digest    string         `json:"digest"`  // of what the reference led to when it was audited
	Config    string         `json:"config"`  // digest of the config
	Key       string         `json:"key"`     // of the result, in the folder of its batch; "" where it lies alone
	Verdict   string         `json:"verdict"` // "" without a result
	Holds     bool           `json:"holds"`   // what is demanded
	Violation string         `json:"violation"`
	Statuses  []check.Status `json:"statuses"` // of the eight checks, in their order; none without a result
	System    string         `json:"system"`
	Recipe    string         `json:"recipe"`  // complete, partial or none
	Texts     string         `json:"texts"`   // digest over the recipe; "" without one
	Planned   bool           `json:"planned"` // how to build it again is known, and may be run
	Total     int64          `json:"total"`   // bytes of its layers
	Contents  int64          `json:"contents"`
	Nobody    int64          `json:"nobody"`
	Created   string         `json:"created"`
	Audited   string         `json:"audited"` // when, RFC 3339; "" without a result
	Seconds   float64        `json:"seconds"`
	Tries     int            `json:"tries"`
	Change    string         `json:"change"` // new, worse, better, moved, lost, found; "" where nothing has changed

	layers string // digest over its diffIDs
	items  []uint32
}

// Changes are what is other than in an earlier summary, each sorted.
type Changes struct {
	New    []string `json:"new"`    // references that it did not have
	Gone   []string `json:"gone"`   // references that only it has
	Moved  []string `json:"moved"`  // that lead to another image now
	Worse  []string `json:"worse"`  // with a worse verdict, or for which the same demand no longer holds
	Better []string `json:"better"` // with a better verdict, or for which it holds now
	Lost   []string `json:"lost"`   // that had a result
	Found  []string `json:"found"`  // that had none
}

// Contents are those that one store path has in several images: a path names one set of
// inputs, so that a build is not reproducible, or a file was changed.
type Contents struct {
	Path string    `json:"path"`
	Each []Content `json:"each"` // most images first
}

// A Content is one of them.
type Content struct {
	NarHash string   `json:"narHash"`
	Images  []string `json:"images"` // at most 20
	Count   int      `json:"count"`
}

// Unlike are images of equal recipes.
type Unlike struct {
	Texts  string   `json:"texts"` // digest over the recipe
	System string   `json:"system"`
	Layers int      `json:"layers"` // how many different lists of layers there are
	Images []string `json:"images"` // at most 20
	Count  int      `json:"count"`
}

// Recipes count images by what is known of how they were built.
type Recipes struct {
	Complete  int            `json:"complete"`
	Partial   int            `json:"partial"`
	None      int            `json:"none"`
	Different int            `json:"different"` // recipes, each counted once
	Planned   int            `json:"planned"`   // images that can be built again as they are
	Refused   int            `json:"refused"`   // that could if what they name were trusted
	Systems   map[string]int `json:"systems"`
}

// A Channel is one commit of a channel.
type Channel struct {
	Name   string `json:"name"`
	URL    string `json:"url"`
	Commit string `json:"commit"`
	Images int    `json:"images"`
	Oldest string `json:"oldest"` // the earliest day on which an image of it was made, as images claim; "" when none does
}

// A Layer is a blob that several images have.
type Layer struct {
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
	Images int    `json:"images"`
}

// A Cost is what the audits took.
type Cost struct {
	Seconds float64 `json:"seconds"` // of all, as each took them
	Slowest string  `json:"slowest"` // reference
	Most    float64 `json:"most"`    // seconds of that
	Again   int     `json:"again"`   // images that were tried more than once
	Stored  int64   `json:"stored"`  // bytes of all blobs of layers, each once
	Shared  int64   `json:"shared"`  // bytes that sharing them saves
}

// Bad is a file that cannot be read, or of which what it claims cannot be relied on.
type Bad struct {
	Path    string `json:"path"`
	Problem string `json:"problem"`
}

// maxSummary bounds a stored summary, in bytes.
const maxSummary = 1 << 30

// ReadSummary reads a summary that [WriteJSON] wrote. One whose counts are not those of its
// images is refused: part of it is lost, or somebody has changed it.
func ReadSummary(path string) (*Summary, error) {
	f, err := userfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, dec := new(Summary), json.NewDecoder(io.LimitReader(f, maxSummary))
	if err := dec.Decode(s); err != nil {
		return nil, fmt.Errorf("reading %s: a summary of --format json belongs here: %w", path, err)
	}
	if s.SchemaVersion != SchemaVersion || s.Counts.States == nil {
		return nil, fmt.Errorf("reading %s: it is no summary of schema %s", path, SchemaVersion)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("reading %s: something follows the summary", path)
	}
	if err := s.verify(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return s, nil
}

// verify counts the images of a stored summary again.
func (s *Summary) verify() error {
	counted, verdicts, failing := make(map[string]int), make(map[string]int), 0
	for i := range s.Images {
		r := &s.Images[i]
		if !slices.Contains(append(states(), Missing, BadResult), r.State) {
			return fmt.Errorf("there is no state %.40q", r.State)
		}
		if (r.State == Done) != slices.Contains(worst, r.Verdict) || r.State != Done && r.Verdict != "" {
			return fmt.Errorf("the verdict on an image that is %s is %.40q", r.State, r.Verdict)
		}
		counted[string(r.State)]++
		if r.State == Done {
			verdicts[r.Verdict]++
		}
		if !r.Holds {
			failing++
		}
	}
	if len(s.Images) != s.Counts.Images || !maps.Equal(counted, s.Counts.States) || !maps.Equal(verdicts, s.Counts.Verdicts) || failing != s.Policy.Failing {
		return errors.New("it contradicts itself: its counts are not those of its images")
	}
	return nil
}

// rank orders images, the worst first.
func (r *Row) rank() int {
	order := []string{"contradicted", "unreproducible", "build-failed", "different", "", "unverified", "matching", "vouched", "equivalent", "reproducible"}
	if r.State != Done {
		states := []State{BadResult, Missing, Unreadable, NotDone, Trying}
		return 4*10 + slices.Index(states, r.State)
	}
	return 10 * slices.Index(order, r.Verdict)
}

// A builder makes a summary of rows that come one by one.
type builder struct {
	out      *Summary
	items    *items
	layers   map[string]*Layer
	channels map[channel]*Channel
}

func newBuilder(tool string) *builder {
	s := &Summary{SchemaVersion: SchemaVersion, Tool: report.Tool{Name: "audit", Version: tool}}
	s.Counts.States, s.Counts.Verdicts, s.Recipes.Systems = make(map[string]int), make(map[string]int), make(map[string]int)
	for _, id := range check.IDs() {
		s.Checks = append(s.Checks, Check{id, make(map[string]int)})
	}
	return &builder{s, newItems(), make(map[string]*Layer), make(map[channel]*Channel)}
}

// addFacts fills a row with what a report says.
func (b *builder) addFacts(r *Row, f *facts) {
	r.State, r.Verdict, r.Config = Done, f.Verdict.String(), f.Config
	r.Digest = cmp.Or(r.Digest, f.Digest)
	r.System, r.Recipe, r.Texts, r.layers = string(f.System), string(f.Recipe), f.RecipeSum, f.LayersSum
	r.Planned = f.Planned && !f.Refused
	r.Total, r.Contents, r.Nobody, r.Created = f.Total, f.Contents, f.Nobody, f.Created
	r.Audited, r.Seconds = f.Date.Format(time.RFC3339), f.Seconds
	for i, id := range check.IDs() {
		r.Statuses = append(r.Statuses, f.Checks[id])
		b.out.Checks[i].Statuses[f.Checks[id].String()]++
	}
	r.items = f.numbers
	b.addLayers(f)
	b.addRecipe(f)
}

func (b *builder) addLayers(f *facts) {
	seen := make(map[string]bool)
	for _, l := range f.Layers {
		if seen[l.Digest] {
			continue
		}
		seen[l.Digest] = true
		known := b.layers[l.Digest]
		if known == nil {
			known = &Layer{Digest: l.Digest, Size: l.Size}
			b.layers[l.Digest] = known
		}
		known.Images++
	}
}

func (b *builder) addRecipe(f *facts) {
	out := &b.out.Recipes
	switch string(f.Recipe) {
	case "complete":
		out.Complete++
	case "partial":
		out.Partial++
	default:
		out.None++
	}
	switch {
	case f.Planned && f.Refused:
		out.Refused++
	case f.Planned:
		out.Planned++
	}
	if f.System != "" {
		out.Systems[string(f.System)]++
	}
	day := ""
	if t, err := time.Parse(time.RFC3339, f.Created); err == nil && t.Year() > 1980 { // before that, nobody claims a time
		day = t.UTC().Format(time.DateOnly)
	}
	for _, c := range f.Channels {
		known := b.channels[c]
		if known == nil {
			known = &Channel{Name: c.Name, URL: c.URL, Commit: c.Commit}
			b.channels[c] = known
		}
		known.Images++
		if day != "" && (known.Oldest == "" || day < known.Oldest) {
			known.Oldest = day
		}
	}
}

// finish ends the summary of these rows.
func (b *builder) finish(rows []Row, since *Summary) *Summary {
	s := b.out
	slices.SortStableFunc(rows, func(x, y Row) int {
		return cmp.Or(cmp.Compare(x.rank(), y.rank()), order(x.Holds, y.Holds), order(x.Problem == "", y.Problem == ""), cmp.Compare(y.Nobody, x.Nobody),
			cmp.Compare(x.Reference, y.Reference), cmp.Compare(x.Digest, y.Digest))
	})
	s.Images = rows
	s.Policy.Holds = true
	for i := range rows {
		b.count(&rows[i])
	}
	s.Contents = b.items.contents(rows)
	b.unlike(rows)
	b.share()
	for _, c := range b.channels {
		s.Channels = append(s.Channels, *c)
	}
	slices.SortFunc(s.Channels, func(x, y Channel) int {
		return cmp.Or(cmp.Compare(y.Images, x.Images), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Commit, y.Commit), cmp.Compare(x.URL, y.URL))
	})
	if since != nil {
		s.Changes = changes(rows, since, s.Policy.Require)
	}
	s.fill()
	return s
}

// order puts what does not hold first.
func order(x, y bool) int {
	switch {
	case x == y:
		return 0
	case y:
		return -1
	}
	return 1
}

func (b *builder) count(r *Row) {
	s := b.out
	s.Counts.Images++
	s.Counts.States[string(r.State)]++
	if r.State == Done {
		s.Counts.Verdicts[r.Verdict]++
	}
	s.Counts.Total += r.Total
	s.Counts.Contents += r.Contents
	s.Counts.Nobody += r.Nobody
	if !r.Holds {
		s.Policy.Holds = false
		s.Policy.Failing++
	}
	s.Cost.Seconds += r.Seconds
	if r.Seconds > s.Cost.Most || r.Seconds == s.Cost.Most && s.Cost.Slowest > r.Reference {
		s.Cost.Most, s.Cost.Slowest = r.Seconds, r.Reference
	}
	if r.Tries > 1 {
		s.Cost.Again++
	}
}

// maxNamed bounds the images that are named beside a finding.
const maxNamed = 20

// named sorts references, and returns the first of them and how many there are.
func named(references []string) ([]string, int) {
	references = slices.Compact(slices.Sorted(slices.Values(references)))
	return references[:min(len(references), maxNamed):min(len(references), maxNamed)], len(references)
}

// unlike finds equal recipes of images whose layers differ.
func (b *builder) unlike(rows []Row) {
	groups := make(map[string][]*Row)
	for i := range rows {
		if r := &rows[i]; r.Texts != "" && r.layers != "" {
			groups[r.Texts] = append(groups[r.Texts], r)
		}
	}
	b.out.Recipes.Different = len(groups)
	for texts, group := range groups {
		layers, u := make(map[string]bool), Unlike{Texts: texts, System: group[0].System}
		for _, r := range group {
			layers[r.layers] = true
			u.Images = append(u.Images, r.Reference)
		}
		if u.Layers = len(layers); u.Layers > 1 {
			u.Images, u.Count = named(u.Images)
			b.out.Unlike = append(b.out.Unlike, u)
		}
	}
	slices.SortFunc(b.out.Unlike, func(x, y Unlike) int { return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Texts, y.Texts)) })
}

// maxShared bounds the layers that are listed.
const maxShared = 1000

// share counts what the images share.
func (b *builder) share() {
	s := b.out
	for _, l := range b.layers {
		s.Cost.Stored += l.Size
		if l.Images > 1 {
			s.Cost.Shared += l.Size * int64(l.Images-1)
			s.Layers = append(s.Layers, *l)
		}
	}
	slices.SortFunc(s.Layers, func(x, y Layer) int {
		return cmp.Or(cmp.Compare(y.Size*int64(y.Images-1), x.Size*int64(x.Images-1)), cmp.Compare(x.Digest, y.Digest))
	})
	s.Layers = s.Layers[:min(len(s.Layers), maxShared)]
}

// changes compares rows with an earlier summary, and marks them.
func changes(rows []Row, since *Summary, require string) *Changes {
	// Where several have one name, which lay in other folders, an image is compared with
	// the one of its digest, and else with the worst.
	before, same := make(map[string]*Row, len(since.Images)), make(map[[2]string]*Row, len(since.Images))
	for i := range slices.Backward(since.Images) {
		r := &since.Images[i]
		before[r.Reference], same[[2]string{r.Reference, r.Digest}] = r, r
	}
	demand := since.Policy.Require == require
	c, now := new(Changes), make(map[string]bool, len(rows))
	for i := range rows {
		r := &rows[i]
		now[r.Reference] = true
		was := cmp.Or(same[[2]string{r.Reference, r.Digest}], before[r.Reference])
		note := func(change string, to *[]string) {
			*to = append(*to, r.Reference)
			if r.Change == "" {
				r.Change = change
			}
		}
		switch {
		case was == nil:
			note("new", &c.New)
			continue
		case was.State == Done && r.State != Done:
			note("lost", &c.Lost)
			continue
		case was.State != Done && r.State == Done:
			note("found", &c.Found)
			continue
		case r.State != Done:
			continue
		case r.rank() < was.rank(), demand && r.rank() == was.rank() && was.Holds && !r.Holds:
			note("worse", &c.Worse)
		case r.rank() > was.rank(), demand && r.rank() == was.rank() && !was.Holds && r.Holds:
			note("better", &c.Better)
		}
		if r.Digest != was.Digest && was.Digest != "" {
			note("moved", &c.Moved)
		}
	}
	for reference := range before {
		if !now[reference] {
			c.Gone = append(c.Gone, reference)
		}
	}
	for _, l := range []*[]string{&c.New, &c.Gone, &c.Moved, &c.Worse, &c.Better, &c.Lost, &c.Found} {
		slices.Sort(*l)
		*l = slices.Compact(append([]string{}, *l...))
	}
	return c
}

// fill makes lists of nothing of those that are not there.
func (s *Summary) fill() {
	s.Contents, s.Unlike, s.Channels = list(s.Contents), list(s.Unlike), list(s.Channels)
	s.Layers, s.Bad, s.Images = list(s.Layers), list(s.Bad), list(s.Images)
	for i := range s.Images {
		r := &s.Images[i]
		r.Names, r.Statuses = list(r.Names), list(r.Statuses)
	}
}

func list[T any](l []T) []T { return append([]T{}, l...) }

// WriteJSON writes the summary, a row a line.
func WriteJSON(w io.Writer, s *Summary) error {
	rows := s.Images
	head := *s
	head.Images = nil
	text, err := json.MarshalIndent(head, "", "  ")
	if err != nil {
		return err
	}
	begin := strings.TrimSuffix(string(report.PrintableJSON(text)), "null\n}")
	if _, err := io.WriteString(w, begin+"["); err != nil {
		return err
	}
	for i, r := range rows {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		comma := "\n    "
		if i > 0 {
			comma = ",\n    "
		}
		if _, err := io.WriteString(w, comma+string(report.PrintableJSON(line))); err != nil {
			return err
		}
	}
	_, err = io.WriteString(w, "\n  ]\n}\n")
	return err
}
