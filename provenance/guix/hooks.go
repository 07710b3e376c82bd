package guix

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/store"
)

// A hookRule says what a profile hook of Guix makes: a store item of its own, by
// whose paths others see it in the profile (Guix 1.0 to 1.5, module (guix profiles),
// %default-profile-hooks).
type hookRule struct {
	files []string       // patterns of path.Match for the files that it writes
	links string         // folder below which there are symlinks into other store items; "" for none
	text  *regexp.Regexp // what the files hold, where that is known
	made  madeFrom       // the very texts that the hook writes; nil where that is not known
	inert bool           // the files are data that makes no program run another one: their form is enough
}

// madeFrom returns the texts that a hook may write for a profile of these store
// items, one for each form that versions of Guix gave it; none when that takes more
// than the steps that are left.
type madeFrom func(v *view, inputs []string, steps *int) []string

// hookRules are the rules by the name of the store item.
func hookRules() map[string]hookRule {
	return map[string]hookRule{
		emacsSubdirsName:  {files: []string{emacsSubdirsFile}, text: emacsSubdirs, made: (*view).emacsSubdirs},
		"info-dir":        {files: []string{"share/info/dir"}, inert: true},
		"manual-database": {files: []string{"share/man/index.db"}, inert: true},
		"fonts-dir": {files: []string{"share/fonts/*/fonts.dir", "share/fonts/*/fonts.scale", "share/fonts/*/fonts.alias"},
			links: "share/fonts", inert: true},
		"glib-schemas":                  {files: []string{"share/glib-2.0/schemas/gschemas.compiled"}, links: "share/glib-2.0/schemas", inert: true},
		"gtk-icon-themes":               {files: []string{"share/icons/*/icon-theme.cache"}, links: "share/icons", inert: true},
		"xdg-mime-database":             {files: []string{"share/mime/*", "share/mime/*/*"}, links: "share/mime", inert: true},
		"xdg-desktop-database":          {files: []string{"share/applications/mimeinfo.cache"}, links: "share/applications"},
		"ca-certificate-bundle":         {files: []string{"etc/ssl/certs/ca-certificates.crt"}},
		"gtk-im-modules":                {files: []string{"lib/gtk-*/*/immodules*.cache"}},
		"gdk-pixbuf-loaders-cache-file": {files: []string{"lib/gdk-pixbuf-*/*/loaders.cache"}},
		"ghc-package-cache":             {files: []string{"lib/ghc-*/package.conf.d/*"}, links: "lib"},
		"linux-module-database":         {files: []string{"lib/modules/*/modules.*"}, links: "lib/modules"},
		"texlive-configuration":         {files: []string{"share/texmf-dist/*", "share/texmf-dist/*/*", "share/texmf-dist/*/*/*"}, links: "share/texmf-dist"},
		"texlive-font-maps":             {files: []string{"share/texmf-dist/fonts/map/*/*/*"}, links: "share/texmf-dist"},
	}
}

// What the hook for Emacs makes.
const (
	emacsSubdirsName = "emacs-subdirs"
	emacsSubdirsFile = "share/emacs/site-lisp/subdirs.el"
)

// emacsSubdirs is a subdirs.el: Emacs runs it, and all that it does is to add folders
// to lists.
var emacsSubdirs = regexp.MustCompile(`\A\(normal-top-level-add-to-load-path \(list( "[A-Za-z0-9._+@-]+")*\)\)\n` +
	`(\(when \(boundp \(quote native-comp-eln-load-path\)\) \(let \(\(needle \(expand-file-name "\.\./\.\./\.\./lib/emacs/native-site-lisp"\)\)\) ` +
	`\(setq native-comp-eln-load-path \(mapcan \(lambda \(dir\) \(if \(equal dir needle\) \(append \(quote \(( ?"[A-Za-z0-9._+@/-]+")*\)\) \(list dir\)\) \(list dir\)\)\) ` +
	`native-comp-eln-load-path\)\)\)\)\n)?\z`)

