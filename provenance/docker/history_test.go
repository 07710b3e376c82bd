package docker

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/fixtures"
	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
	"audit/provenance/ospackages"
)

func TestNewInstruction(t *testing.T) {
	for _, tc := range []struct {
		by, comment, author string
		want                string // builder, instruction, arguments
	}{
		{"COPY busybox /bin/busybox # buildkit", kitSays, "", "buildkit COPY busybox /bin/busybox"},
		{"LABEL a=b", kitSays, "", "buildkit LABEL a=b"},
		{"RUN /bin/sh -c apt-get update # buildkit", kitSays, "", "buildkit RUN apt-get update"},
		{"RUN |2 A=b C=d e /bin/bash -o pipefail -c make # buildkit", kitSays, "", "buildkit RUN make [A=b C=d e]"},
		{"RUN /bin/busybox sh -c echo hi # buildkit", "", "", "buildkit RUN echo hi"},
		{"RUN |1 V=7 /usr/bin/make all # buildkit", kitSays, "", "buildkit RUN /usr/bin/make all [V=7]"},
		{"/bin/sh -c #(nop)  CMD [\"sh\"]", "", "", `classic CMD ["sh"]`},
		{"/bin/sh -c #(nop) COPY file:0123 in /opt/app.txt ", "", "", "classic COPY file:0123 in /opt/app.txt"},
		{"/bin/bash -o pipefail -c #(nop) ADD multi:ab in /", "", "", "classic ADD multi:ab in /"},
		{"/bin/sh -c apk add curl", "", "", "classic RUN apk add curl"},
		{"|1 VERSION=1 /bin/sh -c echo $VERSION", "", "", "classic RUN echo $VERSION [VERSION=1]"},
		{"|1 A= /bin/sh -c x", "", "", "classic RUN x [A=]"},
		{"/bin/sh -c #(nop) LABEL a=b", "FROM abade84882ca", "", "buildah LABEL a=b"},
		{"RUN apk add curl", "", "kaniko", "kaniko RUN apk add curl"},
		{"COPY . /app", "", "", " COPY . /app"},
		{"cmd /S /C #(nop) WORKDIR C:\\app", "", "", `classic WORKDIR C:\app`},
		{"# debian.sh --arch 'amd64' out/ 'bookworm'", "debuerreotype 0.15", "", " # debian.sh --arch 'amd64' out/ 'bookworm'"},
		{"/bin/bash", "by hand", "", " "},
		{"", "merge sha256:1 to sha256:2", "", " "},
		{"|x y", "", "", "classic RUN |x y"},
		{"|9 nothing here", "", "", "classic RUN nothing here"},
		{"/usr/bin/make install", "", "", " /usr/bin/make install"},
	} {
		i := newInstruction(v1.History{CreatedBy: tc.by, Comment: tc.comment, Author: tc.author}, false)
		got := string(i.Builder) + " " + i.String()
		if len(i.Arguments) > 0 {
			got += " [" + strings.Join(i.Arguments, " ") + "]"
		}
		if got != tc.want {
			t.Errorf("%q: %q, want %q", tc.by, got, tc.want)
		}
	}
}

// open reads an image.
func open(t testing.TB, archive []byte) *inspect.Image {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	write(t, path, archive)
	return openPath(t, path)
}

// sample reads an image of fixtures/docker.
func sample(t testing.TB, name string) *inspect.Image {
	t.Helper()
	return openPath(t, filepath.Join("../../fixtures/docker", name))
}

