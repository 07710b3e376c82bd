package sbom

import (
	"audit/inspect/check"
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// WriteCycloneDXXML writes the same document in XML
// (https://cyclonedx.org/docs/1.6/xml/). The error is that of w.
func (b *Bill) WriteCycloneDXXML(w io.Writer) error {
	var out bytes.Buffer
	if err := b.writeCycloneDX(&out, cdx.BOMFileFormatXML); err != nil {
		return err
	}
	_, err := w.Write(contextElements(out.Bytes()))
	return err
}

// contextElements moves the context of occurrences from the attribute that
// cyclonedx-go 0.12 makes of it to the element that the schema has
// (bom-1.6.xsd, componentEvidenceType). Text cannot be mistaken for it: in
// text "<" is escaped.
func contextElements(markup []byte) []byte {
	attribute := regexp.MustCompile(`<occurrence additionalContext="([^"]*)">(\s*)(<location>[^<]*</location>)`)
	return attribute.ReplaceAll(markup, []byte("<occurrence>$2$3$2<additionalContext>$1</additionalContext>"))
}

// WriteCycloneDX writes the bill as a CycloneDX document, version 1.6, in JSON
// (ECMA-424, https://cyclonedx.org/docs/1.6/json/). The error is that of w.
// The properties are named audit:…, as the property taxonomy of CycloneDX asks.
func (b *Bill) WriteCycloneDX(w io.Writer) error {
	return b.writeCycloneDX(w, cdx.BOMFileFormatJSON)
}

func (b *Bill) writeCycloneDX(w io.Writer, format cdx.BOMFileFormat) error {
	d := cdxDocument{bill: b, refs: make(names), items: make(map[string]string), inside: make(map[string][]cdx.Component)}
	return cdx.NewBOMEncoder(w, format).SetPretty(true).SetEscapeHTML(false).
		EncodeVersion(d.build(), cdx.SpecVersion1_6)
}

// A cdxDocument is a document while it is built.
type cdxDocument struct {
	bill   *Bill
	refs   names                      // bom-refs are unique
	items  map[string]string          // bom-ref by store path, and of parts by key
	inside map[string][]cdx.Component // by what they are in, as of a Part; "" for the image
	unread []cdx.BOMReference         // layers that were not read to the end
}

func (d *cdxDocument) build() *cdx.BOM {
	b := d.bill
	image := d.image()
	for i := range b.Items {
		d.items[b.Items[i].Path] = d.refs.pick(clean(b.Items[i].Path))
	}
	bom := cdx.NewBOM()
	bom.SerialNumber = "urn:uuid:" + b.uuid()
	bom.Metadata = &cdx.Metadata{
		Timestamp:  b.Created.Format(time.RFC3339),
		Lifecycles: &[]cdx.Lifecycle{{Phase: cdx.LifecyclePhasePostBuild}},
		Tools:      &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: b.Tool, Version: clean(b.Version)}}},
		Component:  &image,
	}
	d.addParts()
	components := make([]cdx.Component, 0, len(b.Items))
	for i := range b.Items {
		components = append(components, d.component(&b.Items[i]))
	}
	components = append(components, d.inside[""]...)
	bom.Components = &components
	bom.Formulation = d.formulation(image.BOMRef)
	bom.Dependencies = d.dependencies(image.BOMRef)
	bom.Compositions = d.compositions(image.BOMRef)
	return bom
}

// image is the component that the document is about, with its layers in it.
func (d *cdxDocument) image() cdx.Component {
	b := d.bill
	c := cdx.Component{
		BOMRef:     d.refs.pick("image"),
		Type:       cdx.ComponentTypeContainer,
		Name:       clean(b.Image.Name),
		Version:    digestText(b.Image.Config),
		PackageURL: b.Image.PURL,
	}
	c.Properties = properties(
		"audit:image:configDigest", digestText(b.Image.Config),
		"audit:image:manifestDigest", digestText(b.Image.Manifest),
		"audit:image:platform", clean(b.Image.Platform),
		"audit:recipe:status", string(b.Recipe),
		"audit:recipe:packer", clean(b.Packer),
		"audit:check:closure", b.Closure.String(),
	)
	for _, tag := range cleanAll(b.Image.Tags) {
		*c.Properties = append(*c.Properties, cdx.Property{Name: "audit:image:tag", Value: tag})
	}
	for _, g := range b.Gaps {
		*c.Properties = append(*c.Properties, cdx.Property{Name: "audit:gap", Value: b.gapText(g)})
	}
	var layers []cdx.Component
	for _, l := range b.Layers {
		layers = append(layers, d.layer(l))
	}
	if len(layers) > 0 {
		c.Components = &layers
	}
	return c
}

func (d *cdxDocument) layer(l Layer) cdx.Component {
	ref := d.refs.pick(fmt.Sprintf("layer-%d", l.Index))
	if !l.Unread.IsZero() {
		d.unread = append(d.unread, cdx.BOMReference(ref))
	}
	return cdx.Component{
		BOMRef: ref,
		Type:   cdx.ComponentTypeFile,
		Name:   fmt.Sprintf("layer %d", l.Index),
		Hashes: hashes(l.Digest),
		Properties: properties(
			"audit:layer:member", clean(l.Member),
			"audit:layer:diffID", digestText(l.DiffID),
			"audit:layer:size", strconv.FormatInt(l.Size, 10),
			"audit:layer:problem", d.bill.unreadText(l),
		),
	}
}

