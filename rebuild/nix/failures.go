package nix

import (
	"regexp"

	"audit/rebuild"
	"audit/rebuild/store"
)

// howToGetNix is advice for a machine without it.
const howToGetNix = "Install Nix (https://nixos.org/download, or a distribution's package nix-bin) and run audit again; " +
	"or run rebuild.sh on a machine that has it and hand the image over with --rebuilt IMAGE."

// nixTool explains how commands of Nix fail.
func nixTool() store.Tool {
	return store.Tool{Get: howToGetNix, Machine: machineFailures, Failures: failures, Error: nixError, Built: builderFailed}
}

// nixError matches the line in which Nix says what went wrong, builderFailed the one
// in which it says so of a derivation's own builder.
var (
	nixError      = regexp.MustCompile(`error: `)
	builderFailed = regexp.MustCompile(`builder for '[^']+' failed`)
)

// machineFailures are those of the daemon, of the disk, of other machines and of the
// connections to them (messages of Nix 2.8 and 2.26; texts of errno: glibc 2.41).
func machineFailures() []store.Failure {
	return []store.Failure{
		store.Known(`No space left on device|Disk quota exceeded`, rebuild.ErrNotDone, "the disk is full",
			"The build has a store of its own; give it room, or another place with TMPDIR."),
		store.Known(`all build users are currently in use|the build users group '.*' (has no members|does not exist)`, rebuild.ErrNotDone, "Nix has no build user left",
			"Wait until other builds have ended, add users to the group nixbld, or build with --max-jobs 1."),
		store.Known(`(?i)cannot connect to (socket|daemon) at|cannot open connection to remote store|daemon (disconnected unexpectedly|.*crashed)|(Nix )?daemon .*(closed|gone)|unexpected end-of-file|opening a connection to remote store`, rebuild.ErrNotDone, "the connection to the Nix daemon was lost, or there is none",
			"See whether nix-daemon runs, and run audit again."),
		store.Known(`(?i)cannot build on '|failed to find a machine for remote build|failed to start SSH connection|unable to start any build; either|lost connection|build hook (died|failed)|Broken pipe|Connection (reset by peer|closed by remote host)`,
			rebuild.ErrNotDone, "a machine that Nix builds on cannot be had", "Try again, or build without it: --builders names the machines."),
		store.Known(`Cannot allocate memory|out of memory|Too many open files|Resource temporarily unavailable|unable to fork|Read-only file system|Input/output error|database is (busy|locked)`, rebuild.ErrNotDone, "this machine is short of something",
			"Free memory, or see what is wrong with the disk, and run audit again."),
		store.Known(`timed out after|silent for more than`, rebuild.ErrNotDone, "a build took too long", "Its bound can be moved with --nix-setting timeout=SECONDS."),
	}
}

// failures are all others, the most telling first (messages of Nix 2.8).
func failures() []store.Failure {
	return []store.Failure{
		store.Known(`this system does not support the kernel namespaces|does not support .*namespaces|cannot (set up|create) .*namespace|unshar.*Operation not permitted|cloning builder process: Operation not permitted|setting up a private mount namespace`,
			rebuild.ErrNoBuilder, "Nix's sandbox does not work here",
			"The sandbox needs user namespaces: sysctl kernel.unprivileged_userns_clone=1 (and kernel.apparmor_restrict_unprivileged_userns=0 where that exists); inside a container, run that one with --privileged. audit never builds outside the sandbox."),
		store.Known(`is forbidden in restricted mode`, rebuild.ErrRefused, "the expression reads something outside its folder, or fetches from somewhere",
			"Say what it may read with --nix-path FOLDER or --nix-path NAME=FOLDER, and where it may fetch from with --nix-uri PREFIX."),
		store.Known(`allow-import-from-derivation' is disabled|cannot build .* during evaluation`, rebuild.ErrRefused, "the expression builds something in order to be evaluated",
			"Evaluate it where that is trusted, and hand over the derivation with --nix-drv."),
		store.Known(`was not found in the Nix search path`, rebuild.ErrNotDone, "the expression needs something by the search path",
			"Say what it is with --nix-path NAME=FOLDER, such as nixpkgs=/path/to/nixpkgs of the revision that the image was made from."),
		store.Known(`attribute '.*' (missing|in selection path .* not found)|does not provide attribute|attribute .* not found`, rebuild.ErrNotDone, "the recipe has no such attribute",
			"See what it has: nix eval --json -f FILE --apply builtins.attrNames, or nix flake show REF."),
		store.Known(`requires lock file changes|needs to be (created|updated)|lock file .* is required`, rebuild.ErrNotDone, "the flake has no lock file, or one that does not fit",
			"Without a lock file a flake means something else every day. Use the revision that has one: REF?rev=…"),
		store.Known(`(?m)^error: .*(unable to download|resolve host|Connection (refused|timed out)|Network is unreachable)`, rebuild.ErrNotDone, "something could not be fetched",
			"A network is needed for sources and substitutes; an HTTP cache of a machine that has them will do: --substitute-urls."),
		store.Known(`hash mismatch in fixed-output derivation`, rebuild.ErrBuild, "a source has changed since it was pinned",
			"What its address serves now is not what the recipe was written for. A binary cache may still have it."),
		store.Known(`required to build .*, but I am a|lacks? system features|required system or feature not available`, rebuild.ErrNotDone, "the image is for another kind of machine, or needs more of it",
			"Build on such a machine, or name one with --builders."),
		store.Known(`is not signed by any of the keys|lacks a (valid )?signature by a trusted key`, rebuild.ErrNotDone, "a substitute is signed by nobody who is trusted",
			"Name the key of the cache with --substitute-key, or build without it: --no-substitutes."),
		store.Known(`error: (build|builder) (of|for) .* failed|error: .*dependenc(y|ies) .*failed`, rebuild.ErrBuild, "a package does not build",
			"The recipe is what was given; what cannot be built now may be buildable elsewhere, or with the substitutes of a binary cache."),
	}
}
