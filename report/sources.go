package report

import (
	"path"

	"audit/rebuild/archive"
	"audit/rebuild/sources"
)

// A Source is an input of which only the content is known, by a hash: what was
// fetched, or a seed.
type Source struct {
	Name       string   `json:"name"`
	Path       string   `json:"path"`       // its store item
	Derivation string   `json:"derivation"` // that fetches it
	Method     string   `json:"method"`     // url, git-commit, git-ref, svn, hg, hg-ref, bzr, cvs, own-program
	Addresses  []string `json:"addresses"`  // in the order in which they are tried
	Revision   string   `json:"revision"`   // of a repository; "" for a file
	Algorithm  string   `json:"algorithm"`  // of hash, such as "sha256"
	Hash       string   `json:"hash"`       // in hexadecimal, as the derivation has it
	Recursive  bool     `json:"recursive"`  // the hash is that of its NAR
	Seed       string   `json:"seed"`       // the rule by which it is known as a seed: builder, program, unpacked; "" for none
	Level      int      `json:"level"`      // least steps from the image's derivation
	Needed     int      `json:"needed"`     // count of packages of the image that need it
	NeededBy   []string `json:"neededBy"`   // the first of them
	SWHID      string   `json:"swhid"`      // of its content (ISO/IEC 18670); "" when it is not known
	State      string   `json:"state"`      // where it is still to be had: archived, commit, origin, address, not-archived, gone, unknown; "" when nobody was asked
	Where      string   `json:"where"`      // address of who has it; "" when nobody is known
}

// A Road is the way from the image back to its sources, counted.
type Road struct {
	Derivation  string  `json:"derivation"`  // of the image
	Derivations int     `json:"derivations"` // count, those that fetch included
	Plain       int     `json:"plain"`       // count of inputs that are named after their content
	Verified    int     `json:"verified"`    // of those, how many have the content that their names say
	Levels      []Level `json:"levels"`      // by steps from the image
}

// A Level counts the derivations that lie a number of steps from that of the image.
type Level struct {
	Built   int `json:"built"`
	Sources int `json:"sources"`
	Seeds   int `json:"seeds"`
}

func newSources(w *sources.Walk) (all []Source) {
	if w == nil {
		return nil
	}
	for i, s := range w.Sources {
		var held archive.Answer
		if w.Answers != nil {
			held = w.Answers[i]
		}
		all = append(all, Source{
			Name: s.Name, Path: s.Path, Derivation: s.Derivation, Method: string(s.Method), Addresses: s.Addresses, Revision: s.Revision,
			Algorithm: s.Algorithm, Hash: s.Hash, Recursive: s.Recursive, Seed: string(s.Seed), Level: s.Level,
			Needed: s.Needed, NeededBy: names(s.NeededBy), SWHID: s.SWHID, State: string(held.State), Where: held.Where,
		})
	}
	return all
}

// names are store items without their folder.
func names(items []string) (all []string) {
	for _, it := range items {
		all = append(all, path.Base(it))
	}
	return all
}

func newRoad(w *sources.Walk) *Road {
	if w == nil {
		return nil
	}
	r := &Road{Derivation: w.Root, Derivations: w.Derivations, Plain: len(w.Plain)}
	for _, p := range w.Plain {
		if p.State == sources.Fits {
			r.Verified++
		}
	}
	for _, l := range w.Levels {
		r.Levels = append(r.Levels, Level(l))
	}
	return r
}
