package list

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"audit/inspect"
)

// jsonStart matches the first bytes of an object, or of an array of objects or names. A
// name may begin with a bracket, too: that of a registry by its IPv6 address.
var jsonStart = regexp.MustCompile(`^\s*(\{|\[\s*[{"\]])`)

func isJSON(text []byte) bool { return jsonStart.Match(text) }

// A document has the keys by which forms of JSON are told apart.
type document struct {
	// nextflow inspect -format json (since Nextflow 23.10).
	Processes *[]struct {
		Name      string `json:"name"`
		Container any    `json:"container"`
	} `json:"processes"`

	// skopeo list-tags.
	Repository string    `json:"Repository"`
	Tags       *[]string `json:"Tags"`

	// The list.json of a batch, or crictl images -o json.
	Images *[]struct {
		Reference string `json:"reference"`
		stored
	} `json:"images"`

	// docker images --format json, podman images --format json.
	Tag string `json:"Tag"`
	stored

	// kubectl get pods -o json: a list, or one pod.
	Kind  string  `json:"kind"`
	Items *[]item `json:"items"`
	pod
}

// A stored image is one of the store of an engine, with the names that it has there.
type stored struct {
	ID          string   `json:"id"`
	Digest      string   `json:"digest"`
	Names       []string `json:"names"`
	RepoTags    []string `json:"repoTags"`
	RepoDigests []string `json:"repoDigests"`
}

// An item is one of a list of Kubernetes: what a pod runs, and of the others their text.
type item struct {
	pod
	other json.RawMessage
}

func (i *item) UnmarshalJSON(text []byte) error {
	var kind struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(text, &kind); err != nil {
		return err
	}
	if kind.Kind == "Pod" || kind.Kind == "" { // those of a PodList
		return json.Unmarshal(text, &i.pod)
	}
	i.other = bytes.Clone(text)
	return nil
}

// A pod is one of Kubernetes (core/v1), of which the status says what runs. Containers
// that wait for a node have none yet.
type pod struct {
	Metadata struct {
		Namespace string `json:"namespace" yaml:"namespace"`
		Name      string `json:"name" yaml:"name"`
	} `json:"metadata" yaml:"metadata"`
	Spec struct {
		Containers []container `json:"containers" yaml:"containers"`
		Init       []container `json:"initContainers" yaml:"initContainers"`
		Ephemeral  []container `json:"ephemeralContainers" yaml:"ephemeralContainers"`
		Volumes    []struct {
			Name  string `json:"name" yaml:"name"`
			Image *struct {
				Reference string `json:"reference" yaml:"reference"`
			} `json:"image" yaml:"image"`
		} `json:"volumes" yaml:"volumes"`
	} `json:"spec" yaml:"spec"`
	Status struct {
		Containers []container `json:"containerStatuses" yaml:"containerStatuses"`
		Init       []container `json:"initContainerStatuses" yaml:"initContainerStatuses"`
		Ephemeral  []container `json:"ephemeralContainerStatuses" yaml:"ephemeralContainerStatuses"`
	} `json:"status" yaml:"status"`
}

type container struct {
	Name    string `json:"name" yaml:"name"`
	Image   string `json:"image" yaml:"image"`
	ImageID string `json:"imageID" yaml:"imageID"`
}

// fromJSON reads a document, or several one after the other, as docker images prints them.
func fromJSON(text []byte) (all []Entry, err error) {
	if bytes.Count(text, []byte{'{'}) > maxParts {
		return nil, &inspect.LimitError{Name: "objects of a list", Limit: maxParts}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	for {
		var value json.RawMessage
		err := dec.Decode(&value)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, errors.New("it begins as JSON does, and is none")
		}
		found, err := fromValue(value)
		if err != nil {
			return nil, err
		}
		if all = append(all, found...); len(all) > maxImages {
			return nil, tooMany("")
		}
	}
}

