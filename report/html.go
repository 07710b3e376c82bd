package report

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

//go:embed report.css
var style string

//go:embed report.js
var script string

//go:embed report.tmpl.html
var pageText string

// Bounds of report.html, which must open on a phone. What is left out is named
// where it is missing; report.json has all of it.
const (
	maxRows  = 10_000   // of one list
	maxValue = 4 << 10  // bytes of one value
	maxBlock = 64 << 10 // bytes of a diff or of a file of the recipe
)

// WriteHTML writes the report as one self-contained page. Nothing is fetched,
// and the content security policy would not allow it. All of the page is there
// without its one script, which adds filters and folding.
func WriteHTML(w io.Writer, r *Report) error {
	tmpl, err := template.New("report").Funcs(template.FuncMap{
		"isLayer":   func(i int) bool { return i >= 0 && i < min(len(r.Image.Layers), maxRows) },
		"itemOf":    itemNumbers(r),
		"number":    func(i int) int { return i + 1 },
		"summary":   r.Summary,
		"finding":   r.Words,
		"evidence":  r.Evidence,
		"known":     r.known,
		"say":       r.Say,
		"about":     aboutWords,
		"join":      r.join,
		"name":      func(code string) string { _, name, _ := strings.Cut(code, "/"); return name },
		"spans":     func(v any) []span { return spans(clip(textOf(v), maxValue), "") },
		"longspans": func(v any) []span { return spans(clip(textOf(v), maxBlock), "\n\t") },
		"plain":     func(v any) string { return Printable(clip(textOf(v), maxValue)) },
		"diff":      diffLines,
		"bytes":     bytesWords,
		"percent":   percentOf,
		"seconds":   secondsWords,
		"vouchless": vouchless,
		"plural":    plural,
		"count":     count,
		"words":     causeWords,
		"helps":     causeAdvice,
		"readmore":  causePage,
		"question":  question,
		"why":       why,
		"advice":    r.advice,
		"voucher":   voucherWords,
		"method":    methodWords,
		"state":     stateWords,
		"seed":      seedWords,
		"host":      hostOf,
		"label":     itemLabel,
		"first":     first,
		"left":      left,
		"shell":     shellWords,
		"options":   options,
		"details":   details,
		"width":     func(share float64) string { return fmt.Sprintf("%.2f", share*100) },
		"px":        func(n float64) string { return strconv.FormatFloat(n, 'f', 1, 64) },
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("parsing the page: %w", err)
	}
	out := bufio.NewWriter(w)
	if err := tmpl.Execute(out, newPage(r)); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// Style is the style sheet of report.html for another page of the project, and a content
// security policy that allows it and nothing else.
func Style() (sheet, policy string) {
	return style, "default-src 'none'; style-src " + sourceHash(style) + "; base-uri 'none'; form-action 'none'"
}

// Bytes writes a size for people.
func Bytes(n int64) string { return bytesWords(n) }

// Seconds writes a duration for people.
func Seconds(s float64) string { return secondsWords(s) }

// policyOf is a content security policy that allows the page its one style
// sheet and its one script, known by their hashes, and nothing else at all.
func policyOf(style, script string) string {
	return "default-src 'none'; style-src " + sourceHash(style) + "; script-src " + sourceHash(script) +
		"; base-uri 'none'; form-action 'none'"
}

// sourceHash names an inline text in a policy (Content Security Policy Level 3).
func sourceHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// itemNumbers returns a function that finds the store item that a path lies in: its
// number on the page, from 1, and 0 for none that is there.
func itemNumbers(r *Report) func(path string) int {
	paths, numbers := itemPaths(r.StoreItems), make(map[string]int)
	for i, it := range r.StoreItems[:min(len(r.StoreItems), maxRows)] {
		numbers[it.Path] = i + 1
	}
	return func(path string) int { return numbers[itemOf(paths, path)] }
}

// first returns at most maxRows elements of any list, left how many more it has.
func first(list any) any {
	v := reflect.ValueOf(list)
	return v.Slice(0, min(v.Len(), maxRows)).Interface()
}

func left(list any) int { return max(reflect.ValueOf(list).Len()-maxRows, 0) }

// A detail is one of the details of a recipe.
type detail struct {
	Name, Value string
	Wide        bool // it is a list
}

// details lists the details of a recipe by name; what is no scalar is JSON.
func details(all map[string]any) (out []detail) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if value := detailText(all[name]); value != "" {
			out = append(out, detail{Name: spaced(name), Value: value, Wide: len(value) > detailWidth})
		}
	}
	return out
}

// detailWidth is the most bytes that a detail has on half a line.
const detailWidth = 40

// detailText writes a value of JSON for people: lists with commas, the parts of an
// object with their names.
func detailText(v any) string {
	var parts []string
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	case []any:
		for _, one := range v {
			parts = append(parts, detailText(one))
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, spaced(name)+" "+detailText(v[name]))
		}
		return strings.Join(parts, " ")
	}
	return fmt.Sprint(v)
}

// spaced writes a key of JSON as words: "entryPoint" as "entry point".
func spaced(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// textOf takes any kind of string, so that no value reaches the page past spans.
func textOf(v any) string {
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.String {
		return rv.String()
	}
	return fmt.Sprint(v)
}

// A commandPart is a stretch of a command line: an option, which a line does
// not break at its dashes, or all that stands before the next one.
type commandPart struct {
	Text   string
	Option bool
}

func options(command string) []commandPart {
	var parts []commandPart
	at := 0
	command = clip(command, maxBlock)
	for _, m := range optionForm.FindAllStringSubmatchIndex(command, -1) {
		parts = append(parts, commandPart{Text: command[at:m[2]]}, commandPart{Text: command[m[2]:m[3]], Option: true})
		at = m[3]
	}
	return append(parts, commandPart{Text: command[at:]})
}

var optionForm = regexp.MustCompile(`\s(--?[A-Za-z][^\s=]*)`)

// A diffLine is a line of a diff and what it is: "add", "del", "at", "" for one
// that is the same, or "note" for what stands beside a diff.
type diffLine struct {
	Kind string
	Text []span
}

func diffLines(detail string) []diffLine {
	var out []diffLine
	for line := range strings.Lines(clip(string(detail), maxBlock)) {
		line = strings.TrimSuffix(line, "\n")
		out = append(out, diffLine{diffKind(line), spans(line, "\t")})
	}
	return out
}

func diffKind(line string) string {
	switch {
	case strings.HasPrefix(line, "@@"):
		return "at"
	case strings.HasPrefix(line, "+"):
		return "add"
	case strings.HasPrefix(line, "-"):
		return "del"
	case strings.HasPrefix(line, " "):
		return ""
	}
	return "note"
}
