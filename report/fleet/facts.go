package fleet

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/userfile"
	"audit/provenance"
	"audit/provenance/vouch"
	"audit/rebuild"
	"audit/rebuild/compare"
	"audit/report"
)

// The limits of one report of a fleet: it is read in pieces, and what a summary needs of
// it is kept.
const (
	maxReport   = report.MaxBytes
	maxElements = 5_000_000 // of one list
	maxText     = 4 << 10   // bytes of a name
	maxPerImage = 200_000   // store items or layers that are kept of one image
	maxStanding = 10_000    // findings, and differences, that are kept to say what stands out
	maxFirst    = 500       // characters of what is said of that
	maxKinds    = 100       // of a list that honest reports keep short
	maxSize     = 64 << 40  // bytes of an image, or of one layer: sums of many are still numbers
	maxSeconds  = 1e9       // that an audit took
)

// facts are what a summary needs of one report.
type facts struct {
	Reference string // as the user named the image
	Digest    string // of the index, the manifest, the file or the config: the first that there is
	Config    string
	digests   []string // all of them
	transport image.Transport
	System    provenance.SystemName
	Recipe    provenance.Status
	RecipeSum string // of the texts of the recipe; "" when there is none
	LayersSum string // of the diffIDs
	ItemsSum  string // of the store items and their contents
	Channels  []channel
	Layers    []layer
	Items     []item
	Checks    map[check.ID]check.Status
	Total     int64 // bytes of the layers
	Contents  int64 // bytes of the files that a container sees
	Nobody    int64 // of those, bytes that nobody vouches for
	Planned   bool  // how to build it again is known
	Refused   bool  // and must not be run as it is
	Verdict   rebuild.Verdict
	Created   string // as the image claims it
	Date      time.Time
	Seconds   float64
	First     string // what the page of the image says first; "" where nothing stands out

	numbers []uint32 // of Items, in the summary
}

type channel struct{ Name, URL, Commit string }

type layer struct {
	Digest string
	Size   int64
}

type item struct{ Path, NarHash string }

// readFacts reads a report in one pass, and keeps no more of it than it returns. Its
// verdict has to be the one that its checks, its comparison and its basis lead to. First
// says what stands out in it; nil where nobody asks.
func readFacts(path string, first func(*report.Report) string) (*facts, error) {
	f, err := userfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	capped := &io.LimitedReader{R: f, N: maxReport + 1}
	r := reader{dec: json.NewDecoder(capped)}
	err = r.report()
	if err == nil {
		_, err = r.dec.Token()
		if err == io.EOF {
			err = nil
		} else if err == nil {
			err = fmt.Errorf("something follows the report")
		}
	}
	if capped.N <= 0 {
		err = &inspect.LimitError{Name: "report bytes", Limit: maxReport, Where: path}
	}
	if err == nil {
		err = r.verify()
	}
	if err == nil && first != nil {
		r.short.Verdict, r.short.Recipe.System = r.facts.Verdict, r.facts.System
		r.short.Rebuild = &report.Rebuild{Basis: r.judged.Basis}
		r.facts.First = check.ClipTo(check.Printable(first(&r.short)), maxFirst)
	}
	return &r.facts, err
}

// ReadChannels reads of a report on which channels the recipe rests, in one line, ""
// where it rests on none, and whether there is a plan to build the image again.
func ReadChannels(path string) (channels string, planned bool, err error) {
	f, err := readFacts(path, nil)
	if err != nil || len(f.Channels) == 0 {
		return "", err == nil && f.Planned && !f.Refused, err
	}
	return fmt.Sprintf("%s %v", f.System, f.Channels), f.Planned && !f.Refused, nil
}

// A reader takes a report apart while it is read.
type reader struct {
	dec    *json.Decoder
	facts  facts
	judged rebuild.Facts
	schema string
	short  report.Report // what its page may say first

	standing int // findings that are kept for that
}

// keys calls do for each key of the object that comes next, which has to read its value.
// null has none. A key that stands there twice is refused: readers differ in which they
// take.
func (r *reader) keys(do func(key string) error) error {
	open, err := r.dec.Token()
	if err != nil || open == nil {
		return err
	}
	if open != json.Delim('{') {
		return fmt.Errorf("there is %.20q where an object belongs", fmt.Sprint(open))
	}
	seen := make(map[string]bool)
	for r.dec.More() {
		token, err := r.dec.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		if seen[key] {
			return fmt.Errorf("the key %.40q stands there twice", key)
		}
		if len(seen) == 1000 {
			return &inspect.LimitError{Name: "keys of an object", Limit: 1000, Where: "the report"}
		}
		seen[key] = true
		if err := do(key); err != nil {
			return err
		}
	}
	_, err = r.dec.Token()
	return err
}

