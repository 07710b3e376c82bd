package records

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha512"
	"debug/elf"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
)

// condaFile is an entry of paths_data as conda writes it.
func condaFile(name, kind, body string, more string) string {
	return fmt.Sprintf(`{"_path": %q, "path_type": %q, "sha256": "%x"%s, "size_in_bytes": %d}`, name, kind, sha(body), more, len(body))
}

// An environment of conda with a package of Python: a file into which conda wrote the
// prefix has another digest than in the package, and that is recorded.
func TestConda(t *testing.T) {
	const (
		code, script, meta = "x = 1\n", "#!/opt/conda/bin/python\n", "Name: demo\nVersion: 1.2\n"
		lib                = "opt/conda/lib/python3.12/site-packages/"
		sum                = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	)
	record := `{"name": "demo", "version": "1.2", "build": "py312_0", "build_number": 0, "channel": "https://conda.anaconda.org/conda-forge/linux-64",
  "subdir": "linux-64", "fn": "demo-1.2-py312_0.conda", "url": "https://user:secret@conda.anaconda.org/t/tk-1/conda-forge/linux-64/demo-1.2-py312_0.conda",
  "md5": "cccccccccccccccccccccccccccccccc", "sha256": "` + sum + `", "license": "BSD-3-Clause", "files": ["ignored"],
  "paths_data": {"paths_version": 1, "paths": [` + strings.Join([]string{
		condaFile("bin/demo", "hardlink", "#!/placeholder/bin/python\n", fmt.Sprintf(`, "sha256_in_prefix": "%x", "file_mode": "text", "prefix_placeholder": "/placeholder"`, sha(script))),
		condaFile("bin/old", "hardlink", "#!/placeholder/bin/sh\n", `, "file_mode": "text", "prefix_placeholder": "/placeholder"`),
		condaFile("bin/link", "softlink", "other", ""),
		condaFile("lib/python3.12/site-packages/demo.py", "hardlink", code, ""),
		condaFile("lib/python3.12/site-packages/changed.py", "hardlink", code, ""),
		condaFile("lib/python3.12/site-packages/demo-1.2.dist-info/METADATA", "hardlink", meta, ""),
		condaFile("lib/gone.so", "hardlink", "x", ""),
		`{"_path": "lib/python3.12/site-packages/__pycache__/demo.cpython-312.pyc", "path_type": "pyc_file"}`,
	}, ",\n") + `]}}`
	all := read(t, append(files(
		"opt/conda/conda-meta/demo-1.2-py312_0.json", record, "opt/conda/conda-meta/history", "==> 2026 <==\n",
		"opt/conda/bin/demo", script, "opt/conda/bin/old", "#!/opt/conda/bin/sh\n", lib+"demo.py", code, lib+"changed.py", "x = 2\n",
		lib+"demo-1.2.dist-info/METADATA", meta, lib+"demo-1.2.dist-info/RECORD", recordLine("demo.py", code)+recordLine("changed.py", "x = 3\n"),
		lib+"__pycache__/demo.cpython-312.pyc", "compiled", "opt/conda/bin/own", "", "opt/conda/envs/e/conda-meta/history", "",
	), fixtures.File{Name: "opt/conda/bin/link", Link: "demo"}))
	expect(t, components(all), []string{
		"conda demo 1.2 sha256:bbbb md5:cccc https://conda.anaconda.org/conda-forge/linux-64/demo-1.2-py312_0.conda", "python demo 1.2 in conda demo 1.2",
	})
	c := all.Components[0]
	if c.Agree != 3 || c.Differ != 1 || c.Missing != 1 || c.Locator.Qualifiers["channel"] != "conda-forge" || c.Locator.Qualifiers["type"] != "conda" {
		t.Errorf("%+v", c)
	}
	expect(t, outcome(all), []string{
		`note opt/conda/bin/own records/unlisted-file ecosystem="conda" folder="opt/conda"`,
		`note opt/conda/conda-meta/demo-1.2-py312_0.json records/file-missing files="1" listed="5" package="conda demo 1.2"`,
		"opt/conda/bin/demo: conda demo 1.2", lib + "demo-1.2.dist-info/METADATA: conda demo 1.2", lib + "demo.py: conda demo 1.2",
		fmt.Sprintf(`undecided %schanged.py closure/record-differs digest="sha256:%x" package="conda demo 1.2"`, lib, sha(code)),
	})
}

