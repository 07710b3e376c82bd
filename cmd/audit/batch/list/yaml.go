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
)

// yamlStart matches the first line of a mapping, or of a stream of documents.
var yamlStart = regexp.MustCompile(`^(---(\s|$)|["']?[A-Za-z$_][A-Za-z0-9$_.-]*["']?\s*:(\s|$))`)

// isYAML looks at the first line that is no comment.
func isYAML(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\r\n")
		if trimmed := bytes.TrimSpace(line); len(trimmed) == 0 || trimmed[0] == '#' || trimmed[0] == '%' {
			continue
		}
		return yamlStart.Match(line)
	}
	return false
}

// maxDocuments bounds the documents of a stream.
const maxDocuments = 100_000

// fromYAML reads compose files, manifests of Kubernetes and CWL, told apart document by
// document.
func fromYAML(text []byte) (all []Entry, err error) {
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
		root := doc.Content[0]
		switch {
		case value(root, "cwlVersion") != nil:
			w.cwl(root, "")
		case value(root, "apiVersion") != nil && value(root, "kind") != nil:
			w.manifest(root, label(root))
		case value(root, "services") != nil && value(root, "services").Kind == yaml.MappingNode:
			w.compose(root)
		default:
			continue
		}
		known, all = true, append(all, w.found...)
	}
	return nil, fmt.Errorf("it has more than %d documents", maxDocuments)
}

// A walk goes through a document, through each node once: an alias leads to what has
// been seen.
type walk struct {
	seen  map[*yaml.Node]bool
	found []Entry
}

// value is that of a key of a mapping, nil when it has none.
func value(n *yaml.Node, key string) *yaml.Node {
	n = target(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return target(n.Content[i+1])
		}
	}
	return nil
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
func label(root *yaml.Node) string {
	meta := value(root, "metadata")
	return strings.Trim(text(value(meta, "namespace"))+"/"+text(value(root, "kind"))+"/"+text(value(meta, "name")), "/")
}

// each calls do for the children of a node, those of a mapping with their key.
func (w *walk) each(n *yaml.Node, do func(key string, child *yaml.Node)) {
	n = target(n)
	if n == nil || w.seen[n] {
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
		if slices.Contains([]string{"containers", "initContainers", "ephemeralContainers"}, key) && child.Kind == yaml.SequenceNode {
			for _, c := range child.Content {
				if image := text(value(c, "image")); image != "" {
					w.found = append(w.found, remote(image, name+"/"+text(value(c, "name"))))
				}
			}
		}
		below := name
		if value(child, "kind") != nil && value(child, "metadata") != nil {
			below = label(child)
		}
		w.manifest(child, below)
	})
}

// compose finds the images of services. One that is built here has none yet.
func (w *walk) compose(root *yaml.Node) {
	w.each(value(root, "services"), func(service string, child *yaml.Node) {
		image := text(value(child, "image"))
		e := remote(image, service)
		if image == "" {
			e = entry("service "+service, service)
			e.Problem = "it names no image: it is built where it runs, or extends another"
		}
		w.found = append(w.found, e)
	})
}

// cwl finds the requirements and hints of tools (CWL v1.2, DockerRequirement).
func (w *walk) cwl(n *yaml.Node, id string) {
	if own := text(value(n, "id")); own != "" {
		id = own
	}
	w.each(n, func(key string, child *yaml.Node) {
		if image := text(target(child)); key == "dockerPull" && image != "" {
			var names []string
			if id != "" {
				names = []string{id}
			}
			w.found = append(w.found, remote(strings.TrimPrefix(image, "docker://"), names...))
		}
		w.cwl(child, id)
	})
}
