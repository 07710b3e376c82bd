package compare

import (
	"strings"
	"testing"
)

// TestGuixSamples compares images that a real Guix packed (see the README of
// fixtures/guix).
func TestGuixSamples(t *testing.T) {
	const stamp = "gnu/store/vfjsxncgarfsyg7nlv1l6ivaiidprd2g-tiny-stamp-0.1/share/built-at"
	for _, tc := range []struct {
		was, now   string
		causes     string
		identical  bool
		equivalent bool
		says       []string
	}{
		{"tiny.tar.gz", "tiny.tar.gz", "", true, true, nil},
		{"tiny.tar.gz", "tiny.other-ext4.tar.gz", "1 order", false, true, []string{"-profile/etc → ", "entry-order common=27 entry=20 moved=6"}},
		{"tiny-layers4.tar.gz", "tiny-layers4.tmpfs-store.tar.gz", "3 order", false, true, []string{`0 "" order: layer layer=0 → layer layer=1`, `2 "gnu/store" order`}},
		{"stamp-A.tar.gz", "stamp-B.tar.gz", "1 embedded-date", false, false, []string{`0 "` + stamp + `" embedded-date: 1795195565 → 1795195689 (line line=1 `, "-1795195565\n+1795195689\n"}},
		{"hello.tar.gz", "hello-opt1.tar.gz", "3 extra", false, false, []string{`"bin" extra`, `"opt" extra`, `"opt/gnu" extra`}},
		{"hello.tar.gz", "hello-opt2.tar.gz", "1 extra", false, false, []string{`config config.entrypoint extra:  → ["/gnu/store/`}},
		{"hello.tar.gz", "hello-opt3.tar", "", true, true, nil},
		{"tiny.tar.gz", "tiny-localstatedir.tar.gz", "11 extra", false, false, []string{"var/guix/db/db.sqlite"}},
		{"tiny.tar.gz", "tiny-layers4.tar.gz", "27 packaging, 5 order", false, true, []string{"layer layer=0 layers=1 → layer layer=3 layers=4", "0:0 (root:root) → 0:0"}},
		{"tiny.tar.gz", "hello.tar.gz", "23 missing, 18 extra, 1 embedded-store-path, 1 renamed", false, false, []string{"(item-of-same-name item=/gnu/store/jahh2z348sfgv15j334lq27fc759b3jc-profile)"}},
	} {
		t.Run(tc.was+" "+tc.now, func(t *testing.T) {
			const dir = "../../fixtures/guix/images/"
			c := files(t, dir+tc.was, dir+tc.now)
			if c.Identical() != tc.identical || c.Equivalent() != tc.equivalent || causes(c) != tc.causes {
				t.Errorf("identical %v, equivalent %v, %s\n%s", c.Identical(), c.Equivalent(), causes(c), show(c))
			}
			for _, what := range tc.says {
				if !strings.Contains(show(c), what) {
					t.Errorf("nothing says %q:\n%s", what, show(c))
				}
			}
		})
	}
}
