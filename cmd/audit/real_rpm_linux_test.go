package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/fixtures"
	made "audit/fixtures/rpm"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/openpgp"
	"audit/provenance/ospackages"
	"audit/provenance/ospackages/rpmheader"
	"audit/provenance/vouch"
	"audit/provenance/vouch/rpm"
)

// rpmLab makes keys of two vendors, packages that they sign or do not, and roots into
// which rpm and dnf install them. HOME has macros for rpm, which Debian gives others.
const rpmLab = `set -euo pipefail
printf '%%_dbpath /var/lib/rpm\n%%__gpg /usr/bin/gpg\n%%_topdir %s/top\n' "$HOME" >"$HOME/.rpmmacros"
mkdir -m 700 "$GNUPGHOME"
for vendor in "one rsa2048" "two ed25519" "three dsa2048" "short rsa3072"; do
	set -- $vendor
	expires=never; [ "$1" != short ] || expires=2030-01-01
	gpg --batch --quiet --passphrase '' --quick-gen-key "Vendor $1 <$1@example.org>" "$2" sign "$expires"
	gpg --armor --export "Vendor $1" >"$1.asc"
done
gpg --export "Vendor one" >one.gpg
mkdir -p top/SPECS
for name in tiny second third unsigned short; do
	cat >top/SPECS/$name.spec <<SPEC
Name: $name
Version: 1.2
Release: 3
Summary: s
License: MIT
BuildArch: noarch
%description
d
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/etc %{buildroot}/usr/share/doc/$name %{buildroot}/usr/share/$name %{buildroot}/var/log
echo program $name >%{buildroot}/usr/bin/$name; echo ping >%{buildroot}/usr/bin/$name-ping; echo su >%{buildroot}/usr/bin/$name-su
ln %{buildroot}/usr/bin/$name %{buildroot}/usr/bin/$name-hard
ln -s $name %{buildroot}/usr/bin/$name-link
echo conf >%{buildroot}/etc/$name.conf
echo doc >%{buildroot}/usr/share/doc/$name/README
echo state >%{buildroot}/usr/share/$name/state; echo owned >%{buildroot}/usr/share/$name/owned; echo made >%{buildroot}/usr/share/$name/made
touch %{buildroot}/var/log/$name.log
%post -p <lua>
-- writes /usr/share/$name/state
%files
%attr(0755,root,root) /usr/bin/$name
%attr(0755,root,root) /usr/bin/$name-hard
%caps(cap_net_raw=ep) %attr(0755,root,root) /usr/bin/$name-ping
%attr(4755,root,root) /usr/bin/$name-su
/usr/bin/$name-link
%config /etc/$name.conf
%doc /usr/share/doc/$name/README
%dir /usr/share/$name
/usr/share/$name/state
%attr(0640,root,mail) /usr/share/$name/owned
%verify(not md5 size mtime) /usr/share/$name/made
%ghost /var/log/$name.log
SPEC
	rpmbuild --quiet -bb top/SPECS/$name.spec
done
mkdir rpms && cp top/RPMS/noarch/*.rpm rpms
sign() { rpmsign --define "_gpg_name Vendor $1" --addsign rpms/"$2"-*.rpm; }
sign one tiny; sign two second; sign three third; sign short short
mkdir -p root/etc
printf 'root:x:0:0::/:\nmail:x:8:12::/:\n' >root/etc/passwd
printf 'root:x:0:\nmail:x:12:\n' >root/etc/group
rpm --root "$PWD/root" --initdb
rpm --root "$PWD/root" --force-debian --nodeps --nosignature -i rpms/*.rpm
mkdir -p root/var/log; touch root/var/log/tiny.log
mkdir repo rd && cp rpms/tiny-*.rpm repo && createrepo_c -q repo
printf '[lab]\nname=lab\nbaseurl=file://%s/repo\ngpgcheck=1\ngpgkey=file://%s/one.asc\n' "$PWD" "$PWD" >rd/lab.repo
mkdir -p dnf/etc && cp root/etc/passwd root/etc/group dnf/etc
dnf -q -y --installroot="$PWD/dnf" --setopt=reposdir="$PWD/rd" --setopt=cachedir="$PWD/cache" --releasever=1 --disableplugin='*' install tiny
touch dnf/var/log/tiny.log
`

