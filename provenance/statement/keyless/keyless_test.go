package keyless

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// example reads a file that the library carries: a real bundle of the public instance,
// and its trusted root.
func example(t *testing.T, name string) []byte {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/sigstore/sigstore-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

const (
	workflow = "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main"
	issuer   = "https://token.actions.githubusercontent.com"
)

func TestPublicBundle(t *testing.T) {
	root, bundle := example(t, "trusted-root-public-good.json"), example(t, "bundle-provenance.json")
	for _, c := range []struct {
		name     string
		identity Identity
		bundle   string
		want     string // of the error; "" for none, "identity" for ErrIdentity
	}{
		{"good", Identity{workflow, issuer}, string(bundle), ""},
		{"another identity", Identity{workflow + "x", issuer}, string(bundle), "identity"},
		{"another issuer", Identity{workflow, "https://accounts.example"}, string(bundle), "identity"},
		{"another payload", Identity{workflow, issuer}, strings.Replace(string(bundle), `"payload":"eyJfdHlwZSI6`, `"payload":"eyJfdHlwZSI7`, 1), "other"},
		{"no log entry", Identity{workflow, issuer}, strings.Replace(string(bundle), `"tlogEntries"`, `"x"`, 1), "other"},
		{"no bundle", Identity{workflow, issuer}, "{}", "other"},
	} {
		v, err := New(root, []Identity{c.identity})
		if err != nil {
			t.Fatal(err)
		}
		signer, err := v.Signer([]byte(c.bundle))
		switch {
		case c.want == "" && (err != nil || signer != workflow):
			t.Errorf("%s: %q, %v", c.name, signer, err)
		case c.want != "" && (err == nil || errors.Is(err, ErrIdentity) != (c.want == "identity")):
			t.Errorf("%s: %q, %v", c.name, signer, err)
		}
	}
}

func TestNoRoot(t *testing.T) {
	if _, err := New([]byte("{}"), nil); err == nil {
		t.Error("an empty trusted root is one")
	}
	if _, err := New(example(t, "trusted-root-public-good.json"), []Identity{{}}); err == nil {
		t.Error("an identity without a name is one")
	}
}
