package fleet

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"audit/inspect/check"
	"audit/report"
)

// WriteCSV writes all images, a row each, or one for each name that the list has for an
// image. A cell that a spreadsheet would take for a formula is quoted with an apostrophe.
func WriteCSV(w io.Writer, s *Summary) error {
	out := csv.NewWriter(w)
	head := []string{"name", "image", "digest", "audited", "state", "verdict", "holds", "why not", "change", "problem"}
	for _, id := range check.IDs() {
		head = append(head, string(id))
	}
	head = append(head, "system", "recipe found", "recipe digest", "can be built again", "layer bytes", "content bytes", "nobody's bytes", "created", "seconds", "tries")
	if err := out.Write(head); err != nil {
		return err
	}
	for i := range s.Images {
		r := &s.Images[i]
		for _, name := range orOne(r.Names) {
			cells := []string{name, r.Reference, r.Digest, r.Audited, string(r.State), r.Verdict, strconv.FormatBool(r.Holds), r.Violation, r.Change, r.Problem}
			for n := range check.IDs() {
				status := ""
				if n < len(r.Statuses) {
					status = r.Statuses[n].String()
				}
				cells = append(cells, status)
			}
			cells = append(cells, r.System, r.Recipe, r.Texts, strconv.FormatBool(r.Planned), fmt.Sprint(r.Total), fmt.Sprint(r.Contents), fmt.Sprint(r.Nobody),
				r.Created, strconv.FormatFloat(r.Seconds, 'f', 1, 64), fmt.Sprint(r.Tries))
			for n := range cells {
				cells[n] = cell(cells[n])
			}
			if err := out.Write(cells); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

var formula = regexp.MustCompile(`(;["' ]*)([=+@＝＋－＠-])`)

func orOne(names []string) []string {
	if len(names) == 0 {
		return []string{""}
	}
	return names
}

// cell is a text as a spreadsheet can have it: what begins as a formula does not, nor what
// follows a semicolon, which ends a cell where a comma is for decimals (owasp.org, "CSV
// Injection").
func cell(text string) string {
	text = formula.ReplaceAllString(report.Printable(text), "$1'$2")
	if begins := strings.TrimLeft(text, " \u00a0"); begins != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(begins)[0]) {
		return "'" + text
	}
	return text
}

// WriteMarkdown writes a table for the supplement of a paper: what the list calls an
// image, the image, what it led to on which day, the verdict, and what stands out or why there
// is none.
func WriteMarkdown(w io.Writer, s *Summary) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s\n\n| name | image | digest | audited | verdict | problem |\n|---|---|---|---|---|---|\n", markdown(s.Headline()))
	for _, r := range s.byName() {
		verdict := r.row.Verdict
		if r.row.State != Done {
			verdict = "**" + markdown(string(r.row.State)) + "**"
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", markdown(r.name), code(r.row.Reference), code(r.row.Digest), r.row.Day(), verdict, markdown(r.row.Problem))
	}
	return out.Flush()
}

// A named row is an image under one of its names.
type namedRow struct {
	name string
	row  *Row
}

// byName lists images by their names, then by reference: the order of a paper, not that
// of who looks for what is wrong.
func (s *Summary) byName() (all []namedRow) {
	for i := range s.Images {
		for _, name := range orOne(s.Images[i].Names) {
			all = append(all, namedRow{name, &s.Images[i]})
		}
	}
	slices.SortStableFunc(all, func(x, y namedRow) int {
		return strings.Compare(x.name+"\x00"+x.row.Reference, y.name+"\x00"+y.row.Reference)
	})
	return all
}

// Day is the one on which an image was audited; "" when it was not.
func (r *Row) Day() string {
	if t, err := time.Parse(time.RFC3339, r.Audited); err == nil {
		return t.UTC().Format(time.DateOnly)
	}
	return ""
}

// markdown is a text in a cell of a table.
func markdown(text string) string {
	text = report.Printable(text)
	return strings.NewReplacer("\\", "\\\\", "|", "\\|", "`", "\\`", "*", "\\*", "_", "\\_", "<", "&lt;", ">", "&gt;", "[", "\\[", "]", "\\]", "&", "&amp;").Replace(text)
}

// code is a text between backticks, which cannot be quoted there.
func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.NewReplacer("|", "\\|", "`", "'").Replace(report.Printable(text)) + "`"
}

// WriteLock writes a list of the images as they were on that day, by their digests: audit
// batch takes it again. What has no digest that a registry knows stays as it is.
func WriteLock(w io.Writer, s *Summary) error {
	out := bufio.NewWriter(w)
	rows := slices.Clone(s.Images)
	slices.SortFunc(rows, func(x, y Row) int { return strings.Compare(x.Reference+x.Digest, y.Reference+y.Digest) })
	for _, r := range rows {
		line := r.Reference
		switch {
		case r.Digest == "":
			line = "# " + line + ": " + string(r.State)
		case strings.HasPrefix(line, "docker://") && !strings.Contains(line, "@"):
			line += "@" + r.Digest
		default:
			line += " # " + r.Digest
		}
		if shown := report.Printable(line); shown != line || !canBeListed(r.Reference) {
			line = "# " + shown
		}
		fmt.Fprintln(out, line)
	}
	return out.Flush()
}

// canBeListed says that a line of a list, which ends at " #", can have a reference.
func canBeListed(reference string) bool {
	return !strings.HasPrefix(reference, "::") && !strings.HasPrefix(reference, "#") && strings.TrimSpace(reference) == reference &&
		!strings.Contains(reference, " #") && !strings.ContainsRune(reference, '\ufffd')
}

// WritePrometheus writes counts in the text format of Prometheus, none of them for a
// single image, and no label but from lists of this program.
func WritePrometheus(w io.Writer, s *Summary) error {
	p := metrics{bufio.NewWriter(w)}
	p.head("audit_fleet_images", "Images, by how far the work on them came.")
	for _, state := range append(states(), Missing, BadResult) {
		fmt.Fprintf(p, "audit_fleet_images{state=\"%s\"} %d\n", label(string(state)), s.Counts.States[string(state)])
	}
	p.head("audit_fleet_verdicts", "Images with a result, by verdict.")
	for _, verdict := range worst {
		if n := s.Counts.Verdicts[verdict]; n > 0 {
			fmt.Fprintf(p, "audit_fleet_verdicts{verdict=\"%s\"} %d\n", label(verdict), n)
		}
	}
	p.head("audit_fleet_checks", "Images with a result, by check and how it ended.")
	for _, c := range s.Checks {
		for _, status := range slices.Sorted(maps.Keys(c.Statuses)) {
			fmt.Fprintf(p, "audit_fleet_checks{check=\"%s\",status=\"%s\"} %d\n", label(string(c.ID)), label(status), c.Statuses[status])
		}
	}
	holds := 0
	if s.Policy.Holds {
		holds = 1
	}
	p.one("audit_fleet_policy_holds", "Whether what is demanded holds for all images.", holds)
	p.one("audit_fleet_failing_images", "Images for which it does not hold.", s.Policy.Failing)
	p.one("audit_fleet_standing_out_images", "Images with a result in which something is to be looked at first.", len(s.standingOut()))
	p.one("audit_fleet_unvouched_bytes", "Bytes of files that nobody vouches for.", s.Counts.Nobody)
	p.one("audit_fleet_content_bytes", "Bytes of the files that containers see.", s.Counts.Contents)
	p.one("audit_fleet_conflicting_store_paths", "Store paths with more than one content.", len(s.Contents))
	p.one("audit_fleet_unlike_recipes", "Recipes of images whose layers differ.", len(s.Unlike))
	p.one("audit_fleet_rebuildable_images", "Images of which it is known how to build them again.", s.Recipes.Planned)
	p.one("audit_fleet_unlisted_images", "Images with a result or a status that the list does not have, which are not counted.", s.Unlisted)
	p.one("audit_fleet_bad_files", "Files of results that cannot be read or relied on.", len(s.Bad))
	p.one("audit_fleet_audit_seconds", "Seconds that all audits took.", s.Cost.Seconds)
	oldest := int64(0)
	for _, r := range s.Images {
		if t, err := time.Parse(time.RFC3339, r.Audited); err == nil && (oldest == 0 || t.Unix() < oldest) {
			oldest = t.Unix()
		}
	}
	p.one("audit_fleet_oldest_result_timestamp_seconds", "When the oldest result was made; 0 when there is none.", oldest)
	return p.Flush()
}

type metrics struct{ *bufio.Writer }

func (p metrics) head(name, help string) {
	fmt.Fprintf(p, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
}

func (p metrics) one(name, help string, value any) {
	p.head(name, help)
	fmt.Fprintf(p, "%s %v\n", name, value)
}

// label is the value of one between quotes (Prometheus, "Exposition formats": a
// backslash, a quote and a line feed have an escape, nothing else has).
func label(value string) string {
	return strings.NewReplacer("\\", "\\\\", "\"", "\\\"", "\n", "\\n").Replace(report.Printable(value))
}
