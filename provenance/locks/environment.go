package locks

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"audit/provenance/records"
)

// An environment is a folder with packages of one ecosystem.
type environment struct {
	folder     string
	components []records.Component
}

// maxEnvironments bounds the locks of one ecosystem: images that are made to work in have
// a few.
const maxEnvironments = 20

// environments are those of an ecosystem, sorted by folder, without packages that one of
// an outer ecosystem or of a distribution has installed: these are in its lock. The
// folder of a package is that which has what describes it, so many levels up. Past
// maxEnvironments the packages are only counted.
func (s Source) environments(e records.Ecosystem, up int) (all []environment, more int) {
	index := make(map[string]int)
	for _, c := range s.Records.Components {
		if owner, _ := s.Installed.Owner(c.At.Path); c.Ecosystem != e || c.In >= 0 || owner != nil || s.isCached(cmp.Or(c.Library, c.At.Path)) {
			continue
		}
		folder := c.Library
		if folder == "" {
			folder = c.At.Path
			for range up {
				folder = path.Dir(folder)
			}
		}
		n, ok := index[folder]
		switch {
		case ok:
			all[n].components = append(all[n].components, c)
		case len(all) == maxEnvironments:
			more++
		default:
			index[folder] = len(all)
			all = append(all, environment{folder, []records.Component{c}})
		}
	}
	slices.SortFunc(all, func(a, b environment) int { return strings.Compare(a.folder, b.folder) })
	return all, more
}

// isCached says whether a path lies in the cache from which a tool installs packages: that
// of uv, or that of conda, which has the addresses
// of its packages in a file (conda 24, gateways/disk/create.py, mamba likewise). What is
// installed is where it was installed.
func (s Source) isCached(p string) bool {
	if records.IsStore(p) {
		return true
	}
	before, _, ok := strings.Cut("/"+p, "/pkgs/")
	if !ok {
		return false
	}
	folder := strings.TrimPrefix(before+"/pkgs/", "/")
	for _, name := range []string{"urls.txt", "urls"} {
		if _, ok := s.Image.Root().Name(folder + name); ok {
			return true
		}
	}
	return false
}

// numbered is the name of the lock of one of several environments.
func numbered(name string, n, all int) string {
	if all == 1 {
		return name
	}
	stem := strings.TrimSuffix(name, path.Ext(name))
	return stem + "-" + strconv.Itoa(n+1) + path.Ext(name)
}

// locks writes a lock for each environment of an ecosystem.
func (s Source) locks(e records.Ecosystem, up int, name string, write func(*writer, environment)) (locks []*Lock) {
	all, more := s.environments(e, up)
	for n, env := range all {
		w := writer{name: numbered(name, n, len(all))}
		write(&w, env)
		lock := w.finish()
		if n == len(all)-1 {
			lock.More += more
		}
		locks = append(locks, lock)
	}
	return locks
}

// component adds an entry of a component.
func (w *writer) component(c records.Component, line string) {
	w.entry(line)
	w.lock.titles = append(w.lock.titles, c.Title())
}

// digestOf is the digest of a package as it is distributed, by one of these algorithms in
// hexadecimal; "" where it is not recorded.
func digestOf(c records.Component, algorithms ...string) (algorithm, hex string) {
	for _, algorithm := range algorithms {
		for _, d := range c.Digests {
			if d.Algorithm == algorithm {
				return algorithm, d.Hex
			}
		}
	}
	return "", ""
}
