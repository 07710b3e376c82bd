package signatures

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A cache keeps answers on disk. It keeps only such as a trusted key signed,
// and they are verified again whenever they are read: what someone else puts
// there can say nothing that the key did not say.
type cache struct {
	dir    string
	maxAge time.Duration
}

// file is where the answer of a server about an item is kept.
func (c *cache) file(hash, server string) string {
	return filepath.Join(c.dir, fmt.Sprintf("%s-%x.narinfo", hash, sha256.Sum256([]byte(server))))
}

// recall returns the answer that is kept, or nil.
func (c *cache) recall(hash, server string) []byte {
	file := c.file(hash, server)
	info, err := os.Stat(file)
	if err != nil {
		return nil
	}
	if age := time.Since(info.ModTime()); age < 0 || age > c.maxAge {
		return nil
	}
	text, err := readRegular(file)
	if err != nil {
		return nil
	}
	return text
}

// keep keeps an answer. Nobody ever sees half of it.
func (c *cache) keep(hash, server string, text []byte) error {
	if err := os.MkdirAll(c.dir, 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(c.dir, "new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), c.file(hash, server))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
