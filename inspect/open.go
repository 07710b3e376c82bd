package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"audit/inspect/form"
	"audit/inspect/integrity"
	"audit/inspect/oci"
	"audit/inspect/pass"
)

// Open reads the image that reference names, in one pass; a file is read once
// more where a store item needs contents of an earlier one of its layer (a hard
// link, or entries that are mixed). A reference is a
// path, "-" for standard input, or TRANSPORT:REST with one of the transports
// of this package. The form of a file is found by its content. A reference that
// is no file and has no transport is looked for nowhere.
//
// The error is a [*LimitError], a [*FormatError] or a choice.Error where the
// image is to blame, else that of the operating system, the network or ctx.
// Bytes that are not what the image's descriptors say are no error but
// Problems.
func Open(ctx context.Context, reference string, opt Options) (*Image, error) {
	return openAs(ctx, reference, opt, Forms())
}

func openAs(ctx context.Context, reference string, opt Options, forms []form.Form) (*Image, error) {
	p := pass.New(ctx, opt)
	img, err := open(p, cmp.Or(opt.File, reference), forms)
	if errors.Is(err, pass.ErrDropped) {
		p = pass.New(ctx, opt)
		p.Once, p.Copies = true, nil // it is a file
		img, err = open(p, cmp.Or(opt.File, reference), forms)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", reference, err)
	}
	if err := oci.CheckPlatform(p, img); err != nil {
		return nil, fmt.Errorf("reading %s: %w", reference, err)
	}
	img.Reference, img.File = reference, opt.File
	if p.Copies != nil {
		img.Copies = p.Copies
	}
	if err := integrity.Conclude(p, img); err != nil {
		return nil, fmt.Errorf("reading %s: %w", reference, err)
	}
	return img, nil
}

// open reads what a reference leads to: in the form that its transport names, or
// in the first that matches.
func open(p *pass.Pass, reference string, forms []form.Form) (*Image, error) {
	in, err := newInput(p, reference, forms)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return openInput(in, forms)
}

func openInput(in *form.Input, forms []form.Form) (*Image, error) {
	for _, f := range forms {
		ok, err := in.Transport == f.Transport, error(nil)
		if in.Transport == "" && f.Match != nil {
			ok, err = f.Match(in)
		}
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		img, err := f.Open(in)
		if err != nil {
			return nil, err
		}
		return img, in.Finish(img)
	}
	return nil, in.Unknown()
}

// newInput splits "TRANSPORT:PATH[:REF]". A path that exists as it stands is never
// split.
func newInput(p *pass.Pass, reference string, forms []form.Form) (*form.Input, error) {
	f, rest := form.Form{}, reference
	if !exists(reference) {
		f, rest = transportOf(reference, forms)
	}
	want := ""
	if f.Transport != "" && !f.Named {
		rest, want = splitWant(rest)
	}
	in, err := form.NewInput(p, rest)
	if err != nil {
		return nil, err
	}
	in.Transport, in.Want = f.Transport, want
	return in, nil
}

func transportOf(reference string, forms []form.Form) (form.Form, string) {
	for _, f := range forms {
		if rest, ok := strings.CutPrefix(reference, string(f.Transport)+":"); ok {
			return f, rest
		}
	}
	return form.Form{}, reference
}

// splitWant splits "PATH[:REF]" at the first colon before which there is a file.
func splitWant(rest string) (path, want string) {
	if exists(rest) {
		return rest, ""
	}
	for i, c := range rest {
		if c == ':' && exists(rest[:i]) {
			return rest[:i], rest[i+1:]
		}
	}
	path, want, _ = strings.Cut(rest, ":")
	return path, want
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
