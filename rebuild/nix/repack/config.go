package repack

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/nix"
)

// checkConfig looks whether the config is one that the packer has written: its
// fields, those of the history, and how the JSON is laid out. What it says is
// the author's. A registry client or another tool may have written it again.
func checkConfig(img *inspect.Image, format string, out *check.List) {
	due, known := configForms()[format]
	if !known {
		return
	}
	if why, differs := due.differs(img); differs {
		out.Note(-1, "", "repack/config-other-form", append(why, "packer", format)...)
	}
}

// A configForm is how a packer writes a config.
type configForm struct {
	fields  []string // of the whole, beside the config itself and rootfs
	history []string // of each entry; nil for no history
	print   func(raw []byte) []byte
}

func configForms() map[string]configForm {
	base := []string{"architecture", "config", "created", "history", "os", "rootfs"}
	return map[string]configForm{
		nix.StreamFormat:       {base, []string{"comment", "created"}, pythonJSON},
		nix.BuildImageFormat:   {append(slices.Clone(base), "preferLocalBuild"), []string{"created"}, jqJSON},
		nix.BuildLayeredFormat: {base, []string{"created"}, jqJSON},
		nix.NixeryFormat:       {[]string{"architecture", "config", "os", "rootfs"}, nil, compactJSON},
	}
}

// differs says whether a config is not of the form and, as arguments of a finding,
// in what: a field that it has, how long its history is, which fields an entry of
// that has. There are none where its JSON is laid out in another way.
func (f configForm) differs(img *inspect.Image) (why []any, differs bool) {
	written := img.Config.Written()
	if written.Fields == nil {
		return nil, true
	}
	for _, name := range slices.Sorted(maps.Keys(written.Fields)) {
		if !slices.Contains(f.fields, name) {
			return []any{"field", name}, true
		}
	}
	if n := len(written.History); f.history != nil && n != len(img.Layers) {
		return []any{"entries", n, "layers", len(img.Layers)}, true
	}
	for i, h := range written.History {
		if got := slices.Sorted(maps.Keys(h.Fields)); !slices.Equal(got, f.history) {
			return []any{"entry", i + 1, "fields", got}, true
		}
	}
	return nil, !bytes.Equal(f.print(img.Config.Raw), img.Config.Raw)
}

// pythonJSON lays JSON out as json.dumps does with indent=4; strings stay as
// they are.
func pythonJSON(raw []byte) []byte { return indented(raw, "    ") }

// jqJSON lays JSON out as jq does.
func jqJSON(raw []byte) []byte { return append(indented(raw, "  "), '\n') }

func compactJSON(raw []byte) []byte {
	var buf bytes.Buffer
	if json.Compact(&buf, raw) != nil {
		return nil
	}
	return buf.Bytes()
}

func indented(raw []byte, indent string) []byte {
	var buf bytes.Buffer
	if json.Indent(&buf, bytes.TrimSpace(raw), "", indent) != nil {
		return nil
	}
	return buf.Bytes()
}
