package compare_test

import (
	"context"
	"fmt"
	"log"

	"audit/inspect"
	"audit/rebuild/compare"
)

// Two builds of one recipe whose package embeds the time of its build: which files
// differ. What is proved of a cause is package explain's.
func ExampleImages() {
	var images []*inspect.Image
	for _, name := range []string{"stamp-A.tar.gz", "stamp-B.tar.gz"} {
		img, err := inspect.Open(context.Background(), "../../fixtures/guix/images/"+name, inspect.Options{})
		if err != nil {
			log.Fatal(err)
		}
		images = append(images, img)
	}
	c := compare.Images(images[0], images[1], nil)
	fmt.Println(c.Result())
	for _, d := range c.Differences {
		fmt.Println(d.Cause, d.Path)
	}
	// Output:
	// different
	// content gnu/store/vfjsxncgarfsyg7nlv1l6ivaiidprd2g-tiny-stamp-0.1/share/built-at
}
