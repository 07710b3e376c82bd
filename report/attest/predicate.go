// Package attest makes statements of reports, and asks whether enough of those who
// made some agree.
//
// A statement of audit is one of in-toto (Statement v1) whose predicate says what one
// party found of an image: the checks, the verdict, and what that rests on. It is about
// the whole image, and nothing that other images share: never a layer.
package attest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"audit/inspect/check"
	"audit/inspect/host"
	"audit/inspect/image"
	"audit/provenance/statement"
	"audit/rebuild"
	"audit/rebuild/compare"
	"audit/report"
)

// home is the address below which the project names its types. It has none yet: .invalid
// is one that nobody can have (RFC 2606). Whoever owns the project sets it here, once,
// before anybody relies on statements.
const home = "https://audit.invalid/"

// PredicateType is that of audit's own statements.
const PredicateType = home + "attestation/image-audit/v1"

// A Predicate is what one party found of an image.
type Predicate struct {
	Auditor Auditor         `json:"auditor"`
	Time    time.Time       `json:"timeAudited"` // UTC, to the second
	Verdict rebuild.Verdict `json:"verdict"`
	Checks  []Check         `json:"checks"` // all, in the order of a report
	Image   Image           `json:"image"`
	Recipe  []Material      `json:"recipe"`
	Rebuild *Rebuild        `json:"rebuild"` // null when nothing was rebuilt, given or signed
	Policy  Policy          `json:"policy"`
	Report  Resource        `json:"report"` // report.json without what changes from run to run
}

// An Auditor is who says it, by a URI of its own choice, and with which program.
type Auditor struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version"`
}

// A Check is how one check ended.
type Check struct {
	ID     check.ID     `json:"id"`
	Status check.Status `json:"status"`
}

// An Image is what was audited.
type Image struct {
	ConfigDigest   string   `json:"configDigest"`
	ManifestDigest string   `json:"manifestDigest,omitempty"`
	Platform       string   `json:"platform"`
	DiffIDs        []string `json:"diffIDs"` // computed over the layers
}

// A Material is something that the recipe names: a channel at a commit, or a file.
type Material struct {
	URI    string            `json:"uri,omitempty"`
	Name   string            `json:"name,omitempty"`
	Digest map[string]string `json:"digest"` // gitCommit, or sha256
}

// A Rebuild is how the image was built again, and what the verdict rests on.
type Rebuild struct {
	Status  report.RebuildStatus `json:"status"`
	Builder string               `json:"builder"`
	Result  compare.Result       `json:"result"` // of the comparison; "" without one
	Given   bool                 `json:"given"`
	// GivenRecipe says that the recipe, or a part of it, is not the image's own.
	GivenRecipe bool   `json:"givenRecipe"`
	Items       []Item `json:"items"`
	Inputs      []Item `json:"inputs"` // base layers, pinned by digest
	Config      string `json:"rebuiltConfigDigest"`
}

// An Item is a store item, or an instruction, and where the auditor had it from.
type Item struct {
	Path      string      `json:"path"`
	From      rebuild.How `json:"from"`
	Server    string      `json:"server,omitempty"` // of one that was substituted, by its host name
	Operators []string    `json:"operators"`        // whose signature over this very content the auditor verified
}

// A Policy is what was demanded of the image.
type Policy struct {
	Require string `json:"require"`
	Holds   bool   `json:"holds"`
}

// A Resource is a file by its digest.
type Resource struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

// New makes the statement of a report: its bytes are the same whenever the report and
// the time are. The error says that the report is about nothing that a statement can
// name: an image whose config does not describe its layers has no digest of its own.
func New(r *report.Report, auditor string, now time.Time) ([]byte, error) {
	subjects := subjectsOf(r)
	if len(subjects) == 0 {
		return nil, errNoSubject
	}
	p, err := newPredicate(r, auditor, now)
	if err != nil {
		return nil, err
	}
	return encode(subjects, PredicateType, p)
}

