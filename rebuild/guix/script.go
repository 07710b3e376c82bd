package guix

import (
	"fmt"
	"slices"
	"strings"

	"audit/rebuild"
	"audit/rebuild/shell"
)

// Script writes a plan as a POSIX shell script that does what [Builder] does,
// on any machine that has Guix: it writes the files of the plan into a
// temporary folder, builds the image, or builds it again when the store has
// it, and prints where it is and how to compare it.
//
// Whatever the plan has, the script runs nothing but guix: every value
// stands in single quotes or in a here-document that is not expanded. The
// script of a refused plan says why and does nothing else.
func Script(plan rebuild.Plan) []byte {
	d, err := runnable(plan)
	asks := len(plan.Takes) > 0 && len(plan.Reasons) == 0
	if asks && err != nil {
		if d, err = rebuild.DetailsOf[Details](plan); err == nil && !d.completable() {
			err = d.check()
		}
	}
	if err != nil {
		return []byte(scriptHead + shell.Refusal(err.Error()))
	}
	verbs, arguments := d.command()
	var b strings.Builder
	b.WriteString(scriptHead)
	if asks {
		b.WriteString(d.scriptArguments())
	}
	b.WriteString(scriptFolder)
	for _, f := range d.Files() {
		b.WriteString(shell.HereDocument(f.Name, f.Text))
	}
	if asks {
		b.WriteString(scriptGiven)
	}
	b.WriteString(d.scriptMirrors())
	b.WriteString("\n# pack ARGUMENT…: the packer of the Guix that made the image.\npack() {\n")
	b.WriteString("  guix time-machine -C " + channelsFile + " -- " + shell.Words(verbs) + " \"$@\" " + shell.Words(arguments) + "\n}\n")
	b.WriteString("\n# The store item that the image is made of.\nroot=" + shell.Word(d.Pack.Root) + "\n")
	b.WriteString(scriptGrafts)
	b.WriteString(scriptBuild)
	if d.Pack.Export != nil {
		b.WriteString(scriptExport)
		return []byte(b.String())
	}
	b.WriteString("echo 'Compare it with the original:'\n")
	b.WriteString(shell.Comparison(plan.Image, "image"))
	return []byte(b.String())
}

const scriptHead = `#!/bin/sh
# Builds a container image again with GNU Guix, from the channels and the packages
# named here. Guix runs the code of these channels on this machine.
set -eu

`

// scriptArguments takes files for what a recipe lacks, and demands those without which
// there is nothing to run.
func (d Details) scriptArguments() string {
	usage := "sh rebuild.sh " + strings.ToUpper(channelsFile) + " [" + strings.ToUpper(manifestFile) + "]"
	text := "# The recipe of the image is incomplete. Files that are given take the place of what\n# it records: " + usage + "\n"
	if least := d.lacks(); least > 0 {
		text += fmt.Sprintf("[ $# -ge %d ] || {\n  echo %s >&2\n  exit 1\n}\n", least, shell.Quote("What the image does not record is needed: "+usage))
	}
	return text + scriptAbsolute
}

const scriptAbsolute = `absolute() { case $1 in ''|/*) printf '%s' "$1" ;; *) printf '%s/%s' "$PWD" "$1" ;; esac; }
channels=$(absolute "${1:-}")
given=$(absolute "${2:-}")

`

// lacks is how many files a recipe needs that the image does not record.
func (d Details) lacks() int {
	switch {
	case checkPackages(d) != nil:
		return 2
	case d.Given.Channels == "" && checkChannels(d.Channels) != nil:
		return 1
	}
	return 0
}

// scriptGiven puts the files that are given into their place.
const scriptGiven = `[ -z "$channels" ] || cp -- "$channels" ` + channelsFile + `
[ -z "$given" ] || cp -- "$given" ` + manifestFile + `
`

// scriptMirrors has git fetch from other addresses than the channels name.
func (d Details) scriptMirrors() string {
	if len(d.Mirrors) == 0 {
		return ""
	}
	d.Mirrors = slices.Clone(d.Mirrors)
	for i := range d.Mirrors {
		d.Mirrors[i].URL = rebuild.WithoutSecrets(d.Mirrors[i].URL)
	}
	return "mkdir -p " + gitFolder + "/git\n" + shell.HereDocument(gitFolder+"/git/config", d.gitConfig("~/.config/git/config")) +
		"export XDG_CONFIG_HOME=\"$dir/" + gitFolder + "\"\n"
}

const scriptFolder = `command -v guix >/dev/null || {
  echo 'This needs GNU Guix: https://guix.gnu.org/download' >&2
  exit 1
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir"

`

// scriptGrafts finds the image's derivation. An image does not show whether its
// packer was called with --no-grafts: that is tried where the default gives another
// item than the one that the image is made of, and kept where it gives that one.
const scriptGrafts = `
# derive ARGUMENT…: prints the derivation of the image.
derive() {
  derived=$(pack "$@" -d) && printf '%s\n' "$derived" | tail -n 1
}

# gives DERIVATION: whether a derivation in its closure makes that store item.
gives() {
  name=${root##*/} && name=${name#*-}
  guix gc --requisites "$1" | grep -F -e "-$name.drv" | xargs grep -lF "(\"out\",\"$root\"," | grep -q .
}

grafts=
drv=$(derive)
if ! gives "$drv"; then
  plain=$(derive --no-grafts)
  if gives "$plain"; then
    drv=$plain grafts=--no-grafts
    echo 'The image was made without grafts: so is this one' >&2
  fi
fi
`

// scriptBuild builds the image. An image that the store has is no rebuild, so
// it is built again; where that gives other bytes, Guix keeps them beside the
// first under a name with "-check" at its end.
const scriptBuild = `
image=$(sed -n '1s/^Derive(\[("out","\([^"]*\)".*/\1/p' "$drv")
[ -n "$image" ] || { echo "no output is named in $drv" >&2; exit 1; }
if guix gc --references "$image" >/dev/null 2>&1; then
  echo "The store has $image: building it again" >&2
  guix build --check -K "$drv" >/dev/null 2>check.log || {
    grep -q 'may not be deterministic' check.log || { cat check.log >&2; exit 1; }
    image=$image-check
  }
else
  pack $grafts >/dev/null
fi

echo 'The rebuilt image:'
printf '  %s\n' "$image"
`

// scriptExport is for an original that is no image, but the files of a container.
const scriptExport = `echo 'The original was exported from a container. To get the same of this image:'
printf '  docker load -i %s\n  docker create IMAGE true\n  docker export CONTAINER >rebuilt.tar\n' "$image"
`
