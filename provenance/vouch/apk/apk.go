package apk

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/inspect/digest"
	"audit/provenance/ospackages"
	"audit/provenance/vouch"
	"audit/provenance/vouch/packages"
)

// A Family checks what apk has installed.
type Family struct {
	Keys    []Key              // that the user trusts
	Sources []*packages.Source // of packages and indexes, beside the image
	// Installed are the packages of the image.
	Installed *ospackages.Installed
}

// Name is "apk".
func (Family) Name() string { return string(ospackages.Apk) }

// Vouch verifies the packages that lie beside, then compares the files of the root file
// system with those that are good.
func (f Family) Vouch(ctx context.Context, t *vouch.Table) (vouch.Result, error) {
	in := f.Installed
	v := &verifier{Family: f, used: make(map[string]Key), known: make(map[string]ospackages.Digest)}
	for i := range in.Packages {
		if p := &in.Packages[i]; p.Manager == ospackages.Apk {
			v.add(p)
		}
	}
	result := vouch.Result{Packages: len(v.installed)}
	for _, p := range f.Installed.Problems {
		if p.Code == ospackages.ApkFormat {
			v.list.Undecided(p.Layer, p.Path, "signatures/apk-format")
		}
	}
	if len(v.installed) == 0 {
		result.Findings = v.list.Sorted()
		return result, nil
	}
	v.carried(t)
	v.lookAround(ctx)
	j := newJudge(t)
	for _, p := range v.installed {
		if err := context.Cause(ctx); err != nil {
			return result, err
		}
		if all, ok := v.verify(ctx, p); ok {
			result.Verified++
			j.add(all)
			j.addScripts(all)
		} else {
			j.addOther(p)
		}
	}
	j.judge()
	j.keptScripts()
	v.conclude()
	v.list.Append(j.findings()...)
	if result.Verified == 0 {
		result.Reason = v.reason()
	}
	result.Keys, result.Findings = v.keys(), v.list.Sorted()
	return result, nil
}

// A pkg is a package that is verified.
type pkg struct {
	name string // with its version
	key  Key
}

// An index is one that a trusted key signed.
type index struct {
	key    Key
	listed map[string]string
}

// A verifier verifies packages.
type verifier struct {
	Family
	installed []*ospackages.Package
	list      check.List
	arches    []string                     // under which a server has packages
	known     map[string]ospackages.Digest // of the installed packages, by name and version
	files     []map[string][]string        // of each source that is a folder: paths by their last part
	indexes   []index                      // that a trusted key signed
	used      map[string]Key               // keys that signed something, by fingerprint
	images    []vouch.Key                  // that the image carries

	absent   []string // packages that do not lie beside
	listed   []string // of them, those that a signed index has
	unsigned []string // by no trusted key
	other    []string // that are others than those that were installed
}

// add takes a package that is installed, once: the file of one is read for each. Two of one
// version that differ cannot both be the one in the index.
func (v *verifier) add(p *ospackages.Package) {
	name := p.Name + "-" + p.Version
	have, twice := v.known[name]
	switch {
	case !twice:
		v.known[name] = p.Checksum
		v.installed = append(v.installed, p)
	case have != p.Checksum:
		v.other = append(v.other, check.Brief(name))
	}
}

// carried lists the keys that the image has.
func (v *verifier) carried(t *vouch.Table) {
	root := t.Image().Root()
	folder, names, _ := root.Folder(ospackages.ApkKeys)
	for _, name := range names {
		text, f, ok := root.Content(path.Join(folder, name))
		if !ok {
			continue
		}
		k, err := ReadKey(name, text)
		if err != nil {
			v.list.Note(f.Layer, f.Path, "signatures/apk-carried-key-unread", "error", check.Brief(err.Error()))
			continue
		}
		trusted := slices.ContainsFunc(v.Family.Keys, func(own Key) bool { return own.Fingerprint == k.Fingerprint })
		v.images = append(v.images, vouch.Key{Fingerprint: k.Fingerprint, Name: check.Brief(name), Trusted: trusted, Path: f.Path})
	}
}

// maxTrouble bounds the files of a source that are reported as unreadable.
const maxTrouble = 20

