package nix

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"audit/rebuild"
)

// An Input is what the user adds to the recipe of an image: one of a
// derivation, an expression and a flake. The zero value adds nothing.
type Input struct {
	// Drv is a .drv file by the name that it has in the store. What it needs
	// lies beside it, or in the store of this machine.
	Drv string
	// Expr is a file, or a folder with a default.nix; Attr is the attribute
	// that makes the image, "" for the expression itself.
	Expr, Attr string
	// Flake is REF#ATTR.
	Flake string

	// Path lists more files and folders that an expression may read, each
	// "FOLDER" or "NAME=FOLDER" (for <NAME>), as nix-instantiate -I takes them.
	Path []string
	// URIs lists the beginnings of addresses that an expression may fetch from.
	URIs []string
	// Settings are more of nix.conf, each "NAME=VALUE". Only those are taken
	// that cannot loosen what this package stands for; see [Settings].
	Settings []string
}

// IsZero says that nothing is added.
func (in Input) IsZero() bool { return in.Drv == "" && in.Expr == "" && in.Flake == "" }

// Check says what is wrong with the way in which an input is given.
func (in Input) Check() error {
	given := 0
	for _, s := range []string{in.Drv, in.Expr, in.Flake} {
		if s != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return errors.New("give one of a derivation, an expression and a flake")
	case in.Attr != "" && in.Expr == "":
		return errors.New("an attribute needs an expression")
	case in.Expr == "" && len(in.Path)+len(in.URIs) > 0:
		return errors.New("what may be read or fetched can be said of an expression only")
	case given == 0 && len(in.Settings) > 0:
		return errors.New("settings need a derivation, an expression or a flake")
	}
	for _, s := range in.Settings {
		if name, _, ok := strings.Cut(s, "="); !ok || !slices.Contains(Settings(), name) {
			return fmt.Errorf("%q is no setting that can be given here; those are %s", s, strings.Join(Settings(), ", "))
		}
	}
	if source := in.source(); source != nil {
		return checkSource(*source)
	}
	return nil
}

// Settings lists the settings of nix.conf that an input may have: how much at a
// time, for how long, for which machines, and what of this machine the sandbox
// shows.
func Settings() []string {
	return []string{
		"build-cores", "build-poll-interval", "builders-use-substitutes", "connect-timeout", "cores", "extra-platforms",
		"extra-sandbox-paths", "extra-system-features", "filter-syscalls", "fsync-metadata", "http-connections", "max-jobs", "max-silent-time",
		"netrc-file", "sandbox-build-dir", "sandbox-dev-shm-size", "sandbox-paths", "stalled-download-timeout", "system",
		"system-features", "timeout", "use-sqlite-wal",
	}
}

// The kinds of a plan's source.
const (
	kindDrv   = "nix-drv"
	kindExpr  = "nix-expr"
	kindFlake = "nix-flake"
)

// source puts an input as a plan has it; nil for nothing.
func (in Input) source() *rebuild.Source {
	s := &rebuild.Source{}
	switch {
	case in.Drv != "":
		s.Kind, s.Location = kindDrv, in.Drv
	case in.Expr != "":
		s.Kind, s.Location, s.Attribute = kindExpr, in.Expr, in.Attr
	case in.Flake != "":
		s.Kind = kindFlake
		s.Location, s.Attribute, _ = strings.Cut(in.Flake, "#")
	default:
		return nil
	}
	for _, p := range in.Path {
		s.Options = append(s.Options, "-I", p)
	}
	if len(in.URIs) > 0 {
		s.Options = append(s.Options, "--option", "allowed-uris", strings.Join(in.URIs, " "))
	}
	for _, setting := range in.Settings {
		name, value, _ := strings.Cut(setting, "=")
		s.Options = append(s.Options, "--option", name, value)
	}
	return s
}

// checkSource says what about a source, which may come from a plan that anyone
// has edited, cannot be run.
func checkSource(s rebuild.Source) error {
	for _, word := range append([]string{s.Kind, s.Location, s.Attribute}, s.Options...) {
		if strings.ContainsFunc(word, unicode.IsControl) {
			return fmt.Errorf("%q holds a control character", word)
		}
	}
	switch {
	case s.Location == "" || strings.HasPrefix(s.Location, "-"):
		return fmt.Errorf("%q is no place of a recipe", s.Location)
	case strings.HasPrefix(s.Attribute, "-"):
		return fmt.Errorf("%q is no attribute", s.Attribute)
	}
	switch s.Kind {
	case kindDrv:
		if rebuild.StoreName(filepath.Base(s.Location)) == "" || !strings.HasSuffix(s.Location, ".drv") {
			return fmt.Errorf("%q does not have the name of a derivation in the store (HASH-NAME.drv)", filepath.Base(s.Location))
		}
	case kindExpr, kindFlake:
	default:
		return fmt.Errorf("%q is no kind of recipe for Nix", s.Kind)
	}
	return checkOptions(s)
}

// checkOptions takes -I WORD and --option NAME VALUE with the names that an
// input may have, and nothing else.
func checkOptions(s rebuild.Source) error {
	for words := s.Options; len(words) > 0; {
		switch {
		case words[0] == "-I" && len(words) > 1 && s.Kind == kindExpr && words[1] != "" && !strings.HasPrefix(words[1], "-"):
			words = words[2:]
		case words[0] == "--option" && len(words) > 2 && slices.Contains(Settings(), words[1]):
			words = words[3:]
		case words[0] == "--option" && len(words) > 2 && s.Kind == kindExpr && words[1] == "allowed-uris":
			words = words[3:]
		default:
			return fmt.Errorf("%q is no option for a plan of Nix", words[0])
		}
	}
	return nil
}
