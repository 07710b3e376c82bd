package docker

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"audit/provenance/docker"
	"audit/rebuild"
	"audit/rebuild/shell"
)

// Script writes a plan as a POSIX shell script that does what [Builder] does, on
// any machine that has the engine: it builds the image without a cache, saves it
// as rebuilt.tar in the current folder, and says how to compare it. A source
// that is a folder must be there under the same name.
//
// Whatever the plan holds, the script runs nothing but engines: every value
// stands in single quotes or in a here-document that is not expanded. The
// script of a refused plan says why and does nothing else.
func Script(plan rebuild.Plan) []byte {
	refused := plan.Refused
	if err := runnable(plan); err != nil && refused == "" {
		refused = err.Error()
	}
	if refused != "" {
		return []byte(scriptHead + shell.Refusal(refused))
	}
	c, err := parseCall(plan.Pack)
	if err != nil {
		panic(err) // runnable has parsed it
	}
	w := scriptWriter{plan: plan, call: c}
	var b strings.Builder
	b.WriteString(scriptHead + scriptFolder)
	for _, f := range plan.Files {
		b.WriteString(shell.HereDocument(f.Name, f.Text))
	}
	var tried []string
	for _, name := range candidates("", plan.Engine) {
		for _, e := range w.engine(docker.Builder(name)) {
			b.WriteString(e.body)
			tried = append(tried, e.name)
		}
	}
	b.WriteString("\n")
	for _, name := range tried {
		fmt.Fprintf(&b, "%s || ", name)
	}
	b.WriteString("{\n  echo " + shell.Quote("No engine is here that builds it: "+strings.Join(words(tried), ", ")) + " >&2\n  exit 1\n}\n")
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
// folder stand in double quotes, as the shell's own variable.
type scriptWriter struct {
	plan rebuild.Plan
	call call
}

// A function is one of the script: it fails when its engine is not there, and
// ends the script when the build fails.
type function struct{ name, body string }

func words(names []string) []string {
	plain := slices.Clone(names)
	for n := range plain {
		plain[n] = strings.TrimPrefix(plain[n], "with_")
	}
	return plain
}

func (w scriptWriter) engine(b docker.Builder) []function {
	switch b {
	case docker.Classic:
		return []function{w.docker("with_docker", "docker version", "DOCKER_BUILDKIT=0", true)}
	case docker.BuildKit:
		env, check := "DOCKER_BUILDKIT=1", "docker version"
		if w.has(policyName) {
			env, check = env+` EXPERIMENTAL_BUILDKIT_SOURCE_POLICY="$dir/`+policyName+`"`, "docker buildx version"
		}
		return []function{w.buildctl(), w.docker("with_docker_buildkit", check, env, false)}
	case docker.Buildah:
		return []function{w.buildah()}
	}
	return nil
}

func (w scriptWriter) has(file string) bool {
	s := session{plan: w.plan}
	return s.has(file)
}

// file returns the option that names the Dockerfile, quoted, with a space before
// it.
func (w scriptWriter) file() string {
	switch {
	case w.has(dockerfileName):
		return ` --file="$dir/` + dockerfileName + `"`
	case w.call.file == "":
		return ""
	case isRemote(w.call.context):
		return " " + shell.Word("--file="+w.call.file)
	}
	return " " + shell.Word("--file="+filepath.Join(w.call.context, w.call.file))
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
`, name, check, env, shell.Words(w.call.flags()), w.file(), force, shell.Word(w.call.context))}
}

func (w scriptWriter) buildctl() function {
	policy, output := "", "--output=type=oci,dest=rebuilt.tar"
	if w.has(policyName) {
		policy = ` --source-policy-file="$dir/` + policyName + `"`
	}
	if w.call.rewrite {
		output += ",rewrite-timestamp=true"
	}
	const mark = "/DIR"
	flags := w.call.kitFlags(mark, w.has(dockerfileName))
	var quoted []string
	for _, f := range flags {
		if f == "--local=dockerfile="+mark {
			quoted = append(quoted, `--local=dockerfile="$dir"`)
			continue
		}
		quoted = append(quoted, shell.Word(f))
	}
	return function{"with_buildctl", fmt.Sprintf(`
with_buildctl() {
  buildctl debug workers >/dev/null 2>&1 || return 1
  buildctl build %s%s %s || exit 1
  mv rebuilt.tar "$out"
}
`, strings.Join(quoted, " "), policy, output)}
}

func (w scriptWriter) buildah() function {
	archive := "oci-archive"
	if w.call.format == "docker" {
		archive = "docker-archive"
	}
	return function{"with_buildah", fmt.Sprintf(`
with_buildah() {
  buildah --version >/dev/null 2>&1 || return 1
  buildah build %s%s %s --iidfile="$dir/image-id" %s || exit 1
  buildah push --quiet "$(cat "$dir/image-id")" %s:"$out" || exit 1
  buildah rmi "$(cat "$dir/image-id")" >/dev/null
}
`, shell.Words(w.call.flags()), w.file(), shell.Words(w.call.buildahFlags()), shell.Word(w.call.context), archive)}
}
