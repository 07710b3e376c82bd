package list

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"audit/inspect"
)

// yamlStart matches the first line of a mapping, or of a stream of documents.
var yamlStart = regexp.MustCompile(`^(---(\s|$)|["']?[A-Za-z$_][A-Za-z0-9$_.-]*["']?\s*:(\s|$))`)

// isYAML looks at the first line that is no comment.
func isYAML(text []byte) bool { return yamlStart.Match(firstLine(text)) }

func firstLine(text []byte) []byte {
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\r\n")
		if trimmed := bytes.TrimSpace(line); len(trimmed) > 0 && trimmed[0] != '#' && trimmed[0] != '%' {
			return line
		}
	}
	return nil
}

// yamlForm matches a key that tells a form apart, at the beginning of a line.
var yamlForm = regexp.MustCompile(`(?m)^["']?(apiVersion|cwlVersion|services)["']?\s*:(\s|$)`)

// isKnownYAML says that a text begins as YAML does, and as no workflow of Snakemake, or
// that it has the key of one of the forms.
func isKnownYAML(text []byte) bool {
	return isYAML(text) && (bytes.HasPrefix(firstLine(text), []byte("---")) || yamlForm.Match(text))
}

// The limits of YAML.
const (
	maxDocuments = 100_000
	maxVisits    = 6 * maxParts // of nodes of one document: an alias leads to a node again
	maxMerges    = 20           // that lead to each other
)

// documentStart matches the line that begins another document of a stream.
var documentStart = regexp.MustCompile(`^---\s`)

// parts is at least how many nodes the largest document of a stream has: each but the
// first needs one of these characters.
func parts(text []byte) (most int) {
	n := 0
	for line := range bytes.Lines(text) {
		if documentStart.Match(line) {
			n = 0
		}
		for i, c := range line {
			switch c {
			case '\n', '\r', ',', '[', '{', ':':
				n++
			case '-', '?':
				if i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '\t') {
					n++
				}
			}
		}
		most = max(most, n)
	}
	return most
}

