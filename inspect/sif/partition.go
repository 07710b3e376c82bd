package sif

import (
	"audit/inspect/image"
	"audit/inspect/record"
	"audit/inspect/squashfs"
	"errors"
	"fmt"
)

// The file systems and roles that partitions have.
const (
	squashfsPartition = 1
	primaryRole       = 2
)

// partition returns what a partition's descriptor says of it.
func (o *object) partition() (fileSystem, role uint32) {
	f := record.Fields{B: o.extra}
	return f.U32(), f.U32()
}

func fileSystemName(n uint32) string {
	names := [...]string{"squashfs", "ext3", "an archive", "raw data", "an encrypted squashfs"}
	if n-1 < uint32(len(names)) {
		return names[n-1]
	}
	return fmt.Sprintf("file system number %d", n)
}

// readPartitions reads the primary partition, the system that is run, as the
// one layer. Other partitions change what a container sees and are not read:
// that is a problem.
func (s *reader) readPartitions() error {
	var primary *object
	for _, o := range s.objects {
		if o.kind != partitionKind {
			continue
		}
		kind, role := o.partition()
		switch {
		case role != primaryRole:
			s.problem("integrity/unread-partition", "object", o.name, "file-system", fileSystemName(kind))
		case primary != nil:
			return fmt.Errorf("objects %s and %s are both its primary partition", primary.name, o.name)
		default:
			primary = o
		}
	}
	if primary == nil {
		return errors.New("it has no primary partition, and no OCI image")
	}
	if kind, _ := primary.partition(); kind != squashfsPartition {
		return fmt.Errorf("its primary partition, object %s, is %s: audit reads squashfs", primary.name, fileSystemName(kind))
	}
	layer, err := squashfs.ReadLayer(s.pass, s.file.Section(primary.Extent), primary.name)
	if err != nil {
		return fmt.Errorf("reading object %s: %w", primary.name, err)
	}
	layer.Digest, primary.referenced = primary.digest, true
	s.img.Layers, s.img.Members = []*image.Layer{layer}, s.members()
	return nil
}
