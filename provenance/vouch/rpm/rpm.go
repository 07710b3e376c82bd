package rpm

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/openpgp"
	"audit/provenance/ospackages"
	"audit/provenance/ospackages/rpmheader"
	"audit/provenance/vouch"
)

// A Family checks what rpm has installed.
type Family struct {
	// Keys are those that the user trusts.
	Keys openpgp.Keyring
	// Installed are the packages of the image.
	Installed *ospackages.Installed
	// Complete, when set, keeps contents of files that were not kept, for digests of a
	// kind that was not taken: see [inspect.Complete].
	Complete func(ctx context.Context, files []inspect.File) error
}

// Name is "rpm".
func (Family) Name() string { return string(ospackages.Rpm) }

// Vouch verifies the header of each package, then compares the files of the root file
// system with those that are good.
func (f Family) Vouch(ctx context.Context, t *vouch.Table) (vouch.Result, error) {
	in := f.Installed
	v := &verifier{keys: f.Keys, signed: make(map[string]openpgp.Key)}
	for _, h := range in.Headers {
		if err := context.Cause(ctx); err != nil {
			return vouch.Result{}, err
		}
		v.add(h)
	}
	for _, p := range in.Problems { // what else it has nobody can tell
		if p.Code == ospackages.RpmUnread {
			v.list.Undecided(p.Layer, p.Path, "signatures/rpm-database", "error", p.Args.String("error"))
		}
	}
	result := vouch.Result{Packages: v.packages, Verified: len(v.good), Keys: v.allKeys()}
	v.conclude()
	if len(v.good) > 0 {
		j := newJudge(t, in, v.good)
		if err := j.judge(ctx, f.Complete); err != nil {
			return result, err
		}
		v.list.Append(j.findings()...)
	} else if v.packages > 0 {
		result.Reason = v.reason()
	}
	result.Findings = v.list.Sorted()
	return result, nil
}

// A pkg is a package whose header a trusted key signed.
type pkg struct {
	rpmheader.Region
	name  string // with version, release and architecture
	key   openpgp.Key
	layer int
}

// A verifier verifies headers.
type verifier struct {
	keys     openpgp.Keyring
	packages int
	good     []pkg
	list     check.List
	signed   map[string]openpgp.Key // trusted keys that signed something, by fingerprint
	carried  []vouch.Key            // by the image
	// carriedBytes have the keys that the image carries.
	carriedBytes int
	groups       []group // packages that are not good for one reason
	expiring     []openpgp.Key
	weak         []string // packages signed over a SHA-1
}

// A group is packages about which the same is to be said.
type group struct {
	because
	names []string
}

// A because says why the header of a package is not good.
type because struct {
	code  string // one of those of conclude
	key   string // its ID or fingerprint
	error string
}

func (v *verifier) add(h ospackages.Header) {
	whole, err := rpmheader.Read(h.Bytes)
	name := whole.Text(rpmheader.Name)
	if err != nil || name == "" {
		return // package ospackages says so
	}
	if name == ospackages.KeyPackage {
		v.carry(whole, h)
		return
	}
	v.packages++
	p := pkg{name: full(whole), layer: h.Layer}
	if p.Region, err = rpmheader.Signed(h.Bytes); err != nil {
		v.put(p.name, because{code: unsignedHeader, error: err.Error()})
		return
	}
	p.name = full(p.Header)
	v.overridden(h, p)
	if changed := digests(whole, p.Region); changed != nil {
		v.list.Problem(h.Layer, h.Path, "signatures/rpm-header-digest", "package", p.name, "recorded", changed[0], "computed", changed[1])
		return
	}
	s, found, err := v.signature(whole, p.Region)
	switch {
	case !found && err != nil:
		v.put(p.name, because{code: unreadable, error: err.Error()})
	case !found && (whole.Has(rpmheader.LegacyGPG) || whole.Has(rpmheader.LegacyPGP)):
		v.put(p.name, because{code: payloadSigned})
	case !found:
		v.put(p.name, because{code: unsigned})
	case s.Word == openpgp.Good:
		p.key = s.Key
		v.accept(p, s)
	case s.Word == openpgp.Bad:
		v.list.Problem(h.Layer, h.Path, "signatures/rpm-header-changed", "package", p.name, "key", s.Key.Fingerprint)
	default:
		v.put(p.name, why(s))
	}
}

