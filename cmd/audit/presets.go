package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"audit/cmd/audit/batch"
	"audit/inspect/userfile"
	"audit/rebuild/policy"
)

// Settings are flags that do not stand in the command line. Each flag NAME has the
// variable AUDIT_NAME; a file that --config names has lines "name = value", and one that
// is found in the working folder may set what is printed and no more: whoever may change
// a folder must not loosen the gate that judges what is in it.
//
// A flag of the command line comes before a variable, and that before a file. A flag
// that may be given again has in a variable a value a line, and in a file a line a value.

const (
	envPrefix   = "AUDIT_"
	localFile   = ".audit.conf" // in the working folder
	maxSettings = 64 << 10      // bytes of a file
	settingsKey = "settings"    // in the metadata of the app
)

// localNames are the flags that a file of the working folder may set.
func localNames() []string { return []string{"format", "quiet", "verbose"} }

// A preset is a value of a flag, and where it comes from.
type preset struct{ name, value, origin string }

// presets are those of a run.
type presets struct {
	env, file []preset
	ignored   []string // variables that begin as those of flags do and are of none
	err       error    // what is wrong with them
}

// settingFlags are flags of every verb.
func settingFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "take flags from `FILE`, in lines \"name = value\"; see audit config"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print nothing but what is wrong; the exit status and the folder are the same"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "print more: every finding, and what each step took"},
	}
}

// withSettings gives verbs those flags, and lets settings stand in for the flags that
// are not given. Which audit this is can be asked whatever they are.
func withSettings(commands []*cli.Command) []*cli.Command {
	for _, c := range commands {
		if c.Name == "version" || c.Name == "completion" {
			continue
		}
		taken := flagNames(c)
		for _, f := range settingFlags() {
			if !slices.Contains(taken, f.Names()[0]) {
				c.Flags = append(c.Flags, f)
			}
		}
		action := c.Action
		c.Action = func(ctx *cli.Context) error {
			s, _ := ctx.App.Metadata[settingsKey].(*presets)
			applied, err := s.apply(ctx, c)
			if err != nil {
				return err
			}
			return withOrigins(action(ctx), applied)
		}
	}
	return commands
}

// withOrigins adds to a mistake which flags the command line does not have: the mistake may
// be in one of them.
func withOrigins(err error, applied []preset) error {
	mistake, ok := errors.AsType[*exitError](err)
	if !ok || mistake.status != exitUsage || mistake.hint != "" || len(applied) == 0 {
		return err
	}
	var from []string
	for _, one := range applied[:min(len(applied), shownVariables)] {
		from = append(from, fmt.Sprintf("--%s by %s", one.name, one.origin))
	}
	return &exitError{status: exitUsage, err: err, hint: "audit: set beside the command line: " + strings.Join(from, ", ") + " (see audit config)"}
}

// readSettings reads what there is for a command line.
func readSettings(line commandLine, environ []string) *presets {
	s := new(presets)
	known := allFlags(line.app)
	s.env, s.ignored, s.err = envSettings(known, environ)
	path := line.config()
	if i := slices.IndexFunc(s.env, func(e preset) bool { return e.name == "config" }); path == "" && i >= 0 {
		path = s.env[i].value
	}
	var err error
	if path != "" {
		s.file, err = fileSettings(path, known, func(name string) bool { return name != "config" })
	} else if _, missing := os.Lstat(localFile); missing == nil {
		s.file, err = fileSettings(localFile, known, func(name string) bool { return slices.Contains(localNames(), name) })
	}
	if s.err == nil {
		s.err = err
	}
	return s
}

// config is the value of --config, "" when it is not given.
func (l commandLine) config() (path string) {
	for _, f := range l.flags {
		if f.name() != "config" {
			continue
		}
		if _, value, ok := strings.Cut(f.text, "="); ok {
			path = value
		} else if f.value != nil {
			path = f.value[0]
		}
	}
	return path
}

// args are the settings as words of a command line, for those who look for secrets.
func (s *presets) args() (args []string) {
	for _, one := range slices.Concat(s.env, s.file) {
		args = append(args, "--"+one.name+"="+one.value)
	}
	return args
}

// allFlags are the flags of all verbs by their name; the first of a name stands for all.
func allFlags(app *cli.App) map[string]cli.Flag {
	all := make(map[string]cli.Flag)
	for _, c := range app.Commands {
		for _, f := range c.Flags {
			if visible, ok := f.(cli.VisibleFlag); ok && !visible.IsVisible() {
				continue
			}
			if name := f.Names()[0]; all[name] == nil {
				all[name] = f
			}
		}
	}
	return all
}

