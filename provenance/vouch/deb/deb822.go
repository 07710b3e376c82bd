package deb

import (
	"iter"

	"audit/provenance/ospackages/deb822"
)

// A Paragraph is one of the files of dpkg and apt.
type Paragraph = deb822.Paragraph

// A Field is one of a paragraph.
type Field = deb822.Field

// Paragraphs yields the paragraphs of a text: see [deb822.Paragraphs].
func Paragraphs(text []byte) iter.Seq[Paragraph] { return deb822.Paragraphs(text) }
