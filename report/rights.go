package report

import (
	"fmt"
	"slices"
	"strings"

	"audit/inspect/check"
)

// lending are the findings of what lends rights and is explained by nothing, in their
// order, those first of which a package has installed other bytes and last those that the
// recipe may have made, and how many there are, listed or not.
func (r *Report) lending() (all []weighed, count int64) {
	for _, f := range r.byWeight() {
		if f.rank() > 0 { // these come first
			break
		}
		all = append(all, f)
		count += 1 + f.Args.Int("more")
	}
	slices.SortStableFunc(all, func(a, b weighed) int { return a.rightsOrder() - b.rightsOrder() })
	return all, count
}

// rightsOrder is 0 of a finding about a file of which a package has installed other bytes,
// 2 of one whose rights the recipe sets or can have set, and 1 of all others.
func (f Finding) rightsOrder() int {
	switch why := f.Args.String("why"); {
	case why == "rights/changed":
		return 0
	case why == "rights/recipe", f.Args.String("sets") != "":
		return 2
	}
	return 1
}

// rights names what lends rights and is explained by nothing, in a sentence that comes
// before all others on an image that nothing speaks against; "" when there is none.
func (r *Report) rights() string {
	all, n := r.lending()
	if n == 0 {
		return ""
	}
	first := short(all[0].Path)
	if why := all[0].Args.String("why"); why != "" {
		first += " (" + short(r.Say(Message{Code: why, Args: all[0].Args})) + ")"
	}
	if n == 1 {
		return fmt.Sprintf("%s: %s. ", r.words.adviseOn(check.Closure, all[0].Code, all[0].Level).title, first)
	}
	return fmt.Sprintf("No package answers for %s; the first is %s. ", enumerate(lendingKinds(all)), first)
}

// lendingKinds count what lends rights by kind, in its order.
func lendingKinds(all []weighed) (kinds []string) {
	var codes []string
	counts := make(map[string]int)
	for _, f := range all {
		if counts[f.Code] == 0 {
			codes = append(codes, f.Code)
		}
		counts[f.Code] += 1 + int(f.Args.Int("more"))
	}
	for _, code := range codes {
		if code == "closure/capability-file" {
			kinds = append(kinds, count(counts[code], "file")+" with capabilities")
			continue
		}
		noun := strings.ReplaceAll(strings.TrimPrefix(code, "closure/"), "-", " ") // "setuid file", "device", "private key"
		kinds = append(kinds, count(counts[code], noun))
	}
	return kinds
}

// lookFirst says what to do about it, "" when there is none. What is of another kind than
// the first needs something else.
func (r *Report) lookFirst() string {
	all, _ := r.lending()
	if len(all) == 0 {
		return ""
	}
	todo := r.words.adviseOn(check.Closure, all[0].Code, all[0].Level).todo
	switch by := all[0].Args.String("sets"); {
	case all[0].rightsOrder() == 0:
		todo = r.words.adviseOn(check.Closure, "closure/package-file-changed", all[0].Level).todo + " Until somebody answers for it do not run the image."
	case by != "":
		todo = fmt.Sprintf("See whether %s needs the rights that the recipe gives it (%s). If it does not, take that out of the recipe. "+
			"The history is the image's own word: until somebody answers for the file do not run the image.",
			short(all[0].Path), short(by))
	}
	others := slices.DeleteFunc(slices.Clone(all), func(f weighed) bool { return f.Code == all[0].Code })
	if len(others) == 0 {
		return todo
	}
	return todo + " Look at " + enumerate(lendingKinds(others)) + " too: audit help CODE says what to do about each."
}
