package provenance

import (
	"bytes"
	"encoding/pem"
	"path"
	"regexp"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/pass"
)

// IsKey says of the path of a file whether it is one that private keys usually
// have: the content is looked into where an image was opened with it kept. Those
// under other names [WatchKeys] finds.
func IsKey(p string) bool {
	name := path.Base(p)
	switch name {
	case "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "ssh_host_rsa_key", "ssh_host_dsa_key", "ssh_host_ecdsa_key",
		"ssh_host_ed25519_key", "server.key", "tls.key", "privkey.pem", "private.pem", "private.key":
		return true
	}
	return false
}

// privateKey is how a private key begins (RFC 7468, and OpenSSH's PROTOCOL.key).
var privateKey = regexp.MustCompile(`(?m)^-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----`)

// hasKey says whether the file of an entry is, or has, a private key.
func hasKey(img *inspect.Image, layer int, e *inspect.Entry) bool {
	if isExample(e.Path) {
		return false
	}
	if data, ok := img.Body(layer, e.Path); ok && IsKey(e.Path) && privateKey.Match(data) {
		return true
	}
	var f inspect.File
	f.Inode.Entry, f.Inode.Layer = e, layer
	return e.Type == '0' && string(img.Root().Note(f)) == keyNote
}

// isExample says whether a file is documentation, or lies among the tests of a package:
// keys there are known to everybody, and nobody trusts them.
func isExample(p string) bool {
	for _, folder := range []string{"usr/share/doc/", "usr/share/gtk-doc/", "usr/share/man/", "usr/share/info/", "usr/local/share/doc/"} {
		if strings.HasPrefix(p, folder) {
			return true
		}
	}
	names := strings.Split(path.Dir(p), "/")
	for i, name := range names {
		if slices.Contains(packageFolders(), name) && slices.ContainsFunc(names[i+1:], isOfTests) {
			return true
		}
	}
	return false
}

// packageFolders are the names of those into which package managers install packages.
func packageFolders() []string {
	return []string{"site-packages", "dist-packages", "node_modules", "gems", "perl5", "mod", "vendor", "pkgs"}
}

func isOfTests(name string) bool {
	switch strings.ToLower(name) {
	case "test", "tests", "testing", "testdata", "test_data", "test-data", "t", "spec", "fixtures", "doc", "docs", "example", "examples", "demo", "sample", "samples":
		return true
	}
	return false
}

// The sizes that a file with a private key may have, in bytes: of one that also has
// certificates some.
const (
	minKey = 100
	maxKey = 64 << 10
)

// keyNote is the note on a file that has a private key.
const keyNote = "private key"

// pemStart is how all files of RFC 7468 begin, and keys of OpenSSH.
const pemStart = "-----BEGIN "

// WatchKeys reads along with the pass over an image, for private keys under any name: see
// Options.Watch of package inspect. All but a few files are let go at their first byte.
func WatchKeys(e *inspect.Entry) pass.Watcher {
	if e.Type != '0' || e.Size < minKey || e.Size > maxKey {
		return nil
	}
	return new(keyWatcher)
}

// A keyWatcher gathers a file that begins as one in PEM does.
type keyWatcher struct {
	data []byte
	done bool // it is none
}

func (w *keyWatcher) Watch(p []byte) {
	if w.done {
		return
	}
	if head := min(len(pemStart)-len(w.data), len(p)); head > 0 && string(p[:head]) != pemStart[len(w.data):len(w.data)+head] || len(w.data)+len(p) > maxKey {
		w.done, w.data = true, nil
		return
	}
	w.data = append(w.data, p...)
}

// Note says whether there is a whole private key among what the file has: one that a text
// only mentions, or left out, is none.
func (w *keyWatcher) Note() []byte {
	if len(w.data) < minKey || !bytes.Contains(w.data, []byte("PRIVATE KEY-----")) {
		return nil
	}
	for rest := w.data; ; {
		block, next := pem.Decode(rest)
		if block == nil {
			return nil
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") && len(block.Bytes) >= minSecret {
			return []byte(keyNote)
		}
		rest = next
	}
}

// minSecret is the least number of bytes that a private key has: those of Ed25519 in PKCS #8
// are 48 (RFC 8410).
const minSecret = 40
