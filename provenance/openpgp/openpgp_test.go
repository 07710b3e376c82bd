package openpgp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	pgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

var born = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

func at(t time.Time) *packet.Config {
	return &packet.Config{Time: func() time.Time { return t }, Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA256}
}

// newKey makes a key of 2020 that lives for so long.
func newKey(t testing.TB, algorithm packet.PublicKeyAlgorithm, life time.Duration) *pgp.Entity {
	t.Helper()
	c := at(born)
	c.Algorithm, c.RSABits, c.KeyLifetimeSecs = algorithm, 2048, uint32(life/time.Second)
	e, err := pgp.NewEntity("A Vendor", "", "vendor@example.org", c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// ring serializes keys, armored, and reads them.
func ring(t testing.TB, entities ...*pgp.Entity) Keyring {
	t.Helper()
	r, err := ReadKeyring(t.Context(), armoredKeys(t, entities...))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func armoredKeys(t testing.TB, entities ...*pgp.Entity) []byte {
	t.Helper()
	var text bytes.Buffer
	for _, e := range entities {
		w, err := armor.Encode(&text, pgp.PublicKeyType, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Serialize(w); err != nil {
			t.Fatal(err)
		}
		w.Close()
		text.WriteString("\n")
	}
	return text.Bytes()
}

func detached(t testing.TB, e *pgp.Entity, made time.Time, text string) []byte {
	t.Helper()
	var sig bytes.Buffer
	if err := pgp.DetachSign(&sig, e, strings.NewReader(text), at(made)); err != nil {
		t.Fatal(err)
	}
	return sig.Bytes()
}

func word(t testing.TB, r Keyring, sig []byte, text string) Signature {
	t.Helper()
	all, err := r.Detached(sig, []byte(text[:len(text)/2]), []byte(text[len(text)/2:]))
	best, ok := BestOf(all)
	if err != nil || !ok {
		t.Fatalf("%v, %v", all, err)
	}
	return best
}

// A signature is good where a trusted key made it of these bytes while it was good.
func TestDetached(t *testing.T) {
	const text = "the signed region of a header"
	day := 24 * time.Hour
	short, other, rsaKey := newKey(t, packet.PubKeyAlgoEdDSA, 30*day), newKey(t, packet.PubKeyAlgoEdDSA, 0), newKey(t, packet.PubKeyAlgoRSA, 0)
	keys := ring(t, short, rsaKey)
	revoked := newKey(t, packet.PubKeyAlgoEdDSA, 0)
	early := detached(t, revoked, born.Add(day), text)
	if err := revoked.RevokeKey(packet.KeyRetired, "", at(born.Add(2*day))); err != nil {
		t.Fatal(err)
	}
	late := detached(t, short, born.Add(10*day), text)
	for name, test := range map[string]struct {
		keys Keyring
		sig  []byte
		text string
		want Word
	}{
		"good":         {keys, late, text, Good},
		"RSA":          {keys, detached(t, rsaKey, born.Add(day), text), text, Good},
		"another text": {keys, late, text + ".", Bad},
		"another key":  {ring(t, other), late, text, Unknown},
		"no key":       {Keyring{}, late, text, Unknown},
		"revoked":      {ring(t, revoked), early, text, Revoked},
		"revoked, bad": {ring(t, revoked), early, text + ".", Bad},
		"two rings":    {Union(ring(t, other), keys), late, text, Good},
	} {
		t.Run(name, func(t *testing.T) {
			got := word(t, test.keys, test.sig, test.text)
			if got.Word != test.want {
				t.Errorf("got %+v, want %d", got, test.want)
			}
			if got.Word == Good && (got.Key.Name != "A Vendor <vendor@example.org>" || len(got.Key.Fingerprint) != 40 || got.Hash != "SHA-256" || got.Made.Before(born)) {
				t.Errorf("%+v", got)
			}
		})
	}
	if k := keys.Keys()[0]; !k.Expires.Equal(born.Add(30 * day)) {
		t.Errorf("it expires at %v", k.Expires)
	}
}

// What a key signed before it expired stays good, and what it claims to have signed
// afterwards, or before it was made, is not.
func TestTimeOfSignature(t *testing.T) {
	const text = "text"
	key := newKey(t, packet.PubKeyAlgoEdDSA, 48*time.Hour)
	keys := ring(t, key)
	*key.PrimaryIdentity().SelfSignature.KeyLifetimeSecs = 0 // for the signer alone
	for offset, want := range map[time.Duration]Word{time.Hour: Good, 47 * time.Hour: Good, 49 * time.Hour: Expired, 40000 * time.Hour: Expired} {
		if got := word(t, keys, detached(t, key, born.Add(offset), text), text); got.Word != want {
			t.Errorf("made after %v: %+v, want %d", offset, got, want)
		}
	}
}

// A key that was extended, or signed itself again, was good before that.
func TestExtendedKey(t *testing.T) {
	const text = "text"
	key := newKey(t, packet.PubKeyAlgoEdDSA, 48*time.Hour)
	if err := key.AddSigningSubkey(at(born)); err != nil {
		t.Fatal(err)
	}
	old := detached(t, key, born.Add(time.Hour), text)
	later := born.AddDate(1, 0, 0)
	life := uint32(10 * 365 * 24 * 3600)
	self := key.PrimaryIdentity().SelfSignature
	self.CreationTime, self.KeyLifetimeSecs = later, &life
	if err := self.SignUserId(key.PrimaryIdentity().UserId.Id, key.PrimaryKey, key.PrivateKey, at(later)); err != nil {
		t.Fatal(err)
	}
	for _, sub := range key.Subkeys {
		sub.Sig.CreationTime = later
		if err := sub.Sig.SignKey(sub.PublicKey, key.PrivateKey, at(later)); err != nil {
			t.Fatal(err)
		}
	}
	keys := ring(t, key)
	*self.KeyLifetimeSecs = 0 // for the signer alone
	for name, test := range map[string]struct {
		sig  []byte
		want Word
	}{
		"before it was extended":   {old, Good},
		"after it":                 {detached(t, key, later.Add(time.Hour), text), Good},
		"after its life, extended": {detached(t, key, later.AddDate(11, 0, 0), text), Expired},
	} {
		if got := word(t, keys, test.sig, text); got.Word != test.want {
			t.Errorf("%s: %+v, want %d", name, got, test.want)
		}
	}
}

// Signatures of version 3 hash their type and time alone.
func TestVersion3(t *testing.T) {
	const text = "a header that Red Hat signed in 2014"
	key := newKey(t, packet.PubKeyAlgoRSA, 0)
	sig := version3(t, key, born.Add(time.Hour), text)
	if got := word(t, ring(t, key), sig, text); got.Word != Good || !got.Made.Equal(born.Add(time.Hour)) {
		t.Errorf("%+v", got)
	}
	if got := word(t, ring(t, key), sig, "another"); got.Word != Bad {
		t.Errorf("of another text: %+v", got)
	}
	sig[7]++ // the time
	if got := word(t, ring(t, key), sig, text); got.Word != Bad {
		t.Errorf("with another time: %+v", got)
	}
}

// version3 makes a signature of version 3 with an RSA key.
func version3(t testing.TB, e *pgp.Entity, made time.Time, text string) []byte {
	t.Helper()
	var when [4]byte
	binary.BigEndian.PutUint32(when[:], uint32(made.Unix()))
	sum := sha256.Sum256(append(append([]byte(text), 0), when[:]...))
	raw, err := rsa.SignPKCS1v15(nil, e.PrivateKey.PrivateKey.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	body := append([]byte{3, 5, 0}, when[:]...)
	body = binary.BigEndian.AppendUint64(body, e.PrimaryKey.KeyId)
	body = append(body, 1, 8, sum[0], sum[1])
	raw = bytes.TrimLeft(raw, "\x00")
	bits := len(raw)*8 - leadingZeros(raw[0])
	body = append(binary.BigEndian.AppendUint16(body, uint16(bits)), raw...)
	return append(binary.BigEndian.AppendUint16([]byte{0x89}, uint16(len(body))), body...)
}

func leadingZeros(b byte) (n int) {
	for ; b&0x80 == 0; b <<= 1 {
		n++
	}
	return n
}

func clearsigned(t testing.TB, text string, keys ...*pgp.Entity) []byte {
	t.Helper()
	var all []*packet.PrivateKey
	for _, k := range keys {
		all = append(all, k.PrivateKey)
	}
	var out bytes.Buffer
	w, err := clearsign.EncodeMulti(&out, all, at(born.Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte(text))
	w.Close()
	return out.Bytes()
}

// A clearsigned text gives what was signed, and nothing stands around it.
func TestClearsigned(t *testing.T) {
	const text = "Origin: Tiny\n- a line with a dash\n  and spaces\nSHA256:\n"
	first, second := newKey(t, packet.PubKeyAlgoEdDSA, 0), newKey(t, packet.PubKeyAlgoEdDSA, 0)
	signed := clearsigned(t, text, first, second)
	plain, all, err := ring(t, second).Clearsigned(signed)
	if err != nil || len(all) != 2 || all[0].Word != Unknown || all[1].Word != Good {
		t.Fatalf("%+v, %v", all, err)
	}
	if string(plain) != text {
		t.Errorf("%q", plain)
	}
	changed := bytes.Replace(signed, []byte("Tiny"), []byte("Timy"), 1)
	if _, all, _ := ring(t, second).Clearsigned(changed); len(all) != 2 || all[1].Word != Bad {
		t.Errorf("changed: %+v", all)
	}
	for name, bad := range map[string]string{
		"text before":    "Origin: Other\n" + string(signed),
		"text after":     string(signed) + "\nOrigin: Other\n",
		"no signature":   text,
		"two of them":    string(signed) + "\n" + string(signed),
		"cut":            string(signed[:len(signed)/2]),
		"another header": strings.Replace(string(signed), "Hash: ", "Comment: ", 1),
	} {
		if _, all, err := ring(t, second).Clearsigned([]byte(bad)); err == nil {
			t.Errorf("%s: no error, %+v", name, all)
		}
	}
}

// Armored and binary rings are told from other texts, and a key is named once.
func TestReadKeyring(t *testing.T) {
	key := newKey(t, packet.PubKeyAlgoRSA, 0)
	var binary bytes.Buffer
	if err := key.Serialize(&binary); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"armored": armoredKeys(t, key), "binary": binary.Bytes(), "twice": armoredKeys(t, key, key), "with words": append([]byte("pub rsa2048\n\n"), armoredKeys(t, key)...),
	} {
		r, err := ReadKeyring(t.Context(), text)
		if err != nil || len(r.Keys()) != 1 || !IsKeyring(text) {
			t.Errorf("%s: %v, %v", name, r.Keys(), err)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "words": "cache.example-1:Q1Q1\n", "an S-expression": "(public-key (ecc))", "no armor": armorHead + "\n", "a signature": string(detached(t, key, born, "x")),
	} {
		if r, err := ReadKeyring(t.Context(), []byte(text)); err == nil {
			t.Errorf("%s: %v", name, r.Keys())
		}
	}
}

// Whoever waits for a ring to be read can be told to stop.
func TestReadKeyringEnds(t *testing.T) {
	text := armoredKeys(t, newKey(t, packet.PubKeyAlgoRSA, 0))
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("told to stop")
	cancel(stop)
	if r, err := ReadKeyring(ctx, text); !errors.Is(err, stop) {
		t.Errorf("%v, %v", r.Keys(), err)
	}
}

// keyOf is the packet of a key of these numbers, which are all ones.
func keyOf(version, algorithm byte, bits ...int) []byte {
	body := []byte{version, 0, 0, 0, 0, algorithm}
	if version > 4 {
		body = append(body, 0, 0, 0, 0)
	}
	for _, n := range bits {
		body = binary.BigEndian.AppendUint16(body, uint16(n))
		body = append(body, bytes.Repeat([]byte{0xff}, (n+7)/8)...)
	}
	return append(binary.BigEndian.AppendUint16([]byte{0x99}, uint16(len(body))), body...)
}

// A key whose numbers would take minutes to compute with is refused.
func TestLargeNumbers(t *testing.T) {
	for want, text := range map[string][]byte{
		"8193 bits, and 8192":  keyOf(4, 1, 8193, 17),
		"33 bits, and 32":      keyOf(4, 1, 4096, 33),
		"4097 bits, and 4096":  keyOf(4, 17, 4097, 256, 4096, 4096),
		"513 bits, and 512":    keyOf(4, 17, 4096, 513, 4096, 4096),
		"16384 bits, and 4096": keyOf(6, 17, 1024, 160, 1024, 16384),
		"9000 bits, and 8192":  keyOf(4, 16, 9000, 8, 8),
	} {
		if _, err := ReadKeyring(t.Context(), text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	many := append(keyOf(4, 1, 1024, 17), bytes.Repeat([]byte{0x88, 0}, maxCertifications+1)...)
	if _, err := ReadKeyring(t.Context(), many); err == nil || !strings.Contains(err.Error(), "16384 signatures") {
		t.Errorf("many signatures: %v", err)
	}
}

// What an image carries is listed as it is, and nothing of it is verified: neither a
// signature that would take minutes, nor one that is missing.
func TestCarried(t *testing.T) {
	key, other := newKey(t, packet.PubKeyAlgoRSA, 0), newKey(t, packet.PubKeyAlgoEdDSA, 0)
	want := append(ring(t, key).Keys(), ring(t, other).Keys()...)
	got, err := Carried(armoredKeys(t, key, other, key))
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	for i := range got {
		if got[i].Fingerprint != want[i].Fingerprint || got[i].Name != want[i].Name {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
	text := append(keyOf(4, 17, 16384, 16384, 16384, 1), 0xb4, 1, 'u')
	text = append(text, bytes.Repeat([]byte{0x88, 1, 4}, 1000)...)
	if got, err = Carried(text); err != nil || len(got) != 1 || got[0].Name != "u" {
		t.Errorf("%v, %v", got, err)
	}
	for name, text := range map[string][]byte{
		"nothing": nil, "words": []byte("words"), "no armor": []byte(armorHead + "\n"), "a signature": detached(t, key, born, "x"), "half a key": keyOf(4, 1, 1024, 17)[:50],
	} {
		if got, err := Carried(text); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// FuzzDetached: whatever a signature's bytes are, they are judged, and none is good of a
// text that was not signed.
func FuzzDetached(f *testing.F) {
	key := newKey(f, packet.PubKeyAlgoRSA, 0)
	keys := ring(f, key)
	f.Add(detached(f, key, born, "text"))
	f.Add(version3(f, key, born, "text"))
	f.Add(armoredKeys(f, key))
	f.Fuzz(func(t *testing.T, sig []byte) {
		all, _ := keys.Detached(sig, []byte("another"))
		if best, ok := BestOf(all); ok && best.Word == Good {
			t.Errorf("%x is good: %+v", sig, best)
		}
	})
}

// FuzzReadKeyring reads whatever is no keyring.
func FuzzReadKeyring(f *testing.F) {
	key := newKey(f, packet.PubKeyAlgoEdDSA, 0)
	var binary bytes.Buffer
	if err := key.Serialize(&binary); err != nil {
		f.Fatal(err)
	}
	f.Add(binary.Bytes())
	f.Add(armoredKeys(f, key))
	f.Fuzz(func(t *testing.T, text []byte) {
		if r, err := ReadKeyring(t.Context(), text); err == nil && r.IsEmpty() {
			t.Error("no error, and no key")
		}
		IsKeyring(text)
		if keys, err := Carried(text); err == nil && len(keys) == 0 {
			t.Error("no error, and nothing carried")
		}
	})
}
