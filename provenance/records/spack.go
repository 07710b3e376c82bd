package records

import (
	"encoding/base32"
	"encoding/hex"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect"
)

// isSpack says whether a file is the spec of a package that Spack installed: since
// version 0.16 (2020) in JSON.
func isSpack(p string) bool { return path.Base(p) == "spec.json" && path.Base(path.Dir(p)) == ".spack" }

func isSpackManifest(p string) bool {
	return path.Base(p) == "install_manifest.json" && path.Base(path.Dir(p)) == ".spack"
}

// A spackNode is a package in a spec (spack.spec.Spec.to_node_dict of Spack 0.23).
type spackNode struct {
	Name      string    `json:"name"`
	Version   string    `json:"version"`
	Hash      string    `json:"hash"`
	Namespace string    `json:"namespace"`
	Arch      spackArch `json:"arch"`
}

type spackArch struct {
	Platform string `json:"platform"`
	OS       string `json:"platform_os"`
	Target   any    `json:"target"`
}

func (a spackArch) String() string {
	target, _ := a.Target.(string)
	if named, ok := a.Target.(map[string]any); ok {
		target, _ = named["name"].(string)
	}
	return strings.Trim(strings.Join([]string{a.Platform, a.OS, target}, "-"), "-")
}

// spack reads a spec, whose first node is the package itself, and the manifest beside it
// (spack.verify).
func (r *reader) spack(at found, body []byte) error {
	var document struct {
		Spec struct {
			Nodes []spackNode `json:"nodes"`
		} `json:"spec"`
	}
	if err := decode(body, &document); err != nil {
		return err
	}
	if len(document.Spec.Nodes) == 0 || document.Spec.Nodes[0].Name == "" {
		return errors.New("it names no package")
	}
	n := document.Spec.Nodes[0]
	i := r.add(Component{Ecosystem: Spack, Name: n.Name, Version: n.Version, Arch: n.Arch.String(), Build: n.Hash, In: -1}, at.File)
	prefix := path.Dir(path.Dir(at.name))
	manifest, file, ok := r.beside(path.Dir(at.name) + "/install_manifest.json")
	r.environment(prefix, Spack, !ok)
	if ok {
		r.spackManifest(r.list(file, i, len(manifest)), file, manifest)
	}
	return nil
}

// spackManifest reads the files of a package, by their absolute paths. A digest is the
// SHA-1 in base 32.
func (r *reader) spackManifest(l *list, file inspect.File, manifest []byte) {
	var entries map[string]struct {
		Type string `json:"type"`
		Hash string `json:"hash"`
	}
	if err := decode(manifest, &entries); err != nil {
		r.problem(file, "records/unread", "error", err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		e := entries[name]
		put, recorded := l.put, v1.Hash{}
		if raw, err := base32.StdEncoding.DecodeString(strings.ToUpper(e.Hash)); err == nil && len(raw) == sizeOf("sha1") {
			recorded = v1.Hash{Algorithm: "sha1", Hex: hex.EncodeToString(raw)}
		} else if e.Hash != "" {
			put = func(p string, _ v1.Hash) bool { return l.unclear(p) }
		}
		if e.Type != "dir" && !put(name, recorded) {
			return
		}
	}
}
