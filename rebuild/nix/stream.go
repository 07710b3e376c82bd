package nix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"audit/provenance/nix"
	"audit/rebuild"
	"audit/rebuild/drv"
	"audit/rebuild/store"
)

// An outcome is what the derivation of an image makes.
type outcome int

// The outcomes.
const (
	archived    outcome = iota // an archive, by whatever tool
	script                     // a program that writes one to its standard output
	description                // nix2container's JSON
)

// sniff says what a file is by how it begins.
func sniff(file string) (outcome, error) {
	f, err := os.Open(file)
	if err != nil {
		return archived, fmt.Errorf("looking at what was built: %w", err)
	}
	defer f.Close()
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return archived, fmt.Errorf("looking at what was built: %w", err)
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("#!")), bytes.HasPrefix(head, []byte("\x7fELF")):
		return script, nil
	case bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")):
		return description, nil
	}
	return archived, nil
}

// archive returns the file that an output is: the output itself, what it links
// to in the store, or the one file in it. It never leads out of the store.
func (s *session) archive(output string) (string, error) {
	wrong := func(what string) error {
		return &rebuild.HintError{Err: fmt.Errorf("building the image: %w: what comes out is %s", rebuild.ErrBuild, what),
			Hint: "Give an attribute whose output is an image: an archive, or a script of streamLayeredImage."}
	}
	for range 8 {
		info, err := os.Lstat(output)
		if err != nil {
			return "", fmt.Errorf("looking at what was built: %w", err)
		}
		switch {
		case info.Mode().IsRegular():
			return output, nil
		case info.Mode()&os.ModeSymlink != 0:
			target, err := os.Readlink(output)
			if err != nil || path.Clean(target) != target || nix.Store().ItemOf(strings.TrimPrefix(target, "/")) == "" {
				return "", wrong(fmt.Sprintf("a link to %q", target))
			}
			output = s.real(target)
		default:
			entries, err := os.ReadDir(output)
			if err != nil {
				return "", fmt.Errorf("looking at what was built: %w", err)
			}
			if len(entries) != 1 {
				return "", wrong(fmt.Sprintf("a folder of %d files", len(entries)))
			}
			output = filepath.Join(output, entries[0].Name())
		}
	}
	return "", wrong("too many folders in each other")
}

// stream runs a script that writes an image, inside a derivation, and returns
// the image. file is where the script lies on disk.
func (s *session) stream(ctx context.Context, n *store.Node, file string) (string, error) {
	text, err := s.wrapper(n, file)
	if err != nil {
		return "", err
	}
	name := s.inJob("stream.nix")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("running the script that writes the image: %w", err)
	}
	out, err := s.run(ctx, call{program: "nix-instantiate", words: []string{name}})
	if err != nil {
		return "", fmt.Errorf("running the script that writes the image: %w", err)
	}
	path, err := s.oneDerivation(string(out))
	if err != nil {
		return "", err
	}
	d, err := drv.Read(s.real(path))
	if err != nil {
		return "", err
	}
	image, err := s.execute(ctx, &store.Node{Path: path, Derivation: d})
	if err != nil {
		return "", fmt.Errorf("running the script that writes the image: %w", err)
	}
	return image, nil
}

// wrapper returns the expression of a derivation that runs a script. Its words
// are store paths and names that were checked, so nothing in it is anybody
// else's.
func (s *session) wrapper(n *store.Node, file string) (string, error) {
	shell, err := s.shell(file)
	if err != nil {
		return "", err
	}
	inside := strings.TrimPrefix(file, s.real(n.Output()))
	for _, word := range []string{inside, n.System} {
		if strings.ContainsAny(word, "\"\\${}\n") {
			return "", fmt.Errorf("running the script that writes the image: %w: %q has characters that no path of it has", rebuild.ErrRefused, word)
		}
	}
	return fmt.Sprintf(`# Runs the script that writes the image, inside Nix's sandbox.
let made = import "%s"; in derivation {
  name = "image.tar";
  system = "%s";
  builder = %s;
  script = "${made}%s";
  args = [ "-c" "\"$script\" > \"$out\"; exit $?" ];
}
`, n.Path, n.System, shell, inside), nil
}

// shell returns an expression for a shell: the one that the script itself names
// where that is in the store, else the sandbox's own.
func (s *session) shell(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("running the script that writes the image: %w", err)
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("running the script that writes the image: %w", err)
	}
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	words := strings.Fields(strings.TrimPrefix(line, "#!"))
	if !strings.HasPrefix(line, "#!") || len(words) == 0 {
		return `"/bin/sh"`, nil
	}
	return shellExpression(words[0]), nil
}

func shellExpression(interpreter string) string {
	parts := strings.SplitN(strings.TrimPrefix(interpreter, storeDir), "/", 2)
	item := storeDir + parts[0]
	name := filepath.Base(interpreter)
	if len(parts) < 2 || !isStorePath(item) || name != "bash" && name != "sh" || strings.ContainsAny(parts[1], "\"\\${}") {
		return `"/bin/sh"`
	}
	return fmt.Sprintf(`"${builtins.storePath "%s"}/%s"`, item, parts[1])
}
