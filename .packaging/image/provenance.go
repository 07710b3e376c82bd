package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
)

// A statement is in-toto's Statement v1 with the predicate of SLSA Provenance v1
// (slsa.dev/spec/v1.0/provenance). It has no times: whoever builds again gets it again.
type statement struct {
	Type          string    `json:"_type"`
	Subject       []subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	Predicate     predicate `json:"predicate"`
}

type subject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

type predicate struct {
	BuildDefinition struct {
		BuildType            string            `json:"buildType"`
		ExternalParameters   map[string]string `json:"externalParameters"`
		ResolvedDependencies []dependency      `json:"resolvedDependencies"`
	} `json:"buildDefinition"`
	RunDetails struct {
		Builder struct {
			ID string `json:"id"`
		} `json:"builder"`
	} `json:"runDetails"`
}

type dependency struct {
	URI         string            `json:"uri"`
	Digest      map[string]string `json:"digest,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// writeProvenance says how files were made from a commit: with the Go and the modules
// that the linker wrote into the programs among them.
func writeProvenance(out, commit string, files []string) error {
	if len(files) == 0 {
		return errors.New("no file to make a statement of")
	}
	s := statement{Type: "https://in-toto.io/Statement/v1", PredicateType: "https://slsa.dev/provenance/v1"}
	d := &s.Predicate.BuildDefinition
	d.BuildType = "urn:audit:release:1"
	d.ExternalParameters = map[string]string{"commit": commit, "command": "bash .packaging/release OUT"}
	d.ResolvedDependencies = []dependency{{URI: "git:" + commit, Digest: map[string]string{"gitCommit": commit}}}
	s.Predicate.RunDetails.Builder.ID = "urn:audit:release:by-hand"
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		s.Subject = append(s.Subject, subject{name, map[string]string{"sha256": hex.EncodeToString(sum[:])}})
		if info, err := buildinfo.ReadFile(name); err == nil {
			d.ResolvedDependencies = append(d.ResolvedDependencies, dependencies(info)...)
		}
	}
	slices.SortFunc(d.ResolvedDependencies, func(a, b dependency) int { return strings.Compare(a.URI, b.URI) })
	d.ResolvedDependencies = slices.CompactFunc(d.ResolvedDependencies, func(a, b dependency) bool { return a.URI == b.URI })
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(text, '\n'), 0o644)
}

// dependencies are Go itself and the modules of a program, with the sums of go.sum.
func dependencies(info *buildinfo.BuildInfo) []dependency {
	all := []dependency{{URI: "pkg:golang/stdlib@" + strings.TrimPrefix(info.GoVersion, "go")}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		all = append(all, dependency{URI: "pkg:golang/" + m.Path + "@" + m.Version, Annotations: map[string]string{"goSum": m.Sum}})
	}
	return all
}
