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
	for n := 1; n <= maxDocuments; n++ {
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
		if !found && w.mayName(doc.Content[0]) {
			w.found = append(w.found, problem(fmt.Sprintf("document %d", n), "it may name images, and is none of compose, Kubernetes and CWL"))
		}
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
		w.cwl(root, "", "")
	case w.value(root, "apiVersion") != nil && w.value(root, "kind") != nil:
		w.object(root, "")
	case services != nil && services.Kind == yaml.MappingNode:
		w.compose(services)
		if w.value(root, "include") != nil {
			w.found = append(w.found, problem("include", "services of other files are included: use what the config command of compose prints"))
		}
	default:
		return false
	}
	return true
}

// mentions matches a key by which a document of no known form may name an image.
var mentions = regexp.MustCompile(`(?i)image|container|docker`)

// mayName says that a document of no known form may name images.
func (w *walk) mayName(n *yaml.Node) (may bool) {
	w.each(n, func(key string, child *yaml.Node) {
		may = may || mentions.MatchString(key) || w.mayName(child)
	})
	return may
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
			for j := i + 2; j+1 < len(n.Content); j += 2 {
				if n.Content[j].Value == key {
					w.twice(n.Content[j])
				}
			}
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

// twice notes a key that was in its mapping before: readers differ in which they take.
func (w *walk) twice(key *yaml.Node) {
	if !w.isOver(1) {
		w.found = append(w.found, problem(fmt.Sprintf("line %d: %s", key.Line, key.Value), "the key stands there twice"))
	}
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

// object finds the images of an object of Kubernetes: what a pod runs, where it has a
// status; else what the manifest names.
func (w *walk) object(n *yaml.Node, name string) {
	kind, version := text(w.value(n, "kind")), text(w.value(n, "apiVersion"))
	switch own := w.label(n); {
	case w.ran(n):
		return
	case kind == "Kustomization" && strings.HasPrefix(version, "kustomize.config.k8s.io/"):
		w.found = append(w.found, problem(own, "its objects are in other files, and may get other images: use what kubectl kustomize prints"))
		return
	case kind == "ConfigMap", kind == "Secret", kind == "CustomResourceDefinition":
		return // their texts, and schemas, are of others
	case own != "":
		name = own
	}
	group, _, _ := strings.Cut(version, "/")
	w.manifest(n, name, "", slices.Contains(imageGroups, group))
}

// ran finds what a pod with a status runs; false for any other object.
func (w *walk) ran(n *yaml.Node) bool {
	status := w.value(n, "status")
	if kind := text(w.value(n, "kind")); kind != "Pod" && kind != "" || w.value(status, "containerStatuses") == nil {
		return false
	}
	var p pod
	if err := n.Decode(&p); err != nil {
		return false
	}
	w.seen[n] = true
	if found := p.entries(); !w.isOver(len(found)) {
		w.found = append(w.found, found...)
	}
	return true
}

// imageGroups are the groups of objects of which each key image is that of a container,
// with or without a tag, though not all stand in a list of containers.
var imageGroups = []string{"argoproj.io", "tekton.dev"}

// containerKeys are those of lists of containers in pods.
var containerKeys = []string{"containers", "initContainers", "ephemeralContainers"}

// notImages are parts of objects in which a key image is none of a container: texts for
// people and programs, and volumes of Ceph.
var notImages = []string{"annotations", "labels", "matchLabels", "openAPIV3Schema", "rbd"}

// manifest finds the containers of pods, wherever a template of them stands, the objects of
// a List, and what else a key names as an image. Below is the key of the list or the
// mapping that a node is; isKnown says that each key image is that of a container.
func (w *walk) manifest(n *yaml.Node, name, below string, isKnown bool) {
	isList := n.Kind == yaml.SequenceNode
	w.each(n, func(key string, child *yaml.Node) {
		child = target(child)
		if isList {
			key = below
		}
		switch {
		case key == "volumes":
			w.volumes(child, name)
		case slices.Contains(notImages, key):
			return
		case slices.Contains(containerKeys, key) && child.Kind == yaml.SequenceNode:
			w.containers(child, name)
		case !isList && !slices.Contains(containerKeys, below):
			w.image(n, key, child, name, isKnown)
		}
		switch {
		case w.seen[child]:
		case w.value(child, "kind") != nil && w.value(child, "metadata") != nil:
			w.object(child, name)
		default:
			w.manifest(child, name, key, isKnown)
		}
	})
}

func (w *walk) containers(n *yaml.Node, name string) {
	if w.isOver(len(n.Content)) {
		return
	}
	for _, c := range n.Content {
		if image := text(w.value(c, "image")); image != "" && !w.isOver(1) {
			w.found = append(w.found, remote(image, clip(name+"/"+text(w.value(c, "name")))))
		}
	}
}

var (
	// imageKey matches the keys by which objects of others than Kubernetes name images.
	imageKey = regexp.MustCompile(`(?i)^[a-z0-9_-]*image([_-]?(name|ref|reference|url))?$`)
	// imageName matches a name with a tag or a digest.
	imageName = regexp.MustCompile(`^[a-z0-9][a-zA-Z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})+$`)
)

// image is what a key of an object names that stands in no list of containers. Where it
// cannot be told from other things that are called images, it is a problem.
func (w *walk) image(parent *yaml.Node, key string, n *yaml.Node, name string, isKnown bool) {
	if !imageKey.MatchString(key) || w.isOver(1) {
		return
	}
	value, part := text(n), text(w.value(parent, "name"))
	names := []string{clip(strings.TrimSuffix(name+"/"+part, "/"))}
	switch {
	case n.Kind == yaml.MappingNode && w.value(n, "repository") != nil:
		w.found = append(w.found, problem(names[0]+" "+key, "its image is put together from parts: use what helm template prints", names...))
	case value == "":
	case isKnown && key == "image", imageName.MatchString(value):
		w.found = append(w.found, remote(value, names...))
	case key == "image":
		w.found = append(w.found, problem(names[0]+" image "+value, "whether it is one of a registry is not known", names...))
	}
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
	own := make(map[string]bool)
	for i := 0; i+1 < len(n.Content) && !w.isOver(1); i += 2 {
		name := n.Content[i].Value
		switch {
		case isMerge(n.Content[i]):
		case own[name]:
			w.twice(n.Content[i])
		case !have[name]:
			have[name], own[name] = true, true
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
		e = problem("service "+name, "it names no image: it is built where it runs, or extends another", name)
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
			w.found = append(w.found, problem(strings.TrimSpace(key+" "+what), "it names no image in a registry: it has "+key+" in place of dockerPull", nonEmpty(id)...))
		}
	}
}

// mayImport are the parts of CWL in which another file may have a tool or its container.
// What is imported elsewhere, such as types and texts, has neither.
var mayImport = []string{"", "requirements", "hints", "DockerRequirement", "dockerPull", "run", "step", "$graph"}

// cwl finds the requirements and hints of tools (CWL v1.2, DockerRequirement). Below is
// the key of the part that a node is, or is an element of.
func (w *walk) cwl(n *yaml.Node, id, below string) {
	if n = target(n); n == nil || w.seen[n] {
		return
	}
	if own := text(w.value(n, "id")); own != "" {
		id = own
	}
	w.unnamed(n, id)
	isList := n.Kind == yaml.SequenceNode
	w.each(n, func(key string, child *yaml.Node) {
		value := text(target(child))
		isImport := (key == "$import" || key == "$include") && slices.Contains(mayImport, below)
		switch {
		case value == "":
		case key == "dockerPull":
			w.found = append(w.found, remote(strings.TrimPrefix(strings.TrimSpace(value), "docker://"), nonEmpty(id)...))
		case key == "run" && !strings.HasPrefix(value, "#") && !w.isOver(1):
			w.found = append(w.found, problem("run: "+value, "the tool of a step is in another file: use what cwltool --pack prints", nonEmpty(id)...))
		case isImport && !w.isOver(1):
			w.found = append(w.found, problem(key+": "+value, "it is in another file: use what cwltool --pack prints", nonEmpty(id)...))
		}
		switch {
		case below == "steps":
			key = "step"
		case isList:
			key = below
		}
		w.cwl(child, id, key)
	})
}
