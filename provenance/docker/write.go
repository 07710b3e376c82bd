package docker

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/base"
)

// addHistory adds the Dockerfile that can be written of the history.
func (r *recovery) addHistory() {
	if len(r.history) > 0 {
		r.recipe.Files = append(r.recipe.Files, provenance.File{Name: "Dockerfile", Text: dockerfileOf(r.img, r.history, r.base)})
	}
}

// dockerfileOf writes a Dockerfile from a history: each instruction as it was, as far as
// the history has it, and in a comment before it what it has not. No line of an image is
// copied as it is: one that would mean something else in a Dockerfile, or more than one
// instruction, stands in a comment, quoted.
func dockerfileOf(img *inspect.Image, all []Instruction, found base.Base) []byte {
	w := &dockerfileWriter{img: img, shell: defaultShell, writers: make(map[int]int),
		env: make(map[string]string), labels: make(map[string]string), args: make(map[string]bool)}
	for _, i := range all {
		if i.writes() {
			w.writers[i.Layer]++
		}
		if i.Keyword == "HEALTHCHECK" {
			w.checked = i.Raw
		}
	}
	w.comment("Dockerfile: written by audit from the history in the image's config, which nobody signs.\n" +
		"A history has neither the files that were copied, nor stages before the last, mounts, secrets,\n" +
		"and what came from the network. What is not known stands in a comment at its place.")
	own := w.from(found)
	for n, i := range all {
		switch {
		case n < own:
			w.comment("of the base: " + quotedUnlessPlain(i.String()))
		default:
			if n > 0 && n == found.Instructions && own == 0 {
				w.comment("Up to here it may be a base image of its own: " + cutWords(found.Cut) + ".")
			}
			w.instruction(i)
		}
	}
	if own == 0 {
		w.rest()
	}
	return []byte(w.out.String())
}

// cutWords says how far it is known where a base ends.
func cutWords(s base.Strength) string {
	switch s {
	case base.Layers:
		return "its layers are those of the base"
	case base.Trace:
		return "its maker leaves these lines"
	}
	return "the history looks so"
}

// A dockerfileWriter writes a Dockerfile.
type dockerfileWriter struct {
	out     strings.Builder
	img     *inspect.Image
	writers map[int]int       // of each layer: how many instructions can have written it
	checked string            // the last HEALTHCHECK of the history, whose settings the config has
	shell   string            // that RUN is given to
	args    map[string]bool   // arguments that are declared
	env     map[string]string // of what was written so far; the same of labels and the other settings
	labels  map[string]string
	set     []string // keywords of other settings
}

const defaultShell = "/bin/sh -c"

// comment writes lines of a comment, without what a terminal would obey.
func (w *dockerfileWriter) comment(text string) {
	for line := range strings.SplitSeq(check.Printable(text), "\n") {
		w.out.WriteString("# " + line + "\n")
	}
}

func (w *dockerfileWriter) line(text string) { w.out.WriteString(text + "\n") }

// unknown writes an instruction that cannot be one of a Dockerfile, and why.
func (w *dockerfileWriter) unknown(i Instruction, why string) {
	w.comment(why + ": " + quotedUnlessPlain(i.String()))
}

// from writes the base image, and returns how many instructions are its own.
func (w *dockerfileWriter) from(found base.Base) (own int) {
	name := found.Pinned()
	if name == "" && found.Layers > 0 {
		w.comment(fmt.Sprintf("Its lowest %d layers, up to %s, are those of the base that was given,\nwhich has no name in a registry: name it with --build-arg BASE=NAME.", found.Layers, w.img.Layers[found.Layers-1].DiffID))
		w.line("ARG BASE\nFROM ${BASE}")
		return found.Instructions
	}
	if name == "" {
		w.comment("The base image is not known: these are the instructions of all images that it was built on, too.")
		w.line("FROM scratch")
		return 0
	}
	said := map[base.Strength]string{
		base.Layers: "Its lowest layers are those of this base.", base.Signed: "A provenance that a trusted key signed names this base.",
		base.Claim: "The image claims this base; nothing shows that it is.", base.Trace: "The traces of its maker name this base; nothing shows that it is.",
	}[found.By]
	if found.Layers > 0 {
		said += " The last of them is " + w.img.Layers[found.Layers-1].DiffID.String() + "."
	}
	if found.Digest == "" {
		said += " Its digest is not known:\nanother image can have the name by now."
	}
	w.comment(said)
	if found.Instructions == 0 {
		w.comment("FROM " + name)
		w.comment("Where its instructions end is not known: all follow.")
		w.line("FROM scratch")
		return 0
	}
	if found.Cut == base.Guess {
		w.comment("Where its instructions end is guessed, " + cutWords(found.Cut) + ".")
	}
	w.line("FROM " + name)
	return found.Instructions
}

