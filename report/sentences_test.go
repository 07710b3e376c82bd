package report

import (
	"testing"

	"audit/inspect/check"
)

func TestSentences(t *testing.T) {
	all := AllSentences(map[string]string{
		"a/plain": "nothing to add", "a/arg": "it is {what}, and not {other:quote}", "a/count": "{n:count entry} and {m:count layer}",
		"a/list": "{names:list}", "a/size": "{bytes:size}", "a/part": "done[ ({n} more)]", "a/parts": "x[ at {place}[ of {whole}]]", "a/number": "[at {n:number}]", "a/hex": "[at {n:hex}]", "a/change": "x[: {was:change now}]", "a/sentence": "{cause}: {what-else:sentence}", "known/x": "it varies",
		"a/brackets": "[[{{ ]",
	})
	for _, tc := range []struct {
		m    check.Message
		want string
	}{
		{check.Say("a/plain"), "nothing to add"},
		{check.Say("a/arg", "what", "one", "other", "t\two"), `it is one, and not "t\two"`},
		{check.Say("a/count", "n", 1, "m", 0), "1 entry and 0 layers"},
		{check.Say("a/count", "n", 2, "m", 1), "2 entries and 1 layer"},
		{check.Say("a/list", "names", []string{"x"}), "x"},
		{check.Say("a/list", "names", []string{"x", "y", "z"}), "x, y and z"},
		{check.Say("a/size", "bytes", 2048), "2.0 KiB"},
		{check.Say("a/part", "n", 0), "done"},
		{check.Say("a/part"), "done"},
		{check.Say("a/part", "n", 3), "done (3 more)"},
		{check.Say("a/parts", "place", "p"), "x at p"},
		{check.Say("a/parts", "place", "p", "whole", "w"), "x at p of w"},
		{check.Say("a/number", "n", 0), "at 0"},
		{check.Say("a/hex", "n", 0x40), "at 0x40"},
		{check.Say("a/change", "was", "", "now", "b"), "x: nothing → b"},
		{check.Say("a/change", "was", "", "now", ""), "x"},
		{check.Say("a/sentence", "cause", "mode", "what-else", "a/change", "was", "1", "now", "2"), "mode: x: 1 → 2"},
		{check.Say("known/x"), "it varies"},
		{check.Say("known/x", "differences", 2), "2 differences explained: it varies"},
		{check.Say("a/brackets"), "[{ ]"},
		{check.Say("a/unknown", "x", 1), `a/unknown x="1"`},
	} {
		if got := all.Text(tc.m); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.m.Code, got, tc.want)
		}
	}
}

// Arguments that are written out are a map of their own: those of a finding stay messages.
func TestTextsLeaveArguments(t *testing.T) {
	s := New(unverifiedInput(t)).words.sentences
	args := check.Args{"was": check.Say("value/whole-tar"), "field": "mode"}
	if got := s.texts(args); got.String("was") != "a whole tar" || got.String("field") != "mode" {
		t.Errorf("%v", got)
	}
	if _, ok := args["was"].(check.Message); !ok {
		t.Errorf("%v", args)
	}
}
