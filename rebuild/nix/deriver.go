package nix

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"audit/rebuild"
)

// resolved is an input whose derivation is a .drv file: where the user names what a
// derivation has made, such as the link result of nix-build, the store of this machine
// knows the derivation. It is asked, and nothing is built.
func (in Input) resolved() (Input, error) {
	item := storeItem(in.Drv)
	if item == "" {
		return in, nil
	}
	drv, err := deriver("nix-store", item)
	if err != nil {
		return in, fmt.Errorf("--nix-drv %s: %w", in.Drv, err)
	}
	in.Drv = drv
	return in, nil
}

// storeItem returns the store item that a path leads to, "" where it leads elsewhere or
// is a derivation already.
func storeItem(path string) string {
	if path == "" || strings.HasSuffix(path, ".drv") {
		return ""
	}
	abs, err := filepath.Abs(path)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	item, _, _ := strings.Cut(strings.TrimPrefix(abs, storeDir), "/")
	if item = storeDir + item; err != nil || !strings.HasPrefix(abs, storeDir) || !isStorePath(item) || strings.HasSuffix(item, ".drv") {
		return ""
	}
	return item
}

// deriverTimeout bounds a question to the store of this machine.
const deriverTimeout = 30 * time.Second

// deriver asks the store of this machine which derivation made an item.
func deriver(program, item string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), deriverTimeout, errors.New("the store of this machine did not answer in time"))
	defer cancel()
	out, err := rebuild.Run(ctx, rebuild.Command{Argv: []string{program, "--query", "--deriver", item}, Dir: "/", Pass: []string{"NIX_REMOTE"}})
	if err != nil {
		return "", fmt.Errorf("asking the store for the derivation of %s: %w", item, err)
	}
	drv := firstLine(out.Stdout)
	if !isStorePath(drv) || !strings.HasSuffix(drv, ".drv") {
		return "", fmt.Errorf("the store does not know which derivation made %s", item)
	}
	return drv, nil
}
