package report

import (
	"html/template"

	"audit/inspect"
	"audit/rebuild"
)

// A page is a report as its HTML lays it out.
type page struct {
	*Report
	CSP     string // content security policy
	Style   template.CSS
	Word    string // the verdict as a heading
	Tone    string // good, open or bad: the class that colours the verdict
	Rungs   []rung
	Rows    rows[itemRow]   // the store items
	Origins bool            // it is known where the rebuilt store items came from
	Cards   rows[Member]    // the members of the archive
	Pairs   rows[LayerPair] // the layers side by side
	Layers  rows[Layer]
	Packed  rows[Package]
	Groups  []groupView
	Hidden  int // differences beyond maxRows
	Replay  string
	Ran     string
	Hand    handGuide
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
	Check
	Share    Share
	Problems int
	Open     bool // its findings are the reason for a fail or an unknown
	Rows     rows[Finding]
}

// An itemRow is a store item and where the rebuilt one came from.
type itemRow struct {
	StoreItem
	How string // "" when nothing was rebuilt
}

// A groupView is the differences of one cause, in folds that a browser can
// open without effort.
type groupView struct {
	group
	Folds []fold
	Open  bool
}

// A fold is a run of differences: the From-th to the To-th of their cause.
type fold struct {
	From, To    int
	Differences []Difference
}

const (
	foldRows = 500
	openRows = 20 // a group of so few is open from the start
)

func newPage(r *Report) page {
	p := page{
		Report: r,
		CSP:    policyOf(style),
		Style:  template.CSS(style),
		Word:   verdictWord(r.Verdict),
		Tone:   tone(r.Verdict),
		Rows:   firstRows(itemRows(r)),
		Cards:  firstRows(r.Image.Members),
		Layers: firstRows(r.Image.Layers),
		Packed: firstRows(r.Recipe.Packages),
		Hand:   byHand(r),
	}
	for i, c := range r.Checks {
		p.Rungs = append(p.Rungs, newRung(c, r.Coverage, i))
	}
	if r.Plan != nil {
		p.Replay = shellWords(r.Plan.Command)
	}
	if r.Rebuild != nil {
		p.Ran = shellWords(r.Rebuild.Command)
		it := r.Rebuild.Items
		p.Origins = len(it.Built)+len(it.Reused)+len(it.Substituted) > 0
	}
	if c := r.Comparison; c != nil {
		p.Pairs = firstRows(c.Layers)
		p.Groups, p.Hidden = groupViews(c.Differences)
	}
	return p
}

func newRung(c Check, cov Coverage, i int) rung {
	g := rung{Check: c, Rows: firstRows(c.Findings)}
	if i < len(cov.Checks) {
		g.Share = cov.Checks[i]
	}
	for _, f := range c.Findings {
		if f.Level == inspect.Problem {
			g.Problems++
		}
	}
	g.Open = g.Problems > 0 && g.Problems <= openRows
	return g
}

func itemRows(r *Report) []itemRow {
	how := map[Text]string{}
	if r.Rebuild != nil {
		for _, p := range r.Rebuild.Items.Built {
			how[p] = "built now"
		}
		for _, p := range r.Rebuild.Items.Reused {
			how[p] = "reused"
		}
		for _, s := range r.Rebuild.Items.Substituted {
			how[s.Path] = "substituted from " + string(s.Source)
		}
	}
	out := make([]itemRow, 0, len(r.StoreItems))
	for _, it := range r.StoreItems {
		out = append(out, itemRow{it, how[it.Path]})
	}
	return out
}

// groupViews folds the differences and returns how many are left out.
func groupViews(ds []Difference) ([]groupView, int) {
	room := maxRows
	var out []groupView
	for _, g := range byCause(ds) {
		n := min(room, len(g.Differences))
		room -= n
		v := groupView{group: g, Open: len(g.Differences) <= openRows}
		for from := 0; from < n; from += foldRows {
			to := min(from+foldRows, n)
			v.Folds = append(v.Folds, fold{from + 1, to, g.Differences[from:to]})
		}
		out = append(out, v)
	}
	return out, len(ds) - (maxRows - room)
}

func verdictWord(v rebuild.Verdict) string {
	switch v {
	case rebuild.Reproducible:
		return "Reproducible"
	case rebuild.Equivalent:
		return "Equivalent"
	case rebuild.Unreproducible:
		return "Not reproducible"
	case rebuild.Contradicted:
		return "Contradicted"
	case rebuild.BuildFailed:
		return "Build failed"
	}
	return "Unverified"
}

func tone(v rebuild.Verdict) string {
	switch v {
	case rebuild.Reproducible, rebuild.Equivalent:
		return "good"
	case rebuild.Unverified:
		return "open"
	}
	return "bad"
}
