// Package evidence lists what others say of an image: the statements that lie beside
// it, and those that the user gives, each with what it is about and who signed it.
//
// Both are taken from what is signed: the predicateType and the subjects of the
// statement. Where a document lies, its tag, and the annotations beside it are hints
// that nobody signed, and decide nothing. That a signature is verified says who said
// it, and never that it is so.
package evidence

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/provenance/statement"
	"audit/provenance/statement/keyless"
)

// A Statement is a document about an image, or about something else.
type Statement struct {
	Digest        v1.Hash
	Form          statement.Form // "" when it cannot be read
	Source        string         // where it lies: index, referrer, tag, or file
	PredicateType string         // as signed; "" for a signature alone
	Subjects      []string       // digests as signed, "sha256:…"; at most [maxSubjects]
	About         About          // which of these is of the image
	Signatures    []Signature
	Unread        check.Message // why it cannot be read; zero when it can

	Document *statement.Document // nil for a signature alone, or when it cannot be read
}

// About says what of the image a statement is about.
type About string

// What a statement can be about. What is about the image binds all its bytes; an index
// binds those of other platforms too.
const (
	Another    About = ""           // not this image
	Manifest   About = "manifest"   // the image manifest
	Config     About = "config"     // the image config, which binds the layers' contents
	Archive    About = "archive"    // the file that the image was read from
	Index      About = "index"      // the image index that led to the image
	Statements About = "statements" // the manifest of other statements, which this one signs
)

// IsImage says that a statement is about this very image.
func (a About) IsImage() bool { return a == Manifest || a == Config || a == Archive }

// A Signature is one over a statement, or over the manifest that lists it.
type Signature struct {
	Kind   statement.Form
	Signer string // the name of the key; "" when it is not known
	Status Status
	Why    check.Message
}

// A Status says what is known of a signature.
type Status string

// The statuses of signatures.
const (
	Verified    Status = "verified"     // a key that the user gave made it
	Untrusted   Status = "untrusted"    // none of the keys that the user gave made it
	Invalid     Status = "invalid"      // it is not one of these bytes by the key that it names
	NotVerified Status = "not-verified" // there was nothing to verify it with
)

// Trust is what signatures are verified with.
type Trust struct {
	Keys  []statement.Key
	Roots map[string]*x509.CertPool // of certificates of notation, by the name that the user gives them
	// Keyless verifies a bundle with a certificate, as package keyless does; nil when
	// there is no trusted root.
	Keyless func(bundle []byte) (signer string, err error)
	Now     time.Time
}

// maxSubjects bounds the digests that are listed of a statement.
const maxSubjects = 20

// Of lists what the documents beside an image, and those that the user gives, say of
// it: in their order. It notes in the image who signed the documents beside it.
func Of(img *inspect.Image, given []*statement.Document, trust Trust) []Statement {
	g := gatherer{trust: trust, digests: digests(img), manifests: make(map[string]bool)}
	for _, a := range img.Attestations {
		if digest.Of(a.ManifestRaw).Hash() == a.Manifest {
			g.manifests[a.Manifest.String()] = true
		}
	}
	for _, a := range img.Attestations {
		g.attestation(a)
	}
	for _, d := range given {
		s := Statement{Digest: digest.Of(d.Raw).Hash(), Source: "file"}
		g.document(&s, d, d.Raw, nil)
		g.all = append(g.all, s)
	}
	g.secondHop(img.Attestations)
	for i := range img.Attestations { // the first of all are these
		img.Attestations[i].SignedBy = g.all[i].SignedBy()
	}
	return g.all
}

// digests are those by which a statement can be about an image, by what they are of.
// The config counts where it describes the layers as they were read; the manifest
// where the image has one.
func digests(img *inspect.Image) map[About]string {
	found := make(map[About]string)
	add := func(about About, digest v1.Hash) {
		if digest.Hex != "" {
			found[about] = digest.String()
		}
	}
	add(Index, img.Index)
	add(Archive, img.Archive)
	if img.Manifest.Origin == image.Computed {
		add(Manifest, img.Manifest.Digest)
	}
	described := len(img.Config.File.RootFS.DiffIDs) == len(img.Layers)
	for _, l := range img.Layers {
		described = described && l.DiffID == l.ClaimedDiffID && l.Broken == nil
	}
	if described {
		add(Config, img.Config.Digest)
	}
	return found
}

