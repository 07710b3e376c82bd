package docker

import (
	"fmt"
	"path/filepath"
	"strings"

	"audit/provenance/docker"
	"audit/rebuild"
	"audit/rebuild/shell"
)

// Script writes a plan as a POSIX shell script that does what [Builder] does, on
// any machine that has the engine: it builds the image without a cache, saves it
// as rebuilt.tar in the current folder, and says how to compare it. A source
// that is a folder must be there under the same name. Build arguments that the
// user gave, and an address with user info, are taken from the environment.
//
// Whatever the plan has, the script runs nothing but engines: every value
// stands in single quotes or in a here-document that is not expanded. The
// script of a refused plan says why and does nothing else.
func Script(plan rebuild.Plan) []byte {
	d, err := runnable(plan)
	if err != nil {
		return []byte(scriptHead + shell.Refusal(err.Error()))
	}
	w := scriptWriter{arguments{Details: d}}
	var b strings.Builder
	b.WriteString(scriptHead + w.inputs() + scriptFolder)
	if d.Text != "" {
		b.WriteString(shell.HereDocument(dockerfileName, d.Text))
	}
	if policy := policyOf(&d, d.Context); policy != "" {
		b.WriteString(shell.HereDocument(policyName, policy))
	}
	functions := w.functions()
	var tried, names []string
	for _, f := range functions {
		b.WriteString(f.body)
		tried = append(tried, f.name)
		names = append(names, strings.TrimPrefix(f.name, "with_"))
	}
	b.WriteString("\n" + strings.Join(append(tried, ""), " || "))
	b.WriteString("{\n  echo " + shell.Quote("No engine is here that builds it: "+strings.Join(names, ", ")) + " >&2\n  exit 1\n}\n")
	b.WriteString(scriptEnd)
	b.WriteString(shell.Comparison(plan.Image, "out"))
	return []byte(b.String())
}

const scriptHead = `#!/bin/sh
# Builds a container image again from its Dockerfile, without a cache. The
# instructions run in containers of the engine.
set -eu

`

const scriptFolder = `out=$PWD/rebuilt.tar
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir"

`

const scriptEnd = `
echo 'The rebuilt image:'
printf '  %s\n' "$out"
echo 'Compare it with the original:'
`

// A scriptWriter writes what engines are called with. Paths in the temporary
// folder and what the environment gives stand in double quotes, as variables of
// the shell.
type scriptWriter struct{ arguments }

// sourceVariable is the variable of the environment that gives the address with
// user info.
const sourceVariable = "AUDIT_SOURCE"

// argumentVariable begins the name of the variable that gives a build argument: the
// argument may have the name of one that means something to the shell.
const argumentVariable = "AUDIT_ARG_"

// inputs writes what ends the script where a value is not given.
func (w scriptWriter) inputs() string {
	var b strings.Builder
	for _, name := range w.Given {
		fmt.Fprintf(&b, ": \"${%s?the value of the build argument %s is not in the plan: set it in the environment}\"\n",
			argumentVariable+name, name)
	}
	if w.Private {
		fmt.Fprintf(&b, ": \"${%s?%s}\"\n", sourceVariable, "the address of the source, with the name and password that are not in the plan")
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

// A function is one of the script: it fails when its engine is not there, and
// ends the script when the build fails.
type function struct{ name, body string }

// functions are those of the engines to try, in their order.
func (w scriptWriter) functions() []function {
	var all []function
	for _, name := range candidates(docker.Unknown, w.Engine) {
		switch name {
		case docker.Classic:
			all = append(all, w.docker("with_docker", "docker version", "DOCKER_BUILDKIT=0", true))
		case docker.BuildKit:
			env, check := "DOCKER_BUILDKIT=1", "docker version"
			if w.Fetch != FetchAny {
				env, check = env+` EXPERIMENTAL_BUILDKIT_SOURCE_POLICY="$dir/`+policyName+`"`, "docker buildx version"
			}
			all = append(all, w.buildctl(), w.docker("with_docker_buildkit", check, env, false))
		case docker.Buildah:
			all = append(all, w.buildah())
		}
	}
	return all
}

// word quotes a word; a build argument that the user gives becomes the variable of
// its name.
func (w scriptWriter) word(word string) string {
	for _, name := range w.Given {
		for _, option := range []string{"--build-arg=", "--opt=build-arg:"} {
			if word == option+name {
				return fmt.Sprintf(`"%s%s=$%s"`, option, name, argumentVariable+name)
			}
		}
	}
	return shell.Word(word)
}

func (w scriptWriter) words(words []string) string {
	quoted := make([]string, len(words))
	for n := range words {
		quoted[n] = w.word(words[n])
	}
	return strings.Join(quoted, " ")
}

// source writes the context behind an option, which may be "".
func (w scriptWriter) source(option string) string {
	if w.Private {
		return fmt.Sprintf(`"%s$%s"`, option, sourceVariable)
	}
	return shell.Word(option + w.Context)
}

// file returns the option that names the Dockerfile, quoted, with a space before
// it.
func (w scriptWriter) file() string {
	switch {
	case w.Text != "":
		return ` --file="$dir/` + dockerfileName + `"`
	case w.Dockerfile == "":
		return ""
	case isRemote(w.Context):
		return " " + shell.Word("--file="+w.Dockerfile)
	}
	return " " + shell.Word("--file="+filepath.Join(w.Context, w.Dockerfile))
}

func (w scriptWriter) docker(name, check, env string, classic bool) function {
	force := ""
	if classic {
		force = " --force-rm"
	}
	return function{name, fmt.Sprintf(`
%s() {
  %s >/dev/null 2>&1 || return 1
  %s docker build %s%s%s --tag=audit-rebuild:$$ %s || exit 1
  docker image save --output="$out" audit-rebuild:$$ || exit 1
  docker image rm audit-rebuild:$$ >/dev/null
}
`, name, check, env, w.words(w.flags()), w.file(), force, w.source(""))}
}

func (w scriptWriter) buildctl() function {
	policy := ""
	if w.Fetch != FetchAny {
		policy = ` --source-policy-file="$dir/` + policyName + `"`
	}
	const mark = "/DIR"
	var quoted []string
	for _, f := range w.buildctlFlags(w.Context, mark) {
		switch f {
		case "--local=dockerfile=" + mark:
			quoted = append(quoted, `--local=dockerfile="$dir"`)
		case "--opt=context=" + w.Context:
			quoted = append(quoted, w.source("--opt=context="))
		default:
			quoted = append(quoted, w.word(f))
		}
	}
	return function{"with_buildctl", fmt.Sprintf(`
with_buildctl() {
  buildctl debug workers >/dev/null 2>&1 || return 1
  buildctl build %s%s %s || exit 1
  mv rebuilt.tar "$out"
}
`, strings.Join(quoted, " "), policy, w.buildctlOutput("rebuilt.tar"))}
}

func (w scriptWriter) buildah() function {
	return function{"with_buildah", fmt.Sprintf(`
with_buildah() {
  buildah --version >/dev/null 2>&1 || return 1
  buildah build %s%s %s --iidfile="$dir/image-id" %s || exit 1
  buildah push --quiet "$(cat "$dir/image-id")" %s:"$out" || exit 1
  buildah rmi "$(cat "$dir/image-id")" >/dev/null
}
`, w.words(w.flags()), w.file(), w.words(w.buildahFlags()), w.source(""), w.archive())}
}
