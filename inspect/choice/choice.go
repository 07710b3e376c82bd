package choice

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// An Error reports that a reference does not name exactly one image.
type Error struct {
	Want string   // "" when nothing was asked for
	Have []string // what could be asked for
	How  string   // how to ask for one of them

	Platforms []string // of those in an index, as OS/ARCH[/VARIANT]

	Several bool // what was asked for is more than one image; always so when nothing was
}

func (e *Error) Error() string {
	have := strings.Join(e.Have, ", ")
	if len(e.Have) == 0 {
		have = "none that has a name"
	}
	if e.Want == "" {
		return fmt.Sprintf("several images: choose one with %s: %s", e.How, have)
	}
	if e.Several {
		return fmt.Sprintf("several images %q: choose one with %s: %s", e.Want, e.How, have)
	}
	return fmt.Sprintf("no image %q: there is %s", e.Want, have)
}

// byReference is how an image of a docker-archive is asked for.
const byReference = "docker-archive:PATH:REF, where REF is one of"

// A Named is what one image of an archive can be asked for by.
type Named struct {
	Names []string // tags, or where it has none what stands for them
	Tags  bool     // they are tags
}

// Of returns which of the images in an archive want names, by one of its names or
// by "@" and its place from 0 on, as skopeo has it; "" stands for the only one.
func Of(images []Named, want string) (int, error) {
	var all []string
	for i, own := range images {
		place := "@" + strconv.Itoa(i)
		if want != "" && (want == place || slices.ContainsFunc(own.Names, func(n string) bool { return same(n, want) })) {
			return i, nil
		}
		have := own.Names
		if !own.Tags {
			have = []string{fmt.Sprintf("%s (%s)", strings.Join(have, ", "), place)}
		}
		all = append(all, have...)
	}
	if want != "" || len(images) > 1 {
		return 0, &Error{Want: want, Have: all, How: byReference}
	}
	return 0, nil
}

// same says whether two names mean the same image: docker.io/library and
// the tag latest go without saying.
func same(a, b string) bool {
	return a == b || Full(a) != "" && Full(a) == Full(b)
}

// Full is the name of an image with the registry, the folders and the tag that go
// without saying; "" for one that cannot be a name.
func Full(short string) string {
	n, err := name.ParseReference(short)
	if err != nil {
		return ""
	}
	return n.Name()
}
