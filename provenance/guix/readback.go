package guix

import (
	"audit/provenance"
	"audit/provenance/guix/profile"
)

// ReadChannels is [profile.ReadChannels].
func ReadChannels(text []byte) ([]provenance.Channel, []byte, error) {
	return profile.ReadChannels(text)
}

// ReadManifest is [profile.ReadManifest].
func ReadManifest(text []byte) ([]byte, error) { return profile.ReadManifest(text) }
