package explain

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"

	"audit/inspect/check"
)

// The decoders below know files that a program keeps for itself on one machine, and
// in which honest builds differ. Each holds the bytes against the rule of that
// program: whatever else differs is content as any.

// An idDecoder explains the identifier of a machine (machine-id(5)), which systemd
// and dbus make up.
type idDecoder struct{}

func (idDecoder) decode(d *diff, was, now []byte) bool {
	if path.Base(d.path) != "machine-id" {
		return false
	}
	form := regexp.MustCompile(`^(?:[0-9a-f]{32}|uninitialized)?\n?$`)
	if !form.Match(was) || !form.Match(now) {
		return false
	}
	d.add(check.Say("difference/machine-id"), Content, string(bytes.TrimSpace(was)), string(bytes.TrimSpace(now)))
	return true
}

// An engineDecoder explains what container engines write of the network of one
// container (moby 27, libnetwork/etchosts and libnetwork/resolvconf): its name, in
// hostname and in one line of hosts, and the servers of names of a private network.
type engineDecoder struct{}

func (engineDecoder) decode(d *diff, was, now []byte) bool {
	own := map[string]func(string) bool{
		"etc/hostname":    isContainer,
		"etc/hosts":       isContainersLine,
		"etc/resolv.conf": isPrivateServer,
	}[d.path]
	if own == nil || !isText(was) || !isText(now) {
		return false
	}
	for _, line := range apartLines(was, now) {
		if !own(line) {
			return false
		}
	}
	d.add(check.Say("difference/engine-file"), Content, "", "")
	d.showLines(was, now)
	return true
}

// apartLines are the lines that only one of two texts has.
func apartLines(was, now []byte) []string {
	count := make(map[string]int)
	for line := range strings.Lines(string(was)) {
		count[strings.TrimSpace(line)]++
	}
	for line := range strings.Lines(string(now)) {
		count[strings.TrimSpace(line)]--
	}
	maps.DeleteFunc(count, func(_ string, n int) bool { return n == 0 })
	return slices.Sorted(maps.Keys(count))
}

// isContainer says whether a name is one that an engine gives to a container: the
// first twelve digits of its identifier.
func isContainer(name string) bool { return regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(name) }

// isContainersLine says whether a line of hosts is that of the container itself.
func isContainersLine(line string) bool {
	words := strings.Fields(line)
	return len(words) == 2 && isPrivate(words[0]) && isContainer(words[1])
}

func isPrivateServer(line string) bool {
	words := strings.Fields(line)
	return len(words) == 2 && words[0] == "nameserver" && isPrivate(words[1]) || strings.HasPrefix(line, "#") || line == ""
}

func isPrivate(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && (ip.IsPrivate() || ip.IsLoopback())
}

// An auxCacheDecoder explains the auxiliary cache of ldconfig (glibc 2.36,
// elf/cache.c, struct aux_cache_file): of each library its inode, times and device,
// which are the machine's, and then its size, its flags and its soname.
type auxCacheDecoder struct{}

func (auxCacheDecoder) decode(d *diff, was, now []byte) bool {
	a, okA := parseAuxCache(was)
	b, okB := parseAuxCache(now)
	if !okA || !okB || !slices.Equal(a, b) {
		return false
	}
	d.add(check.Say("difference/aux-cache", "libraries", len(a)), Content, "", "")
	return true
}

// parseAuxCache lists what does not depend on the machine of each library, sorted.
func parseAuxCache(data []byte) ([]string, bool) {
	const magic, size = "glibc-ld.so.auxcache-1.0", 48
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(rest) < 8 {
		return nil, false
	}
	le := binary.LittleEndian
	n, names := uint64(le.Uint32(rest)), uint64(le.Uint32(rest[4:]))
	rest = rest[8:]
	if n*size+names != uint64(len(rest)) {
		return nil, false
	}
	text := rest[n*size:]
	var all []string
	for ; n > 0; n, rest = n-1, rest[size:] {
		soname := uint64(le.Uint32(rest[36:]))
		if soname > names {
			return nil, false
		}
		name, _, _ := bytes.Cut(text[soname:], []byte{0})
		all = append(all, fmt.Sprintf("%d %x %x %q", le.Uint64(rest[16:]), rest[32:36], rest[40:size], name))
	}
	slices.Sort(all)
	return all, true
}

// A fontCacheDecoder explains caches of fontconfig (2.14, src/fccache.c, struct
// _FcCache, on 64-bit machines): the time of the folder of fonts is a field of the
// header, in seconds and nanoseconds.
type fontCacheDecoder struct{}

func (fontCacheDecoder) decode(d *diff, was, now []byte) bool {
	const magic = "\x04\xfc\x02\xfc"
	const seconds, nanos, end = 48, 56, 64
	if len(was) != len(now) || len(was) < end || !bytes.HasPrefix(was, []byte(magic)) || !bytes.HasPrefix(now, []byte(magic)) {
		return false
	}
	a, b := bytes.Clone(was), bytes.Clone(now)
	for _, data := range [][]byte{a, b} {
		clear(data[seconds : seconds+4])
		clear(data[nanos:end])
	}
	if !bytes.Equal(a, b) {
		return false
	}
	time := func(data []byte) string { return unixTime(int64(binary.LittleEndian.Uint32(data[seconds:]))) }
	d.add(check.Say("difference/font-cache"), Date, time(was), time(now))
	return true
}
