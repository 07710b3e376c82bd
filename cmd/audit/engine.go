package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"audit/cmd/audit/batch/list"
	"audit/rebuild"
	"audit/rebuild/shell"
)

// Engines that run arrays of tasks take a file that says what a task is. A template for
// each stands in engines: what is quoted there, and how, is what matters, for names of
// lists and folders are the user's, and may have been chosen by somebody else.
//
//go:embed engines
var engineTemplates embed.FS

// An arrayEngine runs the shards of a list as tasks.
type arrayEngine struct {
	name, template string
	most           int    // tasks
	shard          string // of a task, as a word of its shell; "" where --shard auto finds it
	apart          bool   // tasks see a volume or a checkout alone, and paths are relative to it
	needsImage     bool
	unused         string // a flag of engines that it has no use for
}

// arrayEngines are all of them.
func arrayEngines() []arrayEngine {
	return []arrayEngine{
		// MaxArraySize is 1001, and the first index 1.
		{name: "slurm", template: "slurm.sh", most: 1000, shard: `"$SLURM_ARRAY_TASK_ID/%d"`, unused: "engine-image"},
		// With so many status.failedIndexes stays short.
		{name: "kubernetes", template: "kubernetes.yaml", most: 10_000, apart: true, needsImage: true},
		// The jobs of a matrix.
		{name: "github", template: "github.yml", most: 256, shard: `"$SHARD/%d"`, apart: true},
		// The greatest parallel; how many of them run at a time is the runners' to say.
		{name: "gitlab", template: "gitlab.yml", most: 200, shard: `"$CI_NODE_INDEX/%d"`, apart: true, unused: "at-a-time"},
	}
}

func engineNames() string {
	var names []string
	for _, e := range arrayEngines() {
		names = append(names, e.name)
	}
	return strings.Join(names, ", ")
}

// perShard is how many images a shard has where --shards does not say how many there
// are: enough to outweigh the start of a task, few enough to lose with one.
const perShard = 25

func engineFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "engine", Usage: "audit nothing, and print what `ENGINE` needs to do it in shards: " + engineNames() + " (see audit help engines)"},
		&cli.IntFlag{Name: "shards", Usage: fmt.Sprintf("there are `N` shards: of --engine (default: one for %d images), or of --shard auto", perShard)},
		&cli.IntFlag{Name: "at-a-time", Value: 8, Usage: "with --engine: `N` tasks at a time, which is the load on registries"},
		&cli.StringFlag{Name: "engine-image", Usage: "with --engine: run audit from the image `REF@DIGEST`, whose entry point it is"},
	}
}

// An array is what the template of an engine is filled with.
type array struct {
	Shards, AtATime, Jobs int

	Image       string // that has the program; "" for one that is installed
	Dir, Page   string // of the results, and the file of the summary
	BatchArgs   []string
	SummaryArgs []string
	Batch       string // the command of a task, for a shell
	Summary     string // and of the summary
}

// Numbers are those of the shards.
func (a array) Numbers() []int {
	numbers := make([]int, a.Shards)
	for i := range numbers {
		numbers[i] = i + 1
	}
	return numbers
}

// writeEngine prints what the engine that --engine names needs to do a list; false when
// none is asked for.
func writeEngine(c *cli.Context, name string, entries []list.Entry) (bool, error) {
	if c.String("engine") == "" {
		return false, noEngine(c)
	}
	all := arrayEngines()
	i := slices.IndexFunc(all, func(e arrayEngine) bool { return e.name == c.String("engine") })
	if i < 0 {
		return true, usage("--engine %s: not one of %s", c.String("engine"), engineNames())
	}
	a, err := newArray(c, all[i], name, len(entries))
	if err != nil {
		return true, err
	}
	return true, all[i].write(c.App.Writer, a)
}

// noEngine refuses flags that would not be used.
func noEngine(c *cli.Context) error {
	for _, f := range engineFlags() {
		if name := f.Names()[0]; name != "shards" && c.IsSet(name) { // --shard auto takes it, too
			return usage("--%s is for the file of an engine: name it with --engine", name)
		}
	}
	return nil
}

