package sbom

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// A ChangeKind says what became of a package from one image to another.
type ChangeKind int

// The kinds, in the order in which they are listed.
const (
	Unchanged ChangeKind = iota
	Added
	Removed
	Changed // it has another version
	Rebuilt // it has the same version and another content
)

func changeNames() []string {
	return []string{"unchanged", "added", "removed", "changed", "rebuilt"}
}

func (k ChangeKind) String() string {
	if k < Unchanged || k > Rebuilt {
		return fmt.Sprintf("ChangeKind(%d)", int(k))
	}
	return changeNames()[k]
}

// MarshalText returns the name of the kind.
func (k ChangeKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the name of a kind.
func (k *ChangeKind) UnmarshalText(text []byte) error {
	i := slices.Index(changeNames(), string(text))
	if i < 0 {
		return fmt.Errorf("%q is no kind of change", text)
	}
	*k = ChangeKind(i)
	return nil
}

// A Change is a package that is not the same in two images.
type Change struct {
	Kind      ChangeKind `json:"change"`
	Ecosystem Ecosystem  `json:"ecosystem"` // of a store item that of its store
	Name      string     `json:"name"`
	Output    string     `json:"output,omitempty"` // of a store item
	Arch      string     `json:"arch,omitempty"`
	Was       *State     `json:"was,omitempty"` // in the first image; nil when it is not there
	Now       *State     `json:"now,omitempty"`
}

// A State is a package as it is in one image.
type State struct {
	Version string `json:"version,omitempty"`
	// NarHash is that of a store item, as "sha256:HEX"; "" when it is not
	// known.
	NarHash string `json:"narHash,omitempty"`
	Path    string `json:"path"` // of the store item, or of the first evidence
}

// Changes are the packages that are not the same in two images.
type Changes struct {
	Was     string   `json:"was"` // image ID, "" for none
	Now     string   `json:"now"`
	Same    int      `json:"same"`    // packages that are the same in both
	Changes []Change `json:"changes"` // sorted by kind, ecosystem, name, output and version
	// Gaps are what was not looked into in either image: packages may have
	// changed there.
	Gaps []string `json:"gaps,omitempty"`
}

// Compare returns what changed from bill a to bill b, by package and version.
// Store items that are no packages, such as profiles, are left out: they are
// made of packages. Where an image has several versions of one package, those
// that both have are the same, and the others are paired in their order.
func Compare(a, b *Bill) *Changes {
	was, now := packages(a), packages(b)
	c := &Changes{Was: digestText(a.Image.Config), Now: digestText(b.Image.Config), Changes: []Change{}}
	identities := make(map[packageID]bool)
	for k := range was {
		identities[k] = true
	}
	for k := range now {
		identities[k] = true
	}
	for k := range identities {
		c.pair(k, was[k], now[k])
	}
	slices.SortFunc(c.Changes, compareChanges)
	for i, bill := range []*Bill{a, b} {
		for _, g := range bill.Gaps {
			c.Gaps = append(c.Gaps, fmt.Sprintf(sentenceChangesGap, [...]string{"first", "second"}[i], bill.gapText(g)))
		}
	}
	return c
}

func compareChanges(a, b Change) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Ecosystem, b.Ecosystem), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Output, b.Output), cmp.Compare(a.Arch, b.Arch), compareStates(a.Was, b.Was), compareStates(a.Now, b.Now))
}

func compareStates(a, b *State) int {
	if a == nil || b == nil {
		return 0
	}
	return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.NarHash, b.NarHash), cmp.Compare(a.Path, b.Path))
}

// A packageID is what a package is, whatever its version.
type packageID struct {
	ecosystem          Ecosystem
	name, output, arch string
	stored             bool // a store item
}

// packages lists the packages of a bill by what they are, whatever their
// version.
func packages(b *Bill) map[packageID][]State {
	all := make(map[packageID][]State)
	for i := range b.Items {
		it := &b.Items[i]
		if it.Kind != Package {
			continue
		}
		k := packageID{ecosystem: it.Ecosystem, name: it.Name, output: it.Output, stored: true}
		all[k] = append(all[k], State{it.Version, digestText(it.NarHash), it.Path})
	}
	for i := range b.Parts {
		p := &b.Parts[i]
		k := packageID{ecosystem: p.Ecosystem, name: p.Name, arch: p.Arch}
		all[k] = append(all[k], State{Version: p.Version, Path: p.Evidence[0].Path})
	}
	for k := range all {
		slices.SortFunc(all[k], func(a, b State) int { return compareStates(&a, &b) })
	}
	return all
}

