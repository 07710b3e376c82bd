package main

import (
	"archive/tar"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"audit/inspect/check"
	"audit/provenance/vouch"
)

// A planting is a change of one entry of a root, and how it has to be found.
type planting struct {
	name string
	path string // of the entry that is changed, or beside which one is added
	edit func(m member) []member
	at   string // where it is found; "" means path
	code string // of the finding; "" where the file is nobody's
}

func changed(m member, old, now string) []member {
	m.content = []byte(strings.Replace(string(m.content), old, now, 1))
	return []member{m}
}

func flipped(m member) []member {
	m.content[len(m.content)/2] ^= 1
	return []member{m}
}

func withMode(mode int64) func(m member) []member {
	return func(m member) []member {
		m.h.Mode = mode
		return []member{m}
	}
}

func withLink(target string) func(m member) []member {
	return func(m member) []member {
		m.h.Typeflag, m.h.Linkname = tar.TypeSymlink, target
		return []member{{m.h, nil}}
	}
}

func beside(name, content string, mode int64) func(m member) []member {
	return func(m member) []member {
		return []member{m, {&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, ModTime: m.h.ModTime}, []byte(content)}}
	}
}

// plantings are changes that somebody could hide in an image, of twenty kinds.
func plantings() []planting {
	const libraries = "usr/lib/x86_64-linux-gnu/"
	return []planting{
		{"a program changed by a bit", "usr/bin/cat", flipped, "", "signatures/deb-file-differs"},
		{"a library changed", libraries + "libz.so.1.2.13", flipped, "", "signatures/deb-file-differs"},
		{"a program that all may write", "usr/bin/ls", withMode(0o777), "", "signatures/deb-mode-differs"},
		{"setuid added", "usr/bin/cp", withMode(0o4755), "", "signatures/deb-mode-differs"},
		{"setgid added", "usr/bin/sort", withMode(0o2755), "", "signatures/deb-mode-differs"},
		{"another owner", "usr/bin/mv", func(m member) []member { m.h.Uid = 1000; return []member{m} }, "", "signatures/deb-owner-differs"},
		{"a hidden capability", "usr/bin/head", func(m member) []member {
			m.h.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": "\x01\x00\x00\x02\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"}
			return []member{m}
		}, "", "signatures/deb-attribute-added"},
		{"a new program", "usr/bin/cut", beside("usr/bin/cutt", "#!/bin/sh\n", 0o755), "usr/bin/cutt", ""},
		{"a link to another program", "usr/bin/sh", withLink("/usr/bin/python3"), "", "signatures/deb-link-differs"},
		{"a library link to another library", libraries + "libm.so.6", withLink("libz.so.1"), "", "signatures/deb-kind-differs"},
		{"byte code of another source", "usr/lib/python3.11/__pycache__/abc.cpython-311.pyc", func(m member) []member { m.content[9] ^= 1; return []member{m} }, "", "signatures/deb-compiled-differs"},
		{"byte code that calls something else", "usr/lib/python3.11/__pycache__/bisect.cpython-311.pyc", func(m member) []member { return changed(m, "\x06insert", "\x06system") }, "", "signatures/deb-compiled-foreign"},
		{"a source of Python changed", "usr/lib/python3.11/os.py", func(m member) []member { return changed(m, "import sys", "import sya") }, "", "signatures/deb-file-differs"},
		{"an authority added to the bundle", "etc/ssl/certs/ca-certificates.crt", func(m member) []member { m.content = append(m.content, m.content[:1500]...); return []member{m} }, "", ""},
		{"an authority changed", "usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt", flipped, "", "signatures/deb-file-differs"},
		{"a link by a hash to another authority", "etc/ssl/certs/ISRG_Root_X1.pem", withLink("/usr/share/ca-certificates/mozilla/GTS_Root_R1.crt"), "", ""},
		{"a script of dpkg changed", "var/lib/dpkg/info/dash.postinst", func(m member) []member { return []member{{m.h, append(m.content, "id\n"...)}} }, "", "signatures/deb-info-differs"},
		{"checksums of dpkg changed", "var/lib/dpkg/info/coreutils.md5sums", func(m member) []member { return []member{{m.h, m.content[34:]}} }, "", "signatures/deb-info-differs"},
		{"the cache of libraries changed", "etc/ld.so.cache", func(m member) []member { return changed(m, "libcurl.so.4\x00", "libcurl.so.5\x00") }, "", ""},
		{"an alternative that leads elsewhere", "etc/alternatives/awk", withLink("/usr/bin/perl"), "", ""},
		{"a user without a password", "etc/shadow", func(m member) []member { return changed(m, "root:*:", "root::") }, "", ""},
		{"another root", "etc/passwd", func(m member) []member {
			m.content = append(m.content, "toor:x:0:0::/root:/bin/bash\n"...)
			return []member{m}
		}, "", ""},
		{"a module for PAM", "etc/pam.d/common-auth", func(m member) []member { return changed(m, "pam_deny.so", "pam_permit.so") }, "", ""},
		{"a package under another version", "var/lib/dpkg/status", func(m member) []member { return changed(m, "Version: 5.2.15-2+b", "Version: 5.2.15-9+b") }, "", ""},
		{"a list of packages changed", "var/lib/apt/lists/", nil, "", ""},
		{"a configuration file changed", "etc/login.defs", func(m member) []member { return changed(m, "UMASK\t\t022", "UMASK\t\t000") }, "", "signatures/deb-config-changed"},
		{"an empty file where a library is looked for", "usr/lib/os-release", beside("etc/ld.so.preload", "", 0o644), "etc/ld.so.preload", ""},
		{"a folder that all may write", "usr/bin/", withMode(0o777), "usr/bin", "signatures/deb-folder-differs"},
		{"a device", "dev/null", func(m member) []member {
			return []member{m, {&tar.Header{Name: "dev/sda", Typeflag: tar.TypeBlock, Mode: 0o660, Devmajor: 8, ModTime: m.h.ModTime}, nil}}
		}, "dev/sda", ""},
		{"a program in a folder of data", "usr/share/doc/bash/copyright", beside("usr/share/doc/bash/helper", "\x7fELF", 0o4755), "usr/share/doc/bash/helper", ""},
	}
}

