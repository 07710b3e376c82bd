package image

import (
	"slices"

	"audit/inspect/digest"
)

// Bare returns a layer as it was read, with those contents alone that cannot be done
// without.
func (l *Layer) Bare() *Layer {
	bare := *l
	bare.bodies, bare.spare, bare.optional = nil, nil, nil
	return &bare
}

// Again returns the layer as another image has it that has the same blob: with entries
// of its own, under the name of a member, and without contents.
func (l *Layer) Again(member string) *Layer {
	again := *l.Bare()
	again.byDigest, again.Member = nil, member
	again.Notes, again.Remarks = slices.Clone(l.Notes), slices.Clone(l.Remarks)
	entries := make([]Entry, len(l.Entries))
	again.Entries = make([]*Entry, len(l.Entries))
	for i, e := range l.Entries {
		entries[i] = *e
		again.Entries[i] = &entries[i]
	}
	return &again
}

// Kept returns a content of a layer that was kept and cannot be done without, by its
// digest.
func (l *Layer) Kept(sum digest.Sum) ([]byte, bool) {
	content, ok := l.byDigest[sum]
	return content, ok
}

// KeptBytes counts the bytes of the contents of a layer that were kept and cannot be
// done without.
func (l *Layer) KeptBytes() (n int64) {
	for _, content := range l.byDigest {
		n += int64(len(content))
	}
	return n
}

// DropWeak forgets the digests beside SHA-256.
func (l *Layer) DropWeak() { l.weak = weak{} }
