package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"audit/inspect/check"
)

// Bounds of the Markdown: GitHub takes 65,536 characters in a comment. What is
// left out is named; report.json has all of it.
const (
	maxMarkdown = 60_000   // bytes of all
	mdList      = 12 << 10 // bytes of a list
	mdFindings  = 20       // findings
	mdRows      = 20       // differences of one cause
	mdPattern   = 100      // differences, of more of which patterns are listed too
	mdValue     = 200      // bytes of one value
	mdBlock     = 4 << 10  // bytes of a diff or a file
)

// WriteMarkdown writes the report for a pull request or a job summary, in
// GitHub Flavored Markdown (version 0.29) of at most 60,000 bytes. Text that
// the image chose is code, or words in which nothing can be markup, a link, or
// a mention of someone.
func WriteMarkdown(w io.Writer, r *Report) error {
	answer, about := mdAnswer(r), mdChecks(r)+mdAbout(r)
	sections := fitting{room: maxMarkdown - len(answer) - len(about)}
	findings, differences := mdFindingList(r), mdDifferences(r)
	var text string
	if r.compared() {
		text = answer + sections.take(differences...) + about + sections.take(findings, mdRecipe(r))
	} else {
		text = answer + about + sections.take(findings) + sections.take(differences...) + sections.take(mdRecipe(r))
	}
	if sections.left > 0 {
		text += fmt.Sprintf("\n%s did not fit here: see report.html.\n", count(sections.left, "section"))
	}
	if _, err := io.WriteString(w, defused(text)); err != nil {
		return fmt.Errorf("writing the Markdown: %w", err)
	}
	return nil
}

// fitting takes the sections for which there is room, and counts the others.
type fitting struct {
	room int // in bytes
	left int
}

func (f *fitting) take(sections ...string) string {
	var b strings.Builder
	for _, section := range sections {
		if len(section) > f.room {
			f.left++
			continue
		}
		f.room -= len(section)
		b.WriteString(section)
	}
	return b.String()
}

// mdAnswer is the verdict, its reason, and what to do next.
func mdAnswer(r *Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## audit: %s\n\n%s: %s\n", strings.ToLower(verdictWord(r.Verdict)), mdCode(string(r.Image.Reference)), mdText(r.meaning()))
	for _, step := range r.next() {
		fmt.Fprintf(&b, "\n**Next:** %s\n", mdText(step))
	}
	return b.String()
}

// mdChecks is a row a check; those that were not asked for are one line.
func mdChecks(r *Report) string {
	var b strings.Builder
	var unasked []string
	b.WriteString("\n| status | check | of its bytes | |\n|---|---|--:|---|\n")
	for i, c := range r.Checks {
		if r.notAsked(c.ID) {
			unasked = append(unasked, string(c.ID))
			continue
		}
		covered := ""
		if i < len(r.Coverage.Checks) && r.Coverage.Checks[i].Bytes > 0 {
			covered = mdPercent(r.Coverage.Checks[i].Share, r.Coverage.Checks[i].Bytes)
		}
		fmt.Fprintf(&b, "| %s %s | %s | %s | %s |\n", mdIcon(c.Status), c.Status, c.ID, covered, mdText(r.Summary(c)))
	}
	if len(unasked) > 0 {
		fmt.Fprintf(&b, "\nNot asked for: %s.\n", strings.Join(unasked, ", "))
	}
	return b.String()
}

// mdAbout is who vouches, the policy, and what the verdict does not say.
func mdAbout(r *Report) string {
	var b strings.Builder
	if words := r.statementCounts(); words != "" {
		fmt.Fprintf(&b, "\n%s.\n", mdText(words))
	}
	if parts := voucherShares(r.Coverage.Vouchers); parts != "" {
		fmt.Fprintf(&b, "\nWho vouches for its %s: %s.\n", bytesWords(r.Coverage.Contents)+r.ofRead(), parts)
	}
	if p := r.Policy; p.Require != "" {
		holds := map[bool]string{true: "holds", false: "does not hold"}[p.Holds]
		fmt.Fprintf(&b, "\nThe policy %s **%s**.\n", mdCode(p.Title()), holds)
		var lines []string
		said := ""
		for _, b := range r.Broken() {
			line := "- " + mdText(b.Text) + "."
			if b.ToDo != said {
				line, said = line+" What to do: "+mdText(b.ToDo), b.ToDo
			}
			lines = append(lines, line+"\n")
		}
		if len(lines) > 0 {
			b.WriteString("\n" + mdSome(lines, mdRows))
		}
	}
	b.WriteString("\nWhat this does not say:\n\n")
	for _, l := range r.limits() {
		fmt.Fprintf(&b, "- %s\n", mdText(l))
	}
	return b.String()
}

