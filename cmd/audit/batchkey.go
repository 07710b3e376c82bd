package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"audit/cmd/audit/batch"
)

// options are all but the image that decides a report.
type options struct {
	c     *cli.Context
	named map[string]string // digests of what flags name, by its path
}

// key is a digest over the options: the program, the platform, and the flags with what
// the files and folders hold that they name.
func (o options) key(built bool) (string, error) {
	sum := sha256.New()
	program, err := o.program()
	if err != nil {
		return "", err
	}
	fmt.Fprintf(sum, "%q %q\n", program, runtime.GOOS+"/"+runtime.GOARCH)
	without := indifferent(built)
	for _, f := range o.c.Command.Flags {
		name := f.Names()[0]
		if slices.Contains(without, name) || !o.c.IsSet(name) && name != "builder" {
			continue
		}
		values := o.c.StringSlice(name)
		if values == nil {
			values = []string{fmt.Sprint(o.c.Value(name))}
		}
		for _, v := range values {
			fmt.Fprintf(sum, "%q %q\n", name, v)
			if name == "builder" || name == "platform" { // words, which may be names of files too
				continue
			}
			if err := o.hashNamed(sum, v); err != nil {
				return "", usage("--%s: %w", name, err)
			}
		}
	}
	return fmt.Sprintf("%.16x", sum.Sum(nil)), nil
}

// program names this program: by its version where that leads to one source, and else
// with the digest of the file that runs.
func (o options) program() (string, error) {
	v := version()
	if v != "devel" && !strings.HasSuffix(v, "+dirty") {
		return v, nil
	}
	file := "/proc/self/exe" // even where another has taken its name since it began
	if runtime.GOOS != "linux" {
		var err error
		if file, err = os.Executable(); err != nil {
			return "", fmt.Errorf("looking for the file of this program: %w", err)
		}
	}
	sum, err := o.hash(file)
	return v + " " + sum, err
}

// hashNamed adds what a file or a folder holds that a flag names: as PATH, NAME=PATH or
// the address file://PATH of one.
func (o options) hashNamed(w io.Writer, value string) error {
	_, path, ok := strings.Cut(value, "=")
	if !ok {
		path = value
	}
	for _, path := range slices.Compact([]string{value, path}) {
		sum, err := o.hash(strings.TrimPrefix(path, "file://"))
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%q\n", sum)
	}
	return nil
}

func (o options) hash(path string) (string, error) {
	if sum, ok := o.named[path]; ok {
		return sum, nil
	}
	sum, err := batch.HashNamed(o.c.Context, path)
	o.named[path] = sum
	return sum, err
}

// indifferent are the flags that change no report, and of a report without a rebuild
// those too that are about the build alone.
func indifferent(built bool) []string {
	names := []string{"output", "jobs", "shard", "shards", "timeout", "layer-cache", "archive-cache", "config", "quiet", "verbose", "authfile", "creds", "tls-verify", "cert-dir", "mirror"}
	if !built {
		names = append(names, "builder", "fresh", "check-inputs", "no-substitutes", "substitute-urls", "substitute-key", "builders", "cores", "max-jobs")
	}
	return names
}
