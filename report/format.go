package report

import (
	"io"
	"slices"
	"strings"
)

// A Format is a way to write a report for those who read it.
type Format struct {
	Name  string
	About string // for whom, in a few words
	Write func(io.Writer, *Report) error
}

// Formats returns all formats, those for people first.
func Formats() []Format {
	return []Format{
		{"text", "a summary for a terminal", func(w io.Writer, r *Report) error { return WriteText(w, r, TextOptions{}) }},
		{"html", "one page with all of it", WriteHTML},
		{"markdown", "for a pull request or a job summary", WriteMarkdown},
		{"json", "all of it, for programs", WriteJSON},
		{"sarif", "SARIF 2.1.0, for code scanning", WriteSARIF},
		{"junit", "JUnit XML, a test case a check", WriteJUnit},
		{"annotations", "what a policy demands in vain, for GitHub Actions", WriteAnnotations},
	}
}

// FormatNamed returns the format of that name.
func FormatNamed(name string) (Format, bool) {
	all := Formats()
	i := slices.IndexFunc(all, func(f Format) bool { return f.Name == name })
	if i < 0 {
		return Format{}, false
	}
	return all[i], true
}

// FormatNames lists the names of all formats: "text, html, … and junit".
func FormatNames() string {
	var names []string
	for _, f := range Formats() {
		names = append(names, f.Name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
