package drv

import (
	"maps"
	"slices"
	"strings"
)

// Text prints a derivation as Nix does, byte for byte: inputs, outputs and the
// environment sorted, nothing but five characters escaped.
func (d *Derivation) Text() string { return d.print(false, nil) }

// print prints a derivation. With masked, the paths of its outputs are left
// out, as they must be where they are computed from the text; inputs, when not
// nil, stand in place of d.Inputs.
func (d *Derivation) print(masked bool, inputs map[string][]string) string {
	w := new(printer)
	w.raw("Derive(")
	w.list('[', ']', len(d.Outputs), func(i int) {
		o := d.Outputs[i]
		path := o.Path
		if masked {
			path = ""
		}
		w.tuple(o.Name, path, o.Algorithm, o.Hash)
	})
	if inputs == nil {
		inputs = make(map[string][]string)
		for _, in := range d.Inputs {
			inputs[in.Path] = in.Outputs
		}
	}
	w.raw(",").inputs(inputs)
	w.raw(",").texts(d.Sources)
	w.raw(",").text(d.System).raw(",").text(d.Builder)
	w.raw(",").texts(d.Arguments)
	w.raw(",").env(d, masked)
	return w.raw(")").String()
}

// A printer writes terms.
type printer struct{ strings.Builder }

func (w *printer) raw(s string) *printer {
	w.WriteString(s)
	return w
}

func (w *printer) text(s string) *printer {
	w.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			w.WriteByte('\\')
			w.WriteByte(c)
		case '\n':
			w.WriteString(`\n`)
		case '\r':
			w.WriteString(`\r`)
		case '\t':
			w.WriteString(`\t`)
		default:
			w.WriteByte(c)
		}
	}
	w.WriteByte('"')
	return w
}

func (w *printer) list(open, end byte, n int, item func(i int)) {
	w.WriteByte(open)
	for i := range n {
		if i > 0 {
			w.WriteByte(',')
		}
		item(i)
	}
	w.WriteByte(end)
}

func (w *printer) texts(list []string) { w.list('[', ']', len(list), func(i int) { w.text(list[i]) }) }

func (w *printer) tuple(texts ...string) {
	w.list('(', ')', len(texts), func(i int) { w.text(texts[i]) })
}

func (w *printer) inputs(inputs map[string][]string) {
	paths := slices.Sorted(maps.Keys(inputs))
	w.list('[', ']', len(paths), func(i int) {
		w.raw("(").text(paths[i]).raw(",").texts(inputs[paths[i]])
		w.raw(")")
	})
}

func (w *printer) env(d *Derivation, masked bool) {
	names := slices.Sorted(maps.Keys(d.Env))
	isOutput := make(map[string]bool, len(d.Outputs))
	for _, o := range d.Outputs {
		isOutput[o.Name] = masked
	}
	w.list('[', ']', len(names), func(i int) {
		value := d.Env[names[i]]
		if isOutput[names[i]] {
			value = ""
		}
		w.tuple(names[i], value)
	})
}