// elements decodes those of the list that comes next, one at a time.
func elements[T any](r *reader, do func(T) error) error {
	open, err := r.dec.Token()
	if err != nil || open == nil {
		return err
	}
	if open != json.Delim('[') {
		return fmt.Errorf("there is %.20q where a list belongs", fmt.Sprint(open))
	}
	for n := 0; r.dec.More(); n++ {
		var v T
		if err := r.dec.Decode(&v); err != nil {
			return err
		}
		if n == maxElements {
			return &inspect.LimitError{Name: "elements of a list", Limit: maxElements, Where: "the report"}
		}
		if err := do(v); err != nil {
			return err
		}
	}
	_, err = r.dec.Token()
	return err
}

// A nothing takes a value of any kind.
type nothing struct{}

func (*nothing) UnmarshalJSON([]byte) error { return nil }

// skip reads over a value; a list element by element.
func (r *reader) skip(isList bool) error {
	if isList {
		return elements(r, func(nothing) error { return nil })
	}
	return r.dec.Decode(&nothing{})
}

func (r *reader) report() error {
	err := r.keys(func(key string) error {
		switch key {
		case "schemaVersion":
			return r.dec.Decode(&r.schema)
		case "image":
			return r.image()
		case "recipe":
			return r.recipe()
		case "plan":
			return r.plan()
		case "storeItems":
			return r.items()
		case "checks":
			return r.checks()
		case "coverage":
			return r.coverage()
		case "vouchers":
			return r.vouchers()
		case "rebuild":
			return r.rebuild()
		case "comparison":
			return r.comparison()
		case "verdict":
			return r.dec.Decode(&r.facts.Verdict)
		case "run":
			return r.run()
		}
		return r.skip(key == "statements" || key == "sources")
	})
	if err == nil && r.schema != report.SchemaVersion {
		return fmt.Errorf("its schemaVersion is %.20q, and this audit reads %s", r.schema, report.SchemaVersion)
	}
	return err
}

func (r *reader) image() error {
	var index, manifest, archive string
	diffIDs := sha256.New()
	err := r.keys(func(key string) error {
		switch key {
		case "reference":
			return r.text(&r.facts.Reference)
		case "archiveDigest":
			return r.text(&archive)
		case "indexDigest":
			return r.text(&index)
		case "transport":
			return r.dec.Decode(&r.facts.transport)
		case "configDigest":
			return r.text(&r.facts.Config)
		case "created":
			return r.text(&r.facts.Created)
		case "manifestDigest":
			var m report.ManifestDigest
			defer func() { manifest = m.Digest }()
			return r.dec.Decode(&m)
		case "layers":
			return elements(r, func(l struct {
				Digest string `json:"digest"`
				DiffID string `json:"diffID"`
				Size   int64  `json:"size"`
			}) error {
				fmt.Fprintln(diffIDs, l.DiffID)
				if l.Size < 0 || l.Size > maxSize {
					return fmt.Errorf("a layer has %d bytes", l.Size)
				}
				if len(r.facts.Layers) < maxPerImage {
					r.facts.Layers = append(r.facts.Layers, layer{clip(l.Digest), l.Size})
				}
				return nil
			})
		}
		return r.skip(key == "members" || key == "documents" || key == "folders" || key == "platforms" || key == "tags")
	})
	r.facts.digests = []string{index, manifest, archive, r.facts.Config}
	for _, digest := range r.facts.digests {
		if r.facts.Digest == "" {
			r.facts.Digest = digest
		}
	}
	if len(r.facts.Layers) > 0 {
		r.facts.LayersSum = fmt.Sprintf("%x", diffIDs.Sum(nil))
	}
	return err
}

// text decodes a name.
func (r *reader) text(to *string) error {
	err := r.dec.Decode(to)
	*to = clip(*to)
	return err
}

func clip(text string) string { return check.ClipTo(text, maxText) }

