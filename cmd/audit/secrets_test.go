package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// No flag and no argument brings a secret into any output.
func TestNoOutputHoldsSecrets(t *testing.T) {
	image, err := filepath.Abs("../../fixtures/guix/images/tiny.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir()) // no builder is here
	const login, address = "https://u:S3CR3Tx@", "127.0.0.1:9/me/x.git"
	for _, flags := range [][]string{
		{"--source", login + address + "#main"}, {"--source=https://S3CR3Tx@" + address}, {"--source", "https://" + address + "?token=S3CR3Tx#main"},
		{"--source", "https://u:S3CR3Tx@127.0.0.1:bad/x.git"}, {"--source", "https://u:a/S3CR3Tx@127.0.0.1/x.git"},
		{"--source", "https://127.0.0.1:9/x.git", "--build-arg", "A=S3CR3Tx"}, {"--source", "https://127.0.0.1:9/x.git", "--build-arg=S3CR3Tx"},
		{"--trust-source", login + address}, {"--trust-channel", login + address}, {"--substitutes", login + "127.0.0.1:9/"}, {"--substitutes", "https://S3CR3Tx@127.0.0.1:9/"},
		{"--substitute-urls", login + "127.0.0.1:9/"}, {"--builders", "ssh://u:S3CR3Tx@h;ssh://b@h"},
		{"--nix-flake", "git+" + login + address + "#img"}, {"--nix-flake", "github:x/y?token=S3CR3Tx#img"},
		{"--nix-expr", "secrets_test.go", "--nix-uri", login + address}, {"--nix-expr", login + address}, {"--nix-expr", "secrets_test.go", "--nix-path", "n=" + login + address},
		{"--nix-flake", "github:x/y#img", "--nix-setting", "access-tokens=github.com=S3CR3Tx"}, {"--nix-flake", "github:x/y#img", "--nix-setting", "S3CR3Tx"},
		{"--base", "docker://u:S3CR3Tx@127.0.0.1:9/x:1"}, {"--rebuilt", "docker://u:S3CR3Tx@127.0.0.1:9/x:1"}, {"docker://u:S3CR3Tx@127.0.0.1:9/x:1"},
		{"--unknown=" + login + address},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		var out bytes.Buffer
		args := append([]string{"audit", "-o", dir, "IMAGE"}, flags...)
		args[3] = image
		if strings.HasPrefix(flags[0], "--nix-") {
			args[3] = "../../fixtures/nix/images-mini/single.tar.gz"
		}
		if status := Main(args, strings.NewReader(""), &out, &out); status < exitHolds {
			t.Fatal(status)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*")) // none where the flags are refused
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(text)
		}
		if at := strings.Index(out.String(), "S3CR3T"); at >= 0 {
			t.Errorf("%q: …%s…", flags, out.String()[max(0, at-80):min(out.Len(), at+40)])
		}
	}
}
