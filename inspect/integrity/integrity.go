package integrity

import (
	"audit/inspect/check"
	"audit/inspect/compression"
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/pass"
	"audit/inspect/store"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Conclude draws from all layers what none of them shows alone: the store
// items with their references, and the findings of the integrity check.
// The error is a [limit.Error].
func Conclude(p *pass.Pass, img *image.Image) error {
	link(p, img)
	named := digest.InName(img.Config.Member)
	if named.Hex != "" && named != img.Config.Digest && (img.Transport == image.DockerArchive || img.Transport.IsEngine()) {
		img.Problems = append(img.Problems, check.Find(check.Problem, -1, img.Config.Member,
			"integrity/config-digest-mismatch", "computed", img.Config.Digest))
	}
	for _, key := range pass.RepeatedKeys(img.Config.Raw, engineConfig{}) {
		img.Problems = append(img.Problems, check.Find(check.Problem, -1, img.Config.Member,
			"integrity/ambiguous-key", "document", "image config", "key", key))
	}
	if claimed := len(img.Config.File.RootFS.DiffIDs); img.Claims() && claimed != len(img.Layers) {
		img.Problems = append(img.Problems, check.Find(check.Problem, -1, img.Config.Member,
			"integrity/diffid-count", "claimed", claimed, "layers", len(img.Layers)))
	}
	for _, l := range img.Layers {
		img.Problems = append(img.Problems, problems(l, img)...)
	}
	img.Problems = append(img.Problems, dropped(p, img)...)
	if p.DropsNotes() {
		img.DropNotes()
	}
	root, err := img.Fold()
	img.Problems = append(img.Problems, root.Problems()...)
	return err
}

// dropped reports contents that are not kept.
func dropped(p *pass.Pass, img *image.Image) []check.Finding {
	if !p.DropsOptional() {
		return nil
	}
	img.DropOptional()
	found := check.List{Notes: check.Alike}
	for _, d := range img.Dropped {
		found.Note(d.Layer, d.Path, "integrity/content-dropped", "limit", p.Limits.OptionalBytes)
	}
	return found.All()
}

// engineConfig has the fields of a config that one engine or another decodes (moby
// image.Image and container.Config, OCI image-spec v1.1 config.md).
type engineConfig struct {
	v1.ConfigFile
	ID              string    `json:"id"`
	Parent          string    `json:"parent"`
	Comment         string    `json:"comment"`
	ContainerConfig v1.Config `json:"container_config"`
	Config          struct {
		v1.Config
		StopTimeout *int
	} `json:"config"`
}

func link(p *pass.Pass, img *image.Image) {
	found := make([]store.Found, len(img.Layers))
	for i, l := range img.Layers {
		found[i], l.Stores = l.Stores, store.Found{}
	}
	img.Stores = p.Hashes.Dirs
	links := store.Link(found, img.Config.Raw, p.Hashes)
	img.Items, img.Dangling, img.Loose = links.Items, links.Dangling, links.Loose
}

// problems compares what is claimed of a layer with what was computed.
func problems(l *image.Layer, img *image.Image) []check.Finding {
	var found check.List
	switch {
	case l.Absent && l.Elsewhere != "":
		found.Undecided(l.Index, l.Member, "integrity/layer-elsewhere", "address", l.Elsewhere)
		return found.All()
	case l.Absent:
		found.Undecided(l.Index, l.Member, "integrity/layer-absent", "media-type", string(l.MediaType))
		return found.All()
	}
	if l.Gzip != nil && l.Gzip.Unread > 0 {
		found.Undecided(l.Index, l.Member, "integrity/gzip-header-bytes", "bytes", l.Gzip.Unread)
	}
	unread := l.Unknown && l.Broken != nil // of what is not known to be a tar, a diffID may be anything
	switch {
	case unread:
		found.Undecided(l.Index, l.Member, "integrity/layer-unread", "media-type", string(l.MediaType))
	case l.Unknown:
		found.Undecided(l.Index, l.Member, "integrity/media-type-unknown", "media-type", string(l.MediaType))
	}
	if !unread && img.Claims() {
		diffIDFindings(l, &found)
	}
	if actual := digestBy(l, l.ClaimedDigest.Algorithm); l.ClaimedDigest.Hex != "" && l.ClaimedDigest != actual {
		found.Problem(l.Index, l.Member, "integrity/digest-mismatch", "claimed", l.ClaimedDigest, "computed", actual)
	}
	if l.Broken != nil && !unread {
		found.Problem(l.Index, l.Member, "integrity/broken-layer", "error", l.Broken)
	}
	if l.Unended && !unread {
		endFindings(l, img, &found)
	}
	for _, note := range l.Notes {
		found.Append(check.Finding{Message: note, Level: check.Problem, Layer: l.Index, Path: l.Member})
	}
	for _, f := range l.Remarks {
		f.Layer = l.Index
		found.Append(f)
	}
	if !unread {
		chunkedFindings(l, &found)
	}
	if l.TOC != nil && !unread {
		tocFindings(l, &found)
	}
	entryFindings(l, &found)
	return found.All()
}

// diffIDFindings compares the diffID that the config claims with that of the bytes.
func diffIDFindings(l *image.Layer, found *check.List) {
	switch {
	case l.ClaimedDiffID.Hex == "":
		found.Problem(l.Index, l.Member, "integrity/diffid-missing")
	case l.ClaimedDiffID.Algorithm != "sha256":
		found.Undecided(l.Index, l.Member, "integrity/diffid-algorithm", "claimed", l.ClaimedDiffID, "computed", l.DiffID)
	case l.ClaimedDiffID != l.DiffID:
		found.Problem(l.Index, l.Member, "integrity/diffid-mismatch", "claimed", l.ClaimedDiffID, "computed", textOf(l.DiffID))
	}
}

// endFindings judges a tar without its end: it is whole where a diffID says so, and may be
// where nothing is claimed.
func endFindings(l *image.Layer, img *image.Image, found *check.List) {
	switch {
	case img.Claims() && l.ClaimedDiffID == l.DiffID:
		found.Note(l.Index, l.Member, "integrity/unended-whole-layer", "diffid", l.DiffID)
	case img.Claimless:
		found.Note(l.Index, l.Member, "integrity/unended-whole-layer")
	default:
		found.Problem(l.Index, l.Member, "integrity/unended-layer")
	}
}

// tocFindings compares the table of contents of eStargz with what is claimed of it.
// One that follows the end of the tar is nothing that an engine unpacks; without a
// claim nothing says that it belongs there.
func tocFindings(l *image.Layer, found *check.List) {
	toc := l.TOC
	switch {
	case toc.Digest.Hex == "":
		found.Undecided(l.Index, l.Member, "integrity/toc-missing", "claimed", toc.Claimed)
		return
	case toc.Claimed == "" && toc.Appended:
		found.Undecided(l.Index, l.Member, "integrity/toc-unclaimed", "computed", toc.Digest)
	case toc.Claimed == "":
		return
	case toc.Claimed != toc.Digest.String():
		found.Problem(l.Index, l.Member, "integrity/toc-digest-mismatch", "claimed", toc.Claimed, "computed", toc.Digest)
	default:
		found.Note(l.Index, l.Member, "integrity/toc", "digest", toc.Digest)
	}
	switch {
	case toc.Differs != "":
		found.Problem(l.Index, toc.Differs, "integrity/toc-differs")
	case toc.Appended && toc.Unread:
		found.Undecided(l.Index, l.Member, "integrity/toc-unread")
	}
	if toc.Appended && !toc.Footer && l.Compression == compression.Gzip {
		found.Note(l.Index, l.Member, "integrity/toc-without-footer")
	}
}

// textOf returns a digest as text, "" where there is none.
func textOf(h v1.Hash) string {
	if h.Hex == "" {
		return ""
	}
	return h.String()
}

// digestBy returns the digest of the blob by an algorithm, SHA-256 when it was
// hashed by no other.
func digestBy(l *image.Layer, algorithm string) v1.Hash {
	if l.OtherDigest.Algorithm == algorithm && algorithm != "" {
		return l.OtherDigest
	}
	return l.Digest
}