// instruction writes one.
func (w *dockerfileWriter) instruction(i Instruction) {
	switch {
	case i.Keyword == "" && i.Text == "":
		w.comment("not known: what made a layer without an instruction" + w.wrote(i))
	case i.Keyword == "":
		w.unknown(i, "not known: what this did, which is no instruction"+w.wrote(i))
		w.layer(i)
	case i.Keyword == "FROM":
		w.unknown(i, "an image that the history names")
	case i.Keyword == "RUN" && i.Builder == Kaniko && isList(i.Text):
		w.verbatim(i, i.Text)
	case i.Keyword == "RUN":
		w.run(i)
	case i.Keyword == "COPY", i.Keyword == "ADD":
		w.copied(i)
	case i.Builder == Kaniko, i.Builder == Buildah: // the line is that of the Dockerfile
		w.verbatim(i, i.Text)
	default:
		w.setting(i)
	}
}

// setting writes an instruction that sets something in the config.
func (w *dockerfileWriter) setting(i Instruction) {
	config := w.img.Config.File.Config
	switch i.Keyword {
	case "ENV":
		w.pairs(i, environment(config.Env), w.env)
	case "LABEL":
		w.pairs(i, config.Labels, w.labels)
	case "ARG":
		w.arg(i)
	case "CMD", "ENTRYPOINT":
		if words, ok := goWords(i.Text); ok {
			w.setTo(i.Keyword, jsonWords(words))
			return
		}
		w.unknown(i, "its words are not known")
	case "SHELL":
		words := strings.Fields(strings.Trim(i.Text, "[]"))
		w.shell = strings.Join(words, " ")
		w.setTo("SHELL", jsonWords(words))
	case "VOLUME":
		if words := strings.Fields(strings.Trim(i.Text, "[]")); len(words) > 0 {
			w.setTo("VOLUME", jsonWords(words))
		}
	case "EXPOSE":
		if ports := strings.Fields(portsOf.Replace(i.Text)); len(ports) > 0 && !slices.ContainsFunc(ports, isNot(port)) {
			w.setTo("EXPOSE", strings.Join(ports, " "))
			return
		}
		w.unknown(i, "its ports are not known")
	case "HEALTHCHECK":
		w.health(i)
	case "WORKDIR", "USER", "STOPSIGNAL":
		if w.plain(i, i.Text) {
			w.setTo(i.Keyword, dockerWord(i.Text))
		}
	default: // ONBUILD and MAINTAINER are not expanded
		w.verbatim(i, i.Text)
	}
}

func (w *dockerfileWriter) setTo(keyword, text string) {
	w.set = append(w.set, keyword)
	w.line(keyword + " " + text)
}

// plain says whether a text can stand on a line, and writes the instruction as unknown
// where it cannot.
func (w *dockerfileWriter) plain(i Instruction, text string) bool {
	if text == "" || !isPlain(text) {
		w.unknown(i, "no line of a Dockerfile can have its characters")
		return false
	}
	return true
}

// verbatim writes an instruction whose text is that of a Dockerfile.
func (w *dockerfileWriter) verbatim(i Instruction, text string) {
	if w.plain(i, text) {
		if strings.Contains(text, "<<") || endsInEscape(text) {
			w.unknown(i, "it goes on where the history does not")
			return
		}
		w.setTo(i.Keyword, text)
	}
}

// isPlain says whether a text is one line without what a terminal would obey.
func isPlain(text string) bool {
	return check.Printable(text) == text && !strings.Contains(text, "\n")
}

