package fleet

import (
	"bufio"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/report"
)

//go:embed summary.tmpl.html
var pageText string

// Bounds of a page, which must open on a phone: what is left out is counted where it is
// missing.
const (
	maxPageRows  = 1000 // of images, in one table
	maxPageItems = 100  // of anything else
	maxMost      = 25
)

// A table is one of images.
type table struct {
	ID, Title string
	Rows      []*Row
	More      int
}

// A move is one kind of change.
type move struct {
	Title string
	Count int
	First []string
	More  int
}

// A pageTally is one count at the top of a page.
type pageTally struct {
	Word  string
	Count int
	Tone  string
}

type page struct {
	*Summary
	Title, CSP, Tone string
	Style            template.CSS
	Tallies          []pageTally
	Failing, All     table
	Most             []*Row
	Moves            []move
}

// WriteHTML writes the summary as one self-contained page. Nothing is fetched, and there
// is no script.
func WriteHTML(w io.Writer, s *Summary) error {
	tmpl, err := template.New("summary").Funcs(template.FuncMap{
		"plain": func(v any) string { return report.Printable(check.ClipTo(fmt.Sprint(v), 500)) },
		"bytes": report.Bytes, "seconds": report.Seconds, "plural": plural, "percent": percent,
		"tone": tone, "word": word, "why": why, "marks": marks, "first": firstOf(maxPageItems), "few": firstOf(maxMost),
		"left": func(n int) int { return max(0, n-maxPageItems) },
		"link": func(r *Row) bool { return s.Linked && keyForm.MatchString(r.Key) },
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("parsing the page: %w", err)
	}
	out := bufio.NewWriterSize(w, 64<<10)
	if err := tmpl.Execute(out, newPage(s)); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return out.Flush()
}

// keyForm is that of the keys of results.
var keyForm = regexp.MustCompile(`^[0-9a-f]{64}-[0-9a-f]{32}$`)

func newPage(s *Summary) *page {
	style, policy := report.Style()
	p := &page{Summary: s, CSP: policy, Style: template.CSS(style), Tone: "good", Title: "All images hold"}
	if s.Counts.Images == 0 {
		p.Tone, p.Title = "bad", "No image"
	}
	if !s.Policy.Holds {
		p.Tone, p.Title = "bad", fmt.Sprintf("%d of %s fail", s.Policy.Failing, plural(s.Counts.Images, "image"))
	}
	for _, v := range worst {
		if n := s.Counts.Verdicts[v]; n > 0 {
			p.Tallies = append(p.Tallies, pageTally{v, n, verdictTone(v)})
		}
	}
	for _, state := range []State{Missing, BadResult, Unreadable, NotDone, Trying} {
		if n := s.Counts.States[string(state)]; n > 0 {
			p.Tallies = append(p.Tallies, pageTally{string(state), n, "fail"})
		}
	}
	var failing, all []*Row
	for i := range s.Images {
		r := &s.Images[i]
		all = append(all, r)
		if !r.Holds {
			failing = append(failing, r)
		}
	}
	p.Failing = tableOf("failing-rows", "Failing images, the worst first", failing)
	p.All = tableOf("all-rows", "All images, the worst first", all)
	most := slices.DeleteFunc(slices.Clone(all), func(r *Row) bool { return r.Nobody == 0 })
	slices.SortStableFunc(most, func(x, y *Row) int { return int(min(1, max(-1, y.Nobody-x.Nobody))) })
	p.Most = most[:min(len(most), maxMost)]
	if c := s.Changes; c != nil {
		for _, m := range []struct {
			title string
			list  []string
		}{
			{"Worse than before", c.Worse}, {"Had a result, and have none", c.Lost}, {"Lead to another image", c.Moved}, {"New", c.New},
			{"Gone", c.Gone}, {"Better than before", c.Better}, {"Had no result, and have one", c.Found},
		} {
			if len(m.list) == 0 {
				continue
			}
			n := min(len(m.list), maxPageItems)
			p.Moves = append(p.Moves, move{m.title, len(m.list), m.list[:n], len(m.list) - n})
		}
	}
	return p
}

func tableOf(id, title string, rows []*Row) table {
	n := min(len(rows), maxPageRows)
	return table{id, title, rows[:n], len(rows) - n}
}

// firstOf returns a function that shortens any list.
func firstOf(most int) func(list any) any {
	return func(list any) any {
		v := reflect.ValueOf(list)
		return v.Slice(0, min(v.Len(), most)).Interface()
	}
}

func percent(part, of int64) string {
	if of == 0 {
		return "none"
	}
	return fmt.Sprintf("%.1f %%", float64(part)*100/float64(of))
}

// word is the verdict on an image, or why there is none.
func word(r *Row) string {
	if r.State != Done {
		return string(r.State)
	}
	return r.Verdict
}

func tone(r *Row) string {
	if r.State != Done {
		return "fail"
	}
	return verdictTone(r.Verdict)
}

func verdictTone(verdict string) string {
	switch {
	case slices.Index(worst, verdict) < slices.Index(worst, "unverified"):
		return "fail"
	case verdict == "unverified":
		return ""
	}
	return "pass"
}

// why says why an image has no result, or what is demanded and not so; and what stands out.
func why(r *Row) string {
	if r.State != Done {
		return r.Problem
	}
	return strings.Join(slices.DeleteFunc([]string{r.Violation, r.Problem}, func(s string) bool { return s == "" }), ". ")
}

// marks names the checks of a row that did not pass, and counts the others.
func marks(r *Row) string {
	if len(r.Statuses) == 0 {
		return ""
	}
	passed, named := 0, make(map[check.Status][]string)
	for i, status := range r.Statuses {
		if status == check.Pass {
			passed++
		} else if i < len(check.IDs()) && status != check.Skipped {
			named[status] = append(named[status], string(check.IDs()[i]))
		}
	}
	text := fmt.Sprintf("%d pass", passed)
	for _, status := range []check.Status{check.Fail, check.Unknown} {
		if len(named[status]) > 0 {
			text += "; " + status.String() + ": " + strings.Join(named[status], ", ")
		}
	}
	return text
}
