package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/limit"
	"audit/inspect/registry/access"
	"audit/inspect/web"
)

// A reading says how images are read: which of an index, from where and with what, and
// which checksum was published of the file.
type reading struct {
	platform   string // chooses among the images of an index
	layerCache string // folder of layers from registries; "" for none
	access     *access.Options
	published  *web.Checksum // of the file; nil when nobody says
	doi        doiFlags
	scratch    *scratch
}

// doiFlags say which file of the record of a DOI is meant, and where the record is.
type doiFlags struct{ file, server string }

func platformFlag() cli.Flag {
	return &cli.StringFlag{Name: "platform", Usage: "of an image for several, take the one for `OS/ARCH` (default: that of this machine); audit run takes all, for each of them, the worst first"}
}

// layerCacheFlag names the folder of layers that were fetched before.
func layerCacheFlag() cli.Flag {
	return &cli.StringFlag{Name: "layer-cache", Usage: "keep layers from registries in `DIR`, and fetch none that is there; each is hashed before it is used"}
}

// registryFlags say how registries are reached, in the words of skopeo.
func registryFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "authfile", Usage: "take the credentials for registries from `FILE`, as docker login and podman login write it"},
		&cli.StringFlag{Name: "creds", Usage: "log in to the registry of IMAGE, and no other, as `USER[:PASSWORD]`; without the password it is asked for, or read from standard input"},
		&cli.BoolFlag{Name: "tls-verify", Value: true, Usage: "verify certificates and refuse plain HTTP, but of this machine and there without credentials; given, of this machine too; --tls-verify=false does neither"},
		&cli.StringFlag{Name: "cert-dir", Usage: "take the *.crt in `DIR` for authorities beside those of the system, and *.cert with *.key for this client's certificate"},
		&cli.StringSliceFlag{Name: "mirror", Usage: "ask a mirror first, as `HOST[/PATH]=HOST[/PATH]`; the report says where the image was read; may be given again"},
	}
}

// archiveFileFlags are about an IMAGE that is a file, here or at an address.
func archiveFileFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "sha256", Usage: "before anything else compare the file that IMAGE names, here or at an https address, with the published checksum `HEX`"},
		&cli.StringFlag{Name: "sha512", Usage: "as --sha256, with the SHA-512 `HEX`"},
		&cli.StringFlag{Name: "md5", Usage: "as --sha256, with the MD5 `HEX`, as Zenodo shows it: it tells a damaged copy, and no forger who made both files"},
		&cli.StringFlag{Name: "doi-file", Usage: "of the record that IMAGE, doi:10.5281/zenodo.NUMBER, leads to, take the file `NAME`, and its checksum there"},
		&cli.StringFlag{Name: "doi-server", Value: "https://zenodo.org", Usage: "look for the record at `URL`, of a repository that runs InvenioRDM as Zenodo does"},
	}
}

// readingFlags are all of them.
func readingFlags() []cli.Flag {
	return grouped(helpReading, slices.Concat([]cli.Flag{platformFlag()}, registryFlags(), archiveFileFlags()))
}

func newReading(c *cli.Context) (r reading, err error) {
	r = reading{platform: c.String("platform"), layerCache: c.String("layer-cache"), doi: doiFlags{c.String("doi-file"), c.String("doi-server")}}
	r.scratch, _ = c.App.Metadata[scratchKey].(*scratch)
	for _, algorithm := range []string{"sha256", "sha512", "md5"} {
		digits := c.String(algorithm)
		if digits == "" {
			continue
		}
		sum, err := web.ParseChecksum(algorithm, digits)
		if err != nil {
			return r, usage("--%s: %w", algorithm, err)
		}
		if r.published != nil {
			return r, usage("--%s and --%s: choose one", r.published.Algorithm, algorithm)
		}
		r.published = &sum
	}
	r.access, err = newAccess(c)
	return r, err
}

// newAccess says how registries are reached; nil where no flag does.
func newAccess(c *cli.Context) (*access.Options, error) {
	o := &access.Options{AuthFile: c.String("authfile"), CertDir: c.String("cert-dir")}
	if c.IsSet("tls-verify") {
		o.Verified = c.Bool("tls-verify")
		o.Insecure = !o.Verified
	}
	for _, text := range c.StringSlice("mirror") {
		m, err := access.ParseMirror(text)
		if err != nil {
			return nil, usage("--mirror %s: %w", text, err)
		}
		o.Mirrors = append(o.Mirrors, m)
	}
	if err := o.CheckAuthFile(); err != nil {
		return nil, usage("--authfile: %w", named(o.AuthFile, err))
	}
	if err := o.CheckCertDir(); err != nil {
		if _, missing := os.Stat(o.CertDir); missing != nil {
			err = named(o.CertDir, missing)
		}
		return nil, usage("--cert-dir: %w", err)
	}
	if c.String("creds") == "" {
		return o, nil
	}
	var err error
	o.Credentials, err = newCredentials(c)
	return o, err
}

// newCredentials are those of --creds, for the registry that the command line names.
func newCredentials(c *cli.Context) (*access.Credentials, error) {
	registry := ""
	for _, word := range append(c.Args().Slice(), c.String("to"), c.String("attach"), c.String("list")) {
		reference, ok := strings.CutPrefix(word, "docker://")
		if !ok {
			continue
		}
		host := access.RegistryOf(reference)
		if registry == "" || registry == host {
			registry = host
			continue
		}
		return nil, usage("--creds is for one registry, and there are two: use --authfile")
	}
	if line, _ := c.App.Metadata[commandLineKey].(commandLine); registry == "" && !line.asks("creds") {
		return nil, nil // a variable, or a file, that is about other images
	}
	if registry == "" {
		return nil, usage("--creds is for the registry of an IMAGE docker://HOST/NAME, and there is none: it would not be used")
	}
	user, password, ok := strings.Cut(c.String("creds"), ":")
	if !ok {
		var err error
		if password, err = askPassword(c, user, registry); err != nil {
			return nil, err
		}
	}
	return &access.Credentials{Registry: registry, User: user, Password: password}, nil
}