// endsInEscape says whether the line after a text would be part of it.
func endsInEscape(text string) bool {
	text = strings.TrimRightFunc(text, unicode.IsSpace)
	return strings.HasSuffix(text, `\`)
}

// quotedUnlessPlain is a text for a comment, quoted where it is more than a line.
func quotedUnlessPlain(text string) string {
	if isPlain(text) {
		return text
	}
	return strconv.QuoteToGraphic(text)
}

// dockerWord is a text as one word, of which nothing is expanded.
func dockerWord(text string) string {
	if safeWord.MatchString(text) {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(text) + `"`
}

var safeWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]+$`)

// port matches one or a range of them.
var port = regexp.MustCompile(`^[0-9]{1,5}(-[0-9]{1,5})?(/(tcp|udp|sctp))?$`)

// portsOf takes off what BuildKit prints around ports: "map[80/tcp:{}]", "[80/tcp]".
var portsOf = strings.NewReplacer("map[", "", "[", "", "]", "", ":{}", "")

// isNot says of a word that a pattern does not match it.
func isNot(as *regexp.Regexp) func(string) bool {
	return func(word string) bool { return !as.MatchString(word) }
}

// goWords reads the words of a list as Go prints it, `["a" "b"]`, which is how histories
// have CMD and ENTRYPOINT; or as JSON has it.
func goWords(text string) (words []string, ok bool) {
	if json.Unmarshal([]byte(text), &words) == nil {
		return words, true
	}
	words = nil
	rest, opened := strings.CutPrefix(text, "[")
	for opened {
		rest = strings.TrimLeft(rest, " ")
		if rest == "]" {
			return words, true
		}
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return nil, false
		}
		word, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, false
		}
		words, rest = append(words, word), rest[len(quoted):]
	}
	return nil, false
}

func jsonWords(words []string) string {
	if words == nil {
		words = []string{}
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(words) != nil {
		return "[]"
	}
	return escaped(strings.TrimSpace(b.String()))
}

// escaped is a JSON text in which what a terminal would obey is escaped.
func escaped(text string) string {
	var b strings.Builder
	for _, c := range text {
		if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) {
			for _, unit := range utf16.Encode([]rune{c}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

// environment are the variables of a config.
func environment(env []string) map[string]string {
	all := make(map[string]string, len(env))
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		all[name] = value
	}
	return all
}

// A pair is a variable or a label.
type pair struct{ name, value string }

var pairName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_./-]*=`)

// readPairs reads what a history has of ENV, LABEL and ARG: NAME=VALUE of each, without
// quotes. A value that the config has is taken from there; of another one that has
// spaces it is not known where it ends, and exact is false.
func readPairs(text string, config map[string]string) (all []pair, exact bool) {
	exact = true
	for text != "" {
		found := pairName.FindString(text)
		if found == "" {
			return nil, false
		}
		name, rest := strings.TrimSuffix(found, "="), text[len(found):]
		value, after, sure := valueOf(rest, name, config)
		exact = exact && sure
		all, text = append(all, pair{name, value}), after
	}
	return all, exact
}

// valueOf splits a text after the value that it begins with.
func valueOf(text, name string, config map[string]string) (value, rest string, sure bool) {
	if value, ok := config[name]; ok && strings.HasPrefix(text, value) {
		after := text[len(value):]
		if after == "" || after[0] == ' ' && pairName.MatchString(after[1:]) {
			return value, strings.TrimPrefix(after, " "), true
		}
	}
	for at := 0; ; at++ {
		n := strings.IndexByte(text[at:], ' ')
		if n < 0 {
			return text, "", !strings.Contains(text, " ")
		}
		if at += n; pairName.MatchString(text[at+1:]) {
			return text[:at], text[at+1:], !strings.Contains(text[:at], " ")
		}
	}
}

// pairs writes an ENV or a LABEL, and notes what it sets.
func (w *dockerfileWriter) pairs(i Instruction, config, set map[string]string) {
	all, exact := readPairs(i.Text, config)
	if len(all) == 0 {
		w.unknown(i, "its names and values are not known")
		return
	}
	var text strings.Builder
	text.WriteString(i.Keyword)
	for _, p := range all {
		if !isPlain(p.name + p.value) {
			w.unknown(i, "no line of a Dockerfile can have its characters")
			return
		}
		text.WriteString(" " + p.name + "=" + dockerWord(p.value))
	}
	if !exact {
		w.comment("The history has its values without quotes, so where one ends is a guess.")
	}
	for _, p := range all {
		set[p.name] = p.value
	}
	w.line(text.String())
}

