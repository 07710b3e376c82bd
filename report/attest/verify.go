package attest

import (
	"cmp"
	"slices"
	"time"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/provenance/evidence"
	"audit/provenance/statement"
	"audit/rebuild"
	"audit/report"
)

// A Rebuilder is a party whose statements count, with its keys.
type Rebuilder struct {
	Operator string    // one operator has one voice, whatever the number of its keys
	Key      string    // the name of the key, as [evidence.Trust] has it
	From, To time.Time // when the key is trusted; zero for always
	Maker    bool      // made the image, so that its word about it counts for nothing
}

// Terms are what is asked of statements.
type Terms struct {
	Rebuilders []Rebuilder
	AtLeast    int            // operators that must agree
	Require    rebuild.Policy // RequireEquivalent or RequireReproducible
	MaxAge     time.Duration  // of a statement; 0 for any
	Now        time.Time
}

// A Vote is how the word of an operator counts.
type Vote string

// The votes.
const (
	Agrees   Vote = "agrees"   // it built the image, and the same came out
	NoVote   Vote = "no-vote"  // its word does not count here, or there is none
	Dissents Vote = "dissents" // it says that the image is another, or does not come out the same
)

// A Voice is what one operator says.
type Voice struct {
	Operator string        `json:"operator"`
	Vote     Vote          `json:"vote"`
	Why      check.Message `json:"why"`
	Key      string        `json:"key"`       // that signed the statement; "" without one
	Digest   string        `json:"statement"` // of the document; "" without one
	Time     string        `json:"timeAudited"`
	Verdict  string        `json:"verdict"` // as it says; "" without a statement
	Built    int           `json:"built"`   // items that it built itself
	Items    int           `json:"items"`   // of the image

	predicate *Predicate
}

// An Agreement is whether enough independent rebuilders agree.
type Agreement struct {
	Image   Image         `json:"image"`
	AtLeast int           `json:"atLeast"`
	Require string        `json:"require"`
	Voices  []Voice       `json:"rebuilders"`  // one an operator, sorted
	Agree   int           `json:"agree"`       // operators
	Least   int           `json:"leastVoices"` // independent voices for the part that has the fewest: the image's number
	Shared  []string      `json:"shared"`      // servers that several of those who agree had items from
	Other   []Disregarded `json:"disregarded"` // statements that count for nobody
	Cut     bool          `json:"cut"`         // there may be statements that were not read
	Holds   bool          `json:"holds"`
	Why     check.Message `json:"why"` // it does, or does not
}

// Disregarded is a statement that counts for nobody, and why.
type Disregarded struct {
	Digest string        `json:"digest"`
	Why    check.Message `json:"why"`
}

// Verify asks whether enough of the rebuilders that are trusted built the image
// themselves and found it to be what it claims. It reads what they signed, and builds
// nothing.
func Verify(img *inspect.Image, statements []evidence.Statement, terms Terms) Agreement {
	v := verification{img: img, terms: terms, newest: make(map[string]Voice), doubt: make(map[string]check.Message)}
	v.out = Agreement{Image: imageOf(img), AtLeast: terms.AtLeast, Require: terms.Require.String(), Cut: img.MoreAttestations, Shared: []string{}, Other: []Disregarded{}}
	seen := make(map[string]bool)
	for _, s := range statements {
		if id := s.Digest.String(); !seen[id] {
			seen[id] = true
			v.consider(s)
		}
	}
	v.hear()
	v.conclude()
	return v.out
}

func imageOf(img *inspect.Image) Image {
	out := Image{ConfigDigest: img.Config.Digest.String(), Platform: report.PlatformOf(img.Config.File), DiffIDs: []string{}}
	if img.Manifest.Origin == image.Computed {
		out.ManifestDigest = img.Manifest.Digest.String()
	}
	for _, l := range img.Layers {
		out.DiffIDs = append(out.DiffIDs, l.DiffID.String())
	}
	return out
}

type verification struct {
	img    *inspect.Image
	terms  Terms
	newest map[string]Voice         // by key
	doubt  map[string]check.Message // by key: a statement about this image that cannot be understood
	out    Agreement
}