// overridden reports what was put behind a region in place of what the vendor says. Names
// of files are there, too, when a package was installed in another place than its own.
func (v *verifier) overridden(h ospackages.Header, p pkg) {
	if len(p.Overridden) == 0 {
		return
	}
	level := check.Undecided
	tags := make([]string, 0, len(p.Overridden))
	for _, tag := range p.Overridden {
		tags = append(tags, strconv.FormatUint(uint64(tag), 10))
		switch tag {
		case rpmheader.BaseNames, rpmheader.DirNames, rpmheader.DirIndexes:
		default:
			level = check.Problem
		}
	}
	v.list.Append(check.Find(level, h.Layer, h.Path, "signatures/rpm-header-overridden", "package", p.name, "tags", tags))
}

func (v *verifier) accept(p pkg, s openpgp.Signature) {
	if _, known := v.signed[p.key.Fingerprint]; !known {
		v.signed[p.key.Fingerprint] = p.key
		if !p.key.Expires.IsZero() {
			v.expiring = append(v.expiring, p.key)
		}
	}
	if s.IsWeak() {
		v.weak = append(v.weak, p.name)
	}
	v.good = append(v.good, p)
}

// full is the name of a package as rpm prints it, with an epoch where there is one.
func full(h rpmheader.Header) string {
	version := h.Text(rpmheader.Version) + "-" + h.Text(rpmheader.Release)
	if epoch := h.Numbers(rpmheader.Epoch); len(epoch) > 0 {
		version = strconv.FormatUint(uint64(epoch[0]), 10) + ":" + version
	}
	return check.Brief(h.Text(rpmheader.Name) + "-" + version + "." + cmp.Or(h.Text(rpmheader.Arch), "noarch"))
}

// put notes a package that is not good. Reasons keep the order in which they came.
func (v *verifier) put(name string, b because) {
	for i := range v.groups {
		if v.groups[i].because == b {
			v.groups[i].names = append(v.groups[i].names, name)
			return
		}
	}
	if len(v.groups) < check.Alike {
		v.groups = append(v.groups, group{b, []string{name}})
		return
	}
	last := &v.groups[len(v.groups)-1]
	last.names = append(last.names, name)
}

// carry notes the keys that a pseudo-package has.
func (v *verifier) carry(h rpmheader.Header, at ospackages.Header) {
	text := []byte(h.Text(rpmheader.Description))
	if v.carriedBytes += len(text); v.carriedBytes > openpgp.MaxCarried {
		v.list.Note(-1, at.Path, "signatures/rpm-carried-keys-beyond", "limit", openpgp.MaxCarried)
		return
	}
	keys, err := openpgp.Carried(text)
	if err != nil {
		v.list.Note(at.Layer, at.Path, "signatures/rpm-carried-key-unread", "error", check.Brief(err.Error()))
		return
	}
	for _, k := range keys {
		v.carried = append(v.carried, vouch.Key{Fingerprint: k.Fingerprint, Name: k.Name, Path: at.Path, Trusted: v.trusts(k.Fingerprint)})
	}
}

func (v *verifier) trusts(fingerprint string) bool {
	return slices.ContainsFunc(v.keys.Keys(), func(k openpgp.Key) bool { return k.Fingerprint == fingerprint })
}

// allKeys are those that signed, then those that the image carries, each sorted.
func (v *verifier) allKeys() []vouch.Key {
	var all []vouch.Key
	for _, k := range v.signed {
		all = append(all, vouch.Key{Fingerprint: k.Fingerprint, Name: k.Name, Trusted: true})
	}
	all = append(all, v.carried...)
	return vouch.SortKeys(all)
}
