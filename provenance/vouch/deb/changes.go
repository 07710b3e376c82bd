package deb

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// A change is a command in a script of a signed package that sets the mode, the owner or
// the attributes of files (chmod(1), chown(1), install(1), dpkg-statoverride(1), setcap(8)).
type change struct {
	verb    string
	words   []string // options and operands, with the values of variables
	unknown bool     // a mode or owner is among them whose value the script does not say
}

// What each command may set.
var (
	setsMode  = []string{"chmod", "install", "dpkg-statoverride"}
	setsOwner = []string{"chown", "chgrp", "install", "dpkg-statoverride"}
	setsCaps  = []string{"setcap"}
)

func isChange(verb string) bool {
	return slices.Contains(setsMode, verb) || slices.Contains(setsOwner, verb) || slices.Contains(setsCaps, verb)
}

// changes are those of all signed packages, by what they are applied to.
type changes struct {
	exact map[string][]*change     // by path, without the slash at the beginning
	below map[string][]*change     // with -R, by folder
	globs map[string][]*change     // by pattern
	open  map[*installed][]*change // to a path that the script does not say
}

// allChanges takes the scripts apart once.
func (s *session) allChanges() *changes {
	if s.changed != nil {
		return s.changed
	}
	all := &changes{make(map[string][]*change), make(map[string][]*change), make(map[string][]*change), make(map[*installed][]*change)}
	s.changed = all
	for _, p := range s.installed {
		commands := p.commands()
		vars := variables(commands)
		for _, words := range commands {
			at := slices.IndexFunc(words, func(w string) bool { return isChange(path.Base(w)) })
			if at >= 0 {
				all.add(p, path.Base(words[at]), words[at+1:], vars)
			}
		}
	}
	return all
}

// add adds a command to each path that it may be applied to.
func (all *changes) add(p *installed, verb string, words []string, vars map[string][]string) {
	c := &change{verb: verb}
	var targets []string
	open, first := false, verb != "install" && verb != "dpkg-statoverride"
	for _, w := range words {
		values, known := expand(w, vars, 4)
		isOption := strings.HasPrefix(w, "-") && verb != "chmod" || strings.HasPrefix(w, "--") || w == "-R"
		switch {
		case isOption || first: // the mode or the owner
			c.unknown = c.unknown || !known
			first = first && isOption
		case !known:
			open, c.unknown = true, c.unknown || verb == "install" || verb == "dpkg-statoverride"
		}
		c.words = append(c.words, values...)
		for _, v := range values {
			if strings.HasPrefix(v, "/") {
				targets = append(targets, strings.Trim(v, "/"))
			}
		}
	}
	recursive := slices.ContainsFunc(words, func(w string) bool {
		return w == "--recursive" || len(w) > 1 && w[0] == '-' && w[1] != '-' && strings.Contains(w, "R")
	})
	for _, t := range targets {
		if strings.ContainsAny(t, "*?[") {
			all.globs[t] = append(all.globs[t], c)
			continue
		}
		all.exact[t] = append(all.exact[t], c)
		if recursive {
			all.below[t] = append(all.below[t], c)
		}
	}
	if open {
		all.open[p] = append(all.open[p], c)
	}
}

// changesOf returns the commands that name a path, in any form that the merged folders
// give it, and those of scripts that name it and say in a variable what they change.
func (s *session) changesOf(at string, verbs []string) (exact, may []*change) {
	all := s.allChanges()
	fits := func(from []*change) (found []*change) {
		for _, c := range from {
			if slices.Contains(verbs, c.verb) {
				found = append(found, c)
			}
		}
		return found
	}
	for _, form := range forms(at) {
		exact = append(exact, fits(all.exact[form])...)
		for dir := path.Dir(form); dir != "." && dir != "/"; dir = path.Dir(dir) {
			exact = append(exact, fits(all.below[dir])...)
		}
		for _, pattern := range sortedKeys(all.globs) {
			if ok, err := path.Match(pattern, form); ok && err == nil {
				exact = append(exact, fits(all.globs[pattern])...)
			}
		}
		for _, p := range s.namedBy(form) {
			may = append(may, fits(all.open[p])...)
		}
	}
	return exact, may
}

