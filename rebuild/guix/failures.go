package guix

import (
	"regexp"
	"strings"

	"audit/rebuild"
)

// A failure is a way of failing that people meet, and what they can do.
type failure struct {
	says  *regexp.Regexp // a line of the log
	kind  error
	means string
	hint  string
}

func known(says string, kind error, means, hint string) failure {
	return failure{regexp.MustCompile(says), kind, means, hint}
}

// failures are those in which nothing was being built: with the daemon, the
// channels, or the command itself. The most specific come first (messages of Guix
// 1.5.0, guix/channels.scm, guix/git.scm and guix/git-authenticate.scm, of
// libgit2 1.9 and Guile 3.0).
func failures() []failure {
	return []failure{
		known("error: failed to connect to [`']/", rebuild.ErrNoBuilder, "the Guix daemon does not answer",
			"Start guix-daemon (systemctl start guix-daemon), or set GUIX_DAEMON_SOCKET; or run rebuild.sh on a machine where Guix works and hand the image over with --rebuilt IMAGE."),
		known(`No space left on device`, rebuild.ErrNotDone, "the disk is full",
			"Free some space, for example with guix gc, and run audit again."),
		known(`all build users are currently in use`, rebuild.ErrNotDone, "the Guix daemon has no build user left",
			"Wait until other builds have ended, give the daemon more build users, or build with --max-jobs=1."),
		known(`(?i)failed to (connect to|start) .*(offload|build machine|build hook)|cannot build on offload machines|no suitable build machine|lost connection`, rebuild.ErrNotDone, "a machine that Guix offloads builds to cannot be had",
			"Try again, or see whether guix offload test reaches the machines."),
		known(`lacks an introduction and cannot be authenticated|lacks 'introduction' field`, rebuild.ErrNotDone, "the channel cannot be authenticated",
			"The image was made before Guix recorded introductions, or from a fork without one. Its channels.scm shows which; Guix refuses to run it as it is."),
		known(`not signed by an authorized key|could not authenticate|cannot be authenticated|signature verification failed|lacks a signature|initial commit .* is signed by|attempts to remove .*authorizations|is not a descendant of introductory commit`,
			rebuild.ErrNotDone, "the channel's history is not signed by those who may",
			"The address may serve another history than the one the image was made from."),
		known(`object not found - no match for id|revision .* could not be found|commit .* not found|cannot fetch commit|reference '.*' not found`, rebuild.ErrNotDone, "the recorded commit is not in the channel's repository",
			"It may never have been pushed, or the history was rewritten. If another copy has it, point git there: git config --global url.COPY.insteadOf ADDRESS."),
		known(`failed to resolve address|Name or service not known|name resolution|getaddrinfo|Network is unreachable|Connection (refused|timed out)|unable to connect|failed to connect to|failed to send request|SSL error|TLS error|Git error|Git failure|cannot fetch branch`,
			rebuild.ErrNotDone, "the channel could not be fetched",
			"A network is needed unless this machine has used the same commits before. If the address has moved, point git to the new one: git config --global url.NEW.insteadOf OLD."),
		known(`error: .*: unknown package|error: .*: package not found`, rebuild.ErrNotDone, "the recipe names a package that its channels do not have",
			"It may come from a channel that the image does not record, or from a file of its author."),
		known("is required to build [`'].*but I am a", rebuild.ErrNotDone, "the image is for another kind of machine",
			"Build on such a machine, or enable emulation: on Guix System the service qemu-binfmt, elsewhere the package qemu-user-static."),
		known(`some substitutes for the outputs of derivation .* failed`, rebuild.ErrNotDone, "a substitute could not be fetched",
			"Try again; Guix builds from source what it cannot fetch when its daemon runs with --fallback."),
		known(`(unshare|clone|setting up the build environment|mount).*Operation not permitted`, rebuild.ErrNotDone, "the Guix daemon may not make its build sandbox here",
			"Inside a container the daemon needs more privileges (docker run --privileged)."),
		known(`unrecognized option`, rebuild.ErrNotDone, "the Guix of the recipe does not know an option",
			"The image may have been made by a later Guix than the one that it records."),
	}
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
	buildFailed   = regexp.MustCompile(`(?m)^build of (\S+\.drv) failed$`)
	logNamed      = regexp.MustCompile("(?m)^View build log at [`']([^`']+)'")
)

