package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"audit/provenance/statement"
	"audit/report"
	"audit/report/attest"
)

func keygenCommand() *cli.Command {
	return &cli.Command{
		Name:      "keygen",
		Usage:     "makes a key pair to sign statements with",
		ArgsUsage: "NAME",
		Action: func(c *cli.Context) error {
			name, err := oneArgument(c, "NAME")
			if err != nil {
				return err
			}
			return makeKey(c, name)
		},
	}
}

// makeKey writes NAME.key, which nobody else can read, and NAME.pub. A key that is
// there is never replaced: what it signed could not be verified any more.
func makeKey(c *cli.Context, name string) error {
	if base := filepath.Base(name); base == "." || base == ".." || strings.HasSuffix(name, "/") || strings.HasPrefix(base, "-") || !attest.IsName(base) {
		return usage("%q is no name for a key", name)
	}
	for _, path := range []string{name + ".key", name + ".pub"} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return usage("%s is there already: choose another name", path)
		}
	}
	key, private, err := statement.GenerateKey(filepath.Base(name))
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name+".key", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("writing the private key: %w", err)
	}
	if _, err := f.Write(private); err != nil {
		f.Close()
		return fmt.Errorf("writing the private key: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("writing the private key: %w", err)
	}
	if err := saveFile(name+".pub", key.Public().PEM()); err != nil {
		return err
	}
	name = report.Printable(name)
	fmt.Fprintf(c.App.Writer, "%s.key  private: sign with it (--sign %s.key), and show it to nobody\n%s.pub  public: give it to those who verify (--key %s=%s.pub)\n",
		name, name, name, key.Public().Name, name)
	return nil
}
