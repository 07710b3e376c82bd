package list

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/form"
	"audit/inspect/image"
	"audit/inspect/registry"
	"audit/inspect/userfile"
	"audit/inspect/web"
	"audit/rebuild"
	"audit/report/fleet"
)

// The limits of a list.
const (
	maxBytes  = 64 << 20
	maxImages = 1_000_000
	maxParts  = 1_000_000 // objects of JSON, or elements of one document of YAML
	maxNames  = 20        // of one image; more are counted
	maxLine   = 4096
)

// An Entry is one image of a list.
type Entry struct {
	fleet.Image
	Address string // to open it by: the reference with what is secret in it
	Digest  string // that it has to lead to, as a lock has it; "" for any
	Problem string // why it cannot lead to an image; "" when it can
}

// A Registry lists what a registry has.
type Registry interface {
	// Tags lists the tags of a repository, "HOST/NAME".
	Tags(ctx context.Context, repository string) ([]string, error)
	// Repositories lists those below "HOST/NAME/", each with its host.
	Repositories(ctx context.Context, prefix string) ([]string, error)
}

// A SyntaxError says what is wrong with a list.
type SyntaxError struct {
	Where string
	Err   error
}

func (e *SyntaxError) Error() string { return e.Where + ": " + e.Err.Error() }

func (e *SyntaxError) Unwrap() error { return e.Err }

// A Source is where lists come from.
type Source struct {
	Stdin    io.Reader
	Registry Registry
	Skipped  func(path string) // called for a file of a folder that is no image by its first bytes
}

// Read reads the list that a name leads to: a file, a folder, "-" or docker://…. The
// entries are sorted by reference, each once. The error is a [*SyntaxError], an
// [*inspect.LimitError], or that of the file or the registry.
func (s Source) Read(ctx context.Context, name string) ([]Entry, error) {
	all, err := s.read(ctx, name)
	if err != nil {
		return nil, err
	}
	all = merged(all)
	if len(all) > maxImages {
		return nil, tooMany(name)
	}
	if len(all) == 0 {
		return nil, &SyntaxError{name, errors.New("it names no image")}
	}
	return all, nil
}

func tooMany(where string) error {
	return &inspect.LimitError{Name: "images of a list", Limit: maxImages, Where: where}
}

func (s Source) read(ctx context.Context, name string) ([]Entry, error) {
	if rest, ok := strings.CutPrefix(name, "docker://"); ok {
		return s.registry(ctx, rest)
	}
	if name == "-" {
		text, err := io.ReadAll(io.LimitReader(s.Stdin, maxBytes+1))
		if err != nil {
			return nil, fmt.Errorf("reading the list: %w", err)
		}
		return s.parse(ctx, "standard input", text)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return s.folder(name)
	}
	text, err := userfile.Read(name, maxBytes)
	if err != nil {
		return nil, err
	}
	return s.parse(ctx, name, text)
}

