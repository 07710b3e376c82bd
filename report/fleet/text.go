package fleet

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"audit/report"
)

// plural is a count with its noun.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// Headline is the answer in one sentence.
func (s *Summary) Headline() string {
	done := s.Counts.States[string(Done)]
	text := fmt.Sprintf("%d of %s have a result", done, plural(s.Counts.Images, "image"))
	if done == s.Counts.Images {
		switch text = "All " + plural(done, "image") + " have a result"; done {
		case 1:
			text = "The one image has a result"
		case 2:
			text = "Both images have a result"
		}
	}
	if s.Counts.Images == 0 {
		text = "There is no image"
	}
	demand := "a result is demanded of each"
	if s.Policy.Require != "" {
		demand = s.Policy.Require + " is demanded of each"
	}
	switch {
	case s.Counts.Images == 0:
	case s.Policy.Holds:
		text += "; " + demand + ", and holds"
	default:
		text += fmt.Sprintf("; %s, and does not hold for %d", demand, s.Policy.Failing)
	}
	return text + "."
}

// verdicts are all, the worst first, as people read them.
var worst = []string{"contradicted", "unreproducible", "build-failed", "different", "unverified", "matching", "vouched", "equivalent", "reproducible"}

// maxLines bounds the images that a text names.
const maxLines = 20

// WriteText writes what a person needs to know first.
func WriteText(w io.Writer, s *Summary) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, s.Headline())
	var counts []string
	for _, v := range worst {
		if n := s.Counts.Verdicts[v]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, v))
		}
	}
	for _, state := range []State{Missing, BadResult, Unreadable, NotDone, Trying} {
		if n := s.Counts.States[string(state)]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, state))
		}
	}
	if len(counts) > 0 {
		fmt.Fprintf(out, "\n  %s\n", strings.Join(counts, ", "))
	}
	if c := s.Changes; c != nil {
		fmt.Fprintf(out, "  since then: %d new, %d gone, %d moved, %d worse, %d better, %d lost, %d found\n", len(c.New), len(c.Gone), len(c.Moved), len(c.Worse), len(c.Better), len(c.Lost), len(c.Found))
	}
	if len(s.Contents) > 0 {
		fmt.Fprintf(out, "  %s with more than one content, such as %s\n", plural(len(s.Contents), "store path"), report.Printable(s.Contents[0].Path))
	}
	if len(s.Unlike) > 0 {
		fmt.Fprintf(out, "  %s of images whose layers differ\n", plural(len(s.Unlike), "recipe"))
	}
	if s.Unlisted > 0 {
		fmt.Fprintf(out, "  %s with a result or a status, of another list: not counted\n", plural(s.Unlisted, "image"))
	}
	var failing, standing []*Row
	for i := range s.Images {
		if !s.Images[i].Holds {
			failing = append(failing, &s.Images[i])
		}
	}
	for _, r := range s.standingOut() {
		if r.Holds {
			standing = append(standing, r)
		}
	}
	writeRows(out, "", failing)
	writeRows(out, "to be looked at, though what is demanded holds:", standing)
	for i, b := range s.Bad {
		if i == maxLines {
			fmt.Fprintf(out, "  … and %d more files that cannot be read or relied on\n", len(s.Bad)-i)
			break
		}
		fmt.Fprintf(out, "  not relied on: %s: %s\n", report.Printable(b.Path), report.Printable(b.Problem))
	}
	return out.Flush()
}

// standingOut are the images with a result in which something is to be looked at first.
func (s *Summary) standingOut() (all []*Row) {
	for i := range s.Images {
		if r := &s.Images[i]; r.State == Done && r.Problem != "" {
			all = append(all, r)
		}
	}
	return all
}

// writeRows names the first of some images, below a title where there is one.
func writeRows(out io.Writer, title string, rows []*Row) {
	if len(rows) > 0 {
		fmt.Fprintln(out)
	}
	if len(rows) > 0 && title != "" {
		fmt.Fprintln(out, "  "+title)
	}
	for _, r := range rows[:min(len(rows), maxLines)] {
		fmt.Fprintf(out, "  %-14s %s: %s\n", report.Printable(word(r)), report.Printable(r.Reference), report.Printable(why(r)))
	}
	if more := len(rows) - maxLines; more > 0 {
		fmt.Fprintf(out, "  … and %d more\n", more)
	}
}
