package sbom

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
	"github.com/spdx/tools-golang/tagvalue"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// noAssertion is what SPDX says of what was not looked at.
const noAssertion = "NOASSERTION"

// WriteSPDX writes the bill as an SPDX document, version 2.3, in JSON
// (https://spdx.github.io/spdx-spec/v2.3/). The error is that of w.
func (b *Bill) WriteSPDX(w io.Writer) error {
	return spdxjson.Write(newSPDX(b), w, spdxjson.Indent("  "), spdxjson.EscapeHTML(false))
}

// WriteSPDXTagValue writes the same document in the form of tags and values
// (SPDX 2.3, section 4.4). The error is that of w.
func (b *Bill) WriteSPDXTagValue(w io.Writer) error {
	doc := newSPDX(b)
	escapeTags(doc)
	var out bytes.Buffer // the library loses errors
	if err := tagvalue.Write(doc, &out); err != nil {
		return fmt.Errorf("writing tags and values: %w", err)
	}
	_, err := w.Write(out.Bytes())
	return err
}

func newSPDX(b *Bill) *spdx.Document {
	d := spdxDocument{bill: b, ids: make(names), items: make(map[string]common.ElementID)}
	return d.build()
}

// escapeTags takes away the meaning of the marks that enclose text of several
// lines, for which the form has no escape.
func escapeTags(doc *spdx.Document) {
	r := strings.NewReplacer("<text>", "&lt;text&gt;", "</text>", "&lt;/text&gt;")
	texts := []*string{&doc.DocumentName, &doc.DocumentComment}
	for _, p := range doc.Packages {
		texts = append(texts, &p.PackageName, &p.PackageVersion, &p.PackageFileName, &p.PackageSourceInfo, &p.PackageLicenseComments, &p.PackageComment)
	}
	for _, t := range texts {
		*t = r.Replace(*t)
	}
}

// A spdxDocument is a document while it is built.
type spdxDocument struct {
	bill  *Bill
	ids   names
	items map[string]common.ElementID // by store path, and of parts by key
	doc   spdx.Document
}

func (d *spdxDocument) build() *spdx.Document {
	b := d.bill
	d.doc = spdx.Document{
		SPDXVersion:       spdx.Version,
		DataLicense:       spdx.DataLicense,
		SPDXIdentifier:    d.id("DOCUMENT"),
		DocumentName:      clean(b.Image.Name),
		DocumentNamespace: b.namespace(),
		CreationInfo: &spdx.CreationInfo{
			LicenseListVersion: licenseListVersion,
			Creators:           []common.Creator{{CreatorType: "Tool", Creator: b.tool()}},
			Created:            b.Created.Format(time.RFC3339),
		},
		DocumentComment: b.summary(),
	}
	image := d.add(d.image())
	d.relate(d.doc.SPDXIdentifier, common.TypeRelationshipDescribe, image)
	layers := d.addLayers(image)
	for i := range b.Items {
		it := &b.Items[i]
		d.items[it.Path] = d.id("Item-" + it.Path[strings.LastIndexByte(it.Path, '/')+1:])
	}
	for i := range b.Items {
		d.addItem(&b.Items[i], image, layers)
	}
	d.addParts(image, layers)
	d.addSources(image)
	d.addFiles(image, layers)
	for _, root := range b.Roots {
		d.relate(image, common.TypeRelationshipDependsOn, d.items[root])
	}
	return &d.doc
}

// id returns an unused identifier of the characters that SPDX allows: letters,
// digits, dot and dash.
func (d *spdxDocument) id(text string) common.ElementID {
	return common.ElementID(d.ids.pick(strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-':
			return c
		}
		return '-'
	}, text)))
}

// add adds a package and returns its identifier.
func (d *spdxDocument) add(p *spdx.Package) common.ElementID {
	p.PackageSupplier = &common.Supplier{Supplier: noAssertion}
	p.PackageDownloadLocation = noAssertion
	p.PackageLicenseConcluded = noAssertion
	p.PackageLicenseDeclared = cmp.Or(p.PackageLicenseDeclared, noAssertion)
	p.PackageCopyrightText = noAssertion
	d.doc.Packages = append(d.doc.Packages, p)
	return p.PackageSPDXIdentifier
}

func (d *spdxDocument) relate(from common.ElementID, kind string, to common.ElementID) {
	d.doc.Relationships = append(d.doc.Relationships, &spdx.Relationship{
		RefA:         common.DocElementID{ElementRefID: from},
		RefB:         common.DocElementID{ElementRefID: to},
		Relationship: kind,
	})
}

// image is the package that the document describes. Its digests are those of
// documents about the image and not of the image as a file, so they are no
// checksums but its version and references.
func (d *spdxDocument) image() *spdx.Package {
	s := d.bill.Image
	p := &spdx.Package{
		PackageName:           clean(s.Name),
		PackageSPDXIdentifier: d.id("Image"),
		PackageVersion:        digestText(s.Config),
		PackageSourceInfo:     formulaText(d.bill.Formula),
		PackageComment:        imageComment(s),
		PrimaryPackagePurpose: "CONTAINER",
	}
	p.PackageExternalReferences = slices.Concat(purlReference(s.PURL),
		otherReference("image-id", digestText(s.Config), sentenceImageID),
		otherReference("manifest-digest", digestText(s.Manifest), sentenceManifest))
	return p
}

