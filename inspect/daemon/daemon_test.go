package daemon

import "testing"

func TestTagged(t *testing.T) {
	for ref, want := range map[string]string{
		"a": "a:latest", "a:1": "a:1", "localhost:5000/a": "localhost:5000/a:latest", "localhost:5000/a:1": "localhost:5000/a:1",
		"a@sha256:ab": "a@sha256:ab", "0123456789ab": "0123456789ab", "abc": "abc:latest",
	} {
		if got := tagged(ref); got != want {
			t.Errorf("%s: %s, want %s", ref, got, want)
		}
	}
}
