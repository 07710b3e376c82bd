package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"audit/fixtures/ambiguous"
)

// The readers have their engines, and a registry of the layouts, in one folder.
type readers struct {
	*shelf
	test *testing.T
}

// drivers are those of storage, by the names that containers/storage has for them:
// one unpacks all layers into one folder, the other each on its own.
func drivers() []string { return []string{"vfs", "overlay"} }

// newReaders starts containerd, and Docker twice. They end with the test.
func newReaders(t *testing.T) *readers {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "readers") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	b := &readers{&shelf{dir: dir}, t}
	t.Cleanup(func() {
		b.try("grep -F \" $D/\" /proc/mounts | cut -d' ' -f2 | sort -r | xargs -r umount")
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	registry := httptest.NewServer(layoutRegistry(dir))
	t.Cleanup(registry.Close)
	b.env = append(os.Environ(), "PATH=/usr/bin:/usr/sbin:/bin:/sbin", "HOME="+dir, "D="+dir, "DOCKER_CONFIG="+dir,
		"REGISTRY="+strings.TrimPrefix(registry.URL, "http://"), "BUILDAH_ISOLATION=chroot", "CONTAINERD_ADDRESS="+dir+"/containerd.sock")
	b.write(t, "config.json", "{}")
	b.write(t, "policy.json", `{"default":[{"type":"insecureAcceptAnything"}]}`)
	b.write(t, "containerd.toml", fmt.Sprintf(`version = 2
root = "%[1]s/containerd"
state = "%[1]s/containerd-state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "%[1]s/containerd.sock"
`, dir))
	b.daemon(t, "containerd --config $D/containerd.toml")
	for _, driver := range drivers() {
		b.dockerd(t, driver)
	}
	return b
}

// dockerd starts Docker with a driver of storage, if it does not run: an image can
// end it.
func (b *readers) dockerd(t *testing.T, driver string) (started bool) {
	t.Helper()
	const ping = "docker -H unix://$D/%[1]s.sock version >/dev/null 2>&1"
	if _, _, err := b.try(fmt.Sprintf(ping, driver)); err == nil {
		return false
	}
	storage := map[string]string{"vfs": "vfs", "overlay": "overlay2"}[driver]
	b.run(t, "rm -f $D/"+driver+".pid")
	b.daemon(b.test, fmt.Sprintf("dockerd --containerd=$D/containerd.sock --containerd-namespace=docker-%[1]s --data-root=$D/docker-%[1]s"+
		" --exec-root=$D/exec-%[1]s --pidfile=$D/%[1]s.pid --host=unix://$D/%[1]s.sock --iptables=false --ip6tables=false --bridge=none --storage-driver=%[2]s", driver, storage))
	b.run(t, fmt.Sprintf("for n in $(seq 120); do "+ping+" && exit 0; sleep 0.5; done; exit 1", driver))
	return true
}

// A typed is a descriptor, as far as a registry needs it.
type typed struct{ MediaType, Digest string }

// entriesOf returns what index.json of the layout in a folder lists.
func entriesOf(dir string) ([]typed, error) {
	var index struct{ Manifests []typed }
	data, err := os.ReadFile(filepath.Join(dir, "layout/index.json"))
	if err == nil {
		err = json.Unmarshal(data, &index)
	}
	return index.Manifests, err
}

// layoutRegistry serves the layouts below a folder: DIR/NAME/layout under the name
// NAME, with the one image of its index.json as the tag 1.
func layoutRegistry(dir string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/v2/{$}", func(http.ResponseWriter, *http.Request) {})
	blob := func(r *http.Request, digest string) ([]byte, error) {
		return fs.ReadFile(os.DirFS(dir), filepath.Join(r.PathValue("name"), "layout/blobs/sha256", strings.TrimPrefix(digest, "sha256:")))
	}
	serve := func(w http.ResponseWriter, d typed, data []byte, err error) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", d.MediaType)
		w.Header().Set("Docker-Content-Digest", d.Digest)
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Write(data)
	}
	mux.HandleFunc("/v2/{name}/blobs/{digest}", func(w http.ResponseWriter, r *http.Request) {
		data, err := blob(r, r.PathValue("digest"))
		serve(w, typed{"application/octet-stream", r.PathValue("digest")}, data, err)
	})
	mux.HandleFunc("/v2/{name}/manifests/{ref}", func(w http.ResponseWriter, r *http.Request) {
		var d typed
		if d.Digest = r.PathValue("ref"); d.Digest == "1" {
			if list, err := entriesOf(filepath.Join(dir, r.PathValue("name"))); err == nil && len(list) > 0 {
				d = list[0]
			}
		}
		data, err := blob(r, d.Digest)
		if d.MediaType == "" {
			json.Unmarshal(data, &d)
			d.Digest = r.PathValue("ref")
		}
		serve(w, d, data, err)
	})
	return mux
}

