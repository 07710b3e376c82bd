// Package guix builds images again with GNU Guix.
//
// [NewPlan] turns a recipe into a plan, [Details]: channels, packages and the options
// of guix pack, with a judgement on everything that the build would run or fetch.
// [Builder] writes the files channels.scm and manifest.scm from these values and runs
//
//	guix time-machine -C channels.scm -- pack -f docker … -m manifest.scm
//	guix time-machine -C channels.scm -- system image -t docker … configuration.scm
//
// An image does not show whether its packer was called with --no-grafts, so a recipe
// that does not give the image is evaluated once more without grafts, and the build
// follows the way that gives it.
//
// [Script] writes the plan as a shell script that does the same on another machine.
//
// An image that the store has already is built again (guix build --check), so
// that a result is always the result of a build. Where the store items inside
// it came from is read from what Guix says while it works: built in this run,
// there before, or fetched from a server.
//
// Command lines and messages follow Guix 1.5.0: guix/scripts/pack.scm,
// guix/scripts/build.scm, guix/status.scm, nix/libstore/build.cc.
package guix