func newArray(c *cli.Context, e arrayEngine, name string, images int) (array, error) {
	a := array{Shards: c.Int("shards"), AtATime: c.Int("at-a-time"), Jobs: max(c.Int("jobs"), 1), Image: c.String("engine-image"), Dir: c.String("output")}
	if !c.IsSet("shards") {
		a.Shards = min(max((images+perShard-1)/perShard, 1), e.most)
	}
	if err := e.checkFlags(c, a); err != nil {
		return a, err
	}
	a.AtATime = min(a.AtATime, a.Shards)
	if err := e.checkPaths(name, a.Dir); err != nil {
		return a, err
	}
	a.Page = path.Join(filepath.ToSlash(a.Dir), "summary.html")
	a.BatchArgs = slices.Concat(givenFlags(c, workerFlags(c)), []string{"--", name})
	if !c.IsSet("jobs") {
		a.BatchArgs = slices.Insert(a.BatchArgs, 0, "--jobs=1")
	}
	a.SummaryArgs = []string{"--format=html", "--output=" + a.Page, "--list=" + name}
	if strings.HasPrefix(name, "docker://") { // the registry is asked again
		a.SummaryArgs = append(a.SummaryArgs, givenFlags(c, registryFlags())...)
	}
	a.SummaryArgs = append(a.SummaryArgs, "--", a.Dir)
	if err := e.checkFiles(a); err != nil {
		return a, err
	}
	for _, word := range slices.Concat(a.BatchArgs, a.SummaryArgs) {
		if err := checkWord(c, word); err != nil {
			return a, err
		}
	}
	shard := "auto"
	if e.shard != "" {
		shard = fmt.Sprintf(e.shard, a.Shards)
	}
	program := e.program(a.Image)
	a.Batch = program + " batch --shard " + shard + " " + shell.Words(a.BatchArgs)
	a.Summary = program + " summary " + shell.Words(a.SummaryArgs)
	return a, nil
}

// checkFlags refuses what the engine cannot do, or would not use.
func (e arrayEngine) checkFlags(c *cli.Context, a array) error {
	switch {
	case a.Shards < 1 || a.Shards > e.most:
		return usage("--shards %d: %s takes 1 to %d", a.Shards, e.name, e.most)
	case a.AtATime < 1:
		return usage("--at-a-time %d: at least 1", a.AtATime)
	case c.IsSet("shard"):
		return usage("--shard is the tasks' own: --shards says how many there are")
	case e.unused != "" && c.IsSet(e.unused):
		return usage("--engine %s has no use for --%s", e.name, e.unused)
	case c.IsSet("creds"):
		return usage("--creds does not belong in a script; workers take --authfile, or the credentials of docker login")
	case e.needsImage && a.Image == "":
		return usage("--engine %s runs audit from an image: name it with --engine-image REF@DIGEST", e.name)
	}
	return checkEngineImage(a.Image)
}

// program is the command that runs audit in a task of an engine whose tasks are shells.
func (e arrayEngine) program(image string) string {
	if e.name == "github" && image != "" { // its containers need a shell and more in the image
		return `docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/work" --workdir /work ` + shell.Word(image)
	}
	return "audit"
}

