package inspect

import (
	"audit/fixtures"
	"strings"
	"testing"
)

// Contents that can be done without go all together when they are too many, by
// name, in the one pass; the others stay.
func TestOptionalContents(t *testing.T) {
	layer := tarOf(t, regular("need/a", "same"), regular("may/a", "same"), regular("may/b", strings.Repeat("x", 600)), regular("may/c", strings.Repeat("y", 600)), linked("l", "need/a"))
	archive := tarOf(t, imageOf(t, layer, tarOf(t, regular("may/d", "z")))...)
	limits := DefaultLimits()
	for most, dropped := range map[int64]int{2000: 0, 1000: 4, 100: 4} {
		limits.OptionalBytes, limits.KeptBytes = most, 3000
		img, err := openBytes(t, archive, Options{Stores: fixtures.Stores(),
			Limits:   &limits,
			Keep:     func(string) bool { return true },
			Optional: func(path string) bool { return strings.HasPrefix(path, "may/") },
		})
		if err != nil {
			t.Fatal(err)
		}
		content, _, ok := img.Root().Content("l")
		if len(img.Dropped) != dropped || !ok || string(content) != "same" {
			t.Errorf("at most %d bytes: %v dropped, want %d; l has %q", most, img.Dropped, dropped, content)
		}
		if _, ok := img.Body(1, "may/d"); ok != (dropped == 0) {
			t.Errorf("at most %d bytes: may/d is kept: %v", most, ok)
		}
		if got := strings.Count(rules(img), "content-dropped"); got != dropped {
			t.Errorf("at most %d bytes: findings %q", most, rules(img))
		}
	}
}
