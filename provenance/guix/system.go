package guix

import (
	"fmt"
	"strings"

	"audit/inspect"
	"audit/provenance"
	"audit/provenance/guix/profile"
)

// systemRecipe fills in the recipe of an image of a whole system, which guix
// system image made. What such an image can tell are the channels; its
// configuration is a program and is named, never copied.
func (v *view) systemRecipe(recipe *provenance.Recipe, root string) error {
	recipe.Pack = provenance.Pack{
		Format:     formatSystem,
		Root:       root,
		SystemType: systemTypes[v.config.Architecture],
		Database:   v.hasDatabase(),
		Unknown:    []string{"the options of guix system image"},
	}
	recipe.Packer = packer(recipe.Pack)
	recipe.Status = provenance.Partial
	list, err := v.systemChannels(recipe, root)
	if err != nil {
		return err
	}
	recipe.Channels = list.List
	recipe.Problems = append(recipe.Problems, list.Problems...)
	if len(list.List) == 0 {
		recipe.Status = provenance.None
		recipe.Problems = append(recipe.Problems, "the system does not say which channels it was made from (it was made without --save-provenance)")
	} else {
		recipe.Files = append(recipe.Files, provenance.File{Name: "channels.scm", Text: list.File()})
	}
	problem := "the image does not hold the system's configuration"
	if f, ok := v.systemFile(root, "configuration.scm"); ok {
		recipe.Sources = append(recipe.Sources, provenance.Source{Layer: f.Layer, Path: f.Path, Digest: f.Digest})
		problem = fmt.Sprintf("the configuration of the system, /%s in the image, is a program: it is not copied from there", f.Path)
	}
	recipe.Problems = append(recipe.Problems, problem)
	return nil
}

// systemFile finds a file of the system item, which is a symlink to a store
// item of its own.
func (v *view) systemFile(root, name string) (inspect.File, bool) {
	p := strings.TrimPrefix(root, "/") + "/" + name
	f, ok := v.file(p)
	if ok && f.Type == '2' {
		f, ok = v.file(strings.TrimPrefix(absolute(f), "/"))
	}
	return f, ok && f.Type == '0' && Keep(f.Path)
}

// systemChannels reads channels.scm of the system, or its file provenance,
// which has no introductions.
func (v *view) systemChannels(recipe *provenance.Recipe, root string) (list profile.Channels, err error) {
	for _, name := range []string{"channels.scm", "provenance"} {
		f, ok := v.systemFile(root, name)
		if !ok {
			continue
		}
		text, ok := v.img.Body(f.Layer, f.Path)
		if !ok {
			return list, fmt.Errorf("reading %s: the image was opened without keeping it", f.Path)
		}
		recipe.Sources = append(recipe.Sources, provenance.Source{Layer: f.Layer, Path: f.Path, Digest: f.Digest})
		if len(list.List) == 0 {
			list = profile.ReadSystem(f.Path, text)
		}
	}
	return list, nil
}
