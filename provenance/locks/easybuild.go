package locks

import (
	"path"
	"regexp"

	"audit/provenance/records"
)

// easyconfigName matches the file name of an easyconfig ("Writing easyconfig files",
// docs.easybuild.io: NAME-VERSION-TOOLCHAIN-SUFFIX.eb).
var easyconfigName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,200}\.eb$`)

const easystackFile = "easystack.yaml"

// easybuildLock writes an easystack with all packages that EasyBuild installed ("Easystack
// files", docs.easybuild.io). The easyconfigs are in the image, beside what they installed:
// by their digests one can see whether others of their name are the same.
func easybuildLock(s Source) []*Lock {
	var w writer
	w.name = easystackFile
	for _, c := range s.Records.Components {
		if c.Ecosystem != records.EasyBuild {
			continue
		}
		name := path.Base(c.At.Path)
		if !easyconfigName.MatchString(name) {
			w.leaveOut(c.Name, c.Version, name)
			continue
		}
		line := "  - " + name
		if f, ok := s.Image.Root().Lookup(c.At.Path); ok {
			line += "  # " + f.Inode.Digest.String()
		}
		w.component(c, line)
	}
	if w.lock.Entries == 0 && len(w.lock.LeftOut) == 0 {
		return nil
	}
	w.comment("%s: the packages that EasyBuild installed, by the easyconfigs beside them, which nobody signs", easystackFile)
	w.comment("to install them again, with those easyconfigs in the folder DIR: eb --easystack %s --robot DIR:", easystackFile)
	w.comment("The easyblocks that ran are in the folder reprod beside each of them, since EasyBuild 3.5.")
	w.head.WriteString("easyconfigs:\n")
	return []*Lock{w.finish()}
}
