package guix

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"audit/inspect"
)

// A derivation is what a .drv file says, as far as it matters here.
type derivation struct {
	path    string
	outputs []string // store paths, in the order of their names
	inputs  []string // .drv files, as in the file
	sources []string // store paths that are nobody's output
	graft   bool     // it replaces references in another derivation's output
}

// maxDerivation bounds a .drv file; those of big bootstrap scripts have some
// hundred kilobytes.
const maxDerivation = 16 << 20

// readDerivation reads a .drv file.
func readDerivation(file string) (*derivation, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("reading a derivation: %w", err)
	}
	if info.Size() > maxDerivation {
		return nil, &inspect.LimitError{Name: "bytes of a derivation", Limit: maxDerivation, Where: file}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading a derivation: %w", err)
	}
	d, err := parseDerivation(string(text))
	if err != nil {
		return nil, &inspect.FormatError{Where: file, Err: err}
	}
	d.path = file
	return d, nil
}

// parseDerivation reads the text of a .drv file: the term
//
//	Derive([outputs],[inputs],[sources],system,builder,[arguments],[environment])
//
// in which an output is (name,path,algorithm,hash), an input (drv,[names]) and
// a variable of the environment (name,value) (Guix 1.5, guix/derivations.scm,
// write-derivation).
func parseDerivation(text string) (*derivation, error) {
	rest, ok := strings.CutPrefix(text, "Derive")
	if !ok {
		return nil, errors.New("not a derivation")
	}
	whole, rest, err := parseTerm(rest, 0)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(rest) != "" || len(whole.list) != 7 {
		return nil, errors.New("a derivation has seven fields and nothing after them")
	}
	d := new(derivation)
	if d.outputs, err = column(whole.list[0], 1); err != nil {
		return nil, fmt.Errorf("outputs: %w", err)
	}
	if d.inputs, err = column(whole.list[1], 0); err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	for _, s := range whole.list[2].list {
		d.sources = append(d.sources, s.text)
	}
	d.graft = isGraft(whole.list[6])
	return d, nil
}

// isGraft looks for the mark of a graft in the environment of a derivation
// (Guix 1.5, guix/grafts.scm, graft-derivation/shallow).
func isGraft(environment term) bool {
	for _, v := range environment.list {
		if len(v.list) == 2 && v.list[0].text == "guix properties" {
			return strings.Contains(v.list[1].text, "(type . graft)")
		}
	}
	return false
}

// column returns the strings at one place of each tuple of a list.
func column(list term, i int) ([]string, error) {
	var out []string
	for _, tuple := range list.list {
		if len(tuple.list) <= i {
			return nil, errors.New("a tuple is too short")
		}
		out = append(out, tuple.list[i].text)
	}
	return out, nil
}

// A term is a string, or a list or tuple of terms.
type term struct {
	text string
	list []term
}

// deepest is how far lists nest in a derivation, with some room.
const deepest = 8

// parseTerm reads a term and returns what follows it.
func parseTerm(s string, depth int) (term, string, error) {
	if s == "" || depth > deepest {
		return term{}, "", errors.New("a term is missing, or nests too deeply")
	}
	switch s[0] {
	case '"':
		text, rest, err := parseString(s[1:])
		return term{text: text}, rest, err
	case '[':
		return parseList(s[1:], ']', depth)
	case '(':
		return parseList(s[1:], ')', depth)
	}
	return term{}, "", fmt.Errorf("%q begins no term", s[0])
}

func parseList(s string, end byte, depth int) (term, string, error) {
	var t term
	for s != "" && s[0] != end {
		if len(t.list) > 0 {
			if s[0] != ',' {
				return term{}, "", fmt.Errorf("%q instead of a comma", s[0])
			}
			s = s[1:]
		}
		item, rest, err := parseTerm(s, depth+1)
		if err != nil {
			return term{}, "", err
		}
		t.list = append(t.list, item)
		s = rest
	}
	if s == "" {
		return term{}, "", errors.New("a list has no end")
	}
	return t, s[1:], nil
}

