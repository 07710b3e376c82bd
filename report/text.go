package report

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"audit/inspect/check"
	"audit/inspect/compression"
	"audit/inspect/image"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// TextOptions say how a report is written for a terminal.
type TextOptions struct {
	Color   bool   // colour the statuses and the verdict
	Verbose bool   // all of it: notes, what is not trusted, and what the verdict does not say
	Folder  string // where report.html and the other results were written; "" when nowhere
	Width   int    // columns of the terminal, in which long lines are broken; 0 leaves the lines of tables whole
}

// width is that of sentences.
func (o TextOptions) width() int {
	if o.Width == 0 {
		return textWidth
	}
	return max(textNarrow, min(o.Width, textWidth))
}

// What fits in a terminal window: the whole summary, and parts of it.
const (
	textLines    = 41
	textFindings = 10
	textFewest   = 3 // findings, when causes need the room
	textCauses   = 6 // causes, at least
	textKnown    = 3
	textTrusted  = 3             // things that are not trusted
	textDemands  = 8             // rules of a policy that are broken
	textDemand   = 3 * textWidth // runes of one of these, with the file that shows it
	textAround   = 3             // a blank line, a title, and what is left out
	textColumn   = 11            // runes of the names of checks and causes, at least
	textWidth    = 100
	textNarrow   = 40   // columns of a terminal, at least
	textVerbose  = 1000 // lines, where all is asked for
	textSample   = 20   // differences of which some are named; of more, what their paths have alike
	textClip     = 160  // runes of one value
)

// WriteText writes the report for a terminal: the verdict with its reason, what to do
// next, a line a check, who vouches for the bytes, the weightiest findings with their
// paths, and the differences counted by cause; those come before the checks where two
// images were compared and nothing else was asked. It is at most 40 lines, unless all is
// asked for. Nothing of the image can steer the terminal.
func WriteText(w io.Writer, r *Report, opt TextOptions) error {
	paint := painter(opt.Color)
	head := slices.Concat(textAnswer(r, paint, opt.width()), textHead(r))
	checks := textChecks(r, paint)
	checks = append(checks, textVouchers(r, opt.width())...)
	tail := append(textLimits(r, 1, opt.width()), textTail(r, opt)...)
	room := textLines - len(head) - len(checks) - len(tail)
	if opt.Verbose {
		room = textVerbose
		tail = slices.Concat(textTrust(r), textLimits(r, len(r.limits()), opt.width()), textTail(r, opt))
	}
	few := textFindingLines(r, textFewest+textAround, opt.Verbose)
	differences := r.textComparison(room - len(few))
	findings := textFindingLines(r, room-len(differences), opt.Verbose)
	lines := slices.Concat(head, checks, findings, differences, tail)
	if r.notAsked(check.Recipe) {
		lines = slices.Concat(head[:len(head)-1], differences, []string{""}, checks, findings, tail)
	}
	if len(lines) > textLines && !opt.Verbose {
		lines = append(lines[:textLines-1], "… more with -v, and in report.json")
	}
	if opt.Width > 0 {
		lines = foldLines(lines, max(textNarrow, opt.Width))
	}
	if _, err := io.WriteString(w, defused(strings.Join(lines, "\n")+"\n")); err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return nil
}

// textAnswer is the verdict, its reason, and what to do next.
func textAnswer(r *Report, paint paintFunc, width int) []string {
	lines := wrap(Printable(r.Verdict.String()+": "+r.meaning()), "", "  ", width)
	lines[0] = paint(verdictColour(r.Verdict), r.Verdict.String()) + strings.TrimPrefix(lines[0], r.Verdict.String())
	for _, step := range r.next() {
		lines = append(lines, wrap(Printable(step), "next: ", "      ", width)...)
	}
	return append(lines, "")
}

// textVouchers says who vouches for the bytes.
func textVouchers(r *Report, width int) []string {
	if parts := voucherShares(r.Coverage.Vouchers); parts != "" {
		return wrap("who vouches for the "+bytesWords(r.Coverage.Contents)+r.ofRead()+": "+parts, "", "  ", width)
	}
	return nil
}

