package nix

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"audit/inspect/store"
	"audit/rebuild"
)

// Details are what a plan of Nix builds. One of Derivation, Expression and Flake
// says what that is; none does in a plan that cannot be run.
type Details struct {
	// Derivation is a .drv file by the name that it has in the store. What it
	// needs lies beside it, or in the store of this machine.
	Derivation string      `json:"derivation,omitempty"`
	Expression *Expression `json:"expression,omitempty"`
	Flake      *Flake      `json:"flake,omitempty"`

	// Settings are more of nix.conf, of those that loosen nothing: see [Settings].
	Settings []Setting `json:"settings,omitempty"`
	// Imports lets the evaluation build derivations and read what they make, inside the
	// sandbox as all builds are (import from derivation).
	Imports bool `json:"imports,omitempty"`
	// Root is the store path of the customisation layer, which the image does not
	// have; "" when the image does not reveal it.
	Root string `json:"root,omitempty"`
	// Private are the addresses, as they stand here, that the user gave with what is
	// secret and not here: a builder gets it apart.
	Private []string `json:"private,omitempty"`
}

// withoutSecrets are details of which no address has what may be secret.
func (d Details) withoutSecrets() Details {
	public := func(address string) string {
		without := rebuild.WithoutSecrets(address)
		if without != address && !slices.Contains(d.Private, without) {
			d.Private = append(d.Private, without)
		}
		return without
	}
	d.Derivation = public(d.Derivation)
	if d.Expression != nil {
		e := *d.Expression
		e.File, e.Paths, e.URIs = public(e.File), slices.Clone(e.Paths), slices.Clone(e.URIs)
		for i := range e.Paths {
			e.Paths[i].Folder = public(e.Paths[i].Folder)
		}
		for i := range e.URIs {
			e.URIs[i] = public(e.URIs[i])
		}
		d.Expression = &e
	}
	if d.Flake != nil {
		d.Flake = &Flake{public(d.Flake.Reference), d.Flake.Attribute}
	}
	return d
}

// An Expression is one in the Nix language.
type Expression struct {
	File      string       `json:"file"`                // or a folder with a default.nix
	Attribute string       `json:"attribute,omitempty"` // that makes the image; "" for the expression itself
	Arguments []Argument   `json:"arguments,omitempty"` // where it is a function
	Paths     []SearchPath `json:"paths,omitempty"`     // what it may read beside its own folder
	URIs      []string     `json:"uris,omitempty"`      // beginnings of addresses that it may fetch from
}

// An Argument is one of an expression that is a function.
type Argument struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Text  bool   `json:"text,omitempty"` // the value is a text; else it is an expression
}

// words are an argument as nix-instantiate takes it.
func (a Argument) words() []string {
	if a.Text {
		return []string{"--argstr", a.Name, a.Value}
	}
	return []string{"--arg", a.Name, a.Value}
}

// argumentName matches the names that an argument can have in the language (Nix 2.8,
// libexpr/lexer.l, ID).
var argumentName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_'-]*$`)

// A SearchPath is a file or folder that an expression may read.
type SearchPath struct {
	Name   string `json:"name,omitempty"` // by which the expression names it, as <NAME>
	Folder string `json:"folder"`
}

// word is a search path as nix-instantiate -I takes it.
func (p SearchPath) word() string {
	if p.Name == "" {
		return p.Folder
	}
	return p.Name + "=" + p.Folder
}

// A Flake is one by its reference, REF#ATTRIBUTE.
type Flake struct {
	Reference string `json:"reference"`
	Attribute string `json:"attribute,omitempty"`
}

func (f Flake) word() string {
	if f.Attribute == "" {
		return f.Reference
	}
	return f.Reference + "#" + f.Attribute
}