// arg writes an ARG. Its value may be what the build was given, and is left out.
func (w *dockerfileWriter) arg(i Instruction) {
	name, _, has := strings.Cut(i.Text, "=")
	switch {
	case !variable.MatchString(name):
		w.unknown(i, "its name is not known")
		return
	case has:
		w.comment("It had a value, which is left out: it can be a secret of whoever built. Give it with --build-arg.")
	default:
		w.comment("Whether it was given a value is not known.")
	}
	w.args[name] = true
	w.line("ARG " + name)
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// health writes a HEALTHCHECK: the history has it in no form that can be read, and the
// config has the last.
func (w *dockerfileWriter) health(i Instruction) {
	h := w.img.Config.File.Config.Healthcheck
	if h == nil || i.Raw != w.checked || len(h.Test) == 0 {
		w.unknown(i, "a health check that the config does not have")
		return
	}
	text := ""
	for _, o := range []struct {
		name  string
		value fmt.Stringer
		is    bool
	}{{"interval", h.Interval, h.Interval > 0}, {"timeout", h.Timeout, h.Timeout > 0}, {"start-period", h.StartPeriod, h.StartPeriod > 0}} {
		if o.is {
			text += "--" + o.name + "=" + o.value.String() + " "
		}
	}
	if h.Retries > 0 {
		text += "--retries=" + strconv.Itoa(h.Retries) + " "
	}
	switch kind := h.Test[0]; {
	case kind == "NONE":
		w.setTo("HEALTHCHECK", "NONE")
	case kind == "CMD":
		w.setTo("HEALTHCHECK", text+"CMD "+jsonWords(h.Test[1:]))
	case kind == "CMD-SHELL" && len(h.Test) == 2:
		w.setTo("HEALTHCHECK", text+"CMD "+jsonWords([]string{"/bin/sh", "-c", h.Test[1]}))
	default:
		w.unknown(i, "a health check of a kind that is not known")
	}
}

// run writes a RUN, and before it the arguments that it was run with.
func (w *dockerfileWriter) run(i Instruction) {
	for _, a := range i.Arguments {
		name, _, _ := strings.Cut(a, "=")
		if w.args[name] {
			continue
		}
		if !variable.MatchString(name) {
			w.comment("It was run with an argument that no line of a Dockerfile can have: " + strconv.QuoteToGraphic(name))
			continue
		}
		w.args[name] = true
		w.comment("The build was given this argument, or it has a default: its value is left out. Give it with --build-arg.")
		w.line("ARG " + name)
	}
	if i.Shell != "" && i.Shell != w.shell {
		w.shell = i.Shell
		w.comment("It was run by this shell, which no SHELL in the history has set.")
		w.line("SHELL " + jsonWords(strings.Fields(i.Shell)))
	}
	w.command(i)
}

// command writes what a RUN runs.
func (w *dockerfileWriter) command(i Instruction) {
	text := strings.TrimLeftFunc(i.Text, unicode.IsSpace)
	printable := strings.ReplaceAll(text, "\n", "")
	switch {
	case text == "" || len(i.Flags) > 0 || !isPlain(printable):
		w.unknown(i, "a command that no line of a Dockerfile can have")
	case i.Shell == "" && (i.Builder == BuildKit || i.Builder == Classic):
		w.comment("It was run without a shell: how its words were divided is not known.")
		w.line("RUN " + jsonWords(strings.Fields(text)))
	case isPlain(text) && !strings.Contains(text, "<<") && !endsInEscape(text) && !strings.HasPrefix(text, "--") && !isList(text):
		w.line("RUN " + text)
	case strings.HasPrefix(text, "#!"):
		w.unknown(i, "a script, of which a RUN makes a file")
	default:
		w.heredoc(text)
	}
}

// isList says whether a Dockerfile's parser could take a text for a list of words.
func isList(text string) bool {
	return strings.HasPrefix(text, "[") && json.Valid([]byte(text))
}

// heredoc writes a command of several lines, or one that a line would change: a heredoc
// is given to the shell as it is (BuildKit 0.25, dockerfile2llb).
func (w *dockerfileWriter) heredoc(text string) {
	if strings.Contains(text, "\n") {
		w.comment("The history has this command in several lines: it was a heredoc.")
	}
	taken := make(map[string]bool)
	for line := range strings.SplitSeq(text, "\n") {
		taken[line] = true
	}
	end := "EOF"
	for n := 1; taken[end]; n++ {
		end = "EOF" + strconv.Itoa(n)
	}
	w.line("RUN <<'" + end + "'\n" + text + "\n" + end)
}

// copiedFlags are those of COPY and ADD that histories have.
var copiedFlags = regexp.MustCompile(`^--(link|parents|keep-git-dir|(chown|chmod)=[A-Za-z0-9_.:,=+-]+|checksum=sha256:[0-9a-f]{64})(=(true|false))?$`)

// byDigest matches the sources of the classic builder: their digest and no name.
var byDigest = regexp.MustCompile(`^(file|dir|multi):[0-9a-f]+ in `)

// copied writes a COPY or an ADD, whose sources are not in a history.
func (w *dockerfileWriter) copied(i Instruction) {
	words := strings.Fields(i.Text)
	switch {
	case byDigest.MatchString(i.Text) && isPlain(i.Text):
		w.comment("not known: the source" + w.wrote(i) + ": " + i.String())
		w.layer(i)
	case strings.Contains(i.Text, "<<") && isPlain(i.Text):
		w.comment("not known: the text that was written" + w.wrote(i) + ": " + i.String())
		w.layer(i)
	case len(words) < 2 || !isPlain(i.Text) || slices.ContainsFunc(words, isNot(safeWord)) || slices.ContainsFunc(i.Flags, isNot(copiedFlags)):
		w.unknown(i, "not known: which files were copied"+w.wrote(i))
		w.layer(i)
	default:
		w.comment("not known: the source, of the build context or of another stage" + w.wrote(i))
		w.line(strings.Join(slices.Concat([]string{i.Keyword}, i.Flags, words), " "))
	}
}

// wrote says which layer has what an instruction wrote; files.txt has the digests.
func (w *dockerfileWriter) wrote(i Instruction) string {
	if i.Layer < 0 {
		return ""
	}
	return fmt.Sprintf(" (layer %d has what came of it)", i.Layer)
}

// layer writes that the layer of an instruction is added as it is, where it is that
// instruction's alone.
func (w *dockerfileWriter) layer(i Instruction) {
	if i.Layer < 0 || w.writers[i.Layer] != 1 {
		return
	}
	w.comment(fmt.Sprintf("layer-%d.tar stands for the image's own layer %d, uncompressed: %s.", i.Layer, i.Layer, w.img.Layers[i.Layer].DiffID))
	w.line(fmt.Sprintf("ADD layer-%d.tar /", i.Layer))
}

// rest writes what the config has and no instruction has set.
func (w *dockerfileWriter) rest() {
	config := w.img.Config.File.Config
	var lines []string
	add := func(keyword, text string) {
		if text != "" && text != "[]" && !slices.Contains(w.set, keyword) {
			lines = append(lines, keyword+" "+text)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(environment(config.Env))) {
		if value := environment(config.Env)[name]; variable.MatchString(name) && isPlain(value) && !has(w.env, name, value) {
			lines = append(lines, "ENV "+name+"="+dockerWord(value))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(config.Labels)) {
		if value := config.Labels[name]; pairName.MatchString(name+"=") && isPlain(value) && !strings.Contains(name, "=") && !has(w.labels, name, value) {
			lines = append(lines, "LABEL "+name+"="+dockerWord(value))
		}
	}
	for keyword, value := range map[string]string{"USER": config.User, "WORKDIR": config.WorkingDir, "STOPSIGNAL": config.StopSignal} {
		if value != "" && isPlain(value) {
			add(keyword, dockerWord(value))
		}
	}
	slices.Sort(lines)
	add("ENTRYPOINT", jsonWords(config.Entrypoint))
	add("CMD", jsonWords(config.Cmd))
	if len(lines) > 0 {
		w.comment("In the image's config, and set by no instruction of the history:")
		w.line(strings.Join(lines, "\n"))
	}
}

func has(set map[string]string, name, value string) bool {
	was, ok := set[name]
	return ok && was == value
}
