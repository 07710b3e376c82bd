package explain

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"audit/inspect/check"
)

// A tarDecoder explains tar archives (POSIX.1-2017 pax).
type tarDecoder struct{}

// A tarMember is an entry of an archive with its content.
type tarMember struct {
	*tar.Header
	data []byte
}

// maxTarMembers bounds the entries of one archive.
const maxTarMembers = 100_000

func (tarDecoder) decode(d *diff, was, now []byte) bool {
	const magicAt, magicEnd = 257, 262
	if len(was) < magicEnd || len(now) < magicEnd || string(was[magicAt:magicEnd]) != "ustar" || string(now[magicAt:magicEnd]) != "ustar" {
		return false
	}
	a, okA := parseTar(was)
	b, okB := parseTar(now)
	if !okA || !okB {
		return false
	}
	noted := d.out.total()
	for _, p := range d.members(tarNames(a), tarNames(b)) {
		d.tarMember(a[p[0]], b[p[1]])
	}
	if d.out.total() == noted {
		d.add(check.Say("difference/tar-headers"), Packing, sizeText(was), sizeText(now))
		d.show(Bytes(was, now))
	}
	return true
}

func parseTar(data []byte) ([]tarMember, bool) {
	r := bytes.NewReader(data)
	t := tar.NewReader(r)
	var members []tarMember
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			rest := data[len(data)-r.Len():]
			return members, len(bytes.Trim(rest, "\x00")) == 0
		}
		if err != nil || len(members) == maxTarMembers || h.Size > int64(len(data)) {
			return nil, false
		}
		body, err := io.ReadAll(t)
		if err != nil {
			return nil, false
		}
		members = append(members, tarMember{h, body})
	}
}

func tarNames(members []tarMember) []string {
	names := make([]string, 0, len(members))
	for _, m := range members {
		names = append(names, m.Name)
	}
	return names
}

func (d *diff) tarMember(a, b tarMember) {
	name := shown(a.Name)
	if !a.ModTime.Equal(b.ModTime) {
		d.add(check.Say("difference/member-field", "member", name, "field", "time"), Date, a.ModTime.UTC().Format(time.RFC3339Nano), b.ModTime.UTC().Format(time.RFC3339Nano))
	}
	for _, f := range []struct{ name, was, now string }{
		{"type", strconv.QuoteRune(rune(a.Typeflag)), strconv.QuoteRune(rune(b.Typeflag))},
		{"mode", fmt.Sprintf("%04o", a.Mode), fmt.Sprintf("%04o", b.Mode)},
		{"owner", ownerOf(a), ownerOf(b)},
		{"device", fmt.Sprintf("%d:%d", a.Devmajor, a.Devminor), fmt.Sprintf("%d:%d", b.Devmajor, b.Devminor)},
	} {
		if f.was != f.now {
			d.add(check.Say("difference/member-field", "member", name, "field", f.name), Content, f.was, f.now)
		}
	}
	d.value(check.Say("difference/member-field", "member", name, "field", "link target"), a.Linkname, b.Linkname)
	if a.Format != b.Format {
		d.add(check.Say("difference/member-field", "member", name, "field", "format"), Packing, a.Format.String(), b.Format.String())
	}
	d.tarRecords(name, a.PAXRecords, b.PAXRecords)
	d.inside(name, a.Name, a.data, b.data)
}

func ownerOf(m tarMember) string {
	return strings.TrimSuffix(fmt.Sprintf("%d:%d (%s:%s)", m.Uid, m.Gid, m.Uname, m.Gname), " (:)")
}

// tarRecords compares extended records; what they say again of a field is
// compared with it.
func (d *diff) tarRecords(name string, was, now map[string]string) {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(was)), maps.Keys(now))
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		switch key {
		case "mtime", "path", "linkpath", "uid", "gid", "uname", "gname", "size":
			continue
		}
		reason := Content
		if key == "atime" || key == "ctime" {
			reason = Date
		}
		if was[key] != now[key] {
			d.add(check.Say("difference/member-field", "member", name, "field", "PAX record "+shown(key)), reason, was[key], now[key])
		}
	}
}
