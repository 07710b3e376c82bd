package compare

import (
	"path"
	"slices"
	"strings"

	"audit/inspect"
)

// A Group is what has one cause, summed up for people.
type Group struct {
	Cause   Cause
	Count   int      // of differences and fields
	Fields  []int    // positions in Comparison.Config
	Folders []Folder // sorted by path
}

// A Folder is the differences of a group that lie in one folder.
type Folder struct {
	Path        string // the deepest folder that holds them all, "" for the root
	Differences []int  // positions in Comparison.Differences, sorted by path
}

// maxFolders bounds the folders of a group: where there would be more, the
// folder above stands for them.
const maxFolders = 12

// Groups sums up the differences by cause, those first that weigh most (see
// AllCauses), and then by folder. Every difference, and every field of the
// config but those that are Derived, is in one group.
func (c *Comparison) Groups() []Group {
	byCause := make(map[Cause]*Group)
	group := func(cause Cause) *Group {
		g := byCause[cause]
		if g == nil {
			g = &Group{Cause: cause}
			byCause[cause] = g
		}
		g.Count++
		return g
	}
	for i, f := range c.Config {
		if f.Cause != Derived {
			g := group(f.Cause)
			g.Fields = append(g.Fields, i)
		}
	}
	members := make(map[Cause][]int)
	for i, d := range c.Differences {
		group(d.Cause)
		members[d.Cause] = append(members[d.Cause], i)
	}
	var groups []Group
	for _, cause := range AllCauses() {
		if g := byCause[cause]; g != nil {
			g.Folders = c.folders(members[cause])
			groups = append(groups, *g)
		}
	}
	return groups
}

// folders puts differences into few folders: the one that holds all is split by
// what is in it, and so are those that hold many and more than a quarter of
// them, as long as there is room.
func (c *Comparison) folders(list []int) []Folder {
	if len(list) == 0 {
		return nil
	}
	slices.SortStableFunc(list, func(x, y int) int { return inspect.ComparePaths(c.Differences[x].Path, c.Differences[y].Path) })
	all := []Folder{{c.folderOf(list), list}}
	for i := 0; i < len(all); {
		const many = 4
		if n := len(all[i].Differences); n < len(list) && (n <= many || 4*n <= len(list)) {
			i++
			continue
		}
		parts := c.split(all[i])
		if len(parts) == 1 || len(all)-1+len(parts) > maxFolders {
			i++
			continue
		}
		all = slices.Replace(all, i, i+1, parts...)
	}
	return all
}

// split splits a folder by the names in it.
func (c *Comparison) split(folder Folder) []Folder {
	var parts []Folder
	last := ""
	for _, i := range folder.Differences {
		name := below(folder.Path, c.Differences[i].Path)
		if len(parts) == 0 || name != last {
			parts, last = append(parts, Folder{}), name
		}
		f := &parts[len(parts)-1]
		f.Differences = append(f.Differences, i)
	}
	for i := range parts {
		parts[i].Path = c.folderOf(parts[i].Differences)
	}
	return parts
}

// folderOf returns the deepest folder that holds differences sorted by path.
func (c *Comparison) folderOf(list []int) string {
	dir := func(i int) string {
		if d := path.Dir(c.Differences[i].Path); d != "." {
			return d
		}
		return ""
	}
	first, last := dir(list[0]), dir(list[len(list)-1])
	for last != first && !strings.HasPrefix(last, first+"/") {
		if first = path.Dir(first); first == "." || first == "" {
			return ""
		}
	}
	return first
}

// below returns the name in a folder that a path goes through.
func below(folder, file string) string {
	if folder != "" {
		file = strings.TrimPrefix(file, folder+"/")
	}
	name, _, _ := strings.Cut(file, "/")
	return name
}
