package inspect_test

import (
	"context"
	"fmt"
	"log"

	"audit/inspect"
)

// An image is opened by its path; what form it has is found out. Its layers are
// digested while they are read.
func ExampleOpen() {
	img, err := inspect.Open(context.Background(), "../fixtures/guix/images/tiny-layers4.tar.gz", inspect.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(img.Transport, img.Compression, img.Integrity().Status)
	for _, l := range img.Layers {
		fmt.Printf("%d %.19s %d entries\n", l.Index, l.DiffID, len(l.Entries))
	}
	// Output:
	// docker-archive gzip pass
	// 0 sha256:7c16322789cb 5 entries
	// 1 sha256:12e71c8f818f 8 entries
	// 2 sha256:ce721e032c73 11 entries
	// 3 sha256:260ff7ef07b4 3 entries
}
