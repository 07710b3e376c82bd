package provenance

import (
	"slices"
	"strconv"

	"audit/inspect/check"
)

// ClosureCheck makes the check named closure of what was gathered: how many
// findings there are of each kind that decides it, and then what is explained.
// Bytes are those of the entries explained.
func ClosureCheck(list *check.List, explained []check.Message, bytes int64) check.Check {
	out := check.Check{ID: check.Closure, Status: list.Status(), Findings: list.Sorted(), Bytes: bytes}
	switch out.Status {
	case check.Fail:
		out.Because("closure/problems", "count", list.Count(check.Problem), "kinds", kinds(list.Tally(check.Problem)))
	case check.Unknown:
		out.Because("closure/undecided", "count", list.Count(check.Undecided), "kinds", kinds(list.Tally(check.Undecided)))
	}
	out.Reasons = slices.Concat(out.Reasons, explained)
	return out
}

// kinds names how many findings of each code there are.
func kinds(tallies []check.Tally) []string {
	var all []string
	for _, t := range tallies {
		all = append(all, strconv.Itoa(t.Count)+" "+t.Name())
	}
	return all
}
