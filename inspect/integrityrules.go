package inspect

import (
	"audit/inspect/check"
)

// countProblem says when the config has more or fewer diffIDs than there are
// layers.
func countProblem(img *Image, layers int) []check.Finding {
	claimed := len(img.Config.File.RootFS.DiffIDs)
	if claimed == layers {
		return nil
	}
	return []check.Finding{check.Find(check.Problem, -1, img.Config.Member, "integrity/diffid-count", "claimed", claimed, "layers", layers)}
}
