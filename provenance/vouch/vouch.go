// Package vouch says who vouches for the bytes of an image, file by file.
//
// A container sees a file system of regular files and links. Each of them is held
// against everything that has a word on it: packages that a vendor or an archive
// signed, people who rebuilt these from source, records of language environments,
// the databases that the image itself carries, and the history of its build. What
// speaks loudest for a file is its [Word]; a file of which nobody speaks is
// [Nobody]'s. A [Family] knows one format of signed packages, each in a folder of
// its own.
//
// A word is about the content that was found, never about a name: what a package
// says of a file that is other is a finding, and no word.
package vouch

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/digest"
)

// A Kind is what stands behind the content of a file.
type Kind string

// The kinds, the strongest first.
const (
	Rebuilt     Kind = "rebuilt"     // signed, and made again from source with the same bytes
	Signed      Kind = "signed"      // in a package or store item that a trusted key signed
	Made        Kind = "made"        // made from signed files by a rule that was applied again, with the same bytes
	Matched     Kind = "matched"     // a builder here had or fetched the same bytes, by its own trust
	Recorded    Kind = "recorded"    // the unsigned record of a language environment has its digest
	Packaged    Kind = "packaged"    // the unsigned package database in the image has its digest
	Instruction Kind = "instruction" // an instruction or a recipe explains that it is there, and nobody what is in it
	Differs     Kind = "differs"     // a rebuild, or what is signed under its name, has other bytes
	Nobody      Kind = "nobody"
)

// Kinds returns all kinds, the strongest first.
func Kinds() []Kind {
	return []Kind{Rebuilt, Signed, Made, Matched, Recorded, Packaged, Instruction, Differs, Nobody}
}

// strength is larger for a stronger kind.
func (k Kind) strength() int {
	for i, other := range Kinds() {
		if other == k {
			return len(Kinds()) - i
		}
	}
	return 0
}

// A Word is what speaks for a file.
type Word struct {
	Kind Kind
	By   string   // what has the file: "deb curl 7.88.1-10", "python numpy 1.26.4"; "" for Nobody
	Keys []string // fingerprints of the keys that signed it, sorted; nil for what is not signed
	Rule string   // by which it was made, of Made: "pyc", "ca-certificates"; else ""
}

// IsSigned says whether a trusted key stands behind a file: it signed the very bytes, or
// those that a rule makes them from.
func (w Word) IsSigned() bool { return w.Kind == Rebuilt || w.Kind == Signed || w.Kind == Made }

func (w Word) key() string {
	return strings.Join(append([]string{string(w.Kind), w.By, w.Rule}, w.Keys...), "\x00")
}

// A Table has a word on each file of the root file system that is no folder. It is
// not for several goroutines at once.
type Table struct {
	img   *inspect.Image
	words []Word         // the first is Nobody's
	known map[string]int // places in words
	of    []int32        // of each file of the root: its place in words, or what folders have there
}

// In place of a word, of a folder.
const (
	aFolder   = -1
	explained = -2 // one that is as it has to be
)

// New returns the table of an image in which all files are nobody's.
func New(img *inspect.Image) *Table {
	t := &Table{img: img, words: []Word{{Kind: Nobody}}, known: make(map[string]int), of: make([]int32, img.Root().Len())}
	for i := range t.of {
		if img.Root().File(i).Inode.Type == '5' {
			t.of[i] = aFolder
		}
	}
	return t
}

// Image is what the table is of.
func (t *Table) Image() *inspect.Image { return t.img }

// Vouch adds a word on the file at a path of the root file system ([image.File.Path]).
// A stronger word that is there stays, and of equals the first. It returns false when
// there is no such file, or a folder.
func (t *Table) Vouch(path string, w Word) bool {
	i, ok := t.img.Root().Search(path)
	if !ok || t.of[i] < 0 {
		return false
	}
	t.VouchAt(i, w)
	return true
}

// VouchAt does as Vouch for the file at a place of the root ([image.Root.File]), which
// is no folder.
func (t *Table) VouchAt(i int, w Word) {
	if t.of[i] < 0 {
		return
	}
	now := t.words[t.of[i]].Kind
	if now != Differs && w.Kind.strength() > now.strength() {
		t.of[i] = t.place(w)
	}
}

// Explain says of a folder of the root file system that what is signed, or a rule, explains
// it: that it is there, with its mode and owner, and not what is in it.
func (t *Table) Explain(folder inspect.File) {
	if i, ok := t.img.Root().Search(folder.Path); ok && t.of[i] == aFolder {
		t.of[i] = explained
	}
}

// Explains says whether a folder is explained.
func (t *Table) Explains(folder inspect.File) bool {
	i, ok := t.img.Root().Search(folder.Path)
	return ok && t.of[i] == explained
}