// compact is JSON in one line, without the escapes that HTML needs.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding a statement: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// subjectsOf lists what a statement about the image may name, each of which is the
// whole image by itself: any one of them is enough for a verifier.
func subjectsOf(r *report.Report) (subjects []statement.Subject) {
	name := path.Base(strings.TrimPrefix(r.Image.Reference, string(r.Image.Transport)+":"))
	if name == "-" {
		name = "standard input"
	}
	add := func(name, digest, mediaType string) {
		if hex, ok := strings.CutPrefix(digest, "sha256:"); ok {
			subjects = append(subjects, statement.Subject{Name: name, Digest: map[string]string{"sha256": hex}, MediaType: mediaType})
		}
	}
	if r.Image.ManifestDigest.Origin == image.Computed {
		add(name, r.Image.ManifestDigest.Digest, "")
	}
	if describesLayers(r) {
		add(name+" (config)", r.Image.ConfigDigest, "application/vnd.oci.image.config.v1+json")
	}
	add(name, r.Image.ArchiveDigest, "")
	return subjects
}

// describesLayers says that the config binds all layers: their digests were computed,
// and are what it claims.
func describesLayers(r *report.Report) bool {
	for _, l := range r.Image.Layers {
		if l.DiffID == "" || l.DiffID != l.ClaimedDiffID || l.Broken != "" {
			return false
		}
	}
	return r.Status(check.Integrity) == check.Pass
}

func newPredicate(r *report.Report, auditor string, now time.Time) (*Predicate, error) {
	stable := *r
	stable.Run = report.Run{}
	sum := sha256.New()
	if err := report.WriteJSON(sum, &stable); err != nil {
		return nil, err
	}
	p := &Predicate{
		Auditor: Auditor{ID: auditor, Version: map[string]string{r.Tool.Name: r.Tool.Version}},
		Time:    now.UTC().Truncate(time.Second), Verdict: r.Verdict,
		Image:  Image{ConfigDigest: r.Image.ConfigDigest, Platform: r.Image.Platform, DiffIDs: []string{}},
		Recipe: materials(r), Rebuild: newRebuild(r), Policy: Policy{r.Policy.Require, r.Policy.Holds},
		Report: Resource{"report.json without run", map[string]string{"sha256": fmt.Sprintf("%x", sum.Sum(nil))}},
	}
	if r.Image.ManifestDigest.Origin == image.Computed {
		p.Image.ManifestDigest = r.Image.ManifestDigest.Digest
	}
	for _, l := range r.Image.Layers {
		p.Image.DiffIDs = append(p.Image.DiffIDs, l.DiffID)
	}
	for _, c := range r.Checks {
		p.Checks = append(p.Checks, Check{c.ID, c.Status})
	}
	return p, nil
}

func materials(r *report.Report) []Material {
	all := []Material{}
	for _, c := range r.Recipe.Channels {
		if c.Commit != "" {
			all = append(all, Material{URI: "git+" + c.URL, Digest: map[string]string{"gitCommit": c.Commit}})
		}
	}
	for _, f := range r.Recipe.Files {
		all = append(all, Material{Name: f.Name, Digest: map[string]string{"sha256": fmt.Sprintf("%x", sha256.Sum256([]byte(f.Text)))}})
	}
	return all
}

func newRebuild(r *report.Report) *Rebuild {
	if r.Rebuild == nil {
		return nil
	}
	out := &Rebuild{Status: r.Rebuild.Status, Builder: r.Rebuild.Builder, Given: r.Rebuild.Basis.Given, GivenRecipe: r.Rebuild.Basis.GivenRecipe}
	if r.Comparison != nil {
		out.Result, out.Config = r.Comparison.Result, r.Comparison.Rebuilt.ConfigDigest
	}
	servers := make(map[string]string)
	for _, s := range r.Rebuild.Items.Substituted {
		servers[s.Path] = publicName(s.Source)
	}
	items := func(parts []rebuild.Part) []Item {
		all := []Item{}
		for _, p := range parts {
			one := Item{Path: p.Path, From: p.From, Operators: append([]string{}, p.Operators...)}
			if p.From == rebuild.Substituted {
				one.Server = servers[p.Path]
			}
			all = append(all, one)
		}
		return all
	}
	out.Items, out.Inputs = items(r.Rebuild.Basis.Items), items(r.Rebuild.Basis.Inputs)
	return out
}

