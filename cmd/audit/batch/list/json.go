package list

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"audit/inspect"
)

func isJSON(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) > 0 && text[0] == '{'
}

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

	// The list.json of a batch.
	Images *[]struct {
		Reference string   `json:"reference"`
		Names     []string `json:"names"`
	} `json:"images"`

	// kubectl get pods -o json: a list, or one pod.
	Kind  string `json:"kind"`
	Items *[]pod `json:"items"`
	pod
}

// A pod is one of Kubernetes (core/v1), of which the status says what runs. Containers
// that wait for a node have none yet.
type pod struct {
	Metadata struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Containers []container `json:"containers"`
		Init       []container `json:"initContainers"`
		Ephemeral  []container `json:"ephemeralContainers"`
		Volumes    []struct {
			Name  string `json:"name"`
			Image *struct {
				Reference string `json:"reference"`
			} `json:"image"`
		} `json:"volumes"`
	} `json:"spec"`
	Status struct {
		Containers []container `json:"containerStatuses"`
		Init       []container `json:"initContainerStatuses"`
		Ephemeral  []container `json:"ephemeralContainerStatuses"`
	} `json:"status"`
}

type container struct {
	Name    string `json:"name"`
	Image   string `json:"image"`
	ImageID string `json:"imageID"`
}

func fromJSON(text []byte) ([]Entry, error) {
	var d document
	if !json.Valid(text) {
		return nil, errors.New("it begins as JSON does, and is none")
	}
	if bytes.Count(text, []byte{'{'}) > maxParts {
		return nil, &inspect.LimitError{Name: "objects of a list", Limit: maxParts}
	}
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
		return d.batch(), nil
	case d.isPods():
		return d.pods(), nil
	}
	all, err := fromYAML(text) // a manifest of Kubernetes or compose, or CWL
	var over *inspect.LimitError
	if errors.As(err, &over) {
		return nil, err
	}
	if err != nil {
		return nil, errors.New("it is JSON, and none that has images: those of nextflow inspect, skopeo list-tags, kubectl get pods, compose, Kubernetes and CWL are known")
	}
	return all, nil
}

func (d document) pipeline() (all []Entry) {
	for _, p := range *d.Processes {
		switch c := p.Container.(type) {
		case string:
			if c = strings.TrimSpace(c); looksLikeFile(c) || strings.HasPrefix(c, "https://") {
				all = append(all, file(c, p.Name))
			} else if c != "" {
				all = append(all, remote(strings.TrimPrefix(c, "docker://"), p.Name))
			}
		case nil: // it runs without one
		default:
			e := entry("process "+p.Name, p.Name)
			e.Problem = "its container is no text"
			all = append(all, e)
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

func (d document) batch() (all []Entry) {
	for _, img := range *d.Images {
		all = append(all, file(img.Reference, img.Names...))
	}
	return all
}

// isPods says that there is the status of at least one container: a manifest has none.
func (d document) isPods() bool {
	if d.Items == nil {
		return d.Kind == "Pod" && len(d.containers()) > 0
	}
	for _, p := range *d.Items {
		if len(p.containers()) > 0 {
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

func (d document) pods() (all []Entry) {
	pods := []pod{d.pod}
	if d.Items != nil {
		pods = *d.Items
	}
	for _, p := range pods {
		for _, c := range append(p.containers(), p.waiting()...) {
			all = append(all, running(c, p.label(c.Name)))
		}
		for _, v := range p.Spec.Volumes {
			if v.Image != nil {
				all = append(all, remote(v.Image.Reference, p.label(v.Name)))
			}
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
	e := entry(c.Image+" ("+id+")", name)
	e.Problem = "what runs is known by the digest of its config alone (" + id + "): no registry can be asked for that"
	return e
}
