package sbom

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/package-url/packageurl-go"

	"audit/provenance"
)

// addParts makes the components of packages and files, each for the component
// that contains it: those of a language are in those of the distribution, or
// in store items, which are made afterwards.
func (d *cdxDocument) addParts() {
	b := d.bill
	for i := range b.Parts {
		p := &b.Parts[i]
		d.items[p.Key] = d.refs.pick(clean(fmt.Sprintf("%s:%s@%s", p.Ecosystem, p.Name, p.Version)))
	}
	for _, f := range b.Files {
		d.put(f.In, d.file(f))
	}
	for _, p := range innermost(b.Parts) {
		d.put(p.In, d.part(p))
	}
}

// innermost are the parts with those that are in others before these.
func innermost(parts []Part) []*Part {
	byKey := make(map[string]*Part, len(parts))
	for i := range parts {
		byKey[parts[i].Key] = &parts[i]
	}
	depth := make(map[string]int, len(parts))
	var measure func(p *Part) int
	measure = func(p *Part) int {
		if p == nil {
			return 0
		}
		if depth[p.Key] == 0 {
			depth[p.Key] = 1 + measure(byKey[p.In])
		}
		return depth[p.Key]
	}
	list := make([]*Part, len(parts))
	for i := range parts {
		list[i] = &parts[i]
		measure(list[i])
	}
	slices.SortStableFunc(list, func(a, b *Part) int { return depth[b.Key] - depth[a.Key] })
	return list
}

// put keeps a component for what contains it, or for the image.
func (d *cdxDocument) put(in string, c cdx.Component) {
	if _, ok := d.items[in]; !ok {
		in = ""
	}
	d.inside[in] = append(d.inside[in], c)
}

// within returns the components inside another, nil for none.
func (d *cdxDocument) within(in string) *[]cdx.Component {
	list := d.inside[in]
	if len(list) == 0 {
		return nil
	}
	return &list
}

func (d *cdxDocument) part(p *Part) cdx.Component {
	c := cdx.Component{
		BOMRef:     d.items[p.Key],
		Type:       cdx.ComponentTypeLibrary,
		Name:       clean(p.Name),
		Version:    clean(p.Version),
		PackageURL: p.PURL,
		Evidence:   &cdx.Evidence{Identity: candidate(p.CPE), Occurrences: occurrences(p.Evidence)},
		Properties: properties(
			"audit:identity", string(p.Ecosystem),
			"audit:package:arch", clean(p.Arch),
			"audit:license:declared", clean(p.License.Declared),
			"audit:source:sum", clean(p.Sum),
			"audit:package:origin", clean(p.Origin),
		),
		Components: d.within(p.Key),
	}
	if at := address(p.URL); at != "" { // the digests are of what lies there
		c.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeDistribution, URL: at, Hashes: hashes(p.Digests...)}}
	} else {
		c.Hashes = hashes(p.Digests...)
	}
	if p.License.Expression != "" {
		declared := cdx.LicenseAcknowledgementDeclared
		c.Licenses = &cdx.Licenses{{Expression: p.License.Expression, Acknowledgement: &declared}}
	}
	return c
}

func (d *cdxDocument) file(f FileEntry) cdx.Component {
	return cdx.Component{
		BOMRef:     d.refs.pick("file:/" + clean(f.Path)),
		Type:       cdx.ComponentTypeFile,
		Name:       clean(f.Path),
		Hashes:     hashes(f.Digest.Hash()),
		Properties: properties("audit:file:layer", strconv.Itoa(f.Layer), "audit:file:size", strconv.FormatInt(f.Size, 10)),
	}
}

// candidate is a CPE as evidence that may be wrong, and not as the identity of
// the component, which the field cpe would be.
func candidate(cpe string) *cdx.EvidenceIdentityChoice {
	if cpe == "" {
		return nil
	}
	guess := float32(0.3)
	return &cdx.EvidenceIdentityChoice{Identities: &[]cdx.EvidenceIdentity{{
		Field: cdx.EvidenceIdentityFieldTypeCPE, Confidence: &guess, ConcludedValue: cpe,
		Methods: &[]cdx.EvidenceIdentityMethod{{
			Technique: cdx.EvidenceIdentityTechniqueOther, Confidence: &guess,
			Value: sentenceCandidate,
		}},
	}}}
}