// envName is the variable of a flag.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// envSettings reads the variables of flags. One whose name is nearly that of a flag, or
// whose value is one that a flag takes, is a mistake: whoever set it believes that it is
// obeyed. So is an empty one, but for the credentials that a pipeline hands on where it has
// some. Of all others it says that they are of no flag.
func envSettings(known map[string]cli.Flag, environ []string) (all []preset, ignored []string, err error) {
	flags := make(map[string]string)
	var names []string
	for name := range known {
		flags[envName(name)] = name
		names = append(names, envName(name))
	}
	slices.Sort(names)
	for _, variable := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(variable, "=")
		flag, ok := flags[name]
		switch {
		case !strings.HasPrefix(name, envPrefix) || isOthers(name):
		case ok && value == "" && flag != "creds": // a demand, a key or a digest would be missing without a word
			err = cmp.Or(err, usage("the variable %s is empty, and --%s would be as if nobody had set it: unset it, or give it a value", name, flag))
		case ok && value != "":
			for _, v := range valuesOf(known[flag], value) {
				all = append(all, preset{flag, v, name})
			}
		case !ok && value != "":
			if near := nearestVariable(name, value, names); near != "" {
				err = cmp.Or(err, usage("the variable %s is of no flag, nearest is %s", name, near))
			} else {
				ignored = append(ignored, name)
			}
		}
	}
	return all, ignored, err
}

// ignoredText says which variables begin as those of flags do and are of none; "" when
// there are none.
func (s *presets) ignoredText() string {
	if len(s.ignored) == 0 {
		return ""
	}
	shown := s.ignored[:min(len(s.ignored), shownVariables)]
	text := strings.Join(shown, ", ")
	if more := len(s.ignored) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return "no flag has the variable " + text + ": nothing obeys it (see audit config)"
}

// shownVariables bounds those that a line names.
const shownVariables = 3

// isOthers says whether a variable is none that audit is meant to obey: engines set that of
// shards, rebuild.sh has its own, and so have the tests of audit.
func isOthers(name string) bool {
	word := strings.TrimPrefix(name, envPrefix)
	return name == batch.ShardsVariable || word == "ALLOW" || slices.ContainsFunc([]string{"ARG_", "ADDRESS_", "TEST_"}, func(begin string) bool {
		return strings.HasPrefix(word, begin)
	})
}

// nearestVariable compares what follows the prefix that all have, and then the value with
// those that decide whether an image passes.
func nearestVariable(name, value string, among []string) string {
	var ends []string
	for _, a := range among {
		ends = append(ends, strings.TrimPrefix(a, envPrefix))
	}
	switch near := nearest(strings.TrimPrefix(name, envPrefix), ends); {
	case near != "":
		return envPrefix + near
	case strings.HasPrefix(value, policy.ReadyPrefix):
		return envName("policy")
	case slices.Contains(choices("run", "require"), value):
		return envName("require")
	}
	return ""
}

// valuesOf splits a variable, of a flag that may be given again at its lines.
func valuesOf(f cli.Flag, value string) []string {
	if _, many := f.(*cli.StringSliceFlag); !many {
		return []string{value}
	}
	return strings.FieldsFunc(value, func(r rune) bool { return r == '\n' || r == '\r' })
}

// fileSettings reads a file of lines "name = value"; empty lines and those that begin
// with # are nothing.
func fileSettings(path string, known map[string]cli.Flag, may func(name string) bool) (all []preset, err error) {
	text, err := userfile.Read(path, maxSettings)
	if err != nil {
		return nil, usage("--config: %w", named(path, err))
	}
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		origin := fmt.Sprintf("%s:%d", path, i+1)
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !ok:
			return nil, usage("%s: a line is \"name = value\"", origin)
		case known[name] == nil:
			return nil, usage("%s: there is no flag %s%s", origin, hyphened(name), meantFlag(name, slices.Sorted(maps.Keys(known))))
		case value == "":
			return nil, usage("%s: %s has an empty value: leave the line out, or give it one", origin, name)
		case !may(name) && path == localFile:
			return nil, usage("%s: a file found in the working folder sets no %s, but %s alone; --config FILE names one that does", origin, name, strings.Join(localNames(), ", "))
		case !may(name):
			return nil, usage("%s: %s cannot stand in a file", origin, name)
		}
		all = append(all, preset{name, value, origin})
	}
	return all, nil
}

// of are the settings that a verb takes for a flag: variables come before files.
func (s *presets) of(verb *cli.Command, name string) []preset {
	if s == nil {
		return nil
	}
	for _, from := range [][]preset{s.env, s.file} {
		var found []preset
		for _, one := range from {
			if one.name == name && fits(verb, one) {
				found = append(found, one)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// fits says whether a setting can be meant for a verb: the forms of a report are none of
// a bill. What is a choice of no verb fits all, so that each of them refuses it.
func fits(verb *cli.Command, one preset) bool {
	if one.name != "format" || slices.Contains(choices(verb.Name, one.name), one.value) {
		return true
	}
	return !slices.Contains(choices("run", "format"), one.value) && !slices.Contains(choices("sbom", "format"), one.value)
}

// apply sets the flags of a verb that the command line does not, and returns what it set.
func (s *presets) apply(c *cli.Context, verb *cli.Command) (applied []preset, err error) {
	if s == nil {
		return nil, nil
	}
	if s.err != nil {
		return nil, s.err
	}
	for _, f := range verb.Flags {
		name := f.Names()[0]
		if c.IsSet(name) || name == "format" && c.Bool("json") || name == "json" && c.IsSet("format") {
			continue
		}
		for _, one := range s.of(verb, name) {
			if err := c.Set(name, one.value); err != nil {
				return nil, usage("%s: --%s does not take this value (%w)", one.origin, name, err)
			}
			applied = append(applied, one)
		}
	}
	return applied, nil
}
