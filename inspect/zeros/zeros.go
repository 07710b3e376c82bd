package zeros

// First returns the index of the first byte that is not zero, -1 when there is none.
func First(p []byte) int {
	for i, b := range p {
		if b != 0 {
			return i
		}
	}
	return -1
}

// AtEnd returns how many zero bytes are at the end of a stream that had
// so many there before p.
func AtEnd(before int64, p []byte) int64 {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] != 0 {
			return int64(len(p) - 1 - i)
		}
	}
	return before + int64(len(p))
}

// NonZero is set by a byte that is not zero.
type NonZero bool

func (z *NonZero) Write(p []byte) (int, error) {
	*z = *z || First(p) >= 0
	return len(p), nil
}
