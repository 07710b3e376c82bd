package repack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"audit/inspect"
	"audit/provenance/nix"
	"audit/rebuild/findings"
)

// checkConfig looks whether the config is one that the packer has written: its
// fields, those of the history, and how the JSON is laid out. What it says is
// the author's. A registry client or another tool may have written it again.
func checkConfig(img *inspect.Image, format string, out *findings.List) {
	due, known := configForms()[format]
	if !known {
		return
	}
	if why := due.differs(img); why != "" {
		out.Note("config-rewritten", -1, "the config is not as %s writes it (%s): another tool wrote it again, or changed it", format, why)
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

// differs says in what a config is not of the form, "" when it is.
func (f configForm) differs(img *inspect.Image) string {
	var fields map[string]json.RawMessage
	var history struct {
		History []map[string]json.RawMessage `json:"history"`
	}
	if json.Unmarshal(img.Config.Raw, &fields) != nil || json.Unmarshal(img.Config.Raw, &history) != nil {
		return "it is no JSON object"
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(f.fields, name) {
			return fmt.Sprintf("it has a field %q", name)
		}
	}
	if f.history != nil && len(history.History) != len(img.Layers) {
		return fmt.Sprintf("its history has %d entries for %d layers", len(history.History), len(img.Layers))
	}
	for i, h := range history.History {
		if got := slices.Sorted(maps.Keys(h)); !slices.Equal(got, f.history) {
			return fmt.Sprintf("history entry %d has the fields %s", i, strings.Join(got, ", "))
		}
	}
	if !bytes.Equal(f.print(img.Config.Raw), img.Config.Raw) {
		return "its JSON is laid out in another way"
	}
	return ""
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
