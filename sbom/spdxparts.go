package sbom

import (
	"audit/provenance/records"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// addParts adds the packages of distributions and languages, each contained in
// the store item or the package that its files belong to, or in its layer.
func (d *spdxDocument) addParts(image common.ElementID, layers map[int]common.ElementID) {
	for i := range d.bill.Parts {
		p := &d.bill.Parts[i]
		d.items[p.Key] = d.id("Package-" + string(p.Ecosystem) + "-" + p.Name)
	}
	for i := range d.bill.Parts {
		p := &d.bill.Parts[i]
		described := &spdx.Package{
			PackageName:               clean(p.Name),
			PackageSPDXIdentifier:     d.items[p.Key],
			PackageVersion:            clean(p.Version),
			PackageSourceInfo:         clean(fmt.Sprintf(sentenceMetadata, p.Ecosystem)),
			PackageLicenseDeclared:    p.License.Expression,
			PackageLicenseComments:    p.License.comment(),
			PackageComment:            partComment(p),
			PackageChecksums:          checksums(p.Digests...),
			PackageExternalReferences: slices.Concat(purlReference(p.PURL), cpeReference(p.CPE), otherReference("source-sum", location(p.Sum), sentenceSum)),
			PrimaryPackagePurpose:     map[bool]string{false: "LIBRARY"}[p.Ecosystem.isSystem()],
		}
		id := d.add(described)
		described.PackageDownloadLocation = cmp.Or(address(p.URL), noAssertion)
		d.relate(d.holder(p.In, p.Evidence[0].Layer, image, layers), common.TypeRelationshipContains, id)
		for _, on := range p.DependsOn {
			d.relate(id, common.TypeRelationshipDependsOn, d.items[on])
		}
	}
}

// holder is what contains a part or file.
func (d *spdxDocument) holder(in string, layer int, image common.ElementID, layers map[int]common.ElementID) common.ElementID {
	if id, ok := d.items[in]; ok {
		return id
	}
	if id, ok := layers[layer]; ok {
		return id
	}
	return image
}

// addFiles adds the files as packages whose purpose is FILE: what SPDX 2.3
// calls a file must have a SHA-1 (section 8.4), which the bill does not take.
func (d *spdxDocument) addFiles(image common.ElementID, layers map[int]common.ElementID) {
	for _, f := range d.bill.Files {
		id := d.add(&spdx.Package{
			PackageName:           clean(f.Path),
			PackageSPDXIdentifier: d.id("File-" + f.Path),
			PackageFileName:       "./" + clean(f.Path),
			PackageChecksums:      checksums(f.Digest.Hash()),
			PackageComment:        fmt.Sprintf(sentenceFile, f.Layer, f.Size),
			PrimaryPackagePurpose: "FILE",
		})
		d.relate(d.holder(f.In, f.Layer, image, layers), common.TypeRelationshipContains, id)
	}
}

func partComment(p *Part) string {
	var lines []string
	if p.Arch != "" {
		lines = append(lines, fmt.Sprintf(sentenceArch, clean(p.Arch)))
	}
	switch p.Origin {
	case "":
	case records.Local:
		lines = append(lines, sentenceLocal)
	default:
		lines = append(lines, fmt.Sprintf(sentenceOrigin, clean(p.Origin)))
	}
	for _, at := range p.Evidence {
		lines = append(lines, fmt.Sprintf(sentenceEvidence, placeText(at.Path), at.Layer))
	}
	return strings.Join(lines, "\n")
}