// brokenBuild finds the first build that failed, nil when none did.
func brokenBuild(log string) *buildFailure {
	at := builderFailed.FindStringSubmatchIndex(log)
	if at == nil {
		return quietBuild(log)
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

// quietBuild finds a build of which nothing is said but that it failed.
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
	if name := strings.TrimSuffix(rebuild.StoreName(b.drv), ".drv"); name != "" {
		return name
	}
	return b.drv
}

// text says which build failed, of what, and where to read more.
func (b *buildFailure) text() string {
	cause := b.cause()
	text := b.name() + ": " + cause.means + " (" + b.how + ")"
	if line := b.lastWords(cause); line != "" {
		text += "; it said: " + line
	}
	if b.log != "" {
		text += "; its log: " + b.log
	}
	return text
}

// lastWords returns the line that shows the cause, else the last of the build.
func (b *buildFailure) lastWords(cause failure) string {
	_, output, ok := strings.Cut(b.output, "...\n")
	if !ok || strings.TrimSpace(output) == "" {
		return ""
	}
	return complaint(output, cause.says)
}

// cause infers why a build failed, by what it wrote.
func (b *buildFailure) cause() failure {
	for _, f := range buildCauses() {
		if f.says.MatchString(b.output) || f.says.MatchString(b.how) {
			return f
		}
	}
	return known(`^$`, rebuild.ErrBuild, "it does not build",
		"The recipe is what the image says; what cannot be built now may be buildable elsewhere, with the substitutes of a build farm (without --no-substitutes), or with --rebuilt.")
}

// buildCauses are the reasons for which builds fail that once did not, the most
// specific first (Guix 1.5.0, guix/build/download.scm, guix/build/git.scm and
// nix/libstore/build.cc; OpenSSL 1.1 and 3, GnuTLS 3, Python, Go).
func buildCauses() []failure {
	return []failure{
		known(`No space left on device`, rebuild.ErrNotDone, "the disk is full",
			"Free some space, for example with guix gc, and run audit again: what is built already is not built anew."),
		known(`hash mismatch for|has hash .* instead of the expected|output path .* should have .* hash`, rebuild.ErrBuild, "the source that was fetched is not the one that the package names",
			"What lies at its address was replaced. A build farm may still have the old one: allow substitutes, or put the right file into the store with guix download FILE."),
		known(`failed to download "|Unable to fetch from|git-fetch:|Trying to (download from|use) Software Heritage|could not be downloaded|hg-fetch|svn-fetch`, rebuild.ErrBuild, "its source could not be fetched",
			"Guix has asked its address, the build farms and Software Heritage. Without a network none of them can answer; with one, the source has vanished: put a copy into the store with guix download FILE, or let a farm give the built package (without --no-substitutes)."),
		known(`(?i)certificate (has |is )?expired|certificate_verify_failed.*expired|expired certificate|cert(ificate)? has expired|certificate is not (yet )?valid|x509: certificate has expired|not_?after|certificate.*(is in the past|no longer valid)|E_CERT_EXPIRED`, rebuild.ErrBuild, "a certificate in its tests has expired",
			"Such a time bomb goes off in every build from now on. Take the package as a substitute of a build farm, or build it with the clock of its time: Guix has the service virtual-build-machine, whose date can be set, to offload to."),
		known(`timed out after`, rebuild.ErrBuild, "it took too long, or was silent for too long",
			"Guix ends builds that are silent for an hour; a slow machine may need more: run rebuild.sh with GUIX_BUILD_OPTIONS=--max-silent-time=SECONDS, or build with fewer jobs at a time."),
	}
}
