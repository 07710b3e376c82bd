package deb

import (
	"encoding/hex"
	"path"
	"slices"
	"strconv"
	"strings"

	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/provenance/openpgp"
)

// maxRelease bounds the bytes of a Release file; that of Debian has 200 KB.
const maxRelease = 16 << 20

// A Release is one that a trusted key signed: what a suite of an archive has
// (DebianRepository/Format, "Release" files).
type Release struct {
	Name       string   // "Debian bookworm", for a person
	Suite      string   // the codename, else the suite
	Keys       []string // fingerprints of the keys that signed it, upper case, sorted
	KeyNames   []string // as the keys say, in the order of Keys
	Date       string   // as it says of itself
	ValidUntil string   // "" when it says nothing
	Components []string
	ByHash     bool              // its files can be had by their digest
	Files      map[string]Listed // the files below its own folder, by path
	Folder     string            // where the source has it: "dists/bookworm"; "" where that is not known
	plain      digest.Sum        // of the signed text
}

// Listed is a file that an index names by its digest.
type Listed struct {
	Sum  digest.Sum
	Size int64
	Path string // of the file of a package, below the archive
	// Section and Priority are those that the archive gives a package, whatever its
	// control file says.
	Section, Priority string
}

// newRelease reads the signed text of a Release; the keys are those of good signatures.
func newRelease(plain []byte, signed []openpgp.Signature) *Release {
	r := &Release{Files: make(map[string]Listed)}
	for _, s := range signed {
		if s.Word != openpgp.Good {
			continue
		}
		fingerprint := strings.ToUpper(s.Key.Fingerprint)
		if !slices.Contains(r.Keys, fingerprint) {
			r.Keys = append(r.Keys, fingerprint)
			r.KeyNames = append(r.KeyNames, s.Key.Name)
		}
	}
	for p := range Paragraphs(plain) {
		r.Suite = check.Brief(p.Get("Codename"))
		if r.Suite == "" {
			r.Suite = check.Brief(p.Get("Suite"))
		}
		r.Name = strings.TrimSpace(check.Brief(p.Get("Origin")) + " " + r.Suite)
		r.Date, r.ValidUntil = check.Brief(p.Get("Date")), check.Brief(p.Get("Valid-Until"))
		r.Components = strings.Fields(p.Get("Components"))
		r.ByHash = p.Get("Acquire-By-Hash") == "yes"
		r.sums(p.Get("SHA256"))
		break
	}
	return r
}

// sums reads the lines of the field SHA256: digest, size and path.
func (r *Release) sums(field string) {
	for line := range strings.Lines(field) {
		words := strings.Fields(line)
		if len(words) != 3 {
			continue
		}
		raw, err := hex.DecodeString(words[0])
		size, e := strconv.ParseInt(words[1], 10, 64)
		if err != nil || e != nil || len(raw) != len(digest.Sum{}) || size < 0 {
			continue
		}
		r.Files[words[2]] = Listed{Sum: digest.Sum(raw), Size: size}
	}
}

// isIndex says whether a file of a Release lists packages that can be installed, in any
// compression.
func isIndex(name string) bool {
	base := path.Base(name)
	return base == "Packages" || strings.HasPrefix(base, "Packages.") && !strings.HasSuffix(base, ".diff")
}

// isRelease and isClear know Release files by their names, in mirrors and in apt's
// folder of lists.
func isRelease(name string) bool {
	base := path.Base(name)
	return base == "Release" || strings.HasSuffix(base, "_Release")
}

func isClear(name string) bool {
	base := path.Base(name)
	return base == "InRelease" || strings.HasSuffix(base, "_InRelease")
}

// isList says the same of files with packages.
func isList(name string) bool {
	base := path.Base(name)
	if at := strings.LastIndexByte(base, '_'); at >= 0 {
		base = base[at+1:]
	}
	return isIndex(base)
}
