package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"audit/fixtures/fake"
)

// engines NAME… puts programs on the PATH of a script that play engines: those
// of playEngine.
func engines(ts *testscript.TestScript, _ bool, names []string) {
	ts.Check(fake.Link(filepath.Join(ts.Getenv("WORK"), ".bin"), names...))
}

// playEngine is docker, buildctl or buildah, by the name that it is called by.
// In the folder of the script it writes down how it is called (calls); a build
// prints what is in the file says, or fails with what is in the file fails; and
// the image that it gives out is rebuilt.tar.
func playEngine(dir, name string, args []string) int {
	work := filepath.Dir(dir)
	noteCall(filepath.Join(work, "calls"), name, args)
	switch args[0] {
	case "version", "--version", "buildx":
		fmt.Println(name + " version 1.2.3")
	case "build":
		if why, err := os.ReadFile(filepath.Join(work, "fails")); err == nil {
			os.Stderr.Write(why)
			return 1
		}
		said, _ := os.ReadFile(filepath.Join(work, "says"))
		os.Stdout.Write(said)
	}
	for _, a := range args {
		handOut(filepath.Join(work, "rebuilt.tar"), a)
	}
	return 0
}

func noteCall(file, name string, args []string) {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintln(f, os.Getenv("DOCKER_BUILDKIT"), name, strings.Join(args, " "))
}

// handOut writes the file that an argument asks for.
func handOut(image, argument string) {
	if file, ok := strings.CutPrefix(argument, "--iidfile="); ok {
		if err := os.WriteFile(file, []byte("sha256:0123\n"), 0o666); err != nil {
			panic(err)
		}
	}
	for _, prefix := range []string{"--output=type=oci,dest=", "--output=", "oci-archive:", "docker-archive:"} {
		file, ok := strings.CutPrefix(argument, prefix)
		if !ok {
			continue
		}
		file, _, _ = strings.Cut(file, ",")
		data, err := os.ReadFile(image)
		if err == nil {
			err = os.WriteFile(file, data, 0o666)
		}
		if err != nil {
			panic(err)
		}
		return
	}
}
