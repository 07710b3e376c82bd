package docker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What engines say of stages: one that starts from nothing, or from another
// stage, takes nothing from outside, whatever its name is written as.
func TestItemsOfStages(t *testing.T) {
	const id = "8522193c3f2999df6e775b66c7acdc6d01a189267fdc180ac9d8a3899325ef56"
	for name, tc := range map[string]struct{ log, want string }{
		"classic": {`
Step 1/8 : ARG ROOT=scratch
Step 2/8 : FROM ${ROOT} AS tools
 ---> 
Step 3/8 : COPY a /a
 ---> 84e28b5daf71
Step 4/8 : FROM $STAGE
 ---> 84e28b5daf71
Step 5/8 : FROM TOOLS AS more
 ---> 84e28b5daf71
Step 6/8 : FROM debian:12
 ---> 0123456789ab
Step 7/8 : FROM $DEBIAN
 ---> 0123456789ab
Step 8/8 : RUN x
 ---> Running in 375566b51890
`, "built 1/8 ARG ROOT=scratch, built 3/8 COPY a /a, reused 6/8 FROM debian:12, reused 7/8 FROM $DEBIAN, built 8/8 RUN x"},
		"buildah": {`
[1/3] STEP 1/2: FROM scratch AS tools
[1/3] STEP 2/2: COPY a /a
[3/3] STEP 1/2: FROM ` + id + `
[2/3] STEP 1/2: FROM ` + id + ` AS builder
[2/3] STEP 2/2: RUN x
[3/3] STEP 2/2: RUN y
`, "built 1 2/2 COPY a /a, built 2 2/2 RUN x, built 3 2/2 RUN y"},
		"buildah, one stage": {"STEP 1/2: FROM docker.io/library/debian:12\nSTEP 2/2: RUN x\n", "reused 1/2 FROM docker.io/library/debian:12, built 2/2 RUN x"},
		"BuildKit": {`
#4 [tools 1/2] FROM docker.io/library/debian:12@sha256:0
#5 [tools 2/2] RUN x
#6 [stage-1 1/1] COPY --from=tools /x /x
#5 CACHED
`, "built stage-1 1/1 COPY --from=tools /x /x, pinned tools 1/2 FROM docker.io/library/debian:12@sha256:0, reused tools 2/2 RUN x"},
	} {
		s := newSteps()
		for line := range strings.Lines(tc.log) {
			if _, err := s.Write([]byte(line)); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, it := range s.items(func(image string) bool { return strings.HasSuffix(image, "@sha256:0") }, secrets{}) {
			got = append(got, fmt.Sprintf("%s %s", it.How, it.Path))
		}
		if diff := cmp.Diff(tc.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
