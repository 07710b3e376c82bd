// Package form is what the forms of an image have in common: a form says by what
// an input is known for it, and reads an image from it. Package inspect has the
// one ordered list of forms.
package form

import (
	"audit/inspect/image"
)

// A Form is a form in which an image reaches audit, and its transport: the name
// by which a person asks for it, as in TRANSPORT:PATH.
type Form struct {
	Transport image.Transport
	Argument  string // what follows the transport, for help: "PATH[:REF]"

	// Named says that what follows the transport is a name, and no path of a
	// file or folder.
	Named bool
	// Match says whether an input is of this form. It is asked only of an input
	// whose transport is not given, after the forms before it in the list have
	// declined. A nil Match is that of a form which is never guessed.
	Match func(in *Input) (bool, error)
	// Open reads the image. It refuses an input that is of another form.
	Open func(in *Input) (*image.Image, error)
}
