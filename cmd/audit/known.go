package main

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/signatures"
	"audit/report"
)

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
// an image. Links are not followed.
func readKnown(dir string, items []inspect.StoreItem) (all []signatures.Elsewhere, err error) {
	wanted := make(map[string]bool, len(items))
	for _, item := range items {
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
		all = appendKnown(all, r, wanted)
		if len(all) > maxKnownItems {
			return &inspect.LimitError{Name: "store items of reports", Limit: maxKnownItems, Where: dir}
		}
		return nil
	})
	if err == nil && reports == 0 {
		err = fmt.Errorf("%s holds no report (report.json, NAME.report.json)", dir)
	}
	return all, err
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
			found, err := readKnown(dir, a.image.Items)
			a.elsewhere = append(a.elsewhere, found...)
			return err
		})
		if err != nil {
			return unreadable(fmt.Errorf("--known: %w", err))
		}
	}
	return nil
}

// compareKnown adds to the check of signatures what other images show.
func (l *line) compareKnown(a *audit) {
	if len(l.known) == 0 {
		return
	}
	l.add(signatures.Compared(l.checks[check.Signatures], a.image.Items, a.elsewhere, signatures.Operators(a.signed)))
}
