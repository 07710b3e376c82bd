package docker

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"audit/rebuild"
)

// said is what an engine has said of the steps of a build, gathered line by
// line.
type said struct {
	steps  []*step
	byID   map[string]*step // BuildKit's number of a step
	stages []string         // their names
}

// A step is an instruction as an engine counts it.
type step struct {
	stage  string
	number int
	of     int
	text   string
	cached bool
}

func newSaid() *said { return &said{byID: make(map[string]*step)} }

var (
	classicStep = regexp.MustCompile(`^(?:\[(\d+)/\d+\] )?(?:Step|STEP) (\d+)/(\d+) ?: (.*)`)
	kitStep     = regexp.MustCompile(`^#(\d+) \[(?:(\S+) +)?(\d+)/(\d+)\] (.*)`)
	kitCached   = regexp.MustCompile(`^#(\d+) CACHED`)
	cached      = regexp.MustCompile(`^ ?--+> Using cache`)
	asStage     = regexp.MustCompile(`(?i)^FROM\s.*\sAS\s+(\S+)$`)
)

// Write takes one line.
func (s *said) Write(p []byte) (int, error) {
	line := strings.TrimRight(string(p), "\r\n")
	switch {
	case cached.MatchString(line):
		if len(s.steps) > 0 {
			s.steps[len(s.steps)-1].cached = true
		}
	default:
		if m := classicStep.FindStringSubmatch(line); m != nil {
			s.add(m[1], m[2], m[3], m[4])
		} else if m := kitStep.FindStringSubmatch(line); m != nil && s.byID[m[1]] == nil {
			s.byID[m[1]] = s.add(m[2], m[3], m[4], m[5])
		} else if m := kitCached.FindStringSubmatch(line); m != nil && s.byID[m[1]] != nil {
			s.byID[m[1]].cached = true
		}
	}
	return len(p), nil
}

// maxSteps bounds what is remembered of a build.
const maxSteps = 10_000

func (s *said) add(stage, number, of, text string) *step {
	n, _ := strconv.Atoi(number)
	all, _ := strconv.Atoi(of)
	st := &step{stage: stage, number: n, of: all, text: strings.TrimSpace(text)}
	if m := asStage.FindStringSubmatch(st.text); m != nil {
		s.stages = append(s.stages, strings.ToLower(m[1]))
	}
	if len(s.steps) < maxSteps {
		s.steps = append(s.steps, st)
	}
	return st
}

// items says of each step whether it was built. An image that the build starts
// from was not.
func (s *said) items() []rebuild.Item {
	var items []rebuild.Item
	for _, st := range s.steps {
		how := rebuild.Built
		keyword, rest, _ := strings.Cut(st.text, " ")
		if strings.EqualFold(keyword, "FROM") {
			image, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
			if image == "scratch" || slices.Contains(s.stages, strings.ToLower(image)) {
				continue
			}
			how = rebuild.Reused
		}
		if st.cached {
			how = rebuild.Reused
		}
		items = append(items, rebuild.Item{Path: st.String(), How: how})
	}
	slices.SortFunc(items, func(a, b rebuild.Item) int { return strings.Compare(a.Path, b.Path) })
	return slices.Compact(items)
}

func (st *step) String() string {
	width := len(strconv.Itoa(st.of))
	name := fmt.Sprintf("%0*d/%d %s", width, st.number, st.of, st.text)
	if st.stage != "" {
		name = st.stage + " " + name
	}
	return name
}