// A prefix of Spack, in the layout of version 0.23.
func TestSpack(t *testing.T) {
	const prefix = "opt/spack/linux-debian12-x86_64_v3/gcc-12.2.0/zlib-1.3.1-abcdefghijklmnopqrstuvwxyz234567/"
	sum := func(body string) string {
		sum := sha1.Sum([]byte(body))
		return base32.StdEncoding.EncodeToString(sum[:])
	}
	spec := `{"spec":{"_meta":{"version":4},"nodes":[{"name":"zlib","version":"1.3.1","arch":{"platform":"linux","platform_os":"debian12",` +
		`"target":{"name":"x86_64_v3","vendor":"generic"}},"namespace":"builtin","hash":"abcdefghijklmnopqrstuvwxyz234567"},{"name":"gmake","version":"4"}]}}`
	manifest := fmt.Sprintf(`{"/%[1]slib":{"mode":16877,"owner":0,"group":0,"type":"dir"},"/%[1]slib/libz.so":{"type":"file","hash":%[2]q,"size":1},`+
		`"/%[1]slib/changed.so":{"type":"file","hash":%[2]q},"/%[1]slib/libz.so.1":{"type":"link","dest":"libz.so"}}`, prefix, sum("z"))
	all := read(t, append(files(prefix+".spack/spec.json", spec, prefix+".spack/install_manifest.json", manifest,
		prefix+"lib/libz.so", "z", prefix+"lib/changed.so", "y", prefix+"lib/own.so", "x"), fixtures.File{Name: prefix + "lib/libz.so.1", Link: "libz.so"}))
	expect(t, components(all), []string{"spack zlib 1.3.1"})
	if c := all.Components[0]; c.Arch != "linux-debian12-x86_64_v3" || c.Build != "abcdefghijklmnopqrstuvwxyz234567" {
		t.Errorf("%+v", c)
	}
	hash := sha1.Sum([]byte("z"))
	expect(t, outcome(all), []string{
		`note ` + prefix + `lib/own.so records/unlisted-file ecosystem="spack" folder="` + strings.TrimSuffix(prefix, "/") + `"`,
		prefix + "lib/libz.so: spack zlib 1.3.1",
		fmt.Sprintf(`undecided %slib/changed.so closure/record-differs digest="sha1:%x" package="spack zlib 1.3.1"`, prefix, hash),
	})
}

func TestEasyBuild(t *testing.T) {
	const prefix = "opt/easybuild/software/zlib/1.2.13-GCCcore-12.3.0/"
	all := read(t, files(prefix+"easybuild/zlib-1.2.13-GCCcore-12.3.0.eb", `easyblock = 'ConfigureMake'

name = 'zlib'
version = '1.2.13'  # a comment
homepage = "https://www.zlib.net/"
toolchain = {'name': 'GCCcore', 'version': '12.3.0'}
sources = [SOURCELOWER_TAR_GZ]
`, prefix+"lib/libz.a", "", prefix+"easybuild/reprod/x.eb", "", "opt/eb/easybuild/y.eb", "name = \"Python\"\nversion = '3'\ntoolchain = SYSTEM\nversionsuffix = '-bare'\n", "opt/z/easybuild/z.eb", "name = PYTHON\n"))
	expect(t, components(all), []string{"easybuild zlib 1.2.13", "easybuild Python 3"})
	if a, b := all.Components[0].Build, all.Components[1].Build; a != "GCCcore-12.3.0" || b != "system-bare" {
		t.Errorf("toolchains %q and %q", a, b)
	}
	if len(all.Problems) != 1 || all.Problems[0].Path != "opt/z/easybuild/z.eb" {
		t.Errorf("problems %v", all.Problems)
	}
}

