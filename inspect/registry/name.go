package registry

import (
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"audit/inspect/registry/access"
)

// A NameError says of a name that no image in a registry can have it.
type NameError struct {
	Name    string
	Nearest string // as it was probably meant, with its transport; "" when nobody knows
}

func (e *NameError) Error() string {
	text := fmt.Sprintf("%s names no image in a registry", e.Name)
	if e.Nearest != "" {
		return text + ", nearest is " + e.Nearest
	}
	return text + ": that is docker://HOST/NAME:TAG or docker://HOST/NAME@sha256:HEX, and NAME has no upper case"
}

// Near is a name as one of an image in a registry, "docker://…"; "" where none is like it.
func Near(text string) string {
	text = strings.TrimLeft(strings.TrimPrefix(text, "docker:"), "/")
	if rest, ok := strings.CutPrefix(text, "docker//"); ok {
		text = rest
	}
	repository, end := text, ""
	if i := strings.IndexAny(text[strings.LastIndexByte(text, '/')+1:], ":@"); i >= 0 {
		i += strings.LastIndexByte(text, '/') + 1
		repository, end = text[:i], text[i:]
	}
	for _, word := range []string{text, strings.ToLower(repository) + end} {
		if _, err := name.ParseReference(word); err == nil {
			return "docker://" + word
		}
	}
	return ""
}

// parse reads the name of an image. The error is a [*NameError].
func parse(reference string, options *access.Options) (name.Reference, error) {
	ref, err := name.ParseReference(reference, options.Names()...)
	if err != nil || strings.HasPrefix(reference, "/") { // the host is missing, which none stands in for
		return nil, &NameError{"docker://" + reference, Near(reference)}
	}
	return ref, nil
}
