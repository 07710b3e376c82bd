package nix

import "audit/rebuild/why"

// causes are the words of Nix for why a build failed (Nix 2.8 and 2.26,
// libstore/build, libstore/filetransfer.cc).
func causes() []why.Rule {
	return []why.Rule{
		why.New("why/source-gone", `unable to download '(?P<address>[^']*)': HTTP error (?:404|410)`),
		why.New("why/source-changed", `hash mismatch in fixed-output derivation '(?P<item>[^']*)':\n +(?:specified|wanted): +(?P<expected>[^ ]+)\n +got: +(?P<actual>[^ ]+)$`),
		why.New("why/no-daemon", `cannot connect to (?:socket|daemon) at '(?P<address>[^']*)'`),
		why.New("why/no-namespaces", `does not support .*namespaces|cannot (?:set up|create) .*namespace|unshar.*Operation not permitted|setting up a private mount namespace`),
		why.New("why/too-long", `building of '(?P<item>[^']*)'.* timed out after`),
		why.New("why/other-machine", `a '(?P<wanted>[^']*)' with features \{(?P<features>[^}]*)\} is required to build '(?P<item>[^']*)', but I am a '(?P<here>[^']*)'`),
	}
}
