package profile

import (
	"fmt"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/guix/scheme"
)

// A Profile is what a profile manifest says: the file manifest in a store item
// …-profile (Guix 1.5, module (guix profiles), sexp->manifest).
type Profile struct {
	Where    string          // the file's name, for problems
	Version  int             // of the format: 0 and 1 (2013), 2 (0.9 to 0.13), 3 (0.14 to 1.3), 4 (since 1.4)
	Comments int             // lines of comment that the file begins with
	Entries  []*Entry        // in the order of the command line that made the profile
	Problems []check.Message // what is not as Guix writes it, each with its place
}

// An Entry is one package of a profile.
type Entry struct {
	Name        string
	Version     string
	Output      string
	Path        string // its store item
	Inputs      []*Entry
	SearchPaths []SearchPath
	Properties  []Property
	Pos         scheme.Pos
}

// A SearchPath is an environment variable that a package wants to be set.
type SearchPath struct {
	Variable  string
	Files     []string
	Separator string // "" when there is none
	Type      string // "directory", "regular", …
	Pattern   string // "" when there is none
}

// A Property is something that was noted about an entry.
type Property struct {
	Name  string
	Value scheme.Value
}

// Property returns the value of the property of that name.
func (e *Entry) Property(name string) (scheme.Value, bool) {
	for _, p := range e.Properties {
		if p.Name == name {
			return p.Value, true
		}
	}
	return scheme.Value{}, false
}

// All returns the entries and what they propagate, each once, an entry before
// its inputs.
func (p *Profile) All() []*Entry {
	var all []*Entry
	seen := make(map[*Entry]bool)
	var walk func(entries []*Entry)
	walk = func(entries []*Entry) {
		for _, e := range entries {
			if !seen[e] {
				seen[e] = true
				all = append(all, e)
				walk(e.Inputs)
			}
		}
	}
	walk(p.Entries)
	return all
}

// Parse reads a profile manifest; where is the name of the file. A text that is
// no profile manifest of a known version is an error with its place; what is
// unexpected in one is a problem, and an entry that cannot be read is left out.
func Parse(where string, text []byte) (*Profile, error) {
	p, err := parse(where, text)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", where, err)
	}
	return p, nil
}

func parse(where string, text []byte) (*Profile, error) {
	data, err := scheme.Parse(text, scheme.DefaultLimits())
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, misfit(scheme.Pos{Line: 1, Column: 1}, "no data in the profile manifest")
	}
	version, packages, err := openManifest(data[0])
	if err != nil {
		return nil, err
	}
	p := &Profile{Where: where, Version: version, Comments: LeadingComments(text)}
	r := &reader{Profile: p, seen: make(map[entryKey]*Entry)}
	if len(data) > 1 {
		r.problem(data[1].Pos, "recipe/data-after-manifest")
	}
	p.Entries = r.entries(packages)
	return p, nil
}

func misfit(pos scheme.Pos, format string, args ...any) error {
	return &scheme.SyntaxError{Pos: pos, Msg: fmt.Sprintf(format, args...)}
}

// openManifest takes (manifest (version N …) (packages ENTRIES)) apart.
func openManifest(v scheme.Value) (version int, packages scheme.Value, err error) {
	if !isForm(v, "manifest", 3) {
		return 0, v, misfit(v.Pos, "a profile manifest has the form (manifest (version …) (packages …))")
	}
	ver, pkgs := v.Items[1], v.Items[2]
	if len(ver.Items) < 2 || !isForm(ver, "version", len(ver.Items)) || ver.Items[1].Kind != scheme.Number {
		return 0, v, misfit(ver.Pos, "the form (version N) belongs here")
	}
	version, err = strconv.Atoi(ver.Items[1].Text)
	if err != nil || version < 0 || version > 4 {
		return 0, v, misfit(ver.Pos, "version %s of the profile manifest's format is not known here", ver.Items[1].Text)
	}
	if !isForm(pkgs, "packages", 2) || !pkgs.Items[1].IsList() {
		return 0, v, misfit(pkgs.Pos, "the form (packages (ENTRY …)) belongs here")
	}
	return version, pkgs.Items[1], nil
}

// isForm says whether v is a proper list of n elements that begins with the
// symbol head.
func isForm(v scheme.Value, head string, n int) bool {
	return v.IsList() && len(v.Items) == n && v.Items[0].IsSymbol(head)
}