func (r *reader) recipe() error {
	texts, files := sha256.New(), 0
	var calls []string
	err := r.keys(func(key string) error {
		switch key {
		case "system":
			return r.dec.Decode(&r.facts.System)
		case "status":
			return r.dec.Decode(&r.facts.Recipe)
		case "channels":
			return elements(r, func(c channel) error {
				if len(r.facts.Channels) < 100 {
					r.facts.Channels = append(r.facts.Channels, channel{clip(c.Name), clip(rebuild.WithoutSecrets(c.URL)), clip(c.Commit)})
				}
				return nil
			})
		case "packer", "details": // how the packer was called
			var v any
			err := r.dec.Decode(&v)
			calls = append(calls, fmt.Sprintf("%q %v", key, v))
			return err
		case "files":
			return elements(r, func(f report.File) error {
				files++
				fmt.Fprintf(texts, "%q %q\n", f.Name, f.Text)
				return nil
			})
		}
		return r.skip(key == "packages" || key == "evidence" || key == "missing" || key == "unknown")
	})
	if files > 0 {
		slices.Sort(calls)
		fmt.Fprintf(texts, "%q %q", r.facts.System, calls)
		r.facts.RecipeSum = fmt.Sprintf("sha256:%x", texts.Sum(nil))
	}
	return err
}

func (r *reader) plan() error {
	return r.keys(func(key string) error {
		r.facts.Planned = true
		if key == "refused" {
			return elements(r, func(nothing) error { r.facts.Refused = true; return nil })
		}
		return r.skip(key == "command" || key == "trust")
	})
}

func (r *reader) items() error {
	return elements(r, func(i struct {
		Path    string `json:"path"`
		NarHash string `json:"narHash"`
	}) error {
		if i.NarHash != "" && len(r.facts.Items) < maxPerImage {
			r.facts.Items = append(r.facts.Items, item{clip(i.Path), clip(i.NarHash)})
		}
		return nil
	})
}

func (r *reader) checks() error {
	r.facts.Checks = make(map[check.ID]check.Status)
	open, err := r.dec.Token()
	if err != nil || open == nil {
		return err
	}
	if open != json.Delim('[') {
		return fmt.Errorf("there is %.20q where a list belongs", fmt.Sprint(open))
	}
	for r.dec.More() {
		var c report.Check
		if err := r.check(&c); err != nil {
			return err
		}
		if _, twice := r.facts.Checks[c.ID]; twice || len(r.facts.Checks) > len(check.IDs()) {
			return fmt.Errorf("the check %.20q stands there twice", c.ID)
		}
		r.facts.Checks[c.ID] = c.Status
		r.short.Checks = append(r.short.Checks, c)
	}
	_, err = r.dec.Token()
	return err
}

// check decodes a check, with those of its findings that its page may say first.
func (r *reader) check(c *report.Check) error {
	return r.keys(func(key string) error {
		switch key {
		case "id":
			return r.dec.Decode(&c.ID)
		case "status":
			return r.dec.Decode(&c.Status)
		case "findings":
			return elements(r, func(f finding) error { return r.finding(c, f) })
		}
		return r.skip(key == "summary")
	})
}

// A finding is one whose arguments are decoded where they are needed.
type finding struct {
	Code  string          `json:"code"`
	Args  json.RawMessage `json:"arguments"`
	Level check.Level     `json:"level"`
	Layer int             `json:"layer"`
	Path  string          `json:"path"`
}

func (r *reader) finding(c *report.Check, f finding) error {
	full := report.Finding{Code: f.Code, Level: f.Level, Layer: f.Layer, Path: f.Path}
	if !full.SaysFirst() || r.standing == maxStanding {
		return nil
	}
	if len(f.Args) > 0 {
		if err := json.Unmarshal(f.Args, &full.Args); err != nil {
			return err
		}
	}
	r.standing++
	c.Findings = append(c.Findings, full)
	return nil
}

// vouchers keeps the first file that nobody vouches for.
func (r *reader) vouchers() error {
	return r.keys(func(key string) error {
		if key == "nobody" {
			return elements(r, func(f report.UnvouchedFile) error {
				if len(r.short.Vouchers.Nobody) == 0 {
					r.short.Vouchers.Nobody = []report.UnvouchedFile{f}
				}
				return nil
			})
		}
		return r.skip(key == "by" || key == "keys")
	})
}

func (r *reader) coverage() error {
	return r.keys(func(key string) error {
		switch key {
		case "total":
			return r.dec.Decode(&r.facts.Total)
		case "contents":
			return r.dec.Decode(&r.facts.Contents)
		case "vouchers":
			return elements(r, func(s report.VoucherShare) error {
				if len(r.short.Coverage.Vouchers) < maxKinds {
					r.short.Coverage.Vouchers = append(r.short.Coverage.Vouchers, s)
				}
				if s.Kind == vouch.Nobody || s.Kind == vouch.Differs {
					r.facts.Nobody += s.Bytes
				}
				return nil
			})
		}
		return r.skip(key == "checks")
	})
}

