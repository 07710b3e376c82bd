package nix

import (
	"cmp"
	"path"
	"reflect"
	"slices"
	"strings"

	"audit/inspect"
	"audit/provenance/nix"
	"audit/provenance/storedb"
	"audit/rebuild/compare"
)

// freedoms are what dockerTools of nixpkgs leaves to chance, so that honest builds
// differ by it; none unless both images hold store items of Nix. Each looks at what
// differs: a path alone explains nothing.
func freedoms(a, b *inspect.Image) []compare.Freedom {
	if !hasItems(a) || !hasItems(b) {
		return nil
	}
	was, now, sameRows := userFolders(a), userFolders(b), sameRows(a, b)
	return []compare.Freedom{
		{Code: "known/nix-store-mode", Explains: isStoreMode},
		{Code: "known/nix-user-name", Explains: func(d *compare.Difference) bool {
			return d.Cause == compare.Missing && was[d.Path] || d.Cause == compare.Extra && now[d.Path]
		}},
		{Code: "known/nix-database", Explains: func(d *compare.Difference) bool {
			return d.Path == nix.DatabasePath && isInside(d.Cause) && sameRows
		}},
		{Code: "known/nix-build-folder", Explains: func(d *compare.Difference) bool {
			target, ok := d.Was.(compare.Text)
			return ok && d.Cause == compare.Link && (strings.Contains(string(target), "/build/") || strings.Contains(string(target), "nix-build-"))
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

// isStoreMode says whether a difference is that of the mode of the store's folder,
// between two that packers give to it: none of them is setuid or setgid.
func isStoreMode(d *compare.Difference) bool {
	return d.Cause == compare.Mode && (d.Path == "nix/store" || d.Path == "nix") && isPackersMode(d.Was) && isPackersMode(d.Now)
}

func isPackersMode(v compare.Value) bool {
	mode, ok := v.(compare.Permissions)
	return ok && nix.StoreFolderMode(int64(mode))
}

// userFolders are the folders that nix-store makes for the user who calls it, by
// their paths: an entry is true where the image has the folder, with nothing in it
// and no more rights than 0755.
func userFolders(img *inspect.Image) map[string]bool {
	const state = "nix/var/nix/"
	plain := make(map[string]bool)
	for _, l := range img.Layers {
		for i := range l.Entries {
			e := &l.Entries[i]
			rest, below := strings.CutPrefix(e.Path, state)
			parts := strings.SplitN(rest, "/", 4)
			if !below || len(parts) < 3 || parts[1] != "per-user" || parts[0] != "profiles" && parts[0] != "gcroots" {
				continue
			}
			folder := state + path.Join(parts[:3]...)
			_, seen := plain[folder]
			plain[folder] = (plain[folder] || !seen) && len(parts) == 3 && e.Type == '5' && e.Mode&^0o755 == 0 && len(e.Xattrs) == 0
		}
	}
	return plain
}

// sameRows says whether the databases of two images say the same of the same store
// items, whatever else is in the files. It is false where one cannot be read.
func sameRows(a, b *inspect.Image) bool {
	was, okWas := rows(a)
	now, okNow := rows(b)
	return okWas && okNow && reflect.DeepEqual(was, now)
}

func rows(img *inspect.Image) ([]storedb.Item, bool) {
	data, _, ok := img.Root().Content(nix.DatabasePath)
	if !ok {
		return nil, false
	}
	found, err := storedb.Read(data)
	slices.SortFunc(found, func(x, y storedb.Item) int { return cmp.Compare(x.Path, y.Path) })
	return found, err == nil
}
