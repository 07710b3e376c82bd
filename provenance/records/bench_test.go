package records

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"audit/inspect"
)

// BenchmarkConda reads an environment of 100 packages and 50,000 files.
func BenchmarkConda(b *testing.B) {
	l := &inspect.Layer{Watched: true}
	size := int64(0)
	for p := range 100 {
		var paths []string
		for f := range 500 {
			name := fmt.Sprintf("lib/python3.12/site-packages/package%d/module%d.py", p, f)
			paths = append(paths, condaFile(name, "hardlink", name, ""))
			l.Entries = append(l.Entries, &inspect.Entry{Path: "opt/conda/" + name, Type: '0', Size: 1, Digest: sha256.Sum256([]byte(name))})
		}
		body := fmt.Sprintf(`{"name": "package%d", "version": "1", "paths_data": {"paths": [%s]}}`, p, strings.Join(paths, ",\n"))
		e := &inspect.Entry{Path: fmt.Sprintf("opt/conda/conda-meta/package%d.json", p), Type: '0', Size: int64(len(body)), Digest: sha256.Sum256([]byte(body))}
		l.Entries = append(l.Entries, e)
		l.KeepBody(e, []byte(body), false)
		size += e.Size
	}
	img := &inspect.Image{Layers: []*inspect.Layer{l}}
	img.Root()
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		if all := Read(img); all.Components[99].Agree != 500 {
			b.Fatalf("%+v", all.Components[99])
		}
	}
}

// BenchmarkWatch reads along with a program that Go has not made.
func BenchmarkWatch(b *testing.B) {
	body := make([]byte, 8<<20)
	for i := range body {
		body[i] = byte(i * 7)
	}
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		watch(body, 128<<10)
	}
}

// BenchmarkKeep asks for a path as most are.
func BenchmarkKeep(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if Keep("usr/lib/python3.12/site-packages/package/module/file.py") || Weak("usr/lib/python3.12/site-packages/package/module/file.py") != 0 {
			b.Fatal("it is no record")
		}
	}
}

// BenchmarkPackages reads 5,000 packages in one folder, and as many that links lead to from
// another: what one costs does not depend on how many lie beside it.
func BenchmarkPackages(b *testing.B) {
	l := &inspect.Layer{Watched: true}
	put := func(name, body, link string) {
		e := &inspect.Entry{Path: name, Type: '0', Size: int64(len(body)), Digest: sha256.Sum256([]byte(body))}
		if link != "" {
			e = &inspect.Entry{Path: name, Type: '2', Linkname: link}
		}
		l.Entries = append(l.Entries, e)
		if body != "" {
			l.KeepBody(e, []byte(body), false)
		}
	}
	const packages = 5000
	for i := range packages {
		put(fmt.Sprintf("app/node_modules/p%d/package.json", i), fmt.Sprintf(`{"name": "p%d", "version": "1.0.0"}`, i), "")
		put(fmt.Sprintf("lib/node_modules/l%d", i), "", "/app/node_modules")
	}
	img := &inspect.Image{Layers: []*inspect.Layer{l}}
	img.Root()
	b.ReportAllocs()
	for b.Loop() {
		if all := Read(img); len(all.Components) != packages {
			b.Fatalf("%d components", len(all.Components))
		}
	}
}
