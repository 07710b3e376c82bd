package main

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"audit/inspect/check"
	"audit/inspect/image"
	"audit/provenance/evidence"
	"audit/rebuild"
	"audit/rebuild/policy"
	"audit/report"
)

func inspectCommand() *cli.Command {
	return &cli.Command{
		Name:      "inspect",
		Usage:     "what an image is: layers, digests, store items, evidence",
		ArgsUsage: "IMAGE",
		Flags: append(append(statementFlags(), readingFlags()...),
			&cli.BoolFlag{Name: "json", Usage: "print a report as JSON, in which the other checks are skipped"},
			layerCacheFlag(),
		),
		Action: func(c *cli.Context) error {
			reference, err := oneArgument(c, "IMAGE")
			if err != nil {
				return err
			}
			return inspectImage(c, reference)
		},
	}
}

// inspectImage makes the checks that need nothing but the bytes, and prints
// what they found. A failed check is an exit status as everywhere.
func inspectImage(c *cli.Context, reference string) error {
	stated, err := newStatements(c)
	if err != nil {
		return err
	}
	r, err := newReading(c)
	if err != nil {
		return err
	}
	l, began := &line{progress: progressFor(c), reading: r}, time.Now()
	a := new(audit)
	if a.image, err = l.inspect(c.Context, reference); err == nil {
		a.statements = evidence.Of(a.image, stated.given, stated.trust)
		a.evidence, err = l.recover(c.Context, a.image)
	}
	l.progress.clear()
	if err != nil {
		return err
	}
	for _, id := range []check.ID{check.Repack, check.Signatures, check.Sources, check.Derivation, check.Rebuild} {
		l.skip(id, "report/inspection-only")
	}
	a.verdict = rebuild.Judge(l.facts(a))
	a.report = l.report(a, began)
	failed := judge(a.report, new(policy.Policy))
	if c.Bool("json") {
		err = report.WriteJSON(c.App.Writer, a.report)
	} else {
		err = printImage(c, a.report)
	}
	if err != nil {
		return err
	}
	return failed
}

// columns are those of rows that are printed below each other.
type columns struct{ *tabwriter.Writer }

func (t columns) row(values ...any) {
	for i, v := range values {
		if i > 0 {
			fmt.Fprint(t, "\t")
		}
		fmt.Fprint(t, report.Printable(fmt.Sprint(v)))
	}
	fmt.Fprintln(t)
}

func printImage(c *cli.Context, r *report.Report) error {
	t := columns{tabwriter.NewWriter(c.App.Writer, 0, 8, 2, ' ', 0)}
	t.image(r)
	t.recipe(r)
	fmt.Fprintln(t)
	t.layers(r)
	fmt.Fprintln(t)
	for _, out := range r.Checks[:3] {
		t.row(out.ID, out.Status, r.Summary(out))
		for _, f := range out.Findings {
			t.row("", f.Level, fmt.Sprintf("%s: %s", f.Path, r.Words(f)))
		}
	}
	return t.Flush()
}

func (t columns) image(r *report.Report) {
	img := r.Image
	t.row("image", img.Reference)
	form := string(img.Transport)
	if img.Compression != "" { // the form is one file
		form += ", compression " + string(img.Compression)
	}
	t.row("form", form)
	if img.ArchiveDigest != "" {
		t.row("file", img.ArchiveDigest)
	}
	for _, tag := range img.Tags {
		t.row("tag", tag)
	}
	t.row("config", img.ConfigDigest)
	t.row("platform", img.Platform)
	for _, p := range img.Platforms {
		if p.Kind == image.ImageEntry && !p.Chosen {
			t.row("not read", strings.TrimSpace(p.Platform+" "+p.Digest))
		}
	}
}

func (t columns) recipe(r *report.Report) {
	t.row("recipe", fmt.Sprintf("%s, %s", r.Recipe.Status, r.Recipe.System))
	for _, e := range r.Recipe.Evidence {
		t.row("evidence", fmt.Sprintf("layer %d: %s", e.Layer, e.Path))
	}
	for _, s := range r.Statements {
		about := "another thing"
		if s.About != evidence.Another {
			about = string(s.About)
		}
		t.row("statement", s.Digest, cmp.Or(s.PredicateType, string(s.Form), "unread"), "about: "+about, "signed by: "+report.Signers(s))
	}
}

func (t columns) layers(r *report.Report) {
	t.row("LAYER", "DIFFID", "SIZE", "ENTRIES", "STORE ITEMS")
	for _, l := range r.Image.Layers {
		t.row(l.Index, l.DiffID, l.UncompressedSize, l.Entries, l.StoreItems)
	}
	if len(r.StoreItems) > 0 {
		fmt.Fprintln(t)
		t.row("STORE ITEM", "LAYER", "NAR HASH", "NAR SIZE", "REFERENCES")
	}
	for _, it := range r.StoreItems {
		t.row(it.Path, it.Layer, it.NarHash, it.NarSize, len(it.References))
	}
}
