package provenance

import (
	"fmt"
	"slices"

	"audit/inspect"
	"audit/inspect/check"
)

// UnreadLayer is the finding that a layer was read in part, or, where it is encrypted, is of
// a kind that is not read here or is not part of the image, not at all.
func UnreadLayer(l *inspect.Layer) check.Finding {
	if len(l.Entries) == 0 && (l.Unknown || l.Absent) {
		return check.Find(check.Undecided, l.Index, l.Member, "closure/layer-not-read", "media-type", string(l.MediaType))
	}
	return check.Find(check.Undecided, l.Index, l.Member, "closure/layer-unread", "error", l.Broken)
}

// OfWhatWasRead says in a check of the closure which layers were not read to the end:
// what it counts is of the others. An image of which nothing was read does not lack entries.
func OfWhatWasRead(c check.Check, layers []*inspect.Layer) check.Check {
	var unread, types []string
	for _, l := range layers {
		if l.Broken == nil {
			continue
		}
		unread = append(unread, fmt.Sprintf("layer %d", l.Index))
		if t := string(l.MediaType); t != "" && !slices.Contains(types, t) && len(types) < maxNamed {
			types = append(types, check.Brief(t))
		}
	}
	if len(unread) == 0 || c.Status == check.Skipped {
		return c
	}
	c.Reasons = slices.DeleteFunc(slices.Clone(c.Reasons), func(m check.Message) bool { return m.Code == "closure/no-entries" })
	named := unread[:min(len(unread), maxNamed)]
	c.Reasons = slices.Insert(c.Reasons, 0, check.Say("closure/layers-unread",
		"unread", named, "beyond", len(unread)-len(named), "layers", len(layers), "media-types", types))
	return c
}

// maxNamed bounds the layers, and the media types, that a reason names.
const maxNamed = 3