// planted plants all of them at once, and demands that each is found at its place, and
// that nothing else is: what the image has beside them is as before.
func (a *realArchive) planted(t *testing.T) {
	plants := plantings()
	done := make([]bool, len(plants))
	image := filepath.Join(a.dir, "planted.tar")
	a.pack(t, image, func(h *tar.Header, content []byte) []member {
		if strings.HasSuffix(h.Name, ".deb") {
			return nil
		}
		for i := range plants {
			p := &plants[i]
			if p.edit == nil { // a file of which the name is known by its end
				if strings.HasPrefix(h.Name, p.path) && strings.HasSuffix(h.Name, "_Packages") {
					p.at, done[i] = h.Name, true
					return changed(member{h, content}, "SHA256: ", "SHA256: 0")
				}
				continue
			}
			if h.Name == p.path {
				done[i] = true
				return p.edit(member{h, content})
			}
		}
		return []member{{h, content}}
	})
	r := a.trace(t, image, a.keys, a.debs)
	before := a.trace(t, a.image, a.keys, a.debs)
	found, places := 0, make(map[string]bool)
	for i, p := range plants {
		at := p.at
		if at == "" {
			at = p.path
		}
		places[at] = true
		w, isFile := r.Word(at)
		named := p.code == ""
		for _, f := range r.Findings {
			named = named || f.Path == at && f.Code == p.code
		}
		switch {
		case !done[i]:
			t.Errorf("%s: the root has no %s", p.name, p.path)
		case !named:
			t.Errorf("%s: no %s at %s", p.name, p.code, at)
		case isFile && w.Kind != vouch.Nobody && w.Kind != vouch.Differs:
			t.Errorf("%s: %s is %s by %s", p.name, at, w.Kind, w.By)
		default:
			found++
		}
	}
	follows := 0
	for f, w := range r.Rows() {
		if was, ok := before.Word(f.Path); ok && was.Kind != w.Kind && !places[f.Path] {
			follows++
		}
	}
	for _, f := range r.Findings {
		if f.Level == check.Problem && !places[f.Path] {
			t.Errorf("%s, where nothing was planted: %s", f.Path, f.Message)
		}
	}
	fmt.Printf("| %d of %d planted changes found; %d other files lost their word with them\n", found, len(plants), follows)
}
