package sif

import (
	"errors"
	"fmt"

	"audit/inspect/check"
	"audit/inspect/image"
	"audit/inspect/record"
	"audit/inspect/squashfs"
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

// architecture returns that of a partition, as Go names it; "" for none that is
// known (sylabs/sif v2.24.1, pkg/sif/arch.go).
func (o *object) architecture() string {
	names := [...]string{"386", "amd64", "arm", "arm64", "ppc64", "ppc64le", "mips", "mipsle", "mips64", "mips64le", "s390x", "riscv64"}
	n := int(o.extra[8]-'0')*10 + int(o.extra[9]-'0')
	if o.extra[10] != 0 || n < 1 || n > len(names) {
		return ""
	}
	return names[n-1]
}

func fileSystemName(n uint32) string {
	names := [...]string{"squashfs", "ext3", "an archive", "raw data", "an encrypted squashfs"}
	if n-1 < uint32(len(names)) {
		return names[n-1]
	}
	return fmt.Sprintf("file system number %d", n)
}

// readPartitions reads the primary partition, the system that is run, as the
// one layer. Other partitions may change what a container sees and are not read:
// that is undecided.
func (s *reader) readPartitions() error {
	var primary *object
	for _, o := range s.objects {
		if o.kind != partitionKind {
			continue
		}
		kind, role := o.partition()
		switch {
		case role != primaryRole:
			s.img.Problems = append(s.img.Problems, check.Find(check.Undecided, -1, "", "integrity/unread-partition",
				"object", o.name, "file-system", fileSystemName(kind)))
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
	if arch := primary.architecture(); arch != "" {
		s.img.Config.File.OS, s.img.Config.File.Architecture = "linux", arch
	}
	s.img.Layers, s.img.Members = []*image.Layer{layer}, s.members()
	return nil
}
