package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"audit/inspect"
	"audit/inspect/registry"
	"audit/inspect/web"
)

// A commandLine has the flags that were typed, and the rest. People write flags before and after
// the argument; the cli package would silently take the latter for arguments.
type commandLine struct {
	app   *cli.App
	flags []typedFlag
	rest  []string
	ended bool // by "--", after which every word is an argument
}

// A typedFlag is a flag as it stands there, with the word after it where that is its
// value.
type typedFlag struct {
	text   string // "--format=sarif", "-o"
	value  []string
	valued bool   // it takes a value
	after  string // the word after one that takes none
}

// name is the name of the flag, without hyphens and value.
func (f typedFlag) name() string {
	name, _, _ := strings.Cut(strings.TrimLeft(f.text, "-"), "=")
	return name
}

// newCommandLine splits a command line, without the name of the program.
func newCommandLine(app *cli.App, args []string) commandLine {
	l, valued := commandLine{app: app}, valueFlags(app)
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			l.rest, l.ended = append(l.rest, args[i+1:]...), true
			return l
		case len(arg) < 2 || arg[0] != '-':
			l.rest = append(l.rest, arg)
			continue
		}
		f := typedFlag{text: arg, valued: valued[strings.TrimLeft(arg, "-")]}
		if f.valued && i+1 < len(args) {
			i++
			f.value = args[i : i+1]
		} else if i+1 < len(args) {
			f.after = args[i+1]
		}
		l.flags = append(l.flags, f)
	}
	return l
}

// asks says whether a flag is there.
func (l commandLine) asks(names ...string) bool {
	return slices.ContainsFunc(l.flags, func(f typedFlag) bool { return slices.Contains(names, f.name()) })
}

// verb is the command that is called, and whether it is named: "audit IMAGE" is
// short for "audit run IMAGE".
func (l commandLine) verb() (verb *cli.Command, named bool) {
	if len(l.rest) > 0 {
		if c := l.app.Command(l.rest[0]); c != nil && !isTopic(c.Name) {
			return c, true
		}
	}
	if len(l.rest) == 0 && l.asks("version") {
		return l.app.Command("version"), false
	}
	return l.app.Command("run"), false
}

// line is what the cli package takes: verb, flags, arguments.
func (l commandLine) line(program string) []string {
	line := []string{program}
	var flags []string
	for _, f := range l.flags {
		if f.name() != "version" {
			flags = append(append(flags, f.text), f.value...)
		}
	}
	verb, named := l.verb()
	switch {
	case l.isFindings():
		return append(append(line, findingsTopic, "--"), strings.TrimPrefix(l.rest[1], findingsTopic))
	case l.isHelp():
		return append(append(line, l.rest...), flags...)
	case len(l.rest) == 0 && l.asks("h", "help"):
		return append(line, "--help")
	case named:
		l.rest = l.rest[1:]
	}
	line = append(append(line, verb.Name), flags...)
	return append(append(line, "--"), l.rest...)
}

func (l commandLine) isHelp() bool {
	return len(l.rest) > 0 && (l.rest[0] == "help" || l.rest[0] == "h")
}

// isFindings says that help is asked for on findings: on all, on one by its code, or on
// those whose codes begin alike.
func (l commandLine) isFindings() bool {
	return l.isHelp() && len(l.rest) == 2 && (l.rest[1] == findingsTopic || strings.Contains(l.rest[1], "/"))
}

// valueFlags names the flags that take a value.
func valueFlags(app *cli.App) map[string]bool {
	valued := make(map[string]bool)
	for _, command := range app.Commands {
		for _, flag := range command.Flags {
			if _, isBool := flag.(*cli.BoolFlag); isBool {
				continue
			}
			for _, name := range flag.Names() {
				valued[name] = true
			}
		}
	}
	return valued
}

// mistake is the first mistake in the line that can be seen without looking at what
// they name; nil when there is none. It names what was probably meant.
func (l commandLine) mistake() error {
	if l.isHelp() {
		return l.noTopic()
	}
	verb, named := l.verb()
	for _, f := range l.flags {
		if err := l.wrongFlag(verb, f); err != nil {
			return err
		}
	}
	if !named {
		return l.noVerb()
	}
	return nil
}

