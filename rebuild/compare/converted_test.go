package compare

import (
	"os"
	"path/filepath"
	"testing"
)

// TestConverted compares configs as copies to another format leave them, with
// what an engine acts on.
func TestConverted(t *testing.T) {
	one := layer(t, f("a", "1"))
	for _, tc := range []struct {
		name, was, now string // fields of "config"
		same           bool
	}{
		{"empty against absent", `"Hostname":"","Tty":false,"Entrypoint":null,"OnBuild":null,"Healthcheck":null,"Labels":{},"Volumes":null,"Cmd":[]`, ``, true},
		{"two ways to be empty", `"Cmd":null,"Labels":{}`, `"Cmd":[],"Labels":null`, true},
		{"the container that was committed", `"Hostname":"0123456789ab","AttachStdout":true,"Image":"sha256:x"`, ``, true},
		{"an empty health check", `"Healthcheck":{}`, ``, true},
		{"user", `"User":"app"`, ``, false},
		{"an empty label", `"Labels":{"a":""}`, `"Labels":{}`, false},
		{"a port", `"ExposedPorts":{"80/tcp":{}}`, `"ExposedPorts":{}`, false},
		{"a volume", `"Volumes":{"/data":{}}`, ``, false},
		{"an empty argument", `"Cmd":["a",""]`, `"Cmd":["a"]`, false},
		{"a health check", `"Healthcheck":{"Test":["CMD","x"]}`, ``, false},
		{"onbuild", `"OnBuild":["RUN x"]`, ``, false},
		{"stop signal", `"StopSignal":"SIGKILL"`, ``, false},
		{"the case of a key", `"User":"app","user":""`, `"User":"app"`, false},
		{"another host name", `"Hostname":"a"`, `"Hostname":"b"`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			was, now := archive(t, config(tc.was, one), one), archive(t, config(tc.now, one), one)
			for _, pair := range [][2]string{{was, now}, {now, was}} {
				if c := files(t, pair[0], pair[1]); c.Equivalent() != tc.same || len(c.Config) == 0 {
					t.Errorf("equivalent %v, %d fields\n%s", c.Equivalent(), len(c.Config), show(c))
				}
			}
		})
	}
}

// TestLibarchiveAttributes: bsdtar writes an attribute twice.
func TestLibarchiveAttributes(t *testing.T) {
	for _, tc := range []struct {
		key, value string
		same       bool
	}{
		{"LIBARCHIVE.xattr.user.k", "dg", true},
		{"LIBARCHIVE.xattr.user.k", "dg==", true},
		{"LIBARCHIVE.xattr.user.k", "dw==", false},
		{"LIBARCHIVE.xattr.user.other", "dg==", false},
	} {
		plain := f("a", "1").xattr("user.k", "v")
		both := f("a", "1").xattr("user.k", "v")
		both.PAXRecords[tc.key] = tc.value
		if c := Images(imageOf(t, layer(t, plain)), imageOf(t, layer(t, both)), nil); c.Equivalent() != tc.same || c.Identical() {
			t.Errorf("%s=%s: equivalent %v\n%s", tc.key, tc.value, c.Equivalent(), show(c))
		}
	}
}

// TestFieldPairs compares what other tools write, where the folder is there.
func TestFieldPairs(t *testing.T) {
	const dir = "../../../shared/samples/field/made"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no samples of other tools beside the checkout")
	}
	for _, tc := range []struct {
		was, now string
		want     Result
	}{
		{"22b-layered", "22b-squashed", Equivalent},
		{"22c-layered", "22c-squashed", Equivalent},
		{"74-schily", "74-both", Equivalent},
		{"98-docker", "98-oci", Equivalent},
		{"70-ostree", "70-plain", Different},
		{"50-dpkg-hl", "51-hl-replaced", Different},
		{"22b-layered", "22c-layered", Different},
	} {
		was, now := filepath.Join(dir, tc.was+".tar"), filepath.Join(dir, tc.now+".tar")
		for _, pair := range [][2]string{{was, now}, {now, was}} {
			if c := files(t, pair[0], pair[1]); c.Result() != tc.want {
				t.Errorf("%v: %s, want %s\n%s", pair, c.Result(), tc.want, show(c))
			}
		}
	}
}
