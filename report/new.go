package report

import (
	"encoding/json"
	"math/bits"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/store"
	"audit/provenance"
	"audit/provenance/evidence"
	"audit/provenance/signatures"
	"audit/provenance/vouch"
	"audit/rebuild"
	"audit/rebuild/compare"
	"audit/rebuild/sources"
	"audit/rebuild/swhid"
)

// Input is what the stages of the line found. Only Image must be there.
type Input struct {
	Version  string // of audit
	Image    *inspect.Image
	Evidence *provenance.Evidence // nil when no recipe was asked for
	Checks   []check.Check        // a check that is not among them is reported as skipped
	Signed   []signatures.Outcome // what build farms answer about the store items
	Sources  *sources.Walk        // to the sources; nil when it was not walked
	Plan     *rebuild.Plan        // nil when no rebuild was planned

	Statements []evidence.Statement // of others, about the image

	Vouched *vouch.Table // who vouches for each file; nil when nobody was asked
	Keys    []vouch.Key  // of those who sign packages

	Builder  string          // the builder that was asked; "" when none was
	Result   *rebuild.Result // what it returned, with BuildErr
	BuildErr error
	Log      string // name of the log beside the report; "" when there is none

	Rebuilt    *inspect.Image // the image that Comparison holds the original against
	Comparison *compare.Comparison
	Basis      rebuild.Basis // what the verdict rests on

	Verdict rebuild.Verdict
	Policy  Policy

	Systems []rebuild.About // the build systems: their sentences, and their words
	Secrets []string        // that the user has given a builder: masked in what is reported of a rebuild
	// Addresses are the secrets of all addresses that the user has given: masked in all.
	Addresses rebuild.Secrets

	Run Run // the only source of time and host; Reference and the tools of Result are filled in
}

// New lays out what was found as a report.
func New(in Input) *Report {
	words := newWords(in.Systems)
	r := &Report{
		SchemaVersion: SchemaVersion,
		Tool:          Tool{Name: "audit", Version: in.Version},
		Image:         newImage(in.Image),
		Recipe:        newRecipe(in.Evidence, words.sentences),
		Plan:          newPlan(in.Plan, words.sentences),
		StoreItems:    newStoreItems(in.Image.Items, in.Signed, words.sentences),
		Sources:       newSources(in.Sources),
		Road:          newRoad(in.Sources),
		Statements:    newStatements(in.Statements),
		Checks:        newChecks(in.Checks, words.sentences),
		Coverage:      newCoverage(in),
		Vouchers:      newVouchers(in.Vouched, in.Keys),
		Rebuild:       newRebuild(in, words.sentences),
		Comparison:    newComparison(in.Comparison, in.Rebuilt, words.sentences),
		Verdict:       in.Verdict,
		Policy:        in.Policy,
		Run:           newRun(in),
		words:         words,
	}
	fillLists(reflect.ValueOf(r).Elem())
	r.hide(in.Addresses, in.Secrets, in.Image.Config.Raw)
	return r
}

func newRun(in Input) Run {
	run := in.Run
	run.Tools = slices.Clone(run.Tools)
	run.Date = run.Date.UTC()
	run.Reference = in.Image.Reference
	if in.Sources != nil {
		run.Answered = in.Sources.Days()
	}
	if in.Result != nil {
		for _, t := range in.Result.Tools {
			run.Tools = append(run.Tools, Tool(t))
		}
	}
	return run
}

// maxDocument is how much of a document is kept, in bytes.
const maxDocument = 64 << 10

func newImage(img *inspect.Image) Image {
	out := Image{
		Reference:      withoutFolders(img.Reference, img.Transport),
		Transport:      img.Transport,
		Compression:    img.Compression,
		ArchiveDigest:  digest(img.Archive),
		Tags:           img.Tags,
		ConfigDigest:   digest(img.Config.Digest),
		ConfigMember:   img.Config.Member,
		ManifestDigest: ManifestDigest{digest(img.Manifest.Digest), img.Manifest.Origin, string(img.Manifest.MediaType), int64(len(img.Manifest.Raw))},
		IndexDigest:    digest(img.Index),
		Platform:       PlatformOf(img.Config.File),
		Created:        created(img.Config.File),
	}
	if out.ManifestDigest.Origin == "" {
		out.ManifestDigest.Origin = image.Synthesised
	}
	items := map[int]int{}
	for _, it := range img.Items {
		items[it.Layer]++
	}
	for _, l := range img.Layers {
		out.Layers = append(out.Layers, newLayer(l, items[l.Index]))
		out.UncompressedSize += l.UncompressedSize
	}
	for _, m := range img.Members {
		out.Members = append(out.Members, Member{m.Name, m.Size, digest(m.Digest), m.Referenced})
	}
	for _, e := range img.Platforms {
		out.Platforms = append(out.Platforms, Platform{e.Platform, digest(e.Digest), e.Name, e.Kind, e.ArtifactType, e.Chosen})
	}
	for _, d := range img.Documents {
		out.Documents = append(out.Documents, Document{d.Member, d.Kind, digest(d.Digest), string(d.Raw[:min(len(d.Raw), maxDocument)])})
	}
	out.Folders = newFolders(img)
	return out
}

