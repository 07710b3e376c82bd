package guix

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/provenance/guix"
	"audit/rebuild"
)

// Profiles that would have Guix fetch what their author wants: with no flag nothing is
// run at all, not even where the plan was stored and its reasons taken out.
func TestHostileImagesRunNothing(t *testing.T) {
	const official = `(introduction (channel-introduction (version 0) (commit "9edb3f66fd807b096b48283debdcddccfea34bad") (signer "BBB0 2DDF 2CEA F6A8 0D1D  E643 A2A0 6DF2 A33A 54FA")))`
	const address = "https://git.guix.gnu.org/guix.git"
	for name, tc := range map[string]struct{ url, introduction, transformation string }{
		"a file":                      {address, official, `(with-source . "tiny-hello=file:///root/.ssh/id_rsa")`},
		"a file, in capitals":         {address, official, `(with-source . "tiny-hello=FILE:///root/.ssh/id_rsa")`},
		"a file by its path":          {address, official, `(with-source . "tiny-hello=/root/.ssh/id_rsa")`},
		"a file alone":                {address, official, `(with-source . "file:///root/.ssh/id_rsa")`},
		"a private address":           {address, official, `(with-source . "tiny-hello=http://internal/tiny-hello-3.2.tar.gz")`},
		"a repository":                {address, official, `(with-git-url . "tiny-hello=http://10.0.0.1/x.git")`},
		"a patch":                     {address, official, `(with-patch . "tiny-hello=/root/.ssh/id_rsa")`},
		"an option that is not known": {address, official, `(with-anything . "tiny-hello=x")`},
		"a package that is none":      {address, official, `(with-input . "tiny-hello=file:///root/.ssh/id_rsa")`},
		"a channel by ssh":            {"ssh://git@evil.example/guix.git", official, ""},
		"a channel in a file":         {"file:///root/guix", official, ""},
		"a channel by its path":       {"/root/guix", official, ""},
		"a channel in this network":   {"https://127.0.0.1/guix.git", official, ""},
		"a channel elsewhere":         {"https://git.guix.gnu.org.evil.example/guix.git", official, ""},
		"a channel without history":   {address, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := fmt.Sprintf(`(manifest (version 4) (packages (("tiny-hello" "3.2" "out" "/gnu/store/y1wsz33i13663zsn6ndw4qxjl7pici3r-tiny-hello-3.2" (properties (
			  (transformations %s) (provenance (repository (version 0) (url %q) (branch "master") (commit "230aa373f315f247852ee07dff34146e9b480aec") (name guix) %s))))))))`,
				tc.transformation, tc.url, tc.introduction)
			img := tampered(t, fixtures.SetProfileManifest(text))
			ev, err := guix.System{}.Recover(img, nil)
			if err != nil {
				t.Fatal(err)
			}
			p, err := System{}.Plan(img, ev.Recipe, nil)
			if err != nil || len(p.Reasons) == 0 {
				t.Fatalf("no reason not to run it: %v", err)
			}
			edited := stored(t, p)
			edited.Reasons, edited.Trust = nil, nil
			if edited, err = (System{}).Vet(edited, nil); err == nil && len(edited.Reasons) == 0 {
				t.Error("the edited plan is trusted")
			}
			for _, plan := range []rebuild.Plan{p, edited} {
				w := newWorld(t)
				w.plan = plan
				if _, err := w.build(); err == nil || !errors.Is(err, rebuild.ErrRefused) {
					t.Errorf("error %v, want ErrRefused", err)
				}
				if _, err := os.Stat(filepath.Join(w.dir, "calls")); err == nil {
					t.Errorf("guix was called: %q", w.calls())
				}
				if _, _, err := w.runScript(Script(plan)); err == nil {
					t.Error("the script ran")
				}
				if _, err := os.Stat(filepath.Join(w.dir, "calls")); err == nil {
					t.Errorf("guix was called by the script: %q", w.calls())
				}
			}
		})
	}
}

// tampered opens a sample in which something was changed.
func tampered(t *testing.T, edit fixtures.Edit) *inspect.Image {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tiny.tar.gz")
	if err := fixtures.TamperFile("../../fixtures/guix/images/tiny.tar.gz", path, edit); err != nil {
		t.Fatal(err)
	}
	img, err := inspect.Open(t.Context(), path, inspect.Options{Stores: fixtures.Stores(), Keep: guix.Keep})
	if err != nil {
		t.Fatal(err)
	}
	return img
}
