package compare

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// capabilityNames are the bits of a capability set, in their order
// (linux/capability.h of Linux 6.12).
const capabilityNames = "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap " +
	"linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio " +
	"sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod " +
	"lease audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read " +
	"perfmon bpf checkpoint_restore"

// capabilities puts the value of security.capability in words (struct
// vfs_cap_data of linux/capability.h, revisions 2 and 3), "" when it has
// another form.
func capabilities(value string) string {
	if len(value) < 20 {
		return ""
	}
	word := func(i int) uint64 { return uint64(binary.LittleEndian.Uint32([]byte(value[4*i:]))) }
	if revision := word(0) >> 24; revision != 2 && revision != 3 {
		return ""
	}
	text := setText("permitted", word(1)|word(3)<<32) + setText("inheritable", word(2)|word(4)<<32)
	if word(0)&1 != 0 {
		text += ", effective"
	}
	return " (" + strings.TrimPrefix(text, ", ") + ")"
}

func setText(name string, bits uint64) string {
	if bits == 0 {
		return ""
	}
	names := strings.Fields(capabilityNames)
	var held []string
	for i := range 64 {
		switch {
		case bits&(1<<i) == 0:
		case i < len(names):
			held = append(held, "cap_"+names[i])
		default:
			held = append(held, fmt.Sprintf("capability %d", i))
		}
	}
	return ", " + name + " " + strings.Join(held, "+")
}
