// Package slsa reads SLSA provenance: statements in which a builder says how it
// built an image. Those of BuildKit can have all that is needed to build the
// image again.
//
// A statement is one of in-toto in any form that package statement reads, with a
// predicate of SLSA provenance v0.2 or v1. BuildKit's
// parameters follow docs/attestations/slsa-definitions.md of BuildKit 0.25; its
// statements of v0.2 and v1 say the same in other places.
//
// What a statement says is asserted: nothing here checks a signature.
package slsa

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"audit/provenance/statement"
)

// Predicate types.
const (
	V02 = "https://slsa.dev/provenance/v0.2"
	V1  = "https://slsa.dev/provenance/v1"
)

// ErrOther is that of a statement whose predicate is no SLSA provenance.
var ErrOther = errors.New("no SLSA provenance")

// A Build is what a statement says of a build. All of it is as the statement
// has it, in its order.
type Build struct {
	Predicate string   // type: V02 or V1
	Subjects  []string // SHA-256 digests in hexadecimal digits
	Type      string   // of the build, a URI
	Builder   string   // its id, such as the address of a CI job; may be ""

	Context    Material // "" for a local one
	Dockerfile string   // path in the context; "" for the default
	Frontend   string   // "dockerfile.v0", "gateway.v0"
	Args       map[string]string
	Locals     []string
	Secrets    []Needed
	SSH        []Needed
	Materials  []Material
	Files      []File // the build's own texts: the Dockerfile
	Steps      int    // of the build's definition; 0 with mode=min

	AllParameters bool // the builder says that no parameter is left out
	AllMaterials  bool // … and no material
	VCSSource     string
	VCSRevision   string
}

// A Material is something that was fetched for a build.
type Material struct {
	URI    string
	Digest map[string]string // by algorithm: "sha1" and "gitCommit" of commits, "sha256"
}

// Needed is a secret or a key that a build was given.
type Needed struct {
	ID       string `json:"id"`
	Optional bool   `json:"optional"`
}

// A File is a text that the build was made from.
type File struct {
	Name string
	Data []byte
}

// Build types of BuildKit.
const (
	buildKit02 = "https://mobyproject.org/buildkit@v1"
	buildKit1  = "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md"
)

// BuildKit says whether BuildKit made the statement, so that its parameters
// mean what they mean there.
func (b *Build) BuildKit() bool { return b.Type == buildKit02 || b.Type == buildKit1 }

// MinMode says whether the statement leaves out what only mode=max records.
func (b *Build) MinMode() bool { return b.Steps == 0 }

// Parse reads a statement. A statement about something else is an error that
// wraps [ErrOther].
func Parse(raw []byte) (*Build, error) {
	d, err := statement.Read(raw)
	if err != nil {
		return nil, err
	}
	s := d.Statement
	b := &Build{Predicate: s.PredicateType}
	for _, subject := range s.Subjects {
		if d := subject.Digest["sha256"]; d != "" {
			b.Subjects = append(b.Subjects, d)
		}
	}
	switch s.PredicateType {
	case V02:
		err = b.v02(s.Predicate)
	case V1:
		err = b.v1(s.Predicate)
	default:
		return nil, fmt.Errorf("%w: its predicate is %q", ErrOther, s.PredicateType)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the predicate: %w", err)
	}
	return b, nil
}

// source is a descriptor of something fetched, in either version.
type source struct {
	URI        string            `json:"uri"`
	Digest     map[string]string `json:"digest"`
	EntryPoint string            `json:"entryPoint"` // v0.2
	Path       string            `json:"path"`       // v1
}

// parameters are how BuildKit's frontend was called.
type parameters struct {
	Frontend string            `json:"frontend"`
	Args     map[string]string `json:"args"`
	Secrets  []Needed          `json:"secrets"`
	SSH      []Needed          `json:"ssh"`
	Locals   []struct {
		Name string `json:"name"`
	} `json:"locals"`
}

// definition is the build as BuildKit executed it; only its length is of use.
type definition struct {
	Steps []json.RawMessage `json:"llbDefinition"`
}

// metadata is what BuildKit adds.
type metadata struct {
	VCS    map[string]string `json:"vcs"`
	Source struct {
		Infos []struct {
			Filename string `json:"filename"`
			Data     []byte `json:"data"`
		} `json:"infos"`
	} `json:"source"`
}