// read has every reader read a case.
func (b *readers) read(t *testing.T, name string, c ambiguous.Case) *comparison {
	t.Helper()
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(filepath.Join(dir, "layout"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := writeBuffered(filepath.Join(dir, "case.tar"), c.Write); err != nil {
		t.Fatal(err)
	}
	one := &oneCase{readers: b, name: name, dir: dir, form: c.Form, source: ambiguousReference(c, dir+"/case.tar")}
	if c.Form == ambiguous.OCI {
		b.run(t, "tar -C "+dir+"/layout -xf "+dir+"/case.tar")
	}
	r := &comparison{files: c.Files}
	var implied map[string]bool
	r.audit, r.codes, implied = auditView(t, one.source)
	kinds := drivers()
	if !c.Files {
		kinds = kinds[:1]
	}
	r.readers = [][]view{make([]view, 1), make([]view, 1), make([]view, len(kinds)), make([]view, len(kinds)), make([]view, len(kinds))}
	var wait sync.WaitGroup
	wait.Go(func() { r.readers[0][0], r.readers[1][0] = one.skopeo(t), one.umoci(t) })
	for i, driver := range kinds {
		wait.Go(func() { r.readers[2][i] = one.buildah(t, driver) })
		wait.Go(func() {
			r.readers[3][i] = one.containerd(t, map[string]string{"vfs": "native", "overlay": "overlayfs"}[driver])
		})
		wait.Go(func() { r.readers[4][i] = one.docker(t, driver) })
	}
	wait.Wait()
	for _, v := range slices.Concat(r.readers...) {
		for i, line := range v.files {
			if path, _, _ := strings.Cut(line, " "); implied[path] {
				v.files[i] = path + " " + strings.Fields(line)[1]
			}
		}
	}
	return r
}

// oneCase is a case with the folder that the readers may use.
type oneCase struct {
	*readers
	name, dir string
	form      ambiguous.Form
	source    string // as skopeo, and audit, name it
}

// look runs a script that prints a JSON document as the last line and returns what
// the reader sees there.
func (o *oneCase) look(t *testing.T, script string, document any, see func() view) view {
	t.Helper()
	script = "cd $D/" + o.name + "; SOURCE=" + o.source + "; NAME=" + o.name + "\n" + script
	out, complaint, err := o.try(script)
	if err != nil {
		lines := strings.Split(strings.TrimSpace(complaint), "\n")
		return view{refusal: fmt.Sprintf("%v: %s", err, lines[len(lines)-1])}
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), document); err != nil {
		t.Errorf("%s: %v\n%s%s", script, err, out, complaint)
		return view{refusal: "no document"}
	}
	return see()
}

// settings are those of a process in an image's config.
type settings struct {
	User       string
	Entrypoint []string
}

func (s settings) view(files []string) view {
	return view{user: userOf(s.User), entrypoint: strings.Join(s.Entrypoint, " "), files: files}
}

// specified is the process of an OCI runtime-spec.
type specified struct {
	Process struct {
		User struct{ UID uint32 }
		Args []string
	}
}

func (s specified) view(files []string) view {
	return view{user: fmt.Sprint(s.Process.User.UID), entrypoint: strings.Join(s.Process.Args, " "), files: files}
}

// listed lists the files below a folder.
func listed(t *testing.T, root string) []string {
	t.Helper()
	lines := []string{}
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		f, err := diskFile(path)
		lines = append(lines, readerLine(f, strings.TrimPrefix(path, root+"/")))
		return err
	})
	if err != nil {
		t.Error(err)
	}
	slices.Sort(lines)
	return lines
}

