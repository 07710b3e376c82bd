package deb

import (
	"slices"
	"testing"

	made "audit/fixtures/deb"
	"audit/inspect/check"
	"audit/provenance/openpgp"
	"audit/provenance/vouch"
	"audit/provenance/vouch/packages"
)

// Backports and security have keys of their own, several architectures are installed
// side by side, and one package comes from where no key is trusted.
func TestSuitesAndArchitectures(t *testing.T) {
	main, security, foreign := newSigner(t, 0), newSigner(t, 0), newSigner(t, 0)
	file := func(path string) []made.File { return []made.File{{Path: path, Body: path}} }
	base := made.Package{Name: "base", Files: file("usr/share/base")}
	fixed := made.Package{Name: "fixed", Version: "1.0-1+deb12u1", Files: file("usr/share/fixed")}
	amd := made.Package{Name: "lib", Files: file("usr/lib/x86_64-linux-gnu/lib"), Control: map[string]string{"shlibs": "lib 1\n"}}
	arm := made.Package{Name: "lib", Arch: "arm64", Files: file("usr/lib/aarch64-linux-gnu/lib"), Control: map[string]string{"shlibs": "lib 1\n"}}
	other := made.Package{Name: "other", Files: file("opt/other")}

	root := made.Root(base, fixed, amd, other)
	for _, f := range made.Root(arm) { // dpkg names the files of info by the architecture, too
		switch f.Path {
		case "var/lib/dpkg/status":
			root = edit(t, root, f.Path, func(whole *made.File) { whole.Body += f.Body })
			continue
		case "var/lib/dpkg/info/lib.list":
			f.Path = "var/lib/dpkg/info/lib:arm64.list"
		case "var/lib/dpkg/info/lib.shlibs":
			f.Path = "var/lib/dpkg/info/lib:arm64.shlibs"
		case "var/lib/dpkg/info/format":
			continue
		}
		root = append(root, f)
	}
	f := Family{Keys: openpgp.Union(main.ring(), security.ring()), Sources: []*packages.Source{
		write(t, made.Mirror{Packages: []made.Package{base, amd, arm}, Sign: main.clear}.Write()),
		write(t, made.Mirror{Suite: "stable-security", Packages: []made.Package{fixed}, Sign: security.clear}.Write()),
		write(t, made.Mirror{Suite: "theirs", Packages: []made.Package{other}, Sign: foreign.clear}.Write()),
	}}
	o := run(t, root, f)
	if o.Packages != 5 || o.Verified != 4 {
		t.Errorf("%d of %d are verified: %v", o.Verified, o.Packages, o.Findings)
	}
	for _, at := range []string{"usr/share/base", "usr/share/fixed", "usr/lib/x86_64-linux-gnu/lib", "usr/lib/aarch64-linux-gnu/lib", "var/lib/dpkg/info/lib.shlibs", "var/lib/dpkg/info/lib:arm64.shlibs"} {
		if o.kind(t, at) != vouch.Signed {
			t.Errorf("%s is %s", at, o.kind(t, at))
		}
	}
	if o.kind(t, "opt/other") != vouch.Nobody {
		t.Errorf("opt/other is %s", o.kind(t, "opt/other"))
	}
	a, _ := o.table.Word("usr/share/base")
	b, _ := o.table.Word("usr/share/fixed")
	if len(a.Keys) != 1 || len(b.Keys) != 1 || a.Keys[0] == b.Keys[0] {
		t.Errorf("keys %v and %v", a.Keys, b.Keys)
	}
	if i := slices.IndexFunc(o.Findings, func(f check.Finding) bool { return f.Code == "signatures/deb-not-listed" }); i < 0 || o.Findings[i].Args.String("package") != "other" {
		t.Errorf("%v", o.Findings)
	}
}

// A version that two archives have with different bytes is that of either, by the digest.
func TestOneVersionTwice(t *testing.T) {
	s := newSigner(t, 0)
	ours := made.Package{Name: "tool", Files: []made.File{{Path: "usr/tool", Body: "ours"}}}
	theirs := made.Package{Name: "tool", Files: []made.File{{Path: "usr/tool", Body: "theirs"}}}
	f := Family{Keys: s.ring(), Sources: []*packages.Source{
		write(t, made.Mirror{Suite: "a", Packages: []made.Package{ours}, Sign: s.clear}.Write()),
		write(t, made.Mirror{Suite: "b", Packages: []made.Package{theirs}, Sign: s.clear}.Write()),
	}}
	for _, p := range []made.Package{ours, theirs} {
		if o := run(t, made.Root(p), f); o.kind(t, "usr/tool") != vouch.Signed {
			t.Errorf("%s: %s, %v", p.Files[0].Body, o.kind(t, "usr/tool"), o.Findings)
		}
	}
}

// Ubuntu's packages with debugging symbols have an end of their own.
func TestNameOf(t *testing.T) {
	for file, want := range map[string][2]string{
		"pool/main/t/tool/tool_1.0-1_amd64.deb": {"tool", "1.0-1"}, "tool_1%3a1.0~rc1-1_all.deb": {"tool", "1:1.0~rc1-1"}, "tool-dbgsym_1.0_amd64.ddeb": {"tool-dbgsym", "1.0"},
		"tool.deb": {}, "tool_1.0_amd64.rpm": {}, "": {},
	} {
		if pkg, version, _ := nameOf(file); pkg != want[0] || version != want[1] {
			t.Errorf("%s: %q, %q", file, pkg, version)
		}
	}
}
