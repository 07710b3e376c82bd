package main

import (
	"fmt"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"audit/fixtures"
)

// tampered has audit and its peers read the OCI archives that are tampered
// with. That each is told is demanded of audit; of the others it is shown.
func (l *shelf) tampered(t *testing.T) {
	l.run(t, "mkdir tampered")
	if err := writeTampered(l.dir + "/tampered"); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("| %-32s | audit | skopeo | umoci | crane validate\n", "OCI archive")
	l.tamperedWith(t, "honest.tar", 0)
	for _, kind := range []string{"stale/", "fitted/"} {
		for _, how := range fixtures.Tamperings() {
			l.tamperedWith(t, kind+how.Name+".tar", exitPolicy)
		}
	}
}

func (l *shelf) tamperedWith(t *testing.T, name string, want int) {
	t.Helper()
	l.env = append(l.env, "A=tampered/"+name)
	status := 0
	if _, _, err := l.try("audit inspect $A"); err != nil {
		status = exitPolicy
	}
	if status != want {
		t.Errorf("%s: audit ends with %d, want %d", name, status, want)
	}
	l.run(t, "rm -rf read && mkdir read && tar -C read -xf $A")
	_, _, skopeo := l.try("skopeo copy -q oci-archive:$A dir:$D/copied")
	_, _, umoci := l.try("umoci unpack --image read:tampered read/bundle")
	fmt.Printf("| %-32s | %-5s | %-6s | %-5s | %s\n", name, caught(status != 0), caught(skopeo != nil), caught(umoci != nil), caught(craneValidate(l.dir+"/read") != nil))
}

func caught(is bool) string {
	if is {
		return "told"
	}
	return "-"
}

// craneValidate is what crane validate does with the image of a layout.
func craneValidate(dir string) error {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return err
	}
	m, err := index.IndexManifest()
	if err != nil {
		return err
	}
	img, err := index.Image(m.Manifests[0].Digest)
	if err != nil {
		return err
	}
	return validate.Image(img)
}
