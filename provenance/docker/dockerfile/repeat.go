package dockerfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Unrepeatable says why an instruction cannot be counted on to make the same
// bytes another day, a clause for each reason; none when nothing is seen that
// would. It sees what is written, not what a script does that it calls.
//
// stages are the names of the stages before it, and what they are made from
// counts there.
func (i Instruction) Unrepeatable(stages []string) []string {
	switch i.Keyword {
	case "FROM":
		words := strings.Fields(i.Text)
		if len(words) > 0 {
			return moving(words[0], stages)
		}
	case "COPY":
		if from := i.Flag("from"); from != "" && strings.ContainsAny(from, ":/.") {
			return moving(from, stages)
		}
	case "ADD":
		return i.added()
	case "RUN":
		return i.run()
	}
	return nil
}

// moving says whether the name of an image can mean another one tomorrow.
func moving(image string, stages []string) []string {
	switch {
	case image == "scratch", strings.Contains(image, "@sha256:"), slices.Contains(stages, strings.ToLower(image)):
		return nil
	case strings.Contains(image, "$"):
		return []string{fmt.Sprintf("which image %s is depends on a build argument", image)}
	case !strings.Contains(image[strings.LastIndexByte(image, '/')+1:], ":"):
		return []string{fmt.Sprintf("the image %s has no tag and no digest, so it is whatever latest is that day", image)}
	}
	return []string{fmt.Sprintf("the image %s has no digest, and a tag can be moved", image)}
}

var address = regexp.MustCompile(`(?i)\b(?:https?|ftp)://[^\s"'` + "`" + `)]+`)

// added looks at what an ADD fetches.
func (i Instruction) added() []string {
	var reasons []string
	for _, word := range strings.Fields(i.Text) {
		word = strings.Trim(word, `"[],`)
		repository, fragment, _ := strings.Cut(word, "#")
		ref, _, _ := strings.Cut(fragment, ":")
		switch {
		case strings.HasPrefix(word, "git@"), strings.HasPrefix(word, "git://"), remote(word) && strings.HasSuffix(repository, ".git"):
			if !commit.MatchString(ref) {
				reasons = append(reasons, fmt.Sprintf("ADD takes %s as it is that day: no commit is named", word))
			}
		case remote(word) && i.Flag("checksum") == "":
			reasons = append(reasons, fmt.Sprintf("ADD fetches %s without a checksum", word))
		}
	}
	return reasons
}

func remote(word string) bool {
	return strings.HasPrefix(word, "https://") || strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "ftp://")
}

var commit = regexp.MustCompile(`\b[0-9a-f]{40}\b`)

// A script is what a RUN executes. Each expression is looked for in it once, not
// once for each of its commands.
type script struct {
	text    string
	matched map[*regexp.Regexp]bool
}

func (s *script) matches(re *regexp.Regexp) bool {
	found, known := s.matched[re]
	if !known {
		found = re.MatchString(s.text)
		s.matched[re] = found
	}
	return found
}

// run looks at the commands of a RUN.
func (i Instruction) run() []string {
	s := &script{text: i.Script(), matched: make(map[*regexp.Regexp]bool)}
	var reasons []string
	known := make(map[string]bool)
	add := func(reason string) {
		if reason != "" && !known[reason] {
			known[reason] = true
			reasons = append(reasons, reason)
		}
	}
	for _, c := range Commands(s.text) {
		add(c.moves(s))
		add(c.differs())
	}
	if s.matches(random) {
		add("it draws random numbers")
	}
	return reasons
}

var random = regexp.MustCompile(`/dev/u?random\b|\$\{?RANDOM\b`)

