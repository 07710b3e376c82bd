package guix

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/guix/profile"
	"audit/provenance/store"
)

// systemRecipe fills in the recipe of an image of a whole system, which guix
// system image made with --save-provenance: the channels, and the configuration
// of the system. That one is a program by the image's author and the one file of
// a recipe that is copied: it is nothing that could be written anew.
func (v *view) systemRecipe(recipe *provenance.Recipe, root string) error {
	p, err := v.systemProfile(recipe, root)
	if err != nil {
		return err
	}
	pack := v.systemCall(root, p)
	setPack(recipe, pack)
	recipe.Status = provenance.Partial
	if pack.Format == formatLayers {
		recipe.Missing = append(recipe.Missing, v.besideLayers(root))
	}
	list, err := v.systemChannels(recipe, root)
	if err != nil {
		return err
	}
	recipe.Channels = list.List
	recipe.Missing = append(recipe.Missing, list.Problems...)
	if len(list.List) == 0 {
		recipe.Status = provenance.None
		recipe.Missing = append(recipe.Missing, check.Say("recipe/system-without-channels"))
	} else {
		recipe.Files = append(recipe.Files, provenance.File{Name: "channels.scm", Text: list.File()})
	}
	if err := v.systemConfiguration(recipe, root); err != nil {
		return err
	}
	if len(recipe.Missing) == 0 {
		recipe.Status = provenance.Complete
	}
	return nil
}

// systemCall recovers how guix system was called.
func (v *view) systemCall(root string, p *profile.Profile) Pack {
	span, because, contradictions := v.era(p)
	v.because = because
	pack := Pack{
		Format:     v.format(root),
		Era:        span.String(),
		Root:       root,
		SystemType: systemTypes[store.Architecture(v.img)],
		Database:   v.files.IsFile(databasePath),
		Unknown:    append([]check.Message{check.Say("recipe/unknown-network"), check.Say("recipe/unknown-grafts"), check.Say("recipe/unknown-modules")}, contradictions...),
	}
	if pack.Format == formatSystem {
		v.layering(&pack)
	}
	return pack
}

// systemProfile reads the profile of the system's packages, which no recipe
// names one by one: the configuration does.
func (v *view) systemProfile(recipe *provenance.Recipe, root string) (*profile.Profile, error) {
	link, ok := v.files.At(strings.TrimPrefix(root, "/") + "/profile")
	if !ok || link.Type != '2' || !isRoot(absolute(link)) {
		return nil, nil
	}
	var own provenance.Recipe
	p, err := v.profile(&own, absolute(link))
	if p != nil {
		recipe.Packages = p.Packages()
		recipe.Sources = append(recipe.Sources, own.Sources...)
	}
	return p, err
}

// systemConfiguration adds the configuration of the system.
func (v *view) systemConfiguration(recipe *provenance.Recipe, root string) error {
	f, ok := v.systemFile(root, configurationFile)
	if !ok {
		recipe.Missing = append(recipe.Missing, check.Say("recipe/no-configuration"))
		return nil
	}
	text, ok := v.img.Body(f.Layer, f.Path)
	if !ok {
		return fmt.Errorf("reading %s: the image was opened without keeping it", f.Path)
	}
	recipe.Sources = append(recipe.Sources, provenance.Source{Layer: f.Layer, Path: f.Path, Digest: f.Digest})
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		recipe.Missing = append(recipe.Missing, check.Say("recipe/configuration-no-text", "file", f.Path))
		return nil
	}
	recipe.Files = append(recipe.Files, provenance.File{Name: configurationFile, Text: text})
	return nil
}

// configurationFile holds the configuration of a system.
const configurationFile = "configuration.scm"

// systemFile finds a file of the system item, which is a symlink to a store
// item of its own.
func (v *view) systemFile(root, name string) (inspect.File, bool) {
	p := strings.TrimPrefix(root, "/") + "/" + name
	f, ok := v.files.At(p)
	if ok && f.Type == '2' {
		f, ok = v.files.At(strings.TrimPrefix(absolute(f), "/"))
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
