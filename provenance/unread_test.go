package provenance

import (
	"errors"
	"testing"

	"audit/inspect"
	"audit/inspect/check"
)

// TestUnreadLayer: a layer of another kind was not read at all, and a damaged one in part.
func TestUnreadLayer(t *testing.T) {
	broken := errors.New("it is not a tar archive")
	for want, l := range map[string]*inspect.Layer{
		"closure/layer-not-read": {Unknown: true, MediaType: "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", Broken: broken},
		"closure/layer-unread":   {Broken: broken, Entries: []*inspect.Entry{{Path: "a"}}},
	} {
		if f := UnreadLayer(l); f.Code != want || f.Level != check.Undecided {
			t.Errorf("%+v: %+v", l, f)
		}
	}
	if f := UnreadLayer(&inspect.Layer{Absent: true, Broken: broken}); f.Code != "closure/layer-not-read" {
		t.Errorf("a layer that lies elsewhere: %+v", f)
	}
}

// TestOfWhatWasRead: an image of which no layer could be read does not lack entries, and
// what is counted of one that was read in part is said to be that.
func TestOfWhatWasRead(t *testing.T) {
	unread := &inspect.Layer{Index: 1, Unknown: true, MediaType: "application/x", Broken: errors.New("no tar")}
	layers := []*inspect.Layer{{}, unread}
	empty := check.Check{ID: check.Closure, Status: check.Unknown, Reasons: []check.Message{check.Say("closure/no-entries")}}
	got := OfWhatWasRead(empty, layers)
	if len(got.Reasons) != 1 || got.Reasons[0].Code != "closure/layers-unread" || got.Reasons[0].Args.Strings("unread")[0] != "layer 1" {
		t.Errorf("%+v", got.Reasons)
	}
	if empty.Reasons[0].Code != "closure/no-entries" {
		t.Error("the check that was given is another")
	}
	counted := check.Check{ID: check.Closure, Reasons: []check.Message{check.Say("closure/explained")}}
	if got := OfWhatWasRead(counted, layers); len(got.Reasons) != 2 || got.Reasons[1].Code != "closure/explained" {
		t.Errorf("%+v", got.Reasons)
	}
	if got := OfWhatWasRead(empty, layers[:1]); got.Reasons[0].Code != "closure/no-entries" {
		t.Errorf("all was read: %+v", got.Reasons)
	}
	if got := OfWhatWasRead(check.Skip(check.Closure, "closure/no-recipe"), layers); len(got.Reasons) != 1 {
		t.Errorf("skipped: %+v", got.Reasons)
	}
}
