package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"audit/inspect/userfile"
	"audit/provenance/evidence"
	"audit/provenance/statement"
	"audit/provenance/statement/keyless"
)

// statementFlags say whose signatures on statements are verified, and which
// statements there are beside those that the image has.
func statementFlags() []cli.Flag {
	return grouped(helpStatements, []cli.Flag{
		&cli.StringSliceFlag{Name: "key", Usage: "verify signatures on statements with the public key in a PEM file, as `NAME=FILE`; with a certificate, those of notation; may be given again"},
		&cli.StringFlag{Name: "trusted-root", Usage: "verify signatures without a key (of Sigstore: a certificate, and a log that saw it) against the trusted root in `FILE`; nothing is fetched"},
		&cli.StringSliceFlag{Name: "identity", Usage: "believe a certificate that was given to `NAME`, exactly, such as the address of a workflow; may be given again"},
		&cli.StringSliceFlag{Name: "issuer", Usage: "the `URL` of who vouched for the identity, one for each or one for all"},
		&cli.StringSliceFlag{Name: "evidence", Usage: "take the statements in `FILE` (in-toto, DSSE, a bundle of Sigstore, or one a line) beside those that the image has; may be given again"},
	})
}

// statements are what is known of others' statements before an image is read.
type statements struct {
	trust      evidence.Trust
	given      []*statement.Document
	identities []string // whose signatures without a key are believed
}

func newStatements(c *cli.Context) (statements, error) {
	s := statements{trust: evidence.Trust{Roots: make(map[string]*x509.CertPool), Now: time.Now()}}
	for _, given := range c.StringSlice("key") {
		if err := s.addKey(given); err != nil {
			return s, usage("--key %s: %w", given, err)
		}
	}
	if err := s.addRoot(c); err != nil {
		return s, err
	}
	for _, path := range c.StringSlice("evidence") {
		raw, err := userfile.Read(path, statement.MaxBytes)
		if err != nil {
			return s, usage("--evidence: %w", err)
		}
		all, err := statement.ReadLines(raw)
		if err != nil {
			return s, usage("--evidence %s: %w", path, err)
		}
		s.given = append(s.given, all...)
	}
	return s, nil
}

// addRoot adds whom keyless signatures are believed.
func (s *statements) addRoot(c *cli.Context) error {
	path, names, issuers := c.String("trusted-root"), c.StringSlice("identity"), c.StringSlice("issuer")
	switch {
	case path == "" && len(names)+len(issuers) == 0:
		return nil
	case path == "" || len(names) == 0:
		return usage("--trusted-root, --identity and --issuer belong together: whom is a signature without a key believed?")
	case len(issuers) != 1 && len(issuers) != len(names):
		return usage("--issuer: there are %d for %d identities; give one for each, or one for all", len(issuers), len(names))
	}
	raw, err := userfile.Read(path, statement.MaxBytes)
	if err != nil {
		return usage("--trusted-root: %w", err)
	}
	var identities []keyless.Identity
	for i, name := range names {
		if s.has(name) {
			return usage("--identity %s: %w", name, errTwice)
		}
		identities = append(identities, keyless.Identity{Name: name, Issuer: issuers[min(i, len(issuers)-1)]})
	}
	v, err := keyless.New(raw, identities)
	if err != nil {
		return usage("--trusted-root %s: %w", path, err)
	}
	s.trust.Keyless, s.identities = v.Signer, names
	return nil
}

// addKey adds a key, or a root of certificates, each under a name of its own.
func (s *statements) addKey(given string) error {
	name, path, ok := strings.Cut(given, "=")
	if !ok || name == "" || path == "" {
		return fmt.Errorf("NAME=FILE belongs here")
	}
	text, err := userfile.Read(path, maxKey)
	if err != nil {
		return err
	}
	if strings.Contains(string(text), "-----BEGIN CERTIFICATE-----") {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return fmt.Errorf("%s: it has no certificate that can be parsed", path)
		}
		if s.has(name) {
			return errTwice
		}
		s.trust.Roots[name] = pool
		return nil
	}
	key, err := statement.ParseKey(name, text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return s.add(key)
}

// add adds a key. One key has one name, and one name is of one key, root of
// certificates, or identity: a signature says by its name whose it is.
func (s *statements) add(key statement.Key) error {
	for _, k := range s.trust.Keys {
		if k.ID() == key.ID() && k.Name != key.Name {
			return fmt.Errorf("it is the key that %s is, too: one key has one name", k.Name)
		}
	}
	if s.has(key.Name) {
		return errTwice
	}
	s.trust.Keys = append(s.trust.Keys, key)
	return nil
}

func (s *statements) has(name string) bool {
	return s.trust.Roots[name] != nil || slices.Contains(s.identities, name) ||
		slices.ContainsFunc(s.trust.Keys, func(k statement.Key) bool { return k.Name == name })
}

var errTwice = errors.New("the name is given twice")

// maxKey bounds the file of a key, in bytes.
const maxKey = 1 << 20
