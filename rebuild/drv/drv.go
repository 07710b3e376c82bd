// Package drv reads derivations, the files in which GNU Guix and Nix note how a
// store item is built. Both write the same form (Nix 2.8, libstore/derivations.cc;
// Guix 1.5, guix/derivations.scm).
package drv

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"audit/inspect"
)

// A Derivation is what a .drv file says. Nothing of it is interpreted.
type Derivation struct {
	Outputs   []Output // sorted by name
	Inputs    []Input  // sorted by path
	Sources   []string // store paths that are nobody's output
	System    string   // such as "x86_64-linux"
	Builder   string   // the program that builds
	Arguments []string
	Env       map[string]string
}

// An Output is a store item that a derivation makes.
type Output struct {
	Name string
	Path string // "" when it is known only after the build
	// Algorithm and Hash are those of what must come out, where that is known
	// beforehand; else "".
	Algorithm, Hash string
}

// An Input is a derivation that another one needs.
type Input struct {
	Path    string   // of its .drv file
	Outputs []string // names of those that are needed
}

// Fixed says that what comes out is known beforehand, as of a download.
func (d *Derivation) Fixed() bool {
	return len(d.Outputs) == 1 && d.Outputs[0].Hash != "" && d.Outputs[0].Hash != impure
}

// Impure says that an output is another one each time (Nix 2.8, libstore/derivations.cc,
// DerivationOutput::Impure).
func (d *Derivation) Impure() bool {
	return slices.ContainsFunc(d.Outputs, func(o Output) bool { return o.Hash == impure })
}

// impure stands in the place of the hash of an output that is another one each time.
const impure = "impure"

// hashSizes are the lengths of hashes, in bytes, of the algorithms that Nix and Guix
// have had for outputs.
var hashSizes = map[string]int{
	"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64, "blake3": 32,
	"sha512-256": 32, "sha3-256": 32, "sha3-384": 48, "sha3-512": 64, "blake2s-256": 32, "blake2b-256": 32,
}

// checkHashes refuses what is no hash in the place of one: whatever comes out would be
// said to be fixed by it.
func (d *Derivation) checkHashes() error {
	for _, o := range d.Outputs {
		if o.Hash == "" || o.Hash == impure {
			continue
		}
		if len(d.Outputs) > 1 || o.Name != "out" {
			return errors.New("outputs: one that is known beforehand stands alone, and is called out")
		}
		_, algorithm, ok := strings.Cut(o.Algorithm, ":")
		if !ok {
			algorithm = o.Algorithm
		}
		size, known := hashSizes[algorithm]
		if sum, err := hex.DecodeString(o.Hash); !known || err != nil || len(sum) != size {
			return fmt.Errorf("outputs: %.100q is no hash of %.20q", o.Hash, algorithm)
		}
	}
	return nil
}

// MaxBytes bounds a .drv file; those of big bootstrap scripts have some hundred
// kilobytes.
const MaxBytes = 16 << 20

// Read reads a .drv file. The error is a [*inspect.LimitError] for a file that
// is too big and a [*inspect.FormatError] for one that is no derivation.
func Read(file string) (*Derivation, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("reading a derivation: %w", err)
	}
	if info.Size() > MaxBytes {
		return nil, &inspect.LimitError{Name: "bytes of a derivation", Limit: MaxBytes, Where: file}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading a derivation: %w", err)
	}
	d, err := Parse(string(text))
	if err != nil {
		return nil, &inspect.FormatError{Where: file, Err: err}
	}
	return d, nil
}

// Parse reads the text of a .drv file: the term
//
//	Derive([outputs],[inputs],[sources],system,builder,[arguments],[environment])
//
// in which an output is (name,path,algorithm,hash), an input (drv,[names]) and
// a variable of the environment (name,value).
func Parse(text string) (*Derivation, error) {
	rest, ok := strings.CutPrefix(text, "Derive")
	if !ok {
		return nil, errors.New("not a derivation")
	}
	whole, rest, err := parseTerm(rest, 0)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(rest) != "" || len(whole.list) != 7 {
		return nil, errors.New("a derivation has seven fields and nothing after them")
	}
	return newDerivation(whole.list)
}

func newDerivation(fields []term) (*Derivation, error) {
	d := &Derivation{System: fields[3].text, Builder: fields[4].text, Env: make(map[string]string)}
	for _, t := range fields[0].list {
		if len(t.list) < 2 {
			return nil, errors.New("outputs: a tuple is too short")
		}
		d.Outputs = append(d.Outputs, Output{t.at(0), t.at(1), t.at(2), t.at(3)})
	}
	if err := d.checkHashes(); err != nil {
		return nil, err
	}
	for _, t := range fields[1].list {
		if len(t.list) < 1 {
			return nil, errors.New("inputs: a tuple is too short")
		}
		in := Input{Path: t.at(0)}
		if len(t.list) > 1 {
			in.Outputs = texts(t.list[1])
		}
		d.Inputs = append(d.Inputs, in)
	}
	d.Sources, d.Arguments = texts(fields[2]), texts(fields[5])
	for _, t := range fields[6].list {
		if len(t.list) != 2 {
			return nil, errors.New("environment: a variable has a name and a value")
		}
		d.Env[t.at(0)] = t.at(1)
	}
	return d, nil
}

// texts returns the strings of a list.
func texts(list term) []string {
	var out []string
	for _, t := range list.list {
		out = append(out, t.text)
	}
	return out
}
