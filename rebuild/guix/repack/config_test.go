package repack

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/guix"
	"audit/report"
)

func TestKeep(t *testing.T) {
	const hash = "ypn3grvqkxxn1829wfbmla6hrgn49wcj"
	for path, want := range map[string]bool{
		"gnu/store/" + hash + "-profile/etc/profile":       true,
		"gnu/store/" + hash + "-profile/manifest":          true,
		"gnu/store/" + hash + "-profile":                   false,
		"gnu/store/" + hash + "-profile/etc/profile.d":     false,
		"gnu/store/" + hash + "-x/y/z-profile/etc/profile": false,
		"etc/profile": false,
		"nix/store/" + hash + "-profile/etc/profile": false,
	} {
		if Keep(path) != want {
			t.Errorf("Keep(%q) = %t", path, !want)
		}
	}
}

func TestExports(t *testing.T) {
	const root = "/gnu/store/x-profile"
	text := `# export COMMENT="x"

export PATH="${GUIX_PROFILE:-/gnu/store/x-profile}/bin:${GUIX_PROFILE:-/gnu/store/x-profile}/sbin${PATH:+:}$PATH"
export GIT_SSL_CAINFO="${GUIX_PROFILE:-/gnu/store/x-profile}/etc/ssl/certs/ca-certificates.crt"
export nonsense
`
	want := []string{"PATH=/gnu/store/x-profile/bin:/gnu/store/x-profile/sbin", "GIT_SSL_CAINFO=/gnu/store/x-profile/etc/ssl/certs/ca-certificates.crt"}
	if got := exports([]byte(text), root); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// guile-json escapes seven characters and leaves all others as they are.
func TestConfigText(t *testing.T) {
	img := &inspect.Image{Layers: []*inspect.Layer{{DiffID: v1.Hash{Algorithm: "sha256", Hex: "00"}}}}
	pack := guix.Pack{Root: "/r", SystemType: "aarch64-linux", EntryPoint: []string{"bin/x", "a\"b\\c\b\f\n\r\t/\x01é<&>\u2028"}}
	for _, c := range []struct {
		era  era
		want string
	}{
		{era{}, `"config":{"entrypoint":["/r/bin/x","a\"b\\c\b\f\n\r\t/` + "\x01é<&>\u2028" + `"]},"container_config":null,"os"`},
		{era{env: true}, `"config":{"env":["A=1","B=2"],"entrypoint":[`},
	} {
		got := string(configText(img, pack, c.era, []string{"A=1", "B=2"}))
		if !strings.HasPrefix(got, `{"architecture":"arm64","comment":`) || !strings.Contains(got, c.want) {
			t.Errorf("%s\nlacks %s", got, c.want)
		}
	}
	pack.EntryPoint = nil
	if got := string(configText(img, pack, era{}, nil)); !strings.Contains(got, `"config":null,`) {
		t.Error(got)
	}
}

// Without the profile's etc/profile the search paths are taken from the
// config, but only as far as they lead into the profile.
func TestUnreadProfile(t *testing.T) {
	for _, c := range []struct {
		change func(testing.TB, *rawImage)
		want   check.Status
	}{
		{func(testing.TB, *rawImage) {}, check.Pass},
		{editConfig(`-profile/bin"]`, `-profile/bin","LD_PRELOAD=/gnu/store/x.so"]`), check.Fail},
	} {
		raw := apart(t, samples+"/"+plainImage)
		c.change(t, raw)
		img, err := inspect.Open(t.Context(), raw.pack(t), inspect.Options{Stores: fixtures.Stores()})
		if err != nil {
			t.Fatal(err)
		}
		got := Check(img, recipeOf(t, img, "1.5"))
		if got.Status != c.want || !hasRule(got, "env-unchecked") {
			dump(t, got)
			t.Errorf("want %s", c.want)
		}
	}
}

// Tools that copy an image write its config anew. That is no fault while it
// means the same, and when it does not have the packer's name.
func TestRewrittenConfig(t *testing.T) {
	const rewritten = `{"created":"1970-01-01T00:00:01Z","architecture":"amd64","os":"linux","config":{"Env":["PATH=/gnu/store/ypn3grvqkxxn1829wfbmla6hrgn49wcj-profile/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:`
	for _, c := range []struct {
		member, old, new string
		want             check.Status
		field            string // of the first problem
	}{
		{"0123.json", "", "", check.Pass, ""},
		{"config.json", "", "", check.Fail, "config.Env"},
		{"0123.json", `"Env":[`, `"User":"1","Env":[`, check.Fail, "config.User"},
		{"0123.json", `"Env":[`, `"Healthcheck":{"Test":["CMD","x"]},"Env":[`, check.Fail, "config.Healthcheck"},
		{"0123.json", `"Env":[`, `"Env":["LD_PRELOAD=/x",`, check.Fail, "config.Env[0]"},
		{"0123.json", `linux`, `plan9`, check.Fail, "os"},
	} {
		img := open(t, samples+"/"+plainImage)
		text := strings.Replace(rewritten+img.Layers[0].DiffID.Hex+`"]}}`, c.old, c.new, 1)
		img.Config = inspect.Config{Member: c.member, Raw: []byte(text)}
		if err := json.Unmarshal(img.Config.Raw, &img.Config.File); err != nil {
			t.Fatal(err)
		}
		got := Check(img, recipeOf(t, img, "1.5"))
		if got.Status != c.want || hasRule(got, "config-rewritten") != (c.want == check.Pass) {
			dump(t, got)
			t.Errorf("%+v", c)
		}
		first := slices.IndexFunc(got.Findings, func(f check.Finding) bool { return f.Level == check.Problem })
		if c.field != "" && (first < 0 || got.Findings[first].Args.String("field") != c.field) {
			dump(t, got)
			t.Errorf("the first problem is not about %s", c.field)
		}
	}
}

func hasRule(c check.Check, rule string) bool {
	return slices.ContainsFunc(c.Findings, func(f check.Finding) bool { return familyOf(f) == rule })
}

func TestConfigDifference(t *testing.T) {
	const due = `{"a":{"b":[1,"x"]},"c":null}`
	for raw, want := range map[string]string{
		`{"a":{"b":[1,"y"]},"c":null}`:       `a.b[1] is "y", the packer writes "x"`,
		`{"a":{"b":[1]},"c":null}`:           `a.b[1] is missing, the packer writes "x"`,
		`{"a":{"b":[1,"x",2]},"c":null}`:     `a.b[2] is 2, the packer writes no such field`,
		`{"a":{"b":[1,"x"],"d":0},"c":null}`: `a.d is 0, the packer writes no such field`,
		`{"a":{"b":[1,"x"]}}`:                `c is missing, the packer writes null`,
		`{"a":7,"c":null}`:                   `a is 7, the packer writes {"b":[1,"x"]}`,
		`{"a":{"b":[1,"x"]},"c":{}}`:         `c is {}, the packer writes null`,
		`[]`:                                 ` is [], the packer writes {"a":{"b":[1,"x"]},"c":null}`,
		`{"c":null,"a":{"b":[1,"x"]}}`:       `the same values in another text: from byte 2 on it reads c":null,"a":{"b":[1,"x"]}}, the packer writes a":{"b":[1,"x"]},"c":null}`,
		`{"a":{"b":[1,"x"]},"a":0,"c":null}`: `a#2 is 0, the packer writes no such field`,
		`{"a":{"b":[1,"x"]},"c":null`:        `it is no JSON: unexpected end of JSON input`,
	} {
		if got := report.AllSentences().Text(configDifferences([]byte(raw), []byte(due))[0].Message); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", raw, got, want)
		}
	}
}
