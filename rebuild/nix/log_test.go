package nix

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// What Nix 2.8.0 writes while it builds and fetches, and on other machines.
func TestLog(t *testing.T) {
	var out bytes.Buffer
	s := newLog(&out)
	for _, line := range []string{
		`@nix {"action":"start","id":1,"level":6,"text":"querying info about missing paths","type":0}`,
		`@nix {"action":"start","fields":["/nix/store/a.drv","ssh-ng://localhost?remote-store=/w1",1,1],"id":2,"level":3,"text":"building '/nix/store/a.drv' on 'ssh-ng://localhost?remote-store=/w1'","type":105}`,
		`@nix {"action":"start","fields":["/nix/store/a.drv","",1,1],"id":3,"level":3,"text":"building '/nix/store/a.drv'","type":105}`,
		`@nix {"action":"result","fields":["one line"],"id":3,"type":101}`,
		`@nix {"action":"result","fields":[1,4,0,0],"id":3,"type":105}`,
		`@nix {"action":"start","fields":["/nix/store/b","file:///c1"],"id":4,"level":0,"text":"","type":108}`,
		`@nix {"action":"msg","level":0,"msg":"\u001b[31;1merror:\u001b[0m derivation '\u001b[35;1m/nix/store/a.drv\u001b[0m' may not be deterministic: output '/s/nix/store/a' differs from '/s/nix/store/a.check'","raw_msg":"x"}`,
		`@nix {"action":"msg","level":0,"msg":"note: keeping build directory '/tmp/nix-build-a.drv-0'"}`,
		`@nix {"action":"msg","level":1,"msg":"\u001b[35;1mwarning:\u001b[0m you did not specify '--add-root'; the result might be removed by the garbage collector"}`,
		`@nix {"action":"stop","id":3}`,
		`plain words`,
		`@nix {"action":`,
		`@nix []`,
		`@nix {"action":"start","type":105}`,
		`@nix {"action":"start","type":105,"fields":[1,2]}`,
	} {
		if _, err := s.Write([]byte(line + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	if machine, ok := s.wasBuilt("/nix/store/a.drv"); !ok || machine != "ssh-ng://localhost?remote-store=/w1" {
		t.Errorf("built %v", s.built)
	}
	if server, ok := s.from("/nix/store/b"); !ok || server != "file:///c1" {
		t.Errorf("fetched %v", s.fetched)
	}
	if s.differs["/nix/store/a.drv"] != "/s/nix/store/a.check" || len(s.kept) != 1 || s.kept[0] != "/tmp/nix-build-a.drv-0" {
		t.Errorf("differs %v, kept %v", s.differs, s.kept)
	}
	want := `building '/nix/store/a.drv' on 'ssh-ng://localhost?remote-store=/w1'
building '/nix/store/a.drv'
  one line
error: derivation '/nix/store/a.drv' may not be deterministic: output '/s/nix/store/a' differs from '/s/nix/store/a.check'
note: keeping build directory '/tmp/nix-build-a.drv-0'
plain words
@nix {"action":
@nix []
`
	if out.String() != want {
		t.Errorf("log\n%s", out.String())
	}
}

// A long log keeps its end to explain a failure by.
func TestLongLog(t *testing.T) {
	s := newLog(nil)
	for i := range 20000 {
		fmt.Fprintf(s, "line %d of a long build log, with some words\n", i)
	}
	if n := s.text.Len(); n > maxText+1000 || !strings.HasSuffix(s.text.String(), "line 19999 of a long build log, with some words\n") {
		t.Errorf("%d bytes kept", n)
	}
}
