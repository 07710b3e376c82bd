package docker

import (
	"fmt"

	"audit/provenance/docker/slsa"
	"audit/rebuild"
)

// judge says what a plan runs and fetches, and on whose word. All of it is
// allowed: instructions run in containers, in which the engine is trusted to
// keep them; what is fetched is checked against the digests that are named.
func judge(c call, pinned []slsa.Source) []rebuild.Trust {
	network := "without a network"
	if c.network {
		network = "with the network, as --network says"
	}
	trust := []rebuild.Trust{{
		Channel: "instructions", URL: c.context, Trusted: true,
		Why: fmt.Sprintf("they run in containers of the engine, %s: it is the engine that is trusted to keep them there", network),
	}}
	source := rebuild.Trust{Channel: "source", URL: c.context, Trusted: true, Why: "--source names it"}
	switch s := (slsa.Source{URI: c.context}); {
	case len(pinned) > 0:
		source.Why = "the image's unsigned provenance names it; it is fetched at the commit or digest that stands there"
	case isRemote(c.context) && s.Kind() == slsa.Git && s.Commit() == "":
		source.Why = "--source names it, at no commit: what is built is what it is now"
	}
	trust = append(trust, source)
	for _, m := range pinned {
		if m.Kind() == slsa.Image || m.Kind() == slsa.HTTP && m.URI != c.context {
			trust = append(trust, rebuild.Trust{Channel: "material", URL: m.URI, Trusted: true,
				Why: "the image's unsigned provenance names it; it is fetched at the digest that stands there, " + m.SHA256()})
		}
	}
	return trust
}
