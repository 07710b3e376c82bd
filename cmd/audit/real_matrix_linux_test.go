package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRealMatrix has the tools of the field write images in each of their modes, and
// audits them: none may end worse than unverified, and each layer's digest and diffID
// are those that skopeo, sha256sum and the decompressors find. It needs root, the
// packages that .ci/run installs and the tools that .ci/tools builds.
func TestRealMatrix(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "matrix" {
		t.Skip("needs root, Docker, podman, buildah, skopeo, umoci, docker-registry, and AUDIT_TEST_TOOLS, the folder of .ci/tools: AUDIT_TEST_REAL=matrix says that they are there")
	}
	l := newShelf(t)
	l.atelier(t)
	fmt.Printf("| %-24s | %-40s | %-14s | %-12s | layers, each with its digest and diffID\n", "tool", "mode", "form", "verdict")
	rows := modes()
	for i, m := range rows {
		t.Run(m.tool+": "+m.name, func(t *testing.T) {
			l.write(t, "functions", l.functions(fmt.Sprintf("%s/out/%03d", l.dir, i)))
			fmt.Println(l.audited(t, m))
		})
	}
	for _, a := range absent {
		fmt.Printf("| %-24s | not run: %s\n", a[0], a[1])
	}
	if !t.Failed() {
		fmt.Printf("real suite: matrix %d modes, by %s\n", len(rows), l.versions(t))
	}
}

// functions is what the commands of a mode can use: $F is the file to write.
func (l *shelf) functions(f string) string {
	return `F=` + f + `
kit() { $TOOLS/buildctl --addr unix://$D/kit.sock build --progress plain --frontend dockerfile.v0 --local context=. --local dockerfile=. "$@"; }
ko() { (cd app && KO_DOCKER_REPO=$REGISTRY/ko KO_DEFAULTBASEIMAGE=$REGISTRY/lab/base:1 PATH=$PATH:$GODIR GOFLAGS= CGO_ENABLED=0 $TOOLS/ko build --insecure-registry --base-import-paths "$@" .); }
sum() { echo sha256:$(sha256sum | cut -d' ' -f1); }
plain() {
  case $(head -c 4 "$1" | od -An -tx1 | tr -d ' ') in
    1f8b*) gzip -dc "$1" ;;
    28b52ffd) zstd -dcq "$1" ;;
    *) cat "$1" ;;
  esac
}
# layer BLOB [DIGEST] prints a layer's digest and diffID.
layer() {
  local digest
  digest=$(sum <"$1")
  [ "${2:-$digest}" = "$digest" ] || digest="$digest named $2"
  echo "$digest $(plain "$1" | sum)"
}
# layers FORM IMAGE prints those of each layer.
layers() {
  local blob unpacked=$F.unpacked
  mkdir "$unpacked"
  case $1 in
    oci)
      skopeo inspect "oci:$2" --format '{{range .Layers}}{{println .}}{{end}}' | grep . | while read -r blob; do layer "$2/blobs/${blob/://}" "$blob"; done ;;
    oci-archive)
      tar -C "$unpacked" -xf "$2"
      rmdir "$unpacked.unpacked" 2>/dev/null || true
      F=$unpacked layers oci "$unpacked" ;;
    docker-archive)
      tar -C "$unpacked" -xf "$2"
      jq -r --arg tag "${3:-}" 'first(.[] | select($tag == "" or ((.RepoTags // []) | any(. == $tag)))) | .Layers[]' "$unpacked/manifest.json" | while read -r blob; do layer "$unpacked/$blob"; done ;;
    docker)
      if skopeo copy -q --src-tls-verify=false "$2" "dir:$unpacked" 2>/dev/null; then
        jq -r '.layers[].digest' "$unpacked/manifest.json" | while read -r blob; do layer "$unpacked/${blob#*:}" "$blob"; done
        return
      fi
      # media types that skopeo refuses, or mixed ones
      $TOOLS/crane pull --format oci "${2#docker://}" "$unpacked"
      blob=$(jq -r '.manifests[0].digest' "$unpacked/index.json")
      jq -r '.layers[].digest' "$unpacked/blobs/${blob/://}" | while read -r blob; do layer "$unpacked/blobs/${blob/://}" "$blob"; done ;;
    rootfs) layer "$2" ;;
    sif) ;;
  esac
}
`
}

