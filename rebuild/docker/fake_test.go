package docker

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"audit/fixtures"
	"audit/fixtures/fake"
)

// TestMain lets the test binary double as docker, buildctl and buildah: it plays
// the scenario in the folder where its link lies.
func TestMain(m *testing.M) {
	fake.Play(play, "docker", "buildctl", "buildah")
	os.Exit(m.Run())
}

// A scenario is how fake engines behave.
type scenario struct {
	Absent []string          // steps that fail without a word: "docker version", …
	Fails  map[string]string // by step: what it writes before it fails
	Says   map[string]string // by step: what it writes before it goes on
	Hangs  string            // a step that never ends
}

// play is a fake engine.
func play(dir, name string, args []string) int {
	var s scenario
	text, err := os.ReadFile(filepath.Join(dir, "scenario.json"))
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		panic(err)
	}
	step := name + " " + stepOf(args)
	note(filepath.Join(dir, "calls"), append(environment(), append([]string{name}, args...)...))
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "SSH_AUTH_SOCK=") || strings.HasPrefix(v, "DOCKER_CONFIG=") || strings.HasPrefix(v, "REGISTRY_AUTH_FILE=") {
			note(filepath.Join(dir, "environment"), []string{v})
		}
	}
	if step == s.Hangs {
		fmt.Println("hanging")
		time.Sleep(time.Hour)
	}
	if slices.Contains(s.Absent, step) {
		return 1
	}
	if why, ok := s.Fails[step]; ok {
		fmt.Fprint(os.Stderr, why)
		return 1
	}
	fmt.Print(s.Says[step])
	switch step {
	case "docker version", "buildctl --version", "buildah --version", "docker buildx":
		fmt.Println(name + " version 1.2.3\nmore")
	}
	leave(args)
	return 0
}

// environment returns the variables of a call that steer docker.
func environment() []string {
	var kept []string
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "DOCKER_BUILDKIT=") || strings.HasPrefix(v, "EXPERIMENTAL_") {
			kept = append(kept, v)
		}
	}
	return kept
}

// stepOf names what a call is about: its verbs.
func stepOf(args []string) string {
	if args[0] == "image" {
		return strings.Join(args[:2], " ")
	}
	return args[0]
}

// leave writes the files that a call asks for.
func leave(args []string) {
	for _, a := range args {
		for _, prefix := range []string{"--output=type=oci,dest=", "--output=", "oci-archive:", "docker-archive:"} {
			file, ok := strings.CutPrefix(a, prefix)
			if !ok {
				continue
			}
			if strings.Contains(prefix, "dest") {
				file, _, _ = strings.Cut(file, ",")
			}
			if err := os.WriteFile(file, fixtures.Docker{Layers: [][]fixtures.File{{{Name: "f", Body: "rebuilt"}}}}.Archive(), 0o600); err != nil {
				panic(err)
			}
			break
		}
		if file, ok := strings.CutPrefix(a, "--iidfile="); ok {
			if err := os.WriteFile(file, []byte("sha256:0123\n"), 0o600); err != nil {
				panic(err)
			}
		}
	}
}

func note(path string, words []string) {
	line, err := json.Marshal(words)
	if err != nil {
		panic(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if _, err := f.Write(append(line, '\n')); err != nil {
		panic(err)
	}
}

// install puts fake engines on the PATH and returns how to see their calls.
func install(t *testing.T, s scenario, names ...string) (calls func() [][]string) {
	t.Helper()
	dir := t.TempDir()
	if err := fake.Link(dir, names...); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "scenario.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	for _, name := range []string{"docker", "buildctl", "buildah"} {
		shadow(t, dir, name, names)
	}
	return func() [][]string {
		text, err := os.ReadFile(filepath.Join(dir, "calls"))
		if err != nil {
			return nil
		}
		var all [][]string
		for line := range strings.Lines(string(text)) {
			var words []string
			if err := json.Unmarshal([]byte(line), &words); err != nil {
				t.Fatal(err)
			}
			all = append(all, words)
		}
		return all
	}
}

// shadow keeps an engine that this machine has from being found.
func shadow(t *testing.T, dir, name string, installed []string) {
	t.Helper()
	if slices.Contains(installed, name) {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nexit 127\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}
