package list

import (
	"bytes"
	"regexp"
	"strings"
)

var (
	snakeRule      = regexp.MustCompile(`^\s*(?:rule|checkpoint)(?:\s+(\w+))?\s*:`)
	snakeNamed     = regexp.MustCompile(`^\s*(?:rule|checkpoint)\s+\w+\s*:`)
	snakeContainer = regexp.MustCompile(`^\s*(?:container|containerized|singularity)\s*:\s*(.*)$`)
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

// fromSnakefile reads the container directives of a workflow, of which the text may
// stand on the next line. Snakemake takes docker:// for a registry, https:// and a path
// for a file. What is an expression is decided when the workflow runs.
func fromSnakefile(text []byte) (all []Entry) {
	rule, wanted := "", false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if m := snakeRule.FindStringSubmatch(line); m != nil {
			rule, wanted = m[1], false
			continue
		}
		if m := snakeContainer.FindStringSubmatch(line); m != nil {
			line, wanted = m[1], true
		}
		if line = strings.TrimSpace(line); !wanted || line == "" || line[0] == '#' {
			continue
		}
		wanted = false
		all = append(all, directive(line, rule))
	}
	return all
}

func directive(value, rule string) Entry {
	names := nonEmpty(rule)
	m := snakeText.FindStringSubmatch(value)
	switch {
	case value == "None":
		e := entry("rule "+rule, names...)
		e.Problem = "it runs without a container"
		return e
	case m == nil || strings.ContainsAny(m[1], "{}"):
		e := entry("container: "+value, names...)
		e.Problem = "its container is decided when the workflow runs"
		return e
	case strings.HasPrefix(m[1], "docker://"):
		return remote(strings.TrimPrefix(m[1], "docker://"), names...)
	}
	return file(m[1], names...)
}