// LeadingComments counts the lines that begin with a semicolon at the start of
// the text. Each Guix writes its own number of them.
func LeadingComments(text []byte) int {
	n := 0
	for len(text) > 0 && text[0] == ';' {
		n++
		for len(text) > 0 && text[0] != '\n' {
			text = text[1:]
		}
		text = text[min(1, len(text)):]
	}
	return n
}

// A reader makes entries of data.
type reader struct {
	*Profile
	seen map[entryKey]*Entry
}

// An entryKey is what a repeated entry is known by.
type entryKey struct{ name, version, path string }

func (r *reader) problem(pos scheme.Pos, code string, args ...any) {
	r.Problems = append(r.Problems, sayAt(r.Where, pos, code, args...))
}

// sayAt makes a message about a place in a file.
func sayAt(where string, pos scheme.Pos, code string, args ...any) check.Message {
	return check.Say(code, append([]any{"file", where, "line", int(pos.Line), "column", int(pos.Column)}, args...)...)
}

func (r *reader) entries(list scheme.Value) []*Entry {
	if !list.IsList() {
		r.problem(list.Pos, "recipe/not-as-guix-writes", "want", "(ENTRY …)")
		return nil
	}
	var entries []*Entry
	for _, v := range list.Items {
		if e := r.entry(v); e != nil {
			entries = append(entries, e)
		}
	}
	return entries
}

// entry reads one entry, nil when it cannot be read. What it depends on is
// registered before it, as "repeated" counts on.
func (r *reader) entry(v scheme.Value) *Entry {
	if r.Version == 4 && isForm(v, "repeated", 4) {
		return r.repeated(v)
	}
	if !v.IsList() || len(v.Items) < 4 {
		r.problem(v.Pos, "recipe/not-as-guix-writes", "want", "(NAME VERSION OUTPUT PATH …)")
		return nil
	}
	texts, ok := r.strings(v.Items[:4])
	if !ok {
		return nil
	}
	e := &Entry{Name: texts[0], Version: texts[1], Output: texts[2], Path: texts[3], Pos: v.Pos}
	r.checkPath(e)
	r.fields(e, v.Items[4:])
	r.seen[entryKey{e.Name, e.Version, e.Path}] = e
	return e
}

func (r *reader) strings(items []scheme.Value) ([]string, bool) {
	texts := make([]string, len(items))
	for i, item := range items {
		if item.Kind != scheme.String {
			r.problem(item.Pos, "recipe/not-a-string", "kind", item.Kind)
			return nil, false
		}
		texts[i] = item.Text
	}
	return texts, true
}

// Store is where Guix keeps store items.
func Store() inspect.StoreDirs { return inspect.StoreDirs{"/gnu/store"} }

func (r *reader) checkPath(e *Entry) {
	if Store().ItemOf(strings.TrimPrefix(e.Path, "/")) == "" {
		r.problem(e.Pos, "recipe/not-a-store-path", "path", scheme.Str(e.Path).Brief())
	}
}

// repeated reads (repeated NAME VERSION PATH).
func (r *reader) repeated(v scheme.Value) *Entry {
	texts, ok := r.strings(v.Items[1:])
	if !ok {
		return nil
	}
	e := r.seen[entryKey{texts[0], texts[1], texts[2]}]
	if e == nil {
		r.problem(v.Pos, "recipe/nothing-to-repeat", "entry", scheme.Str(texts[0]).Brief())
	}
	return e
}

// fields reads what follows the first four elements of an entry.
func (r *reader) fields(e *Entry, fields []scheme.Value) {
	switch {
	case r.Version == 0 && len(fields) > 0:
		r.problem(fields[0].Pos, "recipe/not-as-guix-writes", "want", "(NAME VERSION OUTPUT PATH)")
	case r.Version == 1 && len(fields) != 1:
		r.problem(e.Pos, "recipe/not-as-guix-writes", "want", "(NAME VERSION OUTPUT PATH (INPUT …))")
	case r.Version == 1:
		r.paths(e, fields[0])
	case r.Version >= 2:
		r.namedFields(e, fields)
	}
}

func (r *reader) namedFields(e *Entry, fields []scheme.Value) {
	seen := make(map[string]bool)
	for _, f := range fields {
		if !f.IsList() || len(f.Items) == 0 || f.Items[0].Kind != scheme.Symbol {
			r.problem(f.Pos, "recipe/not-as-guix-writes", "want", "(NAME VALUE)")
			continue
		}
		name := f.Items[0].Text
		if seen[name] {
			r.problem(f.Pos, "recipe/field-twice", "field", scheme.Sym(name).Brief())
			continue
		}
		seen[name] = true
		r.field(e, name, f)
	}
	for _, name := range []string{"propagated-inputs", "search-paths"} {
		if r.Version < 4 && !seen[name] {
			r.problem(e.Pos, "recipe/field-missing", "entry", scheme.Str(e.Name).Brief(), "field", name)
		}
	}
}