// An rpmCase is a root that is changed, and what audit says of it.
type rpmCase struct {
	name   string
	from   string // the root: root, dnf, …
	change string // commands in the root
	keys   []string
	status string   // of the check named signatures
	want   []string // "LEVEL CODE PATH" of findings that there have to be
	not    []string // codes that there must not be
}

func rpmCases() []rpmCase {
	all := []string{"one.asc", "two.asc", "three.asc", "short.asc"}
	whole := []string{"undecided rpm-unsigned ", "note rpm-ghost var/log/tiny.log", "note rpm-key-expires "}
	broken := []string{"rpm-changed", "rpm-mode", "rpm-setuid", "rpm-capability", "rpm-user", "rpm-group", "rpm-link", "rpm-type", "rpm-header-changed", "rpm-header-digest", "rpm-config", "rpm-files-absent"}
	changed := func(name, change, status string, want ...string) rpmCase {
		return rpmCase{name: name, from: "root", change: change, keys: all, status: status, want: want}
	}
	return []rpmCase{
		{"whole, sqlite", "root", ":", all, "unknown", whole, broken},
		{"whole, ndb", "ndb", ":", all, "unknown", whole, broken},
		{"whole, Berkeley DB", "berkeley", ":", all, "unknown", whole, broken},
		{"whole, by dnf", "dnf", ":", []string{"one.gpg"}, "pass", []string{"note rpm-carried-key var/lib/rpm/rpmdb.sqlite", "note rpm-ghost var/log/tiny.log"}, append(broken, "rpm-unsigned")},
		{"no key", "root", ":", nil, "skipped", []string{"undecided rpm-untrusted-key ", "undecided rpm-unsigned "}, broken},
		{"another key", "root", ":", []string{"two.asc"}, "unknown", []string{"undecided rpm-untrusted-key ", "undecided rpm-unsigned "}, broken},
		changed("a program changed", "echo x >usr/bin/tiny-ping", "fail", "problem rpm-changed usr/bin/tiny-ping"),
		changed("a program of another vendor changed", "echo x >usr/bin/third", "fail", "problem rpm-changed usr/bin/third", "problem rpm-changed usr/bin/third-hard"),
		changed("a mode changed", "chmod 777 usr/bin/second", "fail", "problem rpm-mode usr/bin/second"),
		changed("a setuid bit added", "chmod 4755 usr/bin/tiny", "fail", "problem rpm-setuid usr/bin/tiny", "problem rpm-setuid usr/bin/tiny-hard"),
		changed("a setuid bit removed", "chmod 755 usr/bin/tiny-su", "unknown", "undecided rpm-mode usr/bin/tiny-su"),
		changed("a capability added", "setcap cap_sys_admin+ep usr/bin/tiny", "fail", "problem rpm-capability usr/bin/tiny"),
		changed("a capability more", "setcap cap_net_raw,cap_setuid+ep usr/bin/tiny-ping", "fail", "problem rpm-capability usr/bin/tiny-ping"),
		changed("a capability lost", "setcap -r usr/bin/tiny-ping", "unknown", "note rpm-capability-lost usr/bin/tiny-ping"),
		changed("an owner changed", "chown 1000 usr/share/tiny/owned", "fail", "problem rpm-user usr/share/tiny/owned"),
		changed("a group changed", "chgrp 0 usr/share/tiny/owned", "fail", "problem rpm-group usr/share/tiny/owned"),
		changed("a link turned", "ln -sfn /tmp/x usr/bin/tiny-link", "fail", "problem rpm-link usr/bin/tiny-link"),
		changed("a link for a file", "ln -sf /tmp/x usr/bin/tiny-ping", "fail", "problem rpm-type usr/bin/tiny-ping"),
		changed("a configuration changed", "echo mine >etc/tiny.conf", "unknown", "note rpm-config etc/tiny.conf"),
		changed("what is not verified changed", "echo x >usr/share/tiny/made", "unknown", "note rpm-made usr/share/tiny/made"),
		changed("what a script writes changed", "echo x >usr/share/tiny/state", "unknown", "undecided rpm-script usr/share/tiny/state"),
		changed("a folder opened", "chmod 777 usr/share/tiny", "unknown", "undecided rpm-mode usr/share/tiny"),
		changed("documentation removed", "rm -r usr/share/doc", "unknown", "note rpm-docs-absent "),
		changed("a program removed", "rm usr/bin/third-su", "unknown", "note rpm-files-absent "),
		changed("a header altered", `sed -i 's/tiny-ping/tiny-pong/' var/lib/rpm/rpmdb.sqlite`, "fail", "problem rpm-header-digest var/lib/rpm/rpmdb.sqlite"),
	}
}