// parse finds out what a text is.
func (s Source) parse(ctx context.Context, name string, text []byte) ([]Entry, error) {
	if len(text) > maxBytes {
		return nil, &inspect.LimitError{Name: "bytes of a list", Limit: maxBytes, Where: name}
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return nil, &SyntaxError{name, errors.New("it is UTF-16, as the > of Windows PowerShell writes it: save it as UTF-8")}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	var all []Entry
	var err error
	switch {
	case isJSON(text):
		all, err = fromJSON(text)
	case isKnownYAML(text):
		all, err = fromYAML(text)
	case isSnakefile(text):
		all = fromSnakefile(name, text)
	case isYAML(text):
		all, err = fromYAML(text)
	default:
		return s.lines(ctx, name, text)
	}
	var over *inspect.LimitError
	if errors.As(err, &over) {
		over.Where = name
		return nil, over
	}
	if err != nil {
		return nil, &SyntaxError{name, err}
	}
	return all, nil
}

// lines reads a reference a line. A line that was there before is not looked at again.
func (s Source) lines(ctx context.Context, name string, text []byte) (all []Entry, err error) {
	n, seen := 0, make(map[string]bool)
	for line := range bytes.Lines(text) {
		n++
		if n%1000 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		line = bytes.TrimSpace(line)
		if seen[string(line)] {
			continue
		}
		found, digest, err := reference(string(line))
		if err != nil {
			return nil, &SyntaxError{fmt.Sprintf("%s, line %d", name, n), err}
		}
		if found == "" {
			continue
		}
		if len(seen) == maxImages {
			return nil, tooMany(name)
		}
		seen[string(line)] = true
		e := named(found)
		e.Digest = digest
		all = append(all, e)
	}
	return all, nil
}

// digestComment matches the comment by which a lock says what a reference has to lead to.
var digestComment = regexp.MustCompile(`^\s*(sha256:[0-9a-f]{64})\s*$`)

// reference is that of a line, without its comment, and the digest that this is.
func reference(line string) (found, digest string, err error) {
	if strings.HasPrefix(strings.TrimSpace(line), "#") {
		return "", "", nil
	}
	for _, space := range []string{" #", "\t#"} {
		before, comment, _ := strings.Cut(line, space)
		if m := digestComment.FindStringSubmatch(comment); m != nil {
			digest = m[1]
		}
		line = before
	}
	line = strings.TrimSpace(line)
	if len(line) > maxLine {
		return "", "", fmt.Errorf("it has more than %d bytes", maxLine)
	}
	if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' }) {
		return "", "", errors.New("it has characters that no reference has: is this a list? (one image is audited by audit IMAGE)")
	}
	if line == "-" {
		return "", "", errors.New("standard input is no image of a list")
	}
	return line, digest, nil
}

// named is the image of a name in a text: one in a registry where it can be nothing else,
// or a file.
func named(text string, names ...string) Entry {
	switch {
	case strings.ContainsAny(text, "\"'`") && !exists(text):
		return problem(text, "it is no name of an image", names...)
	case !isBare(text) || looksLikeFile(text) || exists(text):
		return file(text, names...)
	case hasVersion(text) && !beginsHere(text):
		return remote(text, names...)
	}
	why := "there is no such file"
	if near := registry.Near(text); near != "" {
		why += "; an image of a registry is " + near
	}
	return problem(filepath.Clean(text), why, names...)
}

// isBare says that a name has no transport and is no address.
func isBare(text string) bool {
	transport, _, ok := strings.Cut(text, ":")
	return !(ok && isTransport(transport)) && !strings.Contains(text, "://") && !web.IsDOI(text)
}

// hasVersion says that a name ends with the tag or the digest of an image.
func hasVersion(text string) bool {
	return strings.ContainsAny(text[strings.LastIndexByte(text, '/')+1:], ":@")
}

