package base

import (
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect/check"
)

// quiet is how much later a line of a history is than the one before it where an image
// was built on one that was there already. A cache of layers has such gaps too.
const quiet = 24 * time.Hour

// maxBoundaries bounds the boundaries of a kind that are named: chains of base images
// are shorter.
const maxBoundaries = 10

// boundary guesses where the history of a base image ends: after a CMD that instructions
// follow which write layers, since a Dockerfile has its CMD last; where the form of the
// lines changes; and where a day or more passed.
func (r *reader) boundary() {
	all := r.img.Config.File.History
	last := make(map[string]int)
	count := make(map[string]int)
	add := func(kind, code string, n int, args ...any) {
		if count[kind]++; count[kind] <= maxBoundaries {
			r.note(-1, "", code, append([]any{"line", n + 1, "next", check.Brief(instruction(all[n].CreatedBy))}, args...)...)
		}
		last[kind] = n
	}
	writes := lastLayer(all)
	for n := 1; n < len(all); n++ {
		before, now := all[n-1], all[n]
		if strings.HasPrefix(instruction(before.CreatedBy), "CMD ") && before.EmptyLayer && n <= writes {
			add("cmd", "recipe/base-boundary-cmd", n)
		}
		if was, is := formOf(before), formOf(now); was != is && was != "" && is != "" {
			add("form", "recipe/base-boundary-form", n, "was", was, "is", is)
		}
		if gap := now.Created.Sub(before.Created.Time); gap >= quiet && before.Created.Unix() > 0 {
			add("time", "recipe/base-boundary-time", n, "days", int64(gap/quiet))
		}
	}
	for _, kind := range []string{"cmd", "form", "time"} {
		if n := last[kind]; n > 0 {
			r.base.At(n, Guess)
			return
		}
	}
}

// lastLayer is the last line that made a layer, -1 for none.
func lastLayer(all []v1.History) int {
	for n := len(all) - 1; n >= 0; n-- {
		if !all[n].EmptyLayer {
			return n
		}
	}
	return -1
}

// formOf names the form that a builder writes lines in, "" for none that is known.
func formOf(h v1.History) string {
	switch {
	case h.Comment == "buildkit.dockerfile.v0", strings.HasSuffix(h.CreatedBy, "# buildkit"):
		return "BuildKit"
	case strings.Contains(h.CreatedBy, "#(nop)"), strings.HasPrefix(h.CreatedBy, "/bin/sh -c "):
		return "the classic builder"
	case strings.HasPrefix(h.Comment, "debuerreotype "):
		return "debuerreotype"
	}
	return ""
}
