package records

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/package-url/packageurl-go"

	"audit/inspect"
	"audit/inspect/check"
)

// isJar says whether a file may be an archive of Java.
func isJar(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".jar", ".war", ".ear", ".hpi", ".jpi":
		return true
	}
	return false
}

// Bounds of an archive, and of those in it.
const (
	maxJar       = 96 << 20  // bytes of one in the image
	maxInner     = 48 << 20  // bytes of one in another
	maxUnpacked  = 256 << 20 // bytes of all that is unpacked for one
	maxNested    = 2         // archives in each other, beside the outer one
	maxJarParts  = 20_000    // packages in one
	maxManifest  = 1 << 20
	maxPomFields = 64 << 10
)

// A jarPart is a package in an archive of Java.
type jarPart struct {
	In      int      `json:"in"`             // the one that contains it; -1 for the archive itself
	Path    string   `json:"path,omitempty"` // in the archive, "lib/x.jar!/lib/y.jar"; "" for itself
	Group   string   `json:"group,omitempty"`
	Name    string   `json:"name,omitempty"`    // of a package that Maven built; "" for an archive
	Version string   `json:"version,omitempty"` // of an archive: as its manifest says
	License []string `json:"license,omitempty"`
	SHA256  string   `json:"sha256,omitempty"` // of an archive in the archive
	Signed  bool     `json:"signed,omitempty"`
}

// A jarNote is what is noted of an archive while an image is read.
type jarNote struct {
	Parts []jarPart `json:"parts"`
	Limit string    `json:"limit,omitempty"` // that it goes past: what is beyond was not looked into
	Error string    `json:"error,omitempty"`
	Shut  int       `json:"shut,omitempty"`  // archives and records in it that cannot be read
	First string    `json:"first,omitempty"` // of these, the path of the first
}

// A jarWatcher gathers an archive, since its directory stands at its end.
type jarWatcher struct {
	size int64 // as promised
	data []byte
	over bool
}

func (w *jarWatcher) Watch(p []byte) {
	if w.over = w.over || len(w.data)+len(p) > maxJar; w.over {
		w.data = nil
		return
	}
	w.data = appendTo(w.data, p, w.size)
}

// appendTo appends to what will be so many bytes, and takes no more memory than that.
func appendTo(data, p []byte, size int64) []byte {
	if n := len(data) + len(p); n > cap(data) {
		grown := make([]byte, len(data), max(n, int(min(size, int64(2*n)))))
		copy(grown, data)
		data = grown
	}
	return append(data, p...)
}

func (w *jarWatcher) Note() []byte {
	o := &jarReader{room: maxUnpacked}
	if w.over {
		o.Limit = "bytes of an archive"
	} else if err := o.read("", w.data, -1, 0); err != nil {
		o.Error = err.Error()
	}
	w.data = nil
	note, err := json.Marshal(o.jarNote)
	if err != nil {
		return nil // it is made of texts
	}
	return note
}

// A jarReader reads an archive and those in it.
type jarReader struct {
	jarNote
	room int // bytes that may yet be unpacked
}

// open returns the content of an entry, within what may be unpacked.
func (o *jarReader) open(e zipEntry, data []byte, most int) ([]byte, bool) {
	most = min(most, o.room)
	content, ok := e.open(data, most)
	o.room -= min(len(content), most)
	if !ok && len(content) > most {
		o.Limit = "unpacked bytes"
	}
	return content, ok
}

// shut notes a part that cannot be read, unless a limit was the reason: a reader that is
// less strict may find a package in it.
func (o *jarReader) shut(p string) {
	if o.Limit != "" {
		return
	}
	if o.Shut++; o.Shut == 1 {
		o.First = p
	}
}

