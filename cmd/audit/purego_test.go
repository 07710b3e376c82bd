package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"audit/fixtures"
)

var pureImages = flag.Int("pure-images", 200, "how many images the build without assembly and unsafe code reads")

// The report of an image is the same, byte for byte but for what it says of the run,
// from a build with the tag purego, which has neither assembly nor unsafe loops.
func TestReportsOfPureGo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds audit")
	}
	dir := t.TempDir()
	pure, image := filepath.Join(dir, "audit"), filepath.Join(dir, "image")
	if out, err := exec.Command("go", "build", "-tags", "purego", "-o", pure, ".").CombinedOutput(); err != nil {
		t.Fatalf("building with the tag purego: %v\n%s", err, out)
	}
	good := 0
	for seed := range uint64(*pureImages) {
		data := anyImage(t, seed)
		if err := os.WriteFile(image, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var want, wantErr bytes.Buffer
		status := Main([]string{"audit", "inspect", "--json", image}, nil, &want, &wantErr)
		c := exec.Command(pure, "inspect", "--json", image)
		var got, gotErr bytes.Buffer
		c.Stdout, c.Stderr = &got, &gotErr
		if err := c.Run(); c.ProcessState == nil {
			t.Fatal(err)
		}
		if c.ProcessState.ExitCode() != status || gotErr.String() != wantErr.String() || !bytes.Equal(withoutRun(t, got.Bytes()), withoutRun(t, want.Bytes())) {
			t.Fatalf("seed %d: status %d, %s\n%s\nin pure Go %d, %s\n%s", seed, status, &wantErr, &want, c.ProcessState.ExitCode(), &gotErr, &got)
		}
		if want.Len() > 0 {
			good++
		}
	}
	if good < *pureImages/2 {
		t.Errorf("only %d of %d images have a report", good, *pureImages)
	}
}

// anyImage makes an image of any packing, of which every third is damaged.
func anyImage(t *testing.T, seed uint64) []byte {
	rnd := rand.New(rand.NewPCG(seed, 11))
	kinds := []fixtures.Compression{fixtures.None, fixtures.Gzip, fixtures.Zstd}
	spec := fixtures.Spec{
		Seed: seed, Items: 2 + rnd.IntN(20), Files: rnd.IntN(80), Bytes: rnd.Int64N(1 << (10 + seed%12)),
		Compression: kinds[rnd.IntN(3)], Layers: kinds[rnd.IntN(3)],
	}
	if rnd.IntN(2) == 0 {
		spec.MaxLayers = 2 + rnd.IntN(6)
	}
	var buf bytes.Buffer
	if err := fixtures.Write(&buf, spec); err != nil {
		t.Fatal(err)
	}
	data := buf.Bytes()
	if seed%3 == 2 {
		data[rnd.IntN(len(data))] ^= 1 << rnd.IntN(8)
		data = data[:len(data)-rnd.IntN(1+len(data)*rnd.IntN(2))]
	}
	return data
}

// withoutRun returns a report without what it says of the run that made it.
func withoutRun(t *testing.T, report []byte) []byte {
	t.Helper()
	if len(report) == 0 {
		return nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(report, &all); err != nil {
		t.Fatal(err)
	}
	delete(all, "run")
	rest, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return rest
}