// A gatherer lists statements.
type gatherer struct {
	trust     Trust
	digests   map[About]string
	manifests map[string]bool // of other statements, whose bytes are what their digest says
	all       []Statement
}

func (g *gatherer) attestation(a image.Attestation) {
	s := Statement{Digest: a.Digest, Source: string(a.Place)}
	switch {
	case a.Raw == nil:
		s.Unread = check.Say("statement/not-read")
	case digest.Of(a.Raw).Hash() != a.Digest:
		s.Unread = check.Say("statement/other-digest")
	case a.MediaType == statement.SimpleSigningType:
		g.simpleSigning(&s, a.Raw, a.Annotations[statement.SimpleSigningAnnotation])
	case a.MediaType == statement.NotationJWS:
		g.notation(&s, a.Raw)
	case a.MediaType == statement.NotationCOSE:
		s.Form, s.Signatures = statement.Notation, []Signature{{statement.Notation, "", NotVerified, check.Say("statement/cose")}}
	default:
		d, err := statement.Read(a.Raw)
		g.document(&s, d, a.Raw, err)
	}
	g.all = append(g.all, s)
}

// document takes what a statement says, and who signed it.
func (g *gatherer) document(s *Statement, d *statement.Document, raw []byte, err error) {
	if err != nil {
		s.Unread = check.Say("statement/unreadable", "error", err)
		return
	}
	s.Form, s.Document, s.PredicateType = d.Form, d, d.Statement.PredicateType
	for _, subject := range d.Statement.Subjects {
		if hex := subject.Digest["sha256"]; hex != "" && len(s.Subjects) < maxSubjects {
			s.Subjects = append(s.Subjects, "sha256:"+hex)
		}
	}
	s.About = g.about(d.Statement)
	if d.Envelope != nil {
		s.Signatures = g.envelope(d, raw)
	}
}

// about finds what a statement is about, the most exact thing first.
func (g *gatherer) about(s *statement.Statement) About {
	for _, about := range []About{Manifest, Config, Archive, Index} {
		if s.About(g.digests[about]) {
			return about
		}
	}
	for _, subject := range s.Subjects {
		if g.manifests["sha256:"+strings.ToLower(subject.Digest["sha256"])] {
			return Statements
		}
	}
	return Another
}

func (g *gatherer) envelope(d *statement.Document, raw []byte) []Signature {
	if d.Bundle != nil && d.Bundle.Certificate != nil {
		return []Signature{g.keyless(raw)}
	}
	by := d.Envelope.SignedBy(g.trust.Keys)
	var found []Signature
	for _, k := range by {
		found = append(found, Signature{d.Form, k.Name, Verified, check.Message{}})
	}
	if len(found) > 0 || len(d.Envelope.Signatures) == 0 {
		return found
	}
	one := g.unverified(d.Form)
	if d.Bundle != nil {
		for _, k := range g.trust.Keys {
			if id := k.ID(); d.Bundle.Hint == base64.StdEncoding.EncodeToString(id[:]) {
				one = Signature{d.Form, k.Name, Invalid, check.Say("statement/invalid-signature")}
			}
		}
	}
	return []Signature{one}
}

// unverified is a signature that none of the keys made.
func (g *gatherer) unverified(kind statement.Form) Signature {
	if len(g.trust.Keys) == 0 {
		return Signature{kind, "", NotVerified, check.Say("statement/no-key")}
	}
	return Signature{kind, "", Untrusted, check.Say("statement/unknown-signer")}
}

func (g *gatherer) keyless(raw []byte) Signature {
	if g.trust.Keyless == nil {
		return Signature{statement.Sigstore, "", NotVerified, check.Say("statement/no-trusted-root")}
	}
	signer, err := g.trust.Keyless(raw)
	switch {
	case errors.Is(err, keyless.ErrIdentity):
		return Signature{statement.Sigstore, signer, Untrusted, check.Say("statement/unknown-identity", "identity", signer)}
	case err != nil:
		return Signature{statement.Sigstore, signer, Invalid, check.Say("statement/keyless-refused", "error", err)}
	}
	return Signature{statement.Sigstore, signer, Verified, check.Message{}}
}

