package records

import (
	"errors"
	"path"
)

// isEgg says whether a file may be a zipped egg of setuptools ("The Internal Structure of
// Python Eggs", setuptools.pypa.io).
func isEgg(p string) bool { return path.Ext(p) == ".egg" }

const eggMetadata = "EGG-INFO/PKG-INFO"

// An eggWatcher gathers an egg. Its note is the metadata in it, nil where there are none.
type eggWatcher struct{ jarWatcher }

func (w *eggWatcher) Note() (text []byte) {
	err := zipEntries(w.data, func(e zipEntry) {
		if e.name != eggMetadata || text != nil {
			return
		}
		if content, ok := e.open(w.data, maxManifest); ok {
			text = content
		}
	})
	w.data = nil
	if err != nil {
		return nil
	}
	return text
}

// eggs adds the packages in zipped eggs, which have no digests of their files.
func (r *reader) eggs() {
	for file := range r.root.Files() {
		if e := file.Inode.Entry; e.Type != '0' || !isEgg(e.Path) {
			continue
		}
		c, err := pythonComponent(r.note(file))
		if err != nil {
			if r.room >= 0 {
				r.problem(file, "records/unread", "error", errors.New("it has no metadata of a package"))
			}
			continue
		}
		c.Library = path.Dir(file.Path)
		if !isSite(c.Library) {
			c.Origin = Local // it is used where it lies, or is data
		}
		i := r.add(c, file)
		r.environment(c.Library, Python, true)
		if i >= 0 {
			r.Components[i].At.Path += "!/" + eggMetadata
			r.claim(file.Path, claim{component: int32(i), holder: int32(i), standing: Listed})
		}
	}
}
