package report

import (
	"testing"

	"audit/inspect/check"
)

// What is counted as none leaves a whole sentence.
func TestSourcesSentence(t *testing.T) {
	for _, tc := range []struct {
		sources, seeds int
		want           string
	}{
		{3, 1, "5 derivations lead back to 3 sources and 1 seed, each with its hash"},
		{1, 0, "5 derivations lead back to 1 source, each with its hash"},
		{0, 4, "5 derivations lead back to 0 sources and 4 seeds, each with its hash"},
		{0, 0, "5 derivations lead back to 0 sources, each with its hash"},
	} {
		m := check.Say("sources/led-back", "derivations", 5, "sources", tc.sources, "seeds", tc.seeds)
		if got := AllSentences().Text(m); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}