// atelier starts the tools that Debian lacks, and makes what all modes begin with.
func (l *shelf) atelier(t *testing.T) {
	t.Helper()
	compiler, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	l.env = append(l.env, "TOOLS="+os.Getenv("AUDIT_TEST_TOOLS")+"/bin", "GODIR="+filepath.Dir(compiler),
		"BASH_ENV="+l.dir+"/functions", "XDG_RUNTIME_DIR="+l.dir+"/run")
	l.images(t) // lays down the build context
	l.write(t, "functions", l.functions(l.dir+"/kit.docker.tar"))
	l.daemon(t, "$TOOLS/buildkitd --root $D/kit --addr unix://$D/kit.sock --oci-worker-snapshotter=native --oci-worker-net=host --containerd-worker=false")
	for name, store := range map[string]string{"graph": "--storage-driver=vfs", "store": "--feature=containerd-snapshotter=true --storage-driver=native"} {
		l.daemon(t, fmt.Sprintf("$TOOLS/dockerd --data-root=$D/%[1]s --exec-root=$D/%[1]s.exec --pidfile=$D/%[1]s.pid --host=unix://$D/%[1]s.sock --iptables=false --ip6tables=false --bridge=none %[2]s", name, store))
	}
	l.run(t, `for n in $(seq 120); do
			$TOOLS/buildctl --addr unix://$D/kit.sock debug workers >/dev/null 2>&1 && docker -H unix://$D/graph.sock version >/dev/null 2>&1 &&
				docker -H unix://$D/store.sock version >/dev/null 2>&1 && break
			sleep 0.5
		done
		mkdir out app run
		printf 'package main\n\nfunc main() { println("lab") }\n' >app/main.go
		printf 'module lab/app\n\ngo 1.24\n' >app/go.mod
		tar -cf new.tar new
		openssl genrsa -out key 2048 && openssl rsa -in key -pubout -out key.pub
		kit --output type=docker,dest=$D/kit.docker.tar,name=lab/kit:1
		buildah bud -q --layers --network none -t lab/layered:1 .
		buildah bud -q --network none -t lab/twin:1 -f Twin .
		buildah push -q lab/layered:1 oci:base:1
		skopeo copy -q oci:base:1 oci-archive:base.oci.tar:1
		skopeo copy -q oci:base:1 docker-archive:base.docker.tar:lab/base:1
		skopeo copy -q oci:base:1 dir:base.dir
		skopeo copy -q --encryption-key jwe:key.pub oci:base:1 oci:encrypted:1
		skopeo copy -q --dest-tls-verify=false oci:base:1 docker://$REGISTRY/lab/base:1`)
}

// audited makes an image, audits it and returns the row of the table.
func (l *shelf) audited(t *testing.T, m mode) string {
	t.Helper()
	if m.ref == "" {
		m.ref = "$F"
	}
	if _, said, err := l.try(m.make); err != nil {
		t.Errorf("%s: %v\n%s", m.make, err, said[max(0, len(said)-1500):])
		return fmt.Sprintf("| %-24s | %-40s | not made", m.tool, m.name)
	}
	_, said, err := l.try("audit -o $F.audit " + m.ref)
	text, unread := os.ReadFile(filepath.Join(l.run(t, "echo $F.audit"), "report.json"))
	if unread != nil {
		t.Errorf("audit %s: %v\n%s", m.ref, err, said)
		return fmt.Sprintf("| %-24s | %-40s | not read", m.tool, m.name)
	}
	var report fieldReport
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	if !honest(report.Verdict) {
		t.Errorf("%s: %s", report.Verdict, strings.Join(report.problems(), "; "))
	}
	form := report.Image.Transport
	l.sameLayers(t, m, report)
	return fmt.Sprintf("| %-24s | %-40s | %-14s | %-12s | %d", m.tool, m.name, form, report.Verdict, len(report.Image.Layers))
}

// sameLayers compares the layers of a report with those that other readers see.
func (l *shelf) sameLayers(t *testing.T, m mode, report fieldReport) {
	t.Helper()
	path := m.ref
	if form, rest, found := strings.Cut(m.ref, ":"); found && form == "docker-archive" {
		path = strings.Replace(rest, ":", " ", 1) // and the tag
	} else if found && form == "rootfs" {
		path = rest
	}
	want := strings.Fields(l.run(t, "layers "+report.Image.Transport+" "+path))
	var got []string
	for _, layer := range report.Image.Layers {
		got = append(got, layer.Digest, layer.DiffID)
	}
	switch {
	case report.Image.Transport == "sif": // its one layer is a partition: see archiveDigest
		want, got = []string{l.run(t, "sum <$F")}, []string{report.Image.ArchiveDigest}
	case m.opaque:
		want, got = everySecond(want), everySecond(got)
	}
	if !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("layers %v, other readers see %v", got, want)
	}
}

// everySecond leaves the digests and drops the diffIDs.
func everySecond(list []string) (digests []string) {
	for i := 0; i < len(list); i += 2 {
		digests = append(digests, list[i])
	}
	return digests
}
