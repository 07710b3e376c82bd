package records

import "testing"

// A record has files in the prefix of its package, however the way there is written, and
// none outside.
func TestUnder(t *testing.T) {
	for _, c := range []struct{ folder, path, want string }{
		{"usr/local/lib/python3.11/site-packages", "numpy/__init__.py", "usr/local/lib/python3.11/site-packages/numpy/__init__.py"},
		{"usr/local/lib/python3.11/site-packages", "../../../bin/f2py", "usr/local/bin/f2py"},
		{"opt/venv/lib/python3.11/site-packages", "/opt/venv/bin/pip", "opt/venv/bin/pip"},
		{"opt/venv/lib/python3.11/site-packages", "/bin/sh", ""},
		{"opt/venv/lib/python3.11/site-packages", "../../../../../etc/passwd", ""},
		{"lib/python3.11/site-packages", "../../../bin/x", "bin/x"},
		{"opt/conda", "bin/python", "opt/conda/bin/python"},
		{"opt/conda", "../../bin/sh", ""},
		{"app/vendored", "../other/x.py", ""},
	} {
		if got := under(c.folder, c.path); got != c.want {
			t.Errorf("%s below %s: %q, want %q", c.path, c.folder, got, c.want)
		}
	}
}