func newLayer(l *inspect.Layer, items int) Layer {
	out := Layer{
		Index:            l.Index,
		Member:           l.Member,
		MediaType:        string(l.MediaType),
		Compression:      l.Compression,
		Digest:           digest(l.Digest),
		ClaimedDigest:    digest(l.ClaimedDigest),
		DiffID:           digest(l.DiffID),
		ClaimedDiffID:    digest(l.ClaimedDiffID),
		Size:             l.Size,
		UncompressedSize: l.UncompressedSize,
		Entries:          len(l.Entries),
		StoreItems:       items,
	}
	if l.Broken != nil {
		out.Broken = l.Broken.Error()
	}
	return out
}

// withoutFolders drops the host's folders from a reference, so that the same
// image gives the same report wherever it lies. References to registries and
// engines stay whole.
func withoutFolders(reference string, transport image.Transport) string {
	if transport == image.Registry || transport.IsEngine() {
		return reference
	}
	prefix := string(transport) + ":"
	rest, ok := strings.CutPrefix(reference, prefix)
	if !ok {
		return fileName(reference)
	}
	file, tag, tagged := strings.Cut(rest, ":")
	if tagged {
		tag = ":" + tag
	}
	return prefix + fileName(file) + tag
}

func fileName(file string) string {
	if file == "" {
		return ""
	}
	return path.Base(file)
}

// PlatformOf is the platform of a config, as "linux/amd64" or "linux/arm64/v8".
func PlatformOf(c v1.ConfigFile) string {
	parts := []string{c.OS, c.Architecture, c.Variant}
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts, "/")
}

func created(c v1.ConfigFile) string {
	if c.Created.IsZero() {
		return ""
	}
	return c.Created.UTC().Format(time.RFC3339Nano)
}

func newRecipe(ev *provenance.Evidence, s Sentences) Recipe {
	if ev == nil {
		ev = &provenance.Evidence{}
	}
	in := ev.Recipe
	out := Recipe{
		System:  in.System,
		Status:  in.Status,
		Packer:  in.Packer,
		Missing: s.messages(in.Missing),
		Root:    in.Root,
		Details: newDetails(in.Details),
		Unknown: s.messages(in.Unknown),
	}
	if out.System == "" {
		out.System = provenance.UnknownSystem
	}
	if out.Status == "" {
		out.Status = provenance.None
	}
	if b := ev.Base; b != nil && (b.Name != "" || b.Instructions > 0 || b.Layers > 0) {
		out.Base = &Base{b.Name, b.Digest, b.By, b.Layers, b.Instructions, b.Cut}
	}
	if ev.Share != nil {
		out.Share = &LockShare{ev.Share.Bytes, ev.Share.Base, ev.Share.Total, ev.Share.Own, ev.Share.OwnBytes}
	}
	for _, c := range in.Channels {
		out.Channels = append(out.Channels, newChannel(c))
	}
	for _, p := range in.Packages {
		out.Packages = append(out.Packages, Package{p.Name, p.Version, p.Output, p.Path, p.Channel})
	}
	for _, s := range in.Locations {
		out.Evidence = append(out.Evidence, Evidence{s.Layer, s.Path, digest(s.Digest.Hash())})
	}
	for _, f := range in.Files {
		out.Files = append(out.Files, File{f.Name, string(f.Text)})
	}
	return out
}

func newChannel(c provenance.Channel) Channel {
	out := Channel{Name: c.Name, URL: c.URL, Branch: c.Branch, Commit: c.Commit, SWHID: swhid.Revision(c.Commit)}
	if i := c.Introduction; i != nil {
		out.Introduction = &Introduction{Commit: i.Commit, Fingerprint: i.Fingerprint}
	}
	return out
}

// newDetails are the details of a recipe as any JSON has them.
func newDetails(details any) map[string]any {
	if details == nil {
		return nil
	}
	var out map[string]any
	texts, err := withTexts(reflect.ValueOf(details), encodeText)
	if err != nil {
		return nil
	}
	doc, err := json.Marshal(texts.Interface())
	if err != nil || json.Unmarshal(doc, &out) != nil {
		return nil
	}
	if texts, err = withTexts(reflect.ValueOf(out), decodeText); err != nil {
		return nil
	}
	return texts.Interface().(map[string]any)
}

func newPlan(p *rebuild.Plan, s Sentences) *Plan {
	if p == nil {
		return nil
	}
	out := &Plan{System: p.System, Refused: s.messages(p.Reasons), Command: slices.Clone(p.Command)}
	for _, t := range p.Trust {
		out.Trust = append(out.Trust, Trust{t.Kind, t.Channel, withoutLocal(t.URL, p), t.Trusted, Message(t.Reason), t.Flag})
	}
	out.Command = commandOf(out.Command, p)
	return out
}

// commandOf is a command of a plan, or one that ran it, without the host's
// folders.
func commandOf(words []string, p *rebuild.Plan) []string {
	if p == nil {
		return words
	}
	for i, w := range words {
		words[i] = withoutLocal(w, p)
	}
	return words
}