func mdIcon(s check.Status) string {
	switch s {
	case check.Pass:
		return "✅"
	case check.Fail:
		return "❌"
	case check.Skipped:
		return "➖"
	}
	return "❔"
}

// voucherShares lists the kinds that vouch for anything with their shares.
func voucherShares(shares []VoucherShare) string {
	var parts []string
	for _, o := range shares {
		if o.Bytes > 0 {
			parts = append(parts, voucherWords(o.Kind)[0]+" "+mdPercent(o.Share, o.Bytes))
		}
	}
	return strings.Join(parts, ", ")
}

func mdPercent(share float64, bytes int64) string {
	return strings.Replace(percentOf(share, bytes), "<", "under ", 1)
}

// mdFindingList lists the findings, the weightiest first.
func mdFindingList(r *Report) string {
	var all []string
	var of []Finding
	for _, f := range r.byWeight() {
		all, of = append(all, mdFinding(f.check, f.Finding, r.Words(f.Finding))), append(of, f.Finding)
	}
	if len(all) == 0 {
		return ""
	}
	text, shown := mdFit(all, mdFindings)
	if more := moreFindings(of[shown:]); more != "" {
		text += "\n" + more + "\n"
	}
	return "\n### Findings\n\n" + text
}

// mdSome joins the first of a list, at most n, and counts the others.
func mdSome(all []string, n int) string {
	text, shown := mdFit(all, n)
	if rest := len(all) - shown; rest > 0 {
		text += fmt.Sprintf("\n… and %d more in report.json\n", rest)
	}
	return text
}

// mdFit joins the first of a list, at most n and as many as there is room for.
func mdFit(all []string, n int) (text string, shown int) {
	var b strings.Builder
	for i, line := range all {
		if i == n || i > 0 && b.Len()+len(line) > mdList {
			return b.String(), i
		}
		b.WriteString(line)
	}
	return b.String(), len(all)
}

func mdFinding(id check.ID, f Finding, words string) string {
	where := ""
	if f.Path != "" {
		where = " " + mdCode(string(f.Path))
	}
	if f.Layer >= 0 {
		where += fmt.Sprintf(" (layer %d)", f.Layer)
	}
	return fmt.Sprintf("- **%s**%s: %s\n", id, where, mdText(words))
}

// mdDifferences counts the causes, then has a section for each.
func mdDifferences(r *Report) []string {
	c := r.Comparison
	if c == nil {
		return nil
	}
	text := "\n### Differences\n\n" + textLayers(c) + ".\n" + mdFields(c.Config)
	groups := byCause(c.Differences)
	if len(groups) > 0 {
		text += "\n| cause | differences | |\n|---|--:|---|\n"
	}
	sections := []string{text}
	for _, g := range groups {
		sections[0] += fmt.Sprintf("| %s | %d | %s |\n", mdText(string(g.Cause)), len(g.Differences), causeWords(g.Cause))
		sections = append(sections, r.mdGroup(g))
	}
	sections[0] += r.mdKnown(c.Known)
	return sections
}

func (r *Report) mdKnown(known []Known) string {
	var lines []string
	for _, k := range known {
		lines = append(lines, fmt.Sprintf("- %s explains %d: %s\n", mdCode(k.name()), k.Count, mdText(r.known(k))))
	}
	if len(lines) == 0 {
		return ""
	}
	return "\nWhat honest builds are known to differ by:\n\n" + mdSome(lines, mdRows)
}

func mdFields(fields []FieldDifference) string {
	if len(fields) == 0 {
		return ""
	}
	own, derived := splitFields(fields)
	var lines []string
	for _, f := range slices.Concat(own, derived) {
		lines = append(lines, fmt.Sprintf("| %s | %s | %s | %s |\n", mdCode(string(f.Field)), mdOrAbsent(f.Was), mdOrAbsent(f.Now), mdText(string(f.Cause))))
	}
	return "\n| field of the config | was | now | cause |\n|---|---|---|---|\n" + mdSome(lines, mdRows)
}

func mdOrAbsent(t string) string {
	if t == "" {
		return "absent"
	}
	return mdCode(string(t))
}

// mdGroup folds the differences of one cause away.
func (r *Report) mdGroup(g group) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n<details><summary>%s: %d</summary>\n\n", mdWords(string(g.Cause), htmlCode), len(g.Differences))
	if help := causeAdvice(g.Cause); help != "" {
		b.WriteString(help + "\n\n")
	}
	if len(g.Differences) > mdPattern {
		var patterns []string
		for _, p := range patternsOf(g.Differences) {
			patterns = append(patterns, fmt.Sprintf("- %d: %s\n", p.Count, mdCode(p.Glob)))
		}
		b.WriteString("By folder and pattern:\n\n" + mdSome(patterns, mdRows) + "\nThe first of them:\n\n")
	}
	var lines []string
	for i, d := range g.Differences {
		if i > mdRows { // what is not written need not be rendered
			lines = append(lines, "")
			continue
		}
		lines = append(lines, r.mdDifference(d))
	}
	b.WriteString(mdSome(lines, mdRows))
	b.WriteString("\n</details>\n")
	return b.String()
}