// maxPassword bounds a password that is read, in bytes.
const maxPassword = 64 << 10

// askPassword asks a person, or reads the first line of standard input.
func askPassword(c *cli.Context, user, registry string) (string, error) {
	if c.Args().First() == "-" {
		return "", usage("--creds without a password reads it from standard input, where the image is")
	}
	if f, ok := c.App.Reader.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(c.App.ErrWriter, "password of %s at %s: ", user, registry)
		password, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(c.App.ErrWriter)
		return string(password), err
	}
	if c.App.Reader == nil {
		return "", usage("--creds without a password reads it from standard input, and there is none")
	}
	line, err := bufio.NewReader(io.LimitReader(c.App.Reader, maxPassword)).ReadString('\n')
	if err != nil && line == "" {
		return "", usage("--creds without a password reads it from standard input, and there is none")
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// obtain fetches an image that lies at an address, and compares the file with the
// checksum that was published of it. It returns the name of what was fetched, "" for a
// file that is here.
func (l *line) obtain(ctx context.Context, reference string) (string, error) {
	if !web.IsAddress(reference) {
		if near := web.Deposit(reference); near != "" && l.doi.file != "" {
			return "", noFile(reference)
		}
		if l.doi.file != "" {
			return "", usage("--doi-file is for an IMAGE doi:10.5281/zenodo.NUMBER: it would not be used")
		}
		return "", l.checkFile(ctx, reference)
	}
	f, err := web.NewFetcher(l.access, limit.DefaultLimits().Idle, l.progress.bytes("fetching "+reference))
	if err != nil {
		return "", usage("%w", err)
	}
	address := reference
	if web.IsDOI(reference) {
		doi := cmp.Or(web.Deposit(reference), reference)
		if address, err = l.followDOI(ctx, f, doi); err != nil {
			return "", unreadable(err)
		}
	}
	if doi, file := web.DepositFile(reference); l.published == nil && doi != "" {
		return "", usage("what is at an address is read with its published checksum alone, which its record has: --doi-file %q %s", file, doi)
	}
	if l.published == nil {
		return "", usage("what is at an address is read with its published checksum alone: --sha256 HEX, --sha512 HEX or --md5 HEX")
	}
	file, err := l.scratch.create()
	if err != nil {
		return "", fmt.Errorf("making a temporary file: %w", err)
	}
	defer file.Close()
	if err := f.Fetch(ctx, address, file); err != nil {
		return "", unreadable(fmt.Errorf("fetching %s: %w", reference, err))
	}
	return file.Name(), l.compareFile(ctx, reference, file)
}

// followDOI finds the file and its checksum; one that the user gives counts as well.
func (l *line) followDOI(ctx context.Context, f *web.Fetcher, reference string) (string, error) {
	address, sum, err := f.Record(ctx, l.doi.server, reference, l.doi.file)
	if err != nil {
		return "", fmt.Errorf("following %s: %w", reference, err)
	}
	if l.published == nil {
		l.published = &sum
	}
	return address, nil
}

// checkFile compares a file that is here.
func (l *line) checkFile(ctx context.Context, path string) error {
	if l.published == nil {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return usage("--%s is about one file, which %s is not: it would not be used", l.published.Algorithm, path)
	}
	file, err := os.Open(path)
	if err != nil {
		return unreadable(err)
	}
	defer file.Close()
	return l.compareFile(ctx, path, file)
}

func (l *line) compareFile(ctx context.Context, reference string, file *os.File) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return unreadable(err)
	}
	if err := l.published.Check(ctx, file); err != nil {
		return unreadable(fmt.Errorf("%s: %w", reference, err))
	}
	return nil
}

// notePublished writes down that the file is the one that was published. That it was the
// same file both times shows where the algorithm is that of its digest.
func (l *line) notePublished(img *inspect.Image) error {
	if l.published == nil {
		return nil
	}
	if p := l.published; p.Algorithm == "sha256" && img.Archive.Hex != "" && img.Archive.Hex != p.Hex {
		return unreadable(errors.New("the file was changed while it was read"))
	}
	code := "integrity/published"
	switch weak := l.published.Algorithm == "md5"; {
	case l.published.From != "" && weak:
		code = "integrity/published-record-md5"
	case l.published.From != "":
		code = "integrity/published-record"
	case weak:
		code = "integrity/published-md5"
	}
	img.Problems = append(img.Problems, check.Finding{Message: check.Say(code, "checksum", l.published.String(), "from", l.published.From), Level: check.Note, Layer: -1})
	return nil
}

// scratchKey is the key of the scratch in the metadata of the app.
const scratchKey = "scratch"

// A scratch is a folder of what was fetched, which goes with the run.
type scratch struct{ dir string }

func (s *scratch) create() (*os.File, error) {
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "audit-")
		if err != nil {
			return nil, err
		}
		s.dir = dir
	}
	return os.CreateTemp(s.dir, "image-")
}

func (s *scratch) remove() {
	if s.dir != "" {
		os.RemoveAll(filepath.Clean(s.dir))
	}
}
