package docker

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/provenance/docker"
	"audit/rebuild"
)

// words writes the details as the command line of docker build, for tests.
func words(t testing.TB, plan rebuild.Plan) []string {
	t.Helper()
	d, err := rebuild.DetailsOf[Details](plan)
	if err != nil {
		t.Fatal(err)
	}
	a := arguments{Details: d}
	all := append(a.flags(), pairs("--opt=", d.Options)...)
	if d.Rewrite {
		all = append(all, "--output=type=oci,rewrite-timestamp=true")
	}
	if d.Timestamp != "" {
		all = append(all, "--timestamp="+d.Timestamp)
	}
	if d.Layers {
		all = append(all, "--layers")
	}
	if d.Dockerfile != "" {
		all = append(all, "--file="+d.Dockerfile)
	}
	return append(all, d.Context)
}

func full() Details {
	return Details{
		Engine: docker.BuildKit, Context: "https://x.org/a.git#main:sub", Dockerfile: "a b/Dockerfile", Target: "final",
		Arguments: map[string]string{"B": "it's --b=1", "A": ""}, Given: []string{"C"}, Labels: map[string]string{"org.x/y": "$(id)"},
		Contexts: map[string]string{"base": "docker-image://alpine:3"}, Options: map[string]string{"ulimit": "nofile=1:2"},
		Frontends: []string{"docker/dockerfile:1"}, Network: true, Fetch: FetchPinned, Platform: "linux/arm64/v8",
		Pins:    []Pin{{"image", "docker.io/library/alpine:3", "sha256:" + zeros}, {"git", "https://x.org/a.git#main", zeros[:40]}},
		Rewrite: true, Timestamp: "17", Layers: true, Format: "docker",
	}
}

// Each engine's command line is made of the details: what an image chose stands
// behind the name of its option in one word.
func TestArguments(t *testing.T) {
	a := arguments{Details: full(), values: map[string]string{"C": "secret"}}
	want := []string{"--no-cache", "--network=default", "--platform=linux/arm64/v8", "--target=final", "--build-arg=A=", "--build-arg=B=it's --b=1",
		"--build-arg=C=secret", "--label=org.x/y=$(id)", "--build-context=base=docker-image://alpine:3"}
	if diff := cmp.Diff(want, a.flags()); diff != "" {
		t.Error(diff)
	}
	want = []string{"--frontend=dockerfile.v0", "--no-cache", "--opt=platform=linux/arm64/v8", "--opt=target=final", "--opt=build-arg:A=", "--opt=build-arg:B=it's --b=1",
		"--opt=build-arg:C=secret", "--opt=label:org.x/y=$(id)", "--opt=context:base=docker-image://alpine:3", "--opt=ulimit=nofile=1:2",
		"--opt=filename=a b/Dockerfile", "--opt=context=https://x.org/a.git#main:sub"}
	if diff := cmp.Diff(want, a.buildctlFlags(a.Context, "")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"--layers=true", "--timestamp=17", "--format=docker"}, a.buildahFlags()); diff != "" {
		t.Error(diff)
	}
	a.Network, a.Frontends = false, nil
	flags := strings.Join(a.buildctlFlags("/x", "/y"), " ")
	if !strings.Contains(flags, "--opt=force-network-mode=none --opt=cmdline= ") || !strings.HasSuffix(flags, "--local=context=/x --local=dockerfile=/x") {
		t.Error(flags)
	}
}