// withoutLocal drops the host's folders from a word of a plan.
func withoutLocal(word string, p *rebuild.Plan) string {
	for _, place := range p.Local {
		word = withoutSource(word, place)
	}
	return word
}

// withoutSource drops the host's folders from a word that begins with the
// location of a source, when that is a file or folder of the host, and from an
// option whose value begins with it.
func withoutSource(word, location string) string {
	if at := strings.Index(word, "="+location); at >= 0 {
		return word[:at+1] + withoutSource(word[at+1:], location)
	}
	rest, ok := strings.CutPrefix(word, location)
	local := strings.HasPrefix(location, "/") || strings.HasPrefix(location, "./") || strings.HasPrefix(location, "../")
	if !ok || !local || slices.ContainsFunc(strings.Split(location, "/"), store.IsStoreName) {
		return word
	}
	return fileName(location) + rest
}

func newStoreItems(items []inspect.StoreItem, outcomes []signatures.Outcome, s Sentences) []StoreItem {
	signed := signedBy(outcomes)
	var out []StoreItem
	for _, it := range items {
		out = append(out, StoreItem{
			Path:       it.Path,
			Layer:      it.Layer,
			NarHash:    digest(it.NarHash),
			NarSize:    it.NarSize,
			Files:      it.Files,
			Bytes:      it.Bytes,
			Signed:     signed[it.Path],
			References: it.References,
			Problem:    s.Text(it.Problem),
		})
	}
	return out
}

func (s Sentences) messages(all []check.Message) (out []Message) {
	for _, m := range all {
		out = append(out, Message{m.Code, s.texts(m.Args)})
	}
	return out
}

// newChecks lists all eight, whatever was handed in.
func newChecks(checks []check.Check, s Sentences) []Check {
	var out []Check
	for _, id := range check.IDs() {
		out = append(out, newCheck(find(checks, id), s))
	}
	return out
}

func find(checks []check.Check, id check.ID) check.Check {
	for _, c := range checks {
		if c.ID == id {
			return c
		}
	}
	return check.Skip(id, "report/not-asked")
}

func newCheck(c check.Check, s Sentences) Check {
	out := Check{ID: c.ID, Status: c.Status, Summary: s.messages(c.Reasons)}
	for _, f := range c.Findings {
		out.Findings = append(out.Findings, Finding{f.Code, s.texts(f.Args), f.Level, f.Layer, f.Path})
	}
	return out
}

func newCoverage(in Input) Coverage {
	var out Coverage
	for _, l := range in.Image.Layers {
		out.Total += l.UncompressedSize
	}
	for _, id := range check.IDs() {
		n := min(max(find(in.Checks, id).Bytes, 0), out.Total)
		out.Checks = append(out.Checks, Share{ID: id, Bytes: n, Share: share(n, out.Total)})
	}
	out.Vouchers, out.Contents = newShares(in.Vouched)
	return out
}

// share is n of total (n ≤ total), rounded down to four digits so that only every byte
// makes 1.
func share(n, total int64) float64 {
	if total == 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(n), 10_000)
	q, _ := bits.Div64(high, low, uint64(total))
	return float64(q) / 10_000
}

func newComparison(c *compare.Comparison, rebuilt *inspect.Image, s Sentences) *Comparison {
	if c == nil {
		return nil
	}
	out := &Comparison{Result: c.Result()}
	if rebuilt != nil {
		out.Rebuilt = Rebuilt{withoutFolders(rebuilt.Reference, rebuilt.Transport), digest(rebuilt.Config.Digest)}
	}
	out.Config, out.Manifest = newFields(c.Config), newFields(c.Manifest)
	for _, l := range c.Layers {
		out.Layers = append(out.Layers, LayerPair{l.Index, l.Original, l.Rebuilt, l.Equal, l.Size})
	}
	out.Differences, out.Blobs = newDifferences(c.Differences, s), newDifferences(c.Blobs, s)
	for _, k := range c.Known {
		out.Known = append(out.Known, Known(k))
	}
	return out
}

func newFields(fields []compare.FieldDifference) (out []FieldDifference) {
	for _, f := range fields {
		out = append(out, FieldDifference(f))
	}
	return out
}

func newDifferences(ds []compare.Difference, s Sentences) (out []Difference) {
	for _, d := range ds {
		out = append(out, Difference{d.Path, d.Layer, d.Cause, s.value(d.Was), s.value(d.Now), s.messages(d.Evidence), d.Known, d.Privileged})
	}
	return out
}

// digest writes a digest, and "" for one that is not there.
func digest(h v1.Hash) string {
	if h == (v1.Hash{}) {
		return ""
	}
	return h.String()
}

// fillLists makes every list and every map that is nil an empty one, all the way down, so
// that JSON has [] where there is nothing.
func fillLists(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fillLists(v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fillLists(v.Field(i))
			}
		}
	case reflect.Map:
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
	case reflect.Slice:
		if v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			fillLists(v.Index(i))
		}
	}
}
