package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"audit/report"
)

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "prints a script with which a shell completes the words of audit",
		ArgsUsage: "bash | zsh | fish",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` instead of standard output"},
		},
		Action: func(c *cli.Context) error {
			shell, err := oneArgument(c, "shell")
			if err != nil {
				return err
			}
			write, ok := map[string]func([]completed) string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}[shell]
			if !ok {
				return usage("completion %s: not one of bash, zsh and fish", shell)
			}
			return putOne(c, func(w *bytes.Buffer) error {
				w.WriteString(write(completions(c.App)))
				return nil
			})
		},
	}
}

// A completed verb is what a shell is told of it.
type completed struct {
	name, about string
	flags       []completedFlag
	words       []string // what its argument can be; files when there are none
}

// A completedFlag is a flag. A value is one of words, or a file, or a folder;
// with none of them it is free.
type completedFlag struct {
	long, short, about string
	valued, again      bool
	words              []string
	path, folder       bool
}

func (f completedFlag) names() []string {
	if f.short == "" {
		return []string{"--" + f.long}
	}
	return []string{"--" + f.long, "-" + f.short}
}

// completions reads the verbs and flags off the app, so that they are those
// that it has.
func completions(app *cli.App) []completed {
	var verbs []completed
	for _, c := range app.Commands {
		v := completed{name: c.Name, about: c.Usage}
		for _, f := range c.Flags {
			v.flags = append(v.flags, completedOf(c.Name, f))
		}
		switch c.Name {
		case "completion":
			v.words = []string{"bash", "zsh", "fish"}
		case "help":
			continue
		}
		verbs = append(verbs, v)
	}
	help := completed{name: "help", about: "says more of a verb"}
	for _, v := range verbs {
		help.words = append(help.words, v.name)
	}
	return append(verbs, help)
}

func completedOf(verb string, flag cli.Flag) completedFlag {
	var f completedFlag
	for _, name := range flag.Names() {
		if len(name) == 1 {
			f.short = name
		} else {
			f.long = name
		}
	}
	if d, ok := flag.(cli.DocGenerationFlag); ok {
		f.about, f.valued = d.GetUsage(), d.TakesValue()
	}
	if d, ok := flag.(cli.DocGenerationSliceFlag); ok {
		f.again = d.IsSliceFlag()
	}
	f.words = choices(verb, f.long)
	f.folder = strings.Contains(f.about, "`DIR`")
	f.path = !f.folder && (strings.Contains(f.about, "`FILE`") || strings.Contains(f.about, "`IMAGE`"))
	f.about = strings.ReplaceAll(f.about, "`", "")
	return f
}

// choices are the values of the flags that take one of a few.
func choices(verb, flag string) []string {
	switch {
	case flag == "require":
		return policyNames()
	case flag == "builder":
		return systems().BuilderNames()
	case flag == "format" && verb == "sbom":
		var names []string
		for _, f := range billForms() {
			names = append(names, f.name)
		}
		return names
	case flag == "format":
		var names []string
		for _, f := range report.Formats() {
			names = append(names, f.Name)
		}
		return names
	}
	return nil
}

func verbNames(verbs []completed) []string {
	var names []string
	for _, v := range verbs {
		names = append(names, v.name)
	}
	return names
}

// bashScript is for bash 3.2 and later. A verb that is not there is run.
func bashScript(verbs []completed) string {
	var b strings.Builder
	names := verbNames(verbs)
	fmt.Fprintf(&b, `# bash completion for audit

_audit() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb= i IFS=$'\n'
  if [ "$cur" = = ]; then
    cur=
  elif [ "$prev" = = ]; then
    prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      %s) verb=${COMP_WORDS[i]}; break ;;
    esac
  done
  COMPREPLY=()
  case ${verb:-run}:$prev in
`, strings.Join(names, " | "))
	for _, v := range verbs {
		for _, f := range v.flags {
			if f.valued {
				fmt.Fprintf(&b, "    %s) %s; return ;;\n", bashPatterns(v.name, f), bashValues(f))
			}
		}
	}
	b.WriteString("  esac\n  case ${verb:-run}:$cur in\n")
	for _, v := range verbs {
		var all []string
		for _, f := range v.flags {
			all = append(all, f.names()...)
		}
		all = append(all, "--help")
		fmt.Fprintf(&b, "    %s:-*) COMPREPLY=($(compgen -W $'%s' -- \"$cur\")); return ;;\n", v.name, strings.Join(all, `\n`))
		if len(v.words) > 0 {
			fmt.Fprintf(&b, "    %s:*) COMPREPLY=($(compgen -W $'%s' -- \"$cur\")); return ;;\n", v.name, strings.Join(v.words, `\n`))
		}
	}
	fmt.Fprintf(&b, `  esac
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$cur"))
  if [ -z "$verb" ]; then
    COMPREPLY+=($(compgen -W $'%s' -- "$cur"))
  fi
}

complete -F _audit audit
`, strings.Join(names, `\n`))
	return b.String()
}

