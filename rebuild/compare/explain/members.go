package explain

import (
	"slices"

	"audit/inspect/check"
)

// A pairing says which members of two archives belong together: by name, and
// where a name comes more than once by its turn.
type pairing struct {
	both       [][2]int // positions of the members of both, in the order of the first
	gone, come []int    // of those that only one has
	reordered  bool     // those of both stand in another order
}

func pair(was, now []string) pairing {
	type turn struct {
		name string
		nth  int
	}
	at, seen := make(map[turn]int), make(map[string]int)
	for j, name := range now {
		at[turn{name, seen[name]}] = j
		seen[name]++
	}
	var p pairing
	clear(seen)
	last, taken := -1, make([]bool, len(now))
	for i, name := range was {
		j, ok := at[turn{name, seen[name]}]
		seen[name]++
		if !ok {
			p.gone = append(p.gone, i)
			continue
		}
		p.both = append(p.both, [2]int{i, j})
		p.reordered = p.reordered || j < last
		last, taken[j] = j, true
	}
	for j := range now {
		if !taken[j] {
			p.come = append(p.come, j)
		}
	}
	return p
}

// members notes which members of an archive only one has, and whether the
// others stand in another order; it returns the pairs of the others.
func (d *diff) members(was, now []string) [][2]int {
	p := pair(was, now)
	for _, i := range p.gone {
		d.only(check.Say("difference/member-missing", "member", shown(was[i])))
	}
	for _, j := range p.come {
		d.only(check.Say("difference/member-extra", "member", shown(now[j])))
	}
	if p.reordered {
		x, y := p.part(was, now)
		d.add(check.Say("difference/member-order"), Order, x, y)
	}
	return p.both
}

// part returns the names where the orders of the members of both part.
func (p pairing) part(was, now []string) (x, y string) {
	var js []int
	for _, both := range p.both {
		js = append(js, both[1])
	}
	slices.Sort(js)
	for n, both := range p.both {
		if both[1] != js[n] {
			return was[both[0]], now[js[n]]
		}
	}
	return "", ""
}
