package nix

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"audit/inspect"
)

// listMark precedes the list of a layer's store paths in the history of images
// of streamLayeredImage.
const listMark = "store paths: "

// listed returns the paths that the history says layer i was made of; false
// when it says nothing of it.
func (v *view) listed(i int) (paths []string, ok bool, err error) {
	if i < 0 || i >= len(v.history) {
		return nil, false, nil
	}
	text, ok := strings.CutPrefix(v.history[i].Comment, listMark)
	if !ok {
		return nil, false, nil
	}
	paths, err = parseList(text)
	return paths, true, err
}

// hasLists says whether the history lists the store paths of every layer.
func (v *view) hasLists() bool {
	for _, h := range v.history {
		if !strings.HasPrefix(h.Comment, listMark) {
			return false
		}
	}
	return len(v.history) > 0
}

// customisation returns the store path of the customisation layer, the last
// one; "" when the history does not name it. That item is not in the image: its
// contents are.
func (v *view) customisation() string {
	paths, ok, err := v.listed(len(v.img.Layers) - 1)
	if !ok || err != nil || len(paths) != 1 || !isStorePath(paths[0]) || v.items[paths[0]] != nil {
		return ""
	}
	return paths[0]
}

// listedItems returns all store items that the history lists, sorted.
func (v *view) listedItems() []string {
	var all []string
	for i := range v.history {
		paths, _, err := v.listed(i)
		if err != nil {
			continue
		}
		all = append(all, slices.DeleteFunc(paths, func(p string) bool { return !isStorePath(p) })...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// parseList reads a list of strings as Python 3 prints it (repr): each in
// single quotes, or in double quotes where it has a single one, with
// backslash escapes.
func parseList(text string) ([]string, error) {
	rest, ok := strings.CutPrefix(text, "[")
	if !ok {
		return nil, errors.New("it does not begin with a bracket")
	}
	if rest == "]" {
		return nil, nil
	}
	var list []string
	for {
		item, after, err := parseString(rest)
		if err != nil {
			return nil, fmt.Errorf("string %d: %w", len(list)+1, err)
		}
		list = append(list, item)
		if after == "]" {
			return list, nil
		}
		if rest, ok = strings.CutPrefix(after, ", "); !ok {
			return nil, fmt.Errorf("after string %d comes neither a comma nor the end", len(list))
		}
	}
}

func parseString(text string) (s, rest string, err error) {
	if text == "" || text[0] != '\'' && text[0] != '"' {
		return "", "", errors.New("a quote is missing")
	}
	end, text := text[0], text[1:]
	var b strings.Builder
	for text != "" {
		switch text[0] {
		case end:
			return b.String(), text[1:], nil
		case '\\':
			r, n, err := unescape(text)
			if err != nil {
				return "", "", err
			}
			b.WriteRune(r)
			text = text[n:]
		default:
			r, n := utf8.DecodeRuneInString(text)
			b.WriteRune(r)
			text = text[n:]
		}
	}
	return "", "", errors.New("it has no end")
}

// unescape reads the escape that text begins with and returns its length.
func unescape(text string) (r rune, n int, err error) {
	if len(text) < 2 {
		return 0, 0, errors.New("it ends in a backslash")
	}
	switch c := text[1]; c {
	case '\\', '\'', '"':
		return rune(c), 2, nil
	case 'n':
		return '\n', 2, nil
	case 'r':
		return '\r', 2, nil
	case 't':
		return '\t', 2, nil
	case 'x', 'u', 'U':
		n = 2 + map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	}
	if n == 0 || len(text) < n {
		return 0, 0, errors.New("it has an escape that Python does not write")
	}
	v, err := strconv.ParseUint(text[2:n], 16, 32)
	if err != nil || v > utf8.MaxRune {
		return 0, 0, errors.New("it has an escape that Python does not write")
	}
	return rune(v), n, nil
}

// Lists returns for each layer of an image the store items that the history says
// it was made of, in its order; nil where it says nothing that can be read, or
// names what is not in the image.
func Lists(img *inspect.Image) [][]string {
	v := newBareView(img)
	lists := make([][]string, len(img.Layers))
	for i := range img.Layers {
		paths, _, err := v.listed(i)
		if err == nil && !slices.ContainsFunc(paths, func(p string) bool { return v.items[p] == nil }) {
			lists[i] = paths
		}
	}
	return lists
}
