package guix

import (
	"regexp"
	"strings"

	storepath "audit/inspect/store"
	"audit/rebuild"
	"audit/rebuild/store"
)

// infrastructure finds the line of a text by Guix itself that shows that the machine,
// not the recipe, is why nothing was built: worth another try.
func infrastructure(own string) (store.Failure, string, bool) {
	return match(machineFailures(), own)
}

// match finds the first of the failures that a text shows, and the line that does.
func match(all []store.Failure, text string) (f store.Failure, line string, ok bool) {
	for _, f := range all {
		if f.Says.MatchString(text) {
			return f, complaint(text, f.Says), true
		}
	}
	return store.Failure{}, "", false
}

// machineFailures are those of the daemon, of the disk, of other machines and of the
// connections to them (Guix 1.5.0, guix/ui.scm, guix/store.scm, guix/serialization.scm,
// guix/scripts/offload.scm, nix/libstore/build.cc; texts of errno: glibc 2.41).
func machineFailures() []store.Failure {
	return []store.Failure{
		store.Known("error: failed to connect to [`'](/|(unix|file|guix|ssh)://)", rebuild.ErrNoBuilder, "the Guix daemon does not answer",
			"Start guix-daemon (systemctl start guix-daemon), or set GUIX_DAEMON_SOCKET; or run rebuild.sh on a machine where Guix works and hand the image over with --rebuilt IMAGE."),
		store.Known(`error: corrupt input while restoring|error: .*(unexpected (end-of-file|EOF)|protocol error)|error: [a-z_ -]+: (Broken pipe|Connection reset by peer)|In procedure fport_(read|write): `, rebuild.ErrNotDone,
			"the connection to the Guix daemon was lost", "See whether guix-daemon still runs, and run audit again."),
		store.Known(`No space left on device|Disk quota exceeded`, rebuild.ErrNotDone, "the disk is full",
			"Free some space, for example with guix gc, and run audit again."),
		store.Known(`Cannot allocate memory|out of memory|Too many open files|Resource temporarily unavailable|unable to fork|Read-only file system|Input/output error`,
			rebuild.ErrNotDone, "this machine, or the one that builds, is short of something",
			"Free memory, or see what is wrong with the disk, and run audit again."),
		store.Known(`all build users are currently in use|the build users group .* has no members`, rebuild.ErrNotDone, "the Guix daemon has no build user left",
			"Wait until other builds have ended, give the daemon more build users, or build with --max-jobs=1."),
		store.Known(`(?i)cannot build on offload machines|no suitable build machine|lost connection|timeout expired while offloading|hook-failed|(build hook|offload).*(failed|died|lost|timed out)|(failed to|cannot) (connect to|start|talk to) .*(offload|build machine|build hook|guix-daemon on)|error: failed to connect to '[^'/]+'|SSH public key authentication failed`,
			rebuild.ErrNotDone, "a machine that Guix offloads builds to cannot be had", "Try again, or see whether guix offload test reaches the machines."),
		store.Known(`some substitutes for the outputs of derivation .* failed|substitute' died unexpectedly|guix substitute: error: `, rebuild.ErrNotDone, "a substitute could not be fetched",
			"Try again; Guix builds from source what it cannot fetch when its daemon runs with --fallback."),
		store.Known(`building of .* timed out after`, rebuild.ErrNotDone, "a build took too long, or was silent for too long", slowMachine),
		store.Known("is required to build [`'].*but I am a", rebuild.ErrNotDone, "the image is for another kind of machine",
			"Build on such a machine, or enable emulation: on Guix System the service qemu-binfmt, elsewhere the package qemu-user-static."),
		store.Known(`(unshare|clone|setting up the build environment|mount).*Operation not permitted`, rebuild.ErrNotDone, "the Guix daemon may not make its build sandbox here",
			"Inside a container the daemon needs more privileges (docker run --privileged)."),
	}
}

// slowMachine is advice for builds that a deadline of the daemon has ended.
const slowMachine = "Guix ends builds that are silent for an hour; a slow machine may need more: run rebuild.sh with GUIX_BUILD_OPTIONS=--max-silent-time=SECONDS, or build with fewer jobs at a time."

