package sbom

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect/check"
)

// uuid returns the bill's id as a UUID of version 8, which RFC 9562 leaves to
// whoever makes it. Nothing in it is random: one image has one id.
func (b *Bill) uuid() string {
	id := b.ID
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// namespace returns the URI of the SPDX document, in the form that SPDX 2.3,
// section 6.5, proposes for those who have no site of their own.
func (b *Bill) namespace() string {
	return "https://spdx.org/spdxdocs/audit-" + b.uuid()
}

// tool returns the name of the tool with its version, as SPDX wants it.
func (b *Bill) tool() string {
	if b.Version == "" {
		return b.Tool
	}
	return b.Tool + "-" + clean(b.Version)
}

// summary says in words what the bill lists, and how far it goes.
func (b *Bill) summary() string {
	s := fmt.Sprintf(sentenceItems, len(b.Items))
	if len(b.Parts) > 0 {
		s = fmt.Sprintf(sentenceItemsAndParts, len(b.Items), len(b.Parts))
	}
	switch b.Closure {
	case check.Pass:
		s += sentenceClosurePass
	case check.Fail:
		s += sentenceClosureFail
	default:
		s += sentenceClosureUnknown
	}
	for i, g := range b.Gaps {
		if i == maxGaps {
			return s + "\n" + fmt.Sprintf(sentenceMoreGaps, len(b.Gaps)-i)
		}
		s += "\n" + fmt.Sprintf(sentenceGap, b.gapText(g))
	}
	return s
}

// maxGaps bounds the gaps that a document names one by one.
const maxGaps = 20

func (b *Bill) gapText(g Gap) string {
	return fmt.Sprintf(sentenceGapPlace, clean(g.Path), g.Layer, clean(b.text(g.Message)))
}

// unreadText says why a layer was not read to its end, "" when it was.
func (b *Bill) unreadText(l Layer) string {
	if l.Unread.IsZero() {
		return ""
	}
	return fmt.Sprintf(sentenceIncomplete, clean(b.text(l.Unread)))
}

// digestText returns a digest as text, "" for none.
func digestText(h v1.Hash) string {
	if h == (v1.Hash{}) {
		return ""
	}
	return location(h.String())
}
