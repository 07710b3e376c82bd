package inspect

import (
	"errors"
	"fmt"
)

// The file systems and roles that partitions have.
const (
	sifSquashFS = 1
	sifPrimary  = 2
)

// partition returns what a partition's descriptor says of it.
func (o *sifObject) partition() (fileSystem, role uint32) {
	f := fields{o.extra}
	return f.u32(), f.u32()
}

func sifFileSystem(n uint32) string {
	names := [...]string{"squashfs", "ext3", "an archive", "raw data", "an encrypted squashfs"}
	if n-1 < uint32(len(names)) {
		return names[n-1]
	}
	return fmt.Sprintf("file system number %d", n)
}

// readPartitions reads the primary partition, the system that is run, as the
// one layer. Other partitions change what a container sees and are not read:
// that is a problem.
func (s *sifReader) readPartitions() error {
	var primary *sifObject
	for _, o := range s.objects {
		if o.kind != sifPartition {
			continue
		}
		kind, role := o.partition()
		switch {
		case role != sifPrimary:
			s.problem("integrity/unread-partition", "object", o.name, "file-system", sifFileSystem(kind))
		case primary != nil:
			return fmt.Errorf("objects %s and %s are both its primary partition", primary.name, o.name)
		default:
			primary = o
		}
	}
	if primary == nil {
		return errors.New("it has no primary partition, and no OCI image")
	}
	if kind, _ := primary.partition(); kind != sifSquashFS {
		return fmt.Errorf("its primary partition, object %s, is %s: audit reads squashfs", primary.name, sifFileSystem(kind))
	}
	layer, err := s.pass.readSquashfsLayer(s.file.section(primary.extent), primary.name)
	if err != nil {
		return fmt.Errorf("reading object %s: %w", primary.name, err)
	}
	layer.Digest, primary.referenced = primary.digest, true
	s.img.Layers, s.img.Members = []*Layer{layer}, s.members()
	return nil
}
