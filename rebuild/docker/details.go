package docker

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"audit/provenance/docker"
	"audit/rebuild"
)

// Details are what a plan for a Dockerfile adds to the header. No command is ever
// read back: each engine's is made of these fields when it is run.
type Details struct {
	// Engine built the original, since each writes a history of its own; "" when
	// that is not known.
	Engine docker.Builder `json:"engine,omitempty"`
	// Context is a folder, absolute, or an address without user info.
	Context string `json:"context"`
	// Private says that the user gave the address with user info, which is not here.
	Private    bool   `json:"private,omitempty"`
	Dockerfile string `json:"dockerfile,omitempty"` // path in the context; "" for the usual name
	Text       string `json:"text,omitempty"`       // a Dockerfile that is built in place of the context's
	Target     string `json:"target,omitempty"`     // stage; "" for the last

	Arguments map[string]string `json:"arguments,omitempty"` // build arguments that the image reveals
	// Given are the names of the build arguments whose values the user gives: they
	// may be secret, and a builder gets them apart.
	Given    []string          `json:"given,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
	Contexts map[string]string `json:"contexts,omitempty"` // named ones: addresses
	Options  map[string]string `json:"options,omitempty"`  // of BuildKit's frontend
	// Frontends are the images of frontends that may run in place of the engine's own.
	Frontends []string `json:"frontends,omitempty"`

	Network  bool   `json:"network"`            // instructions may use the network
	Fetch    Fetch  `json:"fetch"`              // what BuildKit may fetch
	Pins     []Pin  `json:"pins,omitempty"`     // at which digests
	Platform string `json:"platform,omitempty"` // "linux/amd64"; "" for that of the engine
	// Rewrite has BuildKit set the times of files to SOURCE_DATE_EPOCH.
	Rewrite   bool   `json:"rewriteTimestamp,omitempty"`
	Timestamp string `json:"timestamp,omitempty"` // buildah: of everything, in seconds since 1970; "" for now
	Layers    bool   `json:"layers,omitempty"`    // buildah: a layer for each instruction
	Format    string `json:"format,omitempty"`    // buildah: "docker"; "" for OCI
}

// A Fetch says what BuildKit may fetch beside the context.
type Fetch string

// The ways to fetch.
const (
	FetchAny    Fetch = "any"
	FetchImages Fetch = "images" // images alone
	FetchPinned Fetch = "pinned" // what is pinned
)

// A Pin is something that is fetched at a digest.
type Pin struct {
	Kind   string `json:"kind"`   // "image", "git" or "http"
	Name   string `json:"name"`   // as the build asks for it: a full name of an image, or an address
	Digest string `json:"digest"` // "sha256:HEX", of a repository the commit
}

var (
	optionName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:/@-]*$`)
	argument   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	platform   = regexp.MustCompile(`^[a-z0-9]+(/[a-z0-9_]+){1,2}$`)
	stage      = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
	seconds    = regexp.MustCompile(`^[0-9]{1,11}$`)
	imageName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@-]*$`)
	digest     = regexp.MustCompile(`^(sha256:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{64})$`)
)

// check says what of the details cannot be run. They may come from a file that
// anyone has edited.
func (d *Details) check() error {
	for _, check := range []func() error{d.checkNames, d.checkContexts, d.checkFetch, d.checkBuildah} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (d *Details) checkNames() error {
	switch {
	case d.Engine != docker.Unknown && !slices.Contains(docker.Builders(), d.Engine):
		return fmt.Errorf("%q is no engine that builds Dockerfiles", d.Engine)
	case d.Platform != "" && !platform.MatchString(d.Platform):
		return fmt.Errorf("%q is no platform", d.Platform)
	case d.Target != "" && !stage.MatchString(d.Target):
		return fmt.Errorf("%q is no name of a stage", d.Target)
	case !inside(d.Dockerfile):
		return fmt.Errorf("%q is no file in a context", d.Dockerfile)
	}
	for _, values := range []map[string]string{d.Arguments, d.Labels, d.Contexts, d.Options} {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if !optionName.MatchString(name) || strings.Contains(values[name], "\x00") {
				return fmt.Errorf("%q is no name of an argument, or its value is none", name)
			}
		}
	}
	for _, name := range d.Given {
		if _, twice := d.Arguments[name]; twice || !argument.MatchString(name) {
			return fmt.Errorf("%q is no name of a build argument", name)
		}
	}
	for name := range d.Options {
		if !slices.Contains(frontendOptions(), name) {
			return fmt.Errorf("%q is no option of BuildKit for a plan", name)
		}
	}
	return nil
}

// frontendOptions are the options of BuildKit's frontend for Dockerfiles that say
// what it makes, and neither follow from other parts of a plan nor undo them.
func frontendOptions() []string { return []string{"add-hosts", "hostname", "shm-size", "ulimit"} }

func (d *Details) checkContexts() error {
	for name, value := range d.Contexts {
		if !isRemote(value) {
			return fmt.Errorf("the named context %q is %q, which is not fetched by an address", name, value)
		}
	}
	switch {
	case !isRemote(d.Context) && !filepath.IsAbs(d.Context), strings.Contains(d.Context, "\x00"):
		return fmt.Errorf("%q is neither an address nor a folder", d.Context)
	case rebuild.WithoutSecrets(d.Context) != d.Context && !strings.HasPrefix(d.Context, "ssh://"):
		return errors.New("the address of the context has user info")
	case d.Text != "" && isRemote(d.Context):
		return errors.New("a Dockerfile of its own cannot go with a context that is fetched")
	case strings.Contains(d.Text, "\x00"):
		return errors.New("the Dockerfile has a NUL character")
	}
	return nil
}

func (d *Details) checkFetch() error {
	if !slices.Contains([]Fetch{FetchAny, FetchImages, FetchPinned}, d.Fetch) {
		return fmt.Errorf("%q does not say what may be fetched", d.Fetch)
	}
	for _, name := range d.Frontends {
		if !imageName.MatchString(name) {
			return fmt.Errorf("%q is no name of an image", name)
		}
	}
	for _, p := range d.Pins {
		known := p.Kind == pinImage && imageName.MatchString(p.Name) || (p.Kind == pinGit || p.Kind == pinHTTP) && isRemote(p.Name)
		if !known || !digest.MatchString(p.Digest) {
			return fmt.Errorf("%q is pinned to %q, which is no digest of it", p.Name, p.Digest)
		}
	}
	return nil
}

func (d *Details) checkBuildah() error {
	switch {
	case d.Timestamp != "" && !seconds.MatchString(d.Timestamp):
		return fmt.Errorf("%q is no time in seconds", d.Timestamp)
	case d.Format != "" && d.Format != "docker":
		return fmt.Errorf("%q is no format of an image", d.Format)
	}
	return nil
}

// inside says whether a path stays in the folder that it is relative to.
func inside(p string) bool {
	return !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "-") && !strings.ContainsAny(p, "\x00\n\r") &&
		!slices.Contains(strings.Split(p, "/"), "..")
}

// isRemote says whether a context is fetched by an engine.
func isRemote(context string) bool { return remote.MatchString(context) }

// remote matches the addresses that engines fetch from. A host never begins
// with a dash, which a program below could take for an option.
var remote = regexp.MustCompile(`^((https?|git|ssh)://([A-Za-z0-9_.~%:-]+@)?[A-Za-z0-9\[][^\s\x00-\x1f]*` +
	`|git@[A-Za-z0-9][A-Za-z0-9.-]*:[^\s\x00-\x1f-][^\s\x00-\x1f]*|docker-image://[a-z0-9][^\s\x00-\x1f]*)$`)

// command is what does by hand what the plan does: for people, without the folders
// of this machine and without the values that the user gives.
func (d *Details) command() []string {
	shown := arguments{Details: *d}
	program := "docker"
	if d.Engine == docker.Buildah {
		program = "buildah"
	}
	words := append([]string{program, "build"}, shown.flags()...)
	if d.Dockerfile != "" {
		words = append(words, "--file="+d.Dockerfile)
	}
	if d.Engine == docker.Buildah {
		words = append(words, shown.buildahFlags()...)
	}
	return append(words, d.shownContext())
}

// shownContext is the context without the folders that it is in.
func (d *Details) shownContext() string {
	if isRemote(d.Context) {
		return d.Context
	}
	return filepath.Base(d.Context)
}
