package main

import (
	"errors"
	"fmt"

	"audit/rebuild"
	"audit/report"
)

// sentences are those of all codes: of every image, and of each build system.
func sentences() report.Sentences {
	return report.SentencesOf(systems().Abouts())
}

// worded says of a plan that is refused in sentences why; any other error is
// returned as it is.
func worded(err error) error {
	var refused *rebuild.RefusedError
	if !errors.As(err, &refused) {
		return err
	}
	return fmt.Errorf("%w: %s", rebuild.ErrRefused, sentences().Join(refused.Reasons))
}