// forms are the paths of one file where /bin and its like are links into /usr, and where
// they are not.
func forms(at string) []string {
	short := strings.TrimPrefix(at, "usr/")
	top, _, below := strings.Cut(short, "/")
	if !below || !isMerged(top) {
		return []string{at}
	}
	return []string{short, "usr/" + short}
}

// mergedNames are the folders that are links into /usr.
var mergedNames = []string{"bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32"}

func isMerged(name string) bool { return slices.Contains(mergedNames, name) }

// commands returns the words of each simple command of the scripts, without quotes. What
// stands in $(…) belongs to the command around it.
func (p *installed) commands() (all [][]string) {
	text := strings.ReplaceAll(p.scripts().text, "\\\n", " ")
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for part := range strings.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune(";&|", r) }) {
			words := strings.FieldsFunc(part, func(r rune) bool { return strings.ContainsRune(" \t\r\n\"'`()<>", r) })
			if len(words) > 0 {
				all = append(all, words)
			}
		}
	}
	return all
}

// expanded are the absolute paths that the scripts name, with the values of variables.
func (p *installed) expanded() map[string]bool {
	if p.said == nil {
		p.said = make(map[string]bool)
		commands := p.commands()
		vars := variables(commands)
		for _, words := range commands {
			for _, w := range words {
				values, _ := expand(w, vars, 4)
				for _, v := range values {
					if strings.HasPrefix(v, "/") {
						p.said[strings.Trim(v, "/")] = true
					}
				}
			}
		}
	}
	return p.said
}

// maxValues bounds the values of a word with variables.
const maxValues = 64

// variables are the values that commands give to names. Of NAME=$(COMMAND WORDS…) these
// are the paths among the words.
func variables(commands [][]string) map[string][]string {
	vars := make(map[string][]string)
	add := func(name, value string) {
		if len(vars[name]) < maxValues && !slices.Contains(vars[name], value) {
			vars[name] = append(vars[name], value)
		}
	}
	for _, words := range commands {
		if at := slices.Index(words, "for"); at >= 0 && at+2 < len(words) && words[at+2] == "in" {
			for _, w := range words[at+3:] {
				add(words[at+1], w)
			}
			continue
		}
		for i, w := range words {
			name, value, ok := strings.Cut(w, "=")
			if !ok || !isVariable(name) {
				continue
			}
			if value != "" && value != "$" {
				add(name, value)
				continue
			}
			for _, next := range words[i+1:] {
				if next[0] == '/' || next[0] == '$' {
					add(name, next)
				}
			}
			if value == "$" && len(vars[name]) == 0 {
				add(name, "$?") // of what a command prints nothing is known
			}
		}
	}
	return vars
}

