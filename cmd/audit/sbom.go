package main

import (
	"bytes"
	"io"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"audit/sbom"
)

func sbomCommand() *cli.Command {
	return &cli.Command{
		Name:      "sbom",
		Usage:     "what is in an image, as SPDX or CycloneDX; of two images, what changed",
		ArgsUsage: "IMAGE | A B",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "format", Value: "spdx", Usage: "`FORMAT`: spdx (SPDX 2.3 JSON), spdx-tv (tag-value), cyclonedx (CycloneDX 1.6 JSON) or cyclonedx-xml"},
			&cli.BoolFlag{Name: "sbom-files", Usage: "list every file with its SHA-256"},
			&cli.BoolFlag{Name: "json", Usage: "of two images, print what changed as JSON"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` instead of standard output"},
		}, readingFlags()...),
		Action: func(c *cli.Context) error {
			if c.Args().Len() == 2 {
				return putChanges(c, c.Args().Get(0), c.Args().Get(1))
			}
			if c.Args().Len() != 1 {
				return usage("sbom takes one IMAGE, or two to compare, not %d (see audit help sbom)", c.Args().Len())
			}
			return putBill(c, c.Args().First())
		},
	}
}

// A billForm is a form that a bill is written in.
type billForm struct {
	name  string
	write func(*sbom.Bill, io.Writer) error
}

func billForms() []billForm {
	return []billForm{
		{"spdx", (*sbom.Bill).WriteSPDX},
		{"spdx-tv", (*sbom.Bill).WriteSPDXTagValue},
		{"cyclonedx", (*sbom.Bill).WriteCycloneDX},
		{"cyclonedx-xml", (*sbom.Bill).WriteCycloneDXXML},
	}
}

func putBill(c *cli.Context, reference string) error {
	forms, name := billForms(), c.String("format")
	i := slices.IndexFunc(forms, func(f billForm) bool { return f.name == name })
	switch {
	case i < 0:
		return oneOf("format", name, choices("sbom", "format"))
	case c.Bool("json"):
		return usage("--json is for what changed between two images; the form of a bill is that of --format")
	}
	bill, err := collect(c, reference)
	if err != nil {
		return err
	}
	return putOne(c, func(w *bytes.Buffer) error { return forms[i].write(bill, w) })
}

// putChanges writes what changed between two images. That something did is no
// failure.
func putChanges(c *cli.Context, first, second string) error {
	if c.IsSet("format") {
		return usage("--format is the form of a bill; what changed between two images is a table, or JSON with --json")
	}
	a, err := collect(c, first)
	if err != nil {
		return err
	}
	b, err := collect(c, second)
	if err != nil {
		return err
	}
	changes := sbom.Compare(a, b)
	return putOne(c, func(w *bytes.Buffer) error {
		if c.Bool("json") {
			return changes.WriteJSON(w)
		}
		return changes.WriteText(w)
	})
}

// collect makes the bill of an image.
func collect(c *cli.Context, reference string) (*sbom.Bill, error) {
	date, err := sourceDate()
	if err != nil {
		return nil, err
	}
	r, err := newReading(c)
	if err != nil {
		return nil, err
	}
	l := &line{progress: progressFor(c), reading: r}
	defer l.progress.clear()
	img, err := l.inspect(c.Context, reference)
	if err != nil {
		return nil, err
	}
	ev, err := l.recover(c.Context, img)
	if err != nil {
		return nil, err
	}
	opt := billOptions(date)
	opt.Files = c.Bool("sbom-files")
	return sbom.Collect(img, ev, opt), nil
}

// billOptions are those that every bill of materials has.
func billOptions(date time.Time) sbom.Options {
	return sbom.Options{Created: date, Version: version(), Stores: stores(), Text: sentences().Text}
}

// putOne writes one document to -o, or to standard output.
func putOne(c *cli.Context, write func(w *bytes.Buffer) error) error {
	f, err := writeTo(c.String("output"), write)
	if err != nil {
		return err
	}
	if f.name != "" {
		return saveAs(f.name, f.writeAll)
	}
	_, err = c.App.Writer.Write(f.data)
	return err
}
