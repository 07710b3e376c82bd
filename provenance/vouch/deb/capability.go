package deb

import (
	"encoding/binary"
	"slices"
	"strings"
)

// capabilityAttribute is the extended attribute that has the capabilities of a file.
const capabilityAttribute = "security.capability"

// capabilityNames are the capabilities by their numbers (Linux
// include/uapi/linux/capability.h).
const capabilityNames = "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service " +
	"net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice " +
	"sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm " +
	"block_suspend audit_read perfmon bpf checkpoint_restore"

// capability returns the attribute that setcap writes for a text of one clause, such as
// "cap_net_raw+ep" (cap_text_formats(7)): version 2 of struct vfs_cap_data.
func capability(text string) (string, bool) {
	at := strings.IndexAny(text, "+=")
	if at <= 0 || strings.Trim(text[at+1:], "eip") != "" {
		return "", false
	}
	var set uint64
	for name := range strings.SplitSeq(strings.ToLower(text[:at]), ",") {
		short, ok := strings.CutPrefix(name, "cap_")
		i := slices.Index(strings.Fields(capabilityNames), short)
		if !ok || i < 0 {
			return "", false
		}
		set |= 1 << i
	}
	flags := text[at+1:]
	var permitted, inheritable uint64
	magic := uint32(0x02000000)
	if strings.Contains(flags, "p") {
		permitted = set
	}
	if strings.Contains(flags, "i") {
		inheritable = set
	}
	if strings.Contains(flags, "e") {
		magic |= 1 // VFS_CAP_FLAGS_EFFECTIVE
	}
	b := binary.LittleEndian.AppendUint32(nil, magic)
	for _, half := range []int{0, 32} {
		b = binary.LittleEndian.AppendUint32(b, uint32(permitted>>half))
		b = binary.LittleEndian.AppendUint32(b, uint32(inheritable>>half))
	}
	return string(b), true
}

// capabilityBy says what scripts say of the capabilities of a file.
func (s *session) capabilityBy(at, value string) evidence {
	exact, open := s.changesOf(at, setsCaps)
	for _, c := range exact {
		for _, w := range c.words {
			if made, ok := capability(w); ok && made == value {
				return gives
			}
		}
	}
	if len(exact)+len(open) > 0 {
		return may
	}
	return none
}
