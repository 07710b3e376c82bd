package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"audit/report"
)

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "prints a script with which a shell completes the words of audit",
		ArgsUsage: strings.Join(shells(), " | "),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` instead of standard output"},
		},
		Action: func(c *cli.Context) error {
			shell, err := oneArgument(c, "shell")
			if err != nil {
				return err
			}
			script, ok := map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}[shell]
			if !ok {
				return usage("completion %s: not one of bash, zsh and fish%s", shell, meant(shell, shells()))
			}
			return putOne(c, func(w *bytes.Buffer) error {
				w.WriteString(script)
				return nil
			})
		},
	}
}

func shells() []string { return []string{"bash", "zsh", "fish"} }

// completionFlag, after a line of words, asks what the last word can be. It is the
// name that the cli package gives it, whose own answer knows no values of flags.
const completionFlag = "--generate-bash-completion"

// An offer is what the last word of a line can become: one of words, and a file or
// a folder where path says so.
type offer struct {
	path  string // "files", "folders", or "none"
	words []string
	about map[string]string // what a word means
}

func (o *offer) add(about string, words ...string) {
	for _, word := range words {
		o.words, o.about[word] = append(o.words, word), about
	}
}

// writeOffer answers the scripts: what path says, then a line for each word, with
// what it means after a tab.
func writeOffer(w io.Writer, app *cli.App, words []string) {
	words = joined(words)
	last, prefix := words[len(words)-1], ""
	words = words[:len(words)-1]
	if name, value, ok := strings.Cut(last, "="); ok && strings.HasPrefix(name, "-") {
		words, last, prefix = append(words, name), value, name+"="
	}
	o := offerOf(app, words, last)
	fmt.Fprintln(w, o.path)
	for _, word := range o.words {
		if strings.HasPrefix(word, last) {
			fmt.Fprintf(w, "%s%s\t%s\n", prefix, word, strings.ReplaceAll(o.about[word], "`", ""))
		}
	}
}

// joined undoes that bash takes "=" for a word of its own.
func joined(words []string) (out []string) {
	for i, word := range words {
		switch {
		case word != "=":
			out = append(out, word)
		case i == len(words)-1:
			out = append(out, "")
		}
	}
	if len(out) == 0 {
		return []string{""}
	}
	return out
}

// offerOf says what can follow words, when it begins as last does.
func offerOf(app *cli.App, words []string, last string) offer {
	o := offer{path: "none", about: make(map[string]string)}
	verb, given := app.Command("run"), false // a verb that is not there is run
	for _, word := range words {
		if c := app.Command(word); c != nil {
			verb, given = c, true
			break
		}
		if word == "help" {
			o.add("", verbNames(app)...)
			return o
		}
	}
	if f := valueFlag(verb, words); f != nil {
		o.path = pathOf(f)
		o.add("", choices(verb.Name, f.Names()[0])...)
		return o
	}
	switch {
	case strings.HasPrefix(last, "-"):
		for _, f := range verb.Flags {
			o.add(f.(cli.DocGenerationFlag).GetUsage(), dashed(f)...)
		}
		o.add("show help", "--help")
	case verb.Name == "completion":
		o.add("", shells()...)
	case verb.Name == "policy":
		o.path = "none"
		switch words[len(words)-1] {
		case "policy":
			o.add("", "check", "show", "schema")
		case "show":
			o.add("", readyNames()...)
		case "check":
			o.path = "files"
		}
	case verb.Name == "ci":
		o.add("", gateServices()...)
	default:
		o.path = "files"
	}
	if !given {
		for _, c := range app.VisibleCommands() {
			o.add(c.Usage, c.Name)
		}
		o.add("says more of a verb", "help")
	}
	return o
}

func verbNames(app *cli.App) []string {
	var names []string
	for _, c := range app.Commands {
		names = append(names, c.Name)
	}
	return names
}

func dashed(f cli.Flag) []string {
	var names []string
	for _, name := range f.Names() {
		if len(name) > 1 {
			name = "-" + name
		}
		names = append(names, "-"+name)
	}
	return names
}

// valueFlag is the flag whose value comes next; nil when the last of words is none.
func valueFlag(verb *cli.Command, words []string) cli.Flag {
	if len(words) == 0 || !strings.HasPrefix(words[len(words)-1], "-") {
		return nil
	}
	for _, f := range verb.Flags {
		for _, name := range f.Names() {
			if name == strings.TrimLeft(words[len(words)-1], "-") && f.(cli.DocGenerationFlag).TakesValue() {
				return f
			}
		}
	}
	return nil
}

// pathOf says by its usage whether the value of a flag is a file or a folder.
func pathOf(f cli.Flag) string {
	usage := f.(cli.DocGenerationFlag).GetUsage()
	switch {
	case strings.Contains(usage, "`DIR`"):
		return "folders"
	case strings.Contains(usage, "`FILE`"), strings.Contains(usage, "`IMAGE`"):
		return "files"
	}
	return "none"
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
	case flag == "format" && verb == "summary":
		return summaryFormats()
	case flag == "format":
		var names []string
		for _, f := range report.Formats() {
			names = append(names, f.Name)
		}
		return names
	}
	return nil
}

// bashScript is for bash 3.2 and later.
const bashScript = `# bash completion for audit

_audit() {
  local cur=${COMP_WORDS[COMP_CWORD]} IFS=$'\n'
  local offer=($("${COMP_WORDS[0]}" "${COMP_WORDS[@]:1:COMP_CWORD}" ` + completionFlag + ` 2>/dev/null | cut -f 1))
  if [ "$cur" = = ]; then
    cur=
  fi
  COMPREPLY=()
  case ${offer[0]} in
    files) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;
    folders) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")) ;;
  esac
  COMPREPLY+=("${offer[@]:1}")
}

complete -F _audit audit
`

// zshScript is for the completion system of zsh 5, in a folder of $fpath as
// _audit, or sourced.
const zshScript = `#compdef audit
# zsh completion for audit

_audit() {
  local -a offer=("${(@f)$("${words[1]}" "${(@Q)words[2,CURRENT]}" ` + completionFlag + ` 2>/dev/null)}")
  local paths=$offer[1]
  offer=("${(@)offer[2,-1]//:/\\:}")
  offer=("${(@)offer/$'\t'/:}")
  (( $#offer )) && _describe -t words word offer
  case $paths in
    (files) compset -P '-*='; _files ;;
    (folders) compset -P '-*='; _files -/ ;;
  esac
}

if [[ $funcstack[1] = _audit ]]; then
  _audit "$@"
else
  compdef _audit audit
fi
`

// fishScript is for fish 3.
const fishScript = `# fish completion for audit

function __audit_offer
  set -l words (commandline -opc)
  set -l cur (commandline -ct)
  set -l offer ($words[1] $words[2..] "$cur" ` + completionFlag + ` 2>/dev/null)
  switch "$offer[1]"
    case files
      __fish_complete_path "$cur"
    case folders
      __fish_complete_directories "$cur"
  end
  set -e offer[1]
  for line in $offer
    printf '%s\n' $line
  end
end

complete -c audit -f -a '(__audit_offer)'
`
