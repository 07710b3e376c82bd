package guix

import (
	"strings"
	"testing"

	"audit/provenance/guix"
	"audit/rebuild"
)

// Options of the build reach every command that may build or fetch.
func TestBuildOptions(t *testing.T) {
	s := &session{details: Details{Pack: guix.Pack{Format: "docker"}}, job: rebuild.Job{Options: rebuild.Options{
		NoSubstitutes: true, SubstituteURLs: []string{"https://a.example", "https://b.example"}, Cores: 3, MaxJobs: 2,
	}}}
	const options = "--no-substitutes|--substitute-urls=https://a.example https://b.example|--cores=3|--max-jobs=2"
	if got, want := strings.Join(s.packCommand("-d"), "|"), "time-machine|"+options+"|-C|channels.scm|--|pack|--verbosity=3|"+options+"|-d|--format=docker|--save-provenance|-m|manifest.scm"; got != want {
		t.Errorf("pack:\n%s\nwant\n%s", got, want)
	}
	if got, want := strings.Join(s.checkCommand("x.drv"), "|"), "build|--check|-K|"+options+"|x.drv"; got != want {
		t.Errorf("check:\n%s\nwant\n%s", got, want)
	}
	s.job.Options = rebuild.Options{}
	if got := strings.Join(s.packCommand(), " "); got != "time-machine -C channels.scm -- pack --verbosity=3 --format=docker --save-provenance -m manifest.scm" {
		t.Errorf("without options: %s", got)
	}
}
