package compression

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// gzipMember is one member with all that a header can hold.
func gzipMember(t *testing.T, data string, header gzip.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	z.Header = header
	if _, err := io.WriteString(z, data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func gunzipped(t *testing.T, data []byte) (string, *Expander, error) {
	t.Helper()
	x, err := Expand(bufio.NewReader(bytes.NewReader(data)), Gzip, func(int64) error { return nil })
	if err != nil {
		return "", x, err
	}
	out, err := io.ReadAll(x)
	return string(out), x, err
}

func TestGzipHeader(t *testing.T) {
	data := gzipMember(t, "content", gzip.Header{Name: "läyer.tar", Comment: "c", Extra: []byte("xyz"), ModTime: time.Unix(1700000000, 0), OS: 3})
	out, x, err := gunzipped(t, append(data, gzipMember(t, " more", gzip.Header{OS: 255})...))
	if err != nil || out != "content more" || len(x.Notes) > 0 {
		t.Fatalf("%q, %q, %v", out, x.Notes, err)
	}
	want := &GzipHeader{ModTime: 1700000000, Name: "läyer.tar", Comment: "c", ExtraBytes: 3, Level: 2, OS: 3}
	if diff := cmp.Diff(want, x.Gzip); diff != "" {
		t.Error(diff)
	}
}

// withHeaderSum gives a member without options the checksum of its header.
func withHeaderSum(member []byte, off uint32) []byte {
	head := bytes.Clone(member[:10])
	head[3] |= gzipCRC
	sum := crc32.ChecksumIEEE(head) + off
	return append(append(head, byte(sum), byte(sum>>8)), member[10:]...)
}

func TestGzipNotes(t *testing.T) {
	member := gzipMember(t, "content", gzip.Header{})
	flipped := func(back int) []byte {
		b := bytes.Clone(member)
		b[len(b)-back] ^= 1
		return b
	}
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"whole":                 {member, ""},
		"sum of the header":     {withHeaderSum(member, 0), ""},
		"bad sum of the header": {withHeaderSum(member, 1), `integrity/gzip-header-checksum member="1"`},
		"bad sum":               {flipped(8), `integrity/gzip-checksum member="1"`},
		"bad length":            {flipped(1), `integrity/gzip-checksum member="1"`},
		"junk":                  {append(bytes.Clone(member), "junk"...), `integrity/trailing-compressed-data bytes="4" compression="gzip"`},
		"two bytes":             {append(bytes.Clone(member), "\x1f\x8b"...), `integrity/trailing-compressed-data bytes="2" compression="gzip"`},
	} {
		t.Run(name, func(t *testing.T) {
			out, x, err := gunzipped(t, test.data)
			if err != nil || out != "content" {
				t.Errorf("%q, %v", out, err)
			}
			if got := fmt.Sprint(x.Notes); test.want == "" && got != "[]" || !strings.Contains(got, test.want) {
				t.Errorf("notes %q, want %q", got, test.want)
			}
		})
	}
}

func TestGzipRefuses(t *testing.T) {
	member := gzipMember(t, strings.Repeat("content", 1000), gzip.Header{Name: "n"})
	with := func(at int, b byte) []byte {
		m := bytes.Clone(member)
		m[at] = b
		return m
	}
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"another method":   {with(2, 7), "gzip method 7"},
		"reserved flags":   {with(3, 0x28), "flags 0x28"},
		"cut in header":    {member[:5], "unexpected EOF"},
		"cut in name":      {member[:11], "unexpected EOF"},
		"cut in data":      {member[:len(member)-10], "unexpected EOF"},
		"cut in trailer":   {member[:len(member)-3], "unexpected EOF"},
		"an endless name":  {append(bytes.Clone(member[:10]), strings.Repeat("n", 1<<20)...), "without end"},
		"no stream at all": {with(12, 0xff), "corrupt"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := gunzipped(t, test.data); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// Any cut and any change of a byte gives what compress/gzip gives, or an error
// or a note where that one fails.
func FuzzGzip(f *testing.F) {
	rnd := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, 3000)
	for i := range noise {
		noise[i] = byte(rnd.Uint32N(40))
	}
	for _, level := range []int{gzip.NoCompression, gzip.BestSpeed, gzip.BestCompression, gzip.HuffmanOnly} {
		var buf bytes.Buffer
		z, err := gzip.NewWriterLevel(&buf, level)
		if err != nil {
			f.Fatal(err)
		}
		z.Name, z.Comment, z.Extra = "name", "comment", []byte{1}
		z.Write(noise)
		z.Close()
		f.Add(buf.Bytes())
		f.Add(append(buf.Bytes(), buf.Bytes()...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, x, err := gunzipped(t, data)
		want, wantErr := "", error(nil)
		z, wantErr := gzip.NewReader(bytes.NewReader(data))
		if wantErr == nil {
			var all []byte
			all, wantErr = io.ReadAll(z)
			want = string(all)
		}
		if wantErr == nil && (err != nil || got != want || len(x.Notes) > 0) {
			t.Errorf("%d bytes, want %d; %q; %v", len(got), len(want), x.Notes, err)
		}
		if wantErr != nil && err == nil && len(x.Notes) == 0 {
			t.Errorf("nothing is said, compress/gzip says %v", wantErr)
		}
	})
}

// What the headers of any member hide is counted; what programs write there is not.
func TestGzipUnread(t *testing.T) {
	plain := gzipMember(t, "content", gzip.Header{Name: "layer.tar", Extra: []byte("BC\x02\x00\x00\x00")})
	more := func(h gzip.Header) []byte { return append(bytes.Clone(plain), gzipMember(t, "", h)...) }
	for name, c := range map[string]struct {
		data []byte
		want int64
	}{
		"usual":           {plain, 0},
		"an extra field":  {more(gzip.Header{Extra: make([]byte, 60000)}), 60000 - usualHeader},
		"a name":          {more(gzip.Header{Name: strings.Repeat("n", 2000)}), 2000 - usualHeader},
		"a long comment":  {more(gzip.Header{Comment: strings.Repeat("c", 2000)}), 2000 - usualHeader},
		"many that do no": {bytes.Repeat(plain, 100), 0},
	} {
		_, x, err := gunzipped(t, c.data)
		if err != nil || x.Gzip.Unread != c.want {
			t.Errorf("%s: %d, %v, want %d", name, x.Gzip.Unread, err, c.want)
		}
	}
}
