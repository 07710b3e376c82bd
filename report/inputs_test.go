package report

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/compression"
	"audit/inspect/image"
	"audit/provenance"
	"audit/provenance/signatures"
	"audit/provenance/vouch"
	"audit/rebuild"
	"audit/rebuild/archive"
	"audit/rebuild/compare"
	"audit/rebuild/sources"
)

// opened is a real image, read by the real reader.
func opened(t testing.TB, name string) *inspect.Image {
	t.Helper()
	img, err := inspect.Open(t.Context(), "../fixtures/guix/images/"+name, inspect.Options{Stores: fixtures.Stores()})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// testSystems are build systems as far as a report speaks of them.
func testSystems() []rebuild.About {
	return []rebuild.About{{
		Name: "guix", Store: "/gnu/store", Sources: "channel", NarHash: []string{"guix", "hash", "-S", "nar", "-f", "hex"}, PrintsImage: true,
		SavesRecipe: "Guix puts it into the image when it is called with --save-provenance.",
		Sentences: map[string]string{
			"integrity/summary": "{text}", "recipe/summary": "{text}", "closure/summary": "{text}", "repack/summary": "{text}",
			"signatures/summary": "{text}", "sources/summary": "{text}", "derivation/summary": "{text}", "rebuild/summary": "{text}", "repack/entry-order": "{text}",
			"derivation/derivation-missing": "{text}", "rebuild/content": "{text}", "closure/text": "{text}",
			"recipe/missing": "{text}", "plan/refused": "{text}", "plan/trust": "{text}",
			"known/docker-created":     "docker build and Buildah write the time of the build into the config, unless SOURCE_DATE_EPOCH is set (BuildKit since 0.11)",
			"known/guix-readdir-order": "guix pack -f docker from 1.4 up to 1.5 writes a single layer in readdir order: the files of a folder come as the builder's file system lists them (1.3 sorts them by name)",
		},
	}, {Name: "nix", Store: "/nix/store", NarHash: []string{"nix-hash", "--type", "sha256"}}, {Name: "docker"}}
}

func theRun() Run {
	return Run{
		Date:     time.Date(2026, 11, 20, 20, 31, 5, 0, time.FixedZone("", 3600)),
		Host:     "laboratory",
		Platform: "linux/amd64",
		Durations: []Duration{
			{"inspect", 0.02}, {"provenance", 0.001}, {"repack", 0.004}, {"rebuild", 48.7},
		},
	}
}

const officialIntroduction = "9edb3f66fd807b096b48283debdcddccfea34bad"

func tinyRecipe() provenance.Recipe {
	introduced := &provenance.Introduction{
		Commit: officialIntroduction, Fingerprint: "BBB0 2DDF 2CEA F6A8 0D1D  E643 A2A0 6DF2 A33A 54FA",
	}
	return provenance.Recipe{
		System: "guix", Status: provenance.Complete, Packer: "guix pack -f docker (Guix 1.5)",
		Channels: []provenance.Channel{
			{Name: "guix", URL: "https://git.guix.gnu.org/guix.git", Branch: "master", Commit: "230aa373f315f247852ee07dff34146e9b480aec", Introduction: introduced},
			{Name: "fixtures", URL: "https://example.org/fixtures.git", Commit: "66f7aab6a6df6a3a6f4bdb1d1a7a3f0f54b4d1d3"},
		},
		Packages: []provenance.Package{
			{Name: "tiny-hello", Version: "0.1", Output: "out", Path: "/gnu/store/7n5gw7z23bzqhd24iq0zy6mhvqyf9i4k-tiny-hello-0.1", Channel: "fixtures"},
			{Name: "tiny-stamp", Version: "0.1", Output: "out", Path: "/gnu/store/1hhc5wb7g4fxlj90gcq43vcjqy33vnmc-tiny-stamp-0.1", Channel: "fixtures"},
		},
		Locations: []provenance.Location{
			{Layer: 0, Path: "gnu/store/4r4z4xcx2mw71r3gcyxd8h2cbhqq5a3d-profile/manifest", Digest: inspect.Sum{0xaa, 1}},
			{Layer: -1, Path: "config.json", Digest: inspect.Sum{0xbb, 2}},
		},
		Missing: []check.Message{check.Say("recipe/missing", "text", "The channel fixtures has no introduction: its history cannot be authenticated.")},
		Files: []provenance.File{
			{Name: "channels.scm", Text: []byte("(list (channel\n        (name 'guix)\n        (url \"https://git.guix.gnu.org/guix.git\")\n        (branch \"master\")\n        (commit \"230aa373f315f247852ee07dff34146e9b480aec\")))\n")},
			{Name: "manifest.scm", Text: []byte("(specifications->manifest\n  (list \"tiny-hello@0.1\" \"tiny-stamp@0.1\"))\n")},
		},
		Root: "/gnu/store/4r4z4xcx2mw71r3gcyxd8h2cbhqq5a3d-profile",
		Details: map[string]any{
			"format": "docker", "era": "1.5", "maxLayers": 4, "entryPoint": []string{"bin/hello", "--greeting=it's me"},
			"symlinks":    []map[string]string{{"source": "/bin", "target": "bin"}, {"source": "/opt/gnu"}},
			"compression": compression.Gzip, "systemType": "x86_64-linux", "friendlyName": "tiny-hello-tiny-stamp", "database": false,
		},
		Unknown: []check.Message{check.Say("recipe/unknown-grafts")},
	}
}

func tinyPlan() *rebuild.Plan {
	return &rebuild.Plan{
		System:  "guix",
		Command: []string{"guix", "time-machine", "-C", "channels.scm", "--", "pack", "-f", "docker", "--save-provenance", "-S", "/bin=bin", "--entry-point-argument=it's me", "--max-layers=4", "-m", "manifest.scm"},
		Trust: []rebuild.Trust{
			{Channel: "guix", URL: "https://git.guix.gnu.org/guix.git", Trusted: true, Reason: check.Say("plan/trust", "text", "it has the official introduction of Guix")},
			{Channel: "fixtures", URL: "https://example.org/fixtures.git", Trusted: true, Reason: check.Say("plan/trust", "text", "named with --trust-channel")},
		},
	}
}

// because is the reason of a check in the words of a test.
func because(id check.ID, text string) []check.Message {
	return []check.Message{check.Say(string(id)+"/summary", "text", text)}
}

func statuses(img *inspect.Image, last check.Status, lastSummary string) []check.Check {
	total := sizeOf(img)
	return []check.Check{
		{ID: check.Integrity, Status: check.Pass, Bytes: total, Reasons: because(check.Integrity, "every digest, size and diffID that the image claims is what its bytes give")},
		{ID: check.Recipe, Status: check.Pass, Bytes: total, Reasons: because(check.Recipe, "complete: 2 channels, 2 packages, saved in the profile by guix pack --save-provenance")},
		{ID: check.Closure, Status: check.Pass, Bytes: total - total/3000, Reasons: because(check.Closure, "every file is explained, and every store reference is present")},
		{ID: check.Repack, Status: check.Pass, Bytes: total, Reasons: because(check.Repack, "packing the store items again gives the same layers"), Findings: []check.Finding{
			check.Find(check.Note, 0, "gnu/store", "repack/entry-order", "text", "the order of entries inside a folder is that of the builder's file system: a freedom of this packer"),
		}},
		{ID: check.Signatures, Status: check.Skipped, Reasons: because(check.Signatures, "no build farm was asked")},
		{ID: check.Sources, Status: check.Skipped, Reasons: because(check.Sources, "no derivation of the image is here to be followed")},
		{ID: check.Derivation, Status: check.Unknown, Bytes: total / 4, Reasons: because(check.Derivation, "the derivation could be computed for one package of two"), Findings: []check.Finding{
			check.Find(check.Problem, -1, "/gnu/store/1hhc5wb7g4fxlj90gcq43vcjqy33vnmc-tiny-stamp-0.1", "derivation/derivation-missing", "text", "the package is in no channel of the recipe"),
		}},
		{ID: check.Rebuild, Status: last, Reasons: because(check.Rebuild, lastSummary)},
	}
}

func sizeOf(img *inspect.Image) (total int64) {
	for _, l := range img.Layers {
		total += l.UncompressedSize
	}
	return total
}

// unverifiedInput is what a laptop without Guix sees.
func unverifiedInput(t testing.TB) Input {
	img := opened(t, "tiny.tar.gz")
	checks := statuses(img, check.Skipped, "guix is not installed: get it from https://guix.gnu.org/download, or run rebuild.sh where it is")
	checks[6] = check.Check{ID: check.Derivation, Status: check.Skipped, Reasons: because(check.Derivation, "guix is not installed")}
	return Input{
		Version: "1.0", Systems: testSystems(), Image: img, Evidence: &provenance.Evidence{Recipe: tinyRecipe()}, Checks: checks, Plan: tinyPlan(),
		Vouched: vouchedFor(img, vouch.Instruction), Keys: theKeys(), Verdict: rebuild.Unverified, Policy: Policy{Require: "consistent", Holds: true}, Run: theRun(),
	}
}

// vouchedFor is a table of which each word has one file in turn; the last two
// files are nobody's and other.
func vouchedFor(img *inspect.Image, kinds ...vouch.Kind) *vouch.Table {
	t, n := vouch.New(img), 0
	var paths []string
	for f := range t.Rows() {
		paths = append(paths, f.Path)
	}
	for _, path := range paths[:max(len(paths)-2, 0)] {
		k := kinds[n%len(kinds)]
		w := vouch.Word{Kind: k, By: "of " + string(k)}
		switch k {
		case vouch.Signed, vouch.Rebuilt:
			w.By, w.Keys = "deb tiny 1.0-1", []string{"ABCDEF0123456789ABCDEF0123456789ABCDEF01"}
		case vouch.Made:
			w.By, w.Rule = "deb tiny 1.0-1", "pyc"
		}
		t.Vouch(path, w)
		n++
	}
	if len(paths) > 0 {
		t.Contradict(paths[len(paths)-1], "rebuild")
	}
	return t
}

func theKeys() []vouch.Key {
	return []vouch.Key{
		{Fingerprint: "ABCDEF0123456789ABCDEF0123456789ABCDEF01", Name: "Archive <archive@example.org>", Trusted: true},
		{Fingerprint: "0123456789ABCDEF0123456789ABCDEF01234567", Name: "Someone", Path: "var/lib/rpm/rpmdb.sqlite"},
	}
}

// theSources are the sources of an image, of each kind.
func theSources() *sources.Walk {
	source := func(name string, level int, f rebuild.Fetch, seed sources.Seed) sources.Source {
		return sources.Source{
			Path: "/gnu/store/0000000000000000000000000000000s-" + name, Name: name, Derivation: "/gnu/store/0000000000000000000000000000000d-" + name + ".drv",
			Fetch: f, Algorithm: "sha256", Hash: strings.Repeat("5", 64), Recursive: f.Method != rebuild.FetchURL, Seed: seed, Level: level,
			NeededBy: []string{"/gnu/store/0000000000000000000000000000000t-tiny"}, Needed: 1,
		}
	}
	file := rebuild.Fetch{Method: rebuild.FetchURL, Addresses: []string{"mirror://gnu/tiny.tar.gz", "https://example.org/tiny.tar.gz"}}
	w := &sources.Walk{Root: "/gnu/store/0000000000000000000000000000000y-pack.drv", Derivations: 9, Levels: []sources.Level{{Built: 1}, {Built: 3, Sources: 2}, {Sources: 1, Seeds: 2}}}
	w.Sources = []sources.Source{
		source("bash", 2, file, sources.SeedBuilder),
		source("lib-checkout", 1, rebuild.Fetch{Method: rebuild.FetchGitCommit, Addresses: []string{"https://example.org/lib"}, Revision: strings.Repeat("c", 40)}, ""),
		source("tiny-checkout", 1, rebuild.Fetch{Method: rebuild.FetchGitRef, Addresses: []string{"https://example.org/tiny"}, Revision: "v1.0"}, ""),
		source("tiny.tar.gz", 2, file, ""), source("tools.tar.xz", 2, file, sources.SeedUnpacked),
	}
	w.Sources[3].SWHID = "swh:1:cnt:" + strings.Repeat("9", 40)
	w.Plain = []sources.Plain{{Path: "/gnu/store/0000000000000000000000000000000p-builder", State: sources.Fits}, {Path: "/gnu/store/0000000000000000000000000000000q-patch"}}
	for _, state := range []archive.State{archive.Archived, archive.Archived, archive.Origin, archive.Gone, archive.Unknown} {
		w.Answers = append(w.Answers, archive.Answer{State: state, Where: "https://archive.example/" + string(state), Day: "2026-01-02"})
	}
	return w
}

// reproducibleInput is the same with a builder at hand.
func reproducibleInput(t testing.TB) Input {
	img := opened(t, "tiny-layers4.tar.gz")
	in := Input{
		Version: "1.0", Systems: testSystems(), Image: img, Evidence: &provenance.Evidence{Recipe: tinyRecipe()}, Plan: tinyPlan(),
		Checks:  statuses(img, check.Pass, "building the recipe again gave the same config and layers (2 items built now, 1 reused, 1 substituted)"),
		Rebuilt: img, Comparison: &compare.Comparison{}, Log: "rebuild.log",
		Verdict: rebuild.Reproducible, Policy: Policy{Require: "reproducible", Holds: true}, Run: theRun(),
	}
	in.Vouched, in.Keys = vouchedFor(img, vouch.Kinds()[:7]...), theKeys()
	in.Sources = theSources()
	in.Checks[5] = check.Check{ID: check.Sources, Status: check.Pass, Bytes: sizeOf(img), Reasons: because(check.Sources, "9 derivations lead back to 3 sources and 2 seeds")}
	in.Checks[6] = check.Check{ID: check.Derivation, Status: check.Pass, Bytes: sizeOf(img), Reasons: because(check.Derivation, "evaluating the recipe gives every store path of the image")}
	in.Checks[7].Bytes = sizeOf(img)
	in.Result = &rebuild.Result{
		Command: []string{"guix", "time-machine", "-C", "channels.scm", "--", "pack", "-f", "docker", "-m", "manifest.scm"},
		Tools:   []rebuild.Tool{{Name: "guix", Version: "1.5.0"}},
		Steps:   []rebuild.Step{{Derivation: "/gnu/store/0000000000000000000000000000000x-tiny.drv"}, {Derivation: "/gnu/store/0000000000000000000000000000000y-pack.drv", Machine: "ssh-ng://builder"}},
		Fresh:   []rebuild.Fresh{{Derivation: "/gnu/store/0000000000000000000000000000000x-tiny.drv", Items: []string{img.Items[0].Path}, Same: true}},
	}
	for i, it := range img.Items {
		item := rebuild.Item{Path: it.Path, How: rebuild.Built}
		if i == 0 {
			item.How = rebuild.Reused
		}
		if i == 1 {
			item.How, item.Source = rebuild.Substituted, "https://bordeaux.guix.gnu.org"
		}
		if i == 2 {
			item.Source = "ssh-ng://builder"
		}
		in.Result.Items = append(in.Result.Items, item)
	}
	for _, it := range img.Items[:2] {
		in.Signed = append(in.Signed, signatures.Outcome{Path: it.Path, Word: signatures.Signed, Agree: 2})
	}
	farms := []string{"bordeaux.guix.gnu.org", "ci.guix.gnu.org"}
	in.Basis = rebuild.Origins{Made: in.Result.Items, Operators: map[string][]string{img.Items[0].Path: farms, img.Items[1].Path: farms}}.Basis()
	for _, l := range img.Layers {
		in.Comparison.Layers = append(in.Comparison.Layers, compare.LayerPair{Index: l.Index, Original: l.DiffID.String(), Rebuilt: l.DiffID.String(), Equal: true})
	}
	return in
}

// unreproducibleInput is a rebuild that gave something else, in n+6 ways.
func unreproducibleInput(t testing.TB, n int) Input {
	in := reproducibleInput(t)
	a, b := opened(t, "stamp-A.tar.gz"), opened(t, "stamp-B.tar.gz")
	in.Image, in.Rebuilt, in.Signed = a, b, nil
	in.Basis = rebuild.Origins{Made: in.Result.Items}.Basis()
	in.Verdict, in.Policy = rebuild.Unreproducible, Policy{Require: "reproducible"}
	in.Checks = statuses(a, check.Fail, "the rebuilt image differs: content of 1 file")
	in.Checks[7].Findings = []check.Finding{check.Find(check.Problem, 0, "gnu/store/1hhc-tiny-stamp-0.1/share/built-at", "rebuild/content", "text", "its bytes differ")}
	c := &compare.Comparison{
		Config: []compare.FieldDifference{{Field: "rootfs.diff_ids[0]", Was: `"` + a.Layers[0].DiffID.String() + `"`, Now: `"` + b.Layers[0].DiffID.String() + `"`, Cause: compare.Derived}, {Field: "config.Env[1]", Now: `"LD_PRELOAD=/tmp/x.so"`, Cause: compare.Extra}},
		Layers: []compare.LayerPair{{Index: 0, Original: a.Layers[0].DiffID.String(), Rebuilt: b.Layers[0].DiffID.String()}},
		Differences: []compare.Difference{
			{Path: "gnu/store/1hhc-tiny-stamp-0.1/share/built-at", Cause: compare.Content, Was: compare.TextValue("sha256:11"), Now: compare.TextValue("sha256:22"), Evidence: []check.Message{check.Say("difference/changed-line", "line", 2, "was", `"2026-11-19T08:12:44Z"`, "now", `"2026-11-20T20:31:05Z"`), check.Say("difference/lines", "diff", "@@ -1,2 +1,2 @@\n built at\n-2026-11-19T08:12:44Z\n+2026-11-20T20:31:05Z\n")}},
			{Path: "gnu/store/1hhc-tiny-stamp-0.1/bin/su", Cause: compare.Mode, Was: compare.TextValue("0755"), Now: compare.TextValue("4755")},
			{Path: "tmp", Cause: compare.Missing, Was: compare.TextValue("folder, mode 1777")},
		},
	}
	for i := range n {
		c.Differences = append(c.Differences, compare.Difference{Path: fmt.Sprintf("gnu/store/1hhc-tiny-stamp-0.1/share/doc/page-%05d", i), Cause: compare.Timestamp, Was: compare.TextValue("1970-01-01T00:00:01Z"), Now: compare.TextValue("2026-11-20T20:31:05Z")})
	}
	in.Comparison = c
	return in
}

// equivalentInput is a rebuild whose entries came in another order.
func equivalentInput(t testing.TB) Input {
	in := reproducibleInput(t)
	in.Image, in.Rebuilt = opened(t, "tiny.tar.gz"), opened(t, "tiny.other-ext4.tar.gz")
	in.Verdict, in.Policy.Holds = rebuild.Equivalent, false
	was, now := in.Image.Layers[0].DiffID.String(), in.Rebuilt.Layers[0].DiffID.String()
	in.Comparison = &compare.Comparison{
		Layers: []compare.LayerPair{{Index: 0, Original: was, Rebuilt: now}},
		Differences: []compare.Difference{
			{Path: "gnu/store", Cause: compare.Order, Was: compare.TextValue("entry 4"), Now: compare.TextValue("entry 7"), Known: "known/other-layering"},
		},
		Config:   []compare.FieldDifference{{Field: "created", Was: `"1970-01-01T00:00:01Z"`, Now: `"2026-11-20T20:31:05Z"`, Cause: compare.Timestamp, Known: "known/package-logs"}},
		Manifest: []compare.FieldDifference{{Field: "layers[0].digest", Was: `"sha256:0"`, Now: `"sha256:1"`, Cause: compare.Compression}},
		Blobs:    []compare.Difference{{Cause: compare.Compression, Was: compare.TextValue("gzip, level 6"), Now: compare.TextValue("gzip, level 9")}},
		Known: []compare.Known{
			{Code: "known/package-logs", Count: 1},
			{Code: "known/other-layering", Count: 1},
		},
	}
	in.Checks[7].Reasons = because(check.Rebuild, "the rebuilt image has the same files; only their order differs")
	return in
}

// vouchedInput is what needs no builder: the store items are packed again, and each
// of them is signed.
func vouchedInput(t testing.TB) Input {
	in := unverifiedInput(t)
	operators := make(map[string][]string)
	var originals []string
	for _, it := range in.Image.Items {
		originals, operators[it.Path] = append(originals, it.Path), []string{"ci.guix.gnu.org"}
		in.Signed = append(in.Signed, signatures.Outcome{Path: it.Path, Word: signatures.Signed, Agree: 1})
	}
	in.Basis = rebuild.Origins{Originals: originals, Operators: operators}.Basis()
	in.Verdict, in.Policy = rebuild.Vouched, Policy{Require: "vouched", Holds: true}
	return in
}

// givenInput is a comparison of two images, with no recipe asked for.
func givenInput(t testing.TB) Input {
	in := unreproducibleInput(t, 0)
	in.Evidence, in.Plan, in.Result, in.Log = nil, nil, nil, ""
	in.Checks = in.Checks[:1]
	in.Policy = Policy{}
	in.Basis, in.Verdict = rebuild.Origins{Given: true}.Basis(), rebuild.Different
	return in
}

// failedInput is a build that went wrong.
func failedInput(t testing.TB) Input {
	in := unverifiedInput(t)
	in.Verdict, in.Policy = rebuild.BuildFailed, Policy{Require: "consistent"}
	in.Builder, in.Log = "guix", "rebuild.log"
	in.BuildErr = &rebuild.HintError{
		Err:  fmt.Errorf("%w: tiny-stamp-0.1: the tests did not pass", rebuild.ErrBuild),
		Hint: "Look at the end of rebuild.log.",
	}
	in.Checks[7] = check.Check{ID: check.Rebuild, Status: check.Unknown, Reasons: because(check.Rebuild, "the build failed")}
	return in
}

// contradictedInput is a file that nothing explains.
func contradictedInput(t testing.TB) Input {
	in := unverifiedInput(t)
	in.Verdict, in.Policy = rebuild.Contradicted, Policy{Require: "consistent"}
	in.Checks[2] = check.Check{ID: check.Closure, Status: check.Fail, Reasons: because(check.Closure, "1 file is not explained"), Bytes: 20_000, Findings: []check.Finding{
		check.Find(check.Problem, 0, "etc/cron.d/job", "closure/unexplained-file", "kind", "file", "bytes", 20),
	}}
	return in
}

func inputs(t testing.TB) map[string]Input {
	return map[string]Input{
		"unverified":     unverifiedInput(t),
		"reproducible":   reproducibleInput(t),
		"equivalent":     equivalentInput(t),
		"vouched":        vouchedInput(t),
		"unreproducible": unreproducibleInput(t, 3),
		"contradicted":   contradictedInput(t),
		"build-failed":   failedInput(t),
		"given":          givenInput(t),
		"hostile":        hostileInput(t),
	}
}

// hostile is what a name must not be able to do: markup, terminal escapes, a
// turned direction of reading, bytes that are not UTF-8, a broken line.
const hostile = "<script>alert(1)</script>\x1b[31mred\u202egnp.exe\xff\xfe\n\u009b2J\u200b\U000e0041\"' onload='x"

// hostileInput has hostile text wherever an image could put it.
func hostileInput(t testing.TB) Input {
	zero := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}
	img := &inspect.Image{
		Reference: "/home/someone/" + strings.ReplaceAll(hostile, "/", "_"), Transport: image.DockerArchive, Compression: compression.None, Tags: []string{hostile, "bytes:x"},
		Config:    inspect.Config{Member: hostile, Digest: zero, File: v1.ConfigFile{OS: hostile, Architecture: "amd64"}},
		Layers:    []*inspect.Layer{{Member: hostile, MediaType: hostile, Compression: compression.Gzip, Digest: zero, DiffID: zero, ClaimedDiffID: v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("1", 64)}, Size: 10, UncompressedSize: 3 << 30, Broken: errors.New(hostile)}},
		Members:   []image.Member{{Name: hostile, Size: 10, Digest: zero}, {Name: hostile, Size: 11, Digest: v1.Hash{}}},
		Platforms: []image.IndexEntry{{Digest: zero, Platform: hostile, Name: hostile, Kind: image.ImageEntry, ArtifactType: hostile}, {Digest: zero, Kind: image.ImageEntry, Chosen: true}},
		Documents: []image.Document{{Member: hostile, Kind: hostile, Digest: zero, Raw: []byte(hostile + "</code></pre>")}},
		Items:     []inspect.StoreItem{{Path: "/gnu/store/00000000000000000000000000000000-" + hostile, References: []string{hostile}, Problem: check.Say("value/text", "text", hostile), NarHash: zero}},
	}
	r := provenance.Recipe{
		System: "guix", Status: provenance.Partial, Packer: hostile, Missing: []check.Message{check.Say("recipe/missing", "text", hostile)},
		Channels:  []provenance.Channel{{Name: hostile, URL: "javascript:" + hostile, Branch: hostile, Commit: hostile, Introduction: &provenance.Introduction{Commit: hostile, Fingerprint: hostile}}},
		Packages:  []provenance.Package{{Name: hostile, Version: hostile, Output: hostile, Path: hostile, Channel: hostile}},
		Locations: []provenance.Location{{Path: hostile}},
		Files:     []provenance.File{{Name: hostile, Text: []byte(hostile + "</code></pre>")}},
		Root:      hostile,
		Details:   map[string]any{"format": hostile, "entryPoint": []string{hostile}, "symlinks": []map[string]string{{"source": hostile}}},
		Unknown:   []check.Message{check.Say("recipe/unknown-system-type", "architecture", hostile)},
	}
	walk := theSources()
	walk.Root = hostile
	for i := range walk.Sources {
		s := &walk.Sources[i]
		s.Path, s.Name, s.Derivation, s.Hash, s.Revision, s.Addresses, s.NeededBy = hostile, hostile, hostile, hostile, hostile, []string{"javascript:" + hostile, hostile}, []string{hostile}
		walk.Answers[i].Where = hostile
	}
	var checks []check.Check
	for _, id := range check.IDs() {
		checks = append(checks, check.Check{
			ID: id, Status: check.Fail, Reasons: because(id, hostile), Bytes: 1 << 20,
			Findings: []check.Finding{check.Find(check.Problem, 0, hostile, string(id)+"/summary", "text", hostile)},
		})
	}
	img.Layers[0].Entries = []*inspect.Entry{{Path: hostile, Type: '0', Size: 3}, {Path: "a", Type: '0', Size: 4}, {Path: "b", Type: '2'}, {Path: "c", Type: '0', Size: 5}}
	table := vouchedFor(img, vouch.Signed)
	table.Vouch(hostile, vouch.Word{Kind: vouch.Signed, By: hostile, Keys: []string{hostile}, Rule: hostile})
	return Input{
		Vouched: table, Keys: []vouch.Key{{Fingerprint: hostile, Name: hostile, Path: hostile}},
		Version: "1.0", Systems: testSystems(), Image: img, Evidence: &provenance.Evidence{Recipe: r}, Checks: checks, Sources: walk,
		Plan:     &rebuild.Plan{System: "guix", Command: []string{hostile}, Reasons: []check.Message{check.Say("plan/refused", "text", hostile)}, Trust: []rebuild.Trust{{Channel: hostile, URL: hostile, Reason: check.Say("plan/trust", "text", hostile)}}},
		BuildErr: fmt.Errorf("%w: %s", rebuild.ErrRefused, hostile), Builder: "guix", Log: hostile, Rebuilt: img,
		Comparison: &compare.Comparison{
			Config:      []compare.FieldDifference{{Field: hostile, Was: hostile, Now: hostile, Cause: "some-new-cause"}},
			Differences: []compare.Difference{{Path: hostile, Cause: compare.Content, Was: compare.TextValue(hostile), Now: compare.TextValue(hostile), Evidence: []check.Message{check.Say("difference/lines", "diff", "-"+hostile+"\n+"+hostile), check.Say("difference/line", "line", 1, "inside", hostile, "was", hostile, "now", hostile)}}},
			Known:       []compare.Known{{Code: "known/package-logs", Count: 1}},
		},
		Verdict: rebuild.Contradicted, Policy: Policy{Require: "consistent"}, Run: Run{Host: hostile, Date: theRun().Date},
	}
}