func (o *oneCase) skopeo(t *testing.T) view {
	var config struct{ Config settings }
	return o.look(t, `skopeo --policy $D/policy.json copy -q $SOURCE oci:copy:1
		skopeo inspect --config $SOURCE | tr -d '\n'`, &config, func() view { return config.Config.view(nil) })
}

func (o *oneCase) umoci(t *testing.T) view {
	if o.form != ambiguous.OCI {
		return view{none: true}
	}
	var spec specified
	v := o.look(t, `umoci unpack --image layout:1 umoci >&2
		tr -d '\n' <umoci/config.json`, &spec, func() view { return spec.view(listed(t, o.dir+"/umoci/rootfs")) })
	if strings.Contains(v.refusal, "tag is ambiguous") {
		return view{none: true} // it has no notion of platforms
	}
	return v
}

func (o *oneCase) buildah(t *testing.T, driver string) view {
	var inspected struct{ OCIv1 struct{ Config settings } }
	return o.look(t, fmt.Sprintf(`buildah() { command buildah --root $D/buildah-%[1]s --runroot $D/buildah-%[1]s-run --storage-driver %[1]s "$@"; }
		container=$(buildah from --signature-policy $D/policy.json --name $NAME $SOURCE)
		root=$(buildah mount $container)
		mkdir buildah-%[1]s
		cp -a $root/. buildah-%[1]s/ || true # overlayfs lists a whiteout where nothing is hidden
		buildah umount $container >&2
		buildah inspect $container | tr -d '\n'`, driver), &inspected, func() view {
		return inspected.OCIv1.Config.view(listed(t, o.dir+"/buildah-"+driver))
	})
}

func (o *oneCase) containerd(t *testing.T, snapshotter string) view {
	var container struct{ Spec specified }
	return o.look(t, fmt.Sprintf(`ctr() { command ctr -n $NAME-%[1]s "$@"; }
		ctr images import --snapshotter %[1]s --base-name case/x case.tar >&2
		ctr images ls -q >images-%[1]s
		image=$(grep ':1$' images-%[1]s || true)
		ctr containers create --snapshotter %[1]s $image one >&2
		mkdir mount-%[1]s
		eval "$(ctr snapshots --snapshotter %[1]s mounts $PWD/mount-%[1]s one)"
		cp -a mount-%[1]s ctr-%[1]s || true
		umount mount-%[1]s
		ctr containers info one | tr -d '\n'`, snapshotter), &container, func() view {
		return container.Spec.view(listed(t, o.dir+"/ctr-"+snapshotter))
	})
}

func (o *oneCase) docker(t *testing.T, driver string) view {
	if list, _ := entriesOf(o.dir); o.form == ambiguous.OCI && len(list) != 1 {
		return view{none: true} // a registry has one image of a name
	}
	fetch := "docker load -q -i case.tar >&2; image=case/x:1"
	if o.form == ambiguous.OCI {
		fetch = "image=$REGISTRY/$NAME:1; docker pull -q $image >&2"
	}
	var config settings
	v := o.look(t, fmt.Sprintf(`docker() { command docker -H unix://$D/%[1]s.sock "$@"; }
		%[2]s
		container=$(docker create $image)
		mkdir docker-%[1]s
		docker export $container | tar -C docker-%[1]s --numeric-owner -xpf -
		docker rm $container >&2
		docker inspect --format '{{json .Config}}' $image
		docker rmi $image >&2`, driver, fetch), &config, func() view {
		return config.view(withoutEngine(listed(t, o.dir+"/docker-"+driver)))
	})
	if v.refusal != "" {
		v.crashes = o.dockerd(t, driver)
	}
	return v
}

func (b *readers) versions(t *testing.T) string {
	t.Helper()
	return strings.ReplaceAll(b.run(t, `
		skopeo --version | sed 's/ version//'
		umoci --version | sed 's/ version//'
		buildah --version | sed 's/ version//; s/ (.*//'
		containerd --version | cut -d' ' -f1,3 | sed 's/.*containerd /containerd /'
		docker -H unix://$D/vfs.sock version --format 'Docker {{.Server.Version}}'`), "\n", ", ")
}
