package sbom

import (
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/ospackages"
	"audit/provenance/records"
)

// Keep says whether the bill of an image needs the content of the file at path.
func Keep(p string) bool { return ospackages.Keep(p) || isCopyright(p) || records.Keep(p) }

// maxMetadata bounds the copyright file of one package: honest ones have some
// kilobytes.
const maxMetadata = 4 << 20

// languages adds what the records of languages and tools describe.
func (f *finder) languages(all *records.All) {
	for _, p := range all.Problems {
		f.gaps = append(f.gaps, Gap{Place{p.Layer, p.Path}, p.Message})
	}
	keys := make([]string, len(all.Components))
	for i := range all.Components {
		f.language(all.Components, i, keys)
	}
}

// language adds a component after the one that contains it.
func (f *finder) language(all []records.Component, i int, keys []string) string {
	if keys[i] != "" {
		return keys[i]
	}
	c := &all[i]
	in := f.container(c.At.Path)
	if in == "" && c.In >= 0 {
		in = f.language(all, c.In, keys)
	}
	keys[i] = f.add(Part{
		Ecosystem: Ecosystem(c.Ecosystem), Name: c.Name, Version: c.Version, Arch: c.Arch,
		License: f.licenseOf(c.Licenses), PURL: locate(c), URL: c.URL, Origin: c.Origin, Digests: c.Digests, Sum: c.Sum,
		In: in, Evidence: []Place{{c.At.Layer, c.At.Path}},
	})
	return keys[i]
}

// licenseOf returns the first licence that is an expression, else the first text.
func (f *finder) licenseOf(declared []records.License) (first License) {
	for _, d := range declared {
		l := f.known.reading(d.Text, d.Meaning)
		if l.Expression != "" {
			return l
		}
		if first.Declared == "" {
			first = l
		}
	}
	return first
}

func locate(c *records.Component) string {
	l := c.Locator
	if l.Type == "" {
		return ""
	}
	name := l.Name
	if name == "" {
		name = c.Name
	}
	return newPURL(l.Type, l.Namespace, name, c.Version, l.Qualifiers)
}

// body returns the content of a copyright file.
func (f *finder) body(file inspect.File) ([]byte, check.Message) {
	body, _, ok := f.img.Root().Content(file.Path)
	switch {
	case !ok:
		return nil, check.Say("packages/content-not-kept")
	case len(body) > maxMetadata:
		return nil, check.Say("sbom/metadata-too-long", "bytes", len(body))
	}
	return body, check.Message{}
}
