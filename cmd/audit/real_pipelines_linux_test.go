package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRealPipelines has tools that read the files of GitHub and GitLab read those that
// audit prints: actionlint a workflow, and gitlab-ci-local, which holds a pipeline against
// GitLab's schema, and runs it. The list has a name that means something to all of them.
// It needs git, rsync, and the folder of the two tools, AUDIT_TEST_PIPELINES.
func TestRealPipelines(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "pipelines" {
		t.Skip("needs git, rsync, and the folder of actionlint and gitlab-ci-local, AUDIT_TEST_PIPELINES: AUDIT_TEST_REAL=pipelines says that they are there")
	}
	l := newFleetLab(t)
	l.env = append(l.env, "LIST="+hostileList, "IMAGE="+engineImage, "PATH="+l.dir+"/bin:"+os.Getenv("AUDIT_TEST_PIPELINES")+":"+os.Getenv("PATH"))
	l.run(t, `cd share && git init -q && mkdir -p .github/workflows && mv images.txt ./"$LIST"
		audit batch --engine github -o results -- "$LIST" >.github/workflows/own.yml
		audit batch --engine github --engine-image "$IMAGE" --shards 256 -o results -- "$LIST" >.github/workflows/image.yml
		actionlint -ignore SC2016 -ignore SC1003`) // which are about the name of the list
	const shards = 3
	out := l.run(t, fmt.Sprintf(`cd share && audit batch --engine gitlab --shards %d -o results -- "$LIST" >.gitlab-ci.yml
		git add -A && git -c user.name=lab -c user.email=lab@example commit -qm list
		gitlab-ci-local --shell-isolation 2>&1`, shards))
	if !strings.Contains(out, "json schema validated") {
		t.Errorf("GitLab's schema was not asked:\n%s", out)
	}
	results := filepath.Join(l.share, "results")
	if tries := l.whole(t, results, l.images); fmt.Sprint(tries) != fmt.Sprint(triedTwice(0)) {
		t.Errorf("images were tried %v times", tries)
	}
	l.checkSummary(t, results)
	if left, _ := filepath.Glob(filepath.Join(l.share, "*broken*")); len(left) != 1 { // the list
		t.Errorf("the name of the list was run as a command: %v", left)
	}
	if !t.Failed() {
		fmt.Printf("real suite: pipelines %d images in %d jobs by gitlab-ci-local, and 2 workflows by actionlint %s\n", fleetImages, shards,
			strings.Fields(l.run(t, "actionlint -version"))[0])
	}
}