func textHead(r *Report) []string {
	img := r.Image
	facts := []string{short(string(img.Transport))}
	if img.Compression != compression.None && img.Compression != "" {
		facts = append(facts, short(string(img.Compression)))
	}
	if img.Platform != "" {
		facts = append(facts, short(img.Platform))
	}
	facts = append(facts, count(len(img.Layers), "layer"), bytesWords(img.UncompressedSize))
	head := []string{fmt.Sprintf("%s  (%s)", short(img.Reference), strings.Join(facts, ", "))}
	if others := otherPlatforms(img); len(others) > 0 {
		head = append(head, short("its index also names "+strings.Join(others, ", ")))
	}
	if rc := r.Recipe; rc.Packer != "" {
		head = append(head, strings.TrimSuffix(short(rc.Packer)+"; "+r.recipeCounts(), "; "))
	}
	if words := r.statementCounts(); words != "" {
		head = append(head, short(words))
	}
	return append(head, "")
}

// otherPlatforms names the platforms of an index that have another image, each once.
func otherPlatforms(img Image) (names []string) {
	seen := make(map[string]bool)
	for _, p := range img.Platforms {
		seen[p.Platform] = seen[p.Platform] || p.Chosen
	}
	for _, p := range img.Platforms {
		if p.Kind == image.ImageEntry && p.Platform != "" && !seen[p.Platform] {
			seen[p.Platform] = true
			names = append(names, p.Platform)
		}
	}
	return names
}

// textChecks is a line a check; those that were not asked for are one.
func textChecks(r *Report, paint paintFunc) []string {
	lines := []string{fmt.Sprintf("%-7s  %-11s  %5s", "status", "check", "bytes")}
	var unasked []string
	for i, c := range r.Checks {
		if r.notAsked(c.ID) {
			unasked = append(unasked, string(c.ID))
			continue
		}
		covered := "-"
		if i < len(r.Coverage.Checks) && r.Coverage.Checks[i].Bytes > 0 {
			covered = percentOf(r.Coverage.Checks[i].Share, r.Coverage.Checks[i].Bytes)
		}
		status := paint(statusColour(c.Status), fmt.Sprintf("%-7s", c.Status))
		lines = append(lines, fmt.Sprintf("%s  %-11s  %5s  %s", status, c.ID, covered, short(r.Summary(c))))
	}
	if len(unasked) > 0 {
		lines = append(lines, "not asked for: "+strings.Join(unasked, ", "))
	}
	return lines
}

// A weighed finding is one with the check that it belongs to.
type weighed struct {
	check check.ID
	Finding
}

// byWeight lists all findings, the weightiest first: what lends
// rights and is explained by nothing, then problems before what could not be
// decided before notes, and within a level in the order of the checks.
func (r *Report) byWeight() []weighed {
	var all []weighed
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			all = append(all, weighed{c.ID, f})
		}
	}
	slices.SortStableFunc(all, func(a, b weighed) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(b.Level, a.Level))
	})
	return all
}

// rank is 0 for what lends rights and is explained by nothing, which comes before
// all else, and 1 for the rest.
func (f Finding) rank() int {
	lends := []string{"closure/setuid-file", "closure/setgid-file", "closure/capability-file", "closure/device", "closure/private-key"}
	if f.Level > check.Note && slices.Contains(lends, f.Code) {
		return 0
	}
	return 1
}

// textTrust names what a rebuild would run or fetch and may not.
func textTrust(r *Report) (lines []string) {
	if r.Plan == nil {
		return nil
	}
	for _, t := range r.Plan.Trust {
		if t.Trusted {
			continue
		}
		if len(lines) == textTrusted {
			return append(lines, "  … and more in report.json")
		}
		lines = append(lines, "  "+clip(textUntrusted(r, t), maxTrustText))
	}
	if len(lines) > 0 {
		lines = append([]string{"", "not trusted to be run or fetched"}, lines...)
	}
	return lines
}

// maxTrustText bounds what is shown of one thing that is not trusted, in bytes.
const maxTrustText = 600

// textUntrusted says of one thing why it is not trusted and what would allow it,
// each once: most reasons name them already.
func textUntrusted(r *Report, t Trust) string {
	line := Printable(r.Say(t.Reason))
	if t.Reason.Args["address"] == nil && t.Reason.Args["option"] == nil && t.Reason.Args["name"] == nil {
		line = Printable(strings.TrimSpace(t.Kind+" "+t.Name)+" at "+t.URL) + ": " + line
	}
	if t.Flag != "" && t.Reason.Args["flag"] == nil {
		line += "; " + Printable(t.Flag) + " would allow it"
	}
	return line
}

