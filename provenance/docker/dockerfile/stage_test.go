package dockerfile

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/inspect"
)

// The name of an image is what BuildKit 0.20 makes of it.
func TestStageImages(t *testing.T) {
	for text, want := range map[string]string{ // "" where BuildKit refuses it
		"FROM \"alpine:3\"\n":          "alpine:3",
		"FROM 'alpine:3'\n":            "alpine:3",
		"FROM ${U:-${W:-x:1}}\n":       "x:1",
		"FROM ${V-x}\n":                "x",
		"ARG V=\nFROM ${V-x}y\n":       "y",
		"ARG V=a\nFROM ${V+x}\n":       "x",
		"ARG V=a.tar\nFROM ${V%.*}\n":  "a",
		"ARG V=a.tar\nFROM ${V#a.}\n":  "tar",
		"ARG V=abab\nFROM ${V/a/x}\n":  "xbab",
		"ARG V=abab\nFROM ${V//a/x}\n": "xbxb",
		"FROM a\\$b\n":                 "a$b",
		"# escape=`\nFROM a`$b\n":      "a$b",
		"ARG V=\"3 4\"\nFROM $V\n":     "3 4",
		"ARG A=1 B=2\nFROM a:$A.$B\n":  "a:1.2",
		"FROM a:$TARGETARCH\n":         "a:$TARGETARCH",
		"ARG V=a\nARG V\nFROM $V\n":    "a",
		"FROM a AS b\n":                "a",
		"FROM a bs b\n":                "",
		"FROM a AS b c\n":              "",
		"FROM a AS $X\n":               "",
		"FROM a AS 1b\n":               "",
		"FROM\n":                       "",
		"FROM $X\n":                    "",
		"FROM ${X?no}\n":               "",
		"FROM \"a\n":                   "",
		"FROM ${a\n":                   "",
		"ARG =a\nFROM a\n":             "",
		"RUN a\nFROM a\n":              "",
		"FROM a\x00$b\n":               "",
	} {
		stages, err := Stages(text, nil)
		if _, syntax := errors.AsType[*SyntaxError](err); syntax != (want == "") {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if err == nil && stages[0].Image != want {
			t.Errorf("%q: %q, want %q", text, stages[0].Image, want)
		}
	}
	text := "ARG A=xxxxxxxxxx\nFROM " + "${A//x/${A//x/${A//x/${A//x/${A//x/${A//x/${A//x/${A//x/$A}}}}}}}}\n"
	if _, err := Stages(text, nil); !isLimit(err) {
		t.Errorf("replacements in each other: %v", err)
	}
}

func isLimit(err error) bool {
	_, ok := errors.AsType[*inspect.LimitError](err)
	return ok
}

func TestImages(t *testing.T) {
	stages, err := Stages(`ARG U
FROM alpine:3 AS build
RUN --mount=type=bind,from=y.org/y:1 --mount=from=build,target=/b a
FROM ${U:-${W:-z.org/z:1}}
COPY --from=x.org/x:1 a b
COPY --from=busybox a b
COPY --from=Build a b
COPY --from=0 a b
FROM build
FROM scratch
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"alpine:3", "y.org/y:1", "z.org/z:1", "x.org/x:1", "busybox"}
	if diff := cmp.Diff(want, Images(stages)); diff != "" {
		t.Error(diff)
	}
}
