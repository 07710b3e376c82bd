package sources

import (
	"cmp"
	"errors"
	"math/bits"
	"net/url"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	items "audit/inspect/store"
	"audit/rebuild"
	"audit/rebuild/archive"
	"audit/rebuild/drv"
	"audit/rebuild/store"
)

// A Source is an input of which nothing is known but its content, by a hash.
type Source struct {
	Path       string // of its store item
	Name       string // of the item, without the hash of its path
	Derivation string // that fetches it, the nearest to the image
	rebuild.Fetch
	Algorithm string // of Hash: "sha256"
	Hash      string // in hexadecimal, as the derivation has it
	Recursive bool   // the hash is that of its NAR, as of a folder or a program
	Seed      Seed   // the rule by which it is known as a seed; "" for a source
	Level     int    // least steps from the image's derivation; 1 is what it needs itself
	NeededBy  []string
	Needed    int    // packages that need it; NeededBy has the first
	SWHID     string // of its content, where the store has it; else ""
}

// A Seed is the rule by which a source is known to be one: a program that nothing
// beneath it was built from.
type Seed string

// The rules.
const (
	SeedBuilder  Seed = "builder"  // a derivation is built by it
	SeedProgram  Seed = "program"  // it is fetched to be run, where nothing was built yet
	SeedUnpacked Seed = "unpacked" // the one archive that such programs take in, where nothing was built yet
)

// A Plain is an input that is no derivation's output: its name is computed from its
// content.
type Plain struct {
	Path  string
	Seed  Seed // [SeedBuilder] where a derivation is built by it
	State State
}

// A Commit is one that the recipe is pinned by.
type Commit struct {
	Name   string // of the channel
	SWHID  string
	Answer archive.Answer
}

// A Level counts what lies a number of steps from the image's derivation.
type Level struct {
	Built   int // derivations that build something
	Sources int
	Seeds   int
}

// A Walk is what was found on the way from an image back to its sources.
type Walk struct {
	Root        string // the image's own .drv file
	Derivations int    // all, those of sources included
	Sources     []Source
	Plain       []Plain // sorted by path
	Levels      []Level // by steps from the image; the first is its own derivation
	// Answers say of each source where it is still to be had; nil where nobody was asked.
	Answers []archive.Answer
	// Commits say the same of the commits that the recipe is pinned by.
	Commits []Commit

	hosts   map[string]int // programs of the machine that builds, and how many derivations they build
	unfixed []string       // derivations that fetch what no hash fixes
	impure  map[string]string
	foreign []string // items of the image that no derivation makes
	bytes   int64    // of items that one makes
}

// maxPackages bounds the packages whose needs are told apart.
const maxPackages = 1 << 12

// maxAddresses is how many addresses of a source are kept.
const maxAddresses = 100

// maxNeeded is how many of the packages that need a source are named.
const maxNeeded = 10

// Input is what is followed.
type Input struct {
	Graph    *store.Graph
	Fetch    func(*drv.Derivation) rebuild.Fetch
	Items    []inspect.StoreItem // of the image
	Packages []string            // store paths that the recipe names; none for all items
}

// Follow walks from the image to its sources. Derivations that need each other are an
// error.
func Follow(in Input) (*Walk, error) {
	f := &follower{Input: in, nodes: make(map[string]int), w: &Walk{Root: in.Graph.Root.Path, hosts: make(map[string]int), impure: make(map[string]string)}}
	for i, n := range in.Graph.Near {
		f.nodes[n.Path] = i
	}
	if err := f.order(); err != nil {
		return nil, err
	}
	f.measure()
	f.need()
	f.judge()
	f.seed()
	f.collect()
	f.place()
	return f.w, nil
}

// A follower is a walk on its way. All of its lists are by the place in Graph.Near.
type follower struct {
	Input
	nodes  map[string]int // place of a derivation
	sorted []int          // places, each before those of its inputs
	level  []int
	fetch  []rebuild.Fetch
	seeds  []Seed // of fixed outputs
	needs  [][]uint64
	names  []string // of packages, by their bit in needs
	w      *Walk
}

func (f *follower) inputs(i int) []int {
	n := f.Graph.Near[i]
	all := make([]int, 0, len(n.Inputs))
	for _, in := range n.Inputs {
		all = append(all, f.nodes[in.Path])
	}
	return all
}