// fromYAML reads compose files, manifests of Kubernetes and CWL, told apart document by
// document.
func fromYAML(text []byte) (all []Entry, err error) {
	if parts(text) > maxParts {
		return nil, &inspect.LimitError{Name: "elements of a document of YAML", Limit: maxParts}
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	known := false
	for range maxDocuments {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if err == io.EOF {
			if !known {
				return nil, errors.New("it is YAML, and none that has images: compose, Kubernetes and CWL are known")
			}
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if len(doc.Content) == 0 {
			continue
		}
		w := walk{seen: make(map[*yaml.Node]bool)}
		found := w.document(doc.Content[0])
		switch {
		case w.visits > maxVisits:
			return nil, &inspect.LimitError{Name: "visits of nodes of a document of YAML", Limit: maxVisits}
		case len(all)+len(w.found) > maxImages:
			return nil, tooMany("")
		}
		known, all = known || found, append(all, w.found...)
	}
	return nil, fmt.Errorf("it has more than %d documents", maxDocuments)
}

// A walk goes through a document, through each node once but for what is named by its
// place: the nodes that aliases and merges lead to are counted each time. It does nothing
// more from its limit on.
type walk struct {
	seen   map[*yaml.Node]bool
	visits int
	found  []Entry
}

// isOver counts visits, and says that there were too many.
func (w *walk) isOver(more int) bool {
	w.visits += more
	return w.visits > maxVisits || len(w.found) > maxImages
}

// document finds the images of one, and says whether it is of a form that is known.
func (w *walk) document(root *yaml.Node) bool {
	services := w.value(root, "services")
	switch {
	case w.value(root, "cwlVersion") != nil:
		w.cwl(root, "")
	case w.value(root, "apiVersion") != nil && w.value(root, "kind") != nil:
		w.manifest(root, w.label(root))
	case services != nil && services.Kind == yaml.MappingNode:
		w.compose(services)
		if w.value(root, "include") != nil {
			e := entry("include")
			e.Problem = "services of other files are included: use what the config command of compose prints"
			w.found = append(w.found, e)
		}
	default:
		return false
	}
	return true
}

// value is that of a key of a mapping, or of those that are merged into it; nil when it
// has none.
func (w *walk) value(n *yaml.Node, key string) *yaml.Node { return w.merged(n, key, 0) }

func (w *walk) merged(n *yaml.Node, key string, depth int) *yaml.Node {
	n = target(n)
	if n == nil || n.Kind != yaml.MappingNode || depth > maxMerges || w.isOver(len(n.Content)) {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return target(n.Content[i+1])
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(n.Content[i]) {
			continue
		}
		for _, from := range w.sources(n.Content[i+1]) {
			if found := w.merged(from, key, depth+1); found != nil {
				return found
			}
		}
	}
	return nil
}

// isMerge says of a key that it merges other mappings into its own
// (yaml.org/type/merge.html).
func isMerge(key *yaml.Node) bool { return key.Tag == "!!merge" || key.Value == "<<" && key.Style == 0 }

// sources are the mappings that are merged, the first of which decides.
func (w *walk) sources(n *yaml.Node) []*yaml.Node {
	n = target(n)
	if w.isOver(1) {
		return nil
	}
	if n != nil && n.Kind == yaml.SequenceNode {
		if w.isOver(len(n.Content)) {
			return nil
		}
		return n.Content
	}
	return []*yaml.Node{n}
}

func target(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// text is that of a scalar, "" of anything else.
func text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

// label is what a manifest calls its object.
func (w *walk) label(root *yaml.Node) string {
	meta := w.value(root, "metadata")
	return clip(strings.Trim(text(w.value(meta, "namespace"))+"/"+text(w.value(root, "kind"))+"/"+text(w.value(meta, "name")), "/"))
}

// each calls do for the children of a node, those of a mapping with their key.
func (w *walk) each(n *yaml.Node, do func(key string, child *yaml.Node)) {
	n = target(n)
	if n == nil || w.seen[n] || w.isOver(len(n.Content)) {
		return
	}
	w.seen[n] = true
	for i, child := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			do("", child)
		case n.Kind == yaml.MappingNode && i%2 == 1:
			do(n.Content[i-1].Value, child)
		}
	}
}

// manifest finds the containers of pods, wherever a template of them stands, and the
// objects of a List.
func (w *walk) manifest(n *yaml.Node, name string) {
	w.each(n, func(key string, child *yaml.Node) {
		child = target(child)
		if key == "volumes" {
			w.volumes(child, name)
		}
		if slices.Contains([]string{"containers", "initContainers", "ephemeralContainers"}, key) && child.Kind == yaml.SequenceNode && !w.isOver(len(child.Content)) {
			for _, c := range child.Content {
				if image := text(w.value(c, "image")); image != "" && !w.isOver(1) {
					w.found = append(w.found, remote(image, clip(name+"/"+text(w.value(c, "name")))))
				}
			}
		}
		if w.seen[child] {
			return
		}
		below := name
		if w.value(child, "kind") != nil && w.value(child, "metadata") != nil {
			below = w.label(child)
		}
		w.manifest(child, below)
	})
}

// volumes finds the images that are mounted (core/v1, ImageVolumeSource).
func (w *walk) volumes(n *yaml.Node, name string) {
	if n.Kind != yaml.SequenceNode || w.isOver(len(n.Content)) {
		return
	}
	for _, v := range n.Content {
		if image := text(w.value(w.value(v, "image"), "reference")); image != "" && !w.isOver(1) {
			w.found = append(w.found, remote(image, clip(name+"/"+text(w.value(v, "name")))))
		}
	}
}

// compose finds the images of services. One that is built here has none yet.
func (w *walk) compose(services *yaml.Node) {
	w.services(services, make(map[string]bool), 0)
}

// services finds those of a mapping, then those that are merged into it and not there.
func (w *walk) services(n *yaml.Node, have map[string]bool, depth int) {
	n = target(n)
	if n == nil || n.Kind != yaml.MappingNode || depth > maxMerges || w.isOver(len(n.Content)) {
		return
	}
	for i := 0; i+1 < len(n.Content) && !w.isOver(1); i += 2 {
		if name := n.Content[i].Value; !isMerge(n.Content[i]) && !have[name] {
			have[name] = true
			w.service(name, n.Content[i+1])
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(n.Content[i]) {
			continue
		}
		for _, from := range w.sources(n.Content[i+1]) {
			w.services(from, have, depth+1)
		}
	}
}

func (w *walk) service(name string, n *yaml.Node) {
	image := text(w.value(n, "image"))
	e := remote(image, name)
	if image == "" {
		e = entry("service "+name, name)
		e.Problem = "it names no image: it is built where it runs, or extends another"
	}
	w.found = append(w.found, e)
}

// nonEmpty are the names of an image that has at most one.
func nonEmpty(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

// unnamed notes a requirement of CWL whose image has no name in a registry.
func (w *walk) unnamed(n *yaml.Node, id string) {
	if n.Kind != yaml.MappingNode || w.value(n, "dockerPull") != nil {
		return
	}
	for _, key := range []string{"dockerLoad", "dockerImport", "dockerFile"} {
		if from := w.value(n, key); from != nil && !w.isOver(1) {
			what := text(from)
			if key == "dockerFile" { // all of one
				what = "of " + id
			}
			e := entry(strings.TrimSpace(key+" "+what), nonEmpty(id)...)
			e.Problem = "it names no image in a registry: it has " + key + " in place of dockerPull"
			w.found = append(w.found, e)
		}
	}
}

// cwl finds the requirements and hints of tools (CWL v1.2, DockerRequirement).
func (w *walk) cwl(n *yaml.Node, id string) {
	if n = target(n); n == nil || w.seen[n] {
		return
	}
	if own := text(w.value(n, "id")); own != "" {
		id = own
	}
	w.unnamed(n, id)
	w.each(n, func(key string, child *yaml.Node) {
		if image := text(target(child)); key == "dockerPull" && image != "" {
			w.found = append(w.found, remote(strings.TrimPrefix(image, "docker://"), nonEmpty(id)...))
		}
		if tool := text(target(child)); key == "run" && tool != "" && !strings.HasPrefix(tool, "#") && !w.isOver(1) {
			e := entry("run: "+tool, nonEmpty(id)...)
			e.Problem = "the tool of a step is in another file: use what cwltool --pack prints"
			w.found = append(w.found, e)
		}
		w.cwl(child, id)
	})
}