// publicName is the host name of a server, "private" for one that nobody else can
// reach: a statement says nothing of the network of who made it.
func publicName(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return "private"
	}
	name := strings.ToLower(u.Hostname())
	if host.IsPrivate(name) || !strings.Contains(name, ".") && !strings.Contains(name, ":") {
		return "private"
	}
	return name
}

// Parse reads the predicate of a statement of audit. It is another's: keys that are
// not known or stand in another case, values that are none of those that there are, and
// a verdict that does not follow from the rest are errors.
func Parse(s *statement.Statement) (*Predicate, error) {
	if s.Type != statement.TypeV1 || s.PredicateType != PredicateType {
		return nil, ErrOther
	}
	dec := json.NewDecoder(bytes.NewReader(s.Predicate))
	dec.DisallowUnknownFields()
	p := new(Predicate)
	if err := dec.Decode(p); err != nil {
		return nil, fmt.Errorf("reading the predicate: %w", err)
	}
	again, err := compact(p)
	if err != nil {
		return nil, err
	}
	var written bytes.Buffer
	if err := json.Compact(&written, s.Predicate); err != nil || !bytes.Equal(written.Bytes(), again) {
		return nil, errors.New("reading the predicate: its keys and values are not written as audit writes them")
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("the predicate contradicts itself: %w", err)
	}
	return p, nil
}

// ErrOther is that of a statement that is none of audit's.
var ErrOther = errors.New("it is no statement of audit")

// check sees to it that the verdict follows from the rest.
func (p *Predicate) check() error {
	ids := check.IDs()
	if len(p.Checks) != len(ids) {
		return fmt.Errorf("it has %d checks, and there are %d", len(p.Checks), len(ids))
	}
	f := rebuild.Facts{Checks: make(map[check.ID]check.Status)}
	for i, c := range p.Checks {
		if c.ID != ids[i] {
			return fmt.Errorf("check %d is %q, and should be %q", i+1, c.ID, ids[i])
		}
		f.Checks[c.ID] = c.Status
	}
	if b := p.Rebuild; b != nil {
		if b.Given && b.Status == report.Built {
			return errors.New("the rebuild was given, and was built")
		}
		f.Result, f.Basis = b.Result, b.basis()
	}
	if follows := rebuild.Judge(f); p.speaksFor() && follows != p.Verdict {
		return fmt.Errorf("the verdict is %s, and %s is what follows from the rest", p.Verdict, follows)
	}
	if b := p.Rebuild; p.Verdict == rebuild.Reproducible && b.Status == report.Built && b.Config != p.Image.ConfigDigest {
		return errors.New("the verdict is reproducible, and the rebuilt image has another config")
	}
	return nil
}

// speaksFor says that the verdict is in favour of the image.
func (p *Predicate) speaksFor() bool {
	switch p.Verdict {
	case rebuild.Reproducible, rebuild.Equivalent, rebuild.Vouched, rebuild.Matching:
		return true
	}
	return false
}

func (b *Rebuild) basis() rebuild.Basis {
	parts := func(items []Item) (all []rebuild.Part) {
		for _, it := range items {
			all = append(all, rebuild.Part{Path: it.Path, From: it.From, Operators: it.Operators})
		}
		return all
	}
	return rebuild.Basis{Given: b.Given, GivenRecipe: b.GivenRecipe, Items: parts(b.Items), Inputs: parts(b.Inputs)}
}
