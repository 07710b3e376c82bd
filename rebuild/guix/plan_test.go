package guix

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/compression"
	"audit/provenance"
	"audit/provenance/guix"
	"audit/provenance/guix/profile"
	"audit/rebuild"
	"audit/rebuild/shell"
	"audit/report"
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

func tinyPack() guix.Pack {
	return guix.Pack{Format: "docker", Root: profilePath, Compression: compression.Gzip, SystemType: "x86_64-linux",
		Manifest: profile.Manifest{{Name: "tiny", Version: "1", Output: "out"}}}
}

func recipe(channels ...provenance.Channel) provenance.Recipe {
	return recipeOf(tinyPack(), channels...)
}

func recipeOf(pack guix.Pack, channels ...provenance.Channel) provenance.Recipe {
	return provenance.Recipe{System: guix.Name, Status: provenance.Complete, Channels: channels, Root: pack.Root, Details: pack}
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

// words are the sentences of messages.
func words(messages []check.Message) string {
	return report.AllSentences(sentences()).Join(messages)
}

// details returns what a plan holds.
func details(t *testing.T, p rebuild.Plan) Details {
	t.Helper()
	d, err := rebuild.DetailsOf[Details](p)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestNewPlan(t *testing.T) {
	got := plan(t, recipe(guixChannel()))
	const address = "https://git.guix.gnu.org/guix.git"
	want := rebuild.Plan{
		System: guix.Name, Image: "tiny.tar.gz", ConfigDigest: "sha256:" + strings.Repeat("ab", 32),
		Command: []string{"guix", "time-machine", "-C", "channels.scm", "--", "pack", "--format=docker", "--save-provenance", "--system=x86_64-linux", "--compression=gzip", "-m", "manifest.scm"},
		Trust: []rebuild.Trust{{Kind: "channel", Channel: "guix", URL: address, Trusted: true, Flag: "--trust-channel " + address,
			Reason: check.Say("plan/channel-official", "name", "guix", "address", address, "flag", "--trust-channel "+address)}},
		Details: Details{Pack: tinyPack(), Channels: []provenance.Channel{guixChannel()}},
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
	if again, err = Vet(again, Trusted{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("a stored plan is another one:\n%s", diff)
	}
}

func TestNewPlanOfAnotherSystem(t *testing.T) {
	if _, err := NewPlan(image(), provenance.Recipe{System: "other"}, Trusted{}); !errors.Is(err, provenance.ErrNotMine) {
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
	at := func(url string) provenance.Channel {
		return with(func(c *provenance.Channel) { c.URL = url })
	}
	extra := provenance.Channel{Name: "fixtures", URL: fixtures, Commit: strings.Repeat("0", 40)}
	for _, tt := range []struct {
		name    string
		channel provenance.Channel
		trusted []string
		want    bool
		code    string
	}{
		{"official", guixChannel(), nil, true, "channel-official"},
		{"official, of before 1.5", at("https://git.savannah.gnu.org/git/guix.git"), nil, true, "channel-official"},
		{"official, at Codeberg", at("https://codeberg.org/guix/guix.git"), nil, true, "channel-official"},
		{"official, elsewhere", at("https://mirror.example/guix"), nil, false, "channel-elsewhere"},
		{"official, not encrypted", at("http://git.guix.gnu.org/guix.git"), nil, false, "channel-elsewhere"},
		{"official, by ssh", at("ssh://git@git.guix.gnu.org/guix.git"), nil, false, "channel-elsewhere"},
		{"official, with a password", at("https://user:secret@git.guix.gnu.org/guix.git"), nil, false, "channel-elsewhere"},
		{"official, in this network", at("https://10.0.0.1/guix.git"), nil, false, "channel-elsewhere"},
		{"official, in a file", at("file:///srv/guix.git"), nil, false, "channel-local"},
		{"official, a path", at("/srv/guix.git"), nil, false, "channel-local"},
		{"official, a path, trusted", at("/srv/guix.git"), []string{"/srv/guix.git"}, true, "channel-named"},
		{"official, written otherwise", with(func(c *provenance.Channel) {
			c.Introduction = &provenance.Introduction{Commit: strings.ToUpper(officialCommit), Fingerprint: "bbb02ddf2ceaf6a80d1d e643a2a06df2a33a54fa"}
		}), nil, true, "channel-official"},
		{"no introduction", with(func(c *provenance.Channel) { c.Introduction = nil }), nil, false, "channel-unauthenticated"},
		{"another commit", with(func(c *provenance.Channel) {
			c.Introduction = &provenance.Introduction{Commit: strings.Repeat("0", 40), Fingerprint: officialFingerprint}
		}), nil, false, "channel-of-others"},
		{"another signer", with(func(c *provenance.Channel) {
			c.Introduction = &provenance.Introduction{Commit: officialCommit, Fingerprint: officialFingerprint[:39] + "B"}
		}), nil, false, "channel-of-others"},
		{"another name", with(func(c *provenance.Channel) { c.Name = "guix2" }), nil, false, "channel-not-guix"},
		{"another name, trusted", with(func(c *provenance.Channel) { c.Name = "guix2" }), []string{guixChannel().URL}, true, "channel-named"},
		{"address as an option", at("--upload-pack=evil"), []string{"--upload-pack=evil"}, false, "channel-without-address"},
		{"host as an option", at("ssh://-oProxyCommand=evil/x"), []string{"ssh://-oProxyCommand=evil/x"}, false, "channel-without-address"},
		{"address of a program", at("ext::sh -c evil"), nil, false, "channel-without-address"},
		{"address with a space", at("https://a b"), []string{"https://a b"}, false, "channel-without-address"},
		{"extra", extra, nil, false, "channel-unauthenticated"},
		{"extra, trusted", extra, []string{"https://x", fixtures}, true, "channel-named-unauthenticated"},
		{"extra, almost trusted", extra, []string{fixtures + "/", "https://example.org/", strings.ToUpper(fixtures)}, false, "channel-unauthenticated"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := plan(t, recipe(tt.channel), tt.trusted...)
			if len(p.Trust) != 1 || p.Trust[0].Trusted != tt.want || p.Trust[0].Reason.Code != "plan/"+tt.code {
				t.Errorf("trust %+v, want %t because %s", p.Trust, tt.want, tt.code)
			}
			if (len(p.Reasons) == 0) != tt.want {
				t.Errorf("refused: %v", p.Reasons)
			}
			refused := words(p.Reasons)
			if strings.Contains(refused, "secret") {
				t.Errorf("%q shows a password", refused)
			}
			flag := "--trust-channel " + shell.Word(rebuild.WithoutSecrets(tt.channel.URL))
			if !tt.want && (tt.code != "channel-without-address" && !strings.Contains(refused, flag) || !strings.Contains(refused, `"`+tt.channel.Name+`"`)) {
				t.Errorf("%q names neither the channel nor what would allow it", refused)
			}
		})
	}
}

// Transformations that reach out of the channels are refused unless they are named.
func TestTransformations(t *testing.T) {
	for _, tt := range []struct {
		option, value string
		sources       []string
		code          string // "" for trusted
	}{
		{"with-input", "openssl=libressl@3", nil, ""},
		{"with-graft", "a=b", nil, ""},
		{"with-c-toolchain", "a=gcc-toolchain@12,b", nil, ""},
		{"with-debug-info", "zlib", nil, ""},
		{"without-tests", "python-foo", nil, ""},
		{"tune", "skylake", nil, ""},
		{"with-input", "a", nil, "transformation-not-known"},
		{"without-tests", "file:///etc/passwd", nil, "transformation-not-known"},
		{"with-input", "a=http://internal/x", nil, "transformation-not-known"},
		{"tune", "", nil, "transformation-not-known"},
		{"with-configure-flag", "a=--with-x", nil, "transformation-not-known"},
		{"with-something-new", "a=b", nil, "transformation-not-known"},
		{"with-something-new", "a=b", []string{"with-something-new=a=b"}, ""},
		{"with-source", "hello=https://example.org/a/hello.tar.gz", nil, "transformation-fetches"},
		{"with-source", "hello=https://example.org/a/hello.tar.gz", []string{"https://example.org/a"}, ""},
		{"with-source", "https://example.org/a/hello.tar.gz", []string{"https://example.org/a/"}, ""},
		{"with-source", "hello=https://example.org/ab/hello.tar.gz", []string{"https://example.org/a"}, "transformation-fetches"},
		{"with-source", "hello=https://u:secret@example.org/a", nil, "transformation-fetches"},
		{"with-source", "hello=file:///home/u/.ssh/id_rsa", []string{"file:///", "https://"}, "transformation-fetches"},
		{"with-source", "hello=FILE:///home/u/.ssh/id_rsa", []string{"file:///home"}, "transformation-fetches"},
		{"with-source", "hello=/home/u/.ssh/id_rsa", []string{"/home/u"}, "transformation-fetches"},
		{"with-source", "hello=http://internal/x.tar.gz", []string{"http://internal/"}, "transformation-fetches"},
		{"with-source", "hello=http://169.254.169.254/latest", []string{"http://169.254.169.254/"}, "transformation-fetches"},
		{"with-source", "hello=http://169.254.169.254/latest", []string{"http://169.254.169.254/latest"}, ""},
		{"with-git-url", "hello=https://example.org/hello.git", nil, "transformation-fetches"},
		{"with-git-url", "hello=ssh://git@10.0.0.1/hello.git", []string{"ssh://10.0.0.1/"}, "transformation-fetches"},
		{"with-patch", "hello=/home/u/x.patch", nil, "transformation-fetches"},
		{"with-branch", "hello=main", nil, "transformation-moves"},
		{"with-commit", "hello=0123", []string{"with-commit=hello=0123"}, ""},
		{"with-commit", "hello=0123", []string{"with-commit=hello"}, "transformation-moves"},
		{"with-latest", "hello", nil, "transformation-moves"},
		{"with-version", "hello=3", nil, "transformation-moves"},
	} {
		pack := tinyPack()
		pack.Manifest[0].Transformations = []profile.Transformation{{Option: tt.option, Value: tt.value}}
		p, err := NewPlan(image(), recipeOf(pack, guixChannel()), Trusted{Sources: tt.sources})
		if err != nil {
			t.Fatal(err)
		}
		name := tt.option + "=" + tt.value
		if trusted := len(p.Trust) == 2 && p.Trust[1].Trusted; trusted != (tt.code == "") || trusted != (len(p.Reasons) == 0) {
			t.Errorf("%s with %q: %+v, %v", name, tt.sources, p.Trust, p.Reasons)
		}
		if tt.code != "" && (len(p.Reasons) != 2 || p.Reasons[1].Code != "plan/"+tt.code) {
			t.Errorf("%s with %q: %v", name, tt.sources, p.Reasons)
		}
		if strings.Contains(words(p.Reasons), "secret") {
			t.Errorf("%s: %s shows a password", name, words(p.Reasons))
		}
		// A stored plan says nothing of what this user trusts.
		byDefault := tt.code == "" && tt.sources == nil
		if again, err := Vet(stored(t, p), Trusted{}); err != nil || (len(again.Reasons) == 0) != byDefault {
			t.Errorf("%s: vetted %v, %v", name, again.Reasons, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(r *provenance.Recipe, p *guix.Pack)
		want   string
	}{
		{"partial", func(r *provenance.Recipe, _ *guix.Pack) {
			r.Status = provenance.Partial
			r.Missing = []check.Message{check.Say("recipe/no-packages"), check.Say("recipe/no-root")}
		}, "the recipe is not complete (partial); --guix-channels and --guix-manifest take what it lacks from files; the profile lists no packages, so nothing shows which channels it was made with; nothing in the image"},
		{"none", func(r *provenance.Recipe, _ *guix.Pack) { r.Status = provenance.None }, "the recipe is not complete (none); --guix-channels and --guix-manifest take what it lacks from files"},
		{"layers", func(_ *provenance.Recipe, p *guix.Pack) { p.Format = "layers" }, `"layers"`},
		{"odd link", func(_ *provenance.Recipe, p *guix.Pack) { p.Symlinks = []guix.Symlink{{Source: "/a=b"}} }, "/a=b"},
		{"relative link", func(_ *provenance.Recipe, p *guix.Pack) { p.Symlinks = []guix.Symlink{{Source: "a"}} }, "cannot make the link"},
		{"NUL", func(_ *provenance.Recipe, p *guix.Pack) { p.ImageTag = "a\x00b" }, "NUL"},
		{"NUL in the entry point", func(_ *provenance.Recipe, p *guix.Pack) { p.EntryPoint = []string{"a\x00b"} }, "NUL"},
		{"no packages", func(_ *provenance.Recipe, p *guix.Pack) { p.Manifest = nil }, "no packages for manifest.scm"},
		{"no channels", func(r *provenance.Recipe, _ *guix.Pack) { r.Channels = nil }, "no channels for channels.scm"},
		{"no root", func(_ *provenance.Recipe, p *guix.Pack) { p.Root = "" }, "no store item"},
		{"a system type of options", func(_ *provenance.Recipe, p *guix.Pack) { p.SystemType = "x --load-path=." }, "no system type"},
		{"another profile's name", func(_ *provenance.Recipe, p *guix.Pack) { p.ProfileName = "../x" }, "a profile named"},
		{"two of a name", func(r *provenance.Recipe, _ *guix.Pack) { r.Channels = append(r.Channels, guixChannel()) }, `two channels are named "guix"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pack := tinyPack()
			r := recipe(guixChannel())
			tt.change(&r, &pack)
			r.Details = pack
			if got := words(plan(t, r).Reasons); !strings.Contains(got, tt.want) {
				t.Errorf("refused: %q, want %q", got, tt.want)
			}
		})
	}
}
