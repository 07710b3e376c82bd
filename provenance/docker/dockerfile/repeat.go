package dockerfile

import (
	"regexp"
	"slices"
	"strings"

	"audit/inspect/check"
)

// Unrepeatable says why an instruction cannot be counted on to make the same
// bytes another day; nil when nothing is seen that would not. It sees what is
// written, not what a script does that it calls.
//
// stages are the names of the stages before it, and what they are made from
// counts there.
func (i Instruction) Unrepeatable(stages []string) []check.Message {
	switch i.Keyword {
	case "FROM":
		words := strings.Fields(i.Text)
		if len(words) > 0 {
			return Moving(words[0], stages)
		}
	case "COPY":
		return i.copied(stages)
	case "ADD":
		return i.added()
	case "RUN":
		return append(i.copied(stages), i.run()...)
	}
	return nil
}

// copied looks at the images that files are copied or mounted from.
func (i Instruction) copied(stages []string) []check.Message {
	var reasons []check.Message
	for _, from := range i.From() {
		if !isStage(i.Keyword, from, stages) {
			reasons = append(reasons, Moving(from, nil)...)
		}
	}
	return reasons
}

// Moving says whether the name of an image can mean another one tomorrow.
func Moving(image string, stages []string) []check.Message {
	switch {
	case image == "scratch", strings.Contains(image, "@sha256:"), slices.Contains(stages, strings.ToLower(image)):
		return nil
	case strings.Contains(image, "$"):
		return []check.Message{check.Say("recipe/image-by-argument", "image", image)}
	case !strings.Contains(image[strings.LastIndexByte(image, '/')+1:], ":"):
		return []check.Message{check.Say("recipe/image-without-tag", "image", image)}
	}
	return []check.Message{check.Say("recipe/image-by-tag", "image", image)}
}

var address = regexp.MustCompile(`(?i)\b(?:https?|ftp)://[^\s"'` + "`" + `)]+`)

// added looks at what an ADD fetches.
func (i Instruction) added() []check.Message {
	var reasons []check.Message
	for _, word := range strings.Fields(i.Text) {
		word = strings.Trim(word, `"[],`)
		repository, fragment, _ := strings.Cut(word, "#")
		ref, _, _ := strings.Cut(fragment, ":")
		switch {
		case strings.HasPrefix(word, "git@"), strings.HasPrefix(word, "git://"), remote(word) && strings.HasSuffix(repository, ".git"):
			if !commit.MatchString(ref) {
				reasons = append(reasons, check.Say("recipe/add-without-commit", "address", word))
			}
		case remote(word) && i.Flag("checksum") == "":
			reasons = append(reasons, check.Say("recipe/add-without-checksum", "address", word))
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
func (i Instruction) run() []check.Message {
	s := &script{text: i.Script(), matched: make(map[*regexp.Regexp]bool)}
	var reasons []check.Message
	known := make(map[string]bool)
	add := func(reason check.Message) {
		if !reason.IsZero() && !known[reason.String()] {
			known[reason.String()] = true
			reasons = append(reasons, reason)
		}
	}
	for _, c := range Commands(s.text) {
		add(c.moves(s))
		add(c.differs())
	}
	if s.matches(random) {
		add(check.Say("recipe/random-numbers"))
	}
	return reasons
}

var random = regexp.MustCompile(`/dev/u?random\b|\$\{?RANDOM\b`)

// differs says what of a command's output is another one each time.
func (c Command) differs() check.Message {
	name, args := c.Program(), c[1:]
	switch {
	case name == "date" && !fixedDate(args):
		return check.Say("recipe/date")
	case name == "uuidgen":
		return check.Say("recipe/random-identifier")
	case name == "ssh-keygen" && !slices.Contains(args, "-l"):
		return check.Say("recipe/random-key")
	case name == "openssl" && len(args) > 0 && slices.Contains([]string{"rand", "genrsa", "genpkey", "req", "dhparam", "ecparam"}, args[0]):
		return check.Say("recipe/openssl")
	case name == "hostname" && len(args) == 0:
		return check.Say("recipe/hostname")
	case slices.Contains([]string{"useradd", "adduser", "chpasswd", "passwd"}, name):
		return check.Say("recipe/password-day", "program", name)
	}
	return check.Message{}
}

// fixedDate says whether a date command prints a date that it is given.
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
func (c Command) moves(s *script) check.Message {
	name, args := c.Program(), c[1:]
	if len(args) == 0 {
		if name == "yarn" {
			return check.Say("recipe/unlocked-versions", "command", name, "option", "--immutable")
		}
		return check.Message{}
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
	return check.Message{}
}

var checked = regexp.MustCompile(`\b(sha(1|224|256|384|512)sum|shasum|md5sum|b2sum|openssl\s+dgst|gpg2?\s[^;&|]*--verify|gpgv|cosign\s+verify|minisign|rhash|apk\s+verify)\b`)

func fetched(name string, c Command, s *script) check.Message {
	var from string
	for _, word := range c[1:] {
		if found := address.FindString(word); found != "" && !here.MatchString(found) {
			from = found
			break
		}
	}
	if from == "" || s.matches(checked) {
		return check.Message{}
	}
	return check.Say("recipe/unchecked-download", "program", name, "address", from)
}

var here = regexp.MustCompile(`^[a-z]+://(localhost|127\.|\[::1\])`)

func cloned(args []string, s *script) check.Message {
	for len(args) > 1 && strings.HasPrefix(args[0], "-") { // -C DIR, -c NAME=VALUE
		args = args[1:]
		if !strings.HasPrefix(args[0], "-") && len(args) > 1 {
			args = args[1:]
		}
	}
	switch args[0] {
	case "clone", "pull", "fetch":
		if !s.matches(commit) {
			return check.Say("recipe/repository-without-commit", "command", "git "+args[0])
		}
	}
	return check.Message{}
}

func versioned(name string, args []string, s *script) check.Message {
	asked := strings.Contains(s.text, " -r") || strings.Contains(s.text, "--revision")
	switch args[0] {
	case "checkout", "co", "export", "clone", "branch":
		if !asked {
			return check.Say("recipe/repository-without-revision", "command", name+" "+args[0])
		}
	}
	return check.Message{}
}

func goInstall(args []string) check.Message {
	if args[0] != "install" && args[0] != "get" {
		return check.Message{}
	}
	for _, a := range args[1:] {
		_, version, ok := strings.Cut(a, "@")
		if ok && (version == "latest" || version == "master" || version == "main" || version == "upgrade") {
			return check.Say("recipe/latest-version", "command", "go "+args[0]+" "+a)
		}
	}
	return check.Message{}
}
