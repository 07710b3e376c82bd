package docker

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCall(t *testing.T) {
	c := call{
		network: true, platform: "linux/arm64/v8", target: "final", rewrite: true, timestamp: "17", layers: true, format: "docker", file: "a b/Dockerfile", context: "https://x.org/a.git#main:sub",
		arguments: map[string]string{"B": "it's --b=1", "A": ""}, labels: map[string]string{"org.x/y": "$(id)"},
		contexts: map[string]string{"base": "docker-image://alpine:3"}, options: map[string]string{"ulimit": "nofile=1:2"},
	}
	want := []string{"build", "--no-cache", "--network=default", "--platform=linux/arm64/v8", "--target=final", "--build-arg=A=", "--build-arg=B=it's --b=1",
		"--label=org.x/y=$(id)", "--build-context=base=docker-image://alpine:3", "--opt=ulimit=nofile=1:2", "--output=type=oci,rewrite-timestamp=true",
		"--timestamp=17", "--layers", "--format=docker", "--file=a b/Dockerfile", "https://x.org/a.git#main:sub"}
	if diff := cmp.Diff(want, c.words()); diff != "" {
		t.Error(diff)
	}
	again, err := parseCall(c.words())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, again, cmp.AllowUnexported(call{})); diff != "" {
		t.Error(diff)
	}
}

// Options that open files, run programs or give up the sandbox are none of a
// plan's, and neither are contexts that are no address and no folder.
func TestParseCallRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"":                 "does not call docker build",
		"run --no-cache x": "does not call docker build",
		"build /x":         "does not call docker build",
		"build --pull /x":  "does not call docker build",
		"build --no-cache --secret=id=a,src=/etc/shadow /x": "no option",
		"build --no-cache --output=type=local,dest=/ /x":    "no option",
		"build --no-cache --network=host /x":                "no option",
		"build --no-cache --ssh=default /x":                 "no option",
		"build --no-cache --volume=/:/host /x":              "no option",
		"build --no-cache --security-opt=x /x":              "no option",
		"build --no-cache --build-arg=A /x":                 "name and a value",
		"build --no-cache --opt=context=/etc /x":            "no option of BuildKit",
		"build --no-cache --opt=force-network-mode=host /x": "no option of BuildKit",
		"build --no-cache --opt=build-arg:X=1 /x":           "no option of BuildKit",
		"build --no-cache --file=../../etc/passwd /x":       "no file in a context",
		"build --no-cache --file=/etc/passwd /x":            "no file in a context",
		"build --no-cache --platform=a /x":                  "no platform",
		"build --no-cache --target=-x /x":                   "no name of a stage",
		"build --no-cache --timestamp=now /x":               "no time",
		"build --no-cache --format=oci /x":                  "no format",
		"build --no-cache --build-context=a=local:/etc /x":  "not fetched by an address",
		"build --no-cache --build-context=a=/etc /x":        "not fetched by an address",
		"build --no-cache relative":                         "neither an address nor a folder",
		"build --no-cache -":                                "neither an address nor a folder",
		"build --no-cache file:///etc":                      "neither an address nor a folder",
		"build --no-cache https://-oProxyCommand=id/x.git":  "neither an address nor a folder",
		"build --no-cache ssh://-oProxyCommand=id/x":        "neither an address nor a folder",
		"build --no-cache git@-x:y":                         "neither an address nor a folder",
		"build --no-cache --layers=false /x":                "no option",
		"build --no-cache --network=none --tag=x /x":        "no option",
		"build --no-cache --target=a\x00b /x":               "no name of a stage",
		"build --no-cache --label=a=\x00 /x":                "NUL",
	} {
		if _, err := parseCall(strings.Split(line, " ")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}

// A call that is accepted is written as it was read.
func FuzzCall(f *testing.F) {
	f.Add("build\n--no-cache\n--network=none\n--build-arg=A=b\n/x")
	f.Fuzz(func(t *testing.T, lines string) {
		words := strings.Split(lines, "\n")
		c, err := parseCall(words)
		if err != nil {
			return
		}
		again, err := parseCall(c.words())
		if err != nil {
			t.Fatalf("%q is not read again: %v", c.words(), err)
		}
		if diff := cmp.Diff(c, again, cmp.AllowUnexported(call{})); diff != "" {
			t.Error(diff)
		}
	})
}