// order sorts the derivations so that each stands before its inputs.
func (f *follower) order() error {
	users := make([]int, len(f.Graph.Near))
	for i := range f.Graph.Near {
		for _, in := range f.inputs(i) {
			users[in]++
		}
	}
	if users[0] == 0 {
		f.sorted = append(f.sorted, 0)
	}
	for at := 0; at < len(f.sorted); at++ {
		for _, in := range f.inputs(f.sorted[at]) {
			if users[in]--; users[in] == 0 {
				f.sorted = append(f.sorted, in)
			}
		}
	}
	if len(f.sorted) < len(f.Graph.Near) {
		return &inspect.FormatError{Where: f.Graph.Root.Path, Err: errors.New("derivations that need each other")}
	}
	return nil
}

// measure counts the steps from the image. Near is in the order of their number.
func (f *follower) measure() {
	f.level = make([]int, len(f.Graph.Near))
	for i := range f.Graph.Near {
		for _, in := range f.inputs(i) {
			if f.level[in] == 0 && in != 0 {
				f.level[in] = f.level[i] + 1
			}
		}
	}
}

// need notes for each derivation which packages of the image cannot be without it.
func (f *follower) need() {
	f.names = f.Packages
	if len(f.names) == 0 {
		for _, it := range f.Items {
			f.names = append(f.names, it.Path)
		}
	}
	f.names = slices.Compact(slices.Sorted(slices.Values(f.names)))
	f.names = f.names[:min(len(f.names), maxPackages)]
	words := (len(f.names) + 63) / 64
	f.needs = make([][]uint64, len(f.Graph.Near))
	block := make([]uint64, words*len(f.needs))
	for i := range f.needs {
		f.needs[i] = block[i*words : (i+1)*words]
	}
	for bit, name := range f.names {
		for _, n := range f.Graph.Makers(name) {
			f.needs[f.nodes[n.Path]][bit/64] |= 1 << (bit % 64)
		}
	}
	for _, i := range f.sorted {
		for _, in := range f.inputs(i) {
			for w, set := range f.needs[i] {
				f.needs[in][w] |= set
			}
		}
	}
}

// judge looks at each derivation by itself.
func (f *follower) judge() {
	f.fetch = make([]rebuild.Fetch, len(f.Graph.Near))
	dir := path.Dir(f.Graph.Root.Path)
	for i, n := range f.Graph.Near {
		f.fetch[i] = f.Fetch(n.Derivation)
		switch fetched := f.fetch[i]; {
		case n.Impure():
			f.w.impure[n.Path] = "impure"
		case fetched.Impure != "":
			f.w.impure[n.Path] = fetched.Impure
		case n.Fixed():
		case fetched.Method != "":
			f.w.unfixed = append(f.w.unfixed, n.Path)
		case !f.isInput(i, itemOf(dir, n.Builder)) && !strings.HasPrefix(n.Builder, "builtin:"):
			f.w.hosts[n.Builder]++
		}
	}
	slices.Sort(f.w.unfixed)
}

// isInput says that a store item is one that a derivation needs: a plain input, or an
// output of another derivation.
func (f *follower) isInput(i int, item string) bool {
	if item == "" {
		return false
	}
	return slices.Contains(f.Graph.Near[i].Sources, item) || slices.ContainsFunc(f.inputs(i), func(in int) bool {
		return slices.ContainsFunc(f.Graph.Near[in].Outputs, func(o drv.Output) bool { return o.Path == item })
	})
}

// seed finds the seeds, from the leaves to the image. A derivation is early when
// nothing but seeds lies beneath it.
func (f *follower) seed() {
	f.seeds = make([]Seed, len(f.Graph.Near))
	dir := path.Dir(f.Graph.Root.Path)
	for _, n := range f.Graph.Near {
		if made := f.Graph.Deriver(itemOf(dir, n.Builder)); made != nil && made.Fixed() && !n.Fixed() {
			f.seeds[f.nodes[made.Path]] = SeedBuilder
		}
	}
	early := make([]bool, len(f.Graph.Near))
	for _, i := range slices.Backward(f.sorted) {
		if n := f.Graph.Near[i]; !n.Fixed() {
			early[i] = f.seedInputs(f.inputs(i), early)
		}
	}
}

