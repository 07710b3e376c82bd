package deb

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/provenance/vouch"
)

// accounts checks the users and groups: each is as base-passwd has it, or one that a
// script of a package makes for a service, which nobody can log in as. Of passwords there
// is none.
func (s *session) accounts() {
	users, p, ok := s.ownContent("usr/share/base-passwd/passwd.master")
	groups, _, also := s.ownContent("usr/share/base-passwd/group.master")
	if !ok || !also {
		return
	}
	a := &accounts{session: s, users: byName(users), groups: byName(groups)}
	a.readGroups()
	word := p.made("accounts")
	for _, file := range []struct {
		name string
		fits func([]string) bool
		mode int64
	}{{"passwd", a.user, 0644}, {"group", a.group, 0644}, {"shadow", a.secret, 0640}, {"gshadow", a.groupSecret, 0640}} {
		for _, end := range []string{"", "-"} {
			f, ok := s.root.Name("etc/" + file.name + end)
			if text, _, kept := s.root.Content(f.Path); ok && kept && s.belongs(f, file.mode) && all(string(text), file.fits) {
				s.table.Vouch(f.Path, word)
			}
			clear(a.seen)
		}
	}
	for _, name := range []string{"subuid", "subgid"} {
		f, ok := s.root.Name("etc/" + name)
		if text, _, kept := s.root.Content(f.Path); ok && kept && len(text) == 0 && s.isPlain(f) {
			s.table.Vouch(f.Path, word)
		}
	}
}

// shadowGroup is the number of the group shadow (base-passwd).
const shadowGroup = 42

// belongs says whether a file is of root, or of root and the group shadow, with no more
// rights than a mode.
func (s *session) belongs(f inspect.File, mode int64) bool {
	h := f.Inode.Header
	a := h.Attr()
	return f.Inode.Type == '0' && int64(h.Mode&07777)&^mode == 0 && len(a.Xattrs) == 0 && (s.flat || a.UID == 0 && (a.GID == 0 || a.GID == shadowGroup))
}

// all says whether each line of a file has this form.
func all(text string, fits func(fields []string) bool) bool {
	for line := range strings.Lines(text) {
		if !fits(strings.Split(strings.TrimSuffix(line, "\n"), ":")) {
			return false
		}
	}
	return text != ""
}

func byName(text []byte) map[string]string {
	all := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		name, _, _ := strings.Cut(line, ":")
		all[name] = line
	}
	return all
}

type accounts struct {
	*session
	users, groups map[string]string // of base-passwd, by name
	makers        map[string]bool   // operands of commands that make accounts
	groupOf       map[string]string // the names of the groups of the image, by number
	seen          map[string]bool   // the numbers of users in the file that is checked
}

// readGroups reads which numbers groups have in the image, and in base-passwd: of a number
// that two have no account may be.
func (a *accounts) readGroups() {
	a.groupOf, a.seen = make(map[string]string), make(map[string]bool)
	for name, line := range a.groups {
		if f := strings.Split(line, ":"); len(f) == 4 {
			a.groupOf[f[2]] = name
		}
	}
	text, _, _ := a.root.Content("etc/group")
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(line, ":"); len(f) == 4 {
			if have, twice := a.groupOf[f[2]]; twice && have != f[0] {
				f[0] = ""
			}
			a.groupOf[f[2]] = f[0]
		}
	}
}

// user checks name:password:uid:gid:comment:home:shell (passwd(5)). The password of
// base-passwd is "*"; shadowconfig makes it "x".
func (a *accounts) user(f []string) bool {
	if len(f) != 7 || f[1] != "x" && f[1] != "*" && f[1] != "!" {
		return false
	}
	if a.seen[f[2]] {
		return false
	}
	a.seen[f[2]] = true
	same := slices.Clone(f)
	same[1] = "*"
	if a.users[f[0]] == strings.Join(same, ":") {
		return true
	}
	uid, ok := number(f[2])
	if !ok || a.users[f[0]] != "" || uid <= 0 || has(a.users, f[2]) || !noLogin(f[6]) || !a.named(f[0]) {
		return false
	}
	group := a.groupOf[f[3]]
	return group == "nogroup" || group != "" && a.named(group)
}

// number reads that of a user or group, as tools write it: with a zero before it, it is
// the same one in another text.
func number(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err == nil && strconv.FormatUint(n, 10) == text
}

