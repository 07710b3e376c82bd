package docker

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"audit/rebuild"
)

// Steps are those of a build, gathered line by line from what an engine writes.
type steps struct {
	all    []*step
	byID   map[string]*step // BuildKit's number of a step
	stages []string         // their names
	made   map[string]bool  // by the classic builder: the images that steps have made
}

// A step is an instruction as an engine counts it.
type step struct {
	stage  string
	number int
	of     int
	text   string
	cached bool
	own    bool // it starts from nothing, or from a stage of this build
}

func newSteps() *steps { return &steps{byID: make(map[string]*step), made: make(map[string]bool)} }

var (
	classicStep = regexp.MustCompile(`^(?:\[(\d+)/\d+\] )?(?:Step|STEP) (\d+)/(\d+) ?: (.*)`)
	kitStep     = regexp.MustCompile(`^#(\d+) \[(?:(\S+) +)?(\d+)/(\d+)\] (.*)`)
	kitCached   = regexp.MustCompile(`^#(\d+) CACHED`)
	classicMade = regexp.MustCompile(`^ ---> ?([0-9a-f]*)$`)
	stageID     = regexp.MustCompile(`(?i)^FROM [0-9a-f]{64}( AS |$)`) // what buildah says of one of its stages
	cached      = regexp.MustCompile(`^ ?--+> Using cache`)
	asStage     = regexp.MustCompile(`(?i)^FROM\s.*\sAS\s+(\S+)$`)
)

// Write takes one line.
func (s *steps) Write(p []byte) (int, error) {
	line := strings.TrimRight(string(p), "\r\n")
	switch {
	case cached.MatchString(line):
		if len(s.all) > 0 {
			s.all[len(s.all)-1].cached = true
		}
	case classicMade.MatchString(line):
		s.result(classicMade.FindStringSubmatch(line)[1])
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

// result takes note of the image that the last step of the classic builder has
// made, or starts from. FROM can name both scratch and a stage by an argument,
// which is printed as it is written.
func (s *steps) result(id string) {
	if len(s.all) == 0 {
		return
	}
	st := s.all[len(s.all)-1]
	if st.starts() {
		st.own = id == "" || s.made[id]
		return
	}
	s.made[id] = true
}

// maxSteps bounds what is remembered of a build.
const maxSteps = 10_000

func (s *steps) add(stage, number, of, text string) *step {
	n, _ := strconv.Atoi(number)
	all, _ := strconv.Atoi(of)
	st := &step{stage: stage, number: n, of: all, text: strings.TrimSpace(text)}
	st.own = stage != "" && stageID.MatchString(st.text)
	if m := asStage.FindStringSubmatch(st.text); m != nil {
		s.stages = append(s.stages, strings.ToLower(m[1]))
	}
	if len(s.all) < maxSteps {
		s.all = append(s.all, st)
	}
	return st
}

// items says of each step whether it was built in this run, or taken from a cache.
// An image that the build starts from is neither: it is an input where a digest
// pins it, which pinned says by its name as the engine writes it; else it is
// something that this machine or a registry had.
func (s *steps) items(pinned func(image string) bool, secrets secrets) []rebuild.Item {
	var items []rebuild.Item
	for _, st := range s.all {
		how := rebuild.Built
		_, rest, _ := strings.Cut(st.text, " ")
		if st.starts() {
			image, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
			if st.own || image == "scratch" || slices.Contains(s.stages, strings.ToLower(image)) {
				continue
			}
			how = rebuild.Reused
			if pinned(image) {
				how = rebuild.Pinned
			}
		} else if st.cached {
			how = rebuild.Reused
		}
		items = append(items, rebuild.Item{Path: secrets.mask(st.String()), How: how})
	}
	slices.SortFunc(items, func(a, b rebuild.Item) int { return strings.Compare(a.Path, b.Path) })
	return slices.Compact(items)
}

// starts says whether a step is the FROM of a stage.
func (st *step) starts() bool {
	keyword, _, _ := strings.Cut(st.text, " ")
	return strings.EqualFold(keyword, "FROM")
}

func (st *step) String() string {
	width := len(strconv.Itoa(st.of))
	name := fmt.Sprintf("%0*d/%d %s", width, st.number, st.of, st.text)
	if st.stage != "" {
		name = st.stage + " " + name
	}
	return name
}
