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
	"testing"

	"audit/fixtures/ambiguous"
)

// The readers have their engines, and a registry of the layouts, in one folder.
type readers struct {
	*shelf
	drivers []string // of storage, of each kind: into one folder, and for overlayfs
}

// newReaders starts containerd, and Docker twice. They end with the test.
func newReaders(t *testing.T) *readers {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "readers") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	b := &readers{shelf: &shelf{dir: dir}, drivers: []string{"vfs", "overlay"}}
	t.Cleanup(func() { os.RemoveAll(dir) })
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
	for driver, name := range map[string]string{"vfs": "vfs", "overlay2": "overlay"} {
		b.daemon(t, "dockerd --containerd=$D/containerd.sock --data-root=$D/docker-"+name+" --exec-root=$D/exec-"+name+" --pidfile=$D/"+name+".pid --host=unix://$D/"+name+
			".sock --iptables=false --ip6tables=false --bridge=none --storage-driver="+driver)
	}
	b.run(t, `for n in $(seq 120); do
		docker -H unix://$D/vfs.sock version >/dev/null 2>&1 && docker -H unix://$D/overlay.sock version >/dev/null 2>&1 && exit 0
		sleep 0.5
	done; exit 1`)
	return b
}

// layoutRegistry serves the layouts below a folder: DIR/NAME/layout under the name
// NAME, with the one image of its index.json as the tag 1.
func layoutRegistry(dir string) http.Handler {
	type typed struct{ MediaType, Digest string }
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
			var index struct{ Manifests []typed }
			data, _ := fs.ReadFile(os.DirFS(dir), filepath.Join(r.PathValue("name"), "layout/index.json"))
			if json.Unmarshal(data, &index); len(index.Manifests) == 1 {
				d = index.Manifests[0]
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
	one := &oneCase{readers: b, name: name, dir: dir, form: c.Form, source: "docker-archive:" + dir + "/case.tar"}
	reference := one.source
	if c.Form == ambiguous.OCI {
		one.source = "oci-archive:" + dir + "/case.tar:1"
		reference = one.source
		b.run(t, "tar -C "+dir+"/layout -xf "+dir+"/case.tar")
	}
	r := new(comparison)
	var implied map[string]bool
	r.audit, r.codes, implied = auditView(t, reference)
	r.readers = [][]view{{one.skopeo(t)}, {one.umoci(t)}, nil, nil, nil}
	for _, driver := range b.drivers {
		r.readers[2] = append(r.readers[2], one.buildah(t, driver))
		r.readers[3] = append(r.readers[3], one.containerd(t, map[string]string{"vfs": "native", "overlay": "overlayfs"}[driver]))
		r.readers[4] = append(r.readers[4], one.docker(t, driver))
	}
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
	source    string // as skopeo names it
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
		t.Fatalf("%s: %v\n%s%s", script, err, out, complaint)
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
		t.Fatal(err)
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
	return o.look(t, `umoci unpack --image layout:1 umoci >&2
		tr -d '\n' <umoci/config.json`, &spec, func() view { return spec.view(listed(t, o.dir+"/umoci/rootfs")) })
}

func (o *oneCase) buildah(t *testing.T, driver string) view {
	var inspected struct{ OCIv1 struct{ Config settings } }
	return o.look(t, fmt.Sprintf(`buildah() { command buildah --root $D/buildah-%[1]s --runroot $D/buildah-%[1]s-run --storage-driver %[1]s "$@"; }
		container=$(buildah from --signature-policy $D/policy.json --name $NAME $SOURCE)
		root=$(buildah mount $container)
		mkdir buildah-%[1]s
		cp -a $root/. buildah-%[1]s/
		buildah umount $container >&2
		buildah inspect $container | tr -d '\n'`, driver), &inspected, func() view {
		return inspected.OCIv1.Config.view(listed(t, o.dir+"/buildah-"+driver))
	})
}

func (o *oneCase) containerd(t *testing.T, snapshotter string) view {
	var container struct{ Spec specified }
	return o.look(t, fmt.Sprintf(`ctr() { command ctr -n $NAME-%[1]s "$@"; }
		ctr images import --snapshotter %[1]s --base-name case/x case.tar >&2
		ctr images ls -q >images
		image=$(grep ':1$' images || true)
		ctr containers create --snapshotter %[1]s $image one >&2
		mkdir mount-%[1]s
		eval "$(ctr snapshots --snapshotter %[1]s mounts $PWD/mount-%[1]s one)"
		cp -a mount-%[1]s ctr-%[1]s
		umount mount-%[1]s
		ctr containers info one | tr -d '\n'`, snapshotter), &container, func() view {
		return container.Spec.view(listed(t, o.dir+"/ctr-"+snapshotter))
	})
}

func (o *oneCase) docker(t *testing.T, driver string) view {
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
	if strings.Contains(v.refusal, "manifest unknown") {
		return view{none: true}
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