// fromValue reads a document, an array of them, or one of names.
func fromValue(text json.RawMessage) (all []Entry, err error) {
	if text[0] != '[' {
		return fromObject(text)
	}
	var each []json.RawMessage
	if err := json.Unmarshal(text, &each); err != nil {
		return nil, err
	}
	for _, one := range each {
		var found []Entry
		var name string
		if json.Unmarshal(one, &name) == nil && name != "" {
			found = []Entry{named(name)}
		} else if found, err = fromObject(one); err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func fromObject(text json.RawMessage) ([]Entry, error) {
	var d document
	err := json.Unmarshal(text, &d)
	switch {
	case err != nil: // a key has another kind of value than in these

	case d.Processes != nil:
		return d.pipeline(), nil
	case d.Tags != nil && len(*d.Tags) > maxImages:
		return nil, tooMany("")
	case d.Tags != nil && d.Repository != "":
		return d.tags(), nil
	case d.Images != nil:
		return d.images(), nil
	case d.isStored():
		return d.stored.entries(), nil
	case d.isPods():
		return d.pods()
	}
	all, err := fromYAML(text) // a manifest of Kubernetes or compose, or CWL
	var over *inspect.LimitError
	if errors.As(err, &over) {
		return nil, err
	}
	if err != nil {
		return nil, errors.New("it is JSON, and none that has images: those of nextflow inspect, skopeo list-tags, kubectl get, docker images and its kin, compose, Kubernetes and CWL are known")
	}
	return all, nil
}

// noContainer is the problem of a part of a pipeline for which no image is named.
const noContainer = "no container is named for it: it runs without one, or that is decided when it runs"

func (d document) pipeline() (all []Entry) {
	for _, p := range *d.Processes {
		switch c := p.Container.(type) {
		case string:
			if c = strings.TrimSpace(c); looksLikeFile(c) || strings.HasPrefix(c, "https://") {
				all = append(all, file(c, p.Name))
			} else if c != "" {
				all = append(all, remote(strings.TrimPrefix(c, "docker://"), p.Name))
			} else {
				all = append(all, problem("process "+p.Name, noContainer, p.Name))
			}
		case nil:
			all = append(all, problem("process "+p.Name, noContainer, p.Name))
		default:
			all = append(all, problem("process "+p.Name, "its container is no text", p.Name))
		}
	}
	return all
}

func (d document) tags() (all []Entry) {
	for _, tag := range *d.Tags {
		all = append(all, remote(d.Repository+":"+tag))
	}
	return all
}

func (d document) images() (all []Entry) {
	for _, img := range *d.Images {
		if img.Reference == "" {
			all = append(all, img.entries()...)
		} else {
			all = append(all, file(img.Reference, img.Names...))
		}
	}
	return all
}

// isStored says that a document is one image of an engine. Docker gives the parts of its
// name, and <none> for those that it lacks.
func (d *document) isStored() bool {
	if d.Repository != "" && d.Tag != "" {
		d.Names = []string{d.Repository + ":" + d.Tag}
		if strings.HasPrefix(d.Digest, "sha256:") {
			d.RepoDigests = []string{d.Repository + "@" + d.Digest}
		}
		return true
	}
	return d.ID != "" && (d.Names != nil || d.RepoTags != nil || d.RepoDigests != nil)
}

// entries are the image by its digests, or else by its names: its number is that of its
// config, which no registry knows.
func (s stored) entries() (all []Entry) {
	tags := withNames(append(append([]string{}, s.Names...), s.RepoTags...))
	for _, digest := range withNames(s.RepoDigests) {
		all = append(all, remote(digest, tags...))
	}
	if len(all) > 0 {
		return all
	}
	for _, tag := range tags {
		all = append(all, remote(tag))
	}
	if len(all) == 0 {
		all = append(all, problem("image "+s.ID, "it has no name: no registry can be asked for it"))
	}
	return all
}

// withNames are the names that have a repository.
func withNames(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return name == "" || strings.HasPrefix(name, "<none>") })
}

// isPods says that there is the status of at least one container: a manifest has none.
func (d document) isPods() bool {
	if d.Items == nil {
		return d.Kind == "Pod" && len(d.containers()) > 0
	}
	for _, p := range *d.Items {
		if p.other == nil && len(p.containers()) > 0 {
			return true
		}
	}
	return d.Kind == "PodList"
}

func (p pod) containers() []container {
	return append(append(append([]container{}, p.Status.Containers...), p.Status.Init...), p.Status.Ephemeral...)
}

// waiting are the containers that have no status, with the image that is wanted.
func (p pod) waiting() (all []container) {
	known := make(map[string]bool)
	for _, c := range p.containers() {
		known[c.Name] = true
	}
	for _, c := range append(append(append([]container{}, p.Spec.Containers...), p.Spec.Init...), p.Spec.Ephemeral...) {
		if !known[c.Name] {
			all = append(all, container{Name: c.Name, Image: c.Image})
		}
	}
	return all
}

// pods are the images that pods run, and those of the other objects of their list.
func (d document) pods() (all []Entry, err error) {
	if d.Items == nil {
		return d.pod.entries(), nil
	}
	for _, i := range *d.Items {
		found := i.pod.entries()
		if i.other != nil {
			if found, err = fromYAML(i.other); err != nil {
				return nil, fmt.Errorf("an item of the list: %w", err)
			}
		}
		all = append(all, found...)
	}
	return all, nil
}

func (p pod) entries() (all []Entry) {
	for _, c := range append(p.containers(), p.waiting()...) {
		all = append(all, running(c, p.label(c.Name)))
	}
	for _, v := range p.Spec.Volumes {
		if v.Image != nil {
			all = append(all, remote(v.Image.Reference, p.label(v.Name)))
		}
	}
	return all
}

// label is what a list calls a part of a pod.
func (p pod) label(name string) string {
	return clip(fmt.Sprintf("%s/%s/%s", p.Metadata.Namespace, p.Metadata.Name, name))
}

// running is the image of a container that runs, by its digest; of one that does not
// run yet, by its name. What containerd, CRI-O and dockershim write as imageID differs.
func running(c container, name string) Entry {
	id := c.ImageID
	if _, rest, ok := strings.Cut(c.ImageID, "://"); ok {
		id = rest
	}
	switch {
	case id == "":
		return remote(c.Image, name)
	case strings.Contains(id, "@"):
		return remote(id, name)
	}
	return problem(c.Image+" ("+id+")", "what runs is known by the digest of its config alone ("+id+"): no registry can be asked for that", name)
}