// formulation is the recipe that the image carries: what packed it, the
// channels and the files that say what of them, and the work that makes the
// image of these.
func (d *cdxDocument) formulation(image string) *[]cdx.Formula {
	f := d.bill.Formula
	if f == nil && len(d.bill.Sources) == 0 {
		return nil
	}
	if f == nil {
		f = new(provenance.Recipe)
	}
	var parts []cdx.Component
	if f.Packer != "" {
		parts = append(parts, cdx.Component{BOMRef: d.refs.pick("packer"), Type: cdx.ComponentTypeApplication, Name: clean(f.Packer)})
	}
	for _, c := range f.Channels {
		parts = append(parts, d.channel(c))
	}
	for _, file := range f.Files {
		parts = append(parts, d.recipeFile(file))
	}
	for i := range d.bill.Sources {
		parts = append(parts, d.source(&d.bill.Sources[i]))
	}
	var inputs []cdx.TaskInput
	for _, c := range parts {
		inputs = append(inputs, cdx.TaskInput{Resource: &cdx.ResourceReferenceChoice{Ref: c.BOMRef}})
	}
	work := cdx.Workflow{
		BOMRef:      d.refs.pick("workflow"),
		UID:         "urn:uuid:" + d.bill.uuid() + "#workflow",
		Name:        clean(cmp.Or(f.Packer, string(f.System))),
		Description: sentenceWorkflow,
		TaskTypes:   &[]cdx.TaskType{cdx.TaskTypeBuild},
		Outputs:     &[]cdx.TaskOutput{{Type: cdx.TaskOutputTypeArtifact, Resource: &cdx.ResourceReferenceChoice{Ref: image}}},
		Properties:  d.recipeProperties(f),
	}
	formula := cdx.Formula{BOMRef: d.refs.pick("formula"), Workflows: &[]cdx.Workflow{work}}
	if len(parts) > 0 {
		formula.Components = &parts
		(*formula.Workflows)[0].Inputs = &inputs
	}
	return &[]cdx.Formula{formula}
}

// recipeProperties say where the recipe was found and what it cannot express.
func (d *cdxDocument) recipeProperties(f *provenance.Recipe) *[]cdx.Property {
	list := properties("audit:recipe:system", clean(string(f.System)), "audit:recipe:status", clean(string(f.Status)))
	for _, s := range f.Locations {
		*list = append(*list, cdx.Property{Name: "audit:recipe:source", Value: fmt.Sprintf(sentenceRecipeSource, clean(s.Path), s.Layer)})
	}
	for _, m := range f.Missing {
		*list = append(*list, cdx.Property{Name: "audit:recipe:problem", Value: clean(d.bill.text(m))})
	}
	return list
}

// channel is a source of package definitions, pinned to a commit.
func (d *cdxDocument) channel(c provenance.Channel) cdx.Component {
	component := cdx.Component{
		BOMRef:  d.refs.pick(clean("channel:" + c.Name)),
		Type:    cdx.ComponentTypeData,
		Name:    clean(c.Name),
		Version: clean(c.Commit),
		Data:    &[]cdx.ComponentData{{Type: cdx.ComponentDataTypeSourceCode, Name: clean(c.Name)}},
		PackageURL: newPURL(packageurl.TypeGeneric, "", c.Name, c.Commit, map[string]string{
			"vcs_url": "git+" + c.URL + "@" + c.Commit,
		}),
	}
	if url := address(c.URL); url != "" {
		component.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeVCS, URL: url}}
	}
	component.Properties = properties("audit:channel:branch", clean(c.Branch))
	if c.Introduction != nil {
		*component.Properties = append(*component.Properties, *properties(
			"audit:channel:introduction:commit", clean(c.Introduction.Commit),
			"audit:channel:introduction:fingerprint", clean(c.Introduction.Fingerprint))...)
	}
	if len(*component.Properties) == 0 {
		component.Properties = nil
	}
	return component
}

// recipeFile is a file of the recipe with its text.
func (d *cdxDocument) recipeFile(f provenance.File) cdx.Component {
	sum := sha256.Sum256(f.Text)
	return cdx.Component{
		BOMRef: d.refs.pick(clean("recipe:" + f.Name)),
		Type:   cdx.ComponentTypeData,
		Name:   clean(f.Name),
		Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
		Data: &[]cdx.ComponentData{{
			Type: cdx.ComponentDataTypeConfiguration, Name: clean(f.Name),
			Contents: &cdx.ComponentDataContents{Attachment: &cdx.AttachedText{
				ContentType: "text/plain", Encoding: "base64", Content: base64.StdEncoding.EncodeToString(f.Text),
			}},
		}},
	}
}