func openPath(t testing.TB, path string) *inspect.Image {
	t.Helper()
	img, err := inspect.Open(t.Context(), path, inspect.Options{Stores: fixtures.Stores(), Keep: Keep, Weak: ospackages.Weak})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// made says which instructions had part in which layer.
func made(all []Instruction) []string {
	var lines []string
	for _, i := range all {
		if i.Layer >= 0 {
			lines = append(lines, string(rune('0'+i.Layer))+" "+i.String())
		}
	}
	return lines
}

func TestHistoryOfSamples(t *testing.T) {
	for name, want := range map[string][]string{
		"classic.tar":              {"0 COPY file:c50ecf0f8081044924e199cfe6cfd18d0c9dd4d16be07790bb24f7088112b98e in /hello.txt", "1 WORKDIR /srv"},
		"buildah.oci.tar":          {"0 COPY file:87c795a1e3e18049905e07b82affce1af157e2b015ba04257306df836f66869b in /hello.txt", "0 WORKDIR /srv", `0 CMD ["/hello"]`},
		"buildah-layers.oci.tar":   {"0 COPY file:87c795a1e3e18049905e07b82affce1af157e2b015ba04257306df836f66869b in /hello.txt"},
		"buildkit-git-max.oci.tar": {"0 COPY hello.txt /hello.txt", "1 WORKDIR /srv"},
		"buildkit-git-provenance.oci.tar": {
			"0 COPY busybox /bin/busybox",
			"1 RUN /bin/busybox mkdir -p /usr/bin /tmp /etc && /bin/busybox --install -s /usr/bin && echo root:x:0:0::/:/bin/sh > /etc/passwd",
			"2 COPY app /opt/app",
			"3 RUN rm /opt/app/hard; rm -r /tmp; mkdir -m 1777 /tmp; echo x > /opt/app/y; /bin/busybox chmod 4755 /bin/busybox",
			"4 WORKDIR /opt/app",
		},
	} {
		all, problem := History(sample(t, name))
		if got := made(all); !problem.IsZero() || !slices.Equal(got, want) {
			t.Errorf("%s: %s %q, want %q", name, problem, got, want)
		}
	}
}

func TestHistoryLayers(t *testing.T) {
	layer := []fixtures.File{{Name: "f", Body: "x"}}
	for name, tc := range map[string]struct {
		history []fixtures.Step
		layers  int
		want    []string
		problem string
	}{
		"a RUN that changes nothing": {[]fixtures.Step{{By: "/bin/sh -c true", Empty: true}, {By: "/bin/sh -c #(nop) COPY file:1 in /f "}}, 1, []string{"0 COPY file:1 in /f"}, ""},
		"squashed":                   {[]fixtures.Step{{By: "/bin/sh -c a", Empty: true}, {By: "/bin/sh -c #(nop) CMD [x]", Empty: true}, {Comment: "merge sha256:1 to sha256:2"}}, 1, []string{"0 RUN a", "0 "}, ""},
		"more layers than history":   {[]fixtures.Step{{By: "COPY a /f # buildkit", Comment: kitSays}}, 2, nil, `recipe/history-differs history-layers="1" layers="2"`},
		"no history":                 {nil, 1, nil, "recipe/no-history"},
	} {
		d := fixtures.Docker{History: tc.history}
		for range tc.layers {
			d.Layers = append(d.Layers, layer)
		}
		all, problem := History(open(t, d.Archive()))
		if got := made(all); !slices.Equal(got, tc.want) || problem.String() != tc.problem {
			t.Errorf("%s: %q %q", name, got, problem)
		}
	}
}

// Whatever a line says, what it was run with and what was run are parts of it.
func FuzzHistory(f *testing.F) {
	f.Add("RUN |2 A=b C=d e /bin/bash -o pipefail -c make # buildkit", kitSays)
	f.Add("|1 VERSION=1 /bin/sh -c echo", "")
	f.Add("/bin/sh -c #(nop) COPY file:0123 in /opt/app.txt ", "FROM x")
	f.Fuzz(func(t *testing.T, by, comment string) {
		i := newInstruction(v1.History{CreatedBy: by, Comment: comment}, false)
		for _, part := range append(i.Arguments, i.Text) {
			if !strings.Contains(by, part) {
				t.Errorf("%q is no part of %q", part, by)
			}
		}
		reaches([]Instruction{i}, image.NewSymlinks(slices.Values([]inspect.File(nil))))
		check.Brief(i.String())
	})
}

// What can be a secret in a history is in no text that is made of it.
func TestHistoryHidesSecrets(t *testing.T) {
	for line, want := range map[string]string{
		"|1 TOKEN=s3cr3t /bin/sh -c curl https://bob:s3cr3t@host/x?access_token=s3cr3t&v=1 -o /x": "RUN curl https://***@host/x?access_token=***&v=*** -o /x",
		"ARG PW=s3cr3t": "ARG PW=***",
		"/bin/sh -c #(nop) ADD https://tok:s3cr3t@host/a.tar /a/ ":                       "ADD https://***@host/a.tar /a/",
		"RUN /bin/sh -c git clone 'https://s3cr3t@host/x' && wget http://h/y # buildkit": "RUN git clone 'https://***@host/x' && wget http://h/y",
	} {
		if got := newInstruction(v1.History{CreatedBy: line}, false).String(); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
