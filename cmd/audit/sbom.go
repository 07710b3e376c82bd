package main

import (
	"bytes"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"audit/sbom"
)

func sbomCommand() *cli.Command {
	return &cli.Command{
		Name:      "sbom",
		Usage:     "what is in an image, as SPDX or CycloneDX",
		ArgsUsage: "IMAGE",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "spdx", Usage: "`FORMAT`: spdx (SPDX 2.3 JSON) or cyclonedx (CycloneDX 1.6 JSON)"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` instead of standard output"},
		},
		Action: func(c *cli.Context) error {
			reference, err := oneArgument(c, "IMAGE")
			if err != nil {
				return err
			}
			return putBill(c, reference)
		},
	}
}

func putBill(c *cli.Context, reference string) error {
	write, ok := map[string]func(*sbom.Bill, io.Writer) error{
		"spdx":      (*sbom.Bill).WriteSPDX,
		"cyclonedx": (*sbom.Bill).WriteCycloneDX,
	}[c.String("format")]
	if !ok {
		return usageError{fmt.Errorf("--format %s: neither spdx nor cyclonedx", c.String("format"))}
	}
	date, err := sourceDate()
	if err != nil {
		return err
	}
	l := &line{tell: newProgress(c.App.ErrWriter)}
	img, err := l.inspect(c.Context, reference)
	if err != nil {
		return err
	}
	ev, err := l.recover(img)
	l.tell.clear()
	if err != nil {
		return err
	}
	bill := sbom.Collect(img, ev, sbom.Options{Created: date, Version: version()})
	return putOne(c, func(w *bytes.Buffer) error { return write(bill, w) })
}

// putOne writes one document to -o, or to standard output.
func putOne(c *cli.Context, write func(w *bytes.Buffer) error) error {
	f, err := writeTo(c.String("output"), write)
	if err != nil {
		return err
	}
	if f.name != "" {
		return saveFile(f.name, f.data)
	}
	_, err = c.App.Writer.Write(f.data)
	return err
}