// read reads an archive at a path in the outer one, which lies in a part.
func (o *jarReader) read(at string, data []byte, in, depth int) error {
	var manifest, poms, nested []zipEntry
	signed := false
	err := zipEntries(data, func(e zipEntry) {
		dir, base := path.Split(e.name)
		switch {
		case strings.EqualFold(e.name, "META-INF/MANIFEST.MF"):
			manifest = append(manifest, e)
		case base == "pom.properties" && strings.HasPrefix(dir, "META-INF/maven/"):
			poms = append(poms, e)
		case strings.EqualFold(dir, "META-INF/") && strings.EqualFold(path.Ext(base), ".SF"):
			signed = true
		case isJar(e.name):
			nested = append(nested, e)
		}
	})
	if err != nil {
		return err
	}
	own := o.own(data, manifest)
	own.In, own.Path, own.Signed = in, at, signed
	if at != "" {
		sum := sha256.Sum256(data)
		own.SHA256 = hex.EncodeToString(sum[:])
	}
	self := o.add(own)
	for _, e := range poms {
		p, ok := o.pom(e, data)
		p.In, p.Path = self, inside(at, e.name)
		switch {
		case !ok:
			o.shut(p.Path)
		case p.Name != "" && p.Group != "" && self >= 0:
			o.add(p)
		}
	}
	if self < 0 {
		return nil
	}
	for _, e := range nested {
		if depth == maxNested {
			o.Limit = "archives in each other"
			return nil
		}
		content, ok := o.open(e, data, maxInner)
		if ok {
			ok = o.read(inside(at, e.name), content, self, depth+1) == nil || !bytes.HasPrefix(content, []byte("PK"))
		}
		if !ok {
			o.shut(inside(at, e.name))
		}
	}
	return nil
}

// inside is the path of an entry of the archive at a path in the outer one.
func inside(at, name string) string {
	if at == "" {
		return name
	}
	return at + "!/" + name
}

// add notes a part, and returns its place; -1 where there are too many.
func (o *jarReader) add(p jarPart) int {
	if len(o.Parts) == maxJarParts {
		o.Limit = "packages in an archive"
		return -1
	}
	o.Parts = append(o.Parts, p)
	return len(o.Parts) - 1
}

// own reads the manifest of an archive (JAR File Specification of Java 21; OSGi Core 8,
// section 3.2.1).
func (o *jarReader) own(data []byte, manifest []zipEntry) (own jarPart) {
	if len(manifest) == 0 {
		return own
	}
	text, _ := o.open(manifest[0], data, maxManifest)
	fields := headers(unfolded(text))
	own.Version = first([]string{first(fields["implementation-version"]), first(fields["bundle-version"]), first(fields["specification-version"])})
	for l := range strings.SplitSeq(first(fields["bundle-license"]), ",") {
		if l, _, _ = strings.Cut(strings.TrimSpace(l), ";"); l != "" {
			own.License = append(own.License, strings.Trim(l, `"`))
		}
	}
	return own
}

// jarName matches the name of an archive with a version.
var jarName = regexp.MustCompile(`^(.+?)-(\d[A-Za-z0-9._+-]*)$`)

// named says what an archive of a file name is: that of the packages which Maven built
// into it that has its name, or is the only one; else what the name says. It returns the
// place of that package too, -1 for none.
func named(file string, archive jarPart, parts []jarPart, built []int) (jarPart, int) {
	stem := strings.TrimSuffix(file, path.Ext(file))
	name, version := stem, archive.Version
	if m := jarName.FindStringSubmatch(stem); m != nil {
		name, version = m[1], m[2]
	}
	for _, i := range built {
		if p := parts[i]; len(built) == 1 || p.Name == name || p.Name+"-"+p.Version == stem {
			archive.Group, archive.Name, archive.Version = p.Group, p.Name, p.Version
			return archive, i
		}
	}
	archive.Name, archive.Version = cmp.Or(name, file), version
	return archive, -1
}

// pom reads what Maven leaves of a package in its archive: META-INF/maven/GROUP/NAME/pom.properties.
func (o *jarReader) pom(e zipEntry, data []byte) (p jarPart, ok bool) {
	text, ok := o.open(e, data, maxPomFields)
	if !ok {
		return p, false
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, "=")
		switch value = strings.TrimSpace(value); strings.TrimSpace(key) {
		case "groupId":
			p.Group = value
		case "artifactId":
			p.Name = value
		case "version":
			p.Version = value
		}
	}
	return p, true
}

// unfolded joins the lines of a manifest, which breaks them after 72 bytes and goes on
// after a space.
func unfolded(text []byte) []byte {
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(text, []byte("\n "), nil)
}

