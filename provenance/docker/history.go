package docker

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/docker/dockerfile"
)

// A Builder is a kind of tool that builds Dockerfiles; each writes history in a
// form of its own.
type Builder string

// Builders are those whose images can be recognised, in the order in which
// engines are looked for.
func Builders() []Builder { return []Builder{Classic, BuildKit, Buildah, Kaniko} }

// The builders.
const (
	BuildKit Builder = "buildkit"
	Classic  Builder = "classic" // the builder inside Docker's engine, before BuildKit
	Buildah  Builder = "buildah" // and podman build
	Kaniko   Builder = "kaniko"
	Unknown  Builder = "" // the line is of no form that is known
)

// An Instruction is a line of an image's history.
type Instruction struct {
	// Instruction is what the line says was done. Its keyword is "" for a line
	// that is no instruction of a Dockerfile: then Text is the line.
	dockerfile.Instruction
	Raw       string   // the line as it is written
	Comment   string   // beside it
	Builder   Builder  // that wrote it
	Arguments []string // build arguments that it was run with, NAME=VALUE
	Shell     string   // that a RUN was given to, "/bin/sh -c"; "" for none
	Layer     int      // that it made, alone or with others; -1 for none
	Base      bool     // it is known to be the base image's
}

// History returns the instructions of an image, in their order. Unclear says why
// layers cannot be assigned to them; it is zero when they can.
func History(img *inspect.Image) (all []Instruction, unclear check.Message) {
	_, buildah := img.Config.File.Config.Labels[buildahLabel]
	layers := 0
	var waiting []int // since the last layer
	for n, h := range img.Config.File.History {
		i := newInstruction(h, buildah)
		if h.EmptyLayer {
			waiting = append(waiting, n)
			all = append(all, i)
			continue
		}
		i.Layer = layers
		if i.together() {
			for _, w := range waiting {
				if all[w].writes() {
					all[w].Layer = layers
				}
			}
		}
		waiting = nil
		layers++
		all = append(all, i)
	}
	if layers != len(img.Layers) {
		for n := range all {
			all[n].Layer = -1
		}
		if len(all) == 0 {
			return nil, check.Say("recipe/no-history")
		}
		return all, check.Say("recipe/history-differs", "history-layers", layers, "layers", len(img.Layers))
	}
	return all, check.Message{}
}

const buildahLabel = "io.buildah.version"

// together says whether the layer of this line may contain what earlier lines did
// that say they made none: buildah commits several at a time, and so does what
// squashes layers. The others write such a line only for an instruction that
// changed nothing.
func (i Instruction) together() bool {
	return i.Builder != BuildKit && i.Builder != Classic || !i.writes()
}

// writes says whether an instruction can change the file system.
func (i Instruction) writes() bool {
	switch i.Keyword {
	case "RUN", "COPY", "ADD", "WORKDIR", "":
		return true
	}
	return false
}

// String returns the instruction on one line, as far as it is known.
func (i Instruction) String() string {
	if i.Keyword == "" {
		return i.Text
	}
	return i.Instruction.String()
}

const (
	nop      = "#(nop)"
	kitMark  = " # buildkit"
	kitSays  = "buildkit.dockerfile.v0"
	maxShell = 64 // bytes of "/bin/bash -o pipefail -c" and the like
)

// newInstruction reads a line.
func newInstruction(h v1.History, buildah bool) Instruction {
	i := Instruction{Raw: h.CreatedBy, Comment: h.Comment, Layer: -1}
	line := strings.TrimSpace(h.CreatedBy)
	plain := Classic
	if buildah || strings.HasPrefix(h.Comment, "FROM ") {
		plain = Buildah
	}
	word, _, _ := strings.Cut(line, " ")
	switch before, after, isNop := strings.Cut(line, nop); {
	case h.Comment == kitSays, strings.HasSuffix(line, kitMark):
		i.Builder = BuildKit
		i.Instruction = dockerfile.Split(strings.TrimSuffix(line, kitMark))
	case isNop && len(before) <= maxShell:
		i.Builder = plain
		i.Instruction = dockerfile.Split(strings.TrimSpace(after))
	case dockerfile.IsKeyword(word):
		if h.Author == "kaniko" {
			i.Builder = Kaniko
		}
		i.Instruction = dockerfile.Split(line)
	case strings.HasPrefix(line, "|"), shell.MatchString(line):
		i.Builder = plain
		i.Instruction = dockerfile.Instruction{Keyword: "RUN", Text: line}
	case byHand(line):
		return i
	}
	if !dockerfile.IsKeyword(i.Keyword) {
		i.Instruction = dockerfile.Instruction{Text: line}
	}
	if i.Keyword == "RUN" {
		i.Arguments, i.Text = arguments(i.Text)
		text := withoutShell(i.Text)
		i.Shell, i.Text = strings.TrimSpace(strings.TrimSuffix(i.Text, text)), text
	}
	i.hide()
	return i
}

