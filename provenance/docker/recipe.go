package docker

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/docker/dockerfile"
	"audit/provenance/docker/slsa"
)

func (r *recovery) note(rule string, layer int, format string, args ...any) {
	r.notes = append(r.notes, check.Finding{Rule: rule, Level: check.Note, Layer: layer, Words: fmt.Sprintf(format, args...)})
}

// baseSays notes what a look at the base image has shown.
func (r *recovery) baseSays(said string, is bool) {
	if is {
		r.note("base-image", -1, "%s", said)
		return
	}
	r.incomplete(said)
}

// layers notes which instruction made which layer, and how much.
func (r *recovery) layers() {
	for _, i := range r.history {
		if i.Layer < 0 || !i.writes() && i.together() && r.written(i.Layer) {
			continue
		}
		l := r.img.Layers[i.Layer]
		what := brief(i.String())
		if what == "" {
			what = "something that the history does not tell"
		}
		r.note("layer-instruction", i.Layer, "made by %s (%s, %d bytes)", what, provenance.Count(len(l.Entries), "entry"), l.UncompressedSize)
	}
}

// written says whether an instruction that can write had part in a layer.
func (r *recovery) written(layer int) bool {
	return slices.ContainsFunc(r.history, func(i Instruction) bool { return i.Layer == layer && i.writes() })
}

// arguments notes the build arguments that instructions were run with.
func (r *recovery) arguments() {
	for _, a := range Arguments(r.history) {
		r.note("build-argument", -1, "an instruction was run with the build argument %s", brief(a))
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
			r.note("revision-differs", -1, "a label says that it was made from the commit %s, and the provenance says %s", label, c.Commit)
		}
	}
	for _, key := range sourceLabels() {
		if value := r.img.Config.File.Config.Labels[key]; value != "" {
			r.note("asserted-label", -1, "a label says, and nothing shows, that %s is %s", key, brief(value))
		}
	}
}

// unrepeatable names the instructions that cannot be counted on to make the
// same bytes again. The Dockerfile tells more than the history where it is
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
	stages, err := stagesOf(string(text), b.BuildArguments())
	if err != nil {
		r.note("unreadable-dockerfile", -1, "its Dockerfile cannot be read: %s", brief(err.Error()))
		return
	}
	known := make(map[string]bool) // commands of the history, whose reasons were named with their layer
	for _, h := range r.history {
		known[words(h.Text)] = true
	}
	var names []string
	for _, stage := range stages {
		for _, i := range stage.Instructions {
			if i.Keyword == "RUN" && known[words(i.Text)] {
				continue
			}
			r.reasons(-1, i, pinnedReasons(i, stage, names, b))
		}
		names = append(names, stage.Name)
	}
}

func stagesOf(text string, arguments []string) ([]dockerfile.Stage, error) {
	all, err := dockerfile.Parse(text)
	if err != nil {
		return nil, err
	}
	return dockerfile.Stages(all, arguments)
}

// words returns a text with single spaces between its words.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// pinnedReasons leaves out what the provenance pins: images and downloads that
// are among the materials with their digest.
func pinnedReasons(i dockerfile.Instruction, stage dockerfile.Stage, names []string, b *slsa.Build) []string {
	switch i.Keyword {
	case "FROM", "COPY", "ADD":
		if b.Pins(i.Text) || b.Pins(i.Flag("from")) || i.Keyword == "FROM" && b.Pins(stage.Image) {
			return nil
		}
	}
	return i.Unrepeatable(names)
}

func (r *recovery) reasons(layer int, i dockerfile.Instruction, reasons []string) {
	where := ""
	if i.Line > 0 {
		where = fmt.Sprintf(" (line %d of the Dockerfile)", i.Line)
	}
	if len(reasons) == 0 {
		return
	}
	line := brief(i.String())
	for _, reason := range reasons {
		r.note("unrepeatable-instruction", layer, "it may not make the same bytes again: %s: %s%s", brief(reason), line, where)
	}
}

// addHistory adds the instructions as a file: what can be told of a Dockerfile
// without one.
func (r *recovery) addHistory() {
	var b strings.Builder
	b.WriteString("# Written by audit from the history of the image. It is no Dockerfile: the image\n" +
		"# in FROM, the files that were copied, and stages before the last are not there.\n")
	for n, i := range r.history {
		for _, a := range i.Arguments {
			b.WriteString("# with " + oneLine(a) + "\n")
		}
		line := printable(i.String())
		if i.Keyword == "" {
			line = "# " + oneLine(i.String())
		}
		b.WriteString(line + "\n")
		if i.Base && (n+1 == len(r.history) || !r.history[n+1].Base) {
			b.WriteString("# Up to here: the base image.\n")
		}
	}
	if len(r.history) > 0 {
		r.recipe.Files = append(r.recipe.Files, provenance.File{Name: "Dockerfile.history", Text: []byte(b.String())})
	}
}

// printable replaces what a terminal would obey.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\n' && c != '\t' || unicode.Is(unicode.Cf, c) {
			return unicode.ReplacementChar
		}
		return c
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
}

func oneLine(text string) string { return strings.ReplaceAll(printable(text), "\n", " ") }

// check is the check named recipe.
func (r *recovery) check() check.Check {
	c := check.Check{ID: check.Recipe, Status: check.Unknown, Findings: slices.Clone(r.wrong)}
	for _, problem := range r.recipe.Problems {
		c.Findings = append(c.Findings, check.Finding{Rule: "recipe-incomplete", Level: check.Problem, Layer: -1, Words: problem})
	}
	for _, s := range r.recipe.Sources {
		c.Findings = append(c.Findings, check.Finding{Rule: "recipe-evidence", Level: check.Note, Layer: s.Layer, Path: s.Path, Words: "says how the image was made; " + s.Digest.String()})
	}
	c.Findings = append(c.Findings, r.notes...)
	what := fmt.Sprintf("%s, made by %s", provenance.Count(len(r.history), "instruction"), r.recipe.Packer)
	switch {
	case len(r.wrong) > 0:
		c.Status, c.Summary = check.Fail, r.wrong[0].Words
	case r.recipe.Status == provenance.Complete:
		c.Status = check.Pass
		c.Summary = fmt.Sprintf("complete, as an unsigned provenance asserts: %s, from %s", what, r.from())
	case r.recipe.Status == provenance.Partial:
		c.Summary = fmt.Sprintf("partial: %s; %s", what, strings.Join(r.recipe.Problems, "; "))
	case r.recipe.Packer != "":
		c.Summary = fmt.Sprintf("no recipe, made by %s: %s", r.recipe.Packer, strings.Join(r.recipe.Problems, "; "))
	default:
		c.Summary = "no recipe: " + strings.Join(r.recipe.Problems, "; ")
	}
	return c
}

// from names the source of a complete recipe.
func (r *recovery) from() string {
	for _, c := range r.recipe.Channels {
		return fmt.Sprintf("%s at %.12s", brief(c.URL), c.Commit)
	}
	return "an address"
}