// simpleSigning takes a signature of cosign 1 or 2, which stands in an annotation.
func (g *gatherer) simpleSigning(s *Statement, payload []byte, annotation string) {
	p, err := statement.ParsePayload(payload)
	if err != nil {
		s.Unread = check.Say("statement/unreadable", "error", err)
		return
	}
	s.Form, s.Subjects = statement.SimpleSigning, []string{p.Digest}
	s.About = g.aboutDigest(p.Digest)
	signature, err := base64.StdEncoding.DecodeString(annotation)
	if err != nil || len(signature) == 0 {
		s.Signatures = []Signature{{statement.SimpleSigning, "", Invalid, check.Say("statement/no-signature")}}
		return
	}
	for _, k := range g.trust.Keys {
		if k.Verify(payload, signature) {
			s.Signatures = append(s.Signatures, Signature{statement.SimpleSigning, k.Name, Verified, check.Message{}})
		}
	}
	if len(s.Signatures) == 0 {
		s.Signatures = []Signature{g.unverified(statement.SimpleSigning)}
	}
}

func (g *gatherer) notation(s *Statement, raw []byte) {
	n, err := statement.ParseNotation(raw)
	if err != nil {
		s.Unread = check.Say("statement/unreadable", "error", err)
		return
	}
	s.Form, s.Subjects, s.About = statement.Notation, []string{n.Digest}, g.aboutDigest(n.Digest)
	one := Signature{statement.Notation, "", NotVerified, check.Say("statement/no-trusted-root")}
	for _, name := range slices.Sorted(maps.Keys(g.trust.Roots)) {
		switch err := n.Verify(g.trust.Roots[name], g.trust.Now); {
		case err == nil:
			s.Signatures = append(s.Signatures, Signature{statement.Notation, name, Verified, check.Message{}})
		case errors.Is(err, statement.ErrInvalid):
			one.Status, one.Why = Invalid, check.Say("statement/invalid-signature")
		default:
			one.Status, one.Why = Untrusted, check.Say("statement/chain-refused", "error", err)
		}
	}
	if len(s.Signatures) == 0 {
		s.Signatures = []Signature{one}
	}
}

// aboutDigest finds what the digest of a signature is of.
func (g *gatherer) aboutDigest(digest string) About {
	for _, about := range []About{Manifest, Index} {
		if digest != "" && g.digests[about] == digest {
			return about
		}
	}
	if g.manifests[digest] {
		return Statements
	}
	return Another
}

// secondHop gives the statements of a manifest the signatures over that manifest,
// which commits to them by their digests: so Docker signs what BuildKit wrote.
func (g *gatherer) secondHop(documents []image.Attestation) {
	over := make(map[string][]Signature)
	for _, s := range g.all {
		if s.About == Statements && s.signsOnly() {
			for _, digest := range s.Subjects {
				over[digest] = append(over[digest], s.Signatures...)
			}
		}
	}
	for i, a := range documents {
		s := &g.all[i]
		if s.About == Statements || s.Unread.Code != "" || !g.manifests[a.Manifest.String()] {
			continue
		}
		for _, signature := range over[a.Manifest.String()] {
			if signature.Status == Verified {
				signature.Why = check.Say("statement/by-its-manifest", "manifest", a.Manifest)
			}
			s.Signatures = append(s.Signatures, signature)
		}
	}
}

// signsOnly says that a statement says no more of its subject than that somebody signs
// it: anything else about a manifest of statements, such as that a scan found this or
// that in it, does not make them the signer's.
func (s *Statement) signsOnly() bool {
	return s.Document == nil || s.PredicateType == statement.SignType
}

// SignedBy lists the names of those whose verified signatures a statement has, each
// once, sorted.
func (s *Statement) SignedBy() []string {
	var names []string
	for _, one := range s.Signatures {
		if one.Status == Verified {
			names = append(names, one.Signer)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