func (r *Report) mdDifference(d Difference) string {
	line := "- "
	if d.Path != "" {
		line += mdCode(string(d.Path)) + " "
	}
	if d.Layer >= 0 {
		line += fmt.Sprintf("(layer %d)", d.Layer)
	}
	if what := d.summary(); what.Code != "difference/change" {
		line += ": " + mdText(r.words.sentences.Text(what))
	} else if d.Was != "" || d.Now != "" {
		line += ": " + mdOrAbsent(d.Was) + " → " + mdOrAbsent(d.Now)
	}
	line = strings.TrimRight(line, " ") + mdMarks(d) + "\n"
	if text := r.Evidence(d); text != "" {
		line += "\n" + mdFence("diff", text) + "\n"
	}
	return line
}

func mdMarks(d Difference) string {
	text := ""
	if d.Privileged {
		text = "; it lends rights"
	}
	if d.Known != "" {
		text += "; known: " + mdText(Known{Code: d.Known}.name())
	}
	return text
}

// mdRecipe folds the recipe away: where it comes from, what to type, its files.
func mdRecipe(r *Report) string {
	if r.Recipe.Packer == "" && len(r.Recipe.Files) == 0 {
		return ""
	}
	var b strings.Builder
	counts := r.recipeCounts()
	if counts != "" {
		counts = "; " + counts
	}
	fmt.Fprintf(&b, "\n<details><summary>Recipe: %s%s</summary>\n", mdWords(string(r.Recipe.Packer), htmlCode), counts)
	if r.Plan != nil && len(r.Plan.Command) > 0 {
		text, _ := replay(r)
		b.WriteString("\nTo build the image again:\n\n" + mdFence("sh", text))
	}
	for _, f := range r.Recipe.Files {
		b.WriteString("\n" + mdCode(string(f.Name)) + "\n\n" + mdFence("", string(f.Text)))
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

// mdFence is a block of code. Its fence is longer than any in the text.
func mdFence(language, text string) string {
	var b strings.Builder
	for line := range strings.Lines(clip(text, mdBlock)) {
		for _, sp := range spans(strings.TrimSuffix(line, "\n"), "\t") {
			b.WriteString(sp.Text)
		}
		b.WriteByte('\n')
	}
	fence := "```"
	for strings.Contains(b.String(), fence) {
		fence += "`"
	}
	return fence + language + "\n" + b.String() + fence + "\n"
}

// mdCode writes a value as code, wherever it stands: in a table too, where a
// vertical bar would end the cell.
func mdCode(s string) string {
	s = Printable(clip(s, mdValue))
	switch {
	case s == "":
		return "(empty)"
	case strings.ContainsAny(s, "`|") || strings.TrimSpace(s) != s:
		return htmlCode(s)
	}
	return "`" + s + "`"
}

// htmlCode writes a value as code where Markdown is not read: between tags.
func htmlCode(s string) string { return "<code>" + entities(s) + "</code>" }

// entities writes all but letters and digits as character references, which
// are never markup (CommonMark 0.31, 6.2).
func entities(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, "&#%d;", r)
	}
	return b.String()
}

// mdText writes a sentence on one line: words as they are, and as code whatever
// could be more than a word: markup, a path, an address, a digest, a mention.
func mdText(s string) string { return mdWords(s, mdCode) }

// mdWords is mdText with a way to write code.
func mdWords(s string, code func(string) string) string {
	words := strings.Fields(Printable(clip(s, 4*mdValue)))
	for i, word := range words {
		core := strings.TrimLeft(word, `("'`)
		before := word[:len(word)-len(core)]
		ends := `.,;:)"'…`
		if strings.Contains(core, "(") {
			ends = `.,;:"'…`
		}
		core = strings.TrimRight(core, ends)
		after := word[len(before)+len(core):]
		if !isPlainWord(core) {
			words[i] = before + code(core) + after
		}
	}
	return strings.Join(words, " ")
}

// isPlainWord says that a word is letters, digits and hyphens, and nothing that
// GitHub makes a link of: commits, and issues as GH-1.
func isPlainWord(word string) bool {
	if strings.HasPrefix(word, "-") || strings.HasPrefix(strings.ToUpper(word), "GH-") {
		return word == "-"
	}
	if strings.Trim(word, "0123456789.") == "" && len(word) < 7 { // a version, a number
		return true
	}
	hex := len(word) >= 7
	for _, r := range word {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-'→%", r) {
			return false
		}
		hex = hex && strings.ContainsRune("0123456789abcdefABCDEF", r)
	}
	return !hex
}
