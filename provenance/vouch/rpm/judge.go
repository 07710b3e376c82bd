package rpm

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/ospackages"
	"audit/provenance/ospackages/rpmheader"
	"audit/provenance/vouch"
)

// A judge compares the files of an image with what signed headers say of them.
type judge struct {
	table     *vouch.Table
	root      *inspect.Root
	owners    ospackages.Owners
	packages  []pkg
	claims    []claim
	of        map[string][]int // claims on a file, by its path in the root
	digests   digester
	installed *ospackages.Installed
	others    map[string]string // packages that are not verified, by the files that they claim; made when it is needed
	scripts   map[string]bool   // paths that signed scripts name; made when it is needed
	prelinked bool
	flat      bool // owners that differ are not reported

	list   check.List
	absent map[string][]string // files that are not there, by why that is
}

func newJudge(t *vouch.Table, in *ospackages.Installed, good []pkg) *judge {
	root := t.Image().Root()
	j := &judge{
		table: t, root: root, installed: in, owners: ospackages.ReadOwners(root), packages: good, of: make(map[string][]int),
		digests: digester{img: t.Image()}, absent: make(map[string][]string),
	}
	_, cached := root.Lookup("etc/prelink.cache")
	j.prelinked = cached && slices.ContainsFunc(good, func(p pkg) bool { return p.Text(rpmheader.Name) == "prelink" })
	j.list.Notes = vouch.MaxNames
	return j
}

func (j *judge) judge(ctx context.Context, complete func(context.Context, []inspect.File) error) error {
	for i := range j.packages {
		p := &j.packages[i]
		claims, ok := p.claims()
		if !ok {
			j.list.Undecided(p.layer, "", "signatures/rpm-files-unread", "package", p.name)
			continue
		}
		j.claims = append(j.claims, claims...)
	}
	for i := range j.claims {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		j.place(i)
	}
	if err := j.digests.complete(ctx, j.unread(), complete); err != nil {
		return err
	}
	for f := range j.root.Files() {
		if claims := j.of[f.Path]; len(claims) > 0 {
			j.file(f, claims)
		}
	}
	return nil
}

// place finds the file that a claim is about, with links on the way followed. What has
// the ending .rpmnew stands beside a configuration file that was changed.
func (j *judge) place(i int) {
	c := &j.claims[i]
	f, ok := j.root.Name(c.path)
	if next, both := j.root.Name(c.path + ".rpmnew"); both && c.isConfig() && !c.isGhost() {
		j.of[next.Path] = append(j.of[next.Path], i)
	}
	switch {
	case ok:
		j.of[f.Path] = append(j.of[f.Path], i)
	case c.isGhost(), c.isFolder():
	default:
		kind := absence(c)
		j.absent[kind] = append(j.absent[kind], c.path)
	}
}

// Why a file is not there.
const (
	absentDocs    = "docs"
	absentLocales = "locales"
	absentOther   = "other"
)

// absence says why a file may not be there: rpm can be told to leave out documentation
// and languages.
func absence(c *claim) string {
	under := func(dirs ...string) bool {
		return slices.ContainsFunc(dirs, func(dir string) bool { return strings.HasPrefix(c.path, dir+"/") })
	}
	switch {
	case c.flags&rpmheader.DocFlag != 0,
		under("usr/share/man", "usr/share/info", "usr/share/doc", "usr/share/licenses", "usr/share/gtk-doc", "usr/share/help"):
		return absentDocs
	case under("usr/share/locale", "usr/share/i18n", "usr/lib/locale"):
		return absentLocales
	}
	return absentOther
}

// unread lists the files of which the digest that is claimed was not taken.
func (j *judge) unread() (files []inspect.File) {
	for f := range j.root.Files() {
		for _, i := range j.of[f.Path] {
			c := &j.claims[i]
			if c.mode&typeMask != fileType || f.Inode.Type != '0' || c.isGhost() {
				continue
			}
			if _, ok := j.digests.of(f, c.algorithm); !ok && canHash(c.algorithm) {
				files = append(files, f)
				break
			}
		}
	}
	return files
}

// file compares a file with the claims on it: one that holds is enough, since packages
// may share a file, and one may replace that of another.
func (j *judge) file(f inspect.File, claims []int) {
	i, best := vouch.Best(claims, func(i int) []difference { return j.compare(f, &j.claims[i]) }, worst)
	of := &j.claims[i]
	word := vouch.Word{Kind: vouch.Signed, By: "rpm " + of.pkg.name, Keys: []string{of.pkg.key.Fingerprint}}
	vouches := !of.isGhost()
	for i := range best {
		j.replaced(f, &best[i])
	}
	for _, d := range best {
		vouches = vouches && !d.content
		j.say(f, of, d)
	}
	switch {
	case vouches && f.Inode.Type != '5':
		j.table.Vouch(f.Path, word)
	case f.Inode.Type != '5' && slices.ContainsFunc(best, func(d difference) bool { return d.content && d.level == check.Problem }):
		j.table.Contradict(f.Path, word.By)
	}
}