// textFindingLines lists the findings, as many as there is room for: notes only where
// all is asked for.
func textFindingLines(r *Report, room int, verbose bool) []string {
	var all []string
	var of []Finding
	notes := 0
	for _, f := range r.byWeight() {
		if f.Level == check.Note && !verbose {
			notes++
			continue
		}
		label := string(f.check)
		if verbose {
			label = Printable(f.Code)
		}
		all, of = append(all, textFinding(label, f.Finding, r.Words(f.Finding))), append(of, f.Finding)
	}
	more := ""
	if notes > 0 {
		more = count(notes, "note") + " with -v"
	}
	most := textFindings
	if verbose {
		most = room
	}
	shown := max(0, min(len(all), most, room-textAround))
	lines := append([]string{"", "findings"}, all[:shown]...)
	if verbose {
		lines[1] += ", each explained by audit help CODE"
	}
	more = strings.Trim(moreFindings(of[shown:])+"; "+more, "; ")
	switch {
	case len(all) == 0 && more == "":
		return nil
	case len(all) == 0:
		return []string{more}
	case more != "":
		lines = append(lines, "  "+more)
	}
	return lines
}

// textFinding is the line of a finding, after its check or, where all is asked for, its code.
func textFinding(label string, f Finding, words string) string {
	where := shortPath(Printable(f.Path), textClip)
	if f.Layer >= 0 {
		where = strings.TrimSpace(fmt.Sprintf("%s (layer %d)", where, f.Layer))
	}
	if where != "" {
		where += ": "
	}
	return fmt.Sprintf("  %-11s  %s%s", label, where, short(words))
}

// textComparison counts the differences by cause, in about so many lines: all
// causes where they fit, and the weightiest in any case.
func (r *Report) textComparison(room int) []string {
	c := r.Comparison
	if c == nil {
		return nil
	}
	lines := []string{"", "differences: " + textLayers(c)}
	groups := byCause(c.Differences)
	known := c.Known[:min(len(c.Known), textKnown)]
	room -= textAround + len(known)
	if len(c.Config) > 0 {
		room--
	}
	shown := groups
	if len(groups) > room+1 { // all of them need no line about the rest
		shown = groups[:min(len(groups), max(room, textCauses))]
	}
	width := textColumn
	for _, g := range shown {
		width = max(width, utf8.RuneCountInString(short(string(g.Cause))))
	}
	if n := len(c.Config); n > 0 {
		lines = append(lines, fmt.Sprintf("  %-*s  %5d  %s", width, "config", n, short(fieldNames(c.Config))))
	}
	for _, g := range shown {
		lines = append(lines, fmt.Sprintf("  %-*s  %5d  %s", width, short(string(g.Cause)), len(g.Differences), samplePaths(g.Differences)))
	}
	if rest := len(groups) - len(shown); rest > 0 {
		lines = append(lines, fmt.Sprintf("  … and %s more in report.json", count(rest, "cause")))
	}
	for _, k := range known {
		lines = append(lines, fmt.Sprintf("  known: %s, %d of them: %s", short(k.name()), k.Count, short(r.known(k))))
	}
	return lines
}

func textLayers(c *Comparison) string {
	equal := 0
	for _, l := range c.Layers {
		if l.Equal {
			equal++
		}
	}
	return fmt.Sprintf("%d of %s equal", equal, count(len(c.Layers), "layer"))
}

// fieldNames lists fields of the config, those that say something of their own
// first.
func fieldNames(fields []FieldDifference) string {
	own, derived := splitFields(fields)
	var names []string
	for _, f := range own {
		names = append(names, cmp.Or(string(f.Field), "all of it"))
	}
	for _, f := range derived {
		names = append(names, string(f.Field)+" ("+string(f.Cause)+")")
	}
	return strings.Join(names, ", ")
}

// name is the path of a difference on a line, with the new one of what was renamed, and
// whether it lends rights.
func (d *Difference) name() string {
	name := shortPath(Printable(d.Path), textClip)
	if d.Cause == compare.Renamed && d.Now != "" {
		name = shortPath(Printable(d.Path), textClip/2) + " → " + shortPath(Printable(d.Now), textClip/2)
	}
	if d.Privileged {
		name += " (lends rights)"
	}
	return name
}

