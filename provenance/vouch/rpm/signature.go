package rpm

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
	"time"

	"audit/inspect/check"
	"audit/provenance/openpgp"
	"audit/provenance/ospackages/rpmheader"
	"audit/provenance/vouch"
)

// Why the header of a package is not good.
const (
	unsigned       = "signatures/rpm-unsigned"
	unsignedHeader = "signatures/rpm-no-region"
	payloadSigned  = "signatures/rpm-payload-signed"
	unreadable     = "signatures/rpm-signature-unread"
	untrusted      = "signatures/rpm-untrusted-key"
	revoked        = "signatures/rpm-revoked-key"
	expired        = "signatures/rpm-expired-key"
)

// maxSignatures bounds the signatures of one header: rpm 6 lets several parties sign.
const maxSignatures = 16

// signature judges the signatures that a header has of its region, and returns the best.
// It is false when there is none that can be read.
func (v *verifier) signature(whole rpmheader.Header, r rpmheader.Region) (best openpgp.Signature, found bool, err error) {
	var texts [][]byte
	for _, tag := range []uint32{rpmheader.RSAHeader, rpmheader.DSAHeader} {
		if text := whole.Binary(tag); len(text) > 0 {
			texts = append(texts, text)
		}
	}
	for _, text := range whole.Texts(rpmheader.OpenPGP) {
		raw, e := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if e != nil {
			err = fmt.Errorf("reading a signature in base 64: %w", e)
			continue
		}
		texts = append(texts, raw)
	}
	var all []openpgp.Signature
	for _, text := range texts {
		if len(all) >= maxSignatures {
			break
		}
		signatures, e := v.keys.Detached(text, r.Parts...)
		if e != nil {
			err = e
		}
		all = append(all, signatures...)
	}
	best, found = openpgp.BestOf(all[:min(len(all), maxSignatures)])
	return best, found, err
}

// digests compares the digests of the region that a header has, the strongest first; it
// returns what is recorded and what was computed where they differ.
func digests(whole rpmheader.Header, r rpmheader.Region) []string {
	for _, d := range []struct {
		tag  uint32
		name string
		hash hash.Hash
	}{{rpmheader.SHA256Header, "sha256:", sha256.New()}, {rpmheader.SHA1Header, "sha1:", sha1.New()}} {
		recorded := strings.ToLower(whole.Text(d.tag))
		if recorded == "" {
			continue
		}
		for _, part := range r.Parts {
			d.hash.Write(part)
		}
		if computed := hex.EncodeToString(d.hash.Sum(nil)); computed != recorded {
			return []string{d.name + check.Brief(recorded), d.name + computed}
		}
		return nil
	}
	return nil
}

// why says why a signature is not good.
func why(s openpgp.Signature) because {
	switch s.Word {
	case openpgp.Unknown:
		return because{code: untrusted, key: s.KeyID}
	case openpgp.Revoked:
		return because{code: revoked, key: s.Key.Fingerprint}
	case openpgp.Expired:
		return because{code: expired, key: s.Key.Fingerprint}
	}
	return because{code: unreadable, key: s.KeyID, error: check.Brief(s.Err.Error())}
}

// conclude says of which packages nothing is known, and why.
func (v *verifier) conclude() {
	for _, g := range v.groups {
		names, beyond := vouch.Some(g.names)
		args := []any{"count", len(g.names), "names", names, "beyond", beyond}
		switch g.code {
		case unsigned:
			v.list.Undecided(-1, "", "signatures/rpm-unsigned", args...)
		case unsignedHeader:
			v.list.Undecided(-1, "", "signatures/rpm-no-region", append(args, "error", g.error)...)
		case payloadSigned:
			v.list.Undecided(-1, "", "signatures/rpm-payload-signed", args...)
		case unreadable:
			v.list.Undecided(-1, "", "signatures/rpm-signature-unread", append(args, "key", g.key, "error", g.error)...)
		case untrusted:
			v.list.Undecided(-1, "", "signatures/rpm-untrusted-key", append(args, "key", g.key, "carried", v.named(g.key))...)
		case revoked:
			v.list.Undecided(-1, "", "signatures/rpm-revoked-key", append(args, "key", g.key)...)
		case expired:
			v.list.Undecided(-1, "", "signatures/rpm-expired-key", append(args, "key", g.key)...)
		}
	}
	for _, k := range v.expiring {
		v.list.Note(-1, "", "signatures/rpm-key-expires", "key", k.Fingerprint, "name", k.Name, "day", k.Expires.Format(time.DateOnly))
	}
	if names, beyond := vouch.Some(v.weak); len(names) > 0 {
		v.list.Note(-1, "", "signatures/rpm-weak-digest", "count", len(v.weak), "names", names, "beyond", beyond)
	}
	for _, k := range v.carried {
		v.list.Note(-1, k.Path, "signatures/rpm-carried-key", "key", k.Fingerprint, "name", k.Name)
	}
}

// named is what a key that the image carries calls itself, by its ID; subkeys are not
// looked for.
func (v *verifier) named(id string) string {
	for _, k := range v.carried {
		if strings.HasSuffix(k.Fingerprint, id) {
			return k.Name
		}
	}
	return ""
}

// reason says why no package could be verified.
func (v *verifier) reason() check.Message {
	if v.keys.IsEmpty() {
		return check.Say("signatures/rpm-no-key", "packages", v.packages)
	}
	return check.Say("signatures/rpm-none-verified", "packages", v.packages)
}
