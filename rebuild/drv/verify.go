package drv

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/nix-community/go-nix/pkg/nixbase32"

	"audit/inspect/store"
)

// A Closure is a derivation with all those that it needs, by the store path of
// their .drv files.
type Closure map[string]*Derivation

// Verify computes the store paths of all derivations and of their outputs from
// what they say, and compares them with those that they have. So whoever has
// checked one path knows that all of them are genuine, without Nix: a path is a
// hash of all that goes into a build (Nix 2.8, libstore/store-api.cc and
// derivations.cc, hashDerivationModulo). The error names one that has
// another path than it must: the first by its path, texts before outputs.
//
// Outputs that are known only after the build, and derivations that need such,
// are not verified.
func (c Closure) Verify() error {
	v := verifier{closure: c, modulo: make(map[string]string), open: make(map[string]bool)}
	paths := slices.Sorted(maps.Keys(c))
	for _, check := range []func(string) error{v.verifyText, v.verifyOutputs} {
		for _, p := range paths {
			if err := check(p); err != nil {
				return fmt.Errorf("verifying %s: %w", p, err)
			}
		}
	}
	return nil
}

// A verifier computes each hash once.
type verifier struct {
	closure Closure
	modulo  map[string]string // by .drv file: the hash that stands for it in the text of another; "" when it has none
	open    map[string]bool   // being computed
}

func (v verifier) verifyText(p string) error {
	d := v.closure[p]
	references := slices.Clone(d.Sources)
	for _, in := range d.Inputs {
		references = append(references, in.Path)
	}
	slices.Sort(references)
	if due := textPath(path.Dir(p), store.NameOf(p), references, d.Text()); due != p {
		return fmt.Errorf("its text gives the path %s", due)
	}
	return nil
}

func (v verifier) verifyOutputs(p string) error {
	d := v.closure[p]
	if d.Fixed() {
		return d.verifyFixed(p)
	}
	inputs, err := v.inputs(p)
	switch {
	case err != nil:
		return err
	case inputs == nil && slices.ContainsFunc(d.Outputs, func(o Output) bool { return o.Path != "" }):
		return errors.New("its output is given, and it needs one that is known only after the build")
	case inputs == nil:
		return nil
	}
	sum := sha256.Sum256([]byte(d.print(true, inputs)))
	for _, o := range d.Outputs {
		if o.Path == "" {
			continue
		}
		name := outputName(strings.TrimSuffix(store.NameOf(p), ".drv"), o.Name)
		if due := storePath(path.Dir(p), "output:"+o.Name, sum[:], name); due != o.Path {
			return fmt.Errorf("its output %s is given as %s and must be %s", o.Name, o.Path, due)
		}
	}
	return nil
}

// verifyFixed checks an output whose content is known beforehand. One of the kind
// "text" is the path of a text that refers to nothing.
func (d *Derivation) verifyFixed(p string) error {
	o := d.Outputs[0]
	sum, err := hex.DecodeString(o.Hash)
	if err != nil {
		return fmt.Errorf("its hash is none: %w", err)
	}
	kind := "source"
	switch o.Algorithm {
	case "r:sha256":
	case "text:sha256":
		kind = "text"
	default:
		inner := sha256.Sum256([]byte("fixed:out:" + o.Algorithm + ":" + o.Hash + ":"))
		kind, sum = "output:out", inner[:]
	}
	if due := storePath(path.Dir(p), kind, sum, strings.TrimSuffix(store.NameOf(p), ".drv")); due != o.Path {
		return fmt.Errorf("its output is given as %s and must be %s", o.Path, due)
	}
	return nil
}

// inputs returns the inputs of a derivation, each by the hash that stands for
// it; nil when one has none.
func (v verifier) inputs(p string) (map[string][]string, error) {
	inputs := make(map[string][]string)
	for _, in := range v.closure[p].Inputs {
		hash, err := v.hash(in.Path)
		if err != nil {
			return nil, err
		}
		if hash == "" {
			return nil, nil
		}
		all := slices.Concat(inputs[hash], in.Outputs)
		slices.Sort(all)
		inputs[hash] = slices.Compact(all)
	}
	return inputs, nil
}

// hash returns what stands for a derivation in the text of one that needs it:
// for one whose output is known beforehand that output, so that it does not
// matter how it is fetched; else its text.
func (v verifier) hash(p string) (string, error) {
	if hash, ok := v.modulo[p]; ok {
		return hash, nil
	}
	d := v.closure[p]
	switch {
	case d == nil:
		return "", fmt.Errorf("it needs %s, which is missing", p)
	case v.open[p]:
		return "", errors.New("it needs itself")
	}
	v.open[p] = true
	defer delete(v.open, p)
	text := ""
	switch {
	case d.Fixed():
		text = "fixed:out:" + d.Outputs[0].Algorithm + ":" + d.Outputs[0].Hash + ":" + d.Outputs[0].Path
	case slices.ContainsFunc(d.Outputs, func(o Output) bool { return o.Path == "" }):
		v.modulo[p] = ""
		return "", nil
	default:
		inputs, err := v.inputs(p)
		if err != nil || inputs == nil {
			return "", err
		}
		text = d.print(false, inputs)
	}
	sum := sha256.Sum256([]byte(text))
	v.modulo[p] = hex.EncodeToString(sum[:])
	return v.modulo[p], nil
}

// textPath is the store path of a text that refers to others.
func textPath(store, name string, references []string, text string) string {
	kind := strings.Join(append([]string{"text"}, references...), ":")
	sum := sha256.Sum256([]byte(text))
	return storePath(store, kind, sum[:], name)
}

// ContentPath is the path of a store item whose name is computed from its content
// alone: a source, or an output whose NAR hash is known beforehand. The NAR hash is
// that of SHA-256, in hexadecimal; "" where it is none.
func ContentPath(store, name, narHash string) string {
	sum, err := hex.DecodeString(narHash)
	if err != nil || len(sum) != sha256.Size {
		return ""
	}
	return storePath(store, "source", sum, name)
}

// storePath computes a store path: the hash in it is that of all else, folded
// to 160 bits.
func storePath(store, kind string, sum []byte, name string) string {
	whole := sha256.Sum256([]byte(kind + ":sha256:" + hex.EncodeToString(sum) + ":" + store + ":" + name))
	var folded [20]byte
	for i, b := range whole {
		folded[i%len(folded)] ^= b
	}
	return store + "/" + nixbase32.EncodeToString(folded[:]) + "-" + name
}

func outputName(name, output string) string {
	if output == "out" {
		return name
	}
	return name + "-" + output
}