// noTopic is about a word after help that is no verb and no page.
func (l commandLine) noTopic() error {
	if len(l.rest) < 2 || l.app.Command(l.rest[1]) != nil || l.isFindings() {
		return nil
	}
	return usage("there is no help on %q%s (see audit help)", l.rest[1], meant(l.rest[1], append(verbNames(l.app), groupNames()...)))
}

// wrongFlag is about a flag that the verb does not take, or not with this value.
func (l commandLine) wrongFlag(verb *cli.Command, f typedFlag) error {
	name := f.name()
	if name == "h" || name == "help" || name == "version" && len(l.rest) == 0 {
		return nil
	}
	takes := append(flagNames(verb), "help")
	if len(l.rest) == 0 {
		takes = append(takes, "version")
	}
	if i := slices.IndexFunc(verb.Flags, func(d cli.Flag) bool { return slices.Contains(d.Names(), name) }); i >= 0 {
		return l.wrongValue(verb, f, verb.Flags[i])
	}
	var others []string
	for _, c := range l.app.VisibleCommands() {
		if slices.Contains(flagNames(c), name) {
			others = append(others, c.Name)
		}
	}
	if len(others) > 3 {
		others = append(others[:3], "…")
	}
	if len(others) > 0 {
		return usage("%s takes no %s, which is a flag of %s (see audit help %s)", verb.Name, hyphened(name), strings.Join(others, ", "), verb.Name)
	}
	return usage("there is no flag %s%s (see audit help %s)", hyphened(name), meantFlag(name, takes), verb.Name)
}

// meantFlag says which of some flags was probably meant.
func meantFlag(name string, among []string) string {
	if near := nearest(name, among); near != "" {
		return ", nearest is " + hyphened(near)
	}
	return ""
}

// wrongValue is about a value that is missing, or is not of the kind that a flag takes.
func (l commandLine) wrongValue(verb *cli.Command, f typedFlag, definition cli.Flag) error {
	_, value, joined := strings.Cut(f.text, "=")
	switch {
	case f.valued && f.value == nil:
		return usage("%s needs a value (see audit help %s)", f.text, verb.Name)
	case f.valued && l.isFlag(f.value[0]):
		return usage("%s needs a value, and %s is a flag (see audit help %s)", f.text, f.value[0], verb.Name)
	case f.valued:
		value, joined = f.value[0], true
	}
	if joined && value == "" {
		return usage("%s has an empty value: leave the flag out, or give it one (see audit help %s)", hyphened(f.name()), verb.Name)
	}
	kind, err := "", error(nil)
	switch definition.(type) {
	case *cli.BoolFlag:
		if !joined && (f.after == "true" || f.after == "false") {
			return usage("%s takes its value with an equals sign: %s=%s (see audit help %s)", f.text, f.text, f.after, verb.Name)
		}
		kind = "takes no value but true and false"
		_, err = strconv.ParseBool(value)
	case *cli.IntFlag:
		kind = "takes a number"
		_, err = strconv.ParseInt(value, 0, 64)
	case *cli.DurationFlag:
		kind = "takes a time with its unit, such as 30s, 10m or 2h"
		_, err = time.ParseDuration(value)
	}
	if kind != "" && err == nil && strings.HasPrefix(value, "-") {
		return usage("%s %s: it is negative (see audit help %s)", hyphened(f.name()), value, verb.Name)
	}
	if joined && err != nil {
		return usage("%s %s, not %q (see audit help %s)", hyphened(f.name()), kind, value, verb.Name)
	}
	return nil
}

// isFlag says that a word is one of the flags of a verb.
func (l commandLine) isFlag(word string) bool {
	name := typedFlag{text: word}.name()
	return len(word) > 1 && word[0] == '-' && slices.ContainsFunc(l.app.Commands, func(c *cli.Command) bool { return slices.Contains(flagNames(c), name) })
}

// oneOf is about the value of a flag that takes one of a few.
func oneOf(flag, value string, few []string) error {
	return usage("--%s %s: not one of %s%s", flag, value, strings.Join(few, ", "), meant(value, few))
}

