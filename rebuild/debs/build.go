package debs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/inspect/userfile"
	"audit/provenance/vouch/deb"
	"audit/provenance/vouch/packages"
	"audit/rebuild"
	"audit/rebuild/shell"
)

type builder struct{}

// Build installs the packages of a plan into an empty root. Without mmdebstrap the error
// wraps [rebuild.ErrNoBuilder]; where the plan is refused, or a package is not there,
// [rebuild.ErrRefused]; where it could not be done, as without the rights of root,
// [rebuild.ErrNotDone].
func (builder) Build(ctx context.Context, plan rebuild.Plan, job rebuild.Job) (*rebuild.Result, error) {
	result := &rebuild.Result{Derivation: check.Skip(check.Derivation, noDerivation)}
	d, err := rebuild.DetailsOf[Details](plan)
	if err != nil {
		return result, err
	}
	if len(plan.Reasons) > 0 {
		return result, &rebuild.RefusedError{Reasons: plan.Reasons}
	}
	version, err := ready(ctx)
	if err != nil {
		return result, err
	}
	result.Tools = []rebuild.Tool{{Name: "mmdebstrap", Version: version}}
	if err := d.verify(ctx, job.Settings); err != nil {
		return result, err
	}
	repository := filepath.Join(job.Dir, "repository")
	if err := d.repository(repository); err != nil {
		return result, err
	}
	if err := os.Chmod(job.Dir, 0o711); err != nil { // apt reads the packages as a user of its own
		return result, err
	}
	sources, image := filepath.Join(job.Dir, "sources.list"), filepath.Join(job.Dir, "rebuilt.tar")
	if err := os.WriteFile(sources, []byte(d.Sources), 0o644); err != nil {
		return result, err
	}
	result.Command = d.arguments(repository, image, sources)
	command := rebuild.Command{Argv: result.Command, Dir: job.Dir, Log: job.Log, Env: []string{"TMPDIR=" + job.Dir}}
	if d.Epoch > 0 {
		command.Env = append(command.Env, fmt.Sprintf("SOURCE_DATE_EPOCH=%d", d.Epoch))
	}
	if _, err := rebuild.Run(ctx, command); err != nil {
		if ctx.Err() != nil {
			return result, err
		}
		return result, fmt.Errorf("%w: %w", rebuild.ErrNotDone, err)
	}
	if result.Image, result.Items, err = withConfig(job.Image, image, filepath.Join(job.Dir, "image.tar")); err != nil {
		return result, err
	}
	for _, p := range d.Packages {
		result.Items = append(result.Items, rebuild.Item{Path: p.Name + " " + p.Version, How: rebuild.Reused})
	}
	return result, nil
}

// ready says whether mmdebstrap is here and may be used; it returns its version.
func ready(ctx context.Context) (string, error) {
	out, err := rebuild.Run(ctx, rebuild.Command{Argv: []string{"mmdebstrap", "--version"}})
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", &rebuild.HintError{Err: fmt.Errorf("%w: %w", rebuild.ErrNoBuilder, err), Hint: "Debian and Ubuntu have mmdebstrap as a package."}
	case err != nil:
		return "", fmt.Errorf("%w: %w", rebuild.ErrNotDone, err)
	case os.Geteuid() != 0:
		return "", &rebuild.HintError{Err: fmt.Errorf("%w: it takes root to give files their owners", rebuild.ErrNotDone), Hint: "Run audit as root, best in a container of its own: scripts of packages are run."}
	}
	_, version, _ := strings.Cut(strings.TrimSpace(string(out.Stdout)), " ")
	return version, nil
}

// verify refuses digests that no index has which the keyring signed: a plan that was
// stored is a stranger's.
func (d Details) verify(ctx context.Context, in rebuild.Settings) error {
	family, err := newFamily(ctx, in)
	if err != nil {
		return &rebuild.UsageError{Err: err}
	}
	var names []deb.Name
	for _, p := range d.Packages {
		names = append(names, deb.Name{Package: p.Name, Version: p.Version, Arch: p.Arch})
	}
	choices, err := family.Signed(ctx, names)
	if err != nil {
		return fmt.Errorf("%w: %w", rebuild.ErrNotDone, err)
	}
	signed := make(map[deb.Name]map[string]bool)
	for _, c := range choices {
		signed[c.Name] = make(map[string]bool)
		for _, l := range c.Listed {
			signed[c.Name][l.Sum.Hash().Hex] = true
		}
	}
	for i, p := range d.Packages {
		if slices.ContainsFunc(p.SHA256, func(sum string) bool { return !signed[names[i]][sum] }) {
			return &rebuild.RefusedError{Reasons: []check.Message{check.Say("plan/packages-unlisted", "count", 1, "names", []string{p.Name + " " + p.Version})}}
		}
	}
	return nil
}

