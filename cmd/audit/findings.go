package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"audit/report"
)

// findingsTopic is the page that explains codes: audit help findings, and with a code,
// or with all that stands before its slash, audit help CODE.
const findingsTopic = "findings"

// writeFindings lists the groups of codes, one a line.
func writeFindings(w io.Writer) error {
	table := explainable()
	for _, group := range codeGroups(table) {
		about, ok := report.Explain(systems().Abouts(), group)
		if !ok {
			return fmt.Errorf("no words about %s", group)
		}
		fmt.Fprintf(w, "%-12s  %4d  %s\n", group+"/", len(codesOf(table, group+"/")), about.About)
	}
	return nil
}

// explainCode writes what is known of a code, or of all codes that begin with it where it
// ends in a slash.
func explainCode(w io.Writer, code string) error {
	table := explainable()
	codes := codesOf(table, code)
	if _, ok := table[code]; !ok && (len(codes) == 0 || !strings.HasSuffix(code, "/")) {
		return noCode(table, code)
	}
	about, _ := report.Explain(systems().Abouts(), code)
	if strings.HasSuffix(code, "/") {
		fmt.Fprintf(w, "%s\n\n%s\n", code, wrapped("", about.About))
	} else {
		codes = []string{code}
	}
	for _, c := range codes {
		fmt.Fprintf(w, "%s\n%s\n", c, wrapped("    ", table.Form(c)))
	}
	fmt.Fprintln(w)
	if !strings.HasSuffix(code, "/") && about.About != table.Form(code)+"." {
		fmt.Fprintln(w, wrapped("", about.About))
	}
	for _, part := range [][2]string{
		{"Why it matters: ", about.Why}, {"What to do: ", about.ToDo}, {"A problem: ", about.Problem}, {"Undecided: ", about.Undecided},
	} {
		if part[1] != "" {
			fmt.Fprintln(w, wrapped("", part[0]+part[1]))
		}
	}
	return nil
}

// explainable are the sentences of all codes, and the titles of the rules that SARIF and
// annotations have beside them.
func explainable() report.Sentences {
	table := report.Sentences(report.RuleTitles())
	maps.Copy(table, sentences())
	return table
}

// noCode is about a code that there is not.
func noCode(table report.Sentences, code string) error {
	return usage("there is no finding %q%s (see audit help findings)", code, meant(code, append(codesOf(table, ""), groupNames()...)))
}

// groupNames are what audit help takes for all codes of a group: "closure/".
func groupNames() []string {
	names := codeGroups(explainable())
	for i := range names {
		names[i] += "/"
	}
	return names
}

// codesOf are the codes that begin with a text, sorted.
func codesOf(table report.Sentences, prefix string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(table)), func(c string) bool { return !strings.HasPrefix(c, prefix) })
}

// codeGroups are what stands before the slashes, sorted.
func codeGroups(table report.Sentences) []string {
	groups := codesOf(table, "")
	for i, code := range groups {
		groups[i], _, _ = strings.Cut(code, "/")
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}
