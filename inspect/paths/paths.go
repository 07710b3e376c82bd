package paths

import (
	"cmp"
	"strings"
)

// Clean returns the path that a name means in the root file system:
// relative, without "." and "..", "." for the root itself.
func Clean(name string) string {
	name = strings.TrimLeft(strings.TrimPrefix(strings.TrimSuffix(name, "/"), "./"), "/")
	if isClean(name) {
		return name
	}
	var kept []string
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "", ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, part)
		}
	}
	if len(kept) == 0 {
		return "."
	}
	return strings.Join(kept, "/")
}

// isClean says whether Clean would return name itself; nearly all are.
func isClean(name string) bool {
	for {
		part, rest, more := strings.Cut(name, "/")
		if part == "" || part == "." || part == ".." {
			return false
		}
		if !more {
			return true
		}
		name = rest
	}
}

// HasDotDot says whether a part of a name is "..".
func HasDotDot(name string) bool { return strings.Contains("/"+name+"/", "/../") }

// Compare orders paths so that a folder comes before what is in it and
// what is in it before any sibling: "a", "a/b", "a-b". The root, ".", comes
// first.
func Compare(a, b string) int {
	a, b = rooted(a), rooted(b)
	n := min(len(a), len(b))
	for i := range n {
		if a[i] == b[i] {
			continue
		}
		if a[i] == '/' {
			return -1
		}
		if b[i] == '/' {
			return 1
		}
		return cmp.Compare(a[i], b[i])
	}
	return cmp.Compare(len(a), len(b))
}

// rooted is a path with "" for the root.
func rooted(path string) string {
	if path == "." {
		return ""
	}
	return path
}

// Split returns the folder of a path, "." for what is at the top, and its name in there.
func Split(path string) (dir, base string) {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return ".", path
}

// Join is the reverse of [Split].
func Join(dir, base string) string {
	if dir == "." {
		return base
	}
	return dir + "/" + base
}

// Above returns the path above one, "" for what is at the top.
func Above(path string) string { return path[:max(0, strings.LastIndexByte(path, '/'))] }
