package report

import (
	"cmp"
	"html/template"
	"maps"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/provenance/vouch"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// A page is a report as its HTML lays it out.
type page struct {
	*Report
	CSP       string // content security policy
	Style     template.CSS
	Script    template.JS
	Word      string   // the verdict as a heading
	Meaning   string   // the verdict in a sentence
	OfRead    string   // that bytes are those of a part of the layers
	Next      []string // what to do
	Limits    []string
	Demands   []string // of the policy, that are not so
	Tone      string   // good, open or bad: the class that colours the verdict
	Rungs     []rung
	Rows      rows[itemRow]  // the store items
	Piece     string         // what the rebuild is made of: store items, or instructions
	Pieces    rows[pieceRow] // of the rebuild, that are no store items of the image
	Sourced   bool           // it is known where the rebuilt store items came from
	Unasked   bool           // no recipe was asked for
	NotAsked  []check.ID     // checks that the verb does not make
	Compared  bool           // two images were compared, and no more: what differs comes first
	Asked     bool           // build farms were asked what they signed
	Unvouched rows[UnvouchedFile]
	Left      int // files that nobody vouches for and that are not shown
	By        rows[Voucher]
	First     map[vouch.Kind]int // the place of the first of each kind among them
	Vouched   []segment          // who vouches for the files; none when nobody was asked
	Cards     rows[Member]       // the members of the archive
	Pairs     rows[pairRow]      // the layers side by side
	Layers    rows[Layer]
	Packed    rows[Package]
	Fields    fieldTable // of the config, that say something of their own
	Derived   fieldTable // of the config, that follow from the layers
	Manifest  fieldTable // of the image manifest
	Groups    []groupView
	Hidden    int    // differences beyond maxRows
	Replay    string // what to type to build the image again
	ByHand    string // the command of the plan, when Replay leaves it to rebuild.sh
	Ran       string
	Hand      handGuide

	Contents contents
	Closure  closure
	Way      *roadView // to the sources; nil when it was not followed
}

// Rows are the first of a list, and how many more there are.
type rows[T any] struct {
	Shown []T
	More  int
}

func firstRows[T any](all []T) rows[T] {
	n := min(len(all), maxRows)
	return rows[T]{all[:n], len(all) - n}
}

// A rung is a check with its share of the bytes.
type rung struct {
	NotAsked bool // the verb does not make it
	Check
	Share    Share
	Count    int // findings, with those that are not listed
	Listed   int
	Problems int  // of these; 0 where they are no reason for a fail
	Open     bool // its findings are the reason for a fail or an unknown
	Ask      bool // it asks for something to be done
	Rows     rows[Finding]
}

// An itemRow is a store item and where the rebuilt one came from.
type itemRow struct {
	StoreItem
	How   string // "" when nothing was rebuilt
	Needs int    // store items that it refers to, without itself
	Used  int    // store items that refer to it, without itself
}

// A pieceRow is an instruction, or a store item that only the rebuild has.
type pieceRow struct {
	Path string
	How  string
}

// A pairRow is a pair of layers and how many differences lie between them.
type pairRow struct {
	LayerPair
	Differences int
}

// A fieldTable is a table of fields that differ.
type fieldTable struct {
	ID, Title string
	Fields    []FieldDifference
}

// A segment is a stretch of the bar of vouchers, in percent of its length.
type segment struct {
	VoucherShare
	X, W float64
	List string // the id of the list of these files, or of who speaks for them; "" for none
}

// A groupView is the differences of one cause: where they are more than foldRows, as
// groups of paths, and those that weigh most one by one.
type groupView struct {
	group
	Shown    []Difference
	Open     bool
	Places   []placeCount  // where most of them are
	Patterns rows[pattern] // of more than foldRows
}

// Left is how many differences are not shown one by one.
func (g groupView) Left() int { return len(g.Differences) - len(g.Shown) }

const (
	foldRows = 500
	pageRows = 1500 // differences of all causes that a page shows one by one
	openRows = 20   // a group of so few is open from the start
)

func newPage(r *Report) page {
	p := page{
		Report: r,
		CSP:    policyOf(style, script),
		Style:  template.CSS(style),
		Script: template.JS(script),
		Word:   verdictWord(r.Verdict),
		Tone:   tone(r.Verdict),

		Meaning: r.meaning(),
		OfRead:  r.ofRead(),
		Next:    r.next(),
		Limits:  r.limits(),
		Demands: r.demands(),

		Rows:   firstRows(itemRows(r)),
		Cards:  firstRows(r.Image.Members),
		Layers: firstRows(r.Image.Layers),
		Packed: firstRows(r.Recipe.Packages),
		Hand:   byHand(r),

		Unvouched: firstRows(r.Vouchers.Nobody),
		By:        firstRows(r.Vouchers.By),
		Contents:  newContents(r),
		Closure:   newClosure(r),
		Way:       newRoadView(r),
	}
	p.First = make(map[vouch.Kind]int)
	for i, v := range p.By.Shown {
		if _, ok := p.First[v.Kind]; !ok {
			p.First[v.Kind] = i
		}
	}
	p.Vouched = p.listed(segments(r.Coverage.Vouchers))
	p.Left = p.Unvouched.More + r.Vouchers.More
	for i, c := range r.Checks {
		p.Rungs = append(p.Rungs, newRung(c, r.Coverage, i))
		if r.notAsked(c.ID) {
			p.Rungs[len(p.Rungs)-1].NotAsked = true
			p.NotAsked = append(p.NotAsked, c.ID)
		}
		p.Unasked = p.Unasked || c.ID == check.Recipe && c.Status == check.Skipped
		p.Asked = p.Asked || c.ID == check.Signatures && c.Status != check.Skipped
	}
	p.Compared = r.compared()
	if r.Plan != nil {
		p.Replay, p.ByHand = replay(r)
	}
	if r.Rebuild != nil {
		p.Ran = shellWords(r.Rebuild.Command)
		it := r.Rebuild.Items
		p.Sourced = len(it.Built)+len(it.Reused)+len(it.Substituted) > 0
		p.Piece, p.Pieces = it.piece(), firstRows(pieceRows(r))
	}
	if c := r.Comparison; c != nil {
		p.Pairs = pairRows(c)
		own, derived := splitFields(c.Config)
		p.Fields = fieldTable{"fields", "Fields of the config", own}
		p.Derived = fieldTable{"derived", "Fields of the config that follow from the layers", derived}
		p.Manifest = fieldTable{"manifest", "Fields of the image manifest", c.Manifest}
		p.Groups, p.Hidden = groupViews(c.Differences, itemPaths(r.StoreItems))
	}
	return p
}

// listed names the lists that the stretches of the bar stand for.
func (p *page) listed(bar []segment) []segment {
	for i, s := range bar {
		switch {
		case s.Files == 0:
		case s.Kind != vouch.Nobody && s.Kind != vouch.Differs:
			if _, ok := p.First[s.Kind]; ok {
				bar[i].List = "by-" + string(s.Kind)
			}
		case len(p.Unvouched.Shown) > 0:
			bar[i].List = "c-nobody"
		}
	}
	return bar
}

func newRung(c Check, cov Coverage, i int) rung {
	g := rung{Check: c, Rows: firstRows(c.Findings)}
	g.Ask = c.Status == check.Fail || c.Status == check.Unknown
	if i < len(cov.Checks) {
		g.Share = cov.Checks[i]
	}
	problems := 0
	for _, f := range c.Findings {
		g.Count += f.instances()
		if f.Code != moreDifferences {
			g.Listed++
		}
		if f.Level == check.Problem {
			problems += f.instances()
		}
	}
	g.Open = problems > 0 && problems <= openRows
	if c.Status == check.Fail {
		g.Problems = problems
	}
	return g
}

// origins say how each part of the rebuild came to be.
func (it Items) origins() map[string]string {
	how := map[string]string{}
	for _, b := range it.Built {
		how[b.Path] = "built now"
		if b.Machine != "" {
			how[b.Path] += " on " + string(b.Machine)
		}
	}
	for _, p := range it.Reused {
		how[p] = "reused"
	}
	for _, s := range it.Substituted {
		how[s.Path] = "substituted from " + string(s.Source)
	}
	return how
}

// pieceRows are the parts of the rebuild that have no place among the store items
// of the image, sorted by path.
func pieceRows(r *Report) []pieceRow {
	how := r.Rebuild.Items.origins()
	for _, it := range r.StoreItems {
		delete(how, it.Path)
	}
	out := make([]pieceRow, 0, len(how))
	for _, path := range slices.Sorted(maps.Keys(how)) {
		out = append(out, pieceRow{path, how[path]})
	}
	return out
}

func itemRows(r *Report) []itemRow {
	var how map[string]string
	if r.Rebuild != nil {
		how = r.Rebuild.Items.origins()
	}
	g := newGraph(r.StoreItems)
	out := make([]itemRow, 0, len(r.StoreItems))
	for i, it := range r.StoreItems {
		out = append(out, itemRow{it, how[it.Path], len(g.to[i]), g.from[i]})
	}
	return out
}

// splitFields takes apart what differs of its own, what decides what runs first, and what
// follows from that.
func splitFields(fields []FieldDifference) (own, derived []FieldDifference) {
	for _, f := range fields {
		if f.Cause == compare.Derived {
			derived = append(derived, f)
		} else {
			own = append(own, f)
		}
	}
	slices.SortStableFunc(own, func(x, y FieldDifference) int { return x.compared().Weight() - y.compared().Weight() })
	return own, derived
}

// compared is the difference as the comparison has it.
func (f FieldDifference) compared() *compare.FieldDifference {
	of := compare.FieldDifference(f)
	return &of
}

// pairRows counts the differences of each layer of the original.
func pairRows(c *Comparison) rows[pairRow] {
	counts := map[int]int{}
	for _, d := range c.Differences {
		counts[d.Layer]++
	}
	all := make([]pairRow, 0, len(c.Layers))
	for _, l := range c.Layers {
		all = append(all, pairRow{l, counts[l.Index]})
	}
	return firstRows(all)
}

// least is the length of the shortest stretch that can be seen, in percent.
const least = 0.6

// segments are the shares on a bar: what is there at all can be seen.
func segments(shares []VoucherShare) []segment {
	length := 0.0
	for _, o := range shares {
		length += o.width()
	}
	var out []segment
	at := 0.0
	for _, o := range shares {
		w := 0.0
		if length > 0 {
			w = o.width() / length * 100
		}
		out = append(out, segment{VoucherShare: o, X: at, W: w})
		at += w
	}
	return out
}

func (o VoucherShare) width() float64 {
	if o.Bytes == 0 {
		return 0
	}
	return max(o.Share*100, least)
}

// A placeCount is how many differences lie in one store item or folder.
type placeCount struct {
	Name  string
	Count int
}

const shownPlaces = 5

// placesOf says where most differences are; nothing when there are few.
func placesOf(ds []Difference, items map[string]bool) []placeCount {
	if len(ds) <= openRows {
		return nil
	}
	index := map[string]int{}
	var all []placeCount
	for _, d := range ds {
		name := placeOf(items, d.Path)
		at, ok := index[name]
		if !ok {
			at = len(all)
			index[name] = at
			all = append(all, placeCount{Name: name})
		}
		all[at].Count++
	}
	slices.SortFunc(all, func(a, b placeCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	if len(all) > shownPlaces {
		rest := 0
		for _, p := range all[shownPlaces:] {
			rest += p.Count
		}
		all = append(all[:shownPlaces:shownPlaces], placeCount{"other places", rest})
	}
	return all
}

func placeOf(items map[string]bool, path string) string {
	if item := itemOf(items, path); item != "" {
		return itemLabel(item)
	}
	return folderOf(string(path))
}

// itemPaths are the paths of store items.
func itemPaths(items []StoreItem) map[string]bool {
	paths := make(map[string]bool, len(items))
	for _, it := range items {
		paths[string(it.Path)] = true
	}
	return paths
}

// maxItem bounds the path of a store item, in bytes.
const maxItem = 512

// itemOf returns the store item that a path is or lies in, "" for none.
func itemOf(items map[string]bool, p string) string {
	p = "/" + strings.TrimPrefix(p, "/") + "/"
	for i := 1; i < min(len(p), maxItem); i++ {
		if p[i] == '/' && items[p[:i]] {
			return p[:i]
		}
	}
	return ""
}

// groupViews are the differences by cause, and how many are not shown one by one.
func groupViews(ds []Difference, items map[string]bool) ([]groupView, int) {
	room := pageRows
	var out []groupView
	for _, g := range byCause(ds) {
		v := groupView{group: g, Open: len(g.Differences) <= openRows, Shown: g.Differences}
		if n := min(room, foldRows); len(g.Differences) > n {
			all := patternsOf(g.Differences)
			v.Patterns = rows[pattern]{all[:min(len(all), patternRows)], max(0, len(all)-patternRows)}
			v.Shown = g.Differences[:n]
		} else {
			v.Places = placesOf(g.Differences, items)
		}
		room -= len(v.Shown)
		out = append(out, v)
	}
	left := 0
	for _, g := range out {
		left += g.Left()
	}
	return out, left
}

func verdictWord(v rebuild.Verdict) string {
	switch v {
	case rebuild.Reproducible:
		return "Reproducible"
	case rebuild.Equivalent:
		return "Equivalent"
	case rebuild.Vouched:
		return "Vouched for"
	case rebuild.Matching:
		return "Matching"
	case rebuild.Unreproducible:
		return "Not reproducible"
	case rebuild.Different:
		return "Different"
	case rebuild.Contradicted:
		return "Contradicted"
	case rebuild.BuildFailed:
		return "Build failed"
	}
	return "Unverified"
}

func tone(v rebuild.Verdict) string {
	switch v {
	case rebuild.Reproducible, rebuild.Equivalent, rebuild.Vouched:
		return "good"
	case rebuild.Unverified, rebuild.Matching:
		return "open"
	}
	return "bad"
}