// noVerb is about a first word that is neither a verb nor an image. What may be the name
// of a file, and is none, is for those who open it to say.
func (l commandLine) noVerb() error {
	if len(l.rest) == 0 || l.ended || strings.ContainsAny(l.rest[0], "/.:@") || l.rest[0] == "-" {
		return nil
	}
	if exists(l.rest[0]) {
		return nil
	}
	if c := l.app.Command(l.rest[0]); c != nil {
		return usage("%s is a page: audit help %s", l.rest[0], l.rest[0])
	}
	word, near := l.rest[0], meant(l.rest[0], slices.DeleteFunc(append(verbNames(l.app), "help"), func(v string) bool { return v == "run" }))
	if len(l.rest) > 1 {
		return usage("there is no verb %q%s (see audit help)", word, near)
	}
	if near == "" {
		near = meantFile(word)
	}
	return usage("there is no verb and no file %q%s%s", word, near, orRegistry(word))
}

// noFile is about an IMAGE that is no file. Where it may be meant for another thing than a
// file it is a mistake of the command line.
func noFile(reference string) error {
	scheme, rest, hasScheme := strings.Cut(reference, ":")
	isTransport := hasScheme && slices.Contains(transports(), scheme)
	near := ""
	if hasScheme && !strings.ContainsAny(scheme, "/.") {
		near = nearest(scheme, transports())
	}
	switch {
	case isTransport:
		return unreadable(fmt.Errorf("there is no file %s%s", rest, meantFile(rest)))
	case web.Deposit(reference) != "":
		return usage("there is no file %s, nearest is %s", reference, web.Deposit(reference))
	case near != "":
		return usage("there is no file %s, nearest is %s:%s", reference, near, rest)
	case hasScheme && slices.Contains([]string{"dir", "ostree", "tarball"}, scheme): // containers-transports(5)
		return usage("audit reads no %s:, and there is no file %s; skopeo copy %s oci-archive:FILE makes one that it reads", scheme, reference, reference)
	case strings.Contains(reference, "://"):
		return usage("audit reads nothing at %s: an image is a file, or one of %s", reference, strings.Join(arguments(), ", "))
	case looksLikeFile(reference):
		return unreadable(fmt.Errorf("there is no file %s%s", reference, meantFile(reference)))
	}
	return usage("there is no file %s%s%s", reference, meantFile(reference), orRegistry(reference))
}

// looksLikeFile says that a name is one of a file here, by how it begins or ends.
func looksLikeFile(name string) bool {
	switch filepath.Ext(name) {
	case ".tar", ".gz", ".tgz", ".zst", ".xz", ".bz2", ".lz", ".sif", ".squashfs", ".json", ".img":
		return true
	}
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "~")
}

// orRegistry says how a name is written that is one of an image in a registry, and not of
// a file.
func orRegistry(name string) string {
	near := registry.Near(name)
	if near == "" || looksLikeFile(name) {
		return ""
	}
	return "; an image of a registry is " + near
}

// emptyName is about a transport that nothing follows.
func emptyName(reference string) error {
	for _, f := range inspect.Forms() {
		if rest, ok := strings.CutPrefix(reference, string(f.Transport)+":"); ok && strings.Trim(rest, "/") == "" && !exists(reference) {
			return usage("%s names nothing: it is %s:%s", reference, f.Transport, f.Argument)
		}
	}
	return nil
}

// arguments are the ways to name an image that is no file.
func arguments() (all []string) {
	for _, f := range inspect.Forms() {
		if f.Named {
			all = append(all, string(f.Transport)+":"+f.Argument)
		}
	}
	return append(all, "https://ADDRESS", "doi:10.5281/zenodo.NUMBER")
}

// exists says that there is something by a name.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// named is an error about a file that the command line names; of one that is not there it
// says which one is.
func named(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no file %s%s", path, meantFile(path))
	}
	return err
}

// transports are the beginnings of an IMAGE that say what it is.
func transports() (names []string) {
	for _, f := range inspect.Forms() {
		names = append(names, string(f.Transport))
	}
	return names
}

func flagNames(c *cli.Command) (names []string) {
	for _, f := range c.Flags {
		names = append(names, f.Names()...)
	}
	return names
}

// hyphened is a flag as people type it.
func hyphened(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
