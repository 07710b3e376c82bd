package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance"
	"audit/provenance/locks"
	"audit/provenance/records"
	"audit/provenance/signatures"
	"audit/provenance/vouch"
	"audit/provenance/vouch/apk"
	"audit/provenance/vouch/deb"
	"audit/provenance/vouch/rebuilders"
	"audit/provenance/vouch/rpm"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// families are the formats of signed packages that are known, in the order in which
// they are asked.
func (l *line) families(a *audit) []vouch.Family {
	return []vouch.Family{
		rpm.Family{Keys: l.farms.vendors, Installed: a.evidence.Installed, Complete: func(ctx context.Context, files []inspect.File) error {
			return l.complete(ctx, a.image, files)
		}},
		apk.Family{Keys: l.farms.alpine, Sources: l.packages, Installed: a.evidence.Installed},
		deb.Family{Keys: l.farms.vendors, Sources: l.packages, Inspect: inspect.Options{Platform: l.platform}},
	}
}

// vouch asks everything that has a word on the files of the image, and joins what is
// said of packages with the check named signatures.
func (l *line) vouch(ctx context.Context, a *audit) error {
	return l.step("vouchers", func() error {
		a.vouched = vouch.New(a.image)
		var results []vouch.Result
		for _, f := range l.families(a) {
			result, err := f.Vouch(ctx, a.vouched)
			if err != nil {
				return err
			}
			result.Findings = append(result.Findings, l.askRebuilders(ctx, a, result.Archives)...)
			results = append(results, result)
			a.keys = append(a.keys, result.Keys...)
		}
		a.vouched.Packages(a.evidence.Installed)
		verified := slices.ContainsFunc(results, func(r vouch.Result) bool { return r.Verified > 0 })
		if again := a.evidence.Close; again != nil && verified {
			a.evidence.Closure = again(a.vouched.Entries())
		}
		a.evidence.Closure = records.Conclude(a.evidence.Closure, append(a.evidence.Records.Vouch(a.vouched), a.evidence.Records.Unread()...))
		a.evidence.Closure = provenance.OfWhatWasRead(a.evidence.Closure, a.image.Layers)
		l.add(a.evidence.Closure)
		a.vouchForItems()
		a.vouchForLayers()
		a.vouchByRecipe()
		a.contradict()
		a.listLeft(results)
		items := l.checks[check.Signatures]
		switch {
		case len(l.packages) > 0 && len(a.image.Items) == 0:
			items = check.Skip(check.Signatures, "signatures/no-packages") // unless a family has some
		case a.hasNothingToSign() && isUnasked(items):
			items = check.Skip(check.Signatures, "signatures/nothing-signed", "unread", a.unreadLayers())
		}
		l.add(vouch.Conclude(items, results, a.vouched))
		if verified && l.described != nil {
			l.add(measureAgain(l.checks[check.Recipe], l.described, a.vouched))
		}
		return stopped(ctx)
	})
}

// listLeft adds to what a format of packages has verified which files are left, those that
// lend rights and those that decide who may do what, or whom to trust, before the others.
func (a *audit) listLeft(results []vouch.Result) {
	at := slices.IndexFunc(results, func(r vouch.Result) bool { return r.Verified > 0 })
	if at < 0 || len(a.image.Items) > 0 {
		return
	}
	found, ok := a.vouched.Left(func(f inspect.File) int {
		switch {
		case provenance.Dangerous(a.image, f.Layer, f.Inode.Header) != "":
			return 0
		case compare.DecidesAccess(f.Path), strings.HasPrefix(f.Path, "etc/ssl/"), strings.HasPrefix(f.Path, "etc/pki/"):
			return 1
		}
		return 2
	})
	if ok {
		results[at].Findings = append(results[at].Findings, found)
	}
}

// measureAgain measures again how much of the image the locks of its packages account for.
func measureAgain(recipe check.Check, described *locks.Recipe, words *vouch.Table) check.Check {
	described.Hear(words)
	recipe.Findings = slices.Clone(recipe.Findings)
	for i, f := range recipe.Findings {
		if share := described.Share.Message(); f.Code == share.Code {
			recipe.Findings[i].Message = share
		}
	}
	return recipe
}

// askRebuilders asks about the packages of one format that were verified. Nobody is asked
// unasked.
func (l *line) askRebuilders(ctx context.Context, a *audit, archives []vouch.Archive) []check.Finding {
	if len(l.rebuilders.Servers) == 0 || len(archives) == 0 {
		return nil
	}
	opt := l.rebuilders
	opt.Progress = l.progress.count("asking rebuilders")
	found, keys := rebuilders.Check(ctx, a.vouched, archives, opt)
	a.keys = append(a.keys, keys...)
	return found
}

