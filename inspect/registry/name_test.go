package registry

import (
	"errors"
	"testing"
)

// A name that begins with a slash has lost its host, and is none of Docker Hub.
func TestNoHost(t *testing.T) {
	for _, name := range []string{"/tool:1", "/lab/tool"} {
		_, err := parse(name, nil)
		wrong, ok := errors.AsType[*NameError](err)
		if !ok || wrong.Nearest != "docker://"+name[1:] {
			t.Errorf("%s: %v", name, err)
		}
	}
}