// replaced says of a file that differs when another package, that is not verified, claims
// it too: rpm can be told to replace a file, and a vendor of one's own does so.
func (j *judge) replaced(f inspect.File, d *difference) {
	if !d.content || d.level != check.Problem {
		return
	}
	if j.others == nil {
		j.others = j.unverified()
	}
	if other := j.others[f.Path]; other != "" {
		*d = difference{"signatures/rpm-replaced", check.Undecided, d.signed, other, true}
	}
}

// unverified returns who claims the files of packages that are not verified.
func (j *judge) unverified() map[string]string {
	good := make(map[string]bool, len(j.packages))
	for _, p := range j.packages {
		good[p.name] = true
	}
	others := make(map[string]string)
	for i := range j.installed.Packages {
		p := &j.installed.Packages[i]
		name := check.Brief(p.Name + "-" + p.Version + "." + cmp.Or(p.Arch, "noarch"))
		if p.Manager != ospackages.Rpm || good[name] {
			continue
		}
		for _, file := range p.Files {
			if f, ok := j.root.Name(file.Path); ok && f.Inode.Type != '5' {
				others[f.Path] = name
			}
		}
	}
	return others
}

// worst ranks what was found of a file: nothing, then by level; what concerns its
// content weighs more.
func worst(found []difference) (rank int) {
	for _, d := range found {
		n := 2 * (int(d.level) + 1)
		if d.content {
			n++
		}
		rank = max(rank, n)
	}
	return rank
}

// say makes a finding of a difference.
func (j *judge) say(f inspect.File, c *claim, d difference) {
	args := []any{"package", c.pkg.name}
	if d.signed != "" || d.found != "" {
		args = append(args, "signed", d.signed, "found", d.found)
	}
	j.list.Append(check.Find(d.level, f.Layer, f.Path, d.code, args...))
}

// findings returns those of the files, and of those that are not there.
func (j *judge) findings() []check.Finding {
	if j.flat {
		j.list.Note(-1, "", "signatures/rpm-owners-flat")
	}
	for kind, all := range j.absent {
		slices.Sort(all)
		j.absent[kind] = slices.Compact(all)
	}
	if names, beyond := vouch.Some(j.absent[absentDocs]); len(names) > 0 {
		j.list.Note(-1, "", "signatures/rpm-docs-absent", "count", len(names)+beyond, "names", names, "beyond", beyond)
	}
	if names, beyond := vouch.Some(j.absent[absentLocales]); len(names) > 0 {
		j.list.Note(-1, "", "signatures/rpm-locales-absent", "count", len(names)+beyond, "names", names, "beyond", beyond)
	}
	if names, beyond := vouch.Some(j.absent[absentOther]); len(names) > 0 {
		j.list.Note(-1, "", "signatures/rpm-files-absent", "count", len(names)+beyond, "names", names, "beyond", beyond)
	}
	return j.list.All()
}

// named says whether a script of a package that is signed names a file, so that it can
// be what changed it. Scripts name programs since they run them.
func (j *judge) named(c *claim, p string) bool {
	if c.mode&0o111 != 0 || isLinked(p) {
		return false
	}
	if j.scripts == nil {
		j.scripts = make(map[string]bool)
		for i := range j.packages {
			for _, tag := range []uint32{
				rpmheader.PreIn, rpmheader.PostIn, rpmheader.PreUn, rpmheader.PostUn, rpmheader.PreTrans, rpmheader.PostTrans,
				rpmheader.TriggerScripts, rpmheader.FileTriggers, rpmheader.TransTriggers,
			} {
				for _, script := range j.packages[i].Texts(tag) {
					j.addNames(script)
				}
			}
		}
	}
	return j.scripts[p] || j.scripts[c.path]
}

func (j *judge) addNames(script string) {
	isEnd := func(r rune) bool { return strings.ContainsRune(" \t\r\n\"'`;|&<>(){}[]=,:$*?\\", r) }
	for word := range strings.FieldsFuncSeq(script, isEnd) {
		if strings.HasPrefix(word, "/") {
			j.scripts[strings.TrimPrefix(path.Clean(word), "/")] = true
		}
	}
}

// rdev writes the numbers of a device.
func rdev(major, minor int64) string { return fmt.Sprintf("%d:%d", major, minor) }

// owner writes the number of a user or group, with the name that the header has.
func owner(name string, number int) string {
	return cmp.Or(name, "root") + fmt.Sprintf(" (%d)", number)
}
