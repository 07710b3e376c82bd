package guix

import (
	"strings"

	"audit/provenance"
	"audit/provenance/guix/profile"
)

// ChannelsFile writes channels.scm, which guix time-machine runs as a program: from
// nothing but the values of channels.
func ChannelsFile(channels []provenance.Channel) []byte {
	return profile.Channels{List: channels}.File()
}

// CheckChannel says what of a channel is of no form that a channels.scm could have.
func CheckChannel(c provenance.Channel) error { return profile.CheckChannel(c) }

// IsLocal says whether the address of a channel is a folder of the machine on which it
// was used: to anybody else it leads to nothing, or to something else.
func IsLocal(url string) bool {
	return strings.HasPrefix(url, "/") || strings.HasPrefix(strings.ToLower(url), "file:")
}
