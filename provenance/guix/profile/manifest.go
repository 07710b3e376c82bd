package profile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"audit/provenance/guix/scheme"
)

// A Manifest is the packages of a profile with their exact versions, in the order
// of the command line that made it: what a manifest.scm says.
type Manifest []Package

// A Package is one entry of a [Manifest].
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Output  string `json:"output"`
	// Transformations change how it is built, in the order of the command line.
	Transformations []Transformation `json:"transformations,omitempty"`
}

// A Transformation is an option that changes how packages are built, such as
// --with-input=PACKAGE=REPLACEMENT (Guix 1.5, module (guix transformations)).
type Transformation struct {
	Option string `json:"option"` // without its two hyphens
	Value  string `json:"value"`
}

// errNoTransformations is what is wrong with a property that has no
// transformations.
var errNoTransformations = errors.New("a list of (OPTION . VALUE) belongs here")

// Transformations returns the package transformations that were asked for. An
// error says that the property of that name has something else.
func (e *Entry) Transformations() ([]Transformation, error) {
	options, ok := e.Property("transformations")
	if !ok || options.Kind == scheme.False {
		return nil, nil
	}
	if !options.IsList() {
		return nil, errNoTransformations
	}
	var list []Transformation
	for _, o := range options.Items {
		if o.Kind != scheme.List || len(o.Items) != 1 || o.Items[0].Kind != scheme.Symbol || o.Tail == nil || o.Tail.Kind != scheme.String {
			return nil, errNoTransformations
		}
		list = append(list, Transformation{o.Items[0].Text, o.Tail.Text})
	}
	return list, nil
}

// Manifest returns the packages of a profile. Transformations that cannot be read
// are left out: [Profile.Losses] has them.
func (p *Profile) Manifest() Manifest {
	m := make(Manifest, len(p.Entries))
	for i, e := range p.Entries {
		m[i] = Package{Name: e.Name, Version: e.Version, Output: e.Output}
		m[i].Transformations, _ = e.Transformations()
	}
	return m
}

// ManifestFile writes manifest.scm for guix pack -m.
func (p *Profile) ManifestFile() []byte { return p.Manifest().File() }

// File writes manifest.scm for guix pack -m. Everything in it but the comments is
// printed from values.
func (m Manifest) File() []byte {
	var b strings.Builder
	b.WriteString(coding)
	b.WriteString(";; The packages of this image with their exact versions, read from the profile in\n" +
		";; the image, for 'guix pack -m manifest.scm'. Which package a version stands for is\n" +
		";; up to the channels: use it together with channels.scm.\n")
	for _, form := range m.code() {
		fmt.Fprintf(&b, "\n%s\n", scheme.Pretty(form, 0))
	}
	return []byte(b.String())
}

// code returns the forms of a manifest with every version pinned (Guix 1.5,
// module (guix profiles), manifest->code).
func (m Manifest) code() []scheme.Value {
	transforms, names := m.transforms()
	list := []scheme.Value{scheme.Sym("list")}
	if len(transforms) == 0 {
		for _, p := range m {
			list = append(list, scheme.Str(p.Specification()))
		}
		return []scheme.Value{scheme.ListOf(scheme.Sym("specifications->manifest"), scheme.ListOf(list...))}
	}
	forms := []scheme.Value{scheme.ListOf(scheme.Sym("use-modules"), scheme.ListOf(scheme.Sym("guix"), scheme.Sym("transformations")))}
	for _, options := range slices.Backward(transforms) {
		forms = append(forms, scheme.ListOf(scheme.Sym("define"), names[options.String()],
			scheme.ListOf(scheme.Sym("options->transformation"), scheme.Quote(options))))
	}
	for _, p := range m {
		list = append(list, p.code(names))
	}
	return append(forms, scheme.ListOf(scheme.Sym("packages->manifest"), scheme.ListOf(list...)))
}

// Specification names a package as the command line does: NAME@VERSION:OUTPUT.
func (p Package) Specification() string {
	spec := p.qualifiedName()
	if p.Output != "out" {
		spec += ":" + p.Output
	}
	return spec
}

// Specification is [Package.Specification].
func (e *Entry) Specification() string {
	return Package{Name: e.Name, Version: e.Version, Output: e.Output}.Specification()
}

func (p Package) qualifiedName() string {
	if p.Version == "" {
		return p.Name
	}
	return p.Name + "@" + p.Version
}

// code returns the form of a package where some of a manifest are transformed.
func (p Package) code(names map[string]scheme.Value) scheme.Value {
	code := scheme.ListOf(scheme.Sym("specification->package"), scheme.Str(p.qualifiedName()))
	if len(p.Transformations) > 0 {
		code = scheme.ListOf(names[p.options().String()], code)
	}
	if p.Output != "out" {
		code = scheme.ListOf(scheme.Sym("list"), code, scheme.Str(p.Output))
	}
	return code
}

// options returns the transformations as an association list.
func (p Package) options() scheme.Value {
	var list []scheme.Value
	for _, t := range p.Transformations {
		value := scheme.Str(t.Value)
		list = append(list, scheme.Value{Items: []scheme.Value{scheme.Sym(t.Option)}, Tail: &value})
	}
	return scheme.ListOf(list...)
}

// transforms returns the transformations of all packages, each once, and the name
// of the procedure for each, by its printed form.
func (m Manifest) transforms() (transforms []scheme.Value, names map[string]scheme.Value) {
	names = make(map[string]scheme.Value)
	for _, p := range m {
		options := p.options()
		if _, known := names[options.String()]; known || len(p.Transformations) == 0 {
			continue
		}
		transforms = append(transforms, options)
		names[options.String()] = scheme.Sym(fmt.Sprintf("transform%d", len(transforms)))
	}
	return transforms, names
}
