package nix

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"audit/inspect/userfile"
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

	// Args and Strings are the arguments of an expression that is a function, each
	// "NAME=EXPRESSION" and "NAME=TEXT".
	Args, Strings []string
	// Imports lets the evaluation build derivations and read what they make.
	Imports bool

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
		return errors.New("what may be read or fetched can be given in the case of an expression only")
	case in.Expr == "" && len(in.Args)+len(in.Strings) > 0:
		return errors.New("arguments (--nix-arg, --nix-argstr) need an expression")
	case in.Imports && in.Expr == "" && in.Flake == "":
		return errors.New("what may be built in order to evaluate (--nix-import-from-derivation) can be said of an expression and a flake only")
	case given == 0 && len(in.Settings) > 0:
		return errors.New("settings need a derivation, an expression or a flake")
	case given == 0, storeItem(in.Drv) != "": // the store will be asked for its derivation
		return nil
	}
	details, err := in.details()
	if err != nil {
		return err
	}
	return details.check()
}

// checkFile says whether an expression lies where the user says: in a file or a folder.
// Nix itself knows addresses and <NAME>.
func checkFile(file string) error {
	if file == "" || strings.ContainsAny(file, ":<") {
		return nil
	}
	info, err := os.Stat(file)
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		return &userfile.IrregularError{Path: file}
	}
	return err
}

// details puts an input as a plan has it.
func (in Input) details() (Details, error) {
	d := Details{Derivation: in.Drv, Imports: in.Imports}
	if in.Expr != "" {
		d.Expression = &Expression{File: in.Expr, Attribute: in.Attr, URIs: in.URIs}
		for _, word := range in.Path {
			d.Expression.Paths = append(d.Expression.Paths, newSearchPath(word))
		}
		if err := d.Expression.takeArguments(in.Args, in.Strings); err != nil {
			return d, err
		}
	}
	if in.Flake != "" {
		reference, attribute, _ := strings.Cut(in.Flake, "#")
		d.Flake = &Flake{reference, attribute}
	}
	for _, s := range in.Settings {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return d, errors.New("what is given is no setting: NAME=VALUE") // without the text: it may be secret
		}
		d.Settings = append(d.Settings, Setting{name, value})
	}
	return d, nil
}

// takeArguments reads the values of --nix-arg and --nix-argstr.
func (e *Expression) takeArguments(args, texts []string) error {
	seen := make(map[string]bool)
	for i, text := range slices.Concat(args, texts) {
		flag := "--nix-arg NAME=EXPRESSION"
		if i >= len(args) {
			flag = "--nix-argstr NAME=TEXT"
		}
		name, value, ok := strings.Cut(text, "=")
		switch {
		case !ok:
			return fmt.Errorf("what is given is no argument: %s", flag) // without the text: it may be secret
		case seen[name]:
			return fmt.Errorf("the argument %s is given twice: %s", name, flag)
		}
		seen[name] = true
		e.Arguments = append(e.Arguments, Argument{Name: name, Value: value, Text: i >= len(args)})
	}
	return nil
}

func newSearchPath(word string) SearchPath {
	if name, folder, named := strings.Cut(word, "="); named {
		return SearchPath{name, folder}
	}
	return SearchPath{Folder: word}
}
