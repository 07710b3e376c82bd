package base

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/image"
)

// debianLine matches the line that the makers of Debian's official images leave in the
// history (docker-library/debuerreotype, examples/debian.sh).
var debianLine = regexp.MustCompile(`^# debian\.sh ((?:--[a-z-]+(?: '[A-Za-z0-9.+-]*')? )*)'?out/?'? '([a-z][a-z0-9-]*)' '@([0-9]{1,11})'$`)

// An Epoch is what the history says that a debuerreotype image was made of.
type Epoch struct {
	Suite string
	At    time.Time
	// Command makes the same again, in a checkout of debuerreotype of the version that
	// the history names.
	Command string
}

// DebianEpoch reads it from the history.
func DebianEpoch(img *inspect.Image) (e Epoch, line int, ok bool) {
	for n, h := range img.Config.File.History {
		m := debianLine.FindStringSubmatch(strings.TrimSpace(h.CreatedBy))
		if m == nil {
			continue
		}
		seconds, err := strconv.ParseInt(m[3], 10, 64)
		command := fmt.Sprintf("./docker-run.sh ./examples/debian.sh %sout '%s' '@%s'", m[1], m[2], m[3])
		return Epoch{m[2], time.Unix(seconds, 0).UTC(), command}, n, err == nil
	}
	return Epoch{}, 0, false
}

// Files that debuerreotype and its forerunner write for engines.
const aptConf = "etc/apt/apt.conf.d/docker-"

// debuerreotype looks for what makes Debian's official images. Its images have a date
// that no file of theirs is younger than.
func (r *reader) debuerreotype() {
	files := r.aptConfigs()
	epoch, line, ok := DebianEpoch(r.img)
	if !ok {
		if len(files) > 0 {
			r.note(-1, "", "recipe/base-maker-files", "maker", "the makers of official Debian and Ubuntu images", "files", files)
		}
		return
	}
	stamp := epoch.At.Format(time.RFC3339)
	r.note(-1, "", "recipe/base-debuerreotype", "suite", epoch.Suite, "epoch", stamp, "tool", check.Brief(r.img.Config.File.History[line].Comment), "files", files)
	r.note(-1, "", "recipe/base-again", "command", epoch.Command)
	r.clamped(epoch, line)
	tag := epoch.Suite + "-" + epoch.At.Format("20060102")
	if _, slim := r.img.Root().Lookup("etc/dpkg/dpkg.cfg.d/docker"); slim {
		tag += "-slim"
	}
	r.base.Set("debian:"+tag, "", Trace)
	r.base.At(line+1+r.emptyAfter(line), Trace)
}

// aptConfigs lists the settings of apt that makers of images write into the first layer.
func (r *reader) aptConfigs() (found []string) {
	folder, names, _ := r.img.Root().Folder(path.Dir(aptConf))
	for _, name := range names {
		p := path.Join(folder, name)
		if f, ok := r.img.Root().Lookup(p); ok && f.Layer == 0 && strings.HasPrefix(p, aptConf) && len(found) < 10 {
			found = append(found, check.Brief(p))
		}
	}
	return found
}

// clamped compares the dates of the layer that the line made with the epoch.
func (r *reader) clamped(epoch Epoch, line int) {
	layer := r.layerOf(line)
	if layer < 0 {
		return
	}
	var younger, same int
	var first *image.Entry
	for _, e := range r.img.Layers[layer].Entries {
		switch {
		case e.ModTime > epoch.At.Unix():
			if younger++; first == nil {
				first = e
			}
		case e.ModTime == epoch.At.Unix():
			same++
		}
	}
	if younger > 0 {
		r.note(layer, first.Path, "recipe/base-epoch-differs", "entries", younger, "epoch", epoch.At.Format(time.RFC3339))
		return
	}
	r.note(layer, "", "recipe/base-epoch", "entries", same, "epoch", epoch.At.Format(time.RFC3339))
}

// layerOf is the layer that a line of the history made, -1 for none.
func (r *reader) layerOf(line int) int {
	layer := 0
	for _, h := range r.img.Config.File.History[:line] {
		if !h.EmptyLayer {
			layer++
		}
	}
	if r.img.Config.File.History[line].EmptyLayer || layer >= len(r.img.Layers) {
		return -1
	}
	return layer
}

// emptyAfter counts the lines after one that made no layer and are of the same time: the
// base's own.
func (r *reader) emptyAfter(line int) (n int) {
	all := r.img.Config.File.History
	for _, h := range all[line+1:] {
		if !h.EmptyLayer || !h.Created.Equal(all[line].Created.Time) {
			break
		}
		n++
	}
	return n
}
