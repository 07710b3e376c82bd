package inspect

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"audit/fixtures"
	"audit/fixtures/hostile"
	"audit/inspect/choice"
	"audit/inspect/compression"
	"audit/inspect/digest"
	"audit/inspect/form"
	"audit/inspect/image"
	"audit/inspect/integrity"
	"audit/inspect/layers"
	"audit/inspect/limit"
	"audit/inspect/oci"
	"audit/inspect/pass"
)

// samples hands the fuzzers small images that real tools wrote, those of Nix and
// Guix also uncompressed, and the small ones of the hostile cast.
func samples(f *testing.F, add func(data []byte)) {
	f.Helper()
	found := 0
	for _, pattern := range []string{"docker/*.tar", "guix/images/*.tar*", "guix/forms/*.tar*", "guix/forms/*.squashfs", "nix/images-forms/*", "nix/images-mini/*"} {
		paths, err := filepath.Glob("../fixtures/" + pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 64<<10 {
				add(data)
				found++
			}
		}
	}
	if found == 0 {
		f.Fatal("no samples")
	}
	for _, c := range hostile.Cases("../fixtures") {
		data := new(small)
		if !c.Slow && c.Write(data) == nil {
			add(data.Bytes())
		}
	}
}

// small is a buffer that takes 32 KiB and no more.
type small struct{ bytes.Buffer }

func (s *small) Write(p []byte) (int, error) {
	if s.Len()+len(p) > 32<<10 {
		return 0, io.ErrShortWrite
	}
	return s.Buffer.Write(p)
}

// tight are limits that keep a fuzzer fast, and within which it must stay.
func tight() limit.Limits {
	l := limit.DefaultLimits()
	l.Entries, l.Members, l.Bytes, l.KeptBytes, l.JSONBytes = 300, 100, 4<<20, 1<<20, 64<<10
	return l
}

// FuzzArchive reads any bytes as a file and as standard input: both end in the
// same, twice, within the limits, and an error has a type.
func FuzzArchive(f *testing.F) {
	samples(f, func(data []byte) { f.Add(data) })
	limits := tight()
	opt := pass.Options{Stores: fixtures.Stores(), Limits: &limits, Keep: func(path string) bool { return len(path)%2 == 0 }}
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := openBytes(t, data, opt)
		var choice *choice.Error
		if !errors.As(err, &choice) {
			checkTyped(t, err)
		}
		want := textOf(first, err)
		if again, err := openBytes(t, data, opt); textOf(again, err) != want {
			t.Errorf("read again: %s\nfirst: %s", textOf(again, err), want)
		}
		if streamed, err := openStreamed(data, opt); textOf(streamed, err) != want {
			t.Errorf("from a stream: %s\nfrom a file: %s", textOf(streamed, err), want)
		}
		if first == nil {
			return
		}
		if first.Integrity(); len(first.Members) > limits.Members {
			t.Errorf("%d members, and the limit is %d", len(first.Members), limits.Members)
		}
		entries := 0
		for _, l := range first.Layers {
			entries += len(l.Entries)
		}
		if entries > limits.Entries {
			t.Errorf("%d entries, and the limit is %d", entries, limits.Entries)
		}
	})
}

// openStreamed reads data as Open reads standard input.
func openStreamed(data []byte, opt pass.Options) (*image.Image, error) {
	p := pass.New(context.Background(), opt)
	in := &form.Input{Pass: p}
	defer in.Close()
	img, err := (*image.Image)(nil), in.Pipe(bytes.NewBuffer(data))
	if err == nil {
		img, err = openInput(in, Forms())
	}
	if err == nil {
		err = oci.CheckPlatform(p, img)
	}
	if err != nil {
		return nil, err
	}
	integrity.Conclude(p, img)
	return img, nil
}

