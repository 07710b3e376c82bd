package report

import (
	"errors"
	"slices"

	"audit/rebuild"
)

// newRebuild says how the image was built again: by a builder, elsewhere, or
// not at all, which is nil unless somebody signed what is in it.
func newRebuild(in Input, s Sentences) *Rebuild {
	if in.Result == nil && in.BuildErr == nil {
		switch {
		case in.Comparison != nil || in.Rebuilt != nil:
			return &Rebuild{Builder: string(Given), Status: Given, Basis: in.Basis}
		case slices.ContainsFunc(in.Basis.Items, func(p rebuild.Part) bool { return len(p.Operators) > 0 }):
			return &Rebuild{Status: NotTried, Basis: in.Basis}
		}
		return nil
	}
	out := &Rebuild{Builder: in.Builder, Status: statusOf(in.BuildErr), Log: in.Log, Basis: in.Basis}
	if out.Builder == "" && in.Plan != nil {
		out.Builder = string(in.Plan.System)
	}
	if in.BuildErr != nil {
		out.Problem = s.problem(in.BuildErr)
		if hint := (*rebuild.HintError)(nil); errors.As(in.BuildErr, &hint) {
			out.Hint = hint.Hint
		}
	}
	if in.Result != nil {
		out.Command = commandOf(in.Result.Command, in.Plan)
		out.Items = newItems(in.Result.Items)
		for _, step := range in.Result.Steps {
			out.Steps = append(out.Steps, Step{step.Derivation, step.Machine})
		}
		for _, f := range in.Result.Fresh {
			out.Fresh = append(out.Fresh, Fresh{f.Derivation, f.Items, f.Same, f.Differences, f.Problem})
		}
	}
	return out
}

// problem is why nothing was built; of a plan that is refused, its reasons.
func (s Sentences) problem(err error) string {
	var refused *rebuild.RefusedError
	if errors.As(err, &refused) {
		return rebuild.ErrRefused.Error() + ": " + s.Join(refused.Reasons)
	}
	return err.Error()
}

func statusOf(err error) RebuildStatus {
	switch {
	case err == nil:
		return Built
	case errors.Is(err, rebuild.ErrBuild):
		return Failed
	case errors.Is(err, rebuild.ErrRefused):
		return Refused
	case errors.Is(err, rebuild.ErrNoBuilder):
		return NoBuilder
	}
	return Stopped
}

func newItems(items []rebuild.Item) Items {
	var out Items
	for _, it := range items {
		switch it.How {
		case rebuild.Built:
			out.Built = append(out.Built, BuiltItem{it.Path, it.Source})
		case rebuild.Substituted:
			out.Substituted = append(out.Substituted, Substitute{it.Path, it.Source})
		default: // what is not known to have been made now is not counted as made
			out.Reused = append(out.Reused, it.Path)
		}
	}
	return out
}

// replay is what to type to build the image again, and to hold what comes out
// against it. Where the command does not say where it has put the image
// rebuild.sh knows, and byHand is the command that it is built with.
func replay(r *Report) (text, byHand string) {
	if len(r.Plan.Command) == 0 {
		return "", ""
	}
	image, command := shellWord(imageName(r.Image)), shellWords(r.Plan.Command)
	if r.words.of(r.Plan.System).PrintsImage {
		return "audit provenance " + image + "\nrebuilt=$(" + command + ")\naudit --rebuilt \"$rebuilt\" " + image, ""
	}
	return "sh rebuild.sh\naudit --rebuilt rebuilt* " + image, command
}

// imageName is how the image is named on a command line, in its own folder.
func imageName(img Image) string {
	if img.Reference == "-" || img.Reference == "" {
		return archiveFile(img)
	}
	return dashSafe(string(img.Reference))
}