// vouchForItems adds what is known of whole store items: who signed them, and what the
// builder of this run made.
func (a *audit) vouchForItems() {
	words := make(map[string]vouch.Word)
	strengthen := func(item string, w vouch.Word) {
		if old, ok := words[item]; !ok || slices.Index(vouch.Kinds(), w.Kind) < slices.Index(vouch.Kinds(), old.Kind) {
			words[item] = w
		}
	}
	for item, operators := range signatures.Operators(a.signed) {
		strengthen(item, vouch.Word{Kind: vouch.Signed, By: item, Keys: operators})
	}
	for item, kind := range a.rebuiltItems() {
		strengthen(item, vouch.Word{Kind: kind, By: item})
	}
	inputs := a.inputsSigned(words)
	for item, standing := range a.evidence.Derived {
		if standing == provenance.Remade && inputs {
			strengthen(item, vouch.Word{Kind: vouch.Made, By: item, Rule: "union of store items"})
		}
	}
	if len(words) == 0 {
		return
	}
	root := a.image.Root()
	for i := range root.Len() {
		if w, ok := words[a.image.Stores.ItemOf(root.File(i).Path)]; ok {
			a.vouched.VouchAt(i, w)
		}
	}
}

// rebuiltItems are the store items that the builder had with the same bytes, by how it
// came by them.
func (a *audit) rebuiltItems() map[string]vouch.Kind {
	kinds := make(map[string]vouch.Kind)
	if a.result == nil || a.comparison == nil {
		return kinds
	}
	for _, it := range a.result.Items {
		switch it.How {
		case rebuild.Built:
			kinds[it.Path] = vouch.Rebuilt
		case rebuild.Substituted, rebuild.Reused:
			kinds[it.Path] = vouch.Matched
		}
	}
	for _, f := range a.result.Fresh {
		for _, item := range f.Items {
			if f.Same && f.Problem == "" {
				kinds[item] = vouch.Rebuilt
			}
		}
	}
	return kinds
}

// inputsSigned says whether all store items are signed or were rebuilt but for those
// that were made again from others. What these were made from, their references do not
// say: an index of manuals refers to nothing.
func (a *audit) inputsSigned(words map[string]vouch.Word) bool {
	return !slices.ContainsFunc(a.image.Items, func(it inspect.StoreItem) bool {
		kind := words[it.Path].Kind
		return kind != vouch.Signed && kind != vouch.Rebuilt && a.evidence.Derived[it.Path] != provenance.Remade
	})
}

// vouchForLayers adds what the builder of this run has shown of an image that has no
// store items, layer by layer. Where a part was an input, such as a base image, or came
// out of a cache, which layers are its own is not known: none counts as rebuilt then.
func (a *audit) vouchForLayers() {
	if a.result == nil || a.comparison == nil || len(a.image.Items) > 0 {
		return
	}
	w := vouch.Word{Kind: vouch.Rebuilt, By: "rebuild"}
	if slices.ContainsFunc(a.result.Items, func(it rebuild.Item) bool { return it.How != rebuild.Built }) || len(a.result.Items) == 0 {
		w.Kind = vouch.Matched
	}
	equal := make(map[int]bool)
	for _, pair := range a.comparison.Layers {
		equal[pair.Index] = pair.Equal
	}
	root := a.image.Root()
	for i := range root.Len() {
		if f := root.File(i); equal[f.Inode.Layer] && equal[f.Layer] {
			a.vouched.VouchAt(i, w)
		}
	}
}

// vouchByRecipe adds what a recipe or the history explains without a word on the
// content.
func (a *audit) vouchByRecipe() {
	blamed, complete := a.blamed()
	root := a.image.Root()
	for i := range root.Len() {
		f := root.File(i)
		by, ok := a.evidence.Recipe.Packer, complete && a.evidence.Recipe.Status != provenance.None
		switch item := a.image.Stores.ItemOf(f.Path); {
		case blamed[f.Path] || item != "" && blamed[item]:
			continue
		case a.evidence.Explains != nil:
			by, ok = a.evidence.Explains(f.Layer, f.Entry)
		}
		if ok {
			a.vouched.VouchAt(i, vouch.Word{Kind: vouch.Instruction, By: by})
		}
	}
}

// blamed are the files and store items that the check closure does not explain, and
// whether all of them are listed.
func (a *audit) blamed() (paths map[string]bool, complete bool) {
	paths, complete = make(map[string]bool), a.evidence.Closure.Status != check.Skipped
	for _, f := range a.evidence.Closure.Findings {
		if f.Level == check.Note {
			continue
		}
		paths[f.Path] = true
		complete = complete && f.Args["more"] == nil
	}
	return paths, complete
}

// contradict notes the files of which a rebuild, or what a trusted key signed, has
// other bytes. That a rebuild is other takes nothing from a file of a signed package: its
// bytes, or those that it was made from, are what the key signed.
func (a *audit) contradict() {
	differs := make(map[string]bool)
	for _, o := range a.signed {
		if o.Word == signatures.Differs {
			differs[o.Path] = true
		}
	}
	if len(differs) > 0 {
		for f := range a.image.Root().Files() {
			if item := a.image.Stores.ItemOf(f.Path); differs[item] {
				a.vouched.Contradict(f.Path, item)
			}
		}
	}
	for _, d := range a.differences() {
		if w, ok := a.vouched.Word(d); ok && (a.image.Stores.ItemOf(d) != "" || !w.IsSigned()) {
			a.vouched.Contradict(d, "rebuild")
		}
	}
}

// differences are the paths of which the builder of this run made other contents.
func (a *audit) differences() []string {
	if a.comparison == nil || a.result == nil {
		return nil
	}
	paths := make(map[string]bool)
	for _, d := range a.comparison.Differences {
		if !d.Cause.Harmless() {
			paths[d.Path] = true
		}
	}
	return slices.Sorted(maps.Keys(paths))
}
