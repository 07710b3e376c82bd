package list

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"audit/inspect"
	"audit/report/fleet"
)

// A shelf is a registry with these repositories and their tags.
type shelf map[string][]string

func (s shelf) Tags(_ context.Context, repository string) ([]string, error) {
	if tags, ok := s[repository]; ok {
		return tags, nil
	}
	return nil, fmt.Errorf("no %s", repository)
}

func (s shelf) Repositories(_ context.Context, prefix string) (all []string, err error) {
	for name := range s {
		if strings.HasPrefix(name, prefix) {
			all = append(all, name)
		}
	}
	return all, nil
}

var pinned = strings.Repeat("1", 64)

// brief is a list in short: reference [names] !problem.
func brief(all []Entry) string {
	var lines []string
	for _, e := range all {
		line := e.Reference
		if len(e.Names) > 0 {
			line += " [" + strings.Join(e.Names, " ") + "]"
		}
		if e.Problem != "" {
			line += " !" + e.Problem
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// Each form of a list is told by its content, and leads to these images.
func TestForms(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"text": {"# images\nregistry.example/lab/tool:1.0 # one\n\n  docker://registry.example/lab/tool:1.0\r\nalpine\nimages/a.tar.gz\noci:layout:1.0\nregistry.example/lab/b@sha256:" + strings.Repeat("a", 64) + "\n",
			"alpine !there is no such file; an image of a registry is docker://alpine\ndocker://registry.example/lab/b@sha256:" + strings.Repeat("a", 64) + "\ndocker://registry.example/lab/tool:1.0\nimages/a.tar.gz\noci:layout:1.0"},
		"nextflow": {`{"processes":[{"name":"FASTQC","container":"quay.io/biocontainers/fastqc:0.12"},{"name":"TRIM","container":"quay.io/biocontainers/fastqc:0.12"},
			{"name":"SIF","container":"https://depot.galaxyproject.org/singularity/multiqc:1.2"},{"name":"LOCAL","container":null},{"name":"X","container":""},
			{"name":"LATE","container":"${params.image}"},{"name":"FILE","container":"/data/tool.sif"},{"name":"ODD","container":["a"]}]}`,
			"${params.image} [LATE] !its name is decided elsewhere: it has a variable\n/data/tool.sif [FILE]\ndocker://quay.io/biocontainers/fastqc:0.12 [FASTQC TRIM]\n" +
				"https://depot.galaxyproject.org/singularity/multiqc:1.2 [SIF]\nprocess LOCAL [LOCAL] !" + noContainer + "\nprocess ODD [ODD] !its container is no text\nprocess X [X] !" + noContainer},
		"skopeo": {`{"Repository":"registry.example/lab/tool","Tags":["1.1","1.0"]}`, "docker://registry.example/lab/tool:1.0\ndocker://registry.example/lab/tool:1.1"},
		"kubectl": {`{"apiVersion":"v1","kind":"List","items":[{"kind":"Pod","metadata":{"namespace":"lab","name":"web"},"status":{
			"containerStatuses":[{"name":"a","image":"registry.example/lab/a:1","imageID":"registry.example/lab/a@sha256:` + pinned + `"},{"name":"b","image":"b:1","imageID":"docker-pullable://b@sha256:` + pinned + `"},
			{"name":"c","image":"c:1","imageID":"sha256:33"},{"name":"d","image":"registry.example/d:1","imageID":""}],
			"initContainerStatuses":[{"name":"e","image":"e:1","imageID":"docker://sha256:44"}]}}]}`,
			"c:1 (sha256:33) [lab/web/c] !what runs is known by the digest of its config alone (sha256:33): no registry can be asked for that\n" +
				"docker://b@sha256:" + pinned + " [lab/web/b]\ndocker://registry.example/d:1 [lab/web/d]\ndocker://registry.example/lab/a@sha256:" + pinned + " [lab/web/a]\n" +
				"e:1 (sha256:44) [lab/web/e] !what runs is known by the digest of its config alone (sha256:44): no registry can be asked for that"},
		"kubectl, waiting": {`{"kind":"List","items":[{"kind":"Pod","metadata":{"namespace":"lab","name":"web"},"spec":{"containers":[{"name":"a","image":"a:1"},{"name":"b","image":"b:1"}]},"status":{
			"containerStatuses":[{"name":"a","image":"a:1","imageID":"a@sha256:` + pinned + `"}]}},{"kind":"Pod","metadata":{"namespace":"lab","name":"late"},"spec":{"initContainers":[{"name":"c","image":"c:1"}]},"status":{"phase":"Pending"}}]}`,
			"docker://a@sha256:" + pinned + " [lab/web/a]\ndocker://b:1 [lab/web/b]\ndocker://c:1 [lab/late/c]"},
		"compose": {"name: lab\nservices:\n  web:\n    image: registry.example/web:1\n  db: &db\n    image: postgres:15\n  copy: *db\n  own:\n    build: .\n  late:\n    image: web:${TAG:-1}\n",
			"docker://postgres:15 [copy db]\ndocker://registry.example/web:1 [web]\nservice own [own] !it names no image: it is built where it runs, or extends another\n" +
				"web:${TAG:-1} [late] !its name is decided elsewhere: it has a variable"},
		"kubernetes": {"# two\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: lab}\nspec: {template: {spec: {initContainers: [{name: i, image: init:1}], containers: [{name: c, image: web:1}]}}}\n---\n" +
			"apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly}\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers:\n          - {name: x, image: 'web:1'}\n---\n",
			"docker://init:1 [lab/Deployment/web/i]\ndocker://web:1 [CronJob/nightly/x lab/Deployment/web/c]"},
		"kubernetes JSON": {`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"web:1"}]}}]}`,
			"docker://web:1 [Pod/p/c]"},
		"CWL": {"cwlVersion: v1.2\nclass: CommandLineTool\nid: align\nhints:\n- class: DockerRequirement\n  dockerPull: docker://registry.example/bwa:1\n", "docker://registry.example/bwa:1 [align]"},
		"CWL without a name": {"cwlVersion: v1.2\nclass: CommandLineTool\nid: align\nrequirements:\n  DockerRequirement:\n    dockerLoad: https://h.example/y.tar\n    dockerImageId: y\n",
			"dockerLoad https://h.example/y.tar [align] !it names no image in a registry: it has dockerLoad in place of dockerPull"},
		"volumes": {"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {volumes: [{name: v, image: {reference: 'data:1'}}, {name: w, emptyDir: {}}], containers: [{name: c, image: 'web:1'}]}\n",
			"docker://data:1 [Pod/p/v]\ndocker://web:1 [Pod/p/c]"},
		"volumes of pods": {`{"kind":"Pod","metadata":{"namespace":"lab","name":"p"},"spec":{"volumes":[{"name":"v","image":{"reference":"data:1"}},{"name":"w"}]},"status":{"containerStatuses":[{"name":"c","image":"web:1","imageID":"web@sha256:` + pinned + `"}]}}`,
			"docker://data:1 [lab/p/v]\ndocker://web@sha256:" + pinned + " [lab/p/c]"},
		"Snakefile": {"rule a:\n    container: \"docker://registry.example/a:1\"\nrule b:\n    container:\n        'docker://registry.example/b:1'  # pinned\nrule c:\n    container: f\"docker://{IMAGE}\"\nrule d:\n    singularity: \"images/d.sif\"\n",
			"container: f\"docker://{IMAGE}\" [c] !its container is decided when the workflow runs\ndocker://registry.example/a:1 [a]\ndocker://registry.example/b:1 [b]\nimages/d.sif [d]"},
		"compose with merges": {"x-base: &base\n  image: postgres:15\nservices:\n  <<: {more: {image: 'more:1'}, web: {image: 'other:1'}}\n  db: {<<: *base}\n  two: {<<: [{build: .}, *base]}\n  web:\n    <<: *base\n    image: web:1\n",
			"docker://more:1 [more]\ndocker://postgres:15 [db two]\ndocker://web:1 [web]"},
		"kubernetes with merges": {"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [&c {name: c, image: 'web:1'}, {<<: *c, name: d}]}\n", "docker://web:1 [Pod/p/c Pod/p/d]"},
		"kubernetes with rules": {"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  x:\n  - message: m\n    rule: self.x\n  - rule:\n      y\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: 'web:1'}]}\n",
			"docker://web:1 [Pod/p/c]"},
		"compose with a rule":     {"services:\n  web:\n    image: web:1\n    labels:\n      rule: Host(x)\n      container: 'a'\n", "docker://web:1 [web]"},
		"Snakefile with settings": {"configfile: \"config.yaml\"\nrule a:\n    container: \"docker://a:1\"\n", "docker://a:1 [a]"},
		"batch":                   {`{"schemaVersion":"1","images":[{"reference":"docker://registry.example/a:1","names":["X"]}]}`, "docker://registry.example/a:1 [X]"},
		"secret":                  {"https://user:word@registry.example/tool.sif\n", "https://registry.example/tool.sif"},
		"secrets": {"https://h.example/get?file=a.sif\nhttps://h.example/get?file=b.sif\nhttps://h.example/get?file=a.sif\nhttps://h.example/z.sif\n",
			fmt.Sprintf("https://h.example/get?file=***#%.4x\nhttps://h.example/get?file=***#%.4x\nhttps://h.example/z.sif",
				sha256.Sum256([]byte("https://h.example/get?file=b.sif")), sha256.Sum256([]byte("https://h.example/get?file=a.sif")))},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := Source{Stdin: strings.NewReader(test.text)}.Read(t.Context(), "-")
			if err != nil {
				t.Fatal(err)
			}
			if got := brief(all); got != test.want {
				t.Errorf("found\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// What no form has a place for is named, and nothing else is lost beside it.
func TestNothingIsLost(t *testing.T) {
	running := `{"kind":"Pod","metadata":{"namespace":"lab","name":"p"},"spec":{"containers":[{"name":"c","image":"web:1"}]},"status":{"containerStatuses":[{"name":"c","image":"web:1","imageID":"web@sha256:` + pinned + `"}]}}`
	stopped := `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"replicas":0,"template":{"spec":{"containers":[{"name":"c","image":"off:1"}]}}}}`
	pods := "docker://off:1 [Deployment/d/c]\ndocker://web@sha256:" + pinned + " [lab/p/c]"
	for name, test := range map[string]struct{ text, want string }{
		"kubectl, other kinds": {`{"apiVersion":"v1","kind":"List","items":[` + running + "," + stopped + `]}`, pods},
		"kubectl, YAML": {"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {namespace: lab, name: p}, spec: {containers: [{name: c, image: 'web:1'}]}, " +
			"status: {containerStatuses: [{name: c, image: 'web:1', imageID: 'docker://web@sha256:" + pinned + "'}]}}\n- " + stopped + "\n", pods},
		"Argo": {"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w, annotations: {image: 'note:1'}}\nspec:\n  templates:\n  - {name: a, container: {image: whale}}\n  - {name: b, script: {image: 'python:3', source: 'image: x'}}\n" +
			"  - {name: c, container: {image: '{{inputs.parameters.image}}'}}\n  - {name: d, containerSet: {containers: [{name: x, image: 'say:2'}]}, sidecars: [{name: s, image: 'web:9'}]}\n",
			"docker://python:3 [Workflow/w]\ndocker://say:2 [Workflow/w/x]\ndocker://web:9 [Workflow/w/s]\ndocker://whale [Workflow/w]\n{{inputs.parameters.image}} [Workflow/w] !its name is decided elsewhere: it has a variable"},
		"Tekton": {"apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n  stepTemplate: {image: base}\n  steps:\n  - {name: a, image: 'ubuntu:22.04'}\n  - {name: b, image: $(params.img)}\n",
			"$(params.img) [Task/t/b] !its name is decided elsewhere: it has a variable\ndocker://base [Task/t]\ndocker://ubuntu:22.04 [Task/t/a]"},
		"other objects": {"apiVersion: h.example/v1\nkind: Thing\nmetadata: {name: t}\nspec: {imageName: 'pg:16', image: disk, baseImage: h.example/b@sha256:" + pinned + ", imagePullPolicy: 'Always:1', values: {image: {repository: a, tag: 1}}}\n" +
			"---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: v}\nspec: {rbd: {image: 'foo:1'}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {image: 'text:1'}\n",
			"Thing/t image [Thing/t] !its image is put together from parts: use what helm template prints\nThing/t image disk [Thing/t] !whether it is one of a registry is not known\n" +
				"docker://h.example/b@sha256:" + pinned + " [Thing/t]\ndocker://pg:16 [Thing/t]"},
		"other documents": {"services: {a: {image: 'a:1'}}\n---\nfoo: {image: 'lost:1'}\n---\nvolumes: {}\n---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages: [{name: n, newTag: '1'}]\n",
			"Kustomization !its objects are in other files, and may get other images: use what kubectl kustomize prints\ndocker://a:1 [a]\ndocument 2 !it may name images, and is none of compose, Kubernetes and CWL"},
		"twice": {"services:\n  a:\n    image: a:1\n    image: a:2\n  b: {image: 'b:1'}\n  b: {image: 'b:2'}\n",
			"docker://a:1 [a]\ndocker://b:1 [b]\nline 4: image !the key stands there twice\nline 6: b !the key stands there twice"},
		"CWL imports": {"cwlVersion: v1.2\nclass: Workflow\nid: w\nrequirements:\n- $import: docker.yml\n- class: SchemaDefRequirement\n  types: [{$import: types.yml}]\n" +
			"hints: {DockerRequirement: {dockerPull: {$include: name.txt}}}\nsteps:\n  a: {run: {$import: a.cwl}, in: {x: {default: {$include: x.txt}}}}\n  b: {run: {class: CommandLineTool, hints: {DockerRequirement: {dockerPull: \"b:1\\n\"}}}}\n",
			"$import: a.cwl [w] !it is in another file: use what cwltool --pack prints\n$import: docker.yml [w] !it is in another file: use what cwltool --pack prints\n" +
				"$include: name.txt [w] !it is in another file: use what cwltool --pack prints\ndocker://b:1 [w]"},
		"docker images": {`{"Repository":"alpine","Tag":"3.20","Digest":"<none>","ID":"91"}` + "\n" + `{"Repository":"nginx","Tag":"1","Digest":"sha256:` + pinned + `","ID":"92"}` + "\n" + `{"Repository":"<none>","Tag":"<none>","Digest":"<none>","ID":"93"}` + "\n",
			"docker://alpine:3.20\ndocker://nginx@sha256:" + pinned + " [nginx:1]\nimage 93 !it has no name: no registry can be asked for it"},
		"podman images": {`[{"Id":"91","RepoTags":null,"RepoDigests":["h.example/a@sha256:` + pinned + `"],"Names":["h.example/a:1"]},{"Id":"92","Names":["localhost/b:2"],"Digest":"sha256:` + pinned + `"},{"Id":"93","Names":null,"RepoTags":null,"RepoDigests":[]}]`,
			"docker://h.example/a@sha256:" + pinned + " [h.example/a:1]\ndocker://localhost/b:2\nimage 93 !it has no name: no registry can be asked for it"},
		"crictl images": {`{"images":[{"id":"sha256:aa","repoTags":["h.example/a:1"],"repoDigests":["h.example/a@sha256:` + pinned + `"]},{"id":"sha256:bb","repoTags":[],"repoDigests":[]}]}`,
			"docker://h.example/a@sha256:" + pinned + " [h.example/a:1]\nimage sha256:bb !it has no name: no registry can be asked for it"},
		"array of names": {`["h.example/a:1", "docker://b"]`, "docker://b\ndocker://h.example/a:1"},
		"quoted":         {"\"docker://a:1\"\n'b:2'\nc:3\n", "\"docker://a:1\" !it is no name of an image\n'b:2' !it is no name of an image\ndocker://c:3"},
		"Snakefile, global": {"container: \"docker://all:1\"\nif X:\n    rule a:\n        input: \"x\"\n\n        container: \"docker://a:1\"\nrule b:\n    shell: \"x\"\ncontainer: \"docker://end:1\"\n",
			"docker://a:1 [a]\ndocker://all:1\ndocker://end:1"},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := Source{Stdin: strings.NewReader(test.text)}.Read(t.Context(), "-")
			if err != nil {
				t.Fatal(err)
			}
			if got := brief(all); got != test.want {
				t.Errorf("found\n%s\nwant\n%s", got, test.want)
			}
		})
	}
	for _, text := range []string{"\xff\xfea\x00:\x001\x00", `{"a":1}{"b":2}`} {
		var syntax *SyntaxError
		if _, err := (Source{Stdin: strings.NewReader(text)}).Read(t.Context(), "-"); !errors.As(err, &syntax) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What is no list is a mistake, said in one line; nothing in one makes the reader fail
// in another way.
func TestNoLists(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	for name, text := range map[string]string{
		"empty": "", "comments": "# a\n", "binary": "a\x00b\n", "archive": "\x1f\x8b\x08\x00", "long": strings.Repeat("a", 5000),
		"JSON": `{"a":1}`, "half": `{"processes":[`, "array": `{"processes":{}}`, "other YAML": "a: 1\nb: 2\n", "broken YAML": "services: [\n",
		"deep JSON": `{"services":` + deep, "deep YAML": "services: " + deep, "no tags": `{"Repository":"a","Tags":[]}`,
		"aliases": "services: &a [" + strings.Repeat("*a,", 10) + "]\n", "standard input": "-\n", "escape": "a\x1b[31m\n",
	} {
		all, err := Source{Stdin: strings.NewReader(text)}.Read(t.Context(), "-")
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || strings.Contains(err.Error(), "\n  ") {
			t.Errorf("%s: %q, %v", name, brief(all), err)
		}
	}
	bomb := "services:\n  a: &a {image: x}\n"
	for i := range 40 {
		bomb += fmt.Sprintf("  %c%d: &%c%d [*a, *a, *a]\n", 'b', i, 'b', i)
	}
	if all, err := (Source{Stdin: strings.NewReader(bomb)}).Read(t.Context(), "-"); err != nil || len(all) != 41 {
		t.Errorf("%d, %v", len(all), err)
	}
	for name, text := range map[string]string{
		"containers": manifestBomb("{name: a, image: x}", 3000), "scalars": manifestBomb("a", 4000), "merges": mergeBomb(4000),
		"elements": "services: [" + strings.Repeat("a,", maxParts) + "]\n", "objects": `{"images":[` + strings.Repeat("{},", maxParts) + "{}]}",
		"images": manyLines(maxImages + 1),
	} {
		var over *inspect.LimitError
		if all, err := (Source{Stdin: strings.NewReader(text)}).Read(t.Context(), "-"); !errors.As(err, &over) || over.Where == "" {
			t.Errorf("%s: %d images, %v", name, len(all), err)
		}
	}
	long := strings.Repeat("a", maxLine)
	pair := fmt.Sprintf(`{"Repository":"%[1]s","Tags":["1","2"]}`, long)
	if all, err := (Source{Stdin: strings.NewReader(pair)}).Read(t.Context(), "-"); err != nil || len(all) != 2 || all[0].Problem == "" || len(all[0].Reference) > 2*maxLine {
		t.Errorf("long names: %d, %v", len(all), err)
	}
	if all, err := (Source{Stdin: strings.NewReader(strings.Repeat("a\n", 1<<20))}).Read(t.Context(), "-"); err != nil || len(all) != 1 {
		t.Errorf("one image a million times: %d, %v", len(all), err)
	}
	stream := strings.Repeat("---\napiVersion: v1\nkind: Pod\nspec: {containers: [{image: a}]}\n", maxParts/10)
	if all, err := (Source{Stdin: strings.NewReader(stream[:len(stream)/10])}).Read(t.Context(), "-"); err != nil || len(all) != 1 {
		t.Errorf("a long stream: %d, %v", len(all), err)
	}
	endless := strings.NewReader(strings.Repeat("a\n", maxBytes))
	var over *inspect.LimitError
	if _, err := (Source{Stdin: endless}).Read(t.Context(), "-"); !errors.As(err, &over) {
		t.Error(err)
	}
}

// manifestBomb is a manifest with a list of containers, and as many aliases of it.
func manifestBomb(container string, n int) string {
	return "apiVersion: v1\nkind: List\nx: &x [" + strings.Repeat(container+",", n) + "]\nitems: [" + strings.Repeat("{containers: *x},", n) + "]\n"
}

// mergeBomb is a compose file with a list of mappings, and as many services into which
// they are merged.
func mergeBomb(n int) string {
	b := "x: &x [" + strings.Repeat("{},", n) + "]\nservices:\n"
	for i := range n {
		b += fmt.Sprintf("  s%d: {<<: *x}\n", i)
	}
	return b
}

func manyLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "http://%d\n", i) // no file is looked for
	}
	return b.String()
}

// What is wrong with one repository of a catalog is a problem of it alone; what is wrong
// with the registry ends the list.
func TestCatalog(t *testing.T) {
	gone := &transport.Error{StatusCode: http.StatusNotFound}
	refused := &transport.Error{StatusCode: http.StatusForbidden}
	bad := &inspect.FormatError{Where: "the repository", Err: errors.New("it has a bad name")}
	s := Source{Registry: catalog{"h/lab/a": nil, "h/lab/gone": fmt.Errorf("listing: %w", gone), "h/lab/refused": refused, "h/lab/\x1b[31mred": bad}}
	all, err := s.Read(t.Context(), "docker://h/lab/")
	var problems []string
	for _, e := range all {
		problems = append(problems, fmt.Sprintf("%q %v", e.Reference, e.Problem != ""))
	}
	if want := `["docker://h/lab/\x1b[31mred" true "docker://h/lab/a:1" false "docker://h/lab/gone" true "docker://h/lab/refused" true]`; err != nil || fmt.Sprint(problems) != want {
		t.Errorf("%v, %v", problems, err)
	}
	busy := &transport.Error{StatusCode: http.StatusServiceUnavailable}
	if _, err := (Source{Registry: catalog{"h/lab/a": nil, "h/lab/b": busy}}).Read(t.Context(), "docker://h/lab/"); !errors.Is(err, busy) {
		t.Error(err)
	}
	if _, err := s.Read(t.Context(), "docker://h/lab/gone"); !errors.Is(err, gone) {
		t.Error(err)
	}
}

// A catalog is a registry with repositories of one tag, or an error in its place.
type catalog map[string]error

func (c catalog) Tags(_ context.Context, repository string) ([]string, error) {
	if err := c[repository]; err != nil {
		return nil, err
	}
	return []string{"1"}, nil
}

func (c catalog) Repositories(context.Context, string) ([]string, error) {
	return slices.Sorted(maps.Keys(c)), nil
}

// A folder has images as files and as layouts; what is none is reported. A registry has
// repositories and tags.
func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("a.tar.gz", "\x1f\x8b...")
	write("deep/b.sif", "#!/usr/bin/env run-singularity\n\x00SIF_MAGIC")
	write("README", "text")
	write(".hidden/c.tar.gz", "\x1f\x8b...")
	write("layout/oci-layout", "{}")
	write("layout/index.json", `{"manifests":[{"digest":"sha256:`+strings.Repeat("a", 64)+`","annotations":{"org.opencontainers.image.ref.name":"1.0"}},{"digest":"sha256:`+strings.Repeat("b", 64)+`"}]}`)
	var skipped []string
	s := Source{Registry: shelf{"registry.example/lab/a": {"1", "2"}, "registry.example/lab/b": {"1"}, "registry.example/x/c": {"1"}}, Skipped: func(path string) { skipped = append(skipped, path) }}
	for name, want := range map[string]string{
		dir:                                      fmt.Sprintf("%[1]s/a.tar.gz\n%[1]s/deep/b.sif\noci:%[1]s/layout:1.0\noci:%[1]s/layout:sha256:%[2]s", dir, strings.Repeat("b", 64)),
		dir + "/layout":                          fmt.Sprintf("oci:%[1]s/layout:1.0\noci:%[1]s/layout:sha256:%[2]s", dir, strings.Repeat("b", 64)),
		"docker://registry.example/lab/":         "docker://registry.example/lab/a:1\ndocker://registry.example/lab/a:2\ndocker://registry.example/lab/b:1",
		"docker://registry.example/lab/a":        "docker://registry.example/lab/a:1\ndocker://registry.example/lab/a:2",
		"docker://registry.example/x/c:9":        "docker://registry.example/x/c:9",
		"docker://registry.example:5/c@sha256:1": "docker://registry.example:5/c@sha256:1",
	} {
		all, err := s.Read(t.Context(), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := brief(all); got != want {
			t.Errorf("%s: found\n%s\nwant\n%s", name, got, want)
		}
	}
	if len(skipped) != 1 {
		t.Errorf("skipped %q", skipped)
	}
}

// docker: names an image with two slashes after it; without them nothing is asked for.
func TestNoSlashes(t *testing.T) {
	all, err := Source{Stdin: strings.NewReader("docker:ubuntu\ndocker:/lab/tool:1\ndocker://ok/tool\n")}.Read(t.Context(), "-")
	if err != nil || len(all) != 3 {
		t.Fatalf("%q, %v", brief(all), err)
	}
	for i, want := range []string{"", "nearest is docker://lab/tool:1", "nearest is docker://ubuntu"} {
		if (all[i].Problem == "") != (want == "") || !strings.Contains(all[i].Problem, want) {
			t.Errorf("%s: %q, want %q", all[i].Reference, all[i].Problem, want)
		}
	}
}

// A digest in the place of a comment is what a reference has to lead to; of two none is.
func TestDigests(t *testing.T) {
	one, two := "sha256:"+strings.Repeat("1", 64), "sha256:"+strings.Repeat("2", 64)
	text := "./a.tar # " + one + "\n./b.tar #" + one + "\n./b.tar\n./c.tar # about " + one + "\n./d.tar # " + one + "\n./d.tar # " + two + "\n"
	all, err := Source{Stdin: strings.NewReader(text)}.Read(t.Context(), "-")
	var got []string
	for _, e := range all {
		got = append(got, strings.Join([]string{e.Reference, strings.TrimPrefix(e.Digest, "sha256:1111"), e.Problem}, "|"))
	}
	short := one[len("sha256:1111"):]
	if want := []string{"a.tar|" + short + "|", "b.tar|" + short + "|", "c.tar||", "d.tar|" + short + "|the list wants it to have two digests, " + one + " and " + two}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, want %q, %v", got, want, err)
	}
}

// A workflow is in all files that it includes; what cannot be read of it is named.
func TestIncluded(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Snakefile":        "include: \"rules/a.smk\"\ninclude:\n    'rules/gone.smk'\ninclude: f\"{x}.smk\"\nmodule m:\n    snakefile: \"https://h.example/x.smk\"\nrule all:\n    container: \"docker://all:1\"\n",
		"rules/a.smk":      "include: \"deep/b.smk\"\ninclude: \"../Snakefile\"\nrule a:\n    container: \"docker://a:1\"\n",
		"rules/deep/b.smk": "include: \"../a.smk\"\nrule b:\n    container: \"docker://b:1\"\n",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	all, err := Source{}.Read(t.Context(), filepath.Join(dir, "Snakefile"))
	var got []string
	for _, e := range all {
		got = append(got, fmt.Sprintf("%s %v", e.Reference, e.Problem != ""))
	}
	want := []string{"docker://a:1 false", "docker://all:1 false", "docker://b:1 false", `include: "https://h.example/x.smk" true`, `include: 'rules/gone.smk' true`, `include: f"{x}.smk" true`}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, want %q, %v", got, want, err)
	}
	for text, want := range map[string]string{
		"services:\n  web:\n    image: web:1\ninclude:\n- other.yml\n": "docker://web:1 [web]\ninclude !services of other files are included: use what the config command of compose prints",
		"cwlVersion: v1.2\nclass: Workflow\nid: w\nsteps:\n  a: {run: bwa.cwl}\n  b: {run: '#tool'}\nhints: [{class: DockerRequirement, dockerPull: 'w:1'}]\n": "docker://w:1 [w]\n" +
			"run: bwa.cwl [w] !the tool of a step is in another file: use what cwltool --pack prints",
	} {
		if all, err := (Source{Stdin: strings.NewReader(text)}).Read(t.Context(), "-"); err != nil || brief(all) != want {
			t.Errorf("%s: %s, %v", text, brief(all), err)
		}
	}
}

// A bare name in a text is asked of a registry where it can be nothing else: what it was
// mistyped from may be nobody's to know. What engines call an image is one.
func TestBareNames(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"images", "layout", "data.v1"} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("images/tool", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	asked := "docker://alpine:3.19 docker://h.example/lab/tool@sha256:" + pinned + " docker://lab/tool:1"
	missing := "alpine data.v1/secret:1 h.example:5000/lab/tool images/toll layout:1.0 private/thing"
	text := strings.ReplaceAll("alpine:3.19 h.example/lab/tool@sha256:"+pinned+" lab/tool:1 images/tool "+missing, " ", "\n")
	all, err := Source{Stdin: strings.NewReader(text)}.Read(t.Context(), "-")
	var gotAsked, gotMissing []string
	for _, e := range all {
		switch {
		case strings.HasPrefix(e.Address, "docker://"):
			gotAsked = append(gotAsked, e.Address)
		case strings.Contains(e.Problem, "no such file") && strings.Contains(e.Problem, "docker://"+e.Reference):
			gotMissing = append(gotMissing, e.Address)
		case e.Address != "images/tool" || e.Problem != "":
			t.Errorf("%+v", e)
		}
	}
	if err != nil || strings.Join(gotAsked, " ") != asked || strings.Join(gotMissing, " ") != missing {
		t.Errorf("asked %q, missing %q, %v", gotAsked, gotMissing, err)
	}
	for form, text := range map[string]string{
		"rule a:\n  container: 'images/toll'\n": "images/toll [a]", `{"processes":[{"name":"A","container":"images/x.sif"},{"name":"B","container":"ubuntu"}]}`: "docker://ubuntu [B]\nimages/x.sif [A]",
		"oras://h/x:1\n": "oras://h/x:1 !audit reads nothing at oras://: save the image in a file, or name it in a registry, docker://",
		`{"images":[{"reference":"lab/gone:1"}]}`: "lab/gone:1",
	} {
		if all, err := (Source{Stdin: strings.NewReader(form)}).Read(t.Context(), "-"); err != nil || brief(all) != text {
			t.Errorf("%s: %s, %v", form, brief(all), err)
		}
	}
}

// Nothing in a list makes the reader panic, and every entry has a reference.
func FuzzRead(f *testing.F) {
	f.Add("registry.example/a:1\n")
	f.Add(`{"processes":[{"name":"a","container":"b"}]}`)
	f.Add("apiVersion: v1\nkind: Pod\nspec: {containers: [{image: a}]}\n")
	f.Add("services: &a {b: *a}\n")
	f.Add("rule a:\n  container: 'docker://a'\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := Source{Stdin: strings.NewReader(text)}.Read(t.Context(), "-")
		for _, e := range all {
			if e.Reference == "" && e.Problem == "" || err != nil {
				t.Errorf("%q, %v", e, err)
			}
		}
	})
}

// A file may have a name of any bytes: its reference is one that a status can hold, and no
// other's.
func TestNamesOfBytes(t *testing.T) {
	all := merged([]Entry{entry("caf\xe9.sif"), entry("caf\xe8.sif"), entry("x")})
	seen := make(map[string]bool)
	for _, e := range all {
		text, err := json.Marshal(e.Image)
		var back fleet.Image
		if err := errors.Join(err, json.Unmarshal(text, &back)); err != nil || back.Reference != e.Reference || seen[e.Reference] {
			t.Errorf("%q is read as %q, %v", e.Reference, back.Reference, err)
		}
		seen[e.Reference] = true
	}
	if all[0].Address != "caf\xe8.sif" || all[1].Address != "caf\xe9.sif" {
		t.Errorf("%q", all)
	}
}