// A binary package of R has the MD5 of its files.
func TestR(t *testing.T) {
	const lib = "usr/local/lib/R/site-library/"
	line := func(name, body string) string {
		sum := md5.Sum([]byte(body))
		return hex.EncodeToString(sum[:]) + " *" + name + "\n"
	}
	all := read(t, files(lib+"demo/DESCRIPTION", "Package: demo\nVersion: 1\nRemoteType: standard\n", lib+"demo/R/demo", "code", lib+"demo/R/demo.rdb", "other",
		lib+"demo/MD5", line("DESCRIPTION", "Package: demo\nVersion: 1\n")+line("R/demo", "code")+line("R/demo.rdb", "data")+"nonsense\n",
		lib+"demo/own", "", "usr/lib/R/library/src/DESCRIPTION", "Package: src\nVersion: 2\n", "usr/lib/R/library/src/R/src", ""))
	expect(t, components(all), []string{"r src 2", "r demo 1"})
	sum := md5.Sum([]byte("data"))
	expect(t, outcome(all), []string{
		`note usr/lib/R/library records/no-file-list ecosystem="r" files="1"`,
		`note ` + lib + `demo/own records/unlisted-file ecosystem="r" folder="` + strings.TrimSuffix(lib, "/") + `"`,
		fmt.Sprintf(`undecided %sdemo/R/demo.rdb closure/record-differs digest="md5:%x" package="r demo 1"`, lib, sum),
		lib + "demo/R/demo: r demo 1",
	})
}

