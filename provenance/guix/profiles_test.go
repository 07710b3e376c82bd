package guix

import (
	"path/filepath"
	"strings"
	"testing"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
)

// Every profile that Guix made is the union of its entries, and what its hooks made
// follows their rules.
func TestProfilesOfSamples(t *testing.T) {
	n := 0
	for _, pattern := range []string{"images/*.tar*", "eras/*.tar*", "realpack/*.tar.gz", "forms/*", "longnames/*.tar.gz"} {
		files, err := filepath.Glob(filepath.Join(fixturesDir, pattern))
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			if strings.Contains(file, "transf") {
				continue // it lacks a package of its profile
			}
			ev := recoverFrom(t, file)
			profiles := 0
			for item, standing := range ev.Derived {
				made := inspect.StoreName(item) == "profile" || inspect.StoreName(item) == emacsSubdirsName
				if name := inspect.StoreName(item); standing == provenance.Unproven || made && standing != provenance.Remade {
					t.Errorf("%s: %s is %v", file, item, standing)
				} else if name == "profile" {
					profiles++
				}
			}
			if profiles != 1 {
				t.Errorf("%s: %d profiles, %s", file, profiles, texts(ev.Closure.Reasons))
			}
			n++
		}
	}
	t.Logf("%d images", n)
}

// What is put into a profile, or into what its hooks made, is found.
func TestTamperedProfiles(t *testing.T) {
	const (
		prof    = "gnu/store/ypn3grvqkxxn1829wfbmla6hrgn49wcj-profile"
		setting = "export PATH=\"${GUIX_PROFILE:-/" + prof + "}/bin${PATH:+:}$PATH\"\n"
	)
	img := open(t, filepath.Join(fixturesDir, "images/tiny.tar.gz"))
	hook := func(name string) string {
		for _, it := range img.Items {
			if inspect.StoreName(it.Path) == name {
				return it.Path[1:]
			}
		}
		t.Fatal(name)
		return ""
	}
	infoDir, emacs := hook("info-dir"), hook("emacs-subdirs")
	both := func(edits ...fixtures.Edit) fixtures.Edit {
		return func(a *fixtures.Archive) error {
			for _, edit := range edits {
				if err := edit(a); err != nil {
					return err
				}
			}
			return nil
		}
	}
	for _, tc := range []struct {
		name   string
		edit   fixtures.Edit
		status check.Status
		want   []string
	}{
		{"bin in what a hook made", both(fixtures.AddFileInsideItem(infoDir, "tiny-hello", "#!/bin/sh\n"), fixtures.ChangeLink("-profile/bin", "/"+infoDir)), check.Fail,
			[]string{"hook-file-unexplained " + infoDir + "/tiny-hello", "profile-entry-missing " + prof + "/tiny-hello", "profile-link-differs " + prof + "/bin"}},
		{"bin in another package", fixtures.ChangeLink("-profile/bin", tinyLib+"/lib"), check.Fail, []string{"profile-link-differs " + prof + "/bin"}},
		{"a program in the info dir", fixtures.AddFileInsideItem(infoDir, "evil", "#!/bin/sh\n"), check.Fail,
			[]string{"hook-file-unexplained " + infoDir + "/evil", "profile-entry-missing " + prof + "/evil"}},
		{"a file in the profile", fixtures.AddFileInsideItem(prof, "evil", "x"), check.Fail, []string{"profile-entry-unexplained " + prof + "/evil"}},
		{"a link less", fixtures.RemoveEntry("-profile/bin"), check.Fail, []string{"profile-entry-missing " + prof + "/bin"}},
		{"a command for shells", fixtures.ReplaceFile("-profile/etc/profile", "# a\n\n"+setting+"rm -rf /\n"), check.Fail, []string{"environment-line " + prof + "/etc/profile"}},
		{"a command in a setting", fixtures.ReplaceFile("-profile/etc/profile", strings.Replace(setting, "/bin$", "/$(id)$", 1)), check.Fail, []string{"environment-line " + prof + "/etc/profile"}},
		{"a path elsewhere", fixtures.ReplaceFile("-profile/etc/profile", "export PATH=\"/tmp${PATH:+:}$PATH\"\n"), check.Fail, []string{"environment-line " + prof + "/etc/profile"}},
		{"another variable", fixtures.ReplaceFile("-profile/etc/profile", setting+strings.ReplaceAll(setting, "PATH", "LD_LIBRARY_PATH")), check.Fail, []string{"environment-variable " + prof + "/etc/profile"}},
		{"a program for Emacs", fixtures.ReplaceFile("subdirs.el", "(shell-command \"evil\")"), check.Unknown, []string{"hook-output-unproven /" + emacs}},
		{"another version", fixtures.SetProfileManifest(oneEntry(`"tiny-hello"`, tinyHello)), check.Pass, []string{"entry-version-differs " + prof + "/manifest"}},
		{"another name", fixtures.SetProfileManifest(oneEntry(`"openssl"`, tinyHello)), check.Unknown, []string{"entry-name-differs " + prof + "/manifest"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := recoverFrom(t, tampered(t, "images/tiny.tar.gz", tc.edit)).Closure
			if c.Status != tc.status {
				t.Errorf("status %v, want %v: %s", c.Status, tc.status, texts(c.Reasons))
			}
			wantFindings(t, c, tc.want...)
		})
	}
}

