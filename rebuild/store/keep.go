package store

import (
	"audit/inspect"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Keep copies an image out of the store into a folder, as a file that must not be
// there yet, and returns its path. Its name is that of the store item, without the
// suffix of a second build.
func Keep(image, dir, suffix string) (string, error) {
	name := strings.TrimSuffix(inspect.StoreName(image), suffix)
	file := filepath.Join(dir, "rebuilt-"+cmp.Or(name, filepath.Base(image)))
	if err := copyFile(image, file); err != nil {
		return "", fmt.Errorf("taking the image from the store: %w", err)
	}
	return file, nil
}

func copyFile(image, file string) error {
	from, err := os.Open(image)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}
