package profile

import (
	"errors"

	"audit/provenance"
)

// CheckChannel says what of a channel is of no form that one read from a profile
// could have: the channel is written as channels.scm has it and read again.
func CheckChannel(c provenance.Channel) error {
	again, err := readChannelForm(channelCode(c))
	if err != nil {
		return err
	}
	if c.Introduction != nil {
		formatted := *c.Introduction
		formatted.Fingerprint = formatFingerprint(formatted.Fingerprint)
		c.Introduction = &formatted
	}
	if keyOf(again) != keyOf(c) {
		return errors.New("it reads as another one when it is written")
	}
	return nil
}
