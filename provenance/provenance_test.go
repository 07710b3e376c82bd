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
