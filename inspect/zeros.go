package inspect

func firstNonZero(p []byte) int {
	for i, b := range p {
		if b != 0 {
			return i
		}
	}
	return -1
}

func lastNonZero(p []byte) int {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] != 0 {
			return i
		}
	}
	return -1
}

// zerosAtEnd returns how many zero bytes are at the end of a stream that had
// so many there before p.
func zerosAtEnd(before int64, p []byte) int64 {
	if i := lastNonZero(p); i >= 0 {
		return int64(len(p) - 1 - i)
	}
	return before + int64(len(p))
}

// nonZero is set by a byte that is not zero.
type nonZero bool

func (z *nonZero) Write(p []byte) (int, error) {
	*z = *z || firstNonZero(p) >= 0
	return len(p), nil
}
