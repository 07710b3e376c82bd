package sbom

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect/check"
)

func item(path, name, version, output string, nar v1.Hash) Item {
	return Item{Path: path, Name: name, Version: version, Output: output, Kind: Package, NarHash: nar, Ecosystem: map[bool]Ecosystem{true: "guix", false: "nix"}[strings.HasPrefix(path, "/gnu/")]}
}

func part(e Ecosystem, name, version, arch, path string) Part {
	return Part{Key: string(e) + name + version + arch, Ecosystem: e, Name: name, Version: version, Arch: arch, Evidence: []Place{{0, path}}}
}

// before and after are two bills with a change of every kind.
func before() *Bill {
	return &Bill{
		text: check.Message.String,

		Image: Subject{Config: digest("a")},
		Items: []Item{
			item("/gnu/store/1-same-1", "same", "1", "", digest("1")),
			item("/gnu/store/1-rebuilt-1", "rebuilt", "1", "", digest("2")),
			item("/gnu/store/1-newer-1", "newer", "1", "", digest("3")),
			item("/gnu/store/1-newer-1-lib", "newer", "1", "lib", digest("4")),
			item("/gnu/store/1-gone-1", "gone", "1", "", digest("5")),
			item("/gnu/store/1-two-1", "two", "1", "", digest("6")),
			item("/gnu/store/1-two-2", "two", "2", "", digest("7")),
			item("/gnu/store/1-unknown-1", "unknown", "1", "", v1.Hash{}),
			{Path: "/gnu/store/1-profile", Name: "profile"},
		},
		Parts: []Part{part(Dpkg, "libc", "1", "amd64", "s"), part(Dpkg, "libc", "1", "i386", "s"), part("python", "numpy", "1", "", "old")},
		Gaps:  []Gap{{Place{0, "x\x1b"}, check.Say("packages/no-room")}},
	}
}

func after() *Bill {
	return &Bill{
		text: check.Message.String,

		Image: Subject{Config: digest("b")},
		Items: []Item{
			item("/gnu/store/2-same-1", "same", "1", "", digest("1")),
			item("/gnu/store/2-rebuilt-1", "rebuilt", "1", "", digest("8")),
			item("/gnu/store/2-newer-2", "newer", "2", "", digest("9")),
			item("/gnu/store/2-newer-2-lib", "newer", "2", "lib", digest("a")),
			item("/nix/store/2-gone-1", "gone", "1", "", digest("5")),
			item("/gnu/store/2-two-2", "two", "2", "", digest("7")),
			item("/gnu/store/2-two-3", "two", "3", "", digest("b")),
			item("/gnu/store/2-unknown-1", "unknown", "1", "", v1.Hash{}),
			{Path: "/gnu/store/2-profile", Name: "profile"},
		},
		Parts: []Part{part(Dpkg, "libc", "2", "amd64", "s"), part(Dpkg, "libc", "1", "i386", "s"), part("python", "numpy", "1", "", "new")},
	}
}

func TestCompare(t *testing.T) {
	c := Compare(before(), after())
	var got []string
	for _, one := range c.Changes {
		got = append(got, fmt.Sprintf("%s %s %s %s > %s", one.Kind, one.Ecosystem, one.title(), one.Was.version(), one.Now.version()))
	}
	want := []string{
		"added nix gone - > 1",
		"removed guix gone 1 > -",
		"changed dpkg libc (amd64) 1 > 2",
		"changed guix newer 1 > 2",
		"changed guix newer:lib 1 > 2",
		"changed guix two 1 > 3",
		"rebuilt guix rebuilt 1 > 1",
		"rebuilt guix unknown 1 > 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c.Same != 4 || len(c.Gaps) != 1 || c.Was != digest("a").String() || c.Now != digest("b").String() {
		t.Errorf("%d the same, gaps %q, images %s and %s", c.Same, c.Gaps, c.Was, c.Now)
	}
	var text bytes.Buffer
	if err := c.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"rebuilt  guix  rebuilt       1 sha256:222222222222…  1 sha256:888888888888…",
		"1 added, 1 removed, 4 with another version, 2 of the same version with another content, 4 the same",
		`not looked into: first image: x\x1b in layer 0: packages/no-room.`,
	} {
		if !strings.Contains(text.String(), line+"\n") {
			t.Errorf("the table has no line %q:\n%s", line, text.String())
		}
	}
}

// A bill has no changes to itself, and the way back is the way there turned
// round.
func TestCompareProperties(t *testing.T) {
	list := bills(t)
	list["before"], list["after"] = before(), after()
	for name, b := range list {
		if c := Compare(b, b); len(c.Changes) > 0 {
			t.Errorf("%s: changes to itself: %+v", name, c.Changes)
		}
		there, back := Compare(b, list["tiny"]), Compare(list["tiny"], b)
		turned := slices.Clone(back.Changes)
		for i := range turned {
			one := &turned[i]
			one.Was, one.Now = one.Now, one.Was
			switch one.Kind {
			case Added:
				one.Kind = Removed
			case Removed:
				one.Kind = Added
			}
		}
		slices.SortFunc(turned, compareChanges)
		if diff := cmp.Diff(there.Changes, turned); diff != "" || there.Same != back.Same {
			t.Errorf("%s: the way back (-there +back):\n%s", name, diff)
		}
	}
}

func TestChangesJSON(t *testing.T) {
	c := Compare(before(), after())
	var out bytes.Buffer
	if err := c.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var again Changes
	if err := json.Unmarshal(out.Bytes(), &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*c, again); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	out.Reset()
	if err := Compare(before(), before()).WriteJSON(&out); err != nil || !strings.Contains(out.String(), `"changes": []`) {
		t.Errorf("no changes are not an empty list: %v\n%s", err, out.String())
	}
	var kind ChangeKind
	if kind.UnmarshalText([]byte("other")) == nil {
		t.Error("other is taken for a kind of change")
	}
	full := errors.New("the disk is full")
	if err := c.WriteText(failing{full}); !errors.Is(err, full) {
		t.Errorf("error %v, want that of the writer", err)
	}
}
