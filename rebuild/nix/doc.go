// Package nix builds images again with Nix.
//
// An image of Nix does not reveal its recipe. The user completes it with an
// [Input]: a derivation, an expression with an attribute, or a flake. [NewPlan]
// makes a plan of both, [Builder] runs it, and [Script] writes it as a shell
// script that does the same on another machine.
//
// A build happens in a store of its own, in Nix's sandbox, which must work, and
// with settings of our own: neither nix.conf nor the environment has a say. An
// expression may read its own folder and what the user adds, and fetch from
// nowhere unless the user says so; a flake is evaluated in pure mode, with the
// lock file that it has. Nothing is built while an expression is evaluated.
//
// Before anything is built, the store paths that the derivation computes are
// compared with those in the image, the customisation layer's among them: that is
// the check named derivation. Of a derivation that is given as a file it needs
// no Nix at all.
//
// The image's own derivation is always executed in the run: where the store has
// its output, or fetched it, it is built again (--check). A script that streams
// an image (dockerTools.streamLayeredImage) runs inside a derivation too, and
// never outside the sandbox. Where each derivation was built, by this machine
// or by another, is read from what Nix says in its own log format.
//
// Command lines and messages follow Nix 2.8 (nix-store, nix-instantiate, nix
// eval; libutil/logging.hh for the log format internal-json) and were tried with
// it.
package nix
