package compare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/rebuild/compare/explain"
	"audit/rebuild/compare/jsondiff"
)

// fields compares two JSON documents value by value and returns what differs,
// sorted by field.
func fields(was, now []byte) []FieldDifference {
	found, more := jsondiff.Diff(was, now)
	var out []FieldDifference
	for _, f := range found {
		out = append(out, FieldDifference{Field: f.Path, Was: f.Was, Now: f.Now})
	}
	if more > 0 {
		out = append(out, FieldDifference{Field: "…", Was: "null", Now: strconv.Quote(fmt.Sprintf("%d more fields differ", more))})
	}
	return out
}

// decodedConfig compares the configs as engines decode them, whose reader takes
// the last of keys that differ in case alone: the same keys in another order can be
// another user or another entry point. It notes what no field has shown.
func (w *walk) decodedConfig() {
	was, now := obeyed(w.a.img.Config.File), obeyed(w.b.img.Config.File)
	if bytes.Equal(was, now) || slices.ContainsFunc(w.out.Config, func(f FieldDifference) bool { return !f.Cause.Harmless() }) {
		return
	}
	w.out.Config = append(w.out.Config, FieldDifference{Field: "config", Was: string(was), Now: string(now), Cause: Content})
}

// obeyed is what an engine obeys of a config, as JSON: all but what says how the
// image was made.
func obeyed(c v1.ConfigFile) []byte {
	text, _ := json.Marshal(v1.ConfigFile{Architecture: c.Architecture, OS: c.OS, OSVersion: c.OSVersion, Variant: c.Variant, OSFeatures: c.OSFeatures, Config: obeyedConfig(c.Config)})
	return text
}

// configCause says why a field of the config differs. A diffID follows from
// its layer when it is that layer's true one; a false one does not.
func (w *walk) configCause(f *FieldDifference) Cause {
	switch {
	case w.trueDiffIDs(f):
		return Derived
	case isTime(f.Was) && isTime(f.Now) && isCreation(f.Field):
		return Timestamp
	case isBuildersOwn(f.Field, f.Was) && isBuildersOwn(f.Field, f.Now), sameButSums(f), w.converted(f), startsInRoot(f):
		return Packaging
	case f.Now == "":
		return Missing
	case f.Was == "":
		return Extra
	}
	return Content
}

var (
	containerID = regexp.MustCompile(`^"[0-9a-f]{64}"$`)
	shortID     = regexp.MustCompile(`^"[0-9a-f]{12}"$`)
	imageID     = regexp.MustCompile(`^"sha256:[0-9a-f]{64}"$`)
	fromID      = regexp.MustCompile(`^"FROM [0-9a-f]{12}"$`)
	historyNote = regexp.MustCompile(`^history\[[0-9]+\]\.comment$`)
)

// isBuildersOwn says whether a field holds a name that a builder made up for
// its own use, and no engine ever obeys: the container that the classic builder
// of Docker ran, the image before the last instruction, whose name depends on
// the time (Docker 20.10, image/image.go, V1Image), and the same image as
// buildah notes it in the history (buildah 1.28, imagebuildah).
func isBuildersOwn(field, text string) bool {
	switch field {
	case "container":
		return containerID.MatchString(text)
	case "container_config.Hostname":
		return shortID.MatchString(text)
	case "container_config.Image", "config.Image":
		return imageID.MatchString(text)
	}
	return historyNote.MatchString(field) && fromID.MatchString(text)
}

// startsInRoot says whether a field is the folder in which a container starts, and both are the
// root: without a word of the config engines take that (moby daemon/oci_linux.go, containerd
// pkg/cri WithProcessCwd), and some builders write it.
func startsInRoot(f *FieldDifference) bool {
	isRoot := func(text string) bool { return text == "" || text == "null" || text == `""` || text == `"/"` }
	return f.Field == "config.WorkingDir" && isRoot(f.Was) && isRoot(f.Now)
}

// look looks into the values of a field that differs by content, and returns
// the cause that it finds there, if it is the only one.
func (f *FieldDifference) look(inside *explain.Explainer, cause Cause) Cause {
	if cause != Content {
		return cause
	}
	found := byCause(Difference{Cause: Content}, inside.Explain("", []byte(f.Was), []byte(f.Now)))
	if len(found) != 1 {
		return Content
	}
	return found[0].Cause
}

var (
	copySum   = regexp.MustCompile(`\b(file|dir|multi):[0-9a-f]{64} in `)
	copyField = regexp.MustCompile(`^(history\[[0-9]+\]\.created_by|container_config\.Cmd\[[0-9]+\])$`)
)

// sameButSums says whether a field is the same instruction, and differs only in
// the sum of what was copied. Docker and buildah take it over the headers of the
// context too, in which each version of the client writes other things, and the
// modes and owners of the folder that was sent (Docker 20.10, pkg/tarsum). What
// became of the files is compared in the layers.
func sameButSums(f *FieldDifference) bool {
	if !copyField.MatchString(f.Field) || !copySum.MatchString(f.Was) {
		return false
	}
	const same = "$1:SUM in "
	return copySum.ReplaceAllString(f.Was, same) == copySum.ReplaceAllString(f.Now, same)
}

// trueDiffIDs says whether a field is a diffID, or all of them in another
// order, and both sides have those of their layers.
func (w *walk) trueDiffIDs(f *FieldDifference) bool {
	const list = "rootfs.diff_ids"
	if f.Field == list {
		return w.a.hasDiffIDs(f.Was) && w.b.hasDiffIDs(f.Now)
	}
	index, ok := strings.CutPrefix(f.Field, list+"[")
	i, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
	return ok && err == nil && f.Field == fmt.Sprintf("%s[%d]", list, i) && w.a.hasDiffID(i, f.Was) && w.b.hasDiffID(i, f.Now)
}

// hasDiffIDs says whether the layers have the diffIDs that a JSON array lists.
func (s *side) hasDiffIDs(array string) bool {
	var ids []string
	if json.Unmarshal([]byte(array), &ids) != nil || len(ids) != len(s.img.Layers) {
		return false
	}
	for i, id := range ids {
		if !s.hasDiffID(i, strconv.Quote(id)) {
			return false
		}
	}
	return true
}

// hasDiffID says whether layer i has the diffID that the JSON text names. No
// text is right where the config lists as many diffIDs as there are layers.
func (s *side) hasDiffID(i int, text string) bool {
	if text == "" {
		return len(s.img.Config.File.RootFS.DiffIDs) == len(s.img.Layers)
	}
	if i >= len(s.img.Layers) {
		return false
	}
	id := s.img.Layers[i].DiffID
	return id != v1.Hash{} && text == strconv.Quote(id.String())
}

// isCreation says whether a field holds a time of creation (OCI image-spec
// v1.1, config.md: "created" of the image and of each entry of its history).
func isCreation(field string) bool {
	if field == "created" {
		return true
	}
	rest, ok := strings.CutPrefix(field, "history[")
	index, last, found := strings.Cut(rest, "]")
	_, err := strconv.Atoi(index)
	return ok && found && err == nil && last == ".created"
}

// isTime says whether a JSON text is a string in the form of RFC 3339, or
// nothing at all.
func isTime(text string) bool {
	if text == "" || text == "null" {
		return true
	}
	var t v1.Time
	return json.Unmarshal([]byte(text), &t) == nil
}
