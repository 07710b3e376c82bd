package main

import (
	"audit/provenance"
	"go/ast"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A form of images has the name of a build system in its own, and in those of
// what speaks of it: they are no names of the system. apt has a command reinstall.
var imageForms = regexp.MustCompile(`(?i)docker[-_]?(archive|daemon|reference|manifest|image|save|v1|v2|oci|legacy|config|hub|init|version)|docker://|docker\.(io|com)|apt\.conf\.d/docker-|docker-run\.sh|dpkg\.cfg\.d/docker|vnd\.docker|\.dockerenv|docker (save|export|login|run|images)|a Nix archive \(NAR\)|image\|container\|docker|^"reinstall"$|dockerfile|Singularity(,| and) Apptainer|apptainer sif dump|TypeDocker|nix-archive-1|/nix/store|\(\?:gnu\|nix\)/store`)

// The names of folders that tools build in are told in differences of files.
var buildFolders = []string{"rebuild/compare/explain/tokens.go"}

// packs says that the code of a folder makes, or reads, images: docker is a form
// of them there.
func packs(dir string) bool {
	first, rest, _ := strings.Cut(dir, "/")
	system, _, _ := strings.Cut(rest, "/")
	_, err := systems().Named(provenance.SystemName(system))
	return first == "inspect" || err == nil
}

// TestNoSystemIsNamed: nothing outside of the folders of a build system and the
// one list of them has an identifier or a text that names it. What package
// inspect knows of is forms of images.
func TestNoSystemIsNamed(t *testing.T) {
	for _, s := range systems() {
		name := string(s.About().Name)
		named := regexp.MustCompile(`(?i)(^|[^a-z])` + name + `([^a-z]|$)`)
		camel := regexp.MustCompile(strings.ToUpper(name[:1]) + name[1:] + `([A-Z]|$)|^` + name + `([A-Z0-9]|$)`)
		eachSource(t, func(fset *token.FileSet, file *ast.File) {
			path, _ := filepath.Rel("../..", fset.Position(file.Pos()).Filename)
			dir := filepath.Dir(path) + "/"
			if strings.HasPrefix(dir, "provenance/"+name+"/") || strings.HasPrefix(dir, "rebuild/"+name+"/") || path == "cmd/audit/systems.go" {
				return
			}
			if form := name == "docker"; form && packs(dir) || slices.Contains(buildFolders, path) {
				return
			}
			ast.Inspect(file, func(n ast.Node) bool {
				var text string
				switch n := n.(type) {
				case *ast.ImportSpec:
					return false
				case *ast.Ident:
					if text = imageForms.ReplaceAllString(n.Name, ""); !camel.MatchString(text) {
						return true
					}
				case *ast.BasicLit:
					if text = imageForms.ReplaceAllString(n.Value, ""); n.Kind != token.STRING || !named.MatchString(text) {
						return true
					}
				default:
					return true
				}
				t.Errorf("%s names %s: %.80s", fset.Position(n.Pos()), name, text)
				return true
			})
		})
	}
}