// Details are stored and read again as they were, and a plan from a file has no
// others: fields that open files, run programs or give up the sandbox are none.
func TestDetailsAreStrict(t *testing.T) {
	d := full()
	text, err := json.Marshal(rebuild.Plan{System: docker.Name, Details: d})
	if err != nil {
		t.Fatal(err)
	}
	var plan rebuild.Plan
	if err := json.Unmarshal(text, &plan); err != nil {
		t.Fatal(err)
	}
	again, err := rebuild.DetailsOf[Details](plan)
	if diff := cmp.Diff(d, again); diff != "" || err != nil || d.check() != nil {
		t.Errorf("%v %v %s", err, d.check(), diff)
	}
	for _, field := range []string{`"secret":"id=a,src=/etc/shadow"`, `"options":["--privileged"]`, `"network":"host"`, `"pack":["build"]`} {
		plan.Details = json.RawMessage(`{` + field + `}`)
		if _, err := Vet(plan, Input{}); err == nil {
			t.Errorf("%s is accepted", field)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for want, changes := range map[string][]func(d *Details){
		"no engine":                   {func(d *Details) { d.Engine = "sh" }},
		"no option of BuildKit":       {func(d *Details) { d.Options = map[string]string{"context": "/etc"} }, func(d *Details) { d.Options = map[string]string{"force-network-mode": "host"} }, func(d *Details) { d.Options = map[string]string{"build-arg:X": "1"} }, func(d *Details) { d.Options = map[string]string{"cmdline": ""} }},
		"no file in a context":        {func(d *Details) { d.Dockerfile = "../../etc/passwd" }, func(d *Details) { d.Dockerfile = "/etc/passwd" }, func(d *Details) { d.Dockerfile = "-x" }},
		"no platform":                 {func(d *Details) { d.Platform = "a" }},
		"no name of a stage":          {func(d *Details) { d.Target = "-x" }, func(d *Details) { d.Target = "a\x00b" }},
		"no time":                     {func(d *Details) { d.Timestamp = "now" }},
		"no format":                   {func(d *Details) { d.Format = "oci" }},
		"not fetched by an address":   {func(d *Details) { d.Contexts = map[string]string{"a": "local:/etc"} }, func(d *Details) { d.Contexts = map[string]string{"a": "/etc"} }},
		"neither an address nor a":    {func(d *Details) { d.Context = "relative" }, func(d *Details) { d.Context = "-" }, func(d *Details) { d.Context = "file:///etc" }, func(d *Details) { d.Context = "https://-oProxyCommand=id/x.git" }, func(d *Details) { d.Context = "ssh://-oProxyCommand=id/x" }, func(d *Details) { d.Context = "git@-x:y" }},
		"has user info":               {func(d *Details) { d.Context = "https://token@x.org/a.git" }},
		"no name of an argument":      {func(d *Details) { d.Labels = map[string]string{"a": "\x00"} }, func(d *Details) { d.Arguments = map[string]string{"-a": ""} }},
		"no name of a build argument": {func(d *Details) { d.Given = []string{"A"} }, func(d *Details) { d.Given = []string{"a b"} }},
		"cannot go with a context":    {func(d *Details) { d.Text = "FROM scratch" }},
		"NUL":                         {func(d *Details) { d.Context, d.Text = "/x", "\x00" }},
		"what may be fetched":         {func(d *Details) { d.Fetch = "" }},
		"no name of an image":         {func(d *Details) { d.Frontends = []string{"-x"} }},
		"no digest of it":             {func(d *Details) { d.Pins[0].Digest = "latest" }, func(d *Details) { d.Pins[0].Kind = "local" }, func(d *Details) { d.Pins[1].Name = "/etc" }},
	} {
		for n, change := range changes {
			d := full()
			change(&d)
			if err := d.check(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %d: %v", want, n, err)
			}
		}
	}
}

// No details make it past the checks that write a word which could be taken for
// another option.
func FuzzDetails(f *testing.F) {
	text, err := json.Marshal(full())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Fuzz(func(t *testing.T, text string) {
		d, err := rebuild.DetailsOf[Details](rebuild.Plan{Details: json.RawMessage(text)})
		if err != nil || d.check() != nil {
			return
		}
		a := arguments{Details: d}
		for _, word := range append(append(a.flags(), a.buildahFlags()...), a.buildctlFlags(d.Context, "/dir")...) {
			if !strings.HasPrefix(word, "--") || strings.Contains(word, "\x00") {
				t.Errorf("%q", word)
			}
		}
		judge(&d, Input{}, nil)
	})
}