// verify reads a package beside the image: its content, when it is the one that was
// installed and a trusted key signed it, alone or by an index.
func (v *verifier) verify(ctx context.Context, p *ospackages.Package) (all content, ok bool) {
	name := p.Name + "-" + p.Version
	all, err := v.find(ctx, p)
	_, silent := errors.AsType[sourceError](err)
	switch {
	case silent, errors.Is(err, packages.ErrAbsent):
		if silent {
			v.trouble(err)
		}
		v.absent = append(v.absent, check.Brief(name))
		if _, ok := v.inIndex(p); ok {
			v.listed = append(v.listed, check.Brief(name))
		}
	case errors.Is(err, errUnsigned):
		v.unsigned = append(v.unsigned, check.Brief(name))
	case errors.Is(err, errOther):
		v.other = append(v.other, check.Brief(name))
	case err != nil:
		v.trouble(fmt.Errorf("reading the package %s: %w", name, err))
	}
	return all, err == nil
}

func (v *verifier) trouble(err error) {
	if v.list.Count(check.Undecided) < maxTrouble {
		v.list.Undecided(-1, "", "signatures/apk-unread", "error", check.Brief(err.Error()))
	}
}

var (
	errUnsigned = errors.New("no trusted key signed it")
	errOther    = errors.New("it is another package than the one that was installed")
	errADB      = errors.New("it has the format ADB of apk 3, and that of apk 2 alone is read here")
)

// read verifies a package and reads its data.
func (v *verifier) read(file []byte, p *ospackages.Package) (all content, err error) {
	parts, err := part(file)
	if err != nil {
		return all, err
	}
	packed, data, err := member(parts.rest)
	if err != nil {
		return all, err
	}
	if p.Checksum != digestOf(packed) {
		return all, errOther
	}
	key, ok := verify(v.Family.Keys, parts.signatures, packed)
	if !ok {
		key, ok = v.inIndex(p)
	}
	if !ok {
		return all, errUnsigned
	}
	c, err := readControl(packed)
	if err != nil {
		return all, err
	}
	v.used[key.Fingerprint] = key
	of := &pkg{name: check.Brief(c.name + "-" + c.version), key: key}
	if all, err = readData(of, data, c.datahash); err != nil {
		return all, err
	}
	all.pkg, all.stem, all.scripts = of, c.name+"-"+c.version+"."+checksumOf(p), make(map[string]digest.Sum, len(c.scripts))
	for kind, sum := range c.scripts {
		all.scripts[all.stem+"."+kind] = sum
	}
	return all, nil
}

// digestOf is the digest by which the database and indexes name a control part.
func digestOf(packed []byte) ospackages.Digest {
	sum := sha1.Sum(packed)
	return ospackages.Digest{Algorithm: "sha1", Hex: hex.EncodeToString(sum[:])}
}

// maxArches bounds the architectures of one image that a server is asked about.
const maxArches = 4

// noArch is what a package for all architectures says; servers have it under each.
const noArch = "noarch"

// lookAround lists the folders, and reads the indexes that a trusted key signed.
func (v *verifier) lookAround(ctx context.Context) {
	arches := make(map[string]bool)
	for _, p := range v.installed {
		arches[p.Arch] = true
	}
	delete(arches, noArch)
	v.arches = slices.Sorted(maps.Keys(arches))
	v.arches = v.arches[:min(len(v.arches), maxArches)]
	for _, s := range v.Sources {
		byName := make(map[string][]string)
		for _, f := range s.Files() {
			byName[path.Base(f)] = append(byName[path.Base(f)], f)
			if strings.HasPrefix(path.Base(f), "APKINDEX.") && strings.HasSuffix(f, ".tar.gz") {
				v.readIndex(ctx, s, f)
			}
		}
		v.files = append(v.files, byName)
		for _, arch := range v.arches {
			if s.IsServer() {
				v.readIndex(ctx, s, path.Join(arch, "APKINDEX.tar.gz"))
			}
		}
	}
}

func (v *verifier) readIndex(ctx context.Context, s *packages.Source, name string) {
	file, err := s.Read(ctx, name, maxIndexBytes)
	if errors.Is(err, packages.ErrAbsent) {
		return
	}
	var parts parted
	if err == nil {
		parts, err = part(file)
	}
	if err == nil {
		key, ok := verify(v.Family.Keys, parts.signatures, parts.rest)
		if !ok {
			v.list.Note(-1, "", "signatures/apk-index-unsigned", "index", check.Brief(name))
			return
		}
		var listed map[string]string
		if listed, err = readIndex(parts.rest); err == nil {
			v.indexes = append(v.indexes, index{key, listed})
			return
		}
	}
	v.trouble(err)
}

