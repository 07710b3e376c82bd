package guix

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"audit/provenance/guix"
)

// exported makes of an image what a container engine exports of it, beside it:
// the files of its layer, and those that the engine added to the original.
func exported(image string, e guix.Export) (file string, err error) {
	from, err := os.Open(image)
	if err != nil {
		return "", fmt.Errorf("exporting the image: %w", err)
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(filepath.Dir(image), "exported.tar"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("exporting the image: %w", err)
	}
	w := tar.NewWriter(to)
	err = copyLayer(w, from, e)
	if err == nil {
		err = addEngineFiles(w, e)
	}
	if err = errors.Join(err, w.Close(), to.Close()); err != nil {
		return "", fmt.Errorf("exporting the image: %w", err)
	}
	return to.Name(), nil
}

// copyLayer copies the entries of the one layer of an uncompressed image.
func copyLayer(w *tar.Writer, image io.Reader, e guix.Export) error {
	archive := tar.NewReader(image)
	for {
		member, err := archive.Next()
		if err == io.EOF {
			return errors.New("it has no layer")
		}
		if err != nil {
			return err
		}
		if path.Base(member.Name) == "layer.tar" {
			return copyEntries(w, tar.NewReader(archive), e)
		}
	}
}

func copyEntries(w *tar.Writer, layer *tar.Reader, e guix.Export) error {
	for {
		entry, err := layer.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		entry.Format = tar.FormatUnknown // engines write the one that fits
		if !e.OwnerNames {
			entry.Uname, entry.Gname = "", ""
		}
		if err := w.WriteHeader(entry); err != nil {
			return err
		}
		if _, err := io.Copy(w, layer); err != nil {
			return err
		}
	}
}

// addEngineFiles adds what the engine made, which is empty all of it.
func addEngineFiles(w *tar.Writer, e guix.Export) error {
	known := guix.EngineLayout()
	for _, name := range e.Files {
		made := known[name][0]
		entry := &tar.Header{Name: name, Typeflag: made.Kind, Mode: int64(made.Mode), Linkname: made.Target}
		if made.Kind == tar.TypeDir {
			entry.Name += "/"
		}
		if made.Kind == tar.TypeSymlink {
			entry.Mode = 0o777
		}
		if e.OwnerNames {
			entry.Uname, entry.Gname = "root", "root"
		}
		if err := w.WriteHeader(entry); err != nil {
			return err
		}
	}
	return nil
}