func imageComment(s Subject) string {
	var lines []string
	if len(s.Tags) > 0 {
		lines = append(lines, fmt.Sprintf(sentenceTags, strings.Join(cleanAll(s.Tags), ", ")))
	}
	if s.Platform != "" {
		lines = append(lines, fmt.Sprintf(sentencePlatform, clean(s.Platform)))
	}
	return strings.Join(lines, "\n")
}

// addLayers adds the layers, which are files in an archive, and returns their
// identifiers by index.
func (d *spdxDocument) addLayers(image common.ElementID) map[int]common.ElementID {
	ids := make(map[int]common.ElementID)
	for _, l := range d.bill.Layers {
		ids[l.Index] = d.add(&spdx.Package{
			PackageName:               fmt.Sprintf("layer %d", l.Index),
			PackageSPDXIdentifier:     d.id(fmt.Sprintf("Layer-%d", l.Index)),
			PackageFileName:           clean(l.Member),
			PackageChecksums:          checksums(l.Digest),
			PackageExternalReferences: otherReference("diffid", digestText(l.DiffID), sentenceDiffID),
			PackageComment:            d.bill.unreadText(l),
			PrimaryPackagePurpose:     "ARCHIVE",
		})
		d.relate(image, common.TypeRelationshipContains, ids[l.Index])
	}
	return ids
}

// addItem adds a store item, contained in its layer.
func (d *spdxDocument) addItem(it *Item, image common.ElementID, layers map[int]common.ElementID) {
	p := &spdx.Package{
		PackageName:           clean(it.Name),
		PackageSPDXIdentifier: d.items[it.Path],
		PackageVersion:        clean(it.Version),
		PackageSourceInfo:     sourceInfo(it),
		PackageComment:        itemComment(it),
		PrimaryPackagePurpose: [...]string{Data: "OTHER", File: "FILE", Package: "APPLICATION"}[it.Kind],
	}
	p.PackageExternalReferences = slices.Concat(purlReference(it.PURL), cpeReference(it.CPE),
		otherReference("store-path", location(it.Path), sentenceItem),
		otherReference("nar-hash", digestText(it.NarHash), sentenceNAR))
	id := d.add(p)
	holder, ok := layers[it.Layer]
	if !ok {
		holder = image
	}
	d.relate(holder, common.TypeRelationshipContains, id)
	for _, ref := range it.DependsOn {
		if to, ok := d.items[ref]; ok {
			d.relate(id, common.TypeRelationshipDependsOn, to)
		}
	}
}

// sourceInfo says where the package is defined, as far as the recipe says so.
func sourceInfo(it *Item) string {
	if it.Channel == nil {
		return ""
	}
	return clean(fmt.Sprintf(sentenceDefinedBy, it.Channel.Name, it.Channel.URL, it.Channel.Commit))
}

func itemComment(it *Item) string {
	var lines []string
	if it.Output != "" {
		lines = append(lines, fmt.Sprintf(sentenceOutput, clean(it.Output)))
	}
	if it.Kind == Package {
		lines = append(lines, map[bool]string{true: sentenceOfRecipe, false: sentenceOfPath}[it.agrees()])
	}
	if it.Alias != "" {
		lines = append(lines, fmt.Sprintf(sentenceAlias, clean(it.Alias)))
	}
	for _, at := range it.Evidence {
		lines = append(lines, fmt.Sprintf(sentenceEvidence, placeText(at.Path), at.Layer))
	}
	if it.Problem != "" {
		lines = append(lines, fmt.Sprintf(sentenceIncomplete, clean(it.Problem)))
	}
	return strings.Join(lines, "\n")
}

func purlReference(purl string) []*spdx.PackageExternalReference {
	if purl == "" {
		return nil
	}
	return []*spdx.PackageExternalReference{{
		Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: purl,
	}}
}

func cpeReference(cpe string) []*spdx.PackageExternalReference {
	if cpe == "" {
		return nil
	}
	return []*spdx.PackageExternalReference{{
		Category: common.CategorySecurity, RefType: common.TypeSecurityCPE23Type, Locator: cpe,
		ExternalRefComment: sentenceCandidate,
	}}
}

// otherReference returns a reference of category OTHER (SPDX 2.3, annex F.5),
// none when there is nothing to refer to.
func otherReference(kind, locator, comment string) []*spdx.PackageExternalReference {
	if locator == "" {
		return nil
	}
	return []*spdx.PackageExternalReference{{
		Category: common.CategoryOther, RefType: kind, Locator: locator, ExternalRefComment: comment,
	}}
}

// checksums are digests of files; those of algorithms that SPDX does not know are left
// out.
func checksums(digests ...v1.Hash) (all []common.Checksum) {
	known := map[string]common.ChecksumAlgorithm{
		"md5": common.MD5, "sha1": common.SHA1, "sha256": common.SHA256, "sha384": common.SHA384, "sha512": common.SHA512,
	}
	for _, h := range digests {
		if algorithm, ok := known[h.Algorithm]; ok {
			all = append(all, common.Checksum{Algorithm: algorithm, Value: h.Hex})
		}
	}
	return all
}
