package batch

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"audit/report/fleet"
)

// A Shard is a part of a list: part Index of Count, from 1 on. The zero value is all
// of it.
type Shard struct{ Index, Count int }

// maxShards bounds the count of shards: engines have fewer tasks.
const maxShards = 1_000_000

func (s Shard) String() string {
	if s.Count == 0 {
		return "1/1"
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

// ParseShard reads "I/N", where I is 1 to N; "auto" asks the variables of engines,
// and "" is all of a list.
func ParseShard(text string, getenv func(string) string) (Shard, error) {
	switch text {
	case "":
		return Shard{}, nil
	case "auto":
		return autoShard(getenv)
	}
	index, count, ok := strings.Cut(text, "/")
	i, err := number(index)
	n, err2 := number(count)
	if !ok || err != nil || err2 != nil || n < 1 || n > maxShards || i < 1 || i > n {
		return Shard{}, fmt.Errorf("%q: I/N belongs here, where I is 1 to N, or auto", text)
	}
	return Shard{i, n}, nil
}

// number reads a count as engines write it.
func number(text string) (int, error) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, fmt.Errorf("%q is no number", text)
	}
	return strconv.Atoi(text)
}

// An engine sets variables in each task of an array.
type engine struct {
	name  string
	index string
	first int    // index of the first task
	count string // variable that has the number of tasks; "" where none can be trusted
}

// engines are those that --shard auto knows. SLURM_ARRAY_TASK_COUNT and
// SGE_TASK_LAST are of the tasks that were submitted last, which are others where some
// are run again.
func engines() []engine {
	return []engine{
		{"Slurm", "SLURM_ARRAY_TASK_ID", 0, ""},
		{"Kubernetes", "JOB_COMPLETION_INDEX", 0, ""},
		{"PBS", "PBS_ARRAY_INDEX", 0, ""},
		{"Grid Engine", "SGE_TASK_ID", 1, ""},
		{"AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", 0, "AWS_BATCH_JOB_ARRAY_SIZE"},
		{"Google Batch", "BATCH_TASK_INDEX", 0, "BATCH_TASK_COUNT"},
		{"Cloud Run", "CLOUD_RUN_TASK_INDEX", 0, "CLOUD_RUN_TASK_COUNT"},
		{"GitLab", "CI_NODE_INDEX", 1, "CI_NODE_TOTAL"},
		{"CircleCI", "CIRCLE_NODE_INDEX", 0, "CIRCLE_NODE_TOTAL"},
		{"Buildkite", "BUILDKITE_PARALLEL_JOB", 0, "BUILDKITE_PARALLEL_JOB_COUNT"},
	}
}

// ShardsVariable has the number of shards where an engine does not say it.
const ShardsVariable = "AUDIT_SHARDS"

// autoShard takes the index from the engine that the process runs in.
func autoShard(getenv func(string) string) (Shard, error) {
	var found []engine
	for _, e := range engines() {
		if v := getenv(e.index); v != "" && v != "undefined" { // Grid Engine, outside of an array
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		return Shard{}, errors.New("auto: no variable of an engine says which task this is; give --shard I/N")
	}
	if len(found) > 1 {
		return Shard{}, fmt.Errorf("auto: both %s and %s say which task this is; give --shard I/N", found[0].index, found[1].index)
	}
	return found[0].shard(getenv)
}

func (e engine) shard(getenv func(string) string) (Shard, error) {
	index, err := number(getenv(e.index))
	if err != nil {
		return Shard{}, fmt.Errorf("auto: %s: %w", e.index, err)
	}
	own, given := "", getenv(ShardsVariable)
	if e.count != "" {
		own = getenv(e.count)
	}
	switch {
	case own != "" && given != "" && own != given:
		return Shard{}, fmt.Errorf("auto: %s is %s, and %s is %s", e.count, own, ShardsVariable, given)
	case own == "" && given == "":
		return Shard{}, fmt.Errorf("auto: %s has no count of tasks that holds when some are run again; set %s to the number of shards", e.name, ShardsVariable)
	}
	count, err := number(cmp.Or(own, given))
	if err != nil || count < 1 || count > maxShards {
		return Shard{}, fmt.Errorf("auto: %q is no number of shards", cmp.Or(own, given))
	}
	if index < e.first || index >= e.first+count {
		return Shard{}, fmt.Errorf("auto: %s is %d, and there are %d shards, from %d on", e.index, index, count, e.first)
	}
	return Shard{index - e.first + 1, count}, nil
}

// Of returns the images of a list that belong to the shard. Those of one repository
// or folder are kept together, for they are likely to share layers; the parts are of
// equal length, but for one.
func (s Shard) Of(images []fleet.Image) []fleet.Image {
	all := slices.Clone(images)
	slices.SortFunc(all, func(a, b fleet.Image) int {
		return cmp.Or(cmp.Compare(family(a.Reference), family(b.Reference)), cmp.Compare(a.Reference, b.Reference))
	})
	if s.Count == 0 {
		return all
	}
	return all[len(all)*(s.Index-1)/s.Count : len(all)*s.Index/s.Count]
}

// family is a reference without its tag and digest: the repository, file or folder.
func family(reference string) string {
	reference, _, _ = strings.Cut(reference, "@")
	if colon := strings.LastIndexByte(reference, ':'); colon > strings.LastIndexByte(reference, '/') {
		return reference[:colon]
	}
	return reference
}