func (d *cdxDocument) component(it *Item) cdx.Component {
	c := cdx.Component{
		BOMRef:     d.items[it.Path],
		Type:       [...]cdx.ComponentType{Data: cdx.ComponentTypeData, File: cdx.ComponentTypeFile, Package: cdx.ComponentTypeApplication}[it.Kind],
		Name:       clean(it.Name),
		Version:    clean(it.Version),
		PackageURL: it.PURL,
		Properties: itemProperties(it),
	}
	c.Evidence = &cdx.Evidence{Identity: candidate(it.CPE), Occurrences: occurrences(it.Evidence)}
	c.Components = d.within(it.Path)
	if it.Channel != nil && address(it.Channel.URL) != "" {
		c.ExternalReferences = &[]cdx.ExternalReference{{
			Type:    cdx.ERTypeBuildMeta,
			URL:     address(it.Channel.URL),
			Comment: clean(fmt.Sprintf(sentenceDefines, it.Channel.Name, it.Channel.Commit)),
		}}
	}
	return c
}

func itemProperties(it *Item) *[]cdx.Property {
	identity := ""
	if it.Kind == Package {
		identity = map[bool]string{true: "recipe", false: "store-name"}[it.agrees()]
	}
	list := properties(
		"audit:identity", identity,
		"audit:store:path", clean(it.Path),
		"audit:store:output", clean(it.Output),
		"audit:recipe:name", clean(it.Alias),
		"audit:store:narHash", digestText(it.NarHash),
		"audit:store:layer", strconv.Itoa(it.Layer),
		"audit:store:problem", clean(it.Problem),
	)
	if it.NarHash != (v1.Hash{}) {
		*list = append(*list, *properties("audit:store:narSize", strconv.FormatInt(it.NarSize, 10))...)
	}
	if c := it.Channel; c != nil {
		*list = append(*list, *properties("audit:channel:name", clean(c.Name), "audit:channel:url", clean(c.URL), "audit:channel:commit", clean(c.Commit))...)
	}
	return list
}

// properties returns the pairs of name and value that have a value.
func properties(pairs ...string) *[]cdx.Property {
	list := make([]cdx.Property, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			list = append(list, cdx.Property{Name: pairs[i], Value: pairs[i+1]})
		}
	}
	return &list
}

// dependencies is the graph of references, the image first.
func (d *cdxDocument) dependencies(image string) *[]cdx.Dependency {
	list := []cdx.Dependency{d.dependency(image, d.bill.Roots)}
	for i := range d.bill.Items {
		it := &d.bill.Items[i]
		list = append(list, d.dependency(d.items[it.Path], it.DependsOn))
	}
	for i := range d.bill.Parts {
		if p := &d.bill.Parts[i]; len(p.DependsOn) > 0 {
			list = append(list, d.dependency(d.items[p.Key], p.DependsOn))
		}
	}
	return &list
}

func (d *cdxDocument) dependency(ref string, on []string) cdx.Dependency {
	var refs []string
	for _, path := range on {
		if to, ok := d.items[path]; ok {
			refs = append(refs, to)
		}
	}
	return cdx.Dependency{Ref: ref, Dependencies: &refs}
}

// compositions say how far the bill goes: whether the image has parts that are
// not listed, which layers have, and of which items references may be missing.
func (d *cdxDocument) compositions(image string) *[]cdx.Composition {
	aggregate := cdx.CompositionAggregateUnknown
	switch {
	case d.bill.Closure == check.Fail || len(d.bill.Gaps) > 0:
		aggregate = cdx.CompositionAggregateIncomplete
	case d.bill.Closure == check.Pass:
		aggregate = cdx.CompositionAggregateComplete
	}
	list := []cdx.Composition{{Aggregate: aggregate, Assemblies: &[]cdx.BOMReference{cdx.BOMReference(image)}}}
	if len(d.unread) > 0 {
		list = append(list, cdx.Composition{Aggregate: cdx.CompositionAggregateIncomplete, Assemblies: &d.unread})
	}
	var partial, unknown []cdx.BOMReference
	for i := range d.bill.Items {
		if it := &d.bill.Items[i]; it.Problem != "" {
			partial = append(partial, cdx.BOMReference(d.items[it.Path]))
		}
	}
	for i := range d.bill.Parts {
		unknown = append(unknown, cdx.BOMReference(d.items[d.bill.Parts[i].Key]))
	}
	if len(partial) > 0 {
		list = append(list, cdx.Composition{Aggregate: cdx.CompositionAggregateIncomplete, Dependencies: &partial})
	}
	if len(unknown) > 0 {
		list = append(list, cdx.Composition{Aggregate: cdx.CompositionAggregateUnknown, Dependencies: &unknown})
	}
	return &list
}

// occurrences are the places where a component was found.
func occurrences(places []Place) *[]cdx.EvidenceOccurrence {
	var list []cdx.EvidenceOccurrence
	for _, at := range places {
		list = append(list, cdx.EvidenceOccurrence{Location: placeText(at.Path), AdditionalContext: fmt.Sprintf("layer %d", at.Layer)})
	}
	return &list
}

func hashes(digests ...v1.Hash) *[]cdx.Hash {
	known := map[string]cdx.HashAlgorithm{
		"md5": cdx.HashAlgoMD5, "sha1": cdx.HashAlgoSHA1, "sha256": cdx.HashAlgoSHA256, "sha384": cdx.HashAlgoSHA384, "sha512": cdx.HashAlgoSHA512,
	}
	var all []cdx.Hash
	for _, h := range digests {
		if algorithm, ok := known[h.Algorithm]; ok {
			all = append(all, cdx.Hash{Algorithm: algorithm, Value: strings.ToLower(h.Hex)})
		}
	}
	if all == nil {
		return nil
	}
	return &all
}
