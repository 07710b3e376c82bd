package rpm

import (
	"bytes"
	"context"
	"crypto"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pgp "github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/google/go-cmp/cmp"

	"audit/fixtures"
	made "audit/fixtures/rpm"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/openpgp"
	"audit/provenance/ospackages"
	"audit/provenance/vouch"
)

var born = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

func config(made time.Time) *packet.Config {
	return &packet.Config{Time: func() time.Time { return made }, Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA256}
}

func newKey(t testing.TB, name string) *pgp.Entity {
	t.Helper()
	e, err := pgp.NewEntity(name, "", "", config(born))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func armored(t testing.TB, e *pgp.Entity) string {
	t.Helper()
	var text bytes.Buffer
	w, err := armor.Encode(&text, pgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Serialize(w); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return text.String()
}

func ring(t testing.TB, keys ...*pgp.Entity) openpgp.Keyring {
	t.Helper()
	var rings []openpgp.Keyring
	for _, k := range keys {
		r, err := openpgp.ReadKeyring(t.Context(), []byte(armored(t, k)))
		if err != nil {
			t.Fatal(err)
		}
		rings = append(rings, r)
	}
	return openpgp.Union(rings...)
}

func signer(t testing.TB, e *pgp.Entity) func([]byte) []byte {
	return func(region []byte) []byte {
		var sig bytes.Buffer
		if err := pgp.DetachSign(&sig, e, bytes.NewReader(region), config(born.Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
		return sig.Bytes()
	}
}

// capability is a value of security.capability of revision 2.
func capability(effective bool, bits ...int) string {
	raw := make([]byte, 20)
	binary.LittleEndian.PutUint32(raw, 0x02000000)
	if effective {
		raw[0] |= 1
	}
	for _, b := range bits {
		raw[4+b/8] |= 1 << (b % 8)
	}
	return string(raw)
}

// tiny is a package with a file of each kind.
func tiny(sign func([]byte) []byte) made.Package {
	return made.Package{Name: "tiny", Version: "1.2", Release: "3", Arch: "x86_64", Sign: sign, Script: "sed -i s/a/b/ /usr/share/tiny/state; touch '/usr/share/tiny/other'; /usr/bin/tiny --init", Files: []made.File{
		{Path: "/bin/tiny", Body: "program", Mode: 0o100755},
		{Path: "/etc/tiny.conf", Body: "config", Flags: 1},
		{Path: "/usr/bin/ping", Body: "ping", Mode: 0o100755, Caps: "cap_net_admin,cap_net_raw=ep"},
		{Path: "/usr/bin/su", Body: "su", Mode: 0o104755},
		{Path: "/usr/lib/libtiny.so", Link: "libtiny.so.1", Mode: 0o120777},
		{Path: "/usr/lib/libtiny.so.1", Body: "library"},
		{Path: "/usr/share/doc/tiny/README", Body: "read me", Flags: 2},
		{Path: "/usr/share/tiny", Mode: 0o040755},
		{Path: "/usr/share/tiny/cache", Body: "empty", Verify: ^uint32(1 | 2 | 32)},
		{Path: "/usr/share/tiny/owned", Body: "mail", User: "mail", Group: "mail", Mode: 0o100640},
		{Path: "/usr/share/tiny/state", Body: "state"},
		{Path: "/dev/tiny", Mode: 0o020666, Rdev: 1<<8 | 7},
		{Path: "/var/log/tiny.log", Flags: 64, Mode: 0o100644},
	}}
}

// tinyFiles are those files as rpm installs them.
func tinyFiles() []fixtures.File {
	return []fixtures.File{
		{Name: "bin", Link: "usr/bin"},
		{Name: "dev/tiny", Device: [2]int64{1, 7}, Mode: 0o666},
		{Name: "etc/group", Body: "root:x:0:\nmail:x:12:\n"},
		{Name: "etc/passwd", Body: "root:x:0:0::/:\nmail:x:8:12::/:\n"},
		{Name: "etc/tiny.conf", Body: "config"},
		{Name: "usr/bin/ping", Body: "ping", Mode: 0o755, Attributes: map[string]string{"security.capability": capability(true, 12, 13)}},
		{Name: "usr/bin/su", Body: "su", Mode: 0o4755},
		{Name: "usr/bin/tiny", Body: "program", Mode: 0o755},
		{Name: "usr/lib/libtiny.so", Link: "libtiny.so.1"},
		{Name: "usr/lib/libtiny.so.1", Body: "library"},
		{Name: "usr/share/doc/tiny/README", Body: "read me"},
		{Name: "usr/share/tiny/"},
		{Name: "usr/share/tiny/cache", Body: "empty"},
		{Name: "usr/share/tiny/owned", Body: "mail", Mode: 0o640, UID: 8, GID: 12},
		{Name: "usr/share/tiny/state", Body: "state"},
		{Name: "var/log/tiny.log", Body: "log"},
	}
}

// with returns the files with one that is changed; nil removes it.
func with(files []fixtures.File, name string, change func(*fixtures.File)) []fixtures.File {
	var all []fixtures.File
	for _, f := range files {
		if f.Name == name {
			if change == nil {
				continue
			}
			change(&f)
		}
		all = append(all, f)
	}
	return all
}

func open(t testing.TB, files []fixtures.File, headers ...[]byte) *inspect.Image {
	t.Helper()
	files = append(files, fixtures.File{Name: "usr/lib/sysimage/rpm/Packages.db", Body: string(made.Ndb(headers...))})
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(path, fixtures.Docker{Layers: [][]fixtures.File{files}}.Archive(), 0o600); err != nil {
		t.Fatal(err)
	}
	img, err := inspect.Open(t.Context(), path, inspect.Options{Stores: fixtures.Stores(), Keep: ospackages.Keep, Weak: ospackages.Weak})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// run returns what the family finds, and the findings as "LEVEL CODE PATH signed→found".
func run(t testing.TB, img *inspect.Image, keys openpgp.Keyring) (vouch.Result, *vouch.Table, string) {
	t.Helper()
	table := vouch.New(img)
	r, err := Family{Keys: keys, Installed: ospackages.Read(table.Image())}.Vouch(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	return r, table, findings(r.Findings)
}

func findings(list []check.Finding) string {
	var lines []string
	for _, f := range list {
		line := fmt.Sprintf("%s %s %s", f.Level, strings.TrimPrefix(f.Code, "signatures/rpm-"), f.Path)
		if signed, found := f.Args.String("signed"), f.Args.String("found"); signed+found != "" {
			line += " " + signed + "→" + found
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}

func words(table *vouch.Table) map[vouch.Kind][]string {
	all := make(map[vouch.Kind][]string)
	for f, w := range table.Rows() {
		all[w.Kind] = append(all[w.Kind], f.Path)
	}
	return all
}

// Every file of a package that a trusted key signed is traced to the key.
func TestWhole(t *testing.T) {
	key := newKey(t, "A Vendor")
	img := open(t, tinyFiles(), tiny(signer(t, key)).Header(), made.Package{Name: "gpg-pubkey", Version: "1", Release: "2", Key: armored(t, key)}.Header())
	keys := ring(t, key)
	r, table, found := run(t, img, keys)
	if r.Packages != 1 || r.Verified != 1 || !r.Reason.IsZero() {
		t.Errorf("%+v", r)
	}
	fingerprint := keys.Keys()[0].Fingerprint
	wantKeys := []vouch.Key{{Fingerprint: fingerprint, Name: "A Vendor", Trusted: true}, {Fingerprint: fingerprint, Name: "A Vendor", Trusted: true, Path: "usr/lib/sysimage/rpm/Packages.db"}}
	if diff := cmp.Diff(wantKeys, r.Keys); diff != "" {
		t.Error(diff)
	}
	if want := "note carried-key usr/lib/sysimage/rpm/Packages.db\nnote ghost var/log/tiny.log"; found != want {
		t.Errorf("findings:\n%s\nwant:\n%s", found, want)
	}
	want := map[vouch.Kind][]string{
		vouch.Nobody: {"bin", "etc/group", "etc/passwd", "usr/lib/sysimage/rpm/Packages.db", "var/log/tiny.log"},
		vouch.Signed: {"dev/tiny", "etc/tiny.conf", "usr/bin/ping", "usr/bin/su", "usr/bin/tiny", "usr/lib/libtiny.so", "usr/lib/libtiny.so.1",
			"usr/share/doc/tiny/README", "usr/share/tiny/cache", "usr/share/tiny/owned", "usr/share/tiny/state"},
	}
	if diff := cmp.Diff(want, words(table)); diff != "" {
		t.Error(diff)
	}
	if w, _ := table.Word("usr/bin/tiny"); w.By != "rpm tiny-1.2-3.x86_64" || len(w.Keys) != 1 || w.Keys[0] != fingerprint {
		t.Errorf("%+v", w)
	}
}

// A package is called as its vendor signed it, whatever stands behind the region.
func TestOverriddenHeader(t *testing.T) {
	key := newKey(t, "A Vendor")
	for name, test := range map[string]struct {
		added map[uint32]string
		want  string
	}{
		"another name":              {map[uint32]string{1000: "openssl", 1001: "99"}, "problem header-overridden usr/lib/sysimage/rpm/Packages.db"},
		"the name of a key":         {map[uint32]string{1000: "gpg-pubkey"}, "problem header-overridden usr/lib/sysimage/rpm/Packages.db"},
		"another place":             {map[uint32]string{1117: "x", 1118: "/opt/"}, "undecided header-overridden usr/lib/sysimage/rpm/Packages.db"},
		"what an installation adds": {map[uint32]string{1029: "x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := tiny(signer(t, key))
			p.Added = test.added
			img := open(t, with(tinyFiles(), "var/log/tiny.log", nil), p.Header())
			r, _, found := run(t, img, ring(t, key))
			if found != test.want || r.Packages != 1 || r.Verified != 1 {
				t.Errorf("%d of %d verified, findings:\n%s\nwant:\n%s", r.Verified, r.Packages, found, test.want)
			}
			installed := ospackages.Read(img).Packages
			if len(installed) != 1 || installed[0].Name != "tiny" || installed[0].Version != "1.2-3" || len(installed[0].Files) != len(p.Files) {
				t.Errorf("installed are %+v", installed)
			}
		})
	}
}

// Each change of a file is found, and weighs what the format makes of it.
func TestChangedFiles(t *testing.T) {
	key := newKey(t, "A Vendor")
	header := tiny(signer(t, key)).Header()
	for name, test := range map[string]struct {
		file   string
		change func(*fixtures.File)
		want   string     // beside the ghost
		kind   vouch.Kind // of the file; "" when it is gone
	}{
		"a program":             {"usr/bin/tiny", func(f *fixtures.File) { f.Body = "Program" }, "problem changed", vouch.Differs},
		"a configuration":       {"etc/tiny.conf", func(f *fixtures.File) { f.Body = "mine" }, "note config", vouch.Nobody},
		"what is not verified":  {"usr/share/tiny/cache", func(f *fixtures.File) { f.Body = "full" }, "note made", vouch.Nobody},
		"what a script names":   {"usr/share/tiny/state", func(f *fixtures.File) { f.Body = "stbte" }, "undecided script", vouch.Nobody},
		"a list of access":      {"usr/bin/tiny", func(f *fixtures.File) { f.Attributes = map[string]string{"system.posix_acl_access": "x"} }, "undecided access-list", vouch.Signed},
		"a mode":                {"usr/bin/tiny", func(f *fixtures.File) { f.Mode = 0o777 }, "problem mode", vouch.Signed},
		"fewer permissions":     {"usr/bin/tiny", func(f *fixtures.File) { f.Mode = 0o700 }, "undecided mode", vouch.Signed},
		"setuid":                {"usr/bin/tiny", func(f *fixtures.File) { f.Mode = 0o4755 }, "problem setuid", vouch.Signed},
		"setuid of a config":    {"etc/tiny.conf", func(f *fixtures.File) { f.Mode = 0o4644 }, "problem setuid", vouch.Signed},
		"setuid of a ghost":     {"var/log/tiny.log", func(f *fixtures.File) { f.Mode = 0o4755 }, "undecided setuid", vouch.Nobody},
		"mode of a config":      {"etc/tiny.conf", func(f *fixtures.File) { f.Mode = 0o664 }, "undecided mode", vouch.Signed},
		"all write a config":    {"etc/tiny.conf", func(f *fixtures.File) { f.Mode = 0o666 }, "problem mode", vouch.Signed},
		"owner of a config":     {"etc/tiny.conf", func(f *fixtures.File) { f.UID = 8 }, "undecided user", vouch.Signed},
		"a link for a config":   {"etc/tiny.conf", func(f *fixtures.File) { f.Link = "/tmp/x" }, "undecided type", vouch.Nobody},
		"a device for a config": {"etc/tiny.conf", func(f *fixtures.File) { f.Device, f.Mode = [2]int64{8, 0}, 0o644 }, "problem type", vouch.Differs},
		"mode of a folder":      {"usr/share/tiny/", func(f *fixtures.File) { f.Mode = 0o777 }, "undecided mode", ""},
		"a capability":          {"usr/bin/tiny", func(f *fixtures.File) { f.Attributes = map[string]string{"security.capability": capability(true, 21)} }, "problem capability", vouch.Signed},
		"another capability": {"usr/bin/ping", func(f *fixtures.File) {
			f.Attributes = map[string]string{"security.capability": capability(true, 12, 13, 21)}
		}, "problem capability", vouch.Signed},
		"no capability":        {"usr/bin/ping", func(f *fixtures.File) { f.Attributes = nil }, "note capability-lost", vouch.Signed},
		"fewer capabilities":   {"usr/bin/ping", func(f *fixtures.File) { f.Attributes = map[string]string{"security.capability": capability(false, 13)} }, "note capability-lost", vouch.Signed},
		"no such capabilities": {"usr/bin/ping", func(f *fixtures.File) { f.Attributes = map[string]string{"security.capability": "x"} }, "problem capability", vouch.Signed},
		"an owner":             {"usr/share/tiny/owned", func(f *fixtures.File) { f.UID = 1000 }, "problem user", vouch.Signed},
		"a group":              {"usr/share/tiny/owned", func(f *fixtures.File) { f.GID = 0 }, "problem group", vouch.Signed},
		"a link":               {"usr/lib/libtiny.so", func(f *fixtures.File) { f.Link = "/tmp/x" }, "problem link", vouch.Differs},
		"a link to a file":     {"usr/lib/libtiny.so", func(f *fixtures.File) { f.Link, f.Body = "", "x" }, "problem type", vouch.Differs},
		"a folder to a link":   {"usr/share/doc/tiny/README", func(f *fixtures.File) { f.Link = "../x" }, "problem type", vouch.Differs},
		"a device":             {"dev/tiny", func(f *fixtures.File) { f.Device = [2]int64{8, 0} }, "problem device", vouch.Differs},
		"documentation gone":   {"usr/share/doc/tiny/README", nil, "note docs-absent", ""},
		"a library gone":       {"usr/lib/libtiny.so.1", nil, "note files-absent", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, table, found := run(t, open(t, with(tinyFiles(), test.file, test.change), header), ring(t, key))
			at := strings.TrimSuffix(test.file, "/")
			want := test.want
			if !strings.Contains(test.want, "absent") {
				want += " " + at
			}
			var got []string
			for line := range strings.Lines(found) {
				if text := strings.TrimSpace(strings.SplitN(line, "→", 2)[0]); text != "note ghost var/log/tiny.log" {
					got = append(got, text)
				}
			}
			if len(got) != 1 || !strings.HasPrefix(got[0], want) {
				t.Errorf("findings:\n%s\nwant:\n%s", found, want)
			}
			if w, _ := table.Word(at); w.Kind != test.kind {
				t.Errorf("it is %q, want %q", w.Kind, test.kind)
			}
		})
	}
}

// A header counts only with the signature of a trusted key over its region.
func TestHeaders(t *testing.T) {
	key, other := newKey(t, "A Vendor"), newKey(t, "Another")
	revoked := newKey(t, "Revoked")
	byRevoked := tiny(signer(t, revoked)).Header()
	if err := revoked.RevokeKey(packet.KeyCompromised, "", config(born.Add(2*time.Hour))); err != nil {
		t.Fatal(err)
	}
	altered := func(p made.Package, at func([]byte) int) []byte {
		h := p.Header()
		h[at(h)] ^= 1
		return h
	}
	inRegion := func(h []byte) int { return bytes.Index(h, []byte("libtiny.so.1")) }
	noDigest := tiny(signer(t, key))
	noDigest.NoDigest = true
	base64 := tiny(signer(t, key))
	base64.SignatureTag = 278
	dsa := tiny(signer(t, key))
	dsa.SignatureTag = 267
	payload := tiny(signer(t, key))
	payload.SignatureTag = 262
	none := tiny(func([]byte) []byte { return []byte("no packet") })
	for name, test := range map[string]struct {
		header []byte
		want   string
		good   int
	}{
		"signed":             {tiny(signer(t, key)).Header(), "", 1},
		"in base 64":         {base64.Header(), "", 1},
		"by DSA's tag":       {dsa.Header(), "", 1},
		"no digest":          {noDigest.Header(), "", 1},
		"unsigned":           {tiny(nil).Header(), "undecided unsigned", 0},
		"another key":        {tiny(signer(t, other)).Header(), "undecided untrusted-key", 0},
		"a revoked key":      {byRevoked, "undecided revoked-key", 0},
		"header and payload": {payload.Header(), "undecided payload-signed", 0},
		"no signature":       {none.Header(), "undecided signature-unread", 0},
		"altered":            {altered(tiny(signer(t, key)), inRegion), "problem header-digest usr/lib/sysimage/rpm/Packages.db", 0},
		"altered, no digest": {altered(noDigest, inRegion), "problem header-changed usr/lib/sysimage/rpm/Packages.db", 0},
		"altered offset":     {altered(noDigest, func([]byte) int { return 8 + 16 + 11 }), "problem header-changed usr/lib/sysimage/rpm/Packages.db", 0},
		"altered region":     {altered(noDigest, func([]byte) int { return 8 + 3 }), "undecided no-region", 0},
		"altered after it":   {altered(noDigest, func(h []byte) int { return len(h) - 200 }), "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			r, table, found := run(t, open(t, tinyFiles(), test.header), openpgp.Union(ring(t, key), ring(t, revoked)))
			if r.Packages != 1 || r.Verified != test.good {
				t.Errorf("%d of %d verified, want %d", r.Verified, r.Packages, test.good)
			}
			first, _, _ := strings.Cut(found, "\n")
			if test.want != "" && first != test.want {
				t.Errorf("findings:\n%s\nwant:\n%s", found, test.want)
			}
			if n := len(words(table)[vouch.Signed]); test.good == 0 && (n > 0 || r.Reason.IsZero()) {
				t.Errorf("%d files are signed, and the reason is %v", n, r.Reason)
			}
		})
	}
}

// What was added to a header when it was installed is not signed, and changes nothing
// of what is.
func TestAddedTagsAreNotTaken(t *testing.T) {
	key := newKey(t, "A Vendor")
	p := tiny(signer(t, key))
	h := p.Header()
	forged := made.Package{Name: "tiny", Version: "1.2", Release: "3", Arch: "x86_64", NoDigest: true, Files: []made.File{{Path: "/usr/bin/evil", Body: "evil", Mode: 0o104755}}}
	img := open(t, append(tinyFiles(), fixtures.File{Name: "usr/bin/evil", Body: "evil", Mode: 0o4755}), appended(h, forged.Header()))
	_, table, found := run(t, img, ring(t, key))
	if w, _ := table.Word("usr/bin/evil"); w.Kind != vouch.Nobody {
		t.Errorf("%+v\n%s", w, found)
	}
	if w, _ := table.Word("usr/bin/tiny"); w.Kind != vouch.Signed {
		t.Errorf("%+v\n%s", w, found)
	}
}

// appended adds the entries of another header to the end of one.
func appended(h, other []byte) []byte {
	split := func(h []byte) (index, data []byte) {
		n, size := int(binary.BigEndian.Uint32(h)), int(binary.BigEndian.Uint32(h[4:]))
		return h[8:][:16*n], h[8+16*n:][:size]
	}
	index, data := split(h)
	for len(data)%8 != 0 {
		data = append(bytes.Clone(data), 0)
	}
	more, values := split(other)
	more = bytes.Clone(more)[16:] // without the region's entry
	for e := more; len(e) > 0; e = e[16:] {
		binary.BigEndian.PutUint32(e[8:], binary.BigEndian.Uint32(e[8:])+uint32(len(data)))
	}
	all := binary.BigEndian.AppendUint32(nil, uint32(len(index)+len(more))/16)
	all = binary.BigEndian.AppendUint32(all, uint32(len(data)+len(values)))
	all = append(append(all, index...), more...)
	return append(append(all, data...), values...)
}

// Where all files have one owner, as in an image by somebody without rights, owners are
// not compared.
func TestFlatOwners(t *testing.T) {
	key := newKey(t, "A Vendor")
	files := with(tinyFiles(), "usr/share/tiny/owned", func(f *fixtures.File) { f.UID, f.GID = 0, 0 })
	_, table, found := run(t, open(t, files, tiny(signer(t, key)).Header()), ring(t, key))
	if w, _ := table.Word("usr/share/tiny/owned"); w.Kind != vouch.Signed || found != "note owners-flat\nnote ghost var/log/tiny.log" {
		t.Errorf("%+v\n%s", w, found)
	}
}

// The new form of a configuration file that was changed lies beside it.
func TestNewConfig(t *testing.T) {
	key := newKey(t, "A Vendor")
	files := with(tinyFiles(), "etc/tiny.conf", func(f *fixtures.File) { f.Body = "mine" })
	files = append(files, fixtures.File{Name: "etc/tiny.conf.rpmnew", Body: "config"})
	_, table, found := run(t, open(t, files, tiny(signer(t, key)).Header()), ring(t, key))
	if w, _ := table.Word("etc/tiny.conf.rpmnew"); w.Kind != vouch.Signed || !strings.HasPrefix(found, "note config etc/tiny.conf ") {
		t.Errorf("%+v\n%s", w, found)
	}
}

// Programs may be changed by prelink where that is installed; its cache alone says nothing.
func TestPrelink(t *testing.T) {
	key := newKey(t, "A Vendor")
	prelink := made.Package{Name: "prelink", Version: "1", Release: "1", Arch: "x86_64", Sign: signer(t, key)}
	files := with(tinyFiles(), "usr/bin/tiny", func(f *fixtures.File) { f.Body = "linked" })
	files = append(files, fixtures.File{Name: "etc/prelink.cache", Body: "cache"})
	for want, headers := range map[string][][]byte{
		"problem changed":     {tiny(signer(t, key)).Header()},
		"undecided prelinked": {tiny(signer(t, key)).Header(), prelink.Header()},
	} {
		if _, _, found := run(t, open(t, files, headers...), ring(t, key)); !strings.HasPrefix(found, want+" usr/bin/tiny") {
			t.Errorf("%s, want %s", found, want)
		}
	}
}

// A package of one's own may have replaced a file of the vendor's.
func TestReplacedFile(t *testing.T) {
	key := newKey(t, "A Vendor")
	own := made.Package{Name: "own", Version: "1", Release: "1", Arch: "x86_64", Files: []made.File{{Path: "/bin/tiny", Body: "mine", Mode: 0o100755}}}
	files := with(tinyFiles(), "usr/bin/tiny", func(f *fixtures.File) { f.Body = "mine" })
	_, table, found := run(t, open(t, files, tiny(signer(t, key)).Header(), own.Header()), ring(t, key))
	if w, _ := table.Word("usr/bin/tiny"); w.Kind != vouch.Nobody || !strings.Contains(found, "undecided replaced usr/bin/tiny") || strings.Contains(found, "problem") {
		t.Errorf("%+v\n%s", w, found)
	}
}

// Two packages may share a file, and one may replace that of the other.
func TestSharedFile(t *testing.T) {
	key := newKey(t, "A Vendor")
	older := made.Package{Name: "older", Version: "1", Release: "1", Arch: "i686", Sign: signer(t, key), Files: []made.File{{Path: "/usr/bin/tiny", Body: "for 32 bits", Mode: 0o100755}}}
	_, table, found := run(t, open(t, tinyFiles(), older.Header(), tiny(signer(t, key)).Header()), ring(t, key))
	if w, _ := table.Word("usr/bin/tiny"); w.By != "rpm tiny-1.2-3.x86_64" || strings.Contains(found, "problem") {
		t.Errorf("%+v\n%s", w, found)
	}
}

// Digests of other kinds are of those that were taken, or of contents that are read again.
func TestOtherDigests(t *testing.T) {
	key := newKey(t, "A Vendor")
	for _, test := range []struct {
		algorithm uint32
		digest    string
		complete  bool
		want      string
	}{
		{1, digestOf(crypto.MD5, "x"), false, "undecided digest-not-taken usr/bin/x MD5→"},
		{1, digestOf(crypto.MD5, "x"), true, ""},
		{10, digestOf(crypto.SHA512, "x"), true, ""},
		{10, digestOf(crypto.SHA512, "y"), true, "problem changed usr/bin/x"},
		{99, "00", true, "undecided digest-not-taken usr/bin/x 99→"},
	} {
		p := made.Package{Name: "x", Version: "1", Release: "1", Arch: "noarch", Algorithm: test.algorithm, Sign: signer(t, key), Files: []made.File{{Path: "/usr/bin/x", Digest: test.digest}}}
		img := open(t, []fixtures.File{{Name: "var/lib/rpm/", Mode: 0o755}, {Name: "usr/bin/x", Body: "x"}}, p.Header())
		family := Family{Keys: ring(t, key), Installed: ospackages.Read(img)}
		if test.complete {
			family.Complete = func(ctx context.Context, files []inspect.File) error {
				return inspect.Complete(ctx, img, files, inspect.Options{})
			}
		}
		r, err := family.Vouch(t.Context(), vouch.New(img))
		if err != nil {
			t.Fatal(err)
		}
		if got := findings(r.Findings); got != test.want && !strings.HasPrefix(got, test.want+" ") {
			t.Errorf("algorithm %d: %q, want %q", test.algorithm, got, test.want)
		}
	}
}

func digestOf(h crypto.Hash, text string) string {
	sum := h.New()
	sum.Write([]byte(text))
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// Without a key nothing is verified, and the report says what would be needed.
func TestNoKey(t *testing.T) {
	key := newKey(t, "A Vendor")
	r, _, found := run(t, open(t, tinyFiles(), tiny(signer(t, key)).Header()), openpgp.Keyring{})
	if r.Reason.Code != "signatures/rpm-no-key" || r.Verified != 0 || found != "undecided untrusted-key" {
		t.Errorf("%+v\n%s", r.Reason, found)
	}
	if r, _, found := run(t, open(t, tinyFiles()), ring(t, key)); r.Packages != 0 || found != "" || !r.Reason.IsZero() {
		t.Errorf("no package: %+v\n%s", r, found)
	}
}

// A database that cannot be read is no image without packages.
func TestUnreadDatabase(t *testing.T) {
	files := append(tinyFiles(), fixtures.File{Name: "var/lib/rpm/rpmdb.sqlite", Body: "no database"})
	if r, _, found := run(t, open(t, files), ring(t, newKey(t, "A Vendor"))); r.Packages != 0 || found != "undecided database var/lib/rpm/rpmdb.sqlite" {
		t.Errorf("%+v\n%s", r, found)
	}
}

func TestCapabilities(t *testing.T) {
	for text, want := range map[string]capSet{
		"":                               {},
		"cap_net_raw=ep":                 {permitted: 1 << 13, effective: true},
		"= cap_net_raw+p":                {permitted: 1 << 13},
		"cap_net_admin,cap_net_raw=p":    {permitted: 1<<12 | 1<<13},
		"cap_net_raw=p cap_net_admin+ip": {permitted: 1<<12 | 1<<13, inheritable: 1 << 12},
		"cap_net_raw=eip cap_net_raw-i":  {permitted: 1 << 13, effective: true},
		"=p cap_chown-p":                 {permitted: 1<<41 - 2},
	} {
		if got, ok := parseCapabilities(text); !ok || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{"cap_net_raw", "cap_nothing=p", "cap_net_raw=x", "+p"} {
		if got, ok := parseCapabilities(text); ok {
			t.Errorf("%q is %+v", text, got)
		}
	}
	if got, ok := decodeCapabilities(capability(true, 13)); !ok || got.String() != "cap_net_raw=ep" {
		t.Errorf("%+v, %v", got, ok)
	}
	for _, raw := range []string{"x", strings.Repeat("\x00", 20), capability(true) + "1234", "\x00\x00\x00\x03" + strings.Repeat("\x00", 16) + "\x01\x00\x00\x00"} {
		if got, ok := decodeCapabilities(raw); ok {
			t.Errorf("%q is %+v", raw, got)
		}
	}
}

// FuzzHeader: whatever lies in a database, it is judged without a panic, and nothing is
// good that the key did not sign.
func FuzzHeader(f *testing.F) {
	key := newKey(f, "A Vendor")
	good := tiny(signer(f, key)).Header()
	f.Add(good)
	f.Add(made.Package{Name: "gpg-pubkey", Version: "1", Release: "2", Key: armored(f, key)}.Header())
	f.Add(tiny(nil).Header())
	keys := ring(f, key)
	img := open(f, tinyFiles())
	f.Fuzz(func(t *testing.T, header []byte) {
		in := &ospackages.Installed{Headers: []ospackages.Header{{Bytes: header}}}
		table := vouch.New(img)
		r, err := Family{Keys: keys, Installed: in}.Vouch(t.Context(), table)
		if err != nil || r.Verified > 1 {
			t.Fatal(r, err)
		}
		if w, _ := table.Word("etc/passwd"); w.Kind != vouch.Nobody {
			t.Errorf("%+v", w)
		}
	})
}
