package dockerfile

import "github.com/moby/buildkit/frontend/dockerfile/parser"

// Syntax returns the image of the frontend that a Dockerfile names for itself in
// its first lines (# syntax=IMAGE), as BuildKit reads them; "" for none.
func Syntax(text string) string {
	image, _, _, _ := parser.DetectSyntax([]byte(text))
	return image
}