// TestRealRpm traces images by the real rpm and dnf to the keys that signed their
// packages, without a network, and plants changes that have to be found.
func TestRealRpm(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "rpm" {
		t.Skip("needs root, rpm, rpmbuild, rpmsign, gpg, dnf, createrepo_c, db5.3_load, setcap, and AUDIT_TEST_RPMDB, a folder of databases of CentOS: AUDIT_TEST_REAL=rpm says that they are there")
	}
	lab := newRpmLab(t)
	lab.otherDatabases(t)
	ran := 0
	for _, c := range rpmCases() {
		if t.Run(c.name, func(t *testing.T) { lab.try(t, c) }) {
			ran++
		}
	}
	t.Run("header altered, digest too", lab.alterByte)
	packages := 0
	t.Run("vendors", func(t *testing.T) { packages = vendors(t) })
	if !t.Failed() {
		fmt.Printf("real suite: rpm %d roots, and %d packages of vendors, by %s\n", ran+1, packages, lab.run(t, `echo "$(rpm --version | sed s/RPM.version/rpm/), $(gpg --version | head -n 1 | sed 's/ (.*) / /'), dnf $(dnf --version | head -n 1), $(db5.3_load -V | sed 's/:.*//')"`))
	}
}

// vendors verifies the packages in real databases of CentOS 5 to 8, which AUDIT_TEST_RPMDB
// has, with the keys that lie in them, where these are the ones that the vendors publish.
// CentOS 6 signed with SHA-1, CentOS 7 and EPEL with version 3 of OpenPGP's signatures.
func vendors(t *testing.T) (verified int) {
	files, err := filepath.Glob(filepath.Join(os.Getenv("AUDIT_TEST_RPMDB"), "*", "Packages"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d databases in AUDIT_TEST_RPMDB, %v", len(files), err)
	}
	published := map[string]string{
		"C1DAC52D1664E8A4386DBA430946FCA2C105B9DE": "CentOS 6", "6341AB2753D78A78A7C27BB124C6A8A7F4A80EB5": "CentOS 7",
		"99DB70FAE1D7CE227FB6488205B555B38483C65D": "CentOS 8", "91E97D7C4A5E96F17F3E888F6A2FAEA2352C64E5": "EPEL 7",
		"C4DBD535B1FBBA14F8BA64A84EB84E71F2EE9D55": "CentOS SCLo",
	}
	var keys openpgp.Keyring
	for _, file := range files {
		in, _ := vendorDatabase(t, file)
		keys = openpgp.Union(keys, carriedKeys(t, in))
	}
	for _, k := range keys.Keys() {
		if published[k.Fingerprint] == "" {
			t.Errorf("an unknown key %s, %s", k.Fingerprint, k.Name)
		}
	}
	if len(keys.Keys()) != len(published) {
		t.Errorf("%d keys, want %d", len(keys.Keys()), len(published))
	}
	for _, file := range files {
		in, img := vendorDatabase(t, file)
		r, err := rpm.Family{Keys: keys, Installed: in}.Vouch(t.Context(), vouch.New(img))
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(filepath.Dir(file))
		fmt.Printf("| %-24s | %3d packages | %3d verified\n", name, r.Packages, r.Verified)
		want := r.Packages
		if strings.HasPrefix(name, "centos5") { // of which no database has the key
			want = 0
		}
		if r.Packages < 100 || r.Verified != want || check.Worst(r.Findings) == check.Fail {
			t.Errorf("%s: %d of %d packages are verified", name, r.Verified, r.Packages)
		}
		verified += r.Verified
	}
	return verified
}

// vendorDatabase reads a database as that of an image.
func vendorDatabase(t *testing.T, file string) (*ospackages.Installed, *inspect.Image) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "image.tar")
	files := []fixtures.File{{Name: "var/lib/rpm/Packages", Body: string(data)}}
	if err := os.WriteFile(path, fixtures.Docker{Layers: [][]fixtures.File{files}}.Archive(), 0o600); err != nil {
		t.Fatal(err)
	}
	img, err := inspect.Open(t.Context(), path, inspect.Options{Stores: systems().Stores(), Keep: ospackages.Keep, Weak: ospackages.Weak})
	if err != nil {
		t.Fatal(err)
	}
	return ospackages.Read(img), img
}

