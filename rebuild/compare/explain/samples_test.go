package explain

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"database/sql"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// The makers below write small files of each format.

var day1, day2 = time.Date(2024, 1, 2, 3, 4, 6, 0, time.UTC), time.Date(2025, 6, 7, 8, 9, 10, 0, time.UTC)

func gzipped(t testing.TB, when time.Time, name string, level int, data string) string {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	z.ModTime, z.Name, z.OS = when, name, 3
	write(t, z, data)
	return b.String()
}

type writeCloser interface {
	Write([]byte) (int, error)
	Close() error
}

func write(t testing.TB, w writeCloser, data string) {
	t.Helper()
	if _, err := w.Write([]byte(data)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func zstded(t testing.TB, level zstd.EncoderLevel, data string) string {
	t.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	write(t, z, data)
	return b.String()
}

func xzed(t testing.TB, data string) string {
	t.Helper()
	var b bytes.Buffer
	z, err := xz.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	write(t, z, data)
	return b.String()
}

// zipped packs members "name=content", all of one time.
func zipped(t testing.TB, when time.Time, method uint16, members ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		name, content, _ := strings.Cut(m, "=")
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Modified: when, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// bodyRecord is where tarFile puts the content for tarred.
const bodyRecord = "body"

func tarred(t testing.TB, headers ...tar.Header) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		body := h.PAXRecords[bodyRecord]
		h.PAXRecords, h.Size = nil, int64(len(body))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func tarFile(name, body string, when time.Time) tar.Header {
	return tar.Header{Name: name, Mode: 0o644, ModTime: when, Format: tar.FormatPAX, PAXRecords: map[string]string{bodyRecord: body}}
}

// arMembers packs members "name time uid content".
func arMembers(members ...string) string {
	text := "!<arch>\n"
	for _, m := range members {
		f := strings.SplitN(m, " ", 4)
		text += fmt.Sprintf("%-16s%-12s%-6s%-6s%-8s%-10d`\n%s", f[0], f[1], f[2], "0", "100644", len(f[3]), f[3])
		if len(f[3])%2 == 1 {
			text += "\n"
		}
	}
	return text
}

func pycOf(magic uint16, header []uint32, code string) string {
	b := binary.LittleEndian.AppendUint16(nil, magic)
	b = append(b, "\r\n"...)
	for _, n := range header {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return string(b) + code
}

// elfOf makes an ELF file for Linux on x86-64 with sections "name=content"; one
// whose name starts with .text is code.
func elfOf(sections ...string) string {
	const header, entry = 64, 64
	le := binary.LittleEndian
	body, names := []byte{}, "\x00"
	table := make([]byte, entry)
	add := func(name, content string, kind, flags uint32) {
		h := make([]byte, entry)
		le.PutUint32(h[0:], uint32(len(names)))
		le.PutUint32(h[4:], kind)
		le.PutUint64(h[8:], uint64(flags))
		le.PutUint64(h[24:], uint64(header+len(body)))
		le.PutUint64(h[32:], uint64(len(content)))
		names += name + "\x00"
		body, table = append(body, content...), append(table, h...)
	}
	for _, s := range sections {
		name, content, _ := strings.Cut(s, "=")
		kind, flags := uint32(1), uint32(2)
		if strings.HasPrefix(name, ".text") {
			flags = 6
		}
		if strings.HasPrefix(name, ".note") {
			kind = 7
		}
		if name == ".comment" || strings.HasPrefix(name, ".gnu_debug") {
			flags = 0
		}
		if strings.HasPrefix(name, ".zip") {
			flags = 0x800
			content = string(le.AppendUint64(le.AppendUint64(le.AppendUint64(nil, 1), 99), 1)) + content
		}
		add(name, content, kind, flags)
	}
	add(".shstrtab", names+".shstrtab\x00", 3, 0)
	h := make([]byte, header)
	copy(h, "\x7fELF\x02\x01\x01")
	le.PutUint16(h[16:], 3)
	le.PutUint16(h[18:], 62)
	le.PutUint32(h[20:], 1)
	le.PutUint64(h[40:], uint64(header+len(body)))
	le.PutUint16(h[52:], header)
	le.PutUint16(h[58:], entry)
	le.PutUint16(h[60:], uint16(len(table)/entry))
	le.PutUint16(h[62:], uint16(len(table)/entry-1))
	return string(h) + string(body) + string(table)
}

func noteOf(name, content string) string {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(name)+1))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(content)))
	b = binary.LittleEndian.AppendUint32(b, 3)
	return string(b) + name + "\x00" + content
}

// pngOf makes a picture of chunks "KIND=content"; that of IDAT is packed.
func pngOf(t testing.TB, level int, chunks ...string) string {
	t.Helper()
	text := pngMagic
	for _, c := range append(chunks, "IEND=") {
		kind, content, _ := strings.Cut(c, "=")
		if kind == "IDAT" {
			content = deflated(t, level, content)
		}
		b := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
		b = append(b, kind+content...)
		text += string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
	}
	return text
}

func deflated(t testing.TB, level int, data string) string {
	t.Helper()
	var b bytes.Buffer
	z, err := zlib.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	write(t, z, data)
	return b.String()
}

// moOf makes a catalogue of messages.
func moOf(order binary.AppendByteOrder, messages map[string]string) string {
	var ids []string
	for id := range messages {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	const header = 28
	at := uint32(header + 16*len(ids))
	var tables [2][]byte
	var text string
	for i := range tables {
		for _, id := range ids {
			s := []string{id, messages[id]}[i]
			tables[i] = order.AppendUint32(order.AppendUint32(tables[i], uint32(len(s))), at+uint32(len(text)))
			text += s + "\x00"
		}
	}
	var b []byte
	for _, n := range []uint32{0x950412de, 0, uint32(len(ids)), header, header + 8*uint32(len(ids)), 0, 0} {
		b = order.AppendUint32(b, n)
	}
	return string(b) + string(tables[0]) + string(tables[1]) + text
}

// database makes an SQLite database by statements.
func database(t testing.TB, statements ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "db")
	db, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
