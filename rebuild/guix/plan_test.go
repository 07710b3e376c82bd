package guix

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/provenance"
	"audit/rebuild"
	"audit/rebuild/shell"
)

const profilePath = "/gnu/store/4y29pq81jzhinndil2mkdcxk57d9b4cq-profile"

func guixChannel() provenance.Channel {
	return provenance.Channel{
		Name: "guix", URL: "https://git.guix.gnu.org/guix.git", Branch: "master", Commit: "230aa373f315f247852ee07dff34146e9b480aec",
		Introduction: &provenance.Introduction{
			Commit: "9edb3f66fd807b096b48283debdcddccfea34bad", Fingerprint: "BBB0 2DDF 2CEA F6A8 0D1D  E643 A2A0 6DF2 A33A 54FA",
		},
	}
}

func recipe(channels ...provenance.Channel) provenance.Recipe {
	return provenance.Recipe{
		System: provenance.Guix, Status: provenance.Complete, Channels: channels,
		Files: []provenance.File{{Name: "channels.scm", Text: []byte("(list)\n")}, {Name: "manifest.scm", Text: []byte("(m)\n")}},
		Pack:  provenance.Pack{Format: "docker", Root: profilePath, Compression: inspect.Gzip, SystemType: "x86_64-linux"},
	}
}

func image() *inspect.Image {
	return &inspect.Image{
		Reference: "tiny.tar.gz", Config: inspect.Config{Digest: v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("ab", 32)}},
	}
}

