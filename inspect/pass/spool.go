package pass

import (
	"io"
	"os"
)

// SpoolMemory is how many bytes a spool keeps before it goes to disk.
const SpoolMemory = 4 << 20

// A Spool keeps the contents of a layer's store items until their NARs can be
// hashed: a tar has its entries in any order, a NAR in sorted order. It is
// memory first, then a temporary file without a name, so that nothing is left
// behind however the process ends.
type Spool struct {
	Dir  string
	mem  []byte
	disk bool     // what is in the spool is in file, not in mem
	file *os.File // once there was need of it
	Size int64
}

// Empty makes room: the same pages of the file are used again.
func (s *Spool) Empty() { s.mem, s.disk, s.Size = s.mem[:0], false, 0 }

// A spoolError is a fault of this machine, not of the image.
type spoolError struct {
	doing string
	err   error
}

func (e *spoolError) Error() string { return e.doing + " a temporary file: " + e.err.Error() }

func (e *spoolError) Unwrap() error { return e.err }

func (s *Spool) Write(p []byte) (int, error) {
	if !s.disk && len(s.mem)+len(p) > SpoolMemory {
		if err := s.toDisk(); err != nil {
			return 0, err
		}
	}
	at := s.Size
	s.Size += int64(len(p))
	if !s.disk {
		if n := len(s.mem) + len(p); n > cap(s.mem) {
			s.mem = append(make([]byte, 0, min(SpoolMemory, max(4*n, 64<<10))), s.mem...)
		}
		s.mem = append(s.mem, p...)
		return len(p), nil
	}
	n, err := s.file.WriteAt(p, at)
	if err != nil {
		return n, &spoolError{"writing", err}
	}
	return n, nil
}

func (s *Spool) toDisk() error {
	if s.file == nil {
		if err := s.create(); err != nil {
			return err
		}
	}
	if _, err := s.file.WriteAt(s.mem, 0); err != nil {
		return &spoolError{"writing", err}
	}
	s.disk = true
	return nil
}

func (s *Spool) create() error {
	f, err := os.CreateTemp(s.Dir, "audit-spool-")
	if err != nil {
		return &spoolError{"creating", err}
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return &spoolError{"unlinking", err}
	}
	s.file = f
	return nil
}

// ReadAt reads what was written.
func (s *Spool) ReadAt(p []byte, off int64) (int, error) {
	if s.disk {
		n, err := s.file.ReadAt(p, off)
		if err != nil && err != io.EOF {
			err = &spoolError{"reading", err}
		}
		return n, err
	}
	if off >= int64(len(s.mem)) {
		return 0, io.EOF
	}
	n := copy(p, s.mem[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (s *Spool) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
