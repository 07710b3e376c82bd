package form

import "strings"

// foreign names what a file is that people take for an image, and that audit does not read,
// by its magic number at a fixed place (file(1), magic/Magdir); "" where it is none of them. What
// begins with zeros can be a tar without entries, too.
func foreign(head []byte) string {
	for _, m := range []struct {
		name, magic string
		at          int
	}{
		{"a file system of ext2, ext3 or ext4", "\x53\xef", 0x438},
		{"a file system of EROFS", "\xe2\xe1\xf5\xe0", 0x400},
		{"a file system of Btrfs", "_BHRfS_M", 0x10040},
		{"a file system of XFS", "XFSB", 0},
		{"an image of a CD (ISO 9660)", "CD001", 0x8001},
		{"an image of a disk with partitions", "EFI PART", 0x200},
		{"an image of a disk for QEMU (qcow2)", "QFI\xfb", 0},
		{"an image of a disk for VMware", "KDMV", 0},
		{"a zip archive", "PK\x03\x04", 0},
		{"a cpio archive", "070701", 0},
		{"a Nix archive (NAR)", "\x0d\x00\x00\x00\x00\x00\x00\x00nix-archive-1", 0},
	} {
		if len(head) > m.at && strings.HasPrefix(string(head[m.at:min(len(head), m.at+len(m.magic))]), m.magic) {
			return m.name
		}
	}
	return ""
}