func plan(t *testing.T, r provenance.Recipe, trusted ...string) rebuild.Plan {
	t.Helper()
	p, err := NewPlan(image(), r, Trusted{Channels: trusted})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNewPlan(t *testing.T) {
	got := plan(t, recipe(guixChannel()))
	want := rebuild.Plan{
		System: provenance.Guix, Image: "tiny.tar.gz", ConfigDigest: "sha256:" + strings.Repeat("ab", 32), Root: profilePath,
		Files: []rebuild.PlanFile{{Name: "channels.scm", Text: "(list)\n"}, {Name: "manifest.scm", Text: "(m)\n"}},
		Pack:  []string{"pack", "--format=docker", "--save-provenance", "--system=x86_64-linux", "--compression=gzip", "-m", "manifest.scm"},
		Trust: []rebuild.Trust{{Channel: "guix", URL: "https://git.guix.gnu.org/guix.git", Trusted: true,
			Why: "it carries the official introduction of Guix, from which its history is authenticated"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var again rebuild.Plan
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("a stored plan is another one:\n%s", diff)
	}
}

func TestNewPlanOfAnotherSystem(t *testing.T) {
	if _, err := NewPlan(image(), provenance.Recipe{System: provenance.Nix}, Trusted{}); !errors.Is(err, provenance.ErrNotMine) {
		t.Errorf("error %v, want ErrNotMine", err)
	}
}

func TestTrust(t *testing.T) {
	const fixtures = "https://example.org/fixtures.git"
	with := func(change func(c *provenance.Channel)) provenance.Channel {
		c := guixChannel()
		change(&c)
		return c
	}
	extra := provenance.Channel{Name: "fixtures", URL: fixtures, Commit: strings.Repeat("0", 40)}
	for _, tt := range []struct {
		name    string
		channel provenance.Channel
		trusted []string
		want    bool
		why     string
	}{
		{"official", guixChannel(), nil, true, "official introduction"},
		{"official, elsewhere", with(func(c *provenance.Channel) { c.URL = "https://mirror.example/guix" }), nil, true, "official introduction"},
		{"official, in a file", with(func(c *provenance.Channel) { c.URL = "file:///srv/guix.git" }), nil, true, "official introduction"},
		{"official, a path", with(func(c *provenance.Channel) { c.URL = "/srv/guix.git" }), nil, true, "official introduction"},
		{"official, written otherwise", with(func(c *provenance.Channel) {
			c.Introduction = &provenance.Introduction{Commit: strings.ToUpper(officialCommit), Fingerprint: " bbb02ddf2ceaf6a80d1d\te643a2a06df2a33a54fa"}
		}), nil, true, "official introduction"},
		{"no introduction", with(func(c *provenance.Channel) { c.Introduction = nil }), nil, false, "no introduction"},
		{"another commit", with(func(c *provenance.Channel) {
			c.Introduction = &provenance.Introduction{Commit: strings.Repeat("0", 40), Fingerprint: officialFingerprint}
		}), nil, false, "not the official one"},
		{"another signer", with(func(c *provenance.Channel) {
			c.Introduction = &provenance.Introduction{Commit: officialCommit, Fingerprint: officialFingerprint[:39] + "B"}
		}), nil, false, "not the official one"},
		{"empty introduction", with(func(c *provenance.Channel) { c.Introduction = &provenance.Introduction{} }), nil, false, "not the official one"},
		{"another name", with(func(c *provenance.Channel) { c.Name = "guix2" }), nil, false, "is not the channel guix"},
		{"another name, trusted", with(func(c *provenance.Channel) { c.Name = "guix2" }), []string{guixChannel().URL}, true, "--trust-channel"},
		{"address as an option", with(func(c *provenance.Channel) { c.URL = "--upload-pack=evil" }), nil, false, "address"},
		{"host as an option", with(func(c *provenance.Channel) { c.URL = "ssh://-oProxyCommand=evil/x" }), nil, false, "address"},
		{"address of a program", with(func(c *provenance.Channel) { c.URL = "ext::sh -c evil" }), nil, false, "address"},
		{"address with a space", with(func(c *provenance.Channel) { c.URL = "https://a b" }), nil, false, "address"},
		{"address with a newline", with(func(c *provenance.Channel) { c.URL = "https://a\nb" }), nil, false, "address"},
		{"no address", with(func(c *provenance.Channel) { c.URL = "" }), []string{""}, false, "address"},
		{"extra", extra, nil, false, "no introduction"},
		{"extra, trusted", extra, []string{"https://x", fixtures}, true, "nothing authenticates its history"},
		{"extra, almost trusted", extra, []string{fixtures + "/", "https://example.org/", strings.ToUpper(fixtures)}, false, "no introduction"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := plan(t, recipe(tt.channel), tt.trusted...)
			if len(p.Trust) != 1 || p.Trust[0].Trusted != tt.want || !strings.Contains(p.Trust[0].Why, tt.why) {
				t.Errorf("trust %+v, want %t because %s", p.Trust, tt.want, tt.why)
			}
			if (p.Refused == "") != tt.want {
				t.Errorf("refused: %q", p.Refused)
			}
			if !tt.want && (!strings.Contains(p.Refused, "--trust-channel "+shell.Word(tt.channel.URL)) || !strings.Contains(p.Refused, `"`+tt.channel.Name+`"`)) {
				t.Errorf("%q names neither the channel nor what would allow it", p.Refused)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(r *provenance.Recipe)
		want   string
	}{
		{"partial", func(r *provenance.Recipe) {
			r.Status = provenance.Partial
			r.Problems = []string{"two commits of guix", "no provenance of foo"}
		}, "the recipe is not complete: two commits of guix; no provenance of foo"},
		{"none", func(r *provenance.Recipe) { r.Status = provenance.None }, "the recipe is not complete (none)"},
		{"layers", func(r *provenance.Recipe) { r.Pack.Format = "layers" }, `"layers"`},
		{"odd link", func(r *provenance.Recipe) { r.Pack.Symlinks = []provenance.Symlink{{Source: "/a=b"}} }, "/a=b"},
		{"NUL", func(r *provenance.Recipe) { r.Pack.ImageTag = "a\x00b" }, "NUL"},
		{"NUL in a file", func(r *provenance.Recipe) { r.Files[1].Text = []byte{0} }, "NUL"},
		{"no manifest", func(r *provenance.Recipe) { r.Files = r.Files[:1] }, "no manifest.scm"},
		{"no root", func(r *provenance.Recipe) { r.Pack.Root = "" }, "no store item"},
		{"two of a name", func(r *provenance.Recipe) { r.Channels = append(r.Channels, guixChannel()) }, `two channels are named "guix"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := recipe(guixChannel())
			tt.change(&r)
			if got := plan(t, r).Refused; !strings.Contains(got, tt.want) {
				t.Errorf("refused: %q, want %q", got, tt.want)
			}
		})
	}
}