// seedInputs marks the seeds among the inputs of a derivation, and says whether all
// of them are seeds or made of such.
func (f *follower) seedInputs(inputs []int, early []bool) bool {
	runs := false
	var fixed []int
	for _, in := range inputs {
		switch {
		case f.Graph.Near[in].Fixed():
			fixed = append(fixed, in)
			runs = runs || f.fetch[in].Executable || f.seeds[in] == SeedBuilder
		case !early[in]:
			return false
		}
	}
	var unpacked []int
	for _, in := range fixed {
		switch {
		case f.seeds[in] != "":
		case !runs:
			return false
		case f.fetch[in].Executable:
			f.seeds[in] = SeedProgram
		default:
			unpacked = append(unpacked, in)
		}
	}
	if len(unpacked) > 1 || len(unpacked) == 1 && f.fetch[unpacked[0]].Method != rebuild.FetchURL {
		return false // sources that a program which was fetched works on
	}
	for _, in := range unpacked {
		f.seeds[in] = SeedUnpacked
	}
	return true
}

// collect lists the sources, each once, and the plain inputs.
func (f *follower) collect() {
	same := make(map[string][]int) // derivations of an output
	plain := make(map[string]Seed)
	dir := path.Dir(f.Graph.Root.Path)
	for i, n := range f.Graph.Near {
		for _, p := range n.Sources {
			if builds := !n.Fixed() && itemOf(dir, n.Builder) == p; builds {
				plain[p] = SeedBuilder
			} else if _, known := plain[p]; !known {
				plain[p] = ""
			}
		}
		if n.Fixed() {
			same[n.Output()] = append(same[n.Output()], i)
		}
	}
	for _, all := range same {
		f.merge(all)
		f.w.Sources = append(f.w.Sources, f.source(all[0]))
	}
	for p, seed := range plain {
		f.w.Plain = append(f.w.Plain, Plain{Path: p, Seed: seed})
	}
	slices.SortFunc(f.w.Plain, func(a, b Plain) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(f.w.Sources, func(a, b Source) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Path, b.Path)) })
	f.w.Derivations = len(f.Graph.Near)
}

// merge adds what is known of derivations of the same output to the first of them.
func (f *follower) merge(all []int) {
	var addresses []string
	for _, i := range all {
		addresses = append(addresses, f.fetch[i].Addresses...)
		f.seeds[all[0]] = cmp.Or(f.seeds[all[0]], f.seeds[i])
		for w, set := range f.needs[i] {
			f.needs[all[0]][w] |= set
		}
	}
	addresses = distinct(addresses)
	f.fetch[all[0]].Addresses = addresses[:min(len(addresses), maxAddresses)]
}

func (f *follower) source(i int) Source {
	n, o := f.Graph.Near[i], f.Graph.Near[i].Outputs[0]
	s := Source{Path: o.Path, Name: items.NameOf(o.Path), Derivation: n.Path, Fetch: f.fetch[i], Hash: o.Hash, Seed: f.seeds[i], Level: f.level[i]}
	s.Algorithm, s.Recursive = strings.CutPrefix(o.Algorithm, "r:")
	s.Method = cmp.Or(s.Method, rebuild.FetchProgram)
	s.Addresses = public(s.Addresses)
	for w, set := range f.needs[i] {
		s.Needed += bits.OnesCount64(set)
		for ; set != 0 && len(s.NeededBy) < maxNeeded; set &= set - 1 {
			s.NeededBy = append(s.NeededBy, f.names[w*64+bits.TrailingZeros64(set)])
		}
	}
	return s
}

// place counts what lies at each level, and the items that no derivation makes.
func (f *follower) place() {
	f.w.Levels = make([]Level, slices.Max(f.level)+1)
	for i, n := range f.Graph.Near {
		switch l := &f.w.Levels[f.level[i]]; {
		case !n.Fixed():
			l.Built++
		case f.seeds[i] != "":
			l.Seeds++
		default:
			l.Sources++
		}
	}
	for _, it := range f.Items {
		if f.Graph.Makes(it.Path) {
			f.w.bytes += it.Bytes
		} else {
			f.w.foreign = append(f.w.foreign, it.Path)
		}
	}
}

// itemOf returns the store item that a path is or lies in; "" for one elsewhere.
func itemOf(dir, p string) string {
	rest, ok := strings.CutPrefix(p, dir+"/")
	if !ok || path.Clean(p) != p {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return dir + "/" + name
}

// public returns addresses without a user and a password.
func public(addresses []string) (all []string) {
	for _, a := range addresses {
		if u, err := url.Parse(a); err == nil && u.User != nil {
			u.User = nil
			a = u.String()
		}
		all = append(all, a)
	}
	return all
}

// distinct returns texts in their order, each once.
func distinct(texts []string) (all []string) {
	seen := make(map[string]bool, len(texts))
	for _, s := range texts {
		if !seen[s] {
			seen[s] = true
			all = append(all, s)
		}
	}
	return all
}
