package rebuild

import (
	"strings"
	"testing"
)

// A prefix ends at a path segment; what is special is named exactly.
func TestPrefixes(t *testing.T) {
	for _, tc := range []struct {
		prefix, address string
		want            bool
	}{
		{"https://github.com/me/", "https://github.com/me/repo.git#main", true},
		{"https://github.com/me", "https://github.com/me", true},
		{"https://github.com/me", "https://github.com/me/repo", true},
		{"https://github.com/me", "https://github.com/mentor/repo", false},
		{"https://github.com/me/", "https://github.com/me/../you/repo", false},
		{"https://github.com/me/", "https://github.com/me/%2e%2e/you/repo", false},
		{"https://github.com/me/", "https://github.com/me/..%2fyou/repo", false},
		{"https://github.com/me/", "https://github.com/me/..%5cyou/repo", false},
		{"https://github.com/me/", "HTTPS://user:token@GitHub.com.:443/me/x", true},
		{"https://github.com/me/", "http://github.com/me/x", false},
		{"https://github.com/me/", "https://github.com:444/me/x", false},
		{"https://github.com/me/", "https://github.com@evil.org/me/x", false},
		{"https://github.com/me/", "https://github.com.evil.org/me/x", false},
		{"https://github.com/", "https://github.com/me/x?a=b", true},
		{"https://x.org/a?b", "https://x.org/a?b", true},
		{"https://x.org/a?b", "https://x.org/a/c?b", false},
		{"docker-image://docker.io/library/", "docker-image://docker.io/library/debian:12", true},
		{"docker-image://docker.io/library/debian", "docker-image://docker.io/library/debian:12@sha256:0", true},
		{"docker-image://docker.io/library/deb", "docker-image://docker.io/library/debian:12", false},

		{"file:///", "file:///etc/passwd", false},
		{"file:///srv/x", "file:///srv/x", true},
		{"file:/srv/x", "file:///srv/x", true},
		{"ssh://git@x.org/a", "ssh://git@x.org/a/b", false},
		{"ssh://git@x.org/a", "git@x.org:a#main", true},
		{"git://127.0.0.1/", "git://127.0.0.1/ctx.git", false},
		{"git://127.0.0.1/ctx.git", "git://127.0.0.1/ctx.git#0123:sub", true},
		{"http://localhost/", "http://localhost/x", false},
		{"http://10.0.0.1/", "http://10.0.0.1/x", false},
		{"http://[::1]/", "http://[::1]/x", false},
		{"http://[::ffff:127.0.0.1]/", "http://[::ffff:127.0.0.1]/x", false},
		{"http://169.254.169.254/", "http://169.254.169.254/latest", false},
		{"http://2130706433/", "http://2130706433/x", false},
		{"http://0x7f.1/", "http://0x7f.1/x", false},
		{"http://intranet/", "http://intranet/x", false},
		{"http://a.internal/", "http://a.internal/x", false},
		{"https://93.184.215.14/", "https://93.184.215.14/x", true},
		{"", "https://x.org/", false},
		{"https://", "https://x.org/", false},
		{"x.org", "https://x.org/", false},
	} {
		got := Prefixes{tc.prefix}.Judge("context", tc.address)
		if got.Trusted != tc.want || got.Kind != "context" || got.Reason.IsZero() {
			t.Errorf("%s, %s: %+v", tc.prefix, tc.address, got)
		}
	}
}

// The flag that a refusal names allows what was refused, and nothing secret is in it.
func TestJudgeNamesTheFlag(t *testing.T) {
	for address, want := range map[string]string{
		"https://token@x.org/a.git#0123:sub": "https://x.org/a.git",
		"git@x.org:a":                        "ssh://x.org/a",
		"file:///etc":                        "file:///etc",
		"http://[::1]:80/x":                  "http://[::1]/x",
	} {
		refused := Prefixes(nil).Judge("context", address)
		if refused.Trusted || refused.Flag != "--trust-source "+want {
			t.Errorf("%s: %+v", address, refused)
		}
		if allowed := (Prefixes{want}).Judge("context", address); !allowed.Trusted {
			t.Errorf("%s does not allow %s: %+v", want, address, allowed)
		}
	}
}

func TestWithoutSecrets(t *testing.T) {
	for address, want := range map[string]string{
		"https://a:b@x.org/p?q=@#f":                "https://x.org/p?q=***#f",
		"https://a@b@x.org/":                       "https://x.org/",
		"https://x.org/a@b":                        "https://x.org/a@b",
		"ssh://git@x.org:2/a":                      "ssh://x.org:2/a",
		"git@x.org:a":                              "git@x.org:a",
		"/folder/a@b":                              "/folder/a@b",
		"https://token@x.org":                      "https://x.org",
		"https://token@x.org?x=y@z/":               "https://x.org?x=***",
		"https://a:b/c@x.org/p":                    "https://x.org/p",
		"https://a:b#c@x.org/p":                    "https://x.org/p",
		"git+https://t@x.org/p?ref=main&token=t#a": "git+https://x.org/p?ref=main&token=***#a",
		"github:x/y?token=t#a":                     "github:x/y?token=***#a",
		"docker://x.org/p@sha256:00":               "docker://x.org/p@sha256:00",
		"docker://x.org:80/p:1":                    "docker://x.org:80/p:1",

		"docker://p:1@sha256:" + strings.Repeat("a", 64):           "docker://p:1@sha256:" + strings.Repeat("a", 64),
		"http://[::1]:80/p@1":                                      "http://[::1]:80/p@1",
		"ssh-ng://me@farm?remote-store=/var/one&max-connections=2": "ssh-ng://farm?remote-store=/var/one&max-connections=2",
	} {
		if got := WithoutSecrets(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
