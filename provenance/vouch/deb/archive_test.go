package deb

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	made "audit/fixtures/deb"
	"audit/inspect/digest"
	"audit/inspect/limit"
)

func read(p []byte) (*Archive, error) {
	return Read(bytes.NewReader(p), func(string) bool { return true }, DefaultLimits())
}

func TestRead(t *testing.T) {
	p := tool().Write()
	a, err := read(p)
	if err != nil {
		t.Fatal(err)
	}
	if a.Sum != digest.Of(p) || a.Control.Get("Package") != "tool" || string(a.Info["md5sums"]) != "none\n" || string(a.Kept["bin/tool"]) != "program" {
		t.Errorf("%+v", a)
	}
	if f := a.Files[len(a.Files)-1]; f.Path != "var/owned" || f.UID != 5 || f.GID != 6 || f.Sum != digest.Of([]byte("owned")) {
		t.Errorf("%+v", f)
	}
}

func TestReadRefuses(t *testing.T) {
	whole := tool().Write()
	outside := made.Package{Name: "x", Files: []made.File{{Path: "../../etc/passwd"}}}.Write()
	for name, test := range map[string]struct {
		p    []byte
		want string
	}{
		"nothing":        {nil, "no ar archive"},
		"no ar":          {[]byte("!<thin>\n"), "no ar archive"},
		"cut in a tar":   {whole[:len(whole)-300], "unexpected EOF"},
		"cut before it":  {whole[:68+4], "looking for control.tar"},
		"another format": {bytes.Replace(whole, []byte("2.0\n"), []byte("9.0\n"), 1), "of version"},
		"out of it":      {outside, "leads out"},
		"a bad size":     {bytes.Replace(whole, []byte("4         `"), []byte("-4        `"), 1), "debian-binary"},
		"another order":  {bytes.Replace(whole, []byte("control.tar.xz "), []byte("data.tar.xz    "), 1), "has to be"},
	} {
		if _, err := read(test.p); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestReadLimits(t *testing.T) {
	p := tool().Write()
	for name, limits := range map[string]Limits{
		"members of data.tar":             {Entries: 3, Bytes: 1 << 20, Info: 1 << 20, Names: 1 << 20, Kept: 1 << 20, Memory: 1 << 30},
		"uncompressed bytes of a package": {Entries: 99, Bytes: 1 << 10, Info: 1 << 20, Names: 1 << 20, Kept: 1 << 20, Memory: 1 << 30},
		"bytes of control files":          {Entries: 99, Bytes: 1 << 20, Info: 10, Names: 1 << 20, Kept: 1 << 20, Memory: 1 << 30},
		"bytes of names":                  {Entries: 99, Bytes: 1 << 20, Info: 1 << 20, Names: 10, Kept: 1 << 20, Memory: 1 << 30},
		"bytes of contents that are kept": {Entries: 99, Bytes: 1 << 20, Info: 1 << 20, Names: 1 << 20, Kept: 3, Memory: 1 << 30},
		"bytes of memory":                 {Entries: 99, Bytes: 1 << 20, Info: 1 << 20, Names: 1 << 20, Kept: 1 << 20, Memory: 1},
	} {
		_, err := Read(bytes.NewReader(p), func(string) bool { return true }, limits)
		if e, ok := errors.AsType[*limit.Error](err); !ok || e.Name != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A stream of LZMA may not ask for as much memory as it likes.
func TestDictionary(t *testing.T) {
	p := tool()
	p.Packing = "lzma"
	whole := p.Write()
	at := bytes.Index(whole, []byte("control.tar.lzma")) + headerBytes
	whole[at+4] = 0xff
	_, err := read(whole)
	if e, ok := errors.AsType[*limit.Error](err); !ok || e.Name != "bytes of a dictionary" {
		t.Errorf("%v", err)
	}
}

func TestLZ4(t *testing.T) {
	// "abcabcabc…" as lz4 writes it: three literals, a match that reaches into itself.
	block := []byte{0x3f, 'a', 'b', 'c', 3, 0, 6, 0x50, 'a', 'b', 'c', 'a', 'b'}
	frame := []byte{0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0, byte(len(block)), 0, 0, 0}
	frame = append(append(frame, block...), 0, 0, 0, 0)
	got, err := io.ReadAll(newLZ4(bufio.NewReader(bytes.NewReader(append(bytes.Clone(frame), frame...)))))
	want := strings.Repeat("abc", 10)[:28] + "abcab"
	if err != nil || string(got) != want+want {
		t.Errorf("%q, %v, want %q", got, err, want+want)
	}
	for n := range len(frame) {
		if n == 0 {
			continue
		}
		if _, err := io.ReadAll(newLZ4(bufio.NewReader(bytes.NewReader(frame[:n])))); err == nil {
			t.Errorf("cut at %d: no error", n)
		}
	}
}

func TestSubjectHash(t *testing.T) {
	if got := subjectHash([]byte(isrgRoot)); got != "4042bcee" {
		t.Errorf("%s, want 4042bcee", got) // openssl x509 -subject_hash
	}
	for _, text := range []string{"", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"} {
		if got := subjectHash([]byte(text)); got != "" {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, packing := range []string{"", "gz", "xz", "zst", "lzma"} {
		p := tool()
		p.Packing = packing
		f.Add(p.Write())
	}
	limits := Limits{Entries: 100, Bytes: 1 << 22, Info: 1 << 20, Names: 1 << 20, Kept: 1 << 20, Memory: 1 << 28}
	f.Fuzz(func(t *testing.T, p []byte) {
		a, err := Read(bytes.NewReader(p), nil, limits)
		if err == nil && a.Sum != digest.Of(p) {
			t.Error("the digest is not that of all bytes")
		}
	})
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte(tool().ControlFile() + "SHA256: 00\n"))
	f.Add([]byte{0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0, 1, 0, 0, 0, 0x10, 'a', 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, p []byte) {
		got, err := scanIndex(bytes.NewReader(p), map[string]bool{"tool": true}, 1<<22)
		if err == nil && got.stored != digest.Of(p) {
			t.Error("the digest is not that of all bytes")
		}
	})
}

func FuzzNotes(f *testing.F) {
	f.Add("auto\n/usr/bin/awk\nawk.1\n/usr/share/awk.1\n\n/usr/bin/mawk\n5\n/usr/share/mawk.1\n\n")
	f.Add("c\x00\x00\x00\x00)\x02r\x00\x00\x00\x00\xda\x01x")
	f.Add(cacheMagic + strings.Repeat("\x00", 40))
	f.Fuzz(func(t *testing.T, text string) {
		if g, ok := readGroup("x", text); ok {
			for _, c := range g.choices {
				if len(c.files) != len(g.names) || len(g.names) != len(g.links) {
					t.Error("a choice has not a file for each name")
				}
			}
		}
		readCache([]byte(text))
		subjectHash([]byte(text))
		addTemplates(map[string]map[string]bool{}, text)
		readModules(text, nil, "Auth")
		foreignName([]byte(text), pythonMagic["311"], []byte("x"))
		foreignName([]byte(text), pythonMagic["38"], []byte("x"))
	})
}

// isrgRoot is ISRG Root X1, a certificate that anybody may copy.
const isrgRoot = `-----BEGIN CERTIFICATE-----
MIIFazCCA1OgAwIBAgIRAIIQz7DSQONZRGPgu2OCiwAwDQYJKoZIhvcNAQELBQAw
TzELMAkGA1UEBhMCVVMxKTAnBgNVBAoTIEludGVybmV0IFNlY3VyaXR5IFJlc2Vh
cmNoIEdyb3VwMRUwEwYDVQQDEwxJU1JHIFJvb3QgWDEwHhcNMTUwNjA0MTEwNDM4
WhcNMzUwNjA0MTEwNDM4WjBPMQswCQYDVQQGEwJVUzEpMCcGA1UEChMgSW50ZXJu
ZXQgU2VjdXJpdHkgUmVzZWFyY2ggR3JvdXAxFTATBgNVBAMTDElTUkcgUm9vdCBY
MTCCAiIwDQYJKoZIhvcNAQEBBQADggIPADCCAgoCggIBAK3oJHP0FDfzm54rVygc
h77ct984kIxuPOZXoHj3dcKi/vVqbvYATyjb3miGbESTtrFj/RQSa78f0uoxmyF+
0TM8ukj13Xnfs7j/EvEhmkvBioZxaUpmZmyPfjxwv60pIgbz5MDmgK7iS4+3mX6U
A5/TR5d8mUgjU+g4rk8Kb4Mu0UlXjIB0ttov0DiNewNwIRt18jA8+o+u3dpjq+sW
T8KOEUt+zwvo/7V3LvSye0rgTBIlDHCNAymg4VMk7BPZ7hm/ELNKjD+Jo2FR3qyH
B5T0Y3HsLuJvW5iB4YlcNHlsdu87kGJ55tukmi8mxdAQ4Q7e2RCOFvu396j3x+UC
B5iPNgiV5+I3lg02dZ77DnKxHZu8A/lJBdiB3QW0KtZB6awBdpUKD9jf1b0SHzUv
KBds0pjBqAlkd25HN7rOrFleaJ1/ctaJxQZBKT5ZPt0m9STJEadao0xAH0ahmbWn
OlFuhjuefXKnEgV4We0+UXgVCwOPjdAvBbI+e0ocS3MFEvzG6uBQE3xDk3SzynTn
jh8BCNAw1FtxNrQHusEwMFxIt4I7mKZ9YIqioymCzLq9gwQbooMDQaHWBfEbwrbw
qHyGO0aoSCqI3Haadr8faqU9GY/rOPNk3sgrDQoo//fb4hVC1CLQJ13hef4Y53CI
rU7m2Ys6xt0nUW7/vGT1M0NPAgMBAAGjQjBAMA4GA1UdDwEB/wQEAwIBBjAPBgNV
HRMBAf8EBTADAQH/MB0GA1UdDgQWBBR5tFnme7bl5AFzgAiIyBpY9umbbjANBgkq
hkiG9w0BAQsFAAOCAgEAVR9YqbyyqFDQDLHYGmkgJykIrGF1XIpu+ILlaS/V9lZL
ubhzEFnTIZd+50xx+7LSYK05qAvqFyFWhfFQDlnrzuBZ6brJFe+GnY+EgPbk6ZGQ
3BebYhtF8GaV0nxvwuo77x/Py9auJ/GpsMiu/X1+mvoiBOv/2X/qkSsisRcOj/KK
NFtY2PwByVS5uCbMiogziUwthDyC3+6WVwW6LLv3xLfHTjuCvjHIInNzktHCgKQ5
ORAzI4JMPJ+GslWYHb4phowim57iaztXOoJwTdwJx4nLCgdNbOhdjsnvzqvHu7Ur
TkXWStAmzOVyyghqpZXjFaH3pO3JLF+l+/+sKAIuvtd7u+Nxe5AW0wdeRlN8NwdC
jNPElpzVmbUq4JUagEiuTDkHzsxHpFKVK7q4+63SM1N95R1NbdWhscdCb+ZAJzVc
oyi3B43njTOQ5yOf+1CceWxG1bQVs5ZufpsMljq4Ui0/1lvh+wjChP4kqKOJ2qxq
4RgqsahDYVvTH9w7jXbyLeiNdd8XM2w9U/t7y0Ff/9yi0GE44Za4rF2LN9d11TPA
mRGunUHBcnWEvgJBQl9nJEiU0Zsnvgc/ubhPgXRR4Xq37Z0j4r7g1SgEEzwxA57d
emyPxgcYxn/eR44/KJ4EBs+lVDR3veyJm+kXQ99b21/+jh5Xos1AnX5iItreGCc=
-----END CERTIFICATE-----
`

// A list may have several files under one name and version, and its fields in any order.
func TestIndexOfSeveral(t *testing.T) {
	sum := func(c string) string { return strings.Repeat(c, 64) }
	text := "Package: tool\nVersion: 1\nArchitecture: all\nSHA256: " + sum("a") + "\n\nVersion: 1\nSHA256: " + sum("b") + "\nArchitecture: all\nPackage: tool\n\nVersion: 1\nPackage: other\nSHA256: " + sum("c") + "\n"
	got, err := scanIndex(strings.NewReader(text), map[string]bool{"tool": true}, 1<<20)
	if err != nil || len(got.found) != 1 || len(got.found[Name{"tool", "1", "all"}]) != 2 {
		t.Errorf("%v, %v", got.found, err)
	}
}

// What an index unpacks to is counted where it goes past the limit, too.
func TestIndexPastItsLimit(t *testing.T) {
	got, err := scanIndex(strings.NewReader(strings.Repeat("x\n", 1000)), nil, 100)
	var past *limit.Error
	if !errors.As(err, &past) || got.size < 100 {
		t.Errorf("%d, %v", got.size, err)
	}
	if got, err := scanIndex(strings.NewReader("x\n"), nil, 0); !errors.As(err, &past) || got.size > 1 {
		t.Errorf("%d, %v", got.size, err)
	}
}