// samplePaths names the first two paths of a group and counts the others. Of many it
// counts what their paths have alike, after the first one that lends rights.
func samplePaths(ds []Difference) string {
	if len(ds) > textSample && ds[0].Privileged {
		rights := 0
		for rights < len(ds) && ds[rights].Privileged {
			rights++
		}
		first := ds[0].name()
		if rights > 1 {
			first += fmt.Sprintf(" and %d more that do", rights-1)
		}
		if rights == len(ds) {
			return first
		}
		return first + ", " + samplePaths(ds[rights:])
	}
	if len(ds) > textSample {
		all := patternsOf(ds)
		text := fmt.Sprintf("%s (%d)", short(all[0].Glob), all[0].Count)
		if len(all) > 1 {
			text += fmt.Sprintf(", %s (%d)", short(all[1].Glob), all[1].Count)
		}
		if rest := len(ds) - all[0].Count - all[min(1, len(all)-1)].Count; len(all) > 2 {
			text += fmt.Sprintf(" and %d elsewhere", rest)
		}
		return text
	}
	names := []string{cmp.Or(ds[0].name(), "the layer as a whole")}
	for _, d := range ds[1:] {
		if len(names) == 2 {
			break
		}
		if d.Path != ds[0].Path {
			names = append(names, cmp.Or(d.name(), "a layer as a whole"))
		}
	}
	if rest := len(ds) - len(names); rest > 0 {
		return strings.Join(names, ", ") + fmt.Sprintf(" and %d more", rest)
	}
	return strings.Join(names, ", ")
}

// textLimits are what the verdict does not say, at most so many of them.
func textLimits(r *Report, most, width int) []string {
	lines := []string{""}
	for _, l := range r.limits()[:min(len(r.limits()), most)] {
		lines = append(lines, wrap(Printable(l), "", "  ", width)...)
	}
	return lines
}

// textTail is whether the policy holds, and where the results are.
func textTail(r *Report, opt TextOptions) (lines []string) {
	if p := r.Policy; p.Require != "" {
		holds := map[bool]string{true: "holds", false: "does not hold"}[p.Holds]
		lines = append(lines, fmt.Sprintf("policy %s: %s", short(p.Title()), holds))
		demands := r.demands()
		for _, text := range demands[:min(len(demands), textDemands)] {
			lines = append(lines, wrap(briefly(Printable(text), textDemand), "  ", "    ", opt.width())...)
		}
		if rest := len(demands) - textDemands; rest > 0 {
			lines = append(lines, fmt.Sprintf("  … and %s in report.json", count(rest, "more rule")))
		}
	}
	if opt.Folder != "" {
		lines = append(lines, "report: "+Printable(filepath.Join(opt.Folder, "report.html"))+"; report.json and the other results lie beside it")
	}
	return lines
}

// A group is the differences of one cause.
type group struct {
	Cause       compare.Cause
	Differences []Difference
}

// byCause groups differences, those that weigh most first, and orders those of a cause
// in the same way.
func byCause(ds []Difference) []group {
	index := map[compare.Cause]int{}
	var groups []group
	for _, d := range ds {
		i, ok := index[d.Cause]
		if !ok {
			i = len(groups)
			index[d.Cause] = i
			groups = append(groups, group{Cause: d.Cause})
		}
		groups[i].Differences = append(groups[i].Differences, d)
	}
	slices.SortFunc(groups, func(a, b group) int {
		return cmp.Or(cmp.Compare(compare.Weight(a.Cause, "", false, false), compare.Weight(b.Cause, "", false, false)), cmp.Compare(a.Cause, b.Cause))
	})
	for _, g := range groups {
		compare.SortByWeight(g.Differences, (*Difference).weight)
	}
	return groups
}

// weight is how much a difference matters to whoever runs the image, less of it being more.
func (d *Difference) weight() int {
	return compare.Weight(d.Cause, d.Known, d.Privileged, d.decides(), d.paths()...)
}

// paths are those of a difference: a file under another name has two.
func (d *Difference) paths() []string {
	if d.Cause == compare.Renamed {
		return []string{d.Path, d.Now}
	}
	return []string{d.Path}
}

// decides says whether a difference is about what decides who may do what.
func (d *Difference) decides() bool {
	return compare.Decides(d.Cause, compare.TextValue(d.Was), compare.TextValue(d.Now), d.paths()...)
}

