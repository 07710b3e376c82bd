package policy

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
	"time"
)

// ready are policies that teams begin with.
//
//go:embed ready/*.json
var ready embed.FS

//go:embed policy.schema.json
var schema []byte

// Schema is the JSON schema of a policy (draft 2020-12): all that may stand in one.
func Schema() []byte { return schema }

// A Ready is a policy that is part of audit.
type Ready struct {
	Name  string
	About string // whom it is for, in a few words
}

// AllReady are all of them, the strictest last.
func AllReady() []Ready {
	return []Ready{
		{"explained", "each file is explained by the recipe, a package's record or the packer; no builder is needed"},
		{"vouched", "that, and each part of the image was built here or signed by somebody who is trusted"},
		{"strict", "a rebuild gave the same bytes, from parts that were built here or signed by two operators"},
	}
}

// ReadyPrefix begins the name of a ready policy where the name of a file could stand: no
// file of the working folder can take its place.
const ReadyPrefix = "builtin:"

// ReadyText is a ready policy as its file is written; nil when there is none of the name.
func ReadyText(name string) []byte {
	for _, r := range AllReady() {
		if r.Name == name {
			text, err := ready.ReadFile("ready/" + name + ".json")
			if err != nil {
				panic(err) // it is part of the program
			}
			return text
		}
	}
	return nil
}

// ReadReady is [Read] of a ready policy.
func ReadReady(name string, today time.Time, codes []string) (Policy, error) {
	text := ReadyText(name)
	if text == nil {
		var names []string
		for _, r := range AllReady() {
			names = append(names, r.Name)
		}
		return Policy{}, fmt.Errorf("there is no ready policy %q: there is %s", name, strings.Join(names, ", "))
	}
	p, err := Read(bytes.NewReader(text), today, codes)
	p.Name = ReadyPrefix + name
	return p, err
}
