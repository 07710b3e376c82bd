package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/base"
	"audit/provenance/signatures"
	"audit/report"
)

func knownFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "known", Usage: "compare store items with those of other images, and find the base image among them, whose reports (report.json, NAME.report.json) lie in `DIR`; may be given again"}
}

// What may be read of a folder of reports: entries of it, reports, and store items of
// all reports that the image has too.
const (
	maxKnownEntries = 1_000_000
	maxKnownReports = 20_000
	maxKnownItems   = 10_000_000
)

// isReport says whether a file of a folder is read as a report: that of a result, or one
// that somebody has named after an image.
func isReport(name string) bool {
	return name == "report.json" || strings.HasSuffix(name, ".report.json")
}

// readKnown reads what the reports in a folder, at any depth, say of the store items of
// an image, and counts those that are of the very same image; base is the one of the
// others whose layers are the most of the image's lowest, nil for none. Links are not
// followed.
func readKnown(dir string, img *inspect.Image) (all []signatures.Elsewhere, own int, base *report.Image, err error) {
	wanted, config := make(map[string]bool, len(img.Items)), img.Config.Digest.String()
	for _, item := range img.Items {
		wanted[item.Path] = true
	}
	entries, reports := 0, 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		entries++
		switch {
		case err != nil:
			return err
		case entries > maxKnownEntries:
			return &inspect.LimitError{Name: "entries of a folder of reports", Limit: maxKnownEntries, Where: dir}
		case !d.Type().IsRegular() || !isReport(d.Name()):
			return nil
		}
		if reports++; reports > maxKnownReports {
			return &inspect.LimitError{Name: "reports", Limit: maxKnownReports, Where: dir}
		}
		r, err := readReport(path)
		if err != nil {
			return err
		}
		if err := checkHashes(r); err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		if config != "" && r.Image.ConfigDigest == config {
			own++
			return nil
		}
		if isBase(&r.Image, img) && (base == nil || len(r.Image.Layers) > len(base.Layers)) {
			base = &r.Image
		}
		all = appendKnown(all, r, wanted)
		if len(all) > maxKnownItems {
			return &inspect.LimitError{Name: "store items of reports", Limit: maxKnownItems, Where: dir}
		}
		return nil
	})
	if err == nil && reports == 0 {
		err = fmt.Errorf("%s holds no report (report.json, NAME.report.json)", dir)
	}
	return all, own, base, err
}

// isBase says whether the layers of an image are the lowest of another.
func isBase(r *report.Image, img *inspect.Image) bool {
	for n, l := range r.Layers {
		if n == len(img.Layers) || l.Broken != "" || l.DiffID == "" || l.DiffID != img.Layers[n].DiffID.String() {
			return false
		}
	}
	return len(r.Layers) > 0
}

// baseOf is an image as far as its report has what a base is compared by.
func baseOf(r *report.Image) (*inspect.Image, error) {
	img := &inspect.Image{Reference: r.Reference, Transport: r.Transport, Tags: r.Tags}
	img.Manifest.Origin = r.ManifestDigest.Origin
	diffIDs := make([]string, len(r.Layers))
	for n, l := range r.Layers {
		diffIDs[n] = l.DiffID
	}
	if err := base.Describe(img, r.ManifestDigest.Digest, diffIDs); err != nil {
		return nil, fmt.Errorf("taking the base from the report on %s: %w", r.Reference, err)
	}
	return img, nil
}

// narHash matches the NAR hashes of a report.
var narHash = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// checkHashes says what of the store items of a report no audit can have written.
func checkHashes(r *report.Report) error {
	hashes := make(map[string]string, len(r.StoreItems))
	for _, item := range r.StoreItems {
		before, seen := hashes[item.Path]
		switch {
		case item.NarHash == "":
			continue
		case !narHash.MatchString(item.NarHash):
			return fmt.Errorf("%s: %q is no SHA-256 hash (sha256:HEX)", item.Path, item.NarHash)
		case seen && before != item.NarHash:
			return fmt.Errorf("it contradicts itself: %s has two NAR hashes", item.Path)
		}
		hashes[item.Path] = item.NarHash
	}
	return nil
}

// checkKnown says which of the folders of reports are none.
func checkKnown(dirs []string) error {
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is no folder: name the one that its reports lie in", dir)
		}
		if err != nil {
			return usage("--known: %w", err)
		}
	}
	return nil
}

// appendKnown adds what one report says of the store items that are wanted.
func appendKnown(all []signatures.Elsewhere, r *report.Report, wanted map[string]bool) []signatures.Elsewhere {
	name := r.Image.Reference
	if _, hex, ok := strings.Cut(r.Image.ConfigDigest, ":"); ok && len(hex) >= 12 {
		name += " (" + hex[:12] + ")"
	}
	for _, item := range r.StoreItems {
		if wanted[item.Path] {
			all = append(all, signatures.Elsewhere{Path: item.Path, NarHash: item.NarHash, Image: name})
		}
	}
	return all
}

// readKnown reads the folders of reports that are given.
func (l *line) readKnown(a *audit) error {
	for _, dir := range l.known {
		err := l.step("known reports", func() error {
			found, own, lowest, err := readKnown(dir, a.image)
			a.elsewhere, a.own = append(a.elsewhere, found...), a.own+own
			if err == nil && lowest != nil && (l.knownBase == nil || len(lowest.Layers) > len(l.knownBase.Layers)) {
				l.knownBase, err = baseOf(lowest)
			}
			return err
		})
		if err != nil {
			return usage("--known: %w", err)
		}
	}
	return nil
}

// compareKnown adds to the check of signatures what other images show.
func (l *line) compareKnown(a *audit) {
	if len(l.known) == 0 {
		return
	}
	l.add(signatures.Compared(l.checks[check.Signatures], a.image.Items, a.elsewhere, a.own, signatures.Operators(a.signed)))
}
