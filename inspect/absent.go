package inspect

import "errors"

// An absentError says that the image does not hold something.
type absentError string

func (e absentError) Error() string { return string(e) }

func isAbsent(err error) bool {
	var absent absentError
	return errors.As(err, &absent)
}
