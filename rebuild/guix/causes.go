package guix

import "audit/rebuild/why"

// causes are the words of Guix and its daemon for why a build failed (Guix 1.5.0,
// guix/build/download.scm, guix/channels.scm, guix/ui.scm, nix/libstore/build.cc).
func causes() []why.Rule {
	return []why.Rule{
		why.New("why/source-gone", `^failed to download "(?P<item>[^"]*)" from \(?"(?P<address>[^"]*)"`),
		why.New("why/source-gone", `^From (?P<farm>https?://[^ ]*/file/[^ /]+/sha256/[0-9a-z]+)\.\.\.$`),
		why.New("why/source-changed", `^[a-z0-9]+ hash mismatch for (?P<item>/[^ ]*):\n +expected hash: +(?P<expected>[^ ]+)\n +actual hash: +(?P<actual>[^ ]+)$`),
		why.New("why/channel-moved", `^Updating channel '(?P<channel>[^']*)' from Git repository at '(?P<address>[^']*)'\.\.\.\n(?:.*\n){0,100}?.*(?:getaddrinfo|Git error|unsupported URL|failed to resolve address|object not found)`),
		why.New("why/no-daemon", "failed to connect to [`'](?P<address>[^']*)'"),
		why.New("why/no-namespaces", `(?:unshare|clone|setting up the build environment|mount).*Operation not permitted`),
		why.New("why/too-long", "^building of [`'](?P<item>[^']*)' timed out after"),
		why.New("why/other-machine", "a [`'](?P<wanted>[^']*)' is required to build [`'](?P<item>[^']*)', but I am a [`'](?P<here>[^']*)'"),
	}
}