// consider takes a statement for the word of whose keys signed it, when it is one of
// audit about this very image.
func (v *verification) consider(s evidence.Statement) {
	disregard := func(code string, args ...any) {
		v.out.Other = append(v.out.Other, Disregarded{s.Digest.String(), check.Say(code, args...)})
	}
	switch {
	case s.Document == nil && s.Unread.IsZero():
		return // a signature alone says nothing of a rebuild
	case s.Document == nil:
		v.out.Other = append(v.out.Other, Disregarded{s.Digest.String(), s.Unread})
		return
	case s.PredicateType != PredicateType:
		disregard("verify/other-predicate", "predicate", s.PredicateType)
		return
	case s.Document.Statement.Type != statement.TypeV1:
		disregard("verify/old-statement", "type", s.Document.Statement.Type)
		return
	}
	keys := v.keysOf(s)
	if len(keys) == 0 {
		disregard("verify/untrusted")
		return
	}
	p, err := Parse(s.Document.Statement)
	if why := v.unfit(s, p, err); !why.IsZero() {
		v.out.Other = append(v.out.Other, Disregarded{s.Digest.String(), why})
		for _, k := range keys {
			if s.About.IsImage() { // it may say anything, and be the newest word of the key
				v.doubt[k.Key] = why
			}
		}
		return
	}
	for _, k := range keys {
		if why := v.inForce(k, p); !why.IsZero() {
			v.out.Other = append(v.out.Other, Disregarded{s.Digest.String(), why})
			continue
		}
		voice := v.voice(k, s, p)
		if old, ok := v.newest[k.Key]; !ok || isNewer(voice, old) {
			v.newest[k.Key] = voice
		}
	}
}

// unfit says why a statement of audit is none about this image that can be understood.
func (v *verification) unfit(s evidence.Statement, p *Predicate, err error) check.Message {
	here := v.out.Image
	switch {
	case err != nil:
		return check.Say("verify/unreadable", "error", err)
	case !s.About.IsImage() && slices.Equal(p.Image.DiffIDs, here.DiffIDs) && p.Image.ConfigDigest != here.ConfigDigest:
		return check.Say("verify/same-layers-other-config")
	case !s.About.IsImage():
		return check.Say("verify/other-image")
	case p.Image.Platform != here.Platform:
		return check.Say("verify/other-platform", "platform", p.Image.Platform)
	case !slices.Equal(p.Image.DiffIDs, here.DiffIDs):
		return check.Say("verify/other-layers")
	case p.Image.ConfigDigest != here.ConfigDigest, p.Image.ManifestDigest != "" && here.ManifestDigest != "" && p.Image.ManifestDigest != here.ManifestDigest && s.About == evidence.Manifest:
		return check.Say("verify/contradicts-subject")
	}
	return check.Message{}
}

// inForce says why a key could not say something at that time: such a statement takes
// no place of one that it made while it was trusted.
func (v *verification) inForce(r Rebuilder, p *Predicate) check.Message {
	switch {
	case p.Time.After(v.terms.Now.Add(skew)):
		return check.Say("verify/from-the-future", "time", p.Time.Format(time.RFC3339))
	case !r.From.IsZero() && p.Time.Before(r.From), !r.To.IsZero() && !p.Time.Before(r.To):
		return check.Say("verify/key-not-in-force", "time", p.Time.Format(time.RFC3339))
	}
	return check.Message{}
}

// keysOf lists the rebuilders whose verified signature a statement has.
func (v *verification) keysOf(s evidence.Statement) []Rebuilder {
	var found []Rebuilder
	for _, g := range s.Signatures {
		for _, r := range v.terms.Rebuilders {
			if g.Status == evidence.Verified && r.Key == g.Signer {
				found = append(found, r)
			}
		}
	}
	return found
}

// isNewer says that a statement takes the place of another one by the same key: it is
// later, or of the same time and worse.
func isNewer(a, b Voice) bool {
	if c := a.predicate.Time.Compare(b.predicate.Time); c != 0 {
		return c > 0
	}
	return rank(a.Vote) > rank(b.Vote)
}

func rank(v Vote) int { return slices.Index([]Vote{Agrees, NoVote, Dissents}, v) }

// voice judges what a rebuilder says.
func (v *verification) voice(r Rebuilder, s evidence.Statement, p *Predicate) Voice {
	out := Voice{Operator: r.Operator, Key: r.Key, Digest: s.Digest.String(), Time: p.Time.UTC().Format(time.RFC3339), Verdict: p.Verdict.String(), predicate: p}
	if p.Rebuild != nil {
		out.Items = len(p.Rebuild.Items)
		for _, it := range p.Rebuild.Items {
			if it.From == rebuild.Built {
				out.Built++
			}
		}
	}
	out.Vote, out.Why = v.vote(r, p)
	return out
}

// skew is how far clocks of honest machines may differ.
const skew = 5 * time.Minute

func (v *verification) vote(r Rebuilder, p *Predicate) (Vote, check.Message) {
	switch {
	case r.Maker:
		return NoVote, check.Say("verify/maker")
	case p.Verdict == rebuild.Unreproducible, p.Verdict == rebuild.Contradicted:
		return Dissents, check.Say("verify/dissents", "verdict", p.Verdict) // which does not age
	case v.terms.MaxAge > 0 && v.terms.Now.Sub(p.Time) > v.terms.MaxAge:
		return NoVote, check.Say("verify/too-old", "time", p.Time.Format(time.RFC3339))
	case p.Rebuild == nil || p.Rebuild.Status != report.Built:
		return NoVote, check.Say("verify/not-built", "status", status(p))
	case !slices.ContainsFunc(p.Rebuild.Items, func(it Item) bool { return it.From == rebuild.Built }):
		return NoVote, check.Say("verify/built-nothing")
	}
	closure := p.Checks[slices.IndexFunc(p.Checks, func(c Check) bool { return c.ID == check.Closure })].Status
	if !v.terms.Require.Holds(p.Verdict, closure) {
		return NoVote, check.Say("verify/verdict-too-weak", "verdict", p.Verdict, "require", v.terms.Require)
	}
	return Agrees, check.Say("verify/agrees", "verdict", p.Verdict)
}

