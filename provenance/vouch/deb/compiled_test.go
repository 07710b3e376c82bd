package deb

import (
	"bytes"
	"encoding/base64"
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

// compiledSource is a module, and compiledCode what marshal.dumps(compile(…)) of Python
// 3.11 makes of it.
const (
	compiledSource = "import os\nclass C:\n    def __x(self, a, *b, k=1):\n        \"doc\"\n        return [os.path.join(a, i) for i in b]\nprint(C)\n"
	compiledCode   = "YwAAAAAAAAAAAAAAAAQAAAAAAAAA8z4AAACXAGQAZAFsAFoAAgBHAGQChABkA6YCAACrAgAAAAAAAAAAWgECAGUCZQGmAQAAqwEAAAAAAAAAAAEAZAFTACkE6QAAAABOYwAAAAAAAAAAAAAAAAIAAAAAAAAA8xoAAACXAGUAWgFkAFoCZAFkApwBZAOEAloDZARTACkF2gFD6QEAAAApAdoBa2MCAAAAAAAAAAEAAAACAAAABwAAAPMgAAAAhwGXAIgBZgFkAYQIfANEAKYAAACrAAAAAAAAAAAAUwApAtoDZG9jYwEAAAAAAAAAAAAAAAYAAAATAAAA81AAAACVAZcAZwB8AF0ifQF0AAAAAAAAAAAAAABqAQAAAAAAAAAAoAIAAAAAAAAAAAAAAAAAAAAAAAAAAIkCfAGmAgAAqwIAAAAAAAAAAJECjCNTAKkAKQPaAm9z2gRwYXRo2gRqb2luKQPaAi4w2gFp2gFhcwMAAAAgIID6FS91c3IvbGliL3B5dGhvbjMveC5wefoKPGxpc3Rjb21wPnoZQy5fX3guPGxvY2Fscz4uPGxpc3Rjb21wPgUAAABzKQAAAPiAANAPLtAPLtAPLqBxlQKUB5cMkgyYUaAB0RAi1BAi0A8u0A8u0A8u8wAAAAByCQAAACkE2gRzZWxmcg8AAAByBQAAANoBYnMEAAAAIGAgIHIQAAAA2gNfX3h6BUMuX194AwAAAHMdAAAA+IAA4A8u0A8u0A8u0A8uqEHQDy7RDy7UDy7QCC5yEgAAAE4pBNoIX19uYW1lX1/aCl9fbW9kdWxlX1/aDF9fcXVhbG5hbWVfX9oFX0NfX3hyCQAAAHISAAAAchAAAAByAwAAAHIDAAAAAgAAAHMwAAAAgACAAIAAgACAANgbHPAAAgUv8AACBS/wAAIFL/AAAgUv8AACBS/wAAIFL/AAAgUvchIAAAByAwAAACkDcgoAAAByAwAAANoFcHJpbnRyCQAAAHISAAAAchAAAAD6CDxtb2R1bGU+chsAAAABAAAAc0kAAADwAwEBAdgACYAJgAmACfACAwEv8AADAS/wAAMBL/AAAwEv8AADAS/xAAMBL/QAAwEv8AADAS/wCAABBoAFgGGBCIQIgAiACIAIchIAAAA="
)

func TestForeignName(t *testing.T) {
	code, err := base64.StdEncoding.DecodeString(compiledCode)
	if err != nil {
		t.Fatal(err)
	}
	magic := pythonMagic["311"]
	if name := foreignName(code, magic, []byte(compiledSource)); name != "" {
		t.Errorf("%q: the source has all names", name)
	}
	for old, now := range map[string]string{"\x04join": "\x04exec", "\x02os": "\x02io", "\x05_C__x": "\x05_C__y", "\x05print": "\x05input"} {
		changed := bytes.Replace(code, []byte(old), []byte(now), 1)
		if bytes.Equal(changed, code) {
			t.Fatalf("the code has no %q", old)
		}
		if name := foreignName(changed, magic, []byte(compiledSource)); name != now[1:] {
			t.Errorf("%q for %q: %q", now, old, name)
		}
	}
	for n := range code {
		if foreignName(code[:n], magic, []byte(compiledSource)) == "" {
			t.Errorf("cut at %d it is whole", n)
		}
	}
	if foreignName(append(bytes.Clone(code), 'N'), magic, []byte(compiledSource)) == "" {
		t.Error("with more behind it is whole")
	}
}