// What the hook for Emacs writes follows from the folders that the packages have, and
// whatever else it could hold does not count as made again.
func TestEmacsSubdirs(t *testing.T) {
	root, pkg, hook := "/gnu/store/"+hashA+"-profile", "/gnu/store/"+hashB+"-one-1.0", "/gnu/store/"+hashC+"-emacs-subdirs"
	lisp, native := pkg+"/share/emacs/site-lisp", pkg+"/lib/emacs/native-site-lisp"
	first := func(paths string) string { return "(normal-top-level-add-to-load-path (list" + paths + "))\n" }
	second := func(paths string) string {
		return "(when (boundp (quote native-comp-eln-load-path)) (let ((needle (expand-file-name \"../../../lib/emacs/native-site-lisp\"))) (setq native-comp-eln-load-path (mapcan (lambda (dir) (if (equal dir needle) (append (quote (" +
			paths + ")) (list dir)) (list dir))) native-comp-eln-load-path))))\n"
	}
	both := ` "` + lisp + `/a" "` + lisp + `/b"`
	for text, want := range map[string]provenance.Standing{
		first(both) + second(`"`+native+`"`): provenance.Remade,
		first(both):                          provenance.Remade, // up to Guix 1.4
		first(""):                            provenance.Conforming,
		first(` "a" "b"`):                    provenance.Conforming,
		first(` "` + lisp + `/a"`):           provenance.Unproven,
		first(both) + "(evil)\n":             provenance.Unproven,
	} {
		entries := item(root, "manifest", `(manifest (version 4) (packages (("one" "1.0" "out" "`+pkg+`"))))`)
		entries = append(entries, item(hook, emacsSubdirsFile, text)...)
		for _, folder := range []string{lisp + "/b", lisp + "/a", native} {
			entries = append(entries, entry{name: folder[1:] + "/", mode: 0o555})
		}
		entries = append(entries, item(pkg, "share/emacs/site-lisp/one.el", "; "+hook)...)
		entries = append(entries, entry{name: root[1:] + "/share", link: hook + "/share"})
		if got := recoverFrom(t, packOf(root, entries...).write(t)).Derived[hook]; got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}

// A hook writes an index only of what the packages have: of nothing it writes none.
func TestIndexOfNothing(t *testing.T) {
	root, pkg, hook := "/gnu/store/"+hashA+"-profile", "/gnu/store/"+hashB+"-one-1.0", "/gnu/store/"+hashC+"-info-dir"
	for source, want := range map[string]provenance.Standing{"share/info/one.info": provenance.Conforming, "share/doc/one": provenance.Unproven} {
		entries := item(root, "manifest", `(manifest (version 4) (packages (("one" "1.0" "out" "`+pkg+`"))))`)
		entries = append(entries, item(hook, "share/info/dir", "#!/bin/sh\nevil\n")...)
		entries = append(entries, item(pkg, source, "; "+hook)...)
		entries = append(entries, entry{name: root[1:] + "/share", link: hook + "/share"})
		if got := recoverFrom(t, packOf(root, entries...).write(t)).Derived[hook]; got != want {
			t.Errorf("with %s: %v, want %v", source, got, want)
		}
	}
}

// Links that make a tree without end are found to do so, in time that the image's
// entries bound.
func TestUnionWithoutEnd(t *testing.T) {
	root, one, other := "/gnu/store/"+hashA+"-profile", "/gnu/store/"+hashB+"-one-1.0", "/gnu/store/"+hashC+"-two-1.0"
	entries := item(root, "manifest", `(manifest (version 4) (packages (("one" "1.0" "out" "`+one+`") ("two" "1.0" "out" "`+other+`"))))`)
	for _, p := range []string{one, other} {
		entries = append(entries, entry{name: p[1:] + "/", mode: 0o555}, entry{name: p[1:] + "/again", link: "."}, entry{name: p[1:] + "/more", link: "."})
	}
	ev := recoverFrom(t, packOf(root, entries...).write(t))
	if ev.Derived[root] != provenance.Unproven || !strings.Contains(texts(ev.Closure.Reasons), "profile-without-end") {
		t.Errorf("%v: %s", ev.Derived, texts(ev.Closure.Reasons))
	}
}
