package report

import (
	"audit/inspect/store"
)

// Contents are what is in an image, by package.
type contents struct {
	Parts    rows[partRow] // the largest first
	Wide     treemap       // for a screen
	Narrow   treemap       // for a phone
	Packages int           // entries of the recipe
	Items    int           // store items
	Named    int           // of them, named by the recipe
	Others   int           // of them, all others
	Files    int           // entries outside of stores
	Outside  int64         // their bytes
	Channels []channelCount
}

// A partRow is a part with its share of the bytes.
type partRow struct {
	part
	Share float64
}

// A channelCount is how many packages of the recipe a channel defines.
type channelCount struct {
	Channel  string // "" when it is not recorded
	Packages int
}

// shownParts bounds the table beside the treemap.
const shownParts = 25

func newContents(r *Report) contents {
	items := itemPaths(r.StoreItems)
	named := map[string]bool{}
	for _, p := range r.Recipe.Packages {
		named[itemOf(items, p.Path)] = true
	}
	c := contents{Packages: len(r.Recipe.Packages), Items: len(r.StoreItems), Channels: countChannels(r.Recipe.Packages)}
	var parts []part
	for _, it := range r.StoreItems {
		p := part{Label: string(itemLabel(it.Path)), Name: string(it.Path), Kind: "dependency", Bytes: it.Bytes}
		if named[it.Path] {
			p.Kind = "package"
			c.Named++
		}
		parts = append(parts, p)
	}
	for _, f := range r.Image.Folders {
		c.Files += f.Files
		c.Outside += f.Bytes
		parts = append(parts, folderPart(f))
	}
	c.Others = c.Items - c.Named
	c.Wide = newTreemap("wide", parts, 912, 360, wideCells)
	c.Narrow = newTreemap("narrow", parts, 350, 420, narrowCells)
	c.Parts = partRows(parts)
	return c
}

func folderPart(f Folder) part {
	p := part{Label: string(f.Path), Name: "/" + string(f.Path), Kind: "folder", Bytes: f.Bytes}
	switch f.Path {
	case "":
		p.Label, p.Name, p.Kind = "other folders", "other folders", "rest"
	case ".":
		p.Label, p.Name = "/", "/ (what lies at the top)"
	}
	return p
}

func partRows(parts []part) rows[partRow] {
	var total int64
	for _, p := range parts {
		total += p.Bytes
	}
	all := largest(parts, len(parts))
	out := rows[partRow]{More: max(len(all)-shownParts, 0)}
	for _, p := range all[:min(len(all), shownParts)] {
		out.Shown = append(out.Shown, partRow{p, share(p.Bytes, total)})
	}
	return out
}

// countChannels counts packages by channel, in the order in which they come.
func countChannels(packages []Package) []channelCount {
	index := map[string]int{}
	var out []channelCount
	for _, p := range packages {
		at, ok := index[p.Channel]
		if !ok {
			at = len(out)
			index[p.Channel] = at
			out = append(out, channelCount{Channel: p.Channel})
		}
		out[at].Packages++
	}
	return out
}

// itemLabel is the name of a store item without folder and hash.
func itemLabel(path string) string {
	base := fileName(string(path))
	if store.IsStoreName(base) {
		return base[len("00000000000000000000000000000000-"):]
	}
	return base
}

// relative drops the slash that store paths begin with.
func relative(path string) string {
	if len(path) > 0 && path[0] == '/' {
		return string(path[1:])
	}
	return string(path)
}
