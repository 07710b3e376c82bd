package sbom

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// A Source is something that the image was made from, and is not in it: what was
// fetched, or a seed.
type Source struct {
	Name       string
	Derivation string   // that fetches it
	Method     string   // as of a report
	Repository bool     // Addresses are those of a repository, not of a file
	Addresses  []string // in the order in which they are tried
	Revision   string   // of a repository; may be empty
	Algorithm  string   // of Hash
	Hash       string   // in hexadecimal
	Recursive  bool     // the hash is that of its NAR
	Seed       string   // the rule by which it is known as a seed; "" for none
	SWHID      string   // of its content; "" when it is not known
	Items      []string // store paths of the items that need it, the first of them
}

// digest is the hash of the file itself; zero where only that of its NAR is known, or
// one that bills have no name for.
func (s *Source) digest() v1.Hash {
	sum, err := hex.DecodeString(s.Hash)
	size := map[string]int{"sha256": sha256.Size, "sha512": sha512.Size}[s.Algorithm]
	if s.Recursive || err != nil || len(sum) != size {
		return v1.Hash{}
	}
	return v1.Hash{Algorithm: s.Algorithm, Hex: hex.EncodeToString(sum)}
}

// nar is the hash of its NAR, as a text; "" where it is not known.
func (s *Source) nar() string {
	if !s.Recursive {
		return ""
	}
	return location(s.Algorithm + ":" + s.Hash)
}

// source is a component that took part in making the image.
func (d *cdxDocument) source(s *Source) cdx.Component {
	c := cdx.Component{BOMRef: d.refs.pick("source:" + clean(s.Name)), Type: cdx.ComponentTypeFile, Name: clean(s.Name), Hashes: hashes(s.digest())}
	kind := cdx.ERTypeSourceDistribution
	if s.Repository {
		c.Type, kind = cdx.ComponentTypeData, cdx.ERTypeVCS
	}
	var references []cdx.ExternalReference
	for _, a := range s.Addresses {
		if at := address(a); at != "" {
			references = append(references, cdx.ExternalReference{Type: kind, URL: at, Comment: clean(s.Revision)})
		}
	}
	if len(references) > 0 {
		c.ExternalReferences = &references
	}
	c.Properties = properties(
		"audit:source:method", clean(s.Method), "audit:source:revision", clean(s.Revision), "audit:source:narHash", s.nar(),
		"audit:source:derivation", clean(s.Derivation), "audit:source:seed", clean(s.Seed), "audit:source:swhid", clean(s.SWHID),
	)
	return c
}

// addSources adds what the image was made from: an item was generated from it, or the
// image as a whole where no item needs it.
func (d *spdxDocument) addSources(image common.ElementID) {
	for i := range d.bill.Sources {
		s := &d.bill.Sources[i]
		p := &spdx.Package{
			PackageName:           clean(s.Name),
			PackageSPDXIdentifier: d.id("Source-" + s.Name),
			PackageChecksums:      checksums(s.digest()),
			PrimaryPackagePurpose: "SOURCE",
		}
		p.PackageExternalReferences = slices.Concat(otherReference("nar-hash", s.nar(), sentenceNAR), persistentReference(s.SWHID))
		if s.Seed != "" {
			p.PackageComment = sentenceSeed
		}
		id := d.add(p)
		p.PackageDownloadLocation = s.location()
		related := false
		for _, item := range s.Items {
			if of, ok := d.items[item]; ok {
				d.relate(of, common.TypeRelationshipGeneratedFrom, id)
				related = true
			}
		}
		if !related {
			d.relate(image, common.TypeRelationshipGeneratedFrom, id)
		}
	}
}

// location is where a source is had from, as SPDX writes it (2.3, section 7.7).
func (s *Source) location() string {
	for _, a := range s.Addresses {
		at := address(a)
		scheme, _, ok := strings.Cut(at, "://")
		switch {
		case !ok:
		case s.Repository && strings.HasPrefix(s.Method, "git") && (scheme == "http" || scheme == "https"):
			return location("git+" + at + "@" + s.Revision)
		case scheme == "http" || scheme == "https" || scheme == "ftp":
			return at
		}
	}
	return noAssertion
}

// persistentReference names the content of a source for good.
func persistentReference(swhid string) []*spdx.PackageExternalReference {
	if swhid == "" {
		return nil
	}
	return []*spdx.PackageExternalReference{{Category: common.CategoryPersistentId, RefType: common.TypePersistentIdSwh, Locator: location(swhid)}}
}
