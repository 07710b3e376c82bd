package list

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"

	"audit/inspect"
	"audit/inspect/userfile"
)

var (
	snakeRule      = regexp.MustCompile(`^(\s*)(?:rule|checkpoint)(?:\s+(\w+))?\s*:`)
	snakeNamed     = regexp.MustCompile(`^\s*(?:rule|checkpoint)\s+\w+\s*:`)
	snakeContainer = regexp.MustCompile(`^\s*(?:container|containerized|singularity)\s*:\s*(.*)$`)
	snakeInclude   = regexp.MustCompile(`^\s*(?:include|snakefile)\s*:\s*(.*)$`)
	snakeText      = regexp.MustCompile(`^[rbuRBU]?["']{1,3}([^"']*)["']{1,3}\s*(?:#.*)?$`)
)

// isSnakefile says that a text has a rule of Snakemake with a name, or a container. A
// "rule:" alone is none: it is a key of YAML too.
func isSnakefile(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\r\n")
		if m := snakeContainer.FindSubmatch(line); snakeNamed.Match(line) || m != nil && snakeText.Match(m[1]) {
			return true
		}
	}
	return false
}

// maxIncluded bounds the files of one workflow, which together have no more bytes than a
// list.
const maxIncluded = 10_000

// A workflow is one of Snakemake, in as many files as it includes.
type workflow struct {
	seen map[string]bool // files, by their paths
	left int64           // bytes that they may have
	all  []Entry
}

// fromSnakefile reads the container directives of a workflow, of which the text may
// stand on the next line. Snakemake takes docker:// for a registry, https:// and a path
// for a file, and includes files beside the one that names them. What is an expression is
// decided when the workflow runs.
func fromSnakefile(name string, text []byte) []Entry {
	w := workflow{seen: map[string]bool{filepath.Clean(name): true}, left: maxBytes}
	w.file(filepath.Dir(name), text)
	return w.all
}

func (w *workflow) file(dir string, text []byte) {
	rule, indent := "", 0
	wanted, includes := false, false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if m := snakeRule.FindStringSubmatch(line); m != nil {
			indent, rule, wanted = len(m[1]), m[2], false
			continue
		}
		if begins := strings.TrimLeft(line, " \t"); begins != "" && begins[0] != '#' && len(line)-len(begins) <= indent {
			rule = "" // what stands no deeper than a rule is not of it
		}
		if m := snakeContainer.FindStringSubmatch(line); m != nil {
			line, wanted, includes = m[1], true, false
		} else if m := snakeInclude.FindStringSubmatch(line); m != nil {
			line, wanted, includes = m[1], true, true
		}
		if line = strings.TrimSpace(line); !wanted || line == "" || line[0] == '#' {
			continue
		}
		wanted = false
		if includes {
			w.include(dir, line)
		} else {
			w.all = append(w.all, directive(line, rule))
		}
	}
}

// include reads another file of the workflow; one that cannot be read is named, for its
// rules may have containers.
func (w *workflow) include(dir, value string) {
	m := snakeText.FindStringSubmatch(value)
	if m == nil || strings.ContainsAny(m[1], "{}") || strings.Contains(m[1], "://") {
		w.all = append(w.all, problem("include: "+value, "which file that is is decided when the workflow runs, or it is elsewhere: its rules are not known"))
		return
	}
	path := filepath.Clean(m[1])
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	if w.seen[path] {
		return
	}
	w.seen[path] = true
	text, err := userfile.Read(path, w.left)
	w.left -= int64(len(text))
	if len(w.seen) > maxIncluded {
		err = &inspect.LimitError{Name: "files of a workflow", Limit: maxIncluded, Where: path}
	}
	if err != nil {
		w.all = append(w.all, problem("include: "+value, "its rules are not known: "+err.Error()))
		return
	}
	w.file(filepath.Dir(path), text)
}

func directive(value, rule string) Entry {
	names := nonEmpty(rule)
	m := snakeText.FindStringSubmatch(value)
	switch {
	case value == "None":
		return problem("rule "+rule, "it runs without a container", names...)
	case m == nil || strings.ContainsAny(m[1], "{}"):
		return problem("container: "+value, "its container is decided when the workflow runs", names...)
	case strings.HasPrefix(m[1], "docker://"):
		return remote(strings.TrimPrefix(m[1], "docker://"), names...)
	}
	return file(m[1], names...)
}
