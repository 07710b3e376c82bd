package inspect

import (
	"audit/inspect/check"
	"cmp"
	"encoding/binary"
	"slices"
)

// extents are parts of a file in the order in which they were read; those that
// touch each other are one.
type extents []extent

func (e *extents) add(from, to int64) {
	if from >= to {
		return
	}
	if n := len(*e); n > 0 && from >= (*e)[n-1].from && from <= (*e)[n-1].to {
		(*e)[n-1].to = max((*e)[n-1].to, to)
		return
	}
	*e = append(*e, extent{from, to})
}

// gaps returns what of a range the extents leave out.
func (e extents) gaps(from, to int64) []extent {
	slices.SortFunc(e, func(a, b extent) int { return cmp.Compare(a.from, b.from) })
	var found []extent
	for _, x := range e {
		if at := min(x.from, to); at > from {
			found = append(found, extent{from, at})
		}
		from = max(from, x.to)
	}
	if from < to {
		found = append(found, extent{from, to})
	}
	return found
}

// leftovers takes note of bytes that no file leads to: in the part that holds
// contents, and behind the end, where there may only be zeros.
func (s *squashFS) leftovers(layer *Layer) error {
	start, err := s.dataStart()
	if err != nil {
		return err
	}
	for _, gap := range s.used.gaps(start, s.super.inodeTable) {
		at, err := s.file.firstNonZero(gap)
		if err != nil {
			return err
		}
		if at >= 0 {
			layer.notes = append(layer.notes, check.Say("integrity/unreferenced-blocks", "bytes", gap.to-gap.from, "offset", gap.from))
			break
		}
	}
	at, err := s.file.firstNonZero(extent{s.super.used, s.file.size})
	if err == nil && at >= 0 {
		layer.notes = append(layer.notes, check.Say("integrity/trailing-squashfs-data", "end", s.super.used, "first", at))
	}
	return err
}

// dataStart returns where contents may start.
func (s *squashFS) dataStart() (int64, error) {
	if s.super.flags&hasOptions == 0 {
		return superblockSize, nil
	}
	head, err := s.stored(superblockSize, 2)
	if err != nil {
		return 0, err
	}
	return superblockSize + 2 + int64(binary.LittleEndian.Uint16(head)&^0x8000), nil
}
