package containersstorage

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"audit/inspect/choice"
	"audit/inspect/limit"
	"audit/inspect/userfile"
)

// Bounds on the documents of a store.
const (
	maxList   = 256 << 20 // bytes of the list of images, or of layers
	maxConfig = 64 << 20  // bytes of a config
	maxLayers = 4096      // of an image
)

// A store is a folder of images.
type store struct{ root, driver string }

// An entry is an image of it.
type entry struct {
	ID     string   `json:"id"`
	Digest string   `json:"digest"`
	Names  []string `json:"names"`
	Layer  string   `json:"layer"` // the topmost; "" for none
}

// A layer is one of it.
type layer struct {
	ID     string `json:"id"`
	Parent string `json:"parent"` // the one below; "" for none
}

// split reads "[DRIVER@GRAPHROOT+RUNROOT]NAME"; all in brackets may be left out.
func split(reference string) (driver, root, name string, err error) {
	inside, name, ok := strings.Cut(strings.TrimPrefix(reference, "["), "]")
	if !strings.HasPrefix(reference, "[") {
		return "", "", reference, nil
	}
	if !ok {
		return "", "", "", errors.New("the place of the store has no end: [DRIVER@FOLDER]NAME")
	}
	driver, root, hasDriver := strings.Cut(inside, "@")
	if !hasDriver {
		driver, root = "", inside
	}
	root, _, _ = strings.Cut(root, "+")
	return driver, root, name, nil
}

// open finds the store: that of the reference, else that of this user.
func open(driver, root string) (store, error) {
	if root == "" {
		root = defaultRoot()
	}
	for _, d := range []string{"overlay", "vfs"} {
		if driver != "" && driver != d {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, d+"-images")); err == nil {
			return store{root, d}, nil
		}
	}
	return store{}, fmt.Errorf("there is no store of images, by the driver overlay or vfs, in %s (another is named by containers-storage:[DRIVER@FOLDER]NAME)", root)
}

// defaultRoot is where the engines keep images unless storage.conf says otherwise.
func defaultRoot() string {
	if os.Geteuid() == 0 {
		return "/var/lib/containers/storage"
	}
	data := os.Getenv("XDG_DATA_HOME")
	if data == "" {
		home, _ := os.UserHomeDir()
		data = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(data, "containers", "storage")
}

func (s store) path(kind string, names ...string) string {
	return filepath.Join(append([]string{s.root, s.driver + kind}, names...)...)
}

// list reads a list of the store.
func list[T any](path string) (all []T, err error) {
	text, err := userfile.Read(path, maxList)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, readable(err)
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, &limit.FormatError{Where: path, Err: err}
	}
	return all, nil
}

// readable adds what helps where a file of the store is another user's.
func readable(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w (files of a store may belong to users of containers: podman unshare audit …, or sudo, reads them)", err)
	}
	return err
}

// find returns the image that a name, a digest or the beginning of an ID means.
func (s store) find(name string) (entry, error) {
	images, err := list[entry](s.path("-images", "images.json"))
	if err != nil {
		return entry{}, err
	}
	wanted := namesOf(name)
	var found []entry
	var have []string
	for _, e := range images {
		if !isID(e.ID) {
			continue
		}
		have = append(have, e.Names...)
		named := slices.ContainsFunc(e.Names, func(n string) bool { return slices.Contains(wanted, n) })
		_, digest, _ := strings.Cut(name, "@")
		if named || digest != "" && digest == e.Digest || len(name) >= 12 && strings.HasPrefix(e.ID, name) {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		return entry{}, &choice.Error{Want: name, Have: have, How: "containers-storage:NAME", Several: len(found) > 1}
	}
	return found[0], nil
}

// namesOf are the full names that a short one can stand for, as podman has them.
func namesOf(name string) []string {
	last := name[strings.LastIndexByte(name, '/')+1:]
	if !strings.ContainsAny(last, ":@") {
		name += ":latest"
	}
	return []string{name, "localhost/" + name, "docker.io/" + name, "docker.io/library/" + name}
}

// isID says whether a text is an ID, which becomes part of paths.
func isID(id string) bool { return regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(id) }

// config is the config of an image: the document that its manifest names, by whose digest
// it is stored.
func (s store) config(e entry) (text []byte, digest string, err error) {
	dir := s.path("-images", e.ID)
	raw, err := userfile.Read(filepath.Join(dir, "manifest"), maxConfig)
	if err != nil {
		return nil, "", readable(err)
	}
	var manifest struct{ Config struct{ Digest string } }
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return nil, "", &limit.FormatError{Where: "the manifest in the store", Err: err}
	}
	digest = manifest.Config.Digest
	text, err = userfile.Read(filepath.Join(dir, "="+base64.StdEncoding.EncodeToString([]byte(digest))), maxConfig)
	if err != nil {
		return nil, "", readable(err)
	}
	return text, digest, nil
}

// layers are the IDs of the layers of an image, the lowest first.
func (s store) layers(e entry) ([]string, error) {
	all, err := list[layer](s.path("-layers", "layers.json"))
	if err != nil {
		return nil, err
	}
	parents := make(map[string]string, len(all))
	for _, l := range all {
		parents[l.ID] = l.Parent
	}
	var ids []string
	for id := e.Layer; id != ""; id = parents[id] {
		if _, ok := parents[id]; !ok || !isID(id) {
			return nil, &limit.FormatError{Where: "the store", Err: fmt.Errorf("it has no layer %.64q", id)}
		}
		if ids = append(ids, id); len(ids) > maxLayers {
			return nil, &limit.Error{Name: "layers", Limit: maxLayers, Where: "the store"}
		}
	}
	slices.Reverse(ids)
	return ids, nil
}

// files is the folder of the files of a layer.
func (s store) files(id string) string {
	if s.driver == "vfs" {
		return s.path("", "dir", id)
	}
	return s.path("", id, "diff")
}
