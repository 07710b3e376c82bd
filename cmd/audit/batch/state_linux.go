package batch

import (
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// fileState is what stands for all that a file is, and when it changed: unlike the time of
// its content, nobody can set that. It is "" where the file system has none.
func fileState(info fs.FileInfo) (state string, changed time.Time) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", changed
	}
	return fmt.Sprintf("%d %d", s.Ino, s.Ctim.Nano()), time.Unix(s.Ctim.Unix())
}