func bashPatterns(verb string, f completedFlag) string {
	var all []string
	for _, name := range f.names() {
		all = append(all, verb+":"+name)
	}
	return strings.Join(all, " | ")
}

func bashValues(f completedFlag) string {
	switch {
	case len(f.words) > 0:
		return fmt.Sprintf(`COMPREPLY=($(compgen -W $'%s' -- "$cur"))`, strings.Join(f.words, `\n`))
	case f.folder:
		return `compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur"))`
	case f.path:
		return `compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur"))`
	}
	return ":"
}

// zshScript is for the completion system of zsh 5, in a folder of $fpath as
// _audit, or sourced.
func zshScript(verbs []completed) string {
	var b strings.Builder
	names := verbNames(verbs)
	fmt.Fprintf(&b, `#compdef audit
# zsh completion for audit

_audit_first() {
  local -a verbs=(
`)
	for _, v := range verbs {
		fmt.Fprintf(&b, "    '%s:%s'\n", v.name, zshPlain(v.about))
	}
	fmt.Fprintf(&b, `  )
  _describe -t verbs verb verbs
  _files
}

_audit() {
  local verb= word
  for word in "${(@)words[2,CURRENT-1]}"; do
    case $word in
      (%s) verb=$word; break ;;
    esac
  done
  local -a first=('1: :_audit_first')
  [[ -z $verb ]] || first=('1: :')
  case ${verb:-run} in
`, strings.Join(names, "|"))
	for _, v := range verbs {
		fmt.Fprintf(&b, "    (%s) _arguments -s $first", v.name)
		for _, f := range v.flags {
			b.WriteString(" \\\n      " + zshFlag(f))
		}
		rest := "_files"
		if len(v.words) > 0 {
			rest = "(" + strings.Join(v.words, " ") + ")"
		}
		fmt.Fprintf(&b, " \\\n      '--help[show help]' '*: :%s' ;;\n", rest)
	}
	b.WriteString(`  esac
}

if [[ $funcstack[1] = _audit ]]; then
  _audit "$@"
else
  compdef _audit audit
fi
`)
	return b.String()
}

// zshFlag is a flag as _arguments takes it.
func zshFlag(f completedFlag) string {
	long := "--" + f.long
	if f.valued {
		long += "=" // its value may follow as a word of its own, too
	}
	spec := "'" + long
	switch {
	case f.short != "":
		spec = fmt.Sprintf("'(%s)'{-%s,%s}'", strings.Join(f.names(), " "), f.short, long)
	case f.again:
		spec = "'*" + long
	}
	spec += "[" + zshPlain(f.about) + "]"
	switch {
	case !f.valued:
	case len(f.words) > 0:
		spec += ": :(" + strings.Join(f.words, " ") + ")"
	case f.folder:
		spec += ": :_files -/"
	case f.path:
		spec += ": :_files"
	default:
		spec += ": : "
	}
	return spec + "'"
}

// zshPlain drops what _arguments and _describe would read as something else.
func zshPlain(s string) string {
	return strings.NewReplacer("'", "", "[", "(", "]", ")", ":", ",", `\`, "").Replace(s)
}

// fishScript is for fish 3.
func fishScript(verbs []completed) string {
	var b strings.Builder
	names := verbNames(verbs)
	fmt.Fprintf(&b, "# fish completion for audit\n\n")
	for _, v := range verbs {
		fmt.Fprintf(&b, "complete -c audit -n 'not __fish_seen_subcommand_from %s' -a %s -d %s\n", strings.Join(names, " "), v.name, fishWord(v.about))
	}
	for _, v := range verbs {
		when := "__fish_seen_subcommand_from " + v.name
		if v.name == "run" { // which is meant when there is no verb
			others := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "run" })
			when = "not __fish_seen_subcommand_from " + strings.Join(others, " ")
		}
		b.WriteByte('\n')
		if len(v.words) > 0 {
			fmt.Fprintf(&b, "complete -c audit -n %s -f -a %s\n", fishWord(when), fishWord(strings.Join(v.words, " ")))
		}
		for _, f := range v.flags {
			fmt.Fprintf(&b, "complete -c audit -n %s -l %s%s -d %s\n", fishWord(when), f.long, fishValues(f), fishWord(f.about))
		}
	}
	return b.String()
}

func fishValues(f completedFlag) string {
	var out string
	if f.short != "" {
		out = " -s " + f.short
	}
	switch {
	case !f.valued:
		return out
	case len(f.words) > 0:
		return out + " -x -a " + fishWord(strings.Join(f.words, " "))
	case f.folder:
		return out + " -x -a '(__fish_complete_directories)'"
	case f.path:
		return out + " -r"
	}
	return out + " -x"
}

func fishWord(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
