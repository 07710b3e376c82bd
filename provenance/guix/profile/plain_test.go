package profile

import (
	"errors"
	"fmt"
	"strings"

	"audit/provenance"
	"audit/provenance/guix/scheme"
)

// ReadChannels reads a channels.scm of the form that this package writes, as
// data, and returns its channels with the file written anew from them. Guix
// runs such a file as a program: one that does anything but list channels is
// an error.
func ReadChannels(text []byte) ([]provenance.Channel, []byte, error) {
	forms, err := scheme.Parse(text, scheme.DefaultLimits())
	if err != nil {
		return nil, nil, fmt.Errorf("reading channels.scm: %w", err)
	}
	if len(forms) != 1 || !forms[0].IsList() || len(forms[0].Items) < 2 || !forms[0].Items[0].IsSymbol("list") {
		return nil, nil, errors.New("channels.scm is no plain list of channels")
	}
	var list Channels
	for _, form := range forms[0].Items[1:] {
		c, err := channelOf(form)
		if err != nil {
			return nil, nil, fmt.Errorf("reading channels.scm: %w", err)
		}
		list.List = append(list.List, c)
	}
	return list.List, list.File(), nil
}

// channelOf is the inverse of channelCode. What it returns is written again
// and compared, so that nothing in the form can be passed over.
func channelOf(form scheme.Value) (provenance.Channel, error) {
	c, err := readChannelForm(form)
	if err == nil && channelCode(c).String() != form.String() {
		err = fmt.Errorf("%s is no plain channel", form.Brief())
	}
	return c, err
}

// ReadManifest reads a manifest.scm of the form that this package writes and
// returns it written anew. Guix runs such a file as a program: one that names
// anything but the procedures of a manifest is an error.
func ReadManifest(text []byte) ([]byte, error) {
	forms, err := scheme.Parse(text, scheme.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("reading manifest.scm: %w", err)
	}
	if len(forms) == 0 {
		return nil, errors.New("manifest.scm is empty")
	}
	out := coding
	for i, form := range forms {
		if err := plainManifest(form, i == len(forms)-1); err != nil {
			return nil, fmt.Errorf("reading manifest.scm: %w", err)
		}
		out += "\n" + scheme.Pretty(form, 0) + "\n"
	}
	return []byte(out), nil
}

// plainManifest accepts one form at the top of a manifest.
func plainManifest(form scheme.Value, last bool) error {
	switch {
	case last && isForm(form, "specifications->manifest", 2), last && isForm(form, "packages->manifest", 2):
		return plainExpression(form.Items[1])
	case isForm(form, "use-modules", 2) && form.Items[1].String() == "(guix transformations)":
		return nil
	case isForm(form, "define", 3) && isTransform(form.Items[1]) && isForm(form.Items[2], "options->transformation", 2) &&
		isForm(form.Items[2].Items[1], "quote", 2):
		return nil
	}
	return fmt.Errorf("%s does not belong into a plain manifest", form.Brief())
}

// plainExpression accepts lists of strings and packages by specification.
func plainExpression(v scheme.Value) error {
	if v.Kind == scheme.String {
		return nil
	}
	if !v.IsList() || len(v.Items) == 0 {
		return fmt.Errorf("%s does not belong into a plain manifest", v.Brief())
	}
	head := v.Items[0]
	if !head.IsSymbol("list") && !head.IsSymbol("specification->package") && !isTransform(head) {
		return fmt.Errorf("%s does not belong into a plain manifest", v.Brief())
	}
	for _, item := range v.Items[1:] {
		if err := plainExpression(item); err != nil {
			return err
		}
	}
	return nil
}

// isTransform recognises the names that manifestCode gives to transformations.
func isTransform(v scheme.Value) bool {
	digits, ok := strings.CutPrefix(v.Text, "transform")
	return v.Kind == scheme.Symbol && ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}