// place returns the place of a word among all, where it is put once.
func (t *Table) place(w Word) int32 {
	key := w.key()
	n, ok := t.known[key]
	if !ok {
		n = len(t.words)
		t.words, t.known[key] = append(t.words, w), n
	}
	return int32(n)
}

// Contradict says of the file at a path that what stands for it has other bytes. No
// other word stays.
func (t *Table) Contradict(path, by string) {
	if i, ok := t.img.Root().Search(path); ok && t.of[i] >= 0 {
		t.of[i] = t.place(Word{Kind: Differs, By: by})
	}
}

// Word returns the word on the file at a path; false when there is no such file.
func (t *Table) Word(path string) (Word, bool) {
	i, ok := t.img.Root().Search(path)
	if !ok || t.of[i] < 0 {
		return Word{}, false
	}
	return t.words[t.of[i]], true
}

// At returns the word on the file at a place of the root ([image.Root.File]); false
// for a folder.
func (t *Table) At(i int) (Word, bool) {
	if t.of[i] < 0 {
		return Word{}, false
	}
	return t.words[t.of[i]], true
}

// Rows yields all files with their words, sorted by path.
func (t *Table) Rows() iter.Seq2[inspect.File, Word] {
	return func(yield func(inspect.File, Word) bool) {
		for i, n := range t.of {
			if n >= 0 && !yield(t.img.Root().File(i), t.words[n]) {
				return
			}
		}
	}
}

// A Share is what of an image one word speaks for, or all words of one kind.
type Share struct {
	Word  Word // of a kind: that alone
	Files int
	Bytes int64 // of their contents; what has several names is counted once
}

// Shares adds up the files by kind, in the order of [Kinds], those without files too.
// Of a file with several names the weakest word counts: one name that nobody vouches
// for is a way in.
func (t *Table) Shares() []Share {
	out := make([]Share, 0, len(Kinds()))
	for _, k := range Kinds() {
		out = append(out, Share{Word: Word{Kind: k}})
	}
	for _, s := range t.ByWord() {
		n := len(Kinds()) - s.Word.Kind.strength()
		out[n].Files += s.Files
		out[n].Bytes += s.Bytes
	}
	return out
}

// ByWord adds up the files by what speaks for them, in the order of [Kinds], then by
// name.
func (t *Table) ByWord() []Share {
	sums := make([]Share, len(t.words))
	for i, w := range t.words {
		sums[i].Word = w
	}
	for i, n := range t.of {
		if n < 0 {
			continue
		}
		f := t.img.Root().File(i)
		sums[n].Files++
		if names := f.Inode.Links; len(names) == 0 || names[0] == f.Path {
			sums[t.weakest(n, names)].Bytes += Content(f)
		}
	}
	sums = slices.DeleteFunc(sums, func(s Share) bool { return s.Files == 0 && s.Bytes == 0 })
	slices.SortFunc(sums, func(a, b Share) int {
		return cmp.Or(b.Word.Kind.strength()-a.Word.Kind.strength(), cmp.Compare(a.Word.key(), b.Word.key()))
	})
	return sums
}

func (t *Table) weakest(n int32, names []string) int32 {
	for _, name := range names {
		i, ok := t.img.Root().Search(name)
		if ok && t.of[i] >= 0 && t.words[t.of[i]].Kind.strength() < t.words[n].Kind.strength() {
			n = t.of[i]
		}
	}
	return n
}

// Content counts the bytes in a file: those of links and devices are none.
func Content(f inspect.File) int64 {
	if f.Inode.Type != '0' {
		return 0
	}
	return f.Inode.Size
}

// A Family checks the packages of one format in an image against what is signed.
type Family interface {
	// Name is the format: "rpm", "deb", "apk".
	Name() string
	// Vouch adds its words to the table. An error means that what the user gave, such
	// as a folder of packages, cannot be read; what an image has is never one.
	Vouch(ctx context.Context, t *Table) (Result, error)
}

// A Result is what a family found.
type Result struct {
	Packages int // of its format in the image
	Verified int // of them, those that a trusted key signed
	Keys     []Key
	Archives []Archive // the files of the packages that were verified, as far as their digests are known
	// Findings are of the check named signatures: a problem where what a verified
	// package has is other, undecided what no trusted key covers.
	Findings []check.Finding
	// Reason says why nothing was verified; zero when something was, and where there
	// was nothing to verify.
	Reason check.Message
}

// An Archive is the file of a package that was verified.
type Archive struct {
	By                  string // as words on the files in it have it
	Name, Version, Arch string
	Sum                 digest.Sum
}

// A Key is one that signed packages, or that the image carries.
type Key struct {
	Fingerprint string // hexadecimal, upper case
	Name        string // as the key itself says; may be empty
	Trusted     bool   // the user gave it
	Path        string // in the image; "" for one that is not from there
}

// SortKeys puts those that signed before those that the image carries, each sorted and
// once.
func SortKeys(keys []Key) []Key {
	slices.SortFunc(keys, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return slices.Compact(keys)
}