func (b *Build) v02(raw []byte) error {
	var p struct {
		BuildType string `json:"buildType"`
		Builder   struct {
			ID string `json:"id"`
		} `json:"builder"`
		Materials  []source `json:"materials"`
		Invocation struct {
			ConfigSource source          `json:"configSource"`
			Parameters   json.RawMessage `json:"parameters"`
		} `json:"invocation"`
		BuildConfig json.RawMessage `json:"buildConfig"`
		Metadata    struct {
			Completeness struct {
				Parameters bool `json:"parameters"`
				Materials  bool `json:"materials"`
			} `json:"completeness"`
			BuildKit json.RawMessage `json:"https://mobyproject.org/buildkit@v1#metadata"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	b.Type, b.Builder = p.BuildType, p.Builder.ID
	b.materials(p.Materials)
	b.AllParameters, b.AllMaterials = p.Metadata.Completeness.Parameters, p.Metadata.Completeness.Materials
	b.context(p.Invocation.ConfigSource)
	return b.buildKit(p.Invocation.Parameters, p.BuildConfig, p.Metadata.BuildKit)
}

func (b *Build) v1(raw []byte) error {
	var p struct {
		BuildDefinition struct {
			BuildType          string `json:"buildType"`
			ExternalParameters struct {
				ConfigSource source          `json:"configSource"`
				Request      json.RawMessage `json:"request"`
			} `json:"externalParameters"`
			InternalParameters struct {
				BuildConfig json.RawMessage `json:"buildConfig"`
			} `json:"internalParameters"`
			ResolvedDependencies []source `json:"resolvedDependencies"`
		} `json:"buildDefinition"`
		RunDetails struct {
			Builder struct {
				ID string `json:"id"`
			} `json:"builder"`
			Metadata struct {
				BuildKit     json.RawMessage `json:"buildkit_metadata"`
				Completeness struct {
					Request              bool `json:"request"`
					ResolvedDependencies bool `json:"resolvedDependencies"`
				} `json:"buildkit_completeness"`
			} `json:"metadata"`
		} `json:"runDetails"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	d, m := p.BuildDefinition, p.RunDetails.Metadata
	b.Type, b.Builder = d.BuildType, p.RunDetails.Builder.ID
	b.materials(d.ResolvedDependencies)
	b.AllParameters, b.AllMaterials = m.Completeness.Request, m.Completeness.ResolvedDependencies
	b.context(d.ExternalParameters.ConfigSource)
	return b.buildKit(d.ExternalParameters.Request, d.InternalParameters.BuildConfig, m.BuildKit)
}

func (b *Build) materials(all []source) {
	for _, m := range all {
		b.Materials = append(b.Materials, Material{withoutUser(m.URI), m.Digest})
	}
}

func (b *Build) context(c source) {
	b.Context = Material{withoutUser(c.URI), c.Digest}
	b.Dockerfile = cmp.Or(c.EntryPoint, c.Path)
}

// buildKit reads what has a meaning in BuildKit's statements alone: in those
// of other builders it is in any form.
func (b *Build) buildKit(request, config, meta json.RawMessage) error {
	if !b.BuildKit() {
		return nil
	}
	var p parameters
	var d definition
	var m metadata
	err := errors.Join(decode("parameters", request, &p), decode("buildConfig", config, &d), decode("metadata", meta, &m))
	if err != nil {
		return err
	}
	b.Frontend, b.Args, b.Secrets, b.SSH = p.Frontend, p.Args, p.Secrets, p.SSH
	for key, value := range b.Args {
		if strings.HasPrefix(key, "context") || key == "vcs:source" {
			b.Args[key] = withoutUser(value)
		}
	}
	for _, l := range p.Locals {
		b.Locals = append(b.Locals, l.Name)
	}
	slices.Sort(b.Locals)
	b.Steps = len(d.Steps)
	for _, f := range m.Source.Infos {
		b.Files = append(b.Files, File{f.Filename, f.Data})
	}
	b.VCSSource, b.VCSRevision = withoutUser(m.VCS["source"]), m.VCS["revision"]
	return nil
}

func decode(what string, raw json.RawMessage, into any) error {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
