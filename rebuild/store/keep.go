package store

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Keep copies an image out of the store, to a file that must not be there yet.
func Keep(image, file string) error {
	from, err := os.Open(image)
	if err != nil {
		return fmt.Errorf("taking the image from the store: %w", err)
	}
	defer from.Close()
	to, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("taking the image from the store: %w", err)
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("taking the image from the store: %w", err)
	}
	return nil
}
