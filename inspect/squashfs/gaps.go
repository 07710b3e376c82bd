package squashfs

import (
	"cmp"
	"encoding/binary"
	"slices"

	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/pass"
)

// extents are parts of a file in the order in which they were read; those that
// touch each other are one.
type extents []pass.Extent

func (e *extents) add(from, to int64) {
	if from >= to {
		return
	}
	if n := len(*e); n > 0 && from >= (*e)[n-1].From && from <= (*e)[n-1].To {
		(*e)[n-1].To = max((*e)[n-1].To, to)
		return
	}
	*e = append(*e, pass.Extent{From: from, To: to})
}

// gaps returns what of a range the extents leave out.
func (e extents) gaps(from, to int64) []pass.Extent {
	slices.SortFunc(e, func(a, b pass.Extent) int { return cmp.Compare(a.From, b.From) })
	var found []pass.Extent
	for _, x := range e {
		if at := min(x.From, to); at > from {
			found = append(found, pass.Extent{From: from, To: at})
		}
		from = max(from, x.To)
	}
	if from < to {
		found = append(found, pass.Extent{From: from, To: to})
	}
	return found
}

// leftovers takes note of bytes that no file leads to: in the part that has
// contents, and behind the end, where there may only be zeros.
func (s *fileSystem) leftovers(layer *image.Layer) error {
	start, err := s.dataStart()
	if err != nil {
		return err
	}
	for _, gap := range s.used.gaps(start, s.super.inodeTable) {
		at, err := s.file.FirstNonZero(gap)
		if err != nil {
			return err
		}
		if at >= 0 {
			layer.Notes = append(layer.Notes, check.Say("integrity/unreferenced-blocks", "bytes", gap.To-gap.From, "offset", gap.From))
			break
		}
	}
	at, err := s.file.FirstNonZero(pass.Extent{From: s.super.used, To: s.file.Size})
	if err == nil && at >= 0 {
		layer.Notes = append(layer.Notes, check.Say("integrity/trailing-squashfs-data", "end", s.super.used, "first", at))
	}
	return err
}

// dataStart returns where contents may start.
func (s *fileSystem) dataStart() (int64, error) {
	if s.super.flags&hasOptions == 0 {
		return superblockSize, nil
	}
	head, err := s.stored(superblockSize, 2)
	if err != nil {
		return 0, err
	}
	return superblockSize + 2 + int64(binary.LittleEndian.Uint16(head)&^0x8000), nil
}