func (r *reader) rebuild() error {
	return r.keys(func(key string) error {
		switch key {
		case "status":
			var s report.RebuildStatus
			defer func() { r.judged.Failed = s == report.Failed }()
			return r.dec.Decode(&s)
		case "basis":
			return r.dec.Decode(&r.judged.Basis)
		case "fresh":
			return elements(r, func(f report.Fresh) error {
				r.judged.Unstable = r.judged.Unstable || !f.Same && f.Problem == ""
				return nil
			})
		}
		return r.skip(key == "command" || key == "steps")
	})
}

func (r *reader) comparison() error {
	return r.keys(func(key string) error {
		c := r.short.Comparison
		if c == nil {
			c = new(report.Comparison)
			r.short.Comparison = c
		}
		switch key {
		case "result":
			return r.dec.Decode(&r.judged.Result)
		case "config":
			return elements(r, func(f report.FieldDifference) error {
				if f.SaysFirst() && len(c.Config) < maxStanding {
					c.Config = append(c.Config, f)
				}
				return nil
			})
		case "differences":
			return elements(r, func(d report.Difference) error {
				if d.SaysFirst() && len(c.Differences) < maxStanding {
					d.Evidence = nil
					c.Differences = append(c.Differences, d)
				}
				return nil
			})
		}
		return r.skip(key == "layers" || key == "manifest" || key == "blobs" || key == "known")
	})
}

func (r *reader) run() error {
	var run report.Run
	err := r.dec.Decode(&run)
	if run.Reference != "" {
		r.facts.Reference = clip(run.Reference)
	}
	r.facts.Date = run.Date.UTC().Truncate(time.Second)
	for _, d := range run.Durations {
		r.facts.Seconds += d.Seconds
	}
	return err
}

// CheckReport says what is wrong with a report as the result of a key that a batch has
// made of a reference, for the same reasons for which a summary does not rely on it.
func CheckReport(path, key, reference string) error {
	f, err := readFacts(path, nil)
	if err != nil {
		return err
	}
	image, _, _ := strings.Cut(key, "-")
	return f.matches(Status{Digest: "sha256:" + image, Key: key, Reference: reference})
}

// pinnedDigest matches a reference to an image in a registry by its digest.
var pinnedDigest = regexp.MustCompile(`^docker://.*@(sha256:[0-9a-f]{64})$`)

// matches says that a report is of what the status of a batch says that it is of: of the
// digest that is also the first part of the key. What batches have as the digest of an
// OCI layout that leads to several manifests is none of the report; there the reference
// has to be the same. A reference to a digest can lead to nothing else.
func (f *facts) matches(s Status) error {
	algorithm, hex, _ := strings.Cut(s.Digest, ":")
	pinned := pinnedDigest.FindStringSubmatch(s.Reference)
	switch {
	case pinned != nil && pinned[1] != s.Digest:
		return fmt.Errorf("its status has the digest %.100q, and its reference leads to %s and nothing else", s.Digest, pinned[1])
	case algorithm != "sha256" || !keyForm.MatchString(s.Key) || hex != s.Key[:64]:
		return fmt.Errorf("its status has the key %.100q, which is none of the digest %.100q", s.Key, s.Digest)
	case slices.Contains(f.digests, s.Digest), f.transport == image.OCI && f.Reference == s.Reference:
		return nil
	}
	return fmt.Errorf("it is the report of %.100q, and its status is of %s", f.Digest, s.Digest)
}

// verify holds the verdict against what it follows from.
func (r *reader) verify() error {
	for _, id := range check.IDs() {
		if _, ok := r.facts.Checks[id]; !ok {
			return fmt.Errorf("it has no check %s", id)
		}
	}
	if r.facts.Nobody < 0 || r.facts.Contents < 0 || r.facts.Nobody > r.facts.Contents {
		return fmt.Errorf("%d bytes of %d are vouched for by nobody", r.facts.Nobody, r.facts.Contents)
	}
	if max(r.facts.Contents, r.facts.Total) > maxSize || r.facts.Total < 0 {
		return fmt.Errorf("its layers have %d bytes, and its files %d", r.facts.Total, r.facts.Contents)
	}
	if r.facts.Seconds < 0 || r.facts.Seconds > maxSeconds {
		return fmt.Errorf("its audit took %g seconds", r.facts.Seconds)
	}
	switch r.judged.Result {
	case "", compare.Identical, compare.Equivalent, compare.Different:
	default:
		return fmt.Errorf("the result of its comparison is %.20q", r.judged.Result)
	}
	r.judged.Checks = r.facts.Checks
	if want := rebuild.Judge(r.judged); want != r.facts.Verdict {
		return fmt.Errorf("it contradicts itself: the verdict is %s, and what was found makes it %s", r.facts.Verdict, want)
	}
	return nil
}
