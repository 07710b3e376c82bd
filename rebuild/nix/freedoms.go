package nix

import (
	"slices"
	"strings"

	"audit/inspect"
	"audit/rebuild/compare"
)

// freedoms are what dockerTools of nixpkgs leaves to chance, so that honest builds
// differ by it; none unless both images hold store items of Nix.
func freedoms(a, b *inspect.Image) []compare.Freedom {
	if !hasItems(a) || !hasItems(b) {
		return nil
	}
	return []compare.Freedom{
		{Code: "known/nix-store-mode", Explains: func(d *compare.Difference) bool {
			return d.Cause == compare.Mode && (d.Path == "nix/store" || d.Path == "nix")
		}},
		{Code: "known/nix-user-name", Explains: func(d *compare.Difference) bool {
			return strings.HasPrefix(d.Path, "nix/var/nix/") && strings.Contains(d.Path, "/per-user/")
		}},
		{Code: "known/nix-database", Explains: func(d *compare.Difference) bool {
			return d.Path == "nix/var/nix/db/db.sqlite" && isInside(d.Cause)
		}},
		{Code: "known/nix-build-folder", Explains: func(d *compare.Difference) bool {
			return d.Cause == compare.Link && (strings.Contains(d.Was, "/build/") || strings.Contains(d.Was, "nix-build-"))
		}},
	}
}

func hasItems(img *inspect.Image) bool {
	return slices.ContainsFunc(img.Items, func(it inspect.StoreItem) bool { return strings.HasPrefix(it.Path, storeDir) })
}

// isInside says whether a cause is one of differences inside a file.
func isInside(cause compare.Cause) bool {
	return slices.Contains([]compare.Cause{compare.Content, compare.EmbeddedDate, compare.EmbeddedOrder, compare.EmbeddedPath, compare.Compression}, cause)
}
