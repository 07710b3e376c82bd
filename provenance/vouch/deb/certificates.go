package deb

import (
	"bytes"
	"crypto/sha1"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode/utf16"

	"audit/provenance/vouch"
)

// Where certificates lie, and what is made of them (update-ca-certificates(8)).
const (
	certificateList = "etc/ca-certificates.conf"
	certificateHome = "usr/share/ca-certificates/"
	certificateDir  = "etc/ssl/certs"
	bundle          = certificateDir + "/ca-certificates.crt"
)

// certificates makes again what update-ca-certificates makes: the list of certificates,
// a link to each, a link by the hash of its name, and all of them in one file.
func (s *session) certificates() {
	text, f, ok := s.root.Content(certificateList)
	p := s.verified("ca-certificates")
	if !ok || p == nil {
		return
	}
	var all bytes.Buffer
	whole := true
	links := make(map[string]certificate) // by the name of the link
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "":
			continue
		case line[0] == '#':
			whole = whole && p.contains(line)
			continue
		}
		name, deselected := strings.CutPrefix(line, "!")
		content, _, ok := s.ownContent(certificateHome + name)
		if !ok {
			whole = false
			continue
		}
		if deselected {
			continue
		}
		all.Write(content)
		if !bytes.HasSuffix(content, []byte("\n")) {
			all.WriteByte('\n')
		}
		link := certificateName.Replace(strings.TrimSuffix(path.Base(name), ".crt")) + ".pem"
		links[link] = certificate{"/" + certificateHome + name, content}
	}
	word := p.made("ca-certificates")
	if whole {
		s.say(f, word)
	}
	if f, ok := s.root.Name(bundle); ok {
		s.expect(f, all.Bytes(), word)
	}
	s.certificateLinks(links, word)
}

var certificateName = strings.NewReplacer(" ", "_", "(", "=", ")", "=", ",", "_")

// A certificate is one that is signed, and where it lies.
type certificate struct {
	at      string
	content []byte
}

var hashName = regexp.MustCompile(`^[0-9a-f]{8}\.[0-9]+$`)

func (s *session) certificateLinks(links map[string]certificate, word vouch.Word) {
	for _, f := range s.filesIn(certificateDir) {
		base := path.Base(f.Path)
		if f.Type != '2' {
			continue
		}
		if c, ok := links[base]; ok && f.Linkname == c.at {
			s.say(f, word)
			continue
		}
		c, ok := links[f.Linkname]
		if ok && hashName.MatchString(base) && base[:8] == subjectHash(c.content) {
			s.say(f, word)
		}
	}
}

// subjectHash is the name that OpenSSL looks a certificate up by: the first four bytes of
// the SHA-1 of its subject in canonical form (X509_NAME_hash, crypto/x509/x_name.c); "" of
// what is no certificate.
func subjectHash(text []byte) string {
	block, _ := pem.Decode(text)
	if block == nil {
		return ""
	}
	var subject asn1.RawValue
	if !subjectOf(block.Bytes, &subject) {
		return ""
	}
	var names []asn1.RawValue
	if _, err := asn1.Unmarshal(subject.FullBytes, &names); err != nil {
		return ""
	}
	h := sha1.New()
	for _, set := range names {
		out, ok := canonical(set)
		if !ok {
			return ""
		}
		h.Write(out)
	}
	return fmt.Sprintf("%08x", binary.LittleEndian.Uint32(h.Sum(nil)))
}

// subjectOf finds the subject of a certificate: the fields before it may be of forms
// that stricter readers refuse.
func subjectOf(der []byte, subject *asn1.RawValue) bool {
	var cert, tbs asn1.RawValue
	if _, err := asn1.Unmarshal(der, &cert); err != nil {
		return false
	}
	if _, err := asn1.Unmarshal(cert.Bytes, &tbs); err != nil {
		return false
	}
	rest := tbs.Bytes
	var field asn1.RawValue
	for n := 0; n < 5; n++ { // serial, algorithm, issuer, validity, subject
		var err error
		if rest, err = asn1.Unmarshal(rest, &field); err != nil {
			return false
		}
		if n == 0 && field.Class == asn1.ClassContextSpecific {
			n-- // the version
		}
	}
	*subject = field
	return true
}

// canonical returns a set of attributes as OpenSSL compares it: strings in UTF-8, in
// lower case, with single spaces.
func canonical(set asn1.RawValue) ([]byte, bool) {
	type attribute struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	var all []attribute
	rest := set.Bytes
	for len(rest) > 0 {
		var a attribute
		var err error
		if rest, err = asn1.Unmarshal(rest, &a); err != nil {
			return nil, false
		}
		if text, ok := textOf(a.Value); ok {
			folded := strings.Join(strings.Fields(lowerASCII(text)), " ")
			a.Value = asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagUTF8String, Bytes: []byte(folded)}
		}
		all = append(all, a)
	}
	var body []byte
	for _, a := range all {
		out, err := asn1.Marshal(a)
		if err != nil {
			return nil, false
		}
		body = append(body, out...)
	}
	out, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true, Bytes: body})
	return out, err == nil
}

// textOf returns the text of the kinds of strings that are made the same.
func textOf(v asn1.RawValue) (string, bool) {
	switch v.Tag {
	case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String, 26:
		return string(v.Bytes), v.Class == asn1.ClassUniversal
	case asn1.TagT61String:
		runes := make([]rune, len(v.Bytes))
		for i, b := range v.Bytes {
			runes[i] = rune(b)
		}
		return string(runes), true
	case asn1.TagBMPString:
		var units []uint16
		for i := 0; i+1 < len(v.Bytes); i += 2 {
			units = append(units, binary.BigEndian.Uint16(v.Bytes[i:]))
		}
		return string(utf16.Decode(units)), true
	}
	return "", false
}

func lowerASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}
