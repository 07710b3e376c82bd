package nix

import (
	"strconv"
	"strings"

	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/shell"
)

// Script writes a plan as a POSIX shell script that does what [Builder] does,
// on any machine that has Nix: it evaluates the recipe, builds the image in a
// store of its own, in the sandbox, and copies it into the current folder.
//
// Whatever the plan has, the script runs nothing but Nix: every value stands
// in single quotes. The script of a refused plan says why and does nothing else.
func Script(plan rebuild.Plan) []byte {
	details, err := rebuild.DetailsOf[Details](plan)
	if err == nil && len(plan.Reasons) == 0 {
		err = details.check()
	}
	switch {
	case len(plan.Reasons) > 0:
		return []byte(scriptHead + shell.Refusal(inWords(plan.Reasons[0])))
	case err != nil:
		return []byte(scriptHead + shell.Refusal(err.Error()))
	}
	var b strings.Builder
	b.WriteString(scriptHead)
	b.WriteString(details.asked())
	b.WriteString(scriptFolder)
	b.WriteString("\n# nix_in_own_store PROGRAM ARGUMENT…\nnix_in_own_store() {\n  program=$1\n  shift\n")
	b.WriteString("  \"$program\" --store \"$dir/store\" " + shell.Words(policy(details, rebuild.Options{})) + " " + shell.Words(settings(details)) + " \"$@\"\n}\n\n")
	b.WriteString(scriptDerivation(details))
	b.WriteString(scriptBuild)
	b.WriteString("echo 'Compare it with the original:'\n")
	b.WriteString(shell.Comparison(plan.Image, "image"))
	return []byte(b.String())
}

// inWords is the sentence of a reason, for who reads the script alone.
func inWords(m check.Message) string {
	text, ok := sentences()[m.Code]
	if !ok {
		return m.String()
	}
	for name := range m.Args {
		text = strings.ReplaceAll(text, "{"+name+"}", m.Args.String(name))
	}
	return text
}

// asked ends the script where an address is not given that the plan has without what
// is secret in it.
func (d Details) asked() string {
	var b strings.Builder
	for i, address := range d.Private {
		b.WriteString("# " + secretVariable(i) + " is " + shell.Printable(address) + " with what is secret in it.\n")
		b.WriteString(": \"${" + secretVariable(i) + "?the plan has this address without what is secret in it: set it in the environment}\"\n")
	}
	return b.String()
}

// secretVariable is the variable of the environment that gives an address.
func secretVariable(i int) string { return "AUDIT_ADDRESS_" + strconv.Itoa(i+1) }

// quote quotes a word, with the variables in the place of addresses that the plan has
// without what is secret in them.
func (d Details) quote(word string) string {
	for i, address := range d.Private {
		if before, after, found := strings.Cut(word, address); found {
			return shell.Quote(before) + `"$` + secretVariable(i) + `"` + d.quote(after)
		}
	}
	return shell.Word(word)
}

func (d Details) quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = d.quote(w)
	}
	return strings.Join(quoted, " ")
}

// scriptDerivation puts the derivation of the image into the store.
func scriptDerivation(d Details) string {
	switch {
	case d.Expression != nil:
		e := d.Expression
		return "expression=" + d.quote(e.File) + "\n" +
			"case $expression in /*) ;; *) expression=$start/$expression ;; esac\n" +
			"folder=$expression\n[ -d \"$folder\" ] || folder=$(dirname \"$expression\")\n" +
			"folder=$(git -C \"$folder\" rev-parse --show-toplevel 2>/dev/null || printf '%s' \"$folder\")\n" +
			"drv=$(nix_in_own_store nix-instantiate --option restrict-eval true -I audit-expression=\"$folder\" " +
			d.quoteAll(searchPaths(e)) + " \"$expression\" " + shell.Words(append(attribute(e), arguments(e)...)) + ")\n" +
			"drv=${drv%%!*}\n"
	case d.Flake != nil:
		reference, _ := d.Flake.evaluated()
		return "drv=$(nix_in_own_store nix " + d.quoteAll(append(flakeOptions(), "--raw", reference)) + ")\n"
	}
	return "# The derivation with all that it needs must be in the store of this machine:\n" +
		"# nix-store --export $(nix-store -qR FILE.drv) on the one that has it, nix-store --import here.\n" +
		"drv=" + shell.Quote(storeDir+lastPart(d.Derivation)) + "\n" +
		"nix --extra-experimental-features nix-command copy --derivation --no-check-sigs --to \"$dir/store\" \"$drv\"\n"
}

func lastPart(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

const scriptHead = `#!/bin/sh
# Builds a container image again with Nix, from the recipe that was given for
# it, in a store of its own and inside Nix's sandbox.
set -eu

`

const scriptFolder = `command -v nix-store >/dev/null || {
  echo 'This needs Nix: https://nixos.org/download' >&2
  exit 1
}
start=$PWD
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
mkdir "$dir/conf" "$dir/store"
# No nix.conf has a say but this one.
getent group nixbld >/dev/null 2>&1 || echo 'build-users-group =' >"$dir/conf/nix.conf"
export NIX_CONF_DIR="$dir/conf" NIX_USER_CONF_FILES= USER="${USER:-audit}"
unset NIX_PATH NIX_CONFIG NIX_REMOTE
`

// scriptBuild builds the image. What was fetched is no rebuild, so it is built
// again; where that gives other bytes, Nix keeps them beside the first. A script
// that writes an image is run by a derivation.
const scriptBuild = `
# build DRV: sets built to where the output lies on disk, which this run has built.
build() {
  out=$(nix_in_own_store nix-store --realise "$1" 2>"$dir/log" | head -n 1) || { cat "$dir/log" >&2; exit 1; }
  [ -n "$out" ] || { cat "$dir/log" >&2; exit 1; }
  built=$dir/store$out
  grep -q "building '$1'" "$dir/log" || {
    echo "$out was fetched: building it again" >&2
    nix_in_own_store nix-store --realise "$1" --check --keep-failed >/dev/null 2>"$dir/log" || {
      grep -q 'may not be deterministic' "$dir/log" || { cat "$dir/log" >&2; exit 1; }
      built=$built.check
    }
  }
}
build "$drv"
if [ "$(head -c 2 "$built")" = '#!' ] || [ "$(head -c 4 "$built" | tail -c 3)" = ELF ]; then
  shell=$(head -n 1 "$built" | LC_ALL=C sed -n 's,^#! *\(/nix/store/[^/ ]*\)\(/[^ ]*sh\).*,"${builtins.storePath "\1"}\2",p')
  [ -n "$shell" ] || shell='"/bin/sh"'
  cat >"$dir/stream.nix" <<END_OF_FILE
let made = import "$drv"; in derivation {
  name = "image.tar"; system = builtins.currentSystem; builder = $shell; script = "\${made}";
  args = [ "-c" "\"\$script\" > \"\$out\"; exit \$?" ];
}
END_OF_FILE
  drv=$(nix_in_own_store nix-instantiate "$dir/stream.nix")
  build "$drv"
fi
image=$start/rebuilt-$(basename "$built" | cut -c 34-)
cp "$built" "$image"
chmod u+w "$image"

echo 'The rebuilt image:'
printf '  %s\n' "$image"
`