// differs says what of a command's output is another one each time.
func (c Command) differs() string {
	name, args := c.Program(), c[1:]
	switch {
	case name == "date" && !fixedDate(args):
		return "it asks for the date"
	case name == "uuidgen":
		return "it makes a random identifier"
	case name == "ssh-keygen" && !slices.Contains(args, "-l"):
		return "it makes a random key"
	case name == "openssl" && len(args) > 0 && slices.Contains([]string{"rand", "genrsa", "genpkey", "req", "dhparam", "ecparam"}, args[0]):
		return "it makes random numbers, keys or certificates with openssl"
	case name == "hostname" && len(args) == 0:
		return "it asks for the host's name, which is another one in every build"
	case slices.Contains([]string{"useradd", "adduser", "chpasswd", "passwd"}, name):
		return "it notes the day of the last change of a password in /etc/shadow (" + name + ")"
	}
	return ""
}

// fixedDate says whether a date command prints a date that it is told.
func fixedDate(args []string) bool {
	for n, a := range args {
		switch {
		case a == "-d", a == "--date", a == "-r", a == "--reference":
			return n+1 < len(args) && args[n+1] != "now"
		case strings.HasPrefix(a, "-d") && len(a) > 2, strings.HasPrefix(a, "--date="), strings.HasPrefix(a, "-r") && len(a) > 2, strings.HasPrefix(a, "--reference="):
			return true
		}
	}
	return false
}

// moves says what a command takes from the world as it is that day.
func (c Command) moves(s *script) string {
	name, args := c.Program(), c[1:]
	if len(args) == 0 {
		if name == "yarn" {
			return "yarn resolves version ranges anew: --immutable keeps to the lock file"
		}
		return ""
	}
	switch name {
	case "curl", "wget", "aria2c":
		return fetched(name, c, s)
	case "git":
		return cloned(args, s)
	case "svn", "hg", "bzr":
		return versioned(name, args, s)
	case "go":
		return goInstall(args)
	}
	for _, in := range installers() {
		if slices.Contains(in.programs, name) {
			return in.reason(name, args, s)
		}
	}
	if strings.HasPrefix(name, "python") && len(args) > 2 && args[0] == "-m" && args[1] == "pip" {
		return Command(args[1:]).moves(s)
	}
	return ""
}

var checked = regexp.MustCompile(`\b(sha(1|224|256|384|512)sum|shasum|md5sum|b2sum|openssl\s+dgst|gpg2?\s[^;&|]*--verify|gpgv|cosign\s+verify|minisign|rhash|apk\s+verify)\b`)

func fetched(name string, c Command, s *script) string {
	var from string
	for _, word := range c[1:] {
		if found := address.FindString(word); found != "" && !here.MatchString(found) {
			from = found
			break
		}
	}
	if from == "" || s.matches(checked) {
		return ""
	}
	return fmt.Sprintf("%s fetches %s, and nothing checks what comes", name, from)
}

var here = regexp.MustCompile(`^[a-z]+://(localhost|127\.|\[::1\])`)

func cloned(args []string, s *script) string {
	for len(args) > 1 && strings.HasPrefix(args[0], "-") { // -C DIR, -c NAME=VALUE
		args = args[1:]
		if !strings.HasPrefix(args[0], "-") && len(args) > 1 {
			args = args[1:]
		}
	}
	switch args[0] {
	case "clone", "pull", "fetch":
		if !s.matches(commit) {
			return "git " + args[0] + " takes a repository as it is that day: no commit is named"
		}
	}
	return ""
}

func versioned(name string, args []string, s *script) string {
	asked := strings.Contains(s.text, " -r") || strings.Contains(s.text, "--revision")
	switch args[0] {
	case "checkout", "co", "export", "clone", "branch":
		if !asked {
			return name + " " + args[0] + " takes a repository as it is that day: no revision is named"
		}
	}
	return ""
}

func goInstall(args []string) string {
	if args[0] != "install" && args[0] != "get" {
		return ""
	}
	for _, a := range args[1:] {
		_, version, ok := strings.Cut(a, "@")
		if ok && (version == "latest" || version == "master" || version == "main" || version == "upgrade") {
			return fmt.Sprintf("go %s %s takes whatever version is the latest that day", args[0], a)
		}
	}
	return ""
}