// A Setting is one of nix.conf.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Settings lists the settings of nix.conf that a plan may have: how much at a
// time, for how long, for which machines, and what of this machine the sandbox
// shows.
func Settings() []string {
	return []string{
		"build-cores", "build-poll-interval", "builders-use-substitutes", "connect-timeout", "cores", "extra-platforms",
		"extra-sandbox-paths", "extra-system-features", "filter-syscalls", "fsync-metadata", "http-connections", "max-jobs", "max-silent-time",
		"netrc-file", "sandbox-build-dir", "sandbox-dev-shm-size", "sandbox-paths", "stalled-download-timeout", "system",
		"system-features", "timeout", "use-sqlite-wal",
	}
}

// isEmpty says that nothing is named to build.
func (d Details) isEmpty() bool { return d.Derivation == "" && d.Expression == nil && d.Flake == nil }

// local lists the files and folders of this machine that are named.
func (d Details) local() []string {
	var all []string
	if d.Derivation != "" {
		all = append(all, d.Derivation)
	}
	if e := d.Expression; e != nil {
		all = append(all, e.File)
		for _, p := range e.Paths {
			all = append(all, p.Folder)
		}
	}
	if d.Flake != nil {
		all = append(all, d.Flake.Reference)
	}
	return slices.DeleteFunc(all, func(p string) bool { return !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, ".") })
}

// check says what about details, which may come from a file that anyone has
// written, cannot be run.
func (d Details) check() error {
	named := 0
	for _, is := range []bool{d.Derivation != "", d.Expression != nil, d.Flake != nil} {
		if is {
			named++
		}
	}
	if named != 1 {
		return errors.New("one of a derivation, an expression and a flake belongs here")
	}
	for _, s := range d.Settings {
		if !slices.Contains(Settings(), s.Name) || !isPlain(s.Value) {
			return fmt.Errorf("%q is no setting that can be given here, or its value is none; those are %s", s.Name, strings.Join(Settings(), ", "))
		}
	}
	if d.Root != "" && !isStorePath(d.Root) {
		return fmt.Errorf("%q is no store path", d.Root)
	}
	switch {
	case d.Expression != nil:
		return d.Expression.check()
	case d.Flake != nil:
		return checkPlace(d.Flake.Reference, d.Flake.Attribute)
	}
	if store.NameOf(filepath.Base(d.Derivation)) == "" || !strings.HasSuffix(d.Derivation, ".drv") {
		return fmt.Errorf("%q does not have the name of a derivation in the store (HASH-NAME.drv)", filepath.Base(d.Derivation))
	}
	return checkPlace(d.Derivation, "")
}

func (e Expression) check() error {
	for _, p := range e.Paths {
		if !isWord(p.word()) || !isWord(p.Folder) || strings.Contains(p.Name, "=") {
			return fmt.Errorf("%q is nothing that an expression may read: FOLDER or NAME=FOLDER", p.word())
		}
	}
	for _, a := range e.Arguments {
		if !argumentName.MatchString(a.Name) || strings.Contains(a.Value, "\x00") || !a.Text && strings.TrimSpace(a.Value) == "" {
			return fmt.Errorf("%q is no name of an argument, or its value is none: NAME=EXPRESSION", a.Name)
		}
		if a.Text {
			continue
		}
		if err := checkExpression(a.Value); err != nil {
			return fmt.Errorf("the argument %s is no expression: %w", a.Name, err)
		}
	}
	for _, uri := range e.URIs {
		if !isWord(uri) || strings.ContainsRune(uri, ' ') {
			return fmt.Errorf("%q is no beginning of an address", uri)
		}
	}
	return checkPlace(e.File, e.Attribute)
}

// checkPlace checks the words that say where a recipe is and what of it makes the
// image.
func checkPlace(place, attribute string) error {
	switch {
	case !isPlain(place) || !isPlain(attribute):
		return fmt.Errorf("%q has a control character", place+attribute)
	case !isWord(place):
		return fmt.Errorf("%q is no place of a recipe", place)
	case strings.HasPrefix(attribute, "-"):
		return fmt.Errorf("%q is no attribute", attribute)
	}
	return nil
}

// isWord says whether a text can stand as an argument that is no option.
func isWord(s string) bool { return s != "" && !strings.HasPrefix(s, "-") && isPlain(s) }

func isPlain(s string) bool { return !strings.ContainsFunc(s, unicode.IsControl) }