// Left takes the place of what can be a secret.
const Left = "***"

// hide leaves out of the text what can be a secret: values that a build was given, and
// the user names, passwords and query values of addresses. Whoever can read the image can
// read them there; no report says them again. Arguments keep their values, which a plan
// needs to build the same again.
func (i *Instruction) hide() {
	if name, _, has := strings.Cut(i.Text, "="); i.Keyword == "ARG" && has {
		i.Text = name + "=" + Left
	}
	i.Text = addresses.ReplaceAllStringFunc(i.Text, func(address string) string {
		address = userInfo.ReplaceAllString(address, "${1}"+Left+"@")
		return queryValue.ReplaceAllString(address, "${1}"+Left)
	})
}

// Addresses in a command, and what in one can be a secret (RFC 3986).
var (
	addresses  = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>|;\\^` + "`" + `(){}]+`)
	userInfo   = regexp.MustCompile(`^([^:/]+://)[^/?#]*@`)
	queryValue = regexp.MustCompile(`([?&][^=&#]*=)[^&#]+`)
)

// byHand says whether a line is none, or that of a shell that someone sat at
// before docker commit.
func byHand(line string) bool {
	switch path.Base(line) {
	case ".", "sh", "bash", "ash", "zsh":
		return true
	}
	return false
}

// shell matches the beginning of the shell form of a RUN.
var shell = regexp.MustCompile(`^(/[\w./-]*/)?(busybox )?(sh|bash|ash|dash|zsh|pwsh|powershell|cmd)(\.exe)?( -\w+( pipefail| errexit)?| /[A-Za-z]){1,6}( |$)`)

// withoutShell takes "/bin/sh -c" off a RUN. buildah puts it before the exec
// form, which needs none.
func withoutShell(text string) string {
	found := shell.FindString(text)
	if found == "" || len(found) > maxShell {
		return text
	}
	option := strings.Fields(found)
	if last := option[len(option)-1]; !strings.HasSuffix(strings.ToLower(last), "c") && !strings.EqualFold(last, "-command") {
		return text
	}
	return text[len(found):]
}

var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// arguments takes the build arguments off a RUN: "|2 A=b C=d command". Values
// are not quoted there: one with spaces is known only by what follows, the
// next argument or a shell.
func arguments(text string) (all []string, rest string) {
	mark, tail, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(strings.TrimPrefix(mark, "|"))
	if err != nil || !strings.HasPrefix(mark, "|") {
		return nil, text
	}
	words := strings.Split(tail, " ")
	var starts []int // of the arguments, and at last of the command
	at := 0
	for ; at < len(words) && len(starts) < n; at++ {
		switch {
		case assignment.MatchString(words[at]):
			starts = append(starts, at)
		case len(starts) == 0:
			return nil, tail
		}
	}
	for k := at; k < len(words); k++ {
		if shell.MatchString(strings.Join(words[k:min(len(words), k+6)], " ")) {
			at = k
			break
		}
	}
	starts = append(starts, at)
	for k := range starts[1:] {
		all = append(all, strings.Join(words[starts[k]:starts[k+1]], " "))
	}
	return all, strings.Join(words[at:], " ")
}

// MadeBy returns, by layer, the instructions that made it, as one text for
// people; a layer of which that is not known is left out.
func MadeBy(all []Instruction) map[int]string {
	made := make(map[int]string)
	for _, i := range all {
		text := check.Brief(i.String())
		if i.Layer < 0 || text == "" {
			continue
		}
		if made[i.Layer] != "" {
			text = made[i.Layer] + " and " + text
		}
		made[i.Layer] = text
	}
	return made
}
