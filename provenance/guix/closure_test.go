package guix

import (
	"path/filepath"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect/check"
)

func TestClosureOfSamples(t *testing.T) {
	for _, file := range []string{
		"images/hello.tar.gz", "images/hello-opt1.tar.gz", "images/hello-opt2.tar.gz", "images/hello-opt3.tar",
		"images/stamp-A.tar.gz", "images/stamp-B.tar.gz", "images/tiny.tar.gz", "images/tiny.other-ext4.tar.gz",
		"images/tiny-layers4.tar.gz", "images/tiny-layers4.tmpfs-store.tar.gz", "images/tiny-localstatedir.tar.gz",
		"realpack/real-hello-guile-numpy-docker-pack.tar.gz", "realpack/noprov-hello-guile-numpy-docker-pack.tar.gz",
		"eras/era-v1.0.1-single-gzip.tar.gz", "eras/era-v1.2.0-single-gzip.tar.gz", "eras/era-v1.4.0-single-gzip.tar.gz",
		"eras/era-v1.5.0-single-gzip.tar.gz", "eras/era-v1.5.0-layers5-gzip.tar.gz",
	} {
		c := recoverFrom(t, filepath.Join(fixturesDir, file)).Closure
		if c.Status != check.Pass || len(c.Findings) > 0 || c.Bytes == 0 {
			t.Errorf("%s: %v, %s: %+v", file, c.Status, texts(c.Reasons), c.Findings)
		}
	}
}

func TestClosureSummary(t *testing.T) {
	c := recoverFrom(t, filepath.Join(fixturesDir, "images/tiny-localstatedir.tar.gz")).Closure
	const want = `closure/explained entries="38" explained="38" items="6" packer="14" root="ypn3grvqkxxn1829wfbmla6hrgn49wcj-profile" rows="6" store="24"`
	if texts(c.Reasons) != want || c.Bytes != 81920 {
		t.Errorf("%d bytes: %s", c.Bytes, texts(c.Reasons))
	}
}

const (
	tinyProfile = "/gnu/store/ypn3grvqkxxn1829wfbmla6hrgn49wcj-profile"
	tinyHello   = "/gnu/store/y1wsz33i13663zsn6ndw4qxjl7pici3r-tiny-hello-3.2"
	tinyLib     = "/gnu/store/4bpymp7xj89wli1jyf186frx9lxyq7bj-tiny-lib-2.1"
	tinyData    = "/gnu/store/szdbpxjpmifp9p8m03bl90kxdklrw480-tiny-data-1.0"
)

// One thing changed in a sample, and everything hashed again.
func TestClosureOfTamperedImages(t *testing.T) {
	const manifest = "gnu/store/ypn3grvqkxxn1829wfbmla6hrgn49wcj-profile/manifest"
	for _, tc := range []struct {
		name   string
		sample string
		edit   fixtures.Edit
		want   []string
	}{
		{"a file outside the store", "tiny.tar.gz", fixtures.AddFileOutsideStore("etc/cron.d/evil", "* * * * *"), []string{"unexplained-file etc/cron.d/evil"}},
		{"a file among those of the packer", "tiny-localstatedir.tar.gz", fixtures.AddFileOutsideStore("var/guix/db/evil", "x"), []string{"unexplained-file var/guix/db/evil"}},
		{"a file in the store, and in no item", "tiny.tar.gz", fixtures.AddFileOutsideStore("gnu/store/evil", "x"), []string{"unexplained-file gnu/store/evil"}},
		{"a whiteout", "tiny.tar.gz", fixtures.AddFileOutsideStore("etc/.wh.passwd", ""), []string{"whiteout etc/.wh.passwd"}},
		{"an item that nothing refers to", "tiny.tar.gz", fixtures.AddUnreferencedItem("evil"), nil},
		{"an item that nothing refers to, in layers", "tiny-layers4.tar.gz", fixtures.AddUnreferencedItem("evil"), nil},
		{"an item missing", "tiny.tar.gz", fixtures.RemoveItem(tinyData[1:]), []string{"missing-reference " + tinyLib[1:] + "/lib/tiny.sh"}},
		{"a package missing", "tiny.tar.gz", fixtures.RemoveItem(tinyHello[1:]), nil},
		{"a world-writable /gnu", "hello.tar.gz", fixtures.ChangeMode("gnu", 0o777), []string{"packer-entry-mode gnu"}},
		{"no sticky bit on /tmp", "hello.tar.gz", fixtures.ChangeMode("tmp", 0o777), []string{"packer-entry-mode tmp"}},
		{"a setuid bit in the store", "tiny.tar.gz", fixtures.SetSetuid("bin/tiny-hello"), nil},
		{"a link that leads elsewhere", "hello-opt1.tar.gz", fixtures.ChangeLink("bin", "/tmp/bin"), []string{"unexplained-file bin"}},
		{"a link that leads out of the profile", "hello-opt1.tar.gz", fixtures.ChangeLink("bin", "/gnu/store/jahh2z348sfgv15j334lq27fc759b3jc-profile/../../../tmp"), []string{"unexplained-file bin"}},
		{"another link of the database", "tiny-localstatedir.tar.gz", fixtures.ChangeLink("gcroots/profiles", "/tmp"), []string{"packer-entry-target var/guix/gcroots/profiles"}},
		{"a byte in a store item, with a database", "tiny-localstatedir.tar.gz", fixtures.ChangeByteInsideItem("bin/tiny-hello", 0), []string{"nar-hash-differs " + tinyHello}},
		{"a file in a store item, with a database", "tiny-localstatedir.tar.gz", fixtures.AddFileInsideItem(tinyData[1:], "evil", "x"), []string{"nar-hash-differs " + tinyData, "nar-size-differs " + tinyData}},
		{"an item that the database does not list", "tiny-localstatedir.tar.gz", fixtures.AddUnreferencedItem("evil"), nil},
		{"no database any more", "tiny-localstatedir.tar.gz", fixtures.ReplaceFile("var/guix/db/db.sqlite", "SQLite format 3"), []string{"database-malformed var/guix/db/db.sqlite"}},
		{"an empty database", "tiny-localstatedir.tar.gz", fixtures.ReplaceFile("var/guix/db/db.sqlite", ""), []string{"database-unread var/guix/db/db.sqlite"}},
		{"a package that is not there", "tiny.tar.gz", fixtures.SetProfileManifest(oneEntry(`"gone"`, "/gnu/store/"+hashA+"-gone-1.0")), []string{
			"missing-package " + manifest, "missing-reference " + manifest, "profile-entry-unexplained gnu/store/ypn3grvqkxxn1829wfbmla6hrgn49wcj-profile/bin"}},
		{"another entry point", "hello-opt2.tar.gz", fixtures.ReplaceInConfig("jahh2z348sfgv15j334lq27fc759b3jc-profile/bin/hello", hashA+"-evil/bin/hello"), []string{"missing-reference ./config.json"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := recoverFrom(t, tampered(t, "images/"+tc.sample, tc.edit)).Closure
			want := check.Fail
			if len(tc.want) == 1 && strings.HasPrefix(tc.want[0], "database-unread") {
				want = check.Unknown
			}
			if c.Status != want {
				t.Errorf("status %v: %s", c.Status, texts(c.Reasons))
			}
			if tc.want != nil {
				wantFindings(t, c, tc.want...)
			} else {
				for _, f := range c.Findings {
					t.Logf("%s %s", f.Message, f.Path)
				}
			}
		})
	}
}
