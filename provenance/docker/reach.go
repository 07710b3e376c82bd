package docker

import (
	"path"
	"strings"

	"audit/inspect/image"
	"audit/inspect/paths"
)

// A reach is what an instruction can have written.
type reach struct {
	anything bool
	unknown  bool     // nothing says what it wrote
	below    []string // folders or files, with all that is in them
	folders  []string // folders alone: the working directory
}

// reaches says of each instruction what it can have written. Destinations are
// followed through the symlinks of the image.
func reaches(all []Instruction, links *image.Symlinks) []reach {
	found := make([]reach, len(all))
	dir := "/"
	for n, i := range all {
		switch i.Keyword {
		case "WORKDIR":
			dir = absolute(dir, strings.Trim(i.Text, `"'`))
			found[n].folders = spellings(dir, links)
		case "COPY", "ADD":
			found[n] = copied(i, dir, links)
		case "RUN":
			found[n].anything = true
		case "":
			// A line of no known form still says what was run, unless there
			// is none.
			found[n].anything = i.Text != ""
			found[n].unknown = i.Text == ""
		}
	}
	return found
}

func absolute(dir, p string) string {
	if strings.HasPrefix(p, "/") {
		return path.Clean(p)
	}
	return path.Join(dir, p)
}

// spellings returns a path as it is written and as the links lead, of the form
// of Entry.Path.
func spellings(p string, links *image.Symlinks) []string {
	p = paths.Clean(p)
	inner := links.Real(path.Join(p, "x"))
	return []string{p, links.Real(p), path.Dir(inner)}
}

// maxEnds bounds how many ends of one line are tried.
const maxEnds = 60

// copied returns where a COPY or ADD writes: its last word. Names with spaces
// are not quoted in a history, so the last word may be the end of one; then
// every end of the line that looks like an absolute path counts.
func copied(i Instruction, dir string, links *image.Symlinks) reach {
	text := i.Text
	if strings.Contains(text, "$") {
		return reach{anything: true} // a variable that the history does not expand
	}
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		words := strings.Split(strings.Trim(text, "[]"), `"`)
		if len(words) >= 2 {
			text = words[len(words)-2]
		}
	}
	var r reach
	for at := 0; at < len(text) && len(r.below) < maxEnds; {
		r.below = append(r.below, spellings(text[at:], links)...)
		n := strings.Index(text[at:], " /")
		if n < 0 {
			break
		}
		at += n + 1
	}
	last := text[strings.LastIndexByte(text, ' ')+1:]
	r.below = append(r.below, spellings(absolute(dir, last), links)...)
	return r
}

// has says whether an instruction can have written the entry at p.
func (r reach) has(p string, isFolder bool) bool {
	if r.anything {
		return true
	}
	for _, b := range r.below {
		if b == "." || p == b || strings.HasPrefix(p, b+"/") || isFolder && above(p, b) {
			return true
		}
	}
	for _, f := range r.folders {
		if isFolder && (p == f || above(p, f)) {
			return true
		}
	}
	return false
}

// above says whether folder p is on the way to f.
func above(p, f string) bool { return p == "." || strings.HasPrefix(f, p+"/") }
