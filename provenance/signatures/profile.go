package signatures

import (
	"slices"
	"strings"
)

// isLocal says whether a store item is made by whoever packs it, so that no
// farm can know it: a profile of Guix, what one of its hooks makes (Guix 1.0
// to 1.5, module (guix profiles)), or the script in a squashfs. Such an item has no version in its name,
// which is how it is told from a package.
func isLocal(path string) bool {
	base, ok := strings.CutPrefix(path, "/gnu/store/")
	if !ok {
		return false
	}
	_, name, _ := strings.Cut(base, "-")
	return slices.Contains(localNames(), name)
}

func localNames() []string {
	return []string{
		"profile",
		"ca-certificate-bundle",
		"emacs-subdirs",
		"fonts-dir",
		"gdk-pixbuf-loaders-cache-file",
		"ghc-package-cache",
		"glib-schemas",
		"gtk-icon-themes",
		"gtk-im-modules",
		"info-dir",
		"linux-module-database",
		"manual-database",
		"singularity-environment.sh",
		"texlive-configuration",
		"texlive-font-maps",
		"xdg-desktop-database",
		"xdg-mime-database",
	}
}
