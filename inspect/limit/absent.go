package limit

import "errors"

// An Absent says that something is not in the image.
type Absent string

func (e Absent) Error() string { return string(e) }

// IsAbsent says whether an error is an [Absent], or wraps one.
func IsAbsent(err error) bool {
	var absent Absent
	return errors.As(err, &absent)
}
