package report

import (
	"io"
	"slices"
	"strings"
)

// A Format is a way to write a report for those who read it.
type Format struct {
	Name  string
	Write func(io.Writer, *Report) error
}

// Formats returns all formats, those for people first.
func Formats() []Format {
	return []Format{
		{"text", func(w io.Writer, r *Report) error { return WriteText(w, r, TextOptions{}) }},
		{"html", WriteHTML},
		{"markdown", WriteMarkdown},
		{"json", WriteJSON},
		{"sarif", WriteSARIF},
		{"junit", WriteJUnit},
		{"annotations", WriteAnnotations},
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