// noLogin says whether a shell is one with which nobody can log in.
func noLogin(shell string) bool {
	switch shell {
	case "/usr/sbin/nologin", "/sbin/nologin", "/bin/false", "/usr/bin/false", "/bin/sync", "/usr/bin/sync":
		return true
	}
	return false
}

// has says whether base-passwd has a user, or a group, of a number.
func has(lines map[string]string, number string) bool {
	for _, line := range lines {
		if f := strings.Split(line, ":"); len(f) > 2 && f[2] == number {
			return true
		}
	}
	return false
}

// named says whether a command of a script that makes an account names it.
func (a *accounts) named(account string) bool {
	if a.makers == nil {
		a.makers = make(map[string]bool)
		for _, p := range a.installed {
			a.addSysusers(p)
			commands := p.commands()
			vars := variables(commands)
			for _, words := range commands {
				at := slices.IndexFunc(words, makesAccounts)
				if at < 0 {
					continue
				}
				for _, w := range words[at+1:] {
					values, _ := expand(w, vars, 4)
					for _, v := range values {
						if _, value, ok := strings.Cut(v, "="); ok {
							v = value
						}
						a.makers[v] = true
					}
				}
			}
		}
	}
	return a.makers[account]
}

// addSysusers adds what the files of a package name for systemd to make (sysusers.d(5)).
func (a *accounts) addSysusers(p *installed) {
	if p.archive == nil {
		return
	}
	for at, content := range p.archive.Kept {
		if !strings.HasPrefix(at, sysusersFolder) {
			continue
		}
		for line := range strings.Lines(string(content)) {
			if words := strings.Fields(line); len(words) > 1 && (words[0] == "u" || words[0] == "u!" || words[0] == "g") {
				a.makers[words[1]] = true
			}
		}
	}
}

const sysusersFolder = "usr/lib/sysusers.d/"

func makesAccounts(word string) bool {
	switch path.Base(word) {
	case "adduser", "addgroup", "useradd", "groupadd":
		return true
	}
	return false
}

// group checks name:password:gid:members (group(5)).
func (a *accounts) group(f []string) bool {
	if len(f) != 4 || f[1] != "x" && f[1] != "*" && f[1] != "!" {
		return false
	}
	same := slices.Clone(f)
	same[1] = "*"
	if a.groups[f[0]] == strings.Join(same, ":") {
		return true
	}
	gid, ok := number(f[2])
	return ok && gid > 0 && a.groups[f[0]] == "" && !has(a.groups, f[2]) && f[3] == "" && a.named(f[0])
}

// secret checks a line of shadow(5): an account that is known, and no password.
func (a *accounts) secret(f []string) bool {
	return len(f) == 9 && (a.users[f[0]] != "" || a.named(f[0])) && (f[1] == "*" || f[1] == "!" || f[1] == "!*" || f[1] == "!!")
}

// groupSecret checks a line of gshadow(5).
func (a *accounts) groupSecret(f []string) bool {
	return len(f) == 4 && (a.groups[f[0]] != "" || a.named(f[0])) && (f[1] == "*" || f[1] == "!" || f[1] == "x") && f[2] == "" && f[3] == ""
}

// shells checks the list of login shells and what update-shells(8) notes beside it: the
// beginning of debianutils, then shells that packages have in their lists.
func (s *session) shells() {
	start, p, ok := s.ownContent("usr/share/debianutils/shells")
	if !ok {
		return
	}
	known := make(map[string]bool)
	folder, names, _ := s.root.Folder("usr/share/debianutils/shells.d")
	lists := [][]byte{start}
	for _, name := range names {
		if list, _, ok := s.ownContent(path.Join(folder, name)); ok {
			lists = append(lists, list)
		}
	}
	for _, list := range lists {
		for line := range strings.Lines(string(list)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				known[line] = true
				known["/usr"+line] = true
				known[strings.TrimPrefix(line, "/usr")] = true
			}
		}
	}
	s.lines("etc/shells", known, string(start), p.made("shells"))
	s.lines("var/lib/shells.state", known, "", p.made("shells"))
}

// lines adds a word on a file that begins with a text, and then has known lines alone.
func (s *session) lines(at string, known map[string]bool, start string, w vouch.Word) {
	text, f, ok := s.root.Content(at)
	rest, begins := strings.CutPrefix(string(text), start)
	if !ok || !begins {
		return
	}
	for line := range strings.Lines(rest) {
		if !known[strings.TrimSuffix(line, "\n")] {
			return
		}
	}
	s.say(f, w)
}
