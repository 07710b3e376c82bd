package deb

import (
	"encoding/binary"
	"testing"
)

// The vectors are those of SipHash's authors for 2 rounds, and for 1 what Python 3.11's
// _imp.source_hash returns.
func TestSipHash(t *testing.T) {
	source := []byte("import os\nprint(os.name)\n")
	if got := sipHash(uint64(binary.LittleEndian.Uint32([]byte("\xa7\x0d\r\n"))), 1, source); got != pythonHash {
		t.Errorf("%#x, want %#x", got, uint64(pythonHash))
	}
	if got := sipHash(0, 2, nil); got != 0x1e924b9d737700d7 {
		t.Errorf("%#x, want 0x1e924b9d737700d7", got)
	}
}

func TestIsCompiled(t *testing.T) {
	content := []byte("import os\nprint(os.name)\n")
	source := &File{ModTime: 1600000000, Size: int64(len(content))}
	magic := pythonMagic["311"]
	byTime := binary.LittleEndian.AppendUint32([]byte("\xa7\x0d\r\n\x00\x00\x00\x00"), 1600000000)
	byTime = append(binary.LittleEndian.AppendUint32(byTime, uint32(len(content))), 'c')
	hashed := append(binary.LittleEndian.AppendUint64([]byte("\xa7\x0d\r\n\x03\x00\x00\x00"), pythonHash), 'c')
	for name, code := range map[string][]byte{"by time": byTime, "by hash": hashed} {
		if !isCompiled(code, magic, source, content) {
			t.Errorf("%s: it is not of its source", name)
		}
		for i := range 16 {
			changed := append([]byte(nil), code...)
			changed[i] ^= 0x40
			if isCompiled(changed, magic, source, content) {
				t.Errorf("%s: byte %d is changed, and it is of its source", name, i)
			}
		}
	}
	if isCompiled(hashed, magic, source, []byte("import os\nprint(os.uame)\n")) {
		t.Error("it is of another source")
	}
	if isCompiled(byTime, pythonMagic["39"], source, content) {
		t.Error("it is of another version")
	}
}

const pythonHash = 0xa811f32f0995fb97