func status(p *Predicate) string {
	if p.Rebuild == nil {
		return "not-tried"
	}
	return string(p.Rebuild.Status)
}

// hear makes one voice of each operator, of the newest word of each of its keys: the
// worst of them.
func (v *verification) hear() {
	for _, r := range v.terms.Rebuilders {
		voice, ok := v.newest[r.Key]
		if !ok {
			voice = Voice{Operator: r.Operator, Vote: NoVote, Why: check.Say("verify/no-statement")}
		}
		if why, ok := v.doubt[r.Key]; ok && voice.Vote == Agrees {
			voice.Vote, voice.Why = NoVote, why
		}
		i := slices.IndexFunc(v.out.Voices, func(o Voice) bool { return o.Operator == r.Operator })
		switch {
		case i < 0:
			v.out.Voices = append(v.out.Voices, voice)
		case outweighs(voice, v.out.Voices[i]):
			v.out.Voices[i] = voice
		}
	}
	slices.SortFunc(v.out.Voices, func(a, b Voice) int { return cmp.Compare(a.Operator, b.Operator) })
}

// outweighs says which of two keys speaks for their operator: one that dissents, else
// one that agrees, else one that says something.
func outweighs(a, b Voice) bool {
	weight := func(v Voice) int {
		switch {
		case v.Vote == Dissents:
			return 3
		case v.Vote == Agrees:
			return 2
		case v.Digest != "":
			return 1
		}
		return 0
	}
	return weight(a) > weight(b)
}

// conclude counts.
func (v *verification) conclude() {
	dissent := ""
	var agreeing []Voice
	for _, voice := range v.out.Voices {
		switch voice.Vote {
		case Agrees:
			agreeing = append(agreeing, voice)
		case Dissents:
			dissent = cmp.Or(dissent, voice.Operator)
		}
	}
	v.out.Agree = len(agreeing)
	v.out.Least, v.out.Shared = v.voices(agreeing)
	switch o := &v.out; {
	case dissent != "":
		o.Why = check.Say("verify/dissent", "operator", dissent)
	case o.Cut:
		o.Why = check.Say("verify/cut")
	case o.Agree < o.AtLeast:
		o.Why = check.Say("verify/too-few", "agree", o.Agree, "at-least", o.AtLeast)
	case o.Least < o.AtLeast:
		o.Why = check.Say("verify/shared-parts", "least", o.Least, "at-least", o.AtLeast, "servers", o.Shared)
	default:
		o.Holds, o.Why = true, check.Say("verify/enough", "agree", o.Agree, "least", o.Least)
	}
}

// voices counts, for the part of the image that has the fewest, the independent parties
// that made it: operators that built it themselves, and one for all servers and farms
// together, since who stands behind those is the rebuilders' word. Of a part that a
// rebuilder merely had already nobody knows who made it. What audit itself made again
// of other parts follows from these. It names the servers that several had parts from.
func (v *verification) voices(agreeing []Voice) (least int, shared []string) {
	made := make(map[string]map[string]bool) // by part
	for i := range v.img.Items {
		made[v.img.Items[i].Path] = make(map[string]bool)
	}
	ofStore := len(made) > 0
	users := make(map[string][]string) // operators, by the server that they had parts from
	follows := make(map[string]bool)
	for _, voice := range agreeing {
		for _, it := range voice.predicate.Rebuild.Items {
			if made[it.Path] == nil {
				if ofStore {
					continue // it is none of this image
				}
				made[it.Path] = make(map[string]bool)
			}
			switch {
			case it.From == rebuild.Built:
				made[it.Path]["operator "+voice.Operator] = true
			case it.From == rebuild.Remade:
				follows[it.Path] = true
			case it.From == rebuild.Substituted || len(it.Operators) > 0:
				made[it.Path]["a farm"] = true
			}
			if it.From == rebuild.Substituted {
				users[it.Server] = append(users[it.Server], voice.Operator)
			}
		}
	}
	least = len(agreeing)
	for part, who := range made {
		if len(who) > 0 || !follows[part] {
			least = min(least, len(who))
		}
	}
	shared = []string{}
	for server, who := range users {
		if len(slices.Compact(slices.Sorted(slices.Values(who)))) > 1 {
			shared = append(shared, server)
		}
	}
	slices.Sort(shared)
	return least, shared
}
