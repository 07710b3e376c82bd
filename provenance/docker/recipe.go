package docker

import (
	"maps"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/docker/dockerfile"
	"audit/provenance/docker/slsa"
)

// layers notes which instruction made which layer, and how much.
func (r *recovery) layers() {
	for _, i := range r.history {
		if i.Layer < 0 || !i.writes() && i.together() && r.written(i.Layer) {
			continue
		}
		l := r.img.Layers[i.Layer]
		r.note(i.Layer, "recipe/layer-instruction",
			"instruction", check.Brief(i.String()), "entries", len(l.Entries), "bytes", l.UncompressedSize)
	}
}

// written says whether an instruction that can write had part in a layer.
func (r *recovery) written(layer int) bool {
	return slices.ContainsFunc(r.history, func(i Instruction) bool { return i.Layer == layer && i.writes() })
}

// arguments notes the build arguments that instructions were run with.
func (r *recovery) arguments() {
	for _, a := range Arguments(r.history) {
		a, _, _ = strings.Cut(a, "=") // its value can be a secret
		r.note(-1, "recipe/build-argument", "argument", check.Brief(a))
	}
}

// Arguments returns the build arguments that instructions were run with,
// NAME=VALUE, sorted; the last value of each name, without those of the base
// image where it is known.
func Arguments(all []Instruction) []string {
	last := make(map[string]string)
	for _, i := range all {
		for _, a := range i.Arguments {
			if name, value, _ := strings.Cut(a, "="); !i.Base {
				last[name] = value
			}
		}
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(last)) {
		found = append(found, name+"="+last[name])
	}
	return found
}

// sourceLabels are those that say where an image came from (OCI image-spec
// v1.1, annotations.md, and label-schema.org rc1).
func sourceLabels() []string {
	return []string{
		"org.opencontainers.image.source", "org.opencontainers.image.revision", "org.opencontainers.image.version", "org.opencontainers.image.created",
		"org.opencontainers.image.base.name", "org.opencontainers.image.base.digest", "org.label-schema.vcs-url", "org.label-schema.vcs-ref", "org.label-schema.build-date",
	}
}

// labels notes what labels say of the source.
func (r *recovery) labels() {
	label := r.img.Config.File.Config.Labels["org.opencontainers.image.revision"]
	for _, c := range r.recipe.Channels {
		if slsa.IsCommit(label) && label != c.Commit {
			r.note(-1, "recipe/revision-differs", "label", label, "commit", c.Commit)
		}
	}
	for _, key := range sourceLabels() {
		if value := r.img.Config.File.Config.Labels[key]; value != "" {
			r.note(-1, "recipe/asserted-label", "label", key, "value", check.Brief(value))
		}
	}
}

// unrepeatable names the instructions that cannot be counted on to make the
// same bytes again. The Dockerfile has more than the history where it is
// there: the images in FROM, and every stage.
func (r *recovery) unrepeatable(b *slsa.Build) {
	for _, i := range r.history {
		if i.Base || i.Keyword == "ADD" || i.Keyword == "COPY" {
			continue // the history has what was added, not where it is from
		}
		r.reasons(i.Layer, i.Instruction, i.Unrepeatable(nil))
	}
	if b == nil {
		return
	}
	text, ok := Text(b)
	if !ok {
		return
	}
	stages, err := dockerfile.Stages(string(text), b.BuildArguments())
	if err != nil {
		r.note(-1, "recipe/dockerfile-unread", "error", check.Brief(err.Error()))
		return
	}
	known := make(map[string]bool) // commands of the history, whose reasons were named with their layer
	for _, h := range r.history {
		known[words(h.Text)] = true
	}
	pinned := b.Pinned()
	var names []string
	for _, stage := range stages {
		for _, i := range stage.Instructions {
			if i.Keyword == "RUN" && known[words(i.Text)] {
				continue
			}
			r.reasons(-1, i, pinnedReasons(i, stage, names, pinned))
		}
		names = append(names, stage.Name)
	}
}

// words returns a text with single spaces between its words.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// pinnedReasons leaves out what the provenance pins: images and downloads that
// are among the materials with their digest.
func pinnedReasons(i dockerfile.Instruction, stage dockerfile.Stage, names []string, pinned slsa.Pinned) []check.Message {
	switch i.Keyword {
	case "FROM":
		if pinned.Has(stage.Image) {
			return nil
		}
		return dockerfile.Moving(stage.Image, names)
	case "ADD":
		if pinned.Has(i.Text) {
			return nil
		}
	}
	return slices.DeleteFunc(i.Unrepeatable(names), func(m check.Message) bool {
		image, ok := m.Args["image"].(string)
		return ok && pinned.Has(image)
	})
}

// reasons notes why an instruction may not make the same bytes again.
func (r *recovery) reasons(layer int, i dockerfile.Instruction, reasons []check.Message) {
	for _, reason := range reasons {
		args := []any{"instruction", check.Brief(i.String()), "line", i.Line}
		for name, value := range reason.Args {
			args = append(args, name, value)
		}
		r.note(layer, reason.Code, args...)
	}
}

// check is the check named recipe.
func (r *recovery) check() check.Check {
	c := check.Check{ID: check.Recipe, Status: check.Unknown}
	for _, m := range r.lacking {
		r.found.Append(check.Finding{Message: m, Level: check.Undecided, Layer: -1})
	}
	for _, s := range r.recipe.Locations {
		r.found.Note(s.Layer, s.Path, "recipe/evidence", "digest", s.Digest)
	}
	c.Findings = r.found.All()
	if len(r.wrong) > 0 {
		c.Status = check.Fail
		c.Reasons = []check.Message{r.wrong[0].Message}
		return c
	}
	switch {
	case r.recipe.Status == provenance.Partial:
		c.Because("recipe/partial-instructions", "instructions", len(r.history), "packer", r.recipe.Packer)
	case r.recipe.Packer != "":
		c.Because("recipe/none-by-packer", "packer", r.recipe.Packer)
	default:
		c.Because("recipe/none")
	}
	c.Reasons = append(c.Reasons, r.recipe.Missing...)
	return c
}
