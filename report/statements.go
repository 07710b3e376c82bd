package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/provenance/evidence"
	"audit/provenance/statement"
)

// A Statement is what somebody said of the image, or of something beside it.
type Statement struct {
	Digest        string             `json:"digest"`        // of the document
	Form          statement.Form     `json:"form"`          // "" when it cannot be read
	Source        string             `json:"source"`        // where it lies: index, referrer, tag or file
	PredicateType string             `json:"predicateType"` // as the statement itself has it; "" for a signature alone
	Subjects      []string           `json:"subjects"`      // digests as the statement itself has them; at most 20
	About         evidence.About     `json:"about"`         // what of the image a subject is; "" when none is anything of it
	Signatures    []StatementSigning `json:"signatures"`
	Unread        *Message           `json:"unread"` // why it cannot be read; null when it can
}

// A StatementSigning is a signature over a statement, or over the manifest that lists
// it. It says who said something, and changes no check and no verdict.
type StatementSigning struct {
	Kind   statement.Form  `json:"kind"`
	Signer string          `json:"signer"` // as the user calls the key; "" when it is not known
	Status evidence.Status `json:"status"`
	Why    *Message        `json:"why"` // null when there is nothing to say of it
}

func newStatements(all []evidence.Statement) []Statement {
	var out []Statement
	for _, s := range all {
		one := Statement{Digest: digest(s.Digest), Form: s.Form, Source: s.Source, PredicateType: s.PredicateType,
			Subjects: s.Subjects, About: s.About, Unread: messageOrNull(s.Unread)}
		for _, g := range s.Signatures {
			one.Signatures = append(one.Signatures, StatementSigning{g.Kind, g.Signer, g.Status, messageOrNull(g.Why)})
		}
		out = append(out, one)
	}
	return out
}

func messageOrNull(m check.Message) *Message {
	if m.IsZero() {
		return nil
	}
	out := Message(m)
	return &out
}

// Signers says in a line who signed a statement, as far as that is verified.
func Signers(s Statement) string {
	var words []string
	for _, g := range s.Signatures {
		words = append(words, strings.TrimSpace(g.Signer+" ("+string(g.Status)+")"))
	}
	return cmp.Or(strings.Join(words, ", "), "nobody")
}

// aboutWords says what a statement is about.
func aboutWords(a evidence.About) string {
	return map[evidence.About]string{
		evidence.Another: "something else, not this image", evidence.Manifest: "this image, by its manifest", evidence.Config: "this image, by its config",
		evidence.Archive: "this file", evidence.Index: "the image index, of all platforms", evidence.Statements: "other statements listed here",
	}[a]
}

// statementCounts says in a line what others say of the image, "" when nobody does.
// The names are those that the user gave the keys.
func (r *Report) statementCounts() string {
	if len(r.Statements) == 0 {
		return ""
	}
	var signers []string
	for _, s := range r.Statements {
		for _, g := range s.Signatures {
			if g.Status == evidence.Verified && s.About.IsImage() {
				signers = append(signers, g.Signer)
			}
		}
	}
	slices.Sort(signers)
	if signers = slices.Compact(signers); len(signers) > 0 {
		return fmt.Sprintf("%s beside it; about this image and signed by %s", count(len(r.Statements), "statement"), strings.Join(signers, ", "))
	}
	return count(len(r.Statements), "statement") + " beside it; no signature about this image is verified"
}