// emacsSubdirs returns the subdirs.el of a profile: its first line alone, and with
// the second that later versions add (Guix 1.5, module (guix profiles),
// emacs-subdirs).
func (v *view) emacsSubdirs(inputs []string, steps *int) []string {
	var folders, native []string
	for _, in := range inputs {
		if dir := in + "/lib/emacs/native-site-lisp"; v.isFolder(dir) {
			native = append(native, dir)
		}
		dir := in + "/share/emacs/site-lisp"
		for _, name := range v.children(v.real(dir)) {
			if *steps--; *steps <= 0 {
				return nil
			}
			if v.isFolder(dir + "/" + name) {
				folders = append(folders, dir+"/"+name)
			}
		}
	}
	first := "(normal-top-level-add-to-load-path (list" + lispStrings(" ", folders) + "))\n"
	second := `(when (boundp (quote native-comp-eln-load-path)) (let ((needle (expand-file-name "../../../lib/emacs/native-site-lisp"))) ` +
		`(setq native-comp-eln-load-path (mapcan (lambda (dir) (if (equal dir needle) (append (quote (` +
		strings.TrimPrefix(lispStrings(" ", native), " ") + `)) (list dir)) (list dir))) native-comp-eln-load-path))))` + "\n"
	return []string{first, first + second}
}

// lispStrings writes paths of a store as strings of Lisp, each after a separator.
func lispStrings(separator string, paths []string) string {
	var b strings.Builder
	for _, p := range paths {
		b.WriteString(separator + strconv.Quote(p))
	}
	return b.String()
}

// isFolder says whether an absolute path is, or leads to, a folder.
func (v *view) isFolder(p string) bool {
	f, ok := v.files.At(v.real(p))
	return ok && f.Type == '5'
}

// hookName is the name of a store item by which hooks are known.
func hookName(item string) string {
	if !strings.HasPrefix(item, storeDir) {
		return ""
	}
	return inspect.StoreName(item)
}

// hook compares what a hook is said to have made with its rule. A file that no such
// hook writes is a problem; one whose content the rule does not decide leaves it
// undecided, unless nothing runs by it.
func (c *closureCheck) hook(item string, rule hookRule, inputs []string, steps *int) provenance.Standing {
	before := c.Count(check.Problem)
	standing := provenance.Remade
	for _, f := range c.below(item) {
		at := strings.TrimPrefix(strings.TrimPrefix(f.Path, item[1:]), "/")
		switch {
		case f.Type == '5':
		case f.Type == '0' && f.Mode&0o111 == 0 && matches(rule.files, at):
			standing = min(standing, c.hookFile(f.Path, at, rule, inputs, steps))
		case f.Type == '2' && rule.links != "" && strings.HasPrefix(at, rule.links+"/") && strings.HasPrefix(absolute(f), storeDir):
			standing = min(standing, provenance.Conforming)
		default:
			c.Problem(f.Layer, f.Path, "closure/hook-file-unexplained", append(store.Details(f.Entry), "kind", provenance.KindOf(f.Entry), "hook", inspect.StoreName(item))...)
		}
	}
	if c.Count(check.Problem) > before {
		return provenance.Unproven
	}
	if standing == provenance.Unproven {
		c.Undecided(c.items[item].Layer, item, "closure/hook-output-unproven", "hook", inspect.StoreName(item))
	}
	return standing
}

// hookFile says how far a rule explains a file that a hook writes, which lies at some
// place in its store item.
func (c *closureCheck) hookFile(p, at string, rule hookRule, inputs []string, steps *int) provenance.Standing {
	if rule.text != nil {
		text, _, ok := c.body(p)
		switch {
		case ok && rule.made != nil && slices.Contains(rule.made(c.view, inputs, steps), string(text)):
			return provenance.Remade
		case ok && rule.text.Match(text):
			return provenance.Conforming
		}
		return provenance.Unproven
	}
	if rule.inert && c.hasSource(at, inputs, steps) {
		return provenance.Conforming
	}
	return provenance.Unproven
}

// hasSource says whether some input has anything in the folder of which a file that a
// hook writes is an index: share/info of share/info/dir, share/man of
// share/man/index.db. Where none has, a hook writes no such file.
func (c *closureCheck) hasSource(at string, inputs []string, steps *int) bool {
	parts := strings.SplitN(at, "/", 3)
	folder := strings.Join(parts[:min(len(parts)-1, 2)], "/")
	return slices.ContainsFunc(inputs, func(in string) bool {
		*steps--
		return *steps > 0 && len(c.children(c.real(in+"/"+folder))) > 0
	})
}

func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		if ok, _ := path.Match(p, name); ok {
			return true
		}
	}
	return false
}