// inIndex returns the key that signed an index which has the package that is installed.
func (v *verifier) inIndex(p *ospackages.Package) (Key, bool) {
	want := checksumOf(p)
	if want == "" {
		return Key{}, false
	}
	for _, i := range v.indexes {
		if i.listed[p.Name+"-"+p.Version] == want {
			v.used[i.key.Fingerprint] = i.key
			return i.key, true
		}
	}
	return Key{}, false
}

// checksumOf is the digest of the control part as apk writes it; "" where there is none.
func checksumOf(p *ospackages.Package) string {
	raw, err := hex.DecodeString(p.Checksum.Hex)
	if err != nil || p.Checksum.Algorithm != "sha1" {
		return ""
	}
	return "Q1" + base64.StdEncoding.EncodeToString(raw)
}

// A sourceError is why a source does not give a file.
type sourceError struct{ error }

func (e sourceError) Unwrap() error { return e.error }

// find reads the package from the first file that is the one which is installed. A folder
// can have those of several architectures under one name.
func (v *verifier) find(ctx context.Context, p *ospackages.Package) (all content, err error) {
	err = packages.ErrAbsent
	for i, s := range v.Sources {
		for _, at := range v.places(i, p) {
			file, e := s.Read(ctx, at, maxFileBytes)
			switch {
			case e == nil:
				all, e = v.read(file, p)
			case !errors.Is(e, packages.ErrAbsent):
				e = sourceError{e}
			}
			switch {
			case e == nil:
				return all, nil
			case !errors.Is(e, packages.ErrAbsent) && (errors.Is(err, packages.ErrAbsent) || errors.Is(err, errOther)):
				err = e
			}
		}
	}
	return content{}, err
}

// places are where a source can have a package. A server is asked for what a signed index
// has, and not for whatever the database of an image names.
func (v *verifier) places(source int, p *ospackages.Package) (all []string) {
	name := p.Name + "-" + p.Version + ".apk"
	if !v.Sources[source].IsServer() {
		return v.files[source][name]
	}
	if _, ok := v.inIndex(p); !ok {
		return nil
	}
	for _, arch := range v.arches {
		if arch == p.Arch || p.Arch == noArch {
			all = append(all, path.Join(arch, name))
		}
	}
	return all
}

// conclude says which packages are not verified, and why.
func (v *verifier) conclude() {
	if v.Family.isIdle() {
		return
	}
	if names, beyond := vouch.Some(v.absent); len(names) > 0 {
		v.list.Undecided(-1, "", "signatures/apk-not-here", "count", len(v.absent), "listed", len(v.listed), "names", names, "beyond", beyond)
	}
	if names, beyond := vouch.Some(v.unsigned); len(names) > 0 {
		v.list.Undecided(-1, "", "signatures/apk-untrusted", "count", len(v.unsigned), "names", names, "beyond", beyond)
	}
	if names, beyond := vouch.Some(v.other); len(names) > 0 {
		v.list.Undecided(-1, "", "signatures/apk-other-package", "count", len(v.other), "names", names, "beyond", beyond)
	}
	for _, k := range v.images {
		v.list.Note(-1, k.Path, "signatures/apk-carried-key", "key", k.Fingerprint, "name", k.Name)
	}
}

// isIdle says that the user gave nothing to verify with.
func (f Family) isIdle() bool { return len(f.Keys) == 0 || len(f.Sources) == 0 }

// reason says why no package could be verified.
func (v *verifier) reason() check.Message {
	switch n := len(v.installed); {
	case len(v.Family.Keys) == 0:
		return check.Say("signatures/apk-no-key", "packages", n)
	case len(v.Sources) == 0:
		return check.Say("signatures/apk-no-source", "packages", n)
	case len(v.listed) > 0:
		return check.Say("signatures/apk-names-only", "packages", n, "listed", len(v.listed))
	}
	return check.Say("signatures/apk-none-verified", "packages", len(v.installed))
}

// keys are those that signed, then those that the image carries, each sorted.
func (v *verifier) keys() []vouch.Key {
	var all []vouch.Key
	for _, k := range v.used {
		all = append(all, vouch.Key{Fingerprint: k.Fingerprint, Name: k.Name, Trusted: true})
	}
	all = append(all, v.images...)
	return vouch.SortKeys(all)
}
