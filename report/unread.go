package report

import (
	"fmt"
	"strings"
)

// unread are the layers that could not be read, or not to their end.
func (r *Report) unread() (all []Layer) {
	for _, l := range r.Image.Layers {
		if l.Broken != "" {
			all = append(all, l)
		}
	}
	return all
}

// unreadMeaning says that the answer is about a part of the image alone; "" where all of it
// was read.
func (r *Report) unreadMeaning() string {
	n := len(r.unread())
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" %d of %s could not be read to the end: what is in there is not known.", n, count(len(r.Image.Layers), "layer"))
}

// ofRead says after a number of bytes that they are those of a part of the layers; "" where
// all were read.
func (r *Report) ofRead() string {
	n := len(r.unread())
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" that could be read (%d of %s could not)", n, count(len(r.Image.Layers), "layer"))
}

// readAll says what lets the layers be read that were not; "" where there are none.
func (r *Report) readAll() string {
	layers := r.unread()
	if len(layers) == 0 {
		return ""
	}
	for _, l := range layers {
		if strings.HasSuffix(l.MediaType, encrypted) {
			return "To have all of it looked into give audit the image decrypted: skopeo copy --decryption-key FILE does that for who has the key."
		}
	}
	return "To have all of it looked into give audit the image with every layer in it, as a tar that is plain or compressed: " +
		"fetch what lies elsewhere, convert other formats back, or get it again where it is damaged."
}

// encrypted ends the media type of a layer that is (containers/ocicrypt).
const encrypted = "+encrypted"
