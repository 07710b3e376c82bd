package docker

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A call is a call of docker build, the form in which a plan holds it. What an
// image chose stands behind the name of its option in one word, so that none
// can be taken for an option.
type call struct {
	network   bool              // instructions may use the network
	platform  string            // "linux/amd64"; "" for that of the engine
	target    string            // stage; "" for the last
	arguments map[string]string // --build-arg
	labels    map[string]string // --label
	contexts  map[string]string // --build-context, by name
	options   map[string]string // of BuildKit's frontend alone
	rewrite   bool              // BuildKit: set the times of files to SOURCE_DATE_EPOCH
	timestamp string            // buildah: the time of everything, in seconds since 1970; "" for now
	layers    bool              // buildah: a layer for each instruction
	format    string            // buildah: "docker"; "" for OCI
	file      string            // Dockerfile in the context; "" for the usual name
	context   string            // folder, or address
}

// words writes the call as a command line.
func (c call) words() []string {
	words := []string{"build", "--no-cache"}
	add := func(option, value string) {
		if value != "" {
			words = append(words, "--"+option+"="+value)
		}
	}
	network := "none"
	if c.network {
		network = "default"
	}
	add("network", network)
	add("platform", c.platform)
	add("target", c.target)
	for option, values := range c.maps() {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			words = append(words, "--"+option+"="+name+"="+values[name])
		}
	}
	if c.rewrite {
		add("output", rewriting)
	}
	add("timestamp", c.timestamp)
	if c.layers {
		words = append(words, "--layers")
	}
	add("format", c.format)
	add("file", c.file)
	return append(words, c.context)
}

const rewriting = "type=oci,rewrite-timestamp=true"

// maps yields the options that are given several times, in their order.
func (c *call) maps() func(yield func(string, map[string]string) bool) {
	return func(yield func(string, map[string]string) bool) {
		_ = yield("build-arg", c.arguments) && yield("label", c.labels) && yield("build-context", c.contexts) && yield("opt", c.options)
	}
}

// parseCall reads a command line, which may come from a file that anyone has
// edited. Options that no plan has are an error: some run programs, open files
// of the machine, or give up the sandbox.
func parseCall(words []string) (call, error) {
	c := call{arguments: map[string]string{}, labels: map[string]string{}, contexts: map[string]string{}, options: map[string]string{}}
	if len(words) < 3 || words[0] != "build" || words[1] != "--no-cache" {
		return c, errors.New("the plan does not call docker build --no-cache for a context")
	}
	for _, w := range words[2 : len(words)-1] {
		if err := c.option(w); err != nil {
			return c, err
		}
	}
	c.context = words[len(words)-1]
	return c, c.check()
}

func (c *call) option(word string) error {
	option, value, _ := strings.Cut(strings.TrimPrefix(word, "--"), "=")
	for name, values := range c.maps() {
		if option == name {
			key, v, ok := strings.Cut(value, "=")
			if !ok || !optionName.MatchString(key) {
				return fmt.Errorf("%q does not give a name and a value", word)
			}
			values[key] = v
			return nil
		}
	}
	switch {
	case word == "--layers":
		c.layers = true
	case word == "--output="+rewriting:
		c.rewrite = true
	case word == "--network=none" || word == "--network=default":
		c.network = value == "default"
	case option == "platform":
		c.platform = value
	case option == "target":
		c.target = value
	case option == "timestamp":
		c.timestamp = value
	case option == "format":
		c.format = value
	case option == "file":
		c.file = value
	default:
		return fmt.Errorf("%q is no option of docker build for a plan", word)
	}
	return nil
}

var (
	optionName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:/@-]*$`)
	platform   = regexp.MustCompile(`^[a-z0-9]+(/[a-z0-9_]+){1,2}$`)
	stage      = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
	seconds    = regexp.MustCompile(`^[0-9]{1,11}$`)
)

// fromPlan are the options of BuildKit's frontend that follow from other parts
// of a plan, or would undo them.
func fromPlan() []string {
	return []string{
		"context", "contextkey", "dockerfilekey", "filename", "platform", "target", "no-cache", "force-network-mode",
		"cmdline", "source", "attest", "cache-from", "cache-imports", "build-arg", "label",
	}
}

// check says what of a call cannot be run.
func (c call) check() error {
	switch {
	case c.platform != "" && !platform.MatchString(c.platform):
		return fmt.Errorf("%q is no platform", c.platform)
	case c.target != "" && !stage.MatchString(c.target):
		return fmt.Errorf("%q is no name of a stage", c.target)
	case c.timestamp != "" && !seconds.MatchString(c.timestamp):
		return fmt.Errorf("%q is no time in seconds", c.timestamp)
	case c.format != "" && c.format != "docker":
		return fmt.Errorf("%q is no format of an image", c.format)
	case !inside(c.file):
		return fmt.Errorf("%q is no file in a context", c.file)
	}
	for name := range c.options {
		kind, _, _ := strings.Cut(name, ":")
		if slices.Contains(fromPlan(), kind) {
			return fmt.Errorf("%q is no option of BuildKit for a plan", name)
		}
	}
	for name, value := range c.contexts {
		if !isRemote(value) {
			return fmt.Errorf("the named context %q is %q, which is not fetched by an address", name, value)
		}
	}
	if !isRemote(c.context) && !strings.HasPrefix(c.context, "/") {
		return fmt.Errorf("%q is neither an address nor a folder", c.context)
	}
	for _, w := range c.words() {
		if strings.Contains(w, "\x00") {
			return errors.New("an argument of docker build holds a NUL character")
		}
	}
	return nil
}

// inside says whether a path stays in the folder that it is relative to.
func inside(p string) bool {
	return !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "-") && !slices.Contains(strings.Split(p, "/"), "..")
}

// isRemote says whether a context is fetched by an engine.
func isRemote(context string) bool { return remote.MatchString(context) }

// remote matches the addresses that engines fetch from. A host never begins
// with a dash, which a program below could take for an option.
var remote = regexp.MustCompile(`^((https?|git|ssh)://([A-Za-z0-9_.~%-]+@)?[A-Za-z0-9\[][^\s\x00-\x1f]*|git@[A-Za-z0-9][A-Za-z0-9.-]*:[^\s\x00-\x1f-][^\s\x00-\x1f]*|docker-image://[a-z0-9][^\s\x00-\x1f]*)$`)