// repository puts the packages into a folder with an index of them, from which apt takes
// them. Each has one of the digests of the plan.
func (d Details) repository(dir string) error {
	source, err := packages.Open(d.Folder, packages.Options{})
	if err != nil {
		return &rebuild.RefusedError{Reasons: []check.Message{check.Say("plan/packages-folder", "error", err)}}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	files := make(map[string][]string) // by the name of the package
	for _, file := range source.Files() {
		name, _, ok := strings.Cut(filepath.Base(file), "_")
		if ok && strings.HasSuffix(file, "deb") {
			files[name] = append(files[name], filepath.Join(filepath.FromSlash(folderOf(d.Folder)), filepath.FromSlash(file)))
		}
	}
	var index bytes.Buffer
	for i, p := range d.Packages {
		name := fmt.Sprintf("%d.deb", i)
		found := false
		for _, file := range files[p.Name] {
			if found, err = p.take(file, filepath.Join(dir, name), name, &index); err != nil {
				return err
			}
			if found {
				break
			}
		}
		if !found {
			return &rebuild.RefusedError{Reasons: []check.Message{check.Say("plan/packages-missing", "name", p.Name+" "+p.Version)}}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "Packages"), index.Bytes(), 0o644); err != nil {
		return err
	}
	release := fmt.Sprintf("Suite: %s\nCodename: %s\nDate: Thu, 01 Jan 1970 00:00:00 UTC\nSHA256:\n %x %d Packages\n", d.Suite, d.Suite, sha256.Sum256(index.Bytes()), index.Len())
	return os.WriteFile(filepath.Join(dir, "Release"), []byte(release), 0o644)
}

func folderOf(where string) string { return strings.TrimPrefix(where, "file://") }

// take copies a file that has one of the digests, and adds it to the index.
func (p Package) take(file, to, name string, index *bytes.Buffer) (bool, error) {
	in, err := userfile.Open(file)
	if err != nil {
		return false, err
	}
	defer in.Close()
	h := sha256.New()
	if _, err := io.Copy(h, in); err != nil {
		return false, err
	}
	if sum := fmt.Sprintf("%x", h.Sum(nil)); !p.sums()[sum] {
		return false, nil
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	out, err := os.Create(to)
	if err != nil {
		return false, err
	}
	h.Reset()
	size, err := io.Copy(io.MultiWriter(out, h), in)
	if err := errors.Join(err, out.Close()); err != nil {
		return false, err
	}
	sum := fmt.Sprintf("%x", h.Sum(nil))
	if !p.sums()[sum] {
		return false, fmt.Errorf("%s has changed while it was copied", file)
	}
	copied, err := os.Open(to)
	if err != nil {
		return false, err
	}
	defer copied.Close()
	a, err := deb.Read(copied, nil, deb.DefaultLimits())
	if err != nil {
		return false, fmt.Errorf("reading %s: %w", file, err)
	}
	fmt.Fprintf(index, "%s\nFilename: ./%s\nSize: %d\nSHA256: %s\n\n", strings.TrimRight(string(a.Info["control"]), "\n"), name, size, sum)
	return true, nil
}

// script writes a plan for a shell: the packages lie in a folder "packages".
func script(plan rebuild.Plan) []byte {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n# Installs the packages of an image again, in the versions that it has. As root: scripts\n# of packages are run.\nset -eu\n")
	d, err := rebuild.DetailsOf[Details](plan)
	if len(plan.Reasons) > 0 || err != nil || d.check() != nil {
		b.WriteString("echo 'this plan is refused' >&2\nexit 1\n")
		return []byte(b.String())
	}
	b.WriteString("# repository: a folder of the packages with these digests, and an index of them\n# (apt-ftparchive packages . >Packages; apt-ftparchive release . >Release).\n")
	for _, p := range d.Packages {
		fmt.Fprintf(&b, "#   %s %s %s %s\n", p.Name, p.Version, p.Arch, strings.Join(p.SHA256, " "))
	}
	if d.Epoch > 0 {
		fmt.Fprintf(&b, "export SOURCE_DATE_EPOCH=%d\n", d.Epoch)
	}
	d.Sources = "" // it would be a file beside the script
	args := d.arguments("$PWD/repository", "rebuilt.tar", "")
	last := len(args) - 1 // nothing of the image is in it: the shell is to put the folder there
	b.WriteString(shell.Words(args[:last]) + ` "` + args[last] + "\"\n")
	return []byte(b.String())
}