// pinnedImage is a reference with a digest, of the characters that those have.
var pinnedImage = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]*@sha256:[0-9a-f]{64}$`)

// checkEngineImage demands that an image is named by its digest: another under the same
// tag would be another auditor.
func checkEngineImage(image string) error {
	if image == "" {
		return nil
	}
	if !pinnedImage.MatchString(image) {
		return usage("--engine-image %s: a REF@sha256:DIGEST belongs here", image)
	}
	return nil
}

// checkPaths refuses what tasks could not find: a list on standard input, and where they
// see a volume or a checkout alone, what lies outside of it.
func (e arrayEngine) checkPaths(list, dir string) error {
	switch {
	case list == "-":
		return usage("--engine %s: the tasks read the list, so it has to be in a file", e.name)
	case dir == "":
		return usage("--engine %s: name the folder of the results with -o DIR", e.name)
	case !e.apart:
		return nil
	case !isPlainPath(dir):
		return usage("-o %s: the tasks of %s work in a folder of their own; a path below it belongs here, of letters, digits, dots, - and _", dir, e.name)
	case !strings.HasPrefix(list, "docker://") && !filepath.IsLocal(list):
		return usage("%s: the tasks of %s work in a folder of their own, and the list has to be below it", list, e.name)
	}
	return nil
}

// checkFiles refuses files of this machine that flags name, where tasks run in an image and
// see of all else their folder alone.
func (e arrayEngine) checkFiles(a array) error {
	if !e.apart || a.Image == "" {
		return nil
	}
	for _, word := range a.BatchArgs {
		flag, value, _ := strings.Cut(word, "=")
		_, named, _ := strings.Cut(value, "=") // NAME=PATH
		for _, file := range []string{value, named} {
			if file = strings.TrimPrefix(file, "file://"); file != "" && !filepath.IsLocal(file) && exists(file) {
				return usage("%s %s: the tasks of %s work in a folder of their own, and a file below it belongs here", flag, file, e.name)
			}
		}
	}
	return nil
}

// isPlainPath says that a path is local, and has nothing in it that engines take for a
// pattern or a variable, nor a hidden folder.
func isPlainPath(dir string) bool {
	return filepath.IsLocal(dir) && !strings.ContainsFunc(dir, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-", r)
	}) && !strings.Contains("/"+dir, "/.") && !strings.HasPrefix(dir, "-")
}

// checkWord refuses what cannot stand in a file of text as it is, and what must not.
func checkWord(c *cli.Context, word string) error {
	if !utf8.ValidString(word) || strings.ContainsFunc(word, unicode.IsControl) {
		return usage("%q has characters that cannot stand in a script", word)
	}
	all, _ := c.App.Metadata[allSecretsKey].(rebuild.Secrets)
	if masked := all.Mask(word); masked != word {
		return usage("%s: a secret does not belong in a script", masked)
	}
	return nil
}

// workerFlags are those that are not about the engine.
func workerFlags(c *cli.Context) []cli.Flag {
	own := flagNames(&cli.Command{Flags: engineFlags()})
	return slices.DeleteFunc(slices.Clone(c.Command.Flags), func(f cli.Flag) bool { return slices.Contains(own, f.Names()[0]) })
}

// givenFlags are those of all flags that are given, as a task is to get them: on the
// command line, by variables and in the file of --config, which need not be there too.
func givenFlags(c *cli.Context, all []cli.Flag) (words []string) {
	for _, f := range all {
		flag := f.Names()[0]
		if !c.IsSet(flag) || flag == "config" {
			continue
		}
		if _, isBool := f.(*cli.BoolFlag); isBool && c.Bool(flag) {
			words = append(words, "--"+flag)
			continue
		}
		for _, value := range flagValues(c, flag) {
			words = append(words, "--"+flag+"="+value)
		}
	}
	return words
}

// flagValues are the values of a flag, as they are typed.
func flagValues(c *cli.Context, flag string) []string {
	switch v := c.Value(flag).(type) {
	case cli.StringSlice:
		return v.Value()
	case []string:
		return v
	default:
		return []string{fmt.Sprint(v)}
	}
}

// write fills the template of an engine. In it, yaml is a text as a double-quoted scalar,
// which JSON's strings are; args and github keep the engine from replacing variables.
func (e arrayEngine) write(w io.Writer, a array) error {
	t, err := template.New(e.template).Funcs(template.FuncMap{
		"yaml":   yamlText,
		"quote":  shell.Quote,
		"args":   func(text string) string { return strings.ReplaceAll(text, "$", "$$") },
		"github": func(text string) string { return strings.ReplaceAll(text, "${{", "${{ '${{' }}") },
	}).ParseFS(engineTemplates, path.Join("engines", e.template))
	if err != nil {
		return fmt.Errorf("reading the template of %s: %w", e.name, err)
	}
	return t.Execute(w, a)
}

// yamlText writes a text as YAML and JSON both read it.
func yamlText(text string) (string, error) {
	var quoted strings.Builder
	e := json.NewEncoder(&quoted)
	e.SetEscapeHTML(false)
	err := e.Encode(text)
	return strings.TrimSpace(quoted.String()), err
}
