package report

import (
	"fmt"

	"audit/inspect/check"
)

// lending are the findings of what lends rights and is explained by nothing, in their
// order, and how many there are, listed or not.
func (r *Report) lending() (all []weighed, count int64) {
	for _, f := range r.byWeight() {
		if f.rank() > 0 { // these come first
			break
		}
		all = append(all, f)
		count += 1 + f.Args.Int("more")
	}
	return all, count
}

// rights names what lends rights and is explained by nothing, in a sentence that comes
// before all others on an image that nothing speaks against; "" when there is none.
func (r *Report) rights() string {
	all, n := r.lending()
	switch {
	case n == 0:
		return ""
	case n == 1:
		return fmt.Sprintf("%s: %s. ", r.words.adviseOn(check.Closure, all[0].Code, all[0].Level).title, short(all[0].Path))
	}
	return fmt.Sprintf("%d files lend rights, and neither a package nor a recipe has them; the first is %s. ", n, short(all[0].Path))
}

// lookFirst says what to do about it, "" when there is none.
func (r *Report) lookFirst() string {
	all, _ := r.lending()
	if len(all) == 0 {
		return ""
	}
	return r.words.adviseOn(check.Closure, all[0].Code, all[0].Level).todo
}