func parseString(s string) (text, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], nil
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(unescape(s[i]))
		default:
			b.WriteByte(c)
		}
	}
	return "", "", errors.New("a string has no end")
}

// unescape returns what a character after a backslash stands for.
func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// A graph is a derivation with all those that it is built from.
type graph struct {
	root    *derivation
	near    []*derivation          // all, the nearest to the root first
	deriver map[string]*derivation // by output
	sources map[string]bool
}

// maxDerivations bounds a graph; the whole of Guix has some 60,000.
const maxDerivations = 1 << 20

// readGraph reads a derivation and, following its inputs, all others. Guix
// registers a derivation only together with its inputs, so all are there.
func readGraph(root string) (*graph, error) {
	g := &graph{deriver: make(map[string]*derivation), sources: make(map[string]bool)}
	seen := map[string]bool{root: true}
	for queue := []string{root}; len(queue) > 0; queue = queue[1:] {
		d, err := readDerivation(queue[0])
		if err != nil {
			return nil, err
		}
		g.add(d)
		for _, in := range d.inputs {
			if !seen[in] {
				seen[in] = true
				queue = append(queue, in)
			}
		}
		if len(seen) > maxDerivations {
			return nil, &inspect.LimitError{Name: "derivations", Limit: maxDerivations, Where: root}
		}
	}
	g.root = g.near[0]
	if len(g.root.outputs) != 1 {
		return nil, &inspect.FormatError{Where: root, Err: errors.New("an image's derivation has one output")}
	}
	return g, nil
}

func (g *graph) add(d *derivation) {
	g.near = append(g.near, d)
	for _, out := range d.outputs {
		if g.deriver[out] == nil {
			g.deriver[out] = d
		}
	}
	for _, s := range d.sources {
		g.sources[s] = true
	}
}

// makes says whether a store item is an output of one of the derivations, or
// a source of them.
func (g *graph) makes(item string) bool { return g.deriver[item] != nil || g.sources[item] }

// maker returns the derivation among those that were built which made an item,
// nil when there is none. Several can have the same output when its content was
// fixed beforehand.
func (g *graph) maker(item string, built map[string]bool) *derivation {
	for _, d := range g.near {
		if built[d.path] && slices.Contains(d.outputs, item) {
			return d
		}
	}
	return nil
}

// origins returns a derivation and, where it is a graft, those that it is
// grafted from: a graft only rewrites references, so that what was built is
// what it was grafted from.
func (g *graph) origins(d *derivation) []*derivation {
	if !d.graft {
		return []*derivation{d}
	}
	all := []*derivation{d}
	for _, o := range g.near {
		if o != d && slices.Contains(d.inputs, o.path) && storeName(o.path) == storeName(d.path) {
			all = append(all, o)
		}
	}
	return all
}

// namesakes returns the outputs whose name, without the hash, is that of the
// item; the nearest to the root first.
func (g *graph) namesakes(item string) []string {
	var found []string
	for _, d := range g.near {
		for _, out := range d.outputs {
			if out != item && storeName(out) == storeName(item) && !slices.Contains(found, out) {
				found = append(found, out)
			}
		}
	}
	return found
}

// profile returns the profile that the root is made from: plan's own where
// the root has it among its inputs, else the only one.
func (g *graph) profile(want string) string {
	var found string
	for _, in := range g.root.inputs {
		for _, d := range g.near {
			if d.path != in || len(d.outputs) != 1 || storeName(d.outputs[0]) != "profile" {
				continue
			}
			if d.outputs[0] == want {
				return want
			}
			found = d.outputs[0]
		}
	}
	return found
}

// hashAndDash is the length of what precedes the name of a store item.
const hashAndDash = 32 + 1

// storeName returns the name of a store item: "hello-2.12.2" of
// "/gnu/store/…-hello-2.12.2", "" of what is none.
func storeName(item string) string {
	base := path.Base(item)
	if !inspect.IsStoreName(base) {
		return ""
	}
	return base[hashAndDash:]
}