// carriedKeys are the keys in a database.
func carriedKeys(t *testing.T, in *ospackages.Installed) (keys openpgp.Keyring) {
	t.Helper()
	for _, h := range in.Headers {
		header, err := rpmheader.Read(h.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if header.Text(rpmheader.Name) != ospackages.KeyPackage {
			continue
		}
		ring, err := openpgp.ReadKeyring(t.Context(), []byte(header.Text(rpmheader.Description)))
		if err != nil {
			t.Fatal(err)
		}
		keys = openpgp.Union(keys, ring)
	}
	return keys
}

type realRpm struct {
	dir string
	env []string
}

func newRpmLab(t *testing.T) *realRpm {
	dir, err := os.MkdirTemp("", "rpm") // short: sockets of gpg-agent lie below
	if err != nil {
		t.Fatal(err)
	}
	l := &realRpm{dir: dir, env: append(os.Environ(), "HOME="+dir, "GNUPGHOME="+dir+"/gnupg", "LC_ALL=C.UTF-8")}
	t.Cleanup(func() {
		l.run(t, "gpgconf --kill all")
		os.RemoveAll(dir)
	})
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "audit"), ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	l.run(t, rpmLab)
	return l
}

func (l *realRpm) run(t *testing.T, script string) string {
	t.Helper()
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = l.dir, l.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// pack writes a changed copy of a root as an image.
func (l *realRpm) pack(t *testing.T, from, change string) {
	t.Helper()
	l.run(t, "rm -rf changed; cp -a "+from+" changed; (cd changed; "+change+"); tar -C changed --xattrs --xattrs-include='*' --numeric-owner --sort=name -cf image.tar .")
}

// otherDatabases makes roots that have the packages in the two other formats, and has
// rpm read the one that it still reads.
func (l *realRpm) otherDatabases(t *testing.T) {
	t.Helper()
	headers := l.headers(t)
	if len(headers) != 5 {
		t.Fatalf("%d headers", len(headers))
	}
	l.run(t, "cp -a root ndb; rm ndb/var/lib/rpm/*; cp -a root berkeley; rm berkeley/var/lib/rpm/*")
	var text strings.Builder
	text.WriteString("VERSION=3\nformat=bytevalue\ntype=hash\nHEADER=END\n 00000000\n 06000000\n")
	for i, h := range headers {
		fmt.Fprintf(&text, " %02x000000\n %x\n", i+1, h)
	}
	text.WriteString("DATA=END\n")
	for path, data := range map[string]string{"ndb/var/lib/rpm/Packages.db": string(made.Ndb(headers...)), "berkeley.txt": text.String()} {
		if err := os.WriteFile(filepath.Join(l.dir, path), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l.run(t, "db5.3_load -f berkeley.txt berkeley/var/lib/rpm/Packages")
	if got := l.run(t, `cp -a berkeley read; rpm --define '_db_backend bdb_ro' --root "$PWD/read" -qa 2>warnings | sort | tr '\n' ' '`); got != "second-1.2-3.noarch short-1.2-3.noarch third-1.2-3.noarch tiny-1.2-3.noarch unsigned-1.2-3.noarch" {
		t.Errorf("rpm reads in the Berkeley DB: %s", got)
	}
}

// headers are those in the database that rpm wrote.
func (l *realRpm) headers(t *testing.T) (all [][]byte) {
	t.Helper()
	l.pack(t, "root", ":")
	img, err := inspect.Open(t.Context(), filepath.Join(l.dir, "image.tar"), inspect.Options{Stores: systems().Stores(), Keep: ospackages.Keep, Weak: ospackages.Weak})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range ospackages.Read(img).Headers {
		all = append(all, h.Bytes)
	}
	return all
}

// try audits a changed root in a network name space that has nothing.
func (l *realRpm) try(t *testing.T, c rpmCase) {
	l.pack(t, c.from, c.change)
	status, found := l.audit(t, c.keys)
	if status != c.status {
		t.Errorf("signatures: %s, want %s", status, c.status)
	}
	for _, want := range c.want {
		if !slices.Contains(found, want) {
			t.Errorf("there is no %q", want)
		}
	}
	for _, f := range found {
		if slices.Contains(c.not, strings.Fields(f)[1]) {
			t.Errorf("there is %q", f)
		}
	}
	if t.Failed() {
		t.Logf("findings:\n%s", strings.Join(found, "\n"))
	}
}

// audit returns the status of the check named signatures and its findings.
func (l *realRpm) audit(t *testing.T, keys []string) (status string, found []string) {
	t.Helper()
	args := ""
	for _, k := range keys {
		args += " --trusted-key " + k
	}
	l.run(t, "unshare -n ./audit --json"+args+" image.tar >report.json || [ $? -eq 1 ]")
	text, err := os.ReadFile(filepath.Join(l.dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Checks []struct {
			ID, Status string
			Findings   []struct{ Level, Code, Path string }
		}
	}
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	for _, c := range report.Checks {
		if c.ID != string(check.Signatures) {
			continue
		}
		status = c.Status
		for _, f := range c.Findings {
			found = append(found, f.Level+" "+strings.TrimPrefix(f.Code, "signatures/")+" "+f.Path)
		}
	}
	return status, found
}

// alterByte alters each header of the database in one byte and corrects the digest, as
// somebody would who has no key.
func (l *realRpm) alterByte(t *testing.T) {
	headers := l.headers(t)
	for i, h := range headers {
		at := strings.Index(string(h), "-ping")
		headers[i] = slices.Clone(h)
		headers[i][at+1] ^= 1
		made.FixDigest(headers[i])
	}
	l.run(t, "rm -rf altered; cp -a ndb altered")
	if err := os.WriteFile(filepath.Join(l.dir, "altered/var/lib/rpm/Packages.db"), made.Ndb(headers...), 0o644); err != nil {
		t.Fatal(err)
	}
	l.pack(t, "altered", ":")
	status, found := l.audit(t, []string{"one.asc", "two.asc", "three.asc", "short.asc"})
	n := 0
	for _, f := range found {
		if f == "problem rpm-header-changed var/lib/rpm/Packages.db" {
			n++
		}
	}
	if status != "fail" || n != 4 {
		t.Errorf("signatures: %s, with %d headers changed, want 4:\n%s", status, n, strings.Join(found, "\n"))
	}
}
