package rpm

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"audit/inspect"
	"audit/inspect/check"
)

// Capabilities of a program (capabilities(7)).
type capSet struct {
	permitted, inheritable uint64
	effective              bool
}

func (c capSet) isZero() bool { return c == capSet{} }

// beyond says whether c has what d has not.
func (c capSet) beyond(d capSet) bool {
	return c.permitted&^d.permitted != 0 || c.inheritable&^d.inheritable != 0 || c.effective && !d.effective
}

const capabilityAttribute = "security.capability"

// capabilities compares those of a program with what is signed. Those that got lost, as
// in layers that some tools write, give no power to anybody. A hard link to a program may
// be listed without the attributes that the program has.
func capabilities(f inspect.File, c *claim, level check.Level) []difference {
	raw := cmp.Or(f.Inode.Header.Attr().Xattrs[capabilityAttribute], f.Inode.Entry.Attr().Xattrs[capabilityAttribute])
	signed, known := parseCapabilities(c.caps)
	found, readable := decodeCapabilities(raw)
	if known && readable && signed == found {
		return nil
	}
	d := difference{code: "signatures/rpm-capability", level: level, signed: check.Brief(c.caps), found: found.String()}
	switch {
	case !readable:
		d.found = fmt.Sprintf("%x", raw[:min(len(raw), 24)])
	case !known && raw != "":
		d.level = min(level, check.Undecided)
	case raw == "" || !found.beyond(signed):
		d.code, d.level = "signatures/rpm-capability-lost", check.Note
	}
	return []difference{d}
}

// decodeCapabilities reads the value of the attribute (struct vfs_cap_data of
// linux/capability.h), all little-endian: revision and the bit of the effective set, then
// permitted and inheritable, 32 bits at a time, and in revision 3 the root user of the
// name space, which has to be that of the machine.
func decodeCapabilities(raw string) (c capSet, ok bool) {
	if raw == "" {
		return c, true
	}
	if len(raw) < 12 {
		return c, false
	}
	word := func(i int) uint64 { return uint64(binary.LittleEndian.Uint32([]byte(raw[4*i:]))) }
	size, known := map[uint64]int{0x01000000: 12, 0x02000000: 20, 0x03000000: 24}[word(0)&0xff000000]
	if !known || len(raw) != size || size == 24 && word(5) != 0 {
		return c, false
	}
	c.permitted, c.inheritable, c.effective = word(1), word(2), word(0)&1 != 0
	if size > 12 {
		c.permitted |= word(3) << 32
		c.inheritable |= word(4) << 32
	}
	return c, true
}

// parseCapabilities reads capabilities in words as rpm has them (cap_from_text(3)):
// clauses such as "cap_net_raw,cap_net_admin=ep", each of names, none of which means all,
// and actions.
func parseCapabilities(text string) (c capSet, ok bool) {
	var effective uint64
	for clause := range strings.FieldsSeq(strings.ToLower(text)) {
		at := strings.IndexAny(clause, "=+-")
		if at < 0 {
			return c, false
		}
		names, known := capabilityBits(clause[:at], clause[at] == '=')
		if !known || !c.act(clause[at:], names, &effective) {
			return c, false
		}
	}
	c.effective = effective != 0
	return c, true
}

// act applies actions, an operator and flags each, to the capabilities that are named.
func (c *capSet) act(actions string, names uint64, effective *uint64) bool {
	var operator byte
	for i := range len(actions) {
		var set *uint64
		switch actions[i] {
		case '=':
			operator = '='
			c.permitted, c.inheritable, *effective = c.permitted&^names, c.inheritable&^names, *effective&^names
			continue
		case '+', '-':
			operator = actions[i]
			continue
		case 'p':
			set = &c.permitted
		case 'i':
			set = &c.inheritable
		case 'e':
			set = effective
		default:
			return false
		}
		if operator == '-' {
			*set &^= names
		} else {
			*set |= names
		}
	}
	return true
}

func capabilityBits(list string, allowed bool) (bits uint64, ok bool) {
	all := uint64(1)<<len(capabilityNames()) - 1
	if list == "" || list == "all" {
		return all, list != "" || allowed
	}
	for name := range strings.SplitSeq(list, ",") {
		i := slices.Index(capabilityNames(), strings.TrimPrefix(name, "cap_"))
		if i < 0 {
			return 0, false
		}
		bits |= 1 << i
	}
	return bits, true
}

func (c capSet) String() string {
	if c.isZero() {
		return ""
	}
	var flags string
	if c.effective {
		flags = "e"
	}
	var parts []string
	for _, s := range []struct {
		bits uint64
		flag string
	}{{c.permitted, "p"}, {c.inheritable, "i"}} {
		var names []string
		for i := range 64 {
			if s.bits>>i&1 != 0 {
				names = append(names, capabilityName(i))
			}
		}
		if len(names) > 0 {
			parts = append(parts, strings.Join(names, ",")+"="+flags+s.flag)
		}
	}
	return strings.Join(parts, " ")
}

func capabilityName(i int) string {
	if names := capabilityNames(); i < len(names) {
		return "cap_" + names[i]
	}
	return fmt.Sprintf("cap_%d", i)
}

// capabilityNames are in the order of their numbers (linux/capability.h, Linux 6.1).
func capabilityNames() []string {
	return []string{
		"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "linux_immutable",
		"net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot",
		"sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease",
		"audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read",
		"perfmon", "bpf", "checkpoint_restore",
	}
}
