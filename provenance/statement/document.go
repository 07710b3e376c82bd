package statement

import (
	"bytes"
	"errors"
	"fmt"
)

// A Form is how a statement is carried.
type Form string

// The forms.
const (
	Bare          Form = "statement"       // nobody signed it
	DSSE          Form = "dsse"            // an envelope of its own
	Sigstore      Form = "sigstore-bundle" // an envelope in a bundle
	SimpleSigning Form = "simple-signing"  // a signature of cosign 1 or 2 over a payload
	Notation      Form = "notation"        // a signature of the Notary Project
)

// A Document is a file with one statement.
type Document struct {
	Raw       []byte
	Form      Form
	Statement *Statement
	Envelope  *Envelope // nil for a bare statement
	Bundle    *Bundle   // nil for what is in no bundle
}

// Read reads a statement in any of its forms, which its keys reveal.
func Read(raw []byte) (*Document, error) {
	if err := checkJSON(raw); err != nil {
		return nil, fmt.Errorf("reading a statement: %w", err)
	}
	o, err := parseObject(raw)
	if err != nil {
		return nil, fmt.Errorf("reading a statement: %w", err)
	}
	has := func(key string) bool { _, ok := o[key]; return ok }
	d := &Document{Raw: raw}
	switch {
	case has("verificationMaterial"), has("dsseEnvelope"), has("messageSignature"):
		d.Form = Sigstore
		if d.Bundle, err = parseBundle(raw); err != nil {
			return nil, fmt.Errorf("reading a bundle: %w", err)
		}
		if d.Envelope = d.Bundle.Envelope; d.Envelope == nil {
			return nil, errors.New("reading a bundle: it signs a blob, and has no statement")
		}
	case has("payloadType"):
		d.Form = DSSE
		if d.Envelope, err = parseEnvelope(raw); err != nil {
			return nil, fmt.Errorf("reading an envelope: %w", err)
		}
	case has("_type"):
		d.Form = Bare
		if d.Statement, err = parse(raw); err != nil {
			return nil, fmt.Errorf("reading a statement: %w", err)
		}
		return d, nil
	default:
		return nil, errors.New("reading a statement: it is neither an in-toto statement nor an envelope nor a bundle with one")
	}
	d.Statement, err = d.Envelope.Statement()
	return d, err
}

// maxDocuments bounds the statements in a file of lines.
const maxDocuments = 1000

// ReadLines reads a file of one statement, or of one a line, as tools that download
// attestations write them.
func ReadLines(raw []byte) ([]*Document, error) {
	d, err := Read(raw)
	if err == nil {
		return []*Document{d}, nil
	}
	lines := bytes.Split(bytes.TrimSpace(raw), []byte("\n"))
	if len(lines) == 1 || checkJSON(lines[0]) != nil {
		return nil, err
	}
	var all []*Document
	for i, line := range lines {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if len(all) == maxDocuments {
			return nil, fmt.Errorf("reading statements: there are more than %d lines", maxDocuments)
		}
		d, err := Read(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		all = append(all, d)
	}
	return all, nil
}