// A tarball in npm's cache that has the digest in the lock has that of each file.
func TestNpmTarball(t *testing.T) {
	var out bytes.Buffer
	packed := gzip.NewWriter(&out)
	archive := tar.NewWriter(packed)
	for _, f := range [][2]string{{"package/package.json", `{"name": "a", "version": "1"}`}, {"package/index.js", "one"}, {"package/lib/x.js", "two"}, {"package/../evil.js", "three"}} {
		if err := archive.WriteHeader(&tar.Header{Name: f[0], Size: int64(len(f[1])), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(f[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), packed.Close()); err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(out.Bytes())
	name := fmt.Sprintf("root/.npm/_cacache/content-v2/sha512/%x/%x/%x", sum[:1], sum[1:2], sum[2:])
	lock := `{"packages": {"node_modules/a": {"version": "1", "integrity": "sha512-` + base64.StdEncoding.EncodeToString(sum[:]) + `"}}}`
	all := read(t, files(name, out.String(), "app/node_modules/.package-lock.json", lock, "app/node_modules/a/package.json", `{"name": "a", "version": "1", "_id": "a"}`,
		"app/node_modules/a/index.js", "one", "app/node_modules/a/lib/x.js", "2", "app/node_modules/a/own.js", "", "app/node_modules/evil.js", "other", "app/x.tgz", "no tarball"))
	expect(t, outcome(all), []string{
		"app/node_modules/a/index.js: npm a 1",
		`note app/node_modules/a/own.js records/unlisted-file ecosystem="npm" folder="app/node_modules"`,
		`note app/node_modules/evil.js records/unlisted-file ecosystem="npm" folder="app/node_modules"`,
		`undecided app/node_modules/a/lib/x.js closure/record-differs digest="sha256:` + fmt.Sprintf("%x", sha("two")) + `" package="npm a 1"`,
	})
	if _, err := tarFiles(out.Bytes(), 100); err == nil {
		t.Error("a tarball beyond its limit was read")
	}
}

// The lock that npm leaves in node_modules says where a package came from; that of a
// project, where there is no other.
func TestNpm(t *testing.T) {
	const sum = "sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
	lock := func(key, version string) string {
		return `{"name": "app", "lockfileVersion": 3, "packages": {"": {"name": "app"}, "` + key + `": {"version": "` + version +
			`", "resolved": "https://registry.npmjs.org/x/-/x.tgz?token=secret", "integrity": "sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA= ` + sum + `"}}}`
	}
	all := read(t, files(
		"app/node_modules/.package-lock.json", lock("node_modules/a/node_modules/b", "1"), "app/package-lock.json", lock("node_modules/a", "9"),
		"app/node_modules/a/package.json", `{"name": "a", "version": "9"}`, "app/node_modules/a/node_modules/b/package.json", `{"name": "b", "version": "1"}`,
		"app/node_modules/a/index.js", "", "two/package-lock.json", lock("node_modules/@s/c", "1"), "two/node_modules/@s/c/package.json", `{"name": "@s/c", "version": "1"}`,
		"three/package-lock.json", lock("node_modules/d", "1"), "three/node_modules/d/package.json", `{"name": "d", "version": "2"}`,
		"four/package-lock.json", "{", "four/node_modules/e/package.json", `{"name": "e"}`,
	))
	const from = " sha512:0000 https://registry.npmjs.org/x/-/x.tgz"
	expect(t, components(all), []string{"npm b 1" + from, "npm a 9", "npm e", "npm d 2", "npm @s/c 1" + from})
	expect(t, outcome(all), []string{`note app/node_modules records/no-file-list ecosystem="npm" files="1"`,
		`undecided four/package-lock.json records/unread error="it is no JSON of its form"`})
}

func TestGem(t *testing.T) {
	const dir = "usr/local/bundle/specifications/"
	all := read(t, files(dir+"rack-3.0.8.gemspec", "# -*- encoding: utf-8 -*-\n# stub: rack 3.0.8 ruby lib\n\nGem::Specification.new do |s|\n  s.licenses = [\"MIT\".freeze]\n",
		dir+"default/json-2.7.gemspec", "# stub: json 2.7 x86_64-linux lib\n  s.licenses = [\"Ruby\".freeze, \"BSD-2-Clause\".freeze]\n", dir+"x.gemspec", "Gem::Specification.new\n"))
	expect(t, components(all), []string{"gem json 2.7", "gem rack 3.0.8"})
	if c := all.Components[0]; c.Licenses[0].Meaning != "Ruby OR BSD-2-Clause" || c.Locator.Qualifiers["platform"] != "x86_64-linux" {
		t.Errorf("%+v", c)
	}
	expect(t, outcome(all), []string{"undecided " + dir + `x.gemspec records/unread error="it has no line that names a gem"`})
}

func TestComposerAndNuget(t *testing.T) {
	all := read(t, files("app/vendor/composer/installed.json", `{"packages": [{"name": "symfony/console", "version": "v6.3.0", "license": ["MIT"],
  "dist": {"type": "zip", "url": "https://api.github.com/repos/symfony/console/zipball/8788", "reference": "8788", "shasum": ""}}, {}], "dev": false}`,
		"srv/app.deps.json", `{"libraries": {"app/1.0.0": {"type": "project", "sha512": ""}, "Newtonsoft.Json/13.0.3": {"type": "package",
  "sha512": "sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}}}`))
	expect(t, components(all), []string{"composer symfony/console v6.3.0 https://api.github.com/repos/symfony/console/zipball/8788", "nuget Newtonsoft.Json 13.0.3 sha512:0000"})
	expect(t, outcome(all), nil)
}

// elfWith is a program with one section beside that of names.
func elfWith(name string, content []byte) []byte {
	names := "\x00" + name + "\x00.shstrtab\x00"
	body := bytes.NewBuffer(make([]byte, 64))
	at := body.Len()
	body.Write(content)
	body.WriteString(names)
	body.Write(make([]byte, minProgram))
	table := body.Len()
	section := func(name, kind uint32, offset, size int) {
		binary.Write(body, binary.LittleEndian, elf.Section64{Name: name, Type: kind, Off: uint64(offset), Size: uint64(size)})
	}
	section(0, 0, 0, 0)
	section(1, uint32(elf.SHT_PROGBITS), at, len(content))
	section(uint32(2+len(name)), uint32(elf.SHT_STRTAB), at+len(content), len(names))
	out := body.Bytes()
	head := bytes.NewBuffer(nil)
	binary.Write(head, binary.LittleEndian, elf.Header64{Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, Type: 2, Machine: 62, Version: 1,
		Shoff: uint64(table), Ehsize: 64, Shentsize: 64, Shnum: 3, Shstrndx: 2})
	copy(out, head.Bytes())
	return out
}

func TestRust(t *testing.T) {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	fmt.Fprint(w, `{"packages":[{"name":"libc","version":"0.2.1","source":"crates.io"},{"name":"cc","version":"1","kind":"build"},{"name":"own","version":"0.1.0","source":"local","root":true}]}`)
	w.Close()
	body := elfWith(".dep-v0", packed.Bytes())
	all := read(t, []fixtures.File{{Name: "usr/bin/tool", Body: string(body), Mode: 0o755}, {Name: "usr/bin/other", Body: string(elfWith(".text", []byte(rustMark))), Mode: 0o755}})
	expect(t, components(all), []string{"rust libc 0.2.1", "rust own 0.1.0"})
	if all.Components[0].Locator.Type != "cargo" || all.Components[1].Locator.Type != "" || len(all.Problems) > 0 {
		t.Errorf("%+v, %v", all.Components, all.Problems)
	}
}

// FuzzPrograms: no program, archive or tarball breaks what reads it whole.
func FuzzPrograms(f *testing.F) {
	f.Add(elfWith(".dep-v0", []byte("x"))[:500])
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(_ *testing.T, body []byte) {
		_, _ = rustSection(body)
		_, _ = tarFiles(body, 1<<20)
	})
}

// Packages of R lie in the library of a user, in those of projects, and in the cache of
// renv, to which several libraries can have links.
func TestLibrariesOfR(t *testing.T) {
	const (
		cache = "root/.cache/R/renv/cache/v5/R-4.4/x86_64-pc-linux-gnu/z/3.0/0123456789abcdef0123456789abcdef/z"
		one   = "one/renv/library/R-4.4/x86_64-pc-linux-gnu"
		two   = "two/renv/library/linux-debian-bookworm/R-4.4/x86_64-pc-linux-gnu"
		user  = "home/u/R/x86_64-pc-linux-gnu-library/4.4"
		old   = "three/packrat/lib/x86_64-pc-linux-gnu/3.6.0"
	)
	list := files(user+"/u/DESCRIPTION", "Package: u\nVersion: 1.0\n", old+"/p/DESCRIPTION", "Package: p\nVersion: 1.0\n",
		cache+"/DESCRIPTION", "Package: z\nVersion: 3.0\n", cache+"/MD5", fmt.Sprintf("%x *R/z\n%x *R/y\n", md5.Sum([]byte("code")), md5.Sum([]byte("more"))),
		cache+"/R/z", "code", cache+"/R/y", "other", "share/library-of/4.4/x/DESCRIPTION", "Package: no\n")
	for _, library := range []string{one, two} {
		list = append(list, fixtures.File{Name: library + "/z", Link: "/" + cache})
	}
	all := read(t, list)
	var got []string
	for _, c := range all.Components {
		got = append(got, c.Title()+" "+c.Library)
	}
	slices.Sort(got)
	expect(t, got, []string{"r p 1.0 " + old, "r u 1.0 " + user, "r z 3.0 " + one, "r z 3.0 " + two})
	expect(t, outcome(all), []string{cache + "/R/z: r z 3.0",
		"undecided " + cache + "/R/y closure/record-differs digest=\"md5:" + fmt.Sprintf("%x", md5.Sum([]byte("more"))) + "\" package=\"r z 3.0\""})
}
