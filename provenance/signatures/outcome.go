package signatures

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
)

// A Word says what came of asking one server about one store item. The zero
// value is Unknown: nothing is known.
type Word int

// The words.
const (
	Unknown      Word = iota // the server knows nothing of the item
	Signed                   // a trusted key signed the NAR hash found here
	Differs                  // a trusted key signed another NAR hash
	BadSignature             // the answer is not what its key signed, or about something else
	Unreachable              // there was no answer, or none that is a narinfo
	Untrusted                // the answer is signed by keys that are not trusted: it says nothing
)

var words = [...]string{"unknown", "signed", "hash differs", "bad signature", "unreachable", "key not trusted"}

func (w Word) String() string { return words[w] }

// An Outcome is what came of asking one server about one store item.
type Outcome struct {
	Path   string // the store item
	Server string // its URL, without a password
	Word   Word
	// Why it is Unknown, BadSignature, Untrusted or Unreachable, a code "answer/…"; zero when
	// the word is all.
	Why check.Message

	NarHash v1.Hash // of the item as the image has it; zero when it is not known
	NarSize int64

	// Of Signed and Differs: the keys that signed, sorted by name, and what.
	Keys       []Key
	SignedHash v1.Hash
	SignedSize int64
	// Unsigned are references that the item has and that are not in the signed
	// list, Missing those in that list that it has not; store paths, sorted.
	Unsigned, Missing []string

	// Agree counts the independent keys, on all servers, that signed the NAR
	// hash found here.
	Agree int
}

func names(keys []Key) []string {
	var all []string
	for _, k := range keys {
		all = append(all, k.Name)
	}
	return all
}

// about returns the outcome of which nothing is known yet.
func about(item inspect.StoreItem, server string) Outcome {
	return Outcome{Path: item.Path, Server: server, NarHash: item.NarHash, NarSize: item.NarSize}
}

// judge says what the answer of a server means for an item. The text may hold
// anything.
func judge(o Outcome, item inspect.StoreItem, text []byte, keys []Key) Outcome {
	info, err := parseNarinfo(text)
	switch {
	case errors.Is(err, errNoNarinfo):
		o.Word, o.Why = Unreachable, check.Say("answer/no-narinfo")
		return o
	case err != nil:
		o.Word, o.Why = BadSignature, check.Say("answer/damaged", "error", err)
		return o
	case info.path != item.Path:
		o.Word, o.Why = BadSignature, check.Say("answer/other-item", "item", fmt.Sprintf("%.200q", info.path))
		return o
	}
	signers, err := info.signers(keys)
	if foreign, ok := errors.AsType[*untrustedError](err); ok {
		o.Word, o.Why = Untrusted, check.Say("answer/untrusted-key", "key", foreign.key)
		return o
	}
	if err != nil {
		o.Word, o.Why = BadSignature, check.Say("answer/not-verified", "error", err)
		return o
	}
	return o.weigh(info, signers, item)
}

// weigh holds what was signed against what was found.
func (o Outcome) weigh(info *narinfo, signers []Key, item inspect.StoreItem) Outcome {
	slices.SortFunc(signers, func(a, b Key) int { return strings.Compare(a.Name, b.Name) })
	o.Keys, o.SignedHash, o.SignedSize = signers, info.narHash.Hash(), info.narSize
	switch {
	case o.SignedHash != o.NarHash:
		o.Word = Differs
	case o.SignedSize != o.NarSize:
		// No bytes have this hash and that size, so the signature is about none.
		o.Word, o.Why = BadSignature, check.Say("answer/contradictory", "bytes", o.NarSize, "signed-bytes", o.SignedSize)
	default:
		o.Word = Signed
		o.compareReferences(info, item)
	}
	return o
}

// compareReferences says how the signed references differ from those found,
// where all were found.
func (o *Outcome) compareReferences(info *narinfo, item inspect.StoreItem) {
	if !item.Problem.IsZero() {
		return
	}
	store := path.Dir(item.Path)
	var signed []string
	for _, r := range info.references {
		signed = append(signed, store+"/"+r)
	}
	o.Unsigned = without(item.References, signed)
	o.Missing = without(signed, item.References)
}

// without returns what of the sorted list a is not in the sorted list b.
func without(a, b []string) []string {
	var rest []string
	for _, s := range a {
		if _, found := slices.BinarySearch(b, s); !found {
			rest = append(rest, s)
		}
	}
	return rest
}