// failures are those with channels, the recipe, or the command itself, in which
// nothing was being built. The most specific come first (messages of Guix 1.5.0,
// guix/channels.scm, guix/git.scm and guix/git-authenticate.scm, of libgit2 1.9 and
// Guile 3.0).
func failures() []store.Failure {
	return []store.Failure{
		store.Known(`lacks an introduction and cannot be authenticated|lacks 'introduction' field`, rebuild.ErrNotDone, "the channel cannot be authenticated",
			"The image was made before Guix recorded introductions, or from a fork without one. Its channels.scm shows which; Guix refuses to run it as it is."),
		store.Known(`not signed by an authorized key|could not authenticate|cannot be authenticated|signature verification failed|lacks a signature|initial commit .* is signed by|attempts to remove .*authorizations|is not a descendant of introductory commit`,
			rebuild.ErrNotDone, "the channel's history is not signed by those who may",
			"The address may serve another history than the one the image was made from."),
		store.Known(`object not found - no match for id|revision .* could not be found|commit .* not found|cannot fetch commit|reference '.*' not found`, rebuild.ErrNotDone, "the recorded commit is not in the channel's repository",
			"It may never have been pushed, or the history was rewritten. If another copy has it, name that: --channel-url NAME=URL."),
		store.Known(`failed to resolve address|Name or service not known|name resolution|getaddrinfo|Network is unreachable|Connection (refused|timed out)|unable to connect|failed to connect to|failed to send request|SSL error|TLS error|Git error|Git failure|cannot fetch branch`,
			rebuild.ErrNotDone, "the channel could not be fetched",
			"A network is needed unless this machine has used the same commits before. If the address has moved, name the new one: --channel-url NAME=URL, a mirror or a folder with a clone."),
		store.Known(`unrecognized option`, rebuild.ErrNotDone, "the Guix of the recipe does not know an option",
			"The image may have been made by a later Guix than the one that it records."),
	}
}

// packageMissing matches what Guix says of a package that no channel has.
var packageMissing = regexp.MustCompile(`error: (.*): (?:unknown package|package not found)`)

// notInChannels is advice for an image with such a package.
const notInChannels = "It comes from a module folder (-L), an expression (-e), a file, or a channel that the image does not record: whoever has that can pack the image again and hand the result over with --rebuilt IMAGE."

// ownWords are the lines of a log that Guix and its daemon wrote, without warnings:
// between "building DRV..." and the line in which the daemon says how that ended, all
// is what the build wrote. The last error of Guix and what follows it are always its
// own: a daemon that is gone ends no build.
func ownWords(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	end := len(lines)
	for i, line := range lines {
		if fatal.MatchString(line) {
			end = i
		}
	}
	var own strings.Builder
	open := make(map[string]bool)
	for i, line := range lines {
		if drv, ok := between(strings.TrimSpace(line), "building ", "..."); ok && i < end {
			open[drv] = true
			continue
		}
		m := buildEnded.FindStringSubmatch(line)
		if m != nil {
			delete(open, m[1])
		}
		if (i >= end || m != nil || len(open) == 0) && !strings.Contains(line, "warning: ") {
			own.WriteString(line + "\n")
		}
	}
	return own.String()
}

var (
	fatal      = regexp.MustCompile(`^guix[a-z -]*: error: `)
	buildEnded = regexp.MustCompile("(?:successfully built |builder for [`']|building of [`']|^build of )(/[^ '`]+\\.drv)")
)

// lastError is the last error in a text by Guix and all that follows; the last line
// where there is none.
func lastError(own string) string {
	lines := strings.Split(strings.TrimSpace(own), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if fatal.MatchString(lines[i]) {
			return strings.Join(lines[i:], "\n")
		}
	}
	return lines[len(lines)-1]
}

// A buildFailure is the first build that failed, as Guix reports it.
type buildFailure struct {
	drv    string // its .drv file
	how    string // the line in which the daemon says so
	log    string // the file with all that the build wrote, "" when Guix does not say
	output string // what it wrote before it failed, as far as that can be separated from the rest
}

// The lines in which a build fails (Guix 1.5.0, nix/libstore/build.cc, and
// guix/status.scm, print-build-event).
var (
	builderFailed = regexp.MustCompile("(?m)^.*(?:builder for [`']([^`']+\\.drv)' failed|building of [`']([^`']+\\.drv)' timed out).*$")
	buildFailed   = regexp.MustCompile("(?m)^(?:guix[a-z -]*: error: )?build of [`']?([^\\s`']+)'? failed$")
	logNamed      = regexp.MustCompile("(?m)^View build log at [`']([^`']+)'")
)