// beginsHere says that a name begins with that of a file or a folder here.
func beginsHere(text string) bool {
	first, _, _ := strings.Cut(text, "/")
	name, _, _ := strings.Cut(text, ":")
	return first != text && exists(first) || exists(name)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// file is the image of a name that is a file where it has no transport and is no address.
func file(text string, names ...string) Entry {
	if strings.HasPrefix(text, "http://") || web.IsDOI(text) {
		return problem(text, "a list has no DOI and no address but those of https: audit it by itself, with the checksum that was published", names...)
	}
	if rest, ok := strings.CutPrefix(text, string(image.Registry)+":"); ok && !strings.HasPrefix(rest, "//") {
		e := entry(text, names...)
		e.Problem = (&registry.NameError{Name: e.Reference, Nearest: registry.Near(rest)}).Error()
		return e
	}
	if transport, _, ok := strings.Cut(text, ":"); ok && isTransport(transport) || strings.HasPrefix(text, "https://") {
		return entry(text, names...)
	}
	if why := unknownScheme(text); why != "" && !exists(text) {
		return problem(text, why, names...)
	}
	return entry(filepath.Clean(text), names...)
}

// unknownScheme is the problem of an address that is none of those that are read.
func unknownScheme(text string) string {
	scheme, _, ok := strings.Cut(text, "://")
	if !ok || scheme == "" || scheme == "https" || isTransport(scheme) || strings.ContainsFunc(scheme, func(r rune) bool { return r < 'a' || r > 'z' }) {
		return ""
	}
	return "audit reads nothing at " + scheme + "://: save the image in a file, or name it in a registry, docker://"
}

// isTransport says whether what stands before a colon is a transport of audit.
func isTransport(text string) bool {
	return slices.ContainsFunc(inspect.Forms(), func(f form.Form) bool { return string(f.Transport) == text })
}

func looksLikeFile(text string) bool {
	if strings.HasPrefix(text, "/") || strings.HasPrefix(text, ".") {
		return true
	}
	return slices.Contains([]string{".tar", ".gz", ".tgz", ".zst", ".xz", ".bz2", ".lz", ".sif", ".squashfs", ".img"}, filepath.Ext(text))
}

// remote is an image in a registry, by a name as engines take it.
func remote(text string, names ...string) Entry {
	text = strings.TrimSpace(text)
	e := entry(text, names...)
	switch {
	case e.Problem != "":
	case text == "":
		e.Problem = "it has no image"
	case strings.Contains(text, "$"), strings.Contains(text, "{{"):
		e.Problem = "its name is decided elsewhere: it has a variable"
	case strings.ContainsAny(text, " \t\n\"'`"):
		e.Problem = "it is no name of an image"
	case unknownScheme(text) != "":
		e.Problem = unknownScheme(text)
	case !strings.Contains(text, "://"):
		e = entry("docker://"+text, names...)
	}
	return e
}

// clip bounds what a list calls an image: of a pod, many containers have the name in
// theirs.
func clip(name string) string { return check.ClipTo(name, 600) }

// entry is the image at an address. Its reference is what JSON can hold: files may have
// names of any bytes.
func entry(address string, names ...string) Entry {
	reference := strings.ToValidUTF8(rebuild.WithoutSecrets(address), "\ufffd")
	if len(address) > maxLine {
		short := check.ClipTo(reference, maxLine)
		return Entry{Image: fleet.Image{Reference: short, Names: names}, Address: address, Problem: fmt.Sprintf("its name has more than %d bytes", maxLine)}
	}
	return Entry{Image: fleet.Image{Reference: reference, Names: names}, Address: address}
}

// problem is what cannot lead to an image.
func problem(address, why string, names ...string) Entry {
	e := entry(address, names...)
	e.Problem = cmp.Or(e.Problem, why)
	return e
}

// merged sorts entries by their reference, each address once, with the names of all.
// Where addresses differ in nothing but what is secret, and so have one reference, each
// has the beginning of the digest of its address in its own.
func merged(all []Entry) []Entry {
	slices.SortStableFunc(all, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Reference, b.Reference), cmp.Compare(a.Address, b.Address))
	})
	kept, alike := all[:0], make(map[string]int)
	for _, e := range all {
		if n := len(kept); n > 0 && kept[n-1].Reference == e.Reference && kept[n-1].Address == e.Address {
			kept[n-1].Names = append(kept[n-1].Names, e.Names...)
			if d := kept[n-1].Digest; d != "" && e.Digest != "" && d != e.Digest {
				kept[n-1].Problem = "the list wants it to have two digests, " + d + " and " + e.Digest
			}
			kept[n-1].Digest = cmp.Or(kept[n-1].Digest, e.Digest)
			continue
		}
		alike[e.Reference]++
		kept = append(kept, e)
	}
	for i, e := range kept {
		if alike[e.Reference] > 1 {
			kept[i].Reference += fmt.Sprintf("#%.4x", sha256.Sum256([]byte(e.Address)))
		}
	}
	slices.SortStableFunc(kept, func(a, b Entry) int { return cmp.Compare(a.Reference, b.Reference) })
	for i := range kept {
		names := kept[i].Names
		for n := range names {
			names[n] = clip(names[n])
		}
		names = slices.Compact(slices.Sorted(slices.Values(names)))
		if more := len(names) - maxNames; more > 0 {
			names = append(names[:maxNames:maxNames], fmt.Sprintf("and %d more", more))
		}
		kept[i].Names = append([]string{}, names...)
	}
	return kept
}

// Images are those of a list as the folder of a batch has them.
func Images(all []Entry) []fleet.Image {
	images := make([]fleet.Image, len(all))
	for i, e := range all {
		images[i] = e.Image
	}
	return images
}