func isVariable(name string) bool {
	for i, r := range name {
		if r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// expand replaces the variables of a word by each of their values. It is not known where
// one is an argument or was read. DPKG_ROOT is empty, or the root.
func expand(word string, vars map[string][]string, depth int) (values []string, known bool) {
	before, rest, ok := strings.Cut(word, "$")
	if !ok {
		return []string{word}, true
	}
	if depth == 0 {
		return nil, false
	}
	name, after := variable(rest)
	inner := vars[name]
	if name == "DPKG_ROOT" {
		inner = []string{""}
	}
	if len(inner) == 0 {
		return nil, false
	}
	known = true
	for _, v := range inner {
		found, ok := expand(before+v+after, vars, depth-1)
		known = known && ok
		if values = append(values, found...); len(values) > maxValues {
			return values[:maxValues], false
		}
	}
	return values, known
}

// variable takes NAME or {NAME…} from the beginning of a text.
func variable(text string) (name, after string) {
	if inner, ok := strings.CutPrefix(text, "{"); ok {
		inner, after, _ = strings.Cut(inner, "}")
		end := strings.IndexFunc(inner, func(r rune) bool { return !isVariable("a" + string(r)) })
		if end >= 0 {
			inner = inner[:end]
		}
		return inner, after
	}
	end := strings.IndexFunc(text, func(r rune) bool { return !isVariable("a" + string(r)) })
	if end < 0 {
		return text, ""
	}
	return text[:end], text[end:]
}

// Evidence is how much scripts say of what a file is other in than its package.
type evidence int

const (
	none  evidence = iota
	may            // a script changes the file, or may
	gives          // a script makes it what it is
)

// dangerous are the bits that give the rights of another, or give others rights.
const dangerous = 06022

// modeBy says what scripts say of a file that has the one mode in its package and the
// other in the image.
func (s *session) modeBy(at string, signed, mode int64) evidence {
	exact, open := s.changesOf(at, setsMode)
	added := mode &^ signed & dangerous
	found := none
	for i, c := range slices.Concat(exact, open) {
		if c.unknown || added == 0 {
			found = may
		}
		for _, w := range c.words {
			m, ok := applyMode(w, signed)
			switch {
			case !ok:
			case m == mode && added&022 == 0 && i < len(exact):
				return gives
			case m&added == added:
				found = may
			}
		}
	}
	return found
}

// applyMode returns the mode that a word of chmod makes of one (chmod(1)).
func applyMode(word string, mode int64) (int64, bool) {
	word = strings.TrimPrefix(strings.TrimPrefix(word, "--mode="), "-m")
	if n, err := strconv.ParseInt(word, 8, 64); err == nil && len(word) >= 3 && n >= 0 && n <= 07777 {
		return n, true
	}
	for part := range strings.SplitSeq(word, ",") {
		at := strings.IndexAny(part, "+-=")
		if at < 0 || strings.Trim(part[:at], "ugoa") != "" || strings.Trim(part[at+1:], "rwxXst") != "" || at+1 == len(part) {
			return 0, false
		}
		who, bits := part[:at], int64(0)
		if who == "" || strings.Contains(who, "a") {
			who = "ugo"
		}
		for _, w := range who {
			shift := map[rune]int{'u': 6, 'g': 3, 'o': 0}[w]
			for _, r := range part[at+1:] {
				switch r {
				case 's':
					bits |= map[rune]int64{'u': 04000, 'g': 02000}[w]
				case 't':
					bits |= 01000
				case 'X':
					if mode&0111 != 0 {
						bits |= 1 << shift
					}
				default:
					bits |= map[rune]int64{'r': 4, 'w': 2, 'x': 1}[r] << shift
				}
			}
			if part[at] == '=' {
				mode &^= 7<<shift | map[rune]int64{'u': 04000, 'g': 02000}[w]
			}
		}
		if part[at] == '-' {
			mode &^= bits
		} else {
			mode |= bits
		}
	}
	return mode, true
}

// ownerBy says the same of its owner. Only of a group, which a script names, it says that
// it is given.
func (s *session) ownerBy(at string, sameUser bool, gid int) evidence {
	exact, open := s.changesOf(at, setsOwner)
	for _, c := range exact {
		for _, w := range c.words {
			if sameUser && s.isGroup(w[strings.LastIndexAny(w, ":.")+1:], gid) {
				return gives
			}
		}
	}
	if len(exact)+len(open) > 0 {
		return may
	}
	return none
}

// isGroup says whether a group of the image has a name and a number.
func (s *session) isGroup(name string, gid int) bool {
	text, _, _ := s.root.Content("etc/group")
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(line, ":"); len(f) > 3 && f[0] == name && f[2] == strconv.Itoa(gid) {
			return true
		}
	}
	return false
}