// brokenBuild finds the first build whose builder failed, nil when none did.
func brokenBuild(log string) *buildFailure {
	at := builderFailed.FindStringSubmatchIndex(log)
	if at == nil {
		return nil
	}
	m := builderFailed.FindStringSubmatch(log)
	b := &buildFailure{drv: m[1] + m[2], how: strings.TrimSpace(m[0])}
	b.output = log[:at[0]]
	if i := strings.LastIndex(b.output, "building "+b.drv+"..."); i >= 0 {
		b.output = b.output[i:]
	}
	b.log = logOf(log[at[1]:])
	return b
}

// quietBuild finds a build of which nothing is known but that it failed.
func quietBuild(log string) *buildFailure {
	m := buildFailed.FindStringSubmatchIndex(log)
	if m == nil {
		return nil
	}
	return &buildFailure{drv: log[m[2]:m[3]], how: log[m[0]:m[1]], log: logOf(log[m[1]:]), output: log[:m[0]]}
}

// logOf returns the file that a log names first.
func logOf(rest string) string {
	if m := logNamed.FindStringSubmatch(rest); m != nil {
		return m[1]
	}
	return ""
}

// name is what was built: "hello-2.12.2" of "/gnu/store/…-hello-2.12.2.drv".
func (b *buildFailure) name() string {
	if name := strings.TrimSuffix(storepath.NameOf(b.drv), ".drv"); name != "" {
		return name
	}
	return b.drv
}

// text says which build failed, of what, and where to read more.
func (b *buildFailure) text() string {
	cause := b.cause()
	text := b.name() + ": " + cause.Means + " (" + b.how + ")"
	if line := b.lastWords(cause); line != "" {
		text += "; its output: " + line
	}
	if b.log != "" {
		text += "; its log: " + b.log
	}
	return text
}

// lastWords returns the line that shows the cause, else the last of the build.
func (b *buildFailure) lastWords(cause store.Failure) string {
	_, output, ok := strings.Cut(b.output, "...\n")
	if !ok || strings.TrimSpace(output) == "" {
		return ""
	}
	return complaint(output, cause.Says)
}

// cause infers why a build failed, by what it wrote.
func (b *buildFailure) cause() store.Failure {
	for _, f := range buildCauses() {
		if f.Says.MatchString(b.output) || f.Says.MatchString(b.how) {
			return f
		}
	}
	return store.Known(`^$`, rebuild.ErrBuild, "it does not build",
		"The recipe is what the image says; what cannot be built now may be buildable elsewhere, with the substitutes of a build farm (without --no-substitutes), or with --rebuilt.")
}

// buildCauses are the reasons for which builds fail that once did not, the most
// specific first (Guix 1.5.0, guix/build/download.scm, guix/build/git.scm and
// nix/libstore/build.cc; OpenSSL 1.1 and 3, GnuTLS 3, Python, Go).
func buildCauses() []store.Failure {
	return []store.Failure{
		store.Known(`hash mismatch for|has hash .* instead of the expected|output path .* should have .* hash`, rebuild.ErrBuild, "the source that was fetched is not the one that the package names",
			"What lies at its address was replaced. A build farm may still have the old one: allow substitutes, or put the right file into the store with guix download FILE."),
		store.Known(`failed to download "|Unable to fetch from|git-fetch:|Trying to (download from|use) Software Heritage|could not be downloaded|hg-fetch|svn-fetch`, rebuild.ErrBuild, "its source could not be fetched",
			"Guix has asked its address, the build farms and Software Heritage. Without a network none of them can answer; with one, the source has vanished: put a copy into the store with guix download FILE, or let a farm give the built package (without --no-substitutes)."),
		store.Known(`(?i)certificate (has |is )?expired|certificate_verify_failed.*expired|expired certificate|cert(ificate)? has expired|certificate is not (yet )?valid|x509: certificate has expired|not_?after|certificate.*(is in the past|no longer valid)|E_CERT_EXPIRED`, rebuild.ErrBuild, "a certificate in its tests has expired",
			"Such a time bomb goes off in every build from now on. Take the package as a substitute of a build farm, or build it with the clock of its time: Guix has the service virtual-build-machine, whose date can be set, to offload to."),
		store.Known(`building of [^\n]*\.drv' timed out after`, rebuild.ErrNotDone, "it took too long, or was silent for too long", slowMachine),
		store.Known(`No space left on device|Disk quota exceeded`, rebuild.ErrBuild, "it does not build, and it wrote that a disk is full",
			"Where that is so, free some space, for example with guix gc, and run audit again: what is built already is not built anew."),
	}
}