// textOf is all that came of a reading, as text; errors without the name of the
// file.
func textOf(img *image.Image, err error) string {
	if err != nil {
		if inner := errors.Unwrap(err); inner != nil && bytes.HasPrefix([]byte(err.Error()), []byte("reading /")) {
			err = inner
		}
		return "error: " + err.Error()
	}
	shown := *img
	shown.Reference = ""
	text, err := json.Marshal(shown)
	if err != nil {
		return err.Error()
	}
	for _, l := range img.Layers {
		frame := sha256.New()
		io.Copy(frame, l.Frame.Open())
		text = fmt.Appendf(text, "%v %x", l.Broken, frame.Sum(nil))
	}
	return string(text)
}

// FuzzLayer reads any bytes as a layer. Whatever they are, they are hashed; the
// digest of each content is that of the bytes at its place; frame and contents
// together are the tar again; and it does not matter whether the bytes can be
// read twice.
func FuzzLayer(f *testing.F) {
	samples(f, func(data []byte) { f.Add(data) })
	layer := tarOf(f, folder("gnu/store/"+hashA+"-x"), regular("gnu/store/"+hashA+"-x/bin", hashB), symlink("gnu/store/"+hashA+"-x/l", "bin"),
		hardlink("gnu/store/"+hashA+"-x/z", "gnu/store/"+hashA+"-x/bin"), regular(".wh.b", ""))
	f.Add(layer)
	f.Add(gzipped(f, layer))
	limits := tight()
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := layerFrom(data, limits, bytes.NewReader(data))
		checkTyped(t, err)
		other, otherErr := layerFrom(data, limits, nil)
		if fmt.Sprint(err) != fmt.Sprint(otherErr) || err == nil && textOf(got, nil) != textOf(other, nil) {
			t.Errorf("%v where the bytes can be read again, %v where not:\n%s\n%s", err, otherErr, textOf(got, err), textOf(other, otherErr))
		}
		if err != nil {
			return
		}
		l := got.Layers[0]
		if l.Digest != digest.Of(data).Hash() || l.Size != int64(len(data)) {
			t.Errorf("digest %v of %d bytes", l.Digest, l.Size)
		}
		if l.Compression == compression.None && l.Broken == nil {
			checkPlaces(t, l, data)
		}
	})
}

// layerFrom reads data as the one layer of an image.
func layerFrom(data []byte, limits limit.Limits, at io.ReaderAt) (*image.Image, error) {
	p := pass.New(context.Background(), pass.Options{Stores: fixtures.Stores(), Limits: &limits})
	p.Once = true
	in := &pass.Stream{Pass: p, R: bytes.NewBuffer(data)}
	l, err := layers.Read(p, "the layer", bufio.NewReader(in), at)
	if err != nil {
		return nil, err
	}
	img := &image.Image{Layers: []*image.Layer{l}}
	integrity.Conclude(p, img)
	return img, nil
}

// checkPlaces puts an uncompressed layer together again from its frame and the
// contents, which lie between what belongs to the entries.
func checkPlaces(t *testing.T, l *image.Layer, data []byte) {
	t.Helper()
	var again bytes.Buffer
	frame := l.Frame.Open()
	at := int64(0)
	for _, e := range l.Entries {
		if e.Sparse {
			return // its content is not as it lies there
		}
		io.CopyN(&again, frame, e.FrameSize)
		at += e.FrameSize
		if '1' <= e.Type && e.Type <= '6' {
			continue
		}
		if at+e.Size > int64(len(data)) {
			t.Fatalf("%q has %d bytes at byte %d of %d", e.Name(), e.Size, at, len(data))
		}
		content := data[at:][:e.Size]
		at += e.Size
		if e.Digest != digest.Of(content) {
			t.Errorf("%q has another digest than the bytes at its place", e.Name())
		}
		again.Write(content)
	}
	io.Copy(&again, frame)
	if !bytes.Equal(again.Bytes(), data) {
		t.Errorf("frame and contents are %d bytes, and not the %d of the layer", again.Len(), len(data))
	}
}
