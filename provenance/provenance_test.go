package provenance

import (
	"errors"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
	"audit/provenance/ospackages"
)

// answer is a system that always says the same.
type answer struct {
	ev  *Evidence
	err error
}

func (a answer) Recover(_, _ *inspect.Image) (*Evidence, error) { return a.ev, a.err }

func TestRecover(t *testing.T) {
	mine := &Evidence{Recipe: Recipe{System: "guix"}}
	other := &Evidence{Recipe: Recipe{System: "nix"}}
	broken := errors.New("broken")
	for _, tc := range []struct {
		name    string
		systems []System
		want    SystemName
		err     error
	}{
		{"the first that knows it", []System{answer{err: ErrNotMine}, answer{ev: mine}, answer{ev: other}}, "guix", nil},
		{"an error that is fatal", []System{answer{err: broken}, answer{ev: mine}}, "", broken},
		{"none", []System{answer{err: ErrNotMine}}, UnknownSystem, nil},
		{"no system at all", nil, UnknownSystem, nil},
	} {
		ev, err := Recover(&inspect.Image{}, nil, tc.systems)
		if !errors.Is(err, tc.err) {
			t.Errorf("%s: error %v", tc.name, err)
		}
		if err == nil && ev.Recipe.System != tc.want {
			t.Errorf("%s: system %s, want %s", tc.name, ev.Recipe.System, tc.want)
		}
	}
}

// The package databases are read once: by the system, else here.
func TestRecoverInstalled(t *testing.T) {
	own := new(ospackages.Installed)
	for name, tc := range map[string]struct {
		systems []System
		same    bool
	}{
		"the system's own":       {[]System{answer{err: ErrNotMine}, answer{ev: &Evidence{Installed: own}}}, true},
		"a system that has none": {[]System{answer{ev: &Evidence{}}}, false},
		"no system":              {nil, false},
	} {
		ev, err := Recover(&inspect.Image{}, nil, tc.systems)
		if err != nil || ev.Installed == nil || (ev.Installed == own) != tc.same {
			t.Errorf("%s: %+v, %v", name, ev, err)
		}
	}
}

// An image that no system knows is no success.
func TestRecoverNothing(t *testing.T) {
	ev, err := Recover[System](&inspect.Image{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ev.Recipe.Status != None || ev.Recover.Status != check.Unknown || ev.Closure.Status != check.Skipped {
		t.Errorf("recipe %s, checks %v and %v", ev.Recipe.Status, ev.Recover.Status, ev.Closure.Status)
	}
	if ev.Recover.ID != check.Recipe || ev.Closure.ID != check.Closure || len(ev.Closure.Reasons) == 0 {
		t.Errorf("checks %+v and %+v", ev.Recover, ev.Closure)
	}
}

// What evaluating a recipe shows to be missing makes it partial, and the package that
// no channel has is none of theirs.
func TestLacks(t *testing.T) {
	for _, tc := range []struct {
		was, want Status
		check     check.Status
	}{
		{Complete, Partial, check.Pass}, {Partial, Partial, check.Unknown}, {None, None, check.Unknown}, {Partial, Partial, check.Fail},
	} {
		channel := &Channel{Name: "c"}
		ev := &Evidence{
			Recipe:  Recipe{Status: tc.was, Packages: []Package{{Name: "mine", Channel: "c", Origin: channel}, {Name: "theirs", Channel: "c", Origin: channel}}},
			Recover: check.Check{ID: check.Recipe, Status: tc.check, Reasons: []check.Message{check.Say("recipe/complete")}},
		}
		missing := check.Say("recipe/package-not-in-channels", "package", "mine")
		ev.Lacks("mine", missing)
		wantCheck, reasons := tc.check, 2
		if tc.check == check.Pass {
			wantCheck, reasons = check.Unknown, 1
		}
		if ev.Recipe.Status != tc.want || ev.Recover.Status != wantCheck || len(ev.Recover.Reasons) != reasons || len(ev.Recover.Findings) != 1 || len(ev.Recipe.Missing) != 1 {
			t.Errorf("%s, %s: %s, %+v", tc.was, tc.check, ev.Recipe.Status, ev.Recover)
		}
		if mine, theirs := ev.Recipe.Packages[0], ev.Recipe.Packages[1]; mine.Origin != nil || mine.Channel != "" || theirs.Origin != channel {
			t.Errorf("packages %+v, %+v", mine, theirs)
		}
	}
}
