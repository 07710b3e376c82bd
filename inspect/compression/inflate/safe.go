//go:build !(amd64 || arm64) || purego

package inflate

const hasFast = false

func (d *Reader) fast(src []byte) (int, error) { panic("unreachable") }