// jars adds the packages in archives of Java.
func (r *reader) jars() {
	for file := range r.root.Files() {
		e := file.Inode.Entry
		if e.Type != '0' || !isJar(e.Path) {
			continue
		}
		note := r.note(file)
		if note == nil {
			if r.room >= 0 {
				r.problem(file, "records/archive-not-kept")
			}
			continue
		}
		var read jarNote
		if err := json.Unmarshal(note, &read); err != nil {
			continue // of a program of this name
		}
		if read.Limit != "" {
			r.problem(file, "records/archive-limit", "limit", read.Limit)
		}
		if read.Error != "" {
			r.problem(file, "records/unread", "error", read.Error)
		}
		if read.Shut > 0 {
			r.problem(file, "records/archive-part-unread", "parts", read.Shut, "first", check.Brief(read.First))
		}
		first := len(r.Components)
		r.jar(file, read.Parts)
		if len(r.Components) > first {
			r.jarSum(file, first)
		}
	}
}

// jarSum compares an archive with the digest that Maven fetched along with it.
func (r *reader) jarSum(file inspect.File, component int) {
	if !isJarSum(file.Path + ".sha1") {
		return
	}
	sum, record, ok := r.beside(file.Path + ".sha1")
	if !ok {
		return
	}
	text, _, _ := strings.Cut(strings.TrimSpace(string(sum)), " ") // some add the name
	r.list(record, component, len(sum)).putAny(file.Path, Differs, hexDigest("sha1", text)...)
}

// isJarSum says whether a file is the digest of an archive in a repository of Maven.
func isJarSum(p string) bool {
	return strings.HasSuffix(p, ".sha1") && strings.Contains("/"+p, mavenFolder) && isJar(strings.TrimSuffix(p, ".sha1"))
}

const mavenFolder = "/.m2/repository/"

// jar adds the packages in one archive.
func (r *reader) jar(file inspect.File, parts []jarPart) {
	built := make(map[int][]int) // by Maven, in each archive
	for i, p := range parts {
		if p.Name != "" {
			built[p.In] = append(built[p.In], i)
		}
	}
	places, same := make([]int, len(parts)), make(map[int]bool)
	for i, p := range parts {
		if places[i] = -1; same[i] {
			continue // the archive itself
		}
		if p.Name == "" {
			var is int
			p, is = named(path.Base(cmp.Or(p.Path, file.Path)), p, parts, built[i])
			same[is] = true
		}
		in := -1
		if p.In >= 0 {
			in = places[p.In]
		}
		places[i] = r.addJar(file, p, in)
	}
}

// addJar adds an archive, or a package in one.
func (r *reader) addJar(file inspect.File, p jarPart, in int) int {
	c := Component{Ecosystem: Java, Name: p.Name, Version: p.Version, Signed: p.Signed, In: in, Digests: hexDigest("sha256", p.SHA256)}
	if p.Group != "" {
		c.Locator = Locator{Type: packageurl.TypeMaven, Namespace: p.Group}
	}
	for _, l := range p.License {
		c.Licenses = append(c.Licenses, License{l, javaLicense(l)})
	}
	if p.Path == "" {
		c.Digests = []v1.Hash{file.Inode.Digest.Hash()}
	}
	i := r.add(c, file)
	if i >= 0 && p.Path != "" {
		r.Components[i].At.Path += "!/" + p.Path
	}
	return i
}

// javaLicense returns the license that an address in a manifest stands for.
func javaLicense(address string) string {
	_, at, _ := strings.Cut(address, "://")
	at = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(at, "www."), ".txt"), ".html")
	known := []struct{ at, id string }{
		{"apache.org/licenses/LICENSE-2.0", "Apache-2.0"}, {"opensource.org/licenses/Apache-2.0", "Apache-2.0"},
		{"opensource.org/licenses/MIT", "MIT"}, {"opensource.org/licenses/mit-license.php", "MIT"},
		{"eclipse.org/legal/epl-v10", "EPL-1.0"}, {"eclipse.org/legal/epl-2.0", "EPL-2.0"}, {"eclipse.org/legal/epl-v20", "EPL-2.0"},
	}
	if i := slices.IndexFunc(known, func(k struct{ at, id string }) bool { return k.at == at }); i >= 0 {
		return known[i].id
	}
	return ""
}