// short is a value on one line of a terminal.
func short(t string) string { return briefly(Printable(t), textClip) }

// briefly cuts a text to so many runes, first its digests, then all of it in front of a word
// where there is one.
func briefly(s string, most int) string {
	if utf8.RuneCountInString(s) > most {
		s = longDigest.ReplaceAllString(s, "$1…")
	}
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	cut := string([]rune(s)[:most-2])
	if i := strings.LastIndexByte(cut, ' '); i > len(cut)/2 {
		return strings.TrimRight(cut[:i], " ,;:") + " …"
	}
	return cut + " …"
}

// shortPath cuts a path to so many runes, in the middle: its end says which file it is.
func shortPath(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	head, tail := string(runes[:most/3]), string(runes[len(runes)-(most-most/3-1):])
	if i := strings.LastIndexByte(head, '/'); i > 0 {
		head = head[:i+1]
	}
	if i := strings.IndexByte(tail, '/'); i >= 0 {
		tail = tail[i:]
	}
	return head + "…" + tail
}

// foldLines breaks lines that are wider than a terminal between words. What follows begins
// below the last column of its line.
func foldLines(lines []string, width int) []string {
	var out []string
	for _, line := range lines {
		colours := ""
		if i := strings.LastIndexByte(line, '\x1b'); i >= 0 { // only what a line begins with has any
			i += strings.IndexByte(line[i:], 'm') + 1
			colours, line = line[:i], line[i:]
		}
		painted := utf8.RuneCountInString(sgr.ReplaceAllString(colours, ""))
		indent := strings.Repeat(" ", lastColumn(line, painted, width))
		parts := fold(line, indent, width-painted, width)
		out = append(out, colours+parts[0])
		out = append(out, parts[1:]...)
	}
	return out
}

var sgr = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// lastColumn is where the last column of a line begins, after two spaces or more in its
// first half, which some painted runes come before; or else two more than its indentation.
func lastColumn(line string, painted, width int) int {
	head := []rune(line)
	head = head[:max(0, min(len(head), width/2-painted))]
	for i := len(head) - 1; i > 1; i-- {
		if head[i] != ' ' && head[i-1] == ' ' && head[i-2] == ' ' && strings.TrimSpace(string(head[:i])+strings.Repeat("x", painted)) != "" {
			return painted + i
		}
	}
	return len(line) - len(strings.TrimLeft(line, " ")) + 2
}

// fold breaks one line, whose first part has fewer columns than those that follow.
func fold(line, indent string, first, width int) (parts []string) {
	rest, left, start := []rune(line), first, 0
	for len(rest) > left {
		cut := left
		for cut > start && rest[cut] != ' ' {
			cut--
		}
		if cut == start { // a word that is longer than the line
			for cut = left; cut < len(rest) && rest[cut] != ' '; {
				cut++
			}
			if cut == len(rest) {
				break
			}
		}
		parts = append(parts, strings.TrimRight(string(rest[:cut]), " "))
		rest, left, start = []rune(indent+string(rest[cut+1:])), width, len(indent)
	}
	return append(parts, string(rest))
}

// wrap breaks a sentence of ours between words.
func wrap(s, first, next string, width int) []string {
	var lines []string
	line := first
	for i, word := range strings.Fields(s) {
		if i > 0 && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = next + word
			continue
		}
		if i > 0 {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// A paintFunc wraps text in an SGR sequence (ECMA-48), or leaves it alone.
type paintFunc func(sgr, text string) string

func painter(color bool) paintFunc {
	return func(sgr, text string) string {
		if !color {
			return text
		}
		return "\x1b[" + sgr + "m" + text + "\x1b[0m"
	}
}

const (
	green  = "32"
	red    = "31"
	yellow = "33"
	dim    = "2"
	bold   = "1"
)

func statusColour(s check.Status) string {
	switch s {
	case check.Pass:
		return green
	case check.Fail:
		return red
	case check.Skipped:
		return dim
	}
	return yellow
}

func verdictColour(v rebuild.Verdict) string {
	switch v {
	case rebuild.Reproducible, rebuild.Equivalent, rebuild.Vouched:
		return bold + ";" + green
	case rebuild.Unverified, rebuild.Matching:
		return bold + ";" + yellow
	}
	return bold + ";" + red
}
