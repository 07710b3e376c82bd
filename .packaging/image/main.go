// Image writes the container image of audit as an OCI archive: the program, the
// authorities that Go's own list has, an empty /tmp, and nothing else. It runs as
// nobody. The same programs and the same second give the same bytes. It also writes the
// provenance of a release.
//
//	image -o audit.oci.tar -epoch 1764374400 -version v1.2.3 linux/amd64=DIR/audit linux/arm64=DIR/audit
//	image -provenance FILE -commit HASH FILES...
package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

func main() {
	out := flag.String("o", "audit.oci.tar", "the archive to write")
	epoch := flag.Int64("epoch", 0, "seconds since 1970: the date of everything in it")
	version := flag.String("version", "", "of audit")
	revision := flag.String("revision", "", "the commit that audit was built from")
	provenance := flag.String("provenance", "", "write the provenance of the files that are named instead")
	commit := flag.String("commit", "", "that they were built from")
	flag.Parse()
	if *provenance != "" {
		if err := writeProvenance(*provenance, *commit, flag.Args()); err != nil {
			fmt.Fprintln(os.Stderr, "image:", err)
			os.Exit(1)
		}
		return
	}
	when := time.Unix(*epoch, 0).UTC()
	if err := write(*out, when, labels(*version, *revision), flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func labels(version, revision string) map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       "audit",
		"org.opencontainers.image.description": "Where a container image came from, and whether it can be built again",
		"org.opencontainers.image.version":     version,
		"org.opencontainers.image.revision":    revision,
	}
}

// write makes the archive of an index with an image for each "OS/ARCH=PROGRAM".
func write(out string, when time.Time, labels map[string]string, programs []string) error {
	if len(programs) == 0 {
		return errors.New("no program: OS/ARCH=FILE belongs here")
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range programs {
		platform, path, ok := strings.Cut(p, "=")
		if !ok {
			return fmt.Errorf("%s: OS/ARCH=FILE belongs here", p)
		}
		img, err := newImage(platform, path, when, labels)
		if err != nil {
			return fmt.Errorf("the image for %s: %w", platform, err)
		}
		goos, arch, _ := strings.Cut(platform, "/")
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: goos, Architecture: arch}},
		})
	}
	dir, err := os.MkdirTemp("", "audit-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if _, err := layout.Write(dir, index); err != nil {
		return err
	}
	return archive(out, dir, when)
}

func newImage(platform, program string, when time.Time, labels map[string]string) (v1.Image, error) {
	content, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	layer, err := newLayer(content, when)
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if img, err = mutate.Append(img, mutate.Addendum{
		Layer: layer, MediaType: types.OCILayer, History: v1.History{Created: v1.Time{Time: when}, CreatedBy: "audit release"},
	}); err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, _ = strings.Cut(platform, "/")
	config.Created = v1.Time{Time: when}
	config.Config = v1.Config{User: "65532:65532", Entrypoint: []string{"/audit"}, WorkingDir: "/work", Labels: labels}
	return mutate.ConfigFile(img, config)
}

func newLayer(program []byte, when time.Time) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range []struct {
		name string
		mode int64
		data []byte
	}{
		{"audit", 0o755, program}, {"etc/", 0o755, nil}, {"etc/ssl/", 0o755, nil}, {"etc/ssl/certs/", 0o755, nil},
		{"etc/ssl/certs/ca-certificates.crt", 0o644, authorities()}, {"tmp/", 0o1777, nil}, {"work/", 0o777, nil},
	} {
		h := &tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.data)), ModTime: when, Format: tar.FormatPAX, Typeflag: tar.TypeReg}
		if strings.HasSuffix(e.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := errors.Join(w.WriteHeader(h), second(w.Write(e.data))); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
}

func second(_ int, err error) error { return err }

// authorities are those of Mozilla's list without further constraints, which a bare
// file cannot express.
func authorities() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	return b.Bytes()
}

// archive packs a folder as a tar, sorted, with one date.
func archive(out, dir string, when time.Time) error {
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer f.Close()
	w := tar.NewWriter(f)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		h := &tar.Header{Name: name, Mode: 0o644, ModTime: when, Format: tar.FormatUSTAR, Typeflag: tar.TypeReg}
		if d.IsDir() {
			h.Name, h.Mode, h.Typeflag = name+"/", 0o755, tar.TypeDir
			return w.WriteHeader(h)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		h.Size = int64(len(content))
		return errors.Join(w.WriteHeader(h), second(w.Write(content)))
	})
	return errors.Join(err, w.Close(), f.Close())
}