func (r *reader) field(e *Entry, name string, f scheme.Value) {
	if name == "properties" && r.Version < 4 {
		r.properties(e, scheme.Value{Pos: f.Pos, Items: f.Items[1:]})
		return
	}
	if len(f.Items) != 2 {
		r.problem(f.Pos, "recipe/field-values", "field", scheme.Sym(name).Brief())
		return
	}
	switch value := f.Items[1]; name {
	case "propagated-inputs":
		r.inputs(e, value)
	case "search-paths":
		r.searchPaths(e, value)
	case "properties":
		r.properties(e, value)
	default:
		r.problem(f.Pos, "recipe/field-not-known", "field", scheme.Sym(name).Brief())
	}
}

func (r *reader) inputs(e *Entry, value scheme.Value) {
	if r.Version < 3 {
		r.paths(e, value)
		return
	}
	e.Inputs = r.entries(value)
}

// paths reads propagated inputs as versions 1 and 2 have them: store paths, up
// to Guix 0.7 with a label before each. Names and versions are not recorded.
func (r *reader) paths(e *Entry, list scheme.Value) {
	if !list.IsList() {
		r.problem(list.Pos, "recipe/not-as-guix-writes", "want", "(PATH …)")
		return
	}
	for _, v := range list.Items {
		path := v
		if n := len(v.Items); v.IsList() && (n == 1 || n == 2) {
			path = v.Items[n-1]
		}
		if path.Kind != scheme.String {
			r.problem(v.Pos, "recipe/not-a-string", "kind", path.Kind)
			continue
		}
		input := &Entry{Path: path.Text, Pos: v.Pos}
		r.checkPath(input)
		e.Inputs = append(e.Inputs, input)
	}
}

func (r *reader) searchPaths(e *Entry, list scheme.Value) {
	if !list.IsList() {
		r.problem(list.Pos, "recipe/not-as-guix-writes", "want", "(SEARCH-PATH …)")
		return
	}
	for _, v := range list.Items {
		if sp, ok := searchPath(v); ok {
			e.SearchPaths = append(e.SearchPaths, sp)
			continue
		}
		r.problem(v.Pos, "recipe/not-as-guix-writes", "want", "(VARIABLE (FILE …) SEPARATOR TYPE PATTERN)")
	}
}

func searchPath(v scheme.Value) (sp SearchPath, ok bool) {
	if !v.IsList() || len(v.Items) != 5 {
		return sp, false
	}
	variable, files, separator, kind, pattern := v.Items[0], v.Items[1], v.Items[2], v.Items[3], v.Items[4]
	if variable.Kind != scheme.String || !files.IsList() || kind.Kind != scheme.Symbol ||
		!isStringOrFalse(separator) || !isStringOrFalse(pattern) {
		return sp, false
	}
	sp = SearchPath{Variable: variable.Text, Separator: separator.Text, Type: kind.Text, Pattern: pattern.Text}
	for _, f := range files.Items {
		if f.Kind != scheme.String {
			return sp, false
		}
		sp.Files = append(sp.Files, f.Text)
	}
	return sp, true
}

func isStringOrFalse(v scheme.Value) bool {
	return v.Kind == scheme.String || v.Kind == scheme.False
}

// properties reads an association list, of which the first pair of a name
// counts.
func (r *reader) properties(e *Entry, list scheme.Value) {
	if !list.IsList() {
		r.problem(list.Pos, "recipe/not-as-guix-writes", "want", "((NAME . VALUE) …)")
		return
	}
	for _, v := range list.Items {
		if v.Kind != scheme.List || len(v.Items) == 0 || v.Items[0].Kind != scheme.Symbol {
			r.problem(v.Pos, "recipe/not-as-guix-writes", "want", "(NAME . VALUE)")
			continue
		}
		name := v.Items[0].Text
		if _, twice := e.Property(name); twice {
			r.problem(v.Pos, "recipe/property-twice", "property", scheme.Sym(name).Brief())
			continue
		}
		e.Properties = append(e.Properties, Property{name, rest(v)})
	}
}

// rest returns what a pair holds after its first element.
func rest(v scheme.Value) scheme.Value {
	if len(v.Items) == 1 && v.Tail != nil {
		return *v.Tail
	}
	return scheme.Value{Pos: v.Pos, Items: v.Items[1:], Tail: v.Tail}
}
