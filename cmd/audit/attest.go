package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"audit/inspect/limit"
	"audit/inspect/userfile"
	"audit/provenance/statement"
	"audit/report"
	"audit/report/attest"
)

func attestCommand() *cli.Command {
	return &cli.Command{
		Name:      "attest",
		Usage:     "makes a statement of a report, signed and attached where that is asked for",
		ArgsUsage: "REPORT.json",
		Flags: append(append(signFlags(), registryFlags()...),
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the statement into `DIR` (default: where the report lies)"},
			&cli.StringFlag{Name: "vsa", Usage: "write a verification summary of SLSA as well, for those who pull the image as `URI`; only of an image that was built again, and with equivalent or reproducible demanded"},
			&cli.StringFlag{Name: "to", Usage: "push the signed statement to `REPOSITORY` of your own, where others find it by the image's digest: docker://HOST/NAME"},
			&cli.StringFlag{Name: "attach", Usage: "put the signed statement beside the image at `REF`: docker://HOST/NAME, or oci:DIR"},
		),
		Action: func(c *cli.Context) error {
			path, err := oneArgument(c, "REPORT.json")
			if err != nil {
				return err
			}
			return attestReport(c, path)
		},
	}
}

// signFlags say who signs.
func signFlags() []cli.Flag {
	return grouped(helpStatements, []cli.Flag{
		&cli.StringFlag{Name: "sign", Usage: "sign the statement with the private key in `KEY` (PEM, Ed25519 or P-256; audit keygen makes one)"},
		&cli.StringFlag{Name: "auditor", Usage: "say in the statement that `URI` made it (default: the digest of the key)"},
	})
}

// The files of statements.
const (
	statementFile = "audit" + statementEnd
	bundleFile    = "audit" + bundleEnd

	statementEnd = ".intoto.json"
	bundleEnd    = ".sigstore.json"
)

// An attestation is the statement of a report, and the bundle of it where somebody
// signs.
type attestation struct {
	statement []byte
	bundle    []byte // nil when nobody signs
}

func (s *attestation) files() []file {
	return s.filesNamed("audit")
}

func (s *attestation) filesNamed(name string) []file {
	files := []file{{name: name + statementEnd, data: s.statement}}
	if s.bundle != nil {
		files = append(files, file{name: name + bundleEnd, data: s.bundle})
	}
	return files
}

// signingKey reads the key that --sign names, nil without one.
func signingKey(c *cli.Context) (*statement.PrivateKey, error) {
	path := c.String("sign")
	if path == "" {
		return nil, nil
	}
	text, err := userfile.Read(path, maxKey)
	if err != nil {
		return nil, usage("--sign: %w", err)
	}
	key, err := statement.ParsePrivateKey(strings.TrimSuffix(filepath.Base(path), ".key"), text)
	if err != nil {
		return nil, usage("--sign %s: %w", path, err)
	}
	return key, nil
}

// auditorOf is who says it, and when.
//
// What is signed later is no newer word: the time is that of the audit.
func auditorOf(r *report.Report, auditor string, key *statement.PrivateKey) (string, time.Time, error) {
	now, err := sourceDate()
	if now.IsZero() {
		now = r.Run.Date
	}
	if auditor != "" {
		if u, err := url.Parse(auditor); err != nil || u.Scheme == "" || !attest.IsName(auditor) || strings.Contains(auditor, " ") {
			return "", now, usage("--auditor %q: a URI belongs here, such as https://lab.example", auditor)
		}
	}
	if auditor == "" && key != nil {
		auditor = fmt.Sprintf("sha256:%x", key.Public().ID())
	}
	return auditor, now, err
}

// summarise makes a verification summary, and signs it when there is a key.
func summarise(c *cli.Context, r *report.Report, key *statement.PrivateKey) ([]file, error) {
	auditor, now, err := auditorOf(r, c.String("auditor"), key)
	if err != nil {
		return nil, err
	}
	text, err := attest.NewSummary(r, auditor, c.String("vsa"), now)
	if err != nil {
		return nil, usage("--vsa: %w", err)
	}
	bundle, err := signedBundle(text, key)
	return (&attestation{text, bundle}).filesNamed("audit.vsa"), err
}

