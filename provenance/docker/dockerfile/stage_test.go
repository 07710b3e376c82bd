package dockerfile

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"audit/inspect"
)

// The stages of a Dockerfile are those that BuildKit makes of it: see .ci/buildkit,
// which writes the list.
func TestStagesAreBuildKits(t *testing.T) {
	list, err := os.ReadFile("testdata/stages.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		quoted, want, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		text, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatal(err)
		}
		stages, err := Stages(text, nil)
		if refused := strings.HasPrefix(want, "refused: "); refused {
			if _, syntax := errors.AsType[*SyntaxError](err); !syntax {
				t.Errorf("%s: %v, %v, BuildKit has %s", quoted, stages, err, want)
			}
			continue
		}
		var got []string
		for _, s := range stages {
			got = append(got, strings.TrimSpace(s.Image+" "+s.Name))
		}
		if got := strings.Join(got, ", "); err != nil || got != want {
			t.Errorf("%s: %q, %v, BuildKit has %q", quoted, got, err, want)
		}
	}
}

// What the platform of a build decides stays as it is written, and what no shell can
// be asked about is refused.
func TestStageImages(t *testing.T) {
	if stages, err := Stages("FROM a:$TARGETARCH\n", nil); err != nil || stages[0].Image != "a:$TARGETARCH" {
		t.Errorf("a platform: %v, %v", stages, err)
	}
	if _, err := Stages("FROM a\x00$b\n", nil); err == nil {
		t.Error("a NUL character is taken")
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
