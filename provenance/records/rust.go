package records

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"errors"
	"io"
	"strings"

	"audit/inspect"

	"github.com/package-url/packageurl-go"
)

// rustMark is the name of the section in which cargo-auditable 0.6 notes the crates of a
// program, among the names of all sections; rustNote says that a program has it.
const (
	rustMark = "\x00.dep-v0\x00"
	rustNote = "rust"
	rustTail = 1 << 20 // bytes at the end of a program in which the names of sections are looked for
	maxRust  = 8 << 20 // bytes of the list
)

// rust reads what cargo-auditable noted in a program: JSON, compressed.
func (r *reader) rust(file inspect.File, body []byte) {
	section, err := rustSection(body)
	if err != nil {
		return // only the name
	}
	var list struct {
		Packages []struct {
			Name    string `json:"name"`
			Version string `json:"version"`
			Source  string `json:"source"`
			Kind    string `json:"kind"`
		} `json:"packages"`
	}
	if err := decode(section, &list); err != nil {
		r.problem(file, "records/unread", "error", err)
		return
	}
	for _, p := range list.Packages {
		if p.Name == "" || p.Kind == "build" {
			continue
		}
		c := Component{Ecosystem: Rust, Name: p.Name, Version: p.Version, In: -1}
		if strings.HasPrefix(p.Source, "crates") {
			c.Locator.Type = packageurl.TypeCargo
		}
		r.add(c, file)
	}
}

// rustSection returns the list in a program. The package elf does not promise to bear
// every hostile file.
func rustSection(body []byte) (list []byte, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("it breaks the rules of its format")
		}
	}()
	f, err := elf.NewFile(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	s := f.Section(".dep-v0")
	if s == nil || s.Size > maxRust || s.Offset > uint64(len(body)) || s.Size > uint64(len(body))-s.Offset {
		return nil, errors.New("it has no list of crates")
	}
	unpacked, err := zlib.NewReader(bytes.NewReader(body[s.Offset:][:s.Size]))
	if err != nil {
		return nil, err
	}
	list, err = io.ReadAll(io.LimitReader(unpacked, maxRust+1))
	if len(list) > maxRust {
		err = errors.New("its list of crates is too long")
	}
	return list, err
}
