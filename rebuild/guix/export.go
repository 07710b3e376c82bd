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
	"audit/rebuild"
)

// exported makes of an image what a container engine exports of it, beside it:
// the files of its layer, and those that the engine laid into the original.
func exported(image string, e rebuild.Export) (file string, err error) {
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
		err = layEngineFiles(w, e)
	}
	if err = errors.Join(err, w.Close(), to.Close()); err != nil {
		return "", fmt.Errorf("exporting the image: %w", err)
	}
	return to.Name(), nil
}

// copyLayer copies the entries of the one layer of an uncompressed image.
func copyLayer(w *tar.Writer, image io.Reader, e rebuild.Export) error {
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

func copyEntries(w *tar.Writer, layer *tar.Reader, e rebuild.Export) error {
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

// layEngineFiles adds what the engine laid, which is empty all of it.
func layEngineFiles(w *tar.Writer, e rebuild.Export) error {
	known := guix.EngineLayout()
	for _, name := range e.Files {
		laid := known[name][0]
		entry := &tar.Header{Name: name, Typeflag: laid.Kind, Mode: laid.Mode, Linkname: laid.Target}
		if laid.Kind == tar.TypeDir {
			entry.Name += "/"
		}
		if laid.Kind == tar.TypeSymlink {
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