// signedBundle signs a statement, nil without a key.
func signedBundle(text []byte, key *statement.PrivateKey) ([]byte, error) {
	if key == nil {
		return nil, nil
	}
	envelope, err := statement.Sign(statement.PayloadType, text, key)
	if err != nil {
		return nil, err
	}
	return statement.NewBundle(envelope, key.Public())
}

// sign makes the statement of a report, and signs it when there is a key.
func sign(r *report.Report, auditor string, key *statement.PrivateKey) (*attestation, error) {
	auditor, now, err := auditorOf(r, auditor, key)
	if err != nil {
		return nil, err
	}
	out := new(attestation)
	if out.statement, err = attest.New(r, auditor, now); err != nil {
		return nil, unreadable(fmt.Errorf("making a statement: %w", err))
	}
	out.bundle, err = signedBundle(out.statement, key)
	return out, err
}

func attestReport(c *cli.Context, path string) error {
	key, err := signingKey(c)
	if err != nil {
		return err
	}
	places := c.String("to") != "" || c.String("attach") != ""
	if places && key == nil {
		return usage("--to and --attach need a signature: say with which key (--sign KEY)")
	}
	if path == "-" && c.String("output") == "" {
		return usage("a report from standard input lies in no folder: say where the statement belongs (-o DIR)")
	}
	r, err := readReport(path)
	if err != nil {
		return unreadable(err)
	}
	s, err := sign(r, c.String("auditor"), key)
	if err != nil {
		return err
	}
	for _, flag := range []string{"to", "attach"} {
		if place := c.String(flag); place != "" {
			if err := attest.CheckPlace(place, flag == "to", r); err != nil {
				return usage("--%s %s: %w", flag, place, err)
			}
		}
	}
	files := s.files()
	if c.String("vsa") != "" {
		summary, err := summarise(c, r, key)
		if err != nil {
			return err
		}
		files = append(files, summary...)
	}
	dir := c.String("output")
	if dir == "" {
		dir = filepath.Dir(path)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("making the folder for the statement: %w", err)
	}
	for _, f := range files {
		if err := saveFile(filepath.Join(dir, f.name), f.data); err != nil {
			return err
		}
		fmt.Fprintln(c.App.Writer, report.Printable(filepath.Join(dir, f.name)))
	}
	return attachAll(c, r, s)
}

// attachAll puts the bundle where --to and --attach say.
func attachAll(c *cli.Context, r *report.Report, s *attestation) error {
	registries, err := newAccess(c)
	if err != nil {
		return err
	}
	options, err := registries.Pushing(limit.DefaultLimits().Idle)
	if err != nil {
		return usage("%w", err)
	}
	for _, flag := range []string{"to", "attach"} {
		place := c.String(flag)
		if place == "" {
			continue
		}
		digest, err := attest.AttachTo(c.Context, place, r, s.bundle, options...)
		switch {
		case errors.Is(err, attest.ErrPlace):
			return usage("--%s %s: %w", flag, place, err)
		case err != nil:
			return fmt.Errorf("--%s %s: %w", flag, place, err)
		}
		fmt.Fprint(c.App.Writer, report.Printable(fmt.Sprintf("%s has %s", place, digest)), "\n", verifyHint(c, flag, place, r))
	}
	return nil
}

// verifyHint is what others type to verify what was attached.
func verifyHint(c *cli.Context, flag, place string, r *report.Report) string {
	key := strings.TrimSuffix(c.String("sign"), ".key") + ".pub"
	image := r.Image.Reference
	if flag == "to" {
		return report.Printable(fmt.Sprintf("verify it with: audit verify --key NAME=%s --from %s IMAGE", key, place)) + "\n"
	}
	if strings.HasPrefix(place, "oci:") {
		return report.Printable(fmt.Sprintf("verify it with: audit verify --key NAME=%s %s", key, place)) + "\n"
	}
	repo, err := attest.Repository(place)
	if err != nil {
		return ""
	}
	return report.Printable(fmt.Sprintf("verify it with: audit verify --key NAME=%s %s", key, image)) + "\n" +
		report.Printable(fmt.Sprintf("or with: cosign verify-attestation --key %s --insecure-ignore-tlog --type %s %s@%s", key, attest.PredicateType, repo, r.Image.ManifestDigest.Digest)) + "\n"
}