// pair adds the changes of one package, which k identifies.
func (c *Changes) pair(k packageID, was, now []State) {
	was, now, same := without(was, now, func(a, b State) int {
		if a.NarHash != "" || !k.stored {
			a.Path, b.Path = "", ""
		}
		return compareStates(&a, &b)
	})
	c.Same += len(same)
	was, now, rebuilt := without(was, now, func(a, b State) int { return cmp.Compare(a.Version, b.Version) })
	for _, r := range rebuilt {
		c.put(k, Rebuilt, &r[0], &r[1])
	}
	for len(was) > 0 && len(now) > 0 {
		c.put(k, Changed, &was[0], &now[0])
		was, now = was[1:], now[1:]
	}
	for i := range was {
		c.put(k, Removed, &was[i], nil)
	}
	for i := range now {
		c.put(k, Added, nil, &now[i])
	}
}

func (c *Changes) put(k packageID, kind ChangeKind, was, now *State) {
	c.Changes = append(c.Changes, Change{Kind: kind, Ecosystem: k.ecosystem, Name: k.name, Output: k.output, Arch: k.arch, Was: was, Now: now})
}

// without takes the pairs that are equal by an order out of two lists that are
// sorted by it.
func without(was, now []State, order func(a, b State) int) (a, b []State, pairs [][2]State) {
	for len(was) > 0 && len(now) > 0 {
		switch n := order(was[0], now[0]); {
		case n < 0:
			a, was = append(a, was[0]), was[1:]
		case n > 0:
			b, now = append(b, now[0]), now[1:]
		default:
			pairs = append(pairs, [2]State{was[0], now[0]})
			was, now = was[1:], now[1:]
		}
	}
	return append(a, was...), append(b, now...), pairs
}

// WriteJSON writes the changes as JSON. The error is that of w.
func (c *Changes) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(c)
}

// WriteText writes the changes as a table, with a line of numbers at its end.
// The error is that of w.
func (c *Changes) WriteText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if len(c.Changes) > 0 {
		fmt.Fprintln(table, sentenceTableColumn)
	}
	count := make([]int, Rebuilt+1)
	for _, one := range c.Changes {
		count[one.Kind]++
		was, now := one.versions()
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", one.Kind, one.Ecosystem, one.title(), was, now)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, sentenceCounts,
		count[Added], count[Removed], count[Changed], count[Rebuilt], c.Same); err != nil {
		return err
	}
	for i, g := range c.Gaps {
		if i == maxGaps {
			_, err := fmt.Fprintf(w, sentenceTableGaps, len(c.Gaps)-i)
			return err
		}
		if _, err := fmt.Fprintf(w, sentenceTableGap, g); err != nil {
			return err
		}
	}
	return nil
}

// title names the package for people.
func (c *Change) title() string {
	text := clean(c.Name)
	if c.Output != "" {
		text += ":" + clean(c.Output)
	}
	if c.Arch != "" {
		text += " (" + clean(c.Arch) + ")"
	}
	return text
}

// versions returns what the two columns say: versions, or where these are the
// same what else differs.
func (c *Change) versions() (was, now string) {
	if c.Kind == Rebuilt {
		return c.Was.content(), c.Now.content()
	}
	return c.Was.version(), c.Now.version()
}

func (s *State) version() string {
	switch {
	case s == nil:
		return "-"
	case s.Version == "":
		return sentenceNoVersion
	}
	return clean(s.Version)
}

// content distinguishes the contents of one version: by the start of the NAR
// hash, which is enough for people.
func (s *State) content() string {
	hash := sentenceNoNarHash
	if digest, err := v1.NewHash(s.NarHash); err == nil {
		hash = digest.Algorithm + ":" + digest.Hex[:12] + "…"
	}
	return s.version() + " " + hash
}
