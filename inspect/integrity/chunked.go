package integrity

import (
	"fmt"
	"slices"
	"strings"

	"audit/inspect/check"
	"audit/inspect/compression"
	"audit/inspect/image"
)

// counterBytes is the data of the frame that pzstd writes before each block: its size.
const counterBytes = 4

// chunkedFindings compares the skippable frames of a layer with what its descriptor
// claims of zstd:chunked. Nothing that an engine unpacks comes out of them; those that
// nothing claims are not known.
func chunkedFindings(l *image.Layer, found *check.List) {
	left := slices.DeleteFunc(slices.Clone(l.Skipped), func(f compression.SkippedFrame) bool { return f.Size <= counterBytes })
	if c := l.Chunked; c != nil {
		if n := len(left); n > 0 && left[n-1].Footer && left[n-1].Size <= 64 {
			left = left[:n-1]
		}
		left = claimedFrame(l, left, c.Position, c.Checksum, found)
		if c.SplitChecksum != "" {
			left = claimedFrame(l, left, c.SplitPosition, c.SplitChecksum, found)
		}
	}
	if len(left)+l.MoreSkipped == 0 {
		return
	}
	bytes := int64(0)
	for _, f := range left {
		bytes += f.Size
	}
	found.Undecided(l.Index, l.Member, "integrity/skippable-frames", "count", len(left)+l.MoreSkipped, "bytes", bytes)
}

// claimedFrame finds the frame at a position among those that are left, compares its
// digest, and returns the others.
func claimedFrame(l *image.Layer, left []compression.SkippedFrame, position, checksum string, found *check.List) []compression.SkippedFrame {
	i := slices.IndexFunc(left, func(f compression.SkippedFrame) bool {
		return strings.HasPrefix(position+":", fmt.Sprintf("%d:%d:", f.Offset, f.Size))
	})
	if i < 0 {
		found.Undecided(l.Index, l.Member, "integrity/chunked-missing", "position", position, "claimed", checksum)
		return left
	}
	if sum := fmt.Sprintf("sha256:%x", left[i].Sum); sum != checksum {
		found.Problem(l.Index, l.Member, "integrity/chunked-mismatch", "claimed", checksum, "computed", sum)
	} else {
		found.Note(l.Index, l.Member, "integrity/chunked", "digest", checksum)
	}
	return slices.Delete(left, i, i+1)
}
