package explain

import (
	"archive/tar"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"audit/inspect/check"
)

// show writes the parts of an explanation, one a line.
func show(e *Explanation) string {
	var b strings.Builder
	for _, p := range e.Parts {
		fmt.Fprintf(&b, "%v; %s: %s → %s", p.Reason, place(p.What), p.Was, p.Now)
		if p.Count > 1 {
			fmt.Fprintf(&b, " ×%d", p.Count)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// place writes a message: its code, then its arguments by name.
func place(m check.Message) string {
	text := strings.TrimPrefix(m.Code, "difference/")
	for _, name := range slices.Sorted(maps.Keys(m.Args)) {
		text += " " + name + "=" + m.Args.String(name)
	}
	return text
}

// shownText is what an explanation shows at length.
func shownText(e *Explanation) string {
	var all []string
	for _, m := range e.Shown {
		all = append(all, place(m))
	}
	return strings.Join(all, "\n")
}

// A sample is two contents of a format and what is to be said of them.
type sample struct {
	name, path, was, now string
	want                 string // parts, one a line
	text                 string // part of the text; "" for none at all
}

const (
	store1 = "/gnu/store/1hhc8zjp9xmm6rrd3hwbsvx7s9s7kp0r-bash-5.1"
	store2 = "/gnu/store/9zrcaa2nqfwy2nrdcq7qnxqs0jmf3s6g-bash-5.1"
	man    = ".TH LS 1 \"%s\" \"GNU coreutils 9.1\" \"User Commands\"\n.SH NAME\nls \\- list\n"
	menu   = "This is the file .../info/dir.\n\x1f\nFile: dir,\tNode: Top\n* Menu:\n\nText\n%s"
	pdf    = "%%PDF-1.4\n1 0 obj\n<< /CreationDate (D:%s) /Producer (x) >>\nendobj\n2 0 obj\n<< /Length %d >>\nstream\n%sendstream\ntrailer << /ID [<%s> <%s>] >>\n%%%%EOF\n"
)

func samples(t testing.TB) []sample {
	le := binary.LittleEndian
	base := []string{".note.gnu.build-id", noteOf("GNU", "\x01\x02"), ".text", "main=....helper=....", ".data", "table=01234", ".comment", "GCC: 12\x00", ".debug_info", "A"}
	header := func(date string) string {
		return "Project-Id-Version: x 1.0\nPOT-Creation-Date: " + date + "\nContent-Type: text/plain\n"
	}
	table := `CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, built_at_time DATETIME, data BLOB)`
	long := strings.Repeat("all the same\n", 50)
	none := time.Time{}
	nul := func(s string) string { return strings.ReplaceAll(s, "|", "\x00") }
	sample38 := func(flag byte, ref string) string {
		return string([]byte{')', 3, 'Z' | flag}) + "\x01a" + "i\x01\x00\x00\x00" + ref
	}
	return []sample{
		{"gzip time", "a.gz", gzipped(t, day1, "", 9, long), gzipped(t, day2, "", 9, long),
			"date; gzip-header field=time: 2024-01-02T03:04:06Z → 2025-06-07T08:09:10Z", ""},
		{"gzip name", "a.gz", gzipped(t, none, "a", 9, long), gzipped(t, none, "b", 9, long), "packing; gzip-header field=name: a → b", ""},
		{"gzip name with a build folder", "a.gz", gzipped(t, none, "/tmp/x.1/a", 9, long), gzipped(t, none, "/tmp/y/a", 9, long), "path; gzip-header field=name: /tmp/x.1/a → /tmp/y/a", ""},
		{"gzip level", "a.gz", gzipped(t, none, "", 9, long), gzipped(t, none, "", 1, long),
			"packing; gzip-header field=level: 2 → 4", ""},
		{"gzip of a manual", "usr/share/man/man1/ls.1.gz", gzipped(t, none, "", 9, fmt.Sprintf(man, "March 2024")), gzipped(t, none, "", 9, fmt.Sprintf(man, "April 2025")),
			"date; line inside=ls.1 line=1: \"March 2024\" → \"April 2025\"", "lines diff=@@ -1,3 +1,3 @@\n-.TH LS"},
		{"gzip members", "a.gz", gzipped(t, none, "", 9, "ab"), gzipped(t, none, "", 9, "a") + gzipped(t, none, "", 9, "b"),
			"packing; gzip-members: 1 → 2\npacking; packed-data name=gzip: 2 bytes packed into 5 → 2 bytes packed into 8", ""},
		{"bytes after a gzip", "a.gz", gzipped(t, none, "", 9, "ab"), gzipped(t, none, "", 9, "ab") + "hidden", "content; after-gzip:  → hidden", ""},
		{"gzip in gzip in gzip", "a.gz", nest(t, 3, "2024-01-02"), nest(t, 3, "2024-01-03"),
			"date; line inside=a ⟫ gzip ⟫ gzip line=1: 2024-01-02 → 2024-01-03", "@@"},
		{"gzip in too many", "a.gz", nest(t, 7, "2024-01-02"), nest(t, 7, "2024-01-03"),
			"content; byte inside=a ⟫ gzip ⟫ gzip ⟫ gzip ⟫ gzip offset=31: 89 87 a1 6b cd 4f 7f 2e → 8d 87 41 66 ce 3f 0b 2e", "bytes common="},
		{"zstd", "a.zst", zstded(t, zstd.SpeedBestCompression, "2024-01-02\n"), zstded(t, zstd.SpeedBestCompression, "2024-01-03\n"),
			"date; line inside=a line=1: 2024-01-02 → 2024-01-03", "@@"},
		{"xz", "a.xz", xzed(t, "one\n"), xzed(t, "two\n"), "content; changed-line inside=a line=1: \"one\" → \"two\"", "-one"},

		{"zip times", "a.jar", zipped(t, day1, zip8, "a=1", "b=2"), zipped(t, day2, zip8, "a=1", "b=2"),
			"date; member-field field=time member=a: 2024-01-02 03:04:06 → 2025-06-07 08:09:10 ×4\ndate; member-field field=extra field UT (times) member=a: 2024-01-02T03:04:06Z → 2025-06-07T08:09:10Z ×4", ""},
		{"zip order", "a.jar", zipped(t, day1, zip8, "a=1", "b=2", "c=3"), zipped(t, day1, zip8, "a=1", "c=3", "b=2"), "order; member-order: b → c", ""},
		{"zip member", "a.jar", zipped(t, day1, zip8, "a=1"), zipped(t, day1, zip8, "a=1", "b=2"), "content; member-extra member=b:  → ", ""},
		{"zip members", "a.jar", zipped(t, day1, zip8, "a=1", "b=2", "c=3"), zipped(t, day1, zip8, "b=2"), "content; member-missing member=a:  → \ncontent; member-missing member=c:  → ", ""},
		{"zip mode", "a.zip", zipped(t, day1, zip8, "a=1"), withAttributes(zipped(t, day1, zip8, "a=1"), 3<<8|20, 0o104755<<16),
			"content; member-field field=attributes member=a: 0x00000000 → mode 104755\npacking; member-field field=written by member=a: DOS, version 2.0 → Unix, version 2.0", ""},
		{"zip content", "a.jar", zipped(t, day1, zip8, "a=1\n"), zipped(t, day1, zip8, "a=2\n"), "content; changed-line inside=a line=1: \"1\" → \"2\"", "inside=a"},
		{"zip method", "a.jar", zipped(t, day1, 0, "a="+long), zipped(t, day1, zip8, "a="+long),
			"packing; member-field field=method member=a: 0 → 8 ×2\npacking; packed-data name=a: 650 bytes packed into 650 → 650 bytes packed into 25", ""},
		{"bytes between zip members", "a.zip", zipped(t, day1, 0, "a=1"), gap(zipped(t, day1, 0, "a=1"), "hidden"), "content; between-members: 0 bytes → 6 bytes", ""},

		{"ar time", "l.a", arMembers("a/ 0 0 x", "b/ 0 0 y"), arMembers("a/ 1700000000 0 x", "b/ 1700000000 0 y"),
			"date; member-field field=time member=a: 1970-01-01T00:00:00Z → 2023-11-14T22:13:20Z ×2", ""},
		{"ar owner", "l.a", arMembers("a/ 0 0 x"), arMembers("a/ 0 1000 x"), "content; member-field field=uid member=a: 0 → 1000", ""},
		{"ar order", "l.a", arMembers("a/ 0 0 x", "b/ 0 0 y"), arMembers("b/ 0 0 y", "a/ 0 0 x"), "order; member-order: a → b", ""},
		{"ar long names", "l.a", arMembers("// 0 0 a-very-long-name.o/\n", "/0 0 0 x"), arMembers("// 0 0 a-very-long-name.o/\n", "/0 0 0 y"),
			"content; changed-line inside=a-very-long-name.o line=1: \"x\" → \"y\"", "-x"},
		{"ar table of symbols", "l.a", arMembers("/ 0 0 "+nul("|||\x01|||\x44f|"), "a/ 0 0 x2024-01-02"), arMembers("/ 0 0 "+nul("|||\x01|||\x45f|"), "a/ 0 0 x2024-01-03"),
			"follows; symbol-table member=/: 10 bytes → 10 bytes\ncontent; changed-line inside=a line=1: \"x2024-01-02\" → \"x2024-01-03\"", "-x2024-01-02"},
		{"Debian package", "a.deb", arMembers("control.tar.xz 0 0 " + xzed(t, tarred(t, tarFile("control", "Version: 1\n", day1)))), arMembers("control.tar.xz 0 0 " + xzed(t, tarred(t, tarFile("control", "Version: 1\n", day2)))),
			"date; member-field field=time inside=control.tar.xz ⟫ control.tar member=control: 2024-01-02T03:04:06Z → 2025-06-07T08:09:10Z", ""},

		{"jar in a Debian package", "a.deb", debOf(t, zipped(t, day1, zip8, "META-INF/MANIFEST.MF=Built: 2024-01-02\n")), debOf(t, zipped(t, day1, zip8, "META-INF/MANIFEST.MF=Built: 2024-01-03\n")),
			"date; line inside=data.tar.gz ⟫ data.tar ⟫ usr/x.jar ⟫ META-INF/MANIFEST.MF line=1: 2024-01-02 → 2024-01-03", "inside=data.tar.gz ⟫ data.tar ⟫ usr/x.jar ⟫ META-INF/MANIFEST.MF"},

		{"tar owner and mode", "a.tar", tarred(t, tarFile("a", "", day1)), tarred(t, tar.Header{Name: "a", Mode: 0o4755, Uid: 5, Uname: "x", ModTime: day1, Format: tar.FormatPAX}),
			"content; member-field field=mode member=a: 0644 → 4755\ncontent; member-field field=owner member=a: 0:0 → 5:0 (x:)", ""},
		{"tar times", "a.tar", tarred(t, tarFile("a", "", day1)), tarred(t, tarFile("a", "", day2)), "date; member-field field=time member=a: 2024-01-02T03:04:06Z → 2025-06-07T08:09:10Z", ""},
		{"two tars with the same times", "a.a", arMembers("x 0 0 "+tarred(t, tarFile("a", "", day1)), "y 0 0 "+tarred(t, tarFile("b", "", day1))), arMembers("x 0 0 "+tarred(t, tarFile("a", "", day2)), "y 0 0 "+tarred(t, tarFile("b", "", day2))),
			"date; member-field field=time inside=x member=a: 2024-01-02T03:04:06Z → 2025-06-07T08:09:10Z ×2", ""},
		{"tar format", "a.tar", tarred(t, tarFile("a", "", day1)), tarred(t, tar.Header{Name: "a", Mode: 0o644, ModTime: day1, Format: tar.FormatGNU}),
			"packing; member-field field=format member=a: USTAR → GNU", ""},
		{"bytes after a tar", "a.tar", tarred(t, tarFile("a", "", day1)), tarred(t, tarFile("a", "", day1)) + "hidden\x00", "content; :  → ", "the end, at byte 1536"},

		{"pyc time", "x.pyc", pycOf(3495, []uint32{0, 1700000000, 7}, "N"), pycOf(3495, []uint32{0, 1700000009, 7}, "N"),
			"date; pyc-header field=time of the source: 2023-11-14T22:13:20Z → 2023-11-14T22:13:29Z", ""},
		{"pyc size", "x.pyc", pycOf(3379, []uint32{1700000000, 7}, "NNNN"), pycOf(3379, []uint32{1700000000, 8}, "NNNN"), "content; pyc-header field=size of the source: 7 → 8", ""},
		{"pyc of Python 2", "x.pyc", pycOf(62211, []uint32{1700000000}, "NNNNNNNN"), pycOf(62211, []uint32{1700000001}, "NNNNNNNN"),
			"date; pyc-header field=time of the source: 2023-11-14T22:13:20Z → 2023-11-14T22:13:21Z", ""},
		{"pyc by hash", "x.pyc", pycOf(3495, []uint32{3, 1, 2}, "N"), pycOf(3495, []uint32{3, 1, 3}, "N"), "content; pyc-header field=hash of the source: 0000000200000001 → 0000000300000001", ""},
		{"pyc of another Python", "x.pyc", pycOf(3495, []uint32{0, 1, 2}, "N"), pycOf(3531, []uint32{0, 1, 2}, "N"), "content; pyc-header field=magic number: 3495 (Python 3.11) → 3531 (Python 3.12)", ""},
		{"pyc code", "x.pyc", pycOf(3495, []uint32{0, 1, 2}, "N"), pycOf(3495, []uint32{0, 1, 2}, "T"), "content; pyc-code: 1 bytes → 1 bytes", "offset=0"},
		{"pyc marks", "x.pyc", pycOf(3413, []uint32{0, 1, 2}, sample38(0x80, "r\x00\x00\x00\x00")), pycOf(3413, []uint32{0, 1, 2}, strings.Replace(sample38(0x80, "r\x01\x00\x00\x00"), ")\x03", "\xa9\x03", 1)),
			"packing; pyc-references: 15 bytes → 15 bytes", ""},
		{"pyc folder", "x.pyc", pycOf(3495, []uint32{0, 1, 2}, "\xda\x0c/tmp/a/x.py\n"), pycOf(3495, []uint32{0, 1, 2}, "\xda\x0c/tmp/b/x.py\n"), "path; pyc-code: /tmp/a/x.py → /tmp/b/x.py", ""},

		{"pyc folder of another length", "x.pyc", pycOf(3495, []uint32{0, 1, 2}, ")\x02z\x0b/tmp/a/x.pyz\x01y"), pycOf(3495, []uint32{0, 1, 2}, ")\x02z\x0d/tmp/abc/x.pyz\x01y"),
			"path; pyc-code: /tmp/a/x.py → /tmp/abc/x.py", ""},
		{"pyc string", "x.pyc", pycOf(3495, []uint32{0, 1, 2}, ")\x02z\x0b/tmp/a/x.pyz\x01y"), pycOf(3495, []uint32{0, 1, 2}, ")\x02z\x0b/tmp/b/x.pyz\x02no"),
			"path; pyc-code: /tmp/a/x.py → /tmp/b/x.py\ncontent; pyc-code: y → no", ""},

		{"ELF build-id", "bin/x", elfOf(".text=code", ".note.gnu.build-id="+noteOf("GNU", "\x01\x02")), elfOf(".text=code", ".note.gnu.build-id="+noteOf("GNU", "\x03\x04")),
			"follows; build-id section=.note.gnu.build-id: 0102 → 0304", ""},
		{"ELF build folder", "bin/x", elfOf(".text=code", ".rodata=ab\x00/build/a/x.c\x00"), elfOf(".text=code", ".rodata=ab\x00/build/b/x.c\x00"), "path; section section=.rodata: /build/a/x.c → /build/b/x.c", ""},
		{"ELF build folder of another length", "bin/x", elfOf(".rodata=ab\x00/build/a/x.c\x00"), elfOf(".rodata=ab\x00/tmp/guix-build-a.drv-0/x.c\x00"),
			"path; section section=.rodata: /build/a/x.c → /tmp/guix-build-a.drv-0/x.c\nfollows; elf-rest: 256 bytes → 256 bytes", ""},
		{"ELF build folder in a field of a fixed size", "bin/x", elfOf(".rodata=" + nul("ab|/build/a/x.c|||||end")), elfOf(".rodata=" + nul("ab|/build/abc/x.c|||end")), "path; section section=.rodata: /build/a/x.c → /build/abc/x.c", ""},
		{"ELF section of another length, and bytes beside", "bin/x", elfOf(".rodata=a"), elfOf(".rodata=ab") + "hidden",
			"content; section-from at=65 offset=1 section=.rodata: 1 bytes → 2 bytes\ncontent; changed-line inside=what is in no section line=1:  → \"hidden\"", "+hidden\n"},
		{"ELF bytes beside the sections", "bin/x", elfOf(".rodata=/build/a/x.c"), elfOf(".rodata=/build/abc/x.c") + "hidden",
			"path; section section=.rodata: /build/a/x.c → /build/abc/x.c\ncontent; changed-line inside=what is in no section line=1:  → \"hidden\"", "+hidden\n"},
		{"ELF code", "bin/x", elfOf(".text=2024-01-02"), elfOf(".text=2024-01-03"), "content; section-from at=73 offset=9 section=.text: 10 bytes → 10 bytes, 1 of them differ", ""},
		{"ELF strings", "bin/x", elfOf(".rodata=first string\x00"), elfOf(".rodata=other string\x00"), "content; section-from at=64 offset=0 section=.rodata: 13 bytes → 13 bytes, 5 of them differ", "-first string\n+other string\n"},
		{"ELF function", "bin/x", programOf(base), programOf(base, ".text", "main=....helper=...x"),
			`content; functions beyond=0 functions=1 outside=0 section=.text symbols=[value/symbol at="145" offset="3" symbol="helper"]: 8 bytes → 8 bytes, 1 of them differ`, ""},
		{"ELF functions of other lengths", "bin/x", programOf(base), programOf(base, ".text", "main=.....helper=..x.added=."),
			`content; functions beyond=0 functions=3 outside=0 section=.text symbols=[value/symbol at="142" offset="4" symbol="main" value/symbol at="144" offset="2" symbol="helper" ` +
				`value/symbol-extra symbol="added"]: 8 bytes → 10 bytes` + "\ncontent; section-from at=200 offset=40 section=.symtab: 96 bytes → 120 bytes\n" +
				"content; section-from at=269 offset=13 section=.strtab: 19 bytes → 25 bytes\nfollows; elf-rest: 696 bytes → 696 bytes", ""},
		{"ELF object", "bin/x", programOf(base), programOf(base, ".data", "table=01235"),
			`content; objects beyond=0 objects=1 outside=0 section=.data symbols=[value/symbol at="150" offset="4" symbol="table"]: 5 bytes → 5 bytes, 1 of them differ`, ""},
		{"ELF build-id of printable bytes", "bin/x", elfOf(".text=code", ".note.gnu.build-id="+noteOf("GNU", "\x11\x12")), elfOf(".text=code", ".note.gnu.build-id="+noteOf("GNU", "\"\"")),
			"follows; build-id section=.note.gnu.build-id: 1112 → 2222", ""},
		{"ELF code under the name of a build-id", "bin/x", elfOf(".note.gnu.build-id=codecodecodecodecode1"), elfOf(".note.gnu.build-id=codecodecodecodecode2"),
			"content; section-from at=84 offset=20 section=.note.gnu.build-id: 21 bytes → 21 bytes, 1 of them differ", "strings"},
		{"ELF build-id with more than one", "bin/x", elfOf(".note.gnu.build-id=" + noteOf("GNU", "\x01\x02") + "morecode1"), elfOf(".note.gnu.build-id=" + noteOf("GNU", "\x01\x02") + "morecode2"),
			"content; section-from at=90 offset=26 section=.note.gnu.build-id: 27 bytes → 27 bytes, 1 of them differ", "strings"},
		{"ELF program with another build-id", "bin/x", programOf(base), programOf(base, ".note.gnu.build-id", noteOf("GNU", "\x03\x04")),
			"follows; build-id section=.note.gnu.build-id: 0102 → 0304", "elf-only parts=[value/elf-build-id]"},
		{"ELF program for another debugger", "bin/x", programOf(base), programOf(base, ".debug_info", "B", ".note.gnu.build-id", noteOf("GNU", "\x03\x04"), ".comment", "GCC: 13\x00"),
			"follows; build-id section=.note.gnu.build-id: 0102 → 0304\ncontent; compilers section=.comment: GCC: 12 → GCC: 13\n" +
				"content; debug-section section=.debug_info: 1 bytes → 1 bytes, 1 of them differ", "elf-only parts=[value/elf-build-id value/elf-debug value/elf-compilers]"},
		{"ELF program with debugging symbols of another length", "bin/x", programOf(base), programOf(base, ".debug_info", "longer"),
			"content; debug-section section=.debug_info: 1 bytes → 6 bytes\nfollows; elf-rest: 696 bytes → 696 bytes", "elf-only parts=[value/elf-debug]"},
		{"ELF program with code in a section for debuggers", "bin/x", programOf(base, "loaded", ".debug_info"), programOf(base, "loaded", ".debug_info", ".debug_info", "B"),
			"content; section-from at=159 offset=0 section=.debug_info: 1 bytes → 1 bytes, 1 of them differ", ""},
		{"ELF program without debugging symbols", "bin/x", programOf(base, ".debug_info", "A"), programOf(base[:len(base)-2]),
			"content; section-missing section=.debug_info:  → \ncontent; section-from at=317 offset=42 section=.shstrtab: 79 bytes → 67 bytes\nfollows; elf-rest: 696 bytes → 632 bytes",
			"elf-only parts=[value/elf-debug value/elf-symbols value/elf-headers]"},
		{"ELF compilers", "bin/x", elfOf(".comment=GCC: 12\x00"), elfOf(".comment=GCC: 13\x00"), "content; compilers section=.comment: GCC: 12 → GCC: 13", ""},
		{"ELF section", "bin/x", elfOf(".text=a"), elfOf(".text=a", ".data=b"), "content; section-extra section=.data:  → \ncontent; section-from at=73 offset=8 section=.shstrtab: 17 bytes → 23 bytes\nfollows; elf-rest: 256 bytes → 320 bytes", ""},
		{"ELF debugging link", "bin/x", elfOf(".gnu_debuglink=x.debug\x00\x01\x02\x03\x04"), elfOf(".gnu_debuglink=x.debug\x00\x05\x06\x07\x08"),
			"follows; debug-link-checksum section=.gnu_debuglink: 01020304 → 05060708", ""},
		{"ELF compressed section", "bin/x", elfOf(".zip_str=" + deflated(t, 9, "/build/a/x.c "+long)), elfOf(".zip_str=" + deflated(t, 9, "/build/b/x.c "+long)), "path; section section=.zip_str: /build/a/x.c → /build/b/x.c", ""},
		{"Guile bytecode", "x.go", elfOf(".rtl-text=a", ".dynamic="+dynamic(4, 6), ".debug_str=x.scm\x00"), elfOf(".rtl-text=a", ".dynamic="+dynamic(4, 7), ".debug_str=x.scm\x00"),
			"content; guile-bytecode: 4.6 → 4.7\ncontent; section-from at=73 offset=8 section=.dynamic: 16 bytes → 16 bytes, 1 of them differ", ""},

		{"PNG time", "x.png", pngOf(t, 9, "IHDR=x", "tIME="+nul("\x07\xe8\x01\x02\x03\x04\x05"), "IDAT=pixels"), pngOf(t, 9, "IHDR=x", "tIME="+nul("\x07\xe9\x01\x02\x03\x04\x05"), "IDAT=pixels"),
			"date; png-chunk chunk=tIME: 2024-01-02 03:04:05 → 2025-01-02 03:04:05", ""},
		{"PNG text", "x.png", pngOf(t, 9, "IHDR=x", nul("tEXt=date:create|2024-01-02T03:04:05+00:00"), "IDAT=pixels"), pngOf(t, 9, "IHDR=x", nul("tEXt=date:create|2025-01-02T03:04:05+00:00"), "IDAT=pixels"),
			"date; png-chunk chunk=tEXt date:create: 2024-01-02T03:04:05+00:00 → 2025-01-02T03:04:05+00:00", ""},
		{"PNG level", "x.png", pngOf(t, 9, "IHDR=x", "IDAT="+long), pngOf(t, 1, "IHDR=x", "IDAT="+long), "packing; pixels: 650 bytes packed into 28 → 650 bytes packed into 28", ""},
		{"PNG pixels", "x.png", pngOf(t, 9, "IHDR=x", "IDAT=abc"), pngOf(t, 9, "IHDR=x", "IDAT=abd"), "content; pixels differ=1: 3 bytes → 3 bytes", ""},

		{"PDF dates", "x.pdf", fmt.Sprintf(pdf, "20240102030405Z", 5, "text\n", "AB", "CD"), fmt.Sprintf(pdf, "20250102030405Z", 5, "text\n", "EF", "01"),
			"date; pdf-key key=CreationDate: 20240102030405Z → 20250102030405Z\nfollows; pdf-key key=ID: <AB> <CD> → <EF> <01>", ""},
		{"PDF stream", "x.pdf", fmt.Sprintf(pdf, "1", 9, deflated(t, 9, "/ModDate (D:20240102)"), "AB", "CD"), fmt.Sprintf(pdf, "1", 9, deflated(t, 9, "/ModDate (D:20240103)"), "AB", "CD"),
			"date; pdf-key key=ModDate: 20240102 → 20240103", ""},

		{"SQLite rows", "x.db", database(t, table, `INSERT INTO t VALUES (1, 'a', 1700000000, x'00'), (2, 'b', 1700000001, NULL)`), database(t, table, `INSERT INTO t VALUES (1, 'a', 1700000007, x'00'), (2, 'c', 1700000001, NULL)`),
			"date; line inside=rows line=5: 1700000000 → 1700000007\ncontent; changed-line inside=rows line=6: \"t: 2 | 'b' | @1700000001 | NULL\" → \"t: 2 | 'c' | @1700000001 | NULL\"", "-t: 2 | 'b' | @1700000001 | NULL\n"},
		{"SQLite schema", "x.db", database(t, table), database(t, table, `CREATE VIEW v AS SELECT name FROM t`), "content; changed-line inside=rows line=5:  → \"schema: 'view' | 'v' | 'v' | 'CREATE VIEW v AS SELECT name FROM t'\"", "CREATE VIEW"},
		{"SQLite pages", "x.db", database(t, table, `INSERT INTO t VALUES (1, 'a', 1, NULL)`), database(t, table, `INSERT INTO t VALUES (1, 'a', 1, NULL), (2, 'x', 1, NULL)`, `DELETE FROM t WHERE id = 2`),
			"packing; sqlite-pages: 8192 bytes → 8192 bytes", "bytes common="},

		{"gettext date", "de.mo", moOf(le, map[string]string{"": header("2024-01-02 03:04+0000"), "yes": "ja"}), moOf(le, map[string]string{"": header("2025-01-02 03:04+0000"), "yes": "ja"}),
			"date; gettext-header field=POT-Creation-Date: 2024-01-02 03:04+0000 → 2025-01-02 03:04+0000", ""},
		{"gettext translation", "de.mo", moOf(binary.BigEndian, map[string]string{"": header("x"), "yes": "ja"}), moOf(binary.BigEndian, map[string]string{"": header("x"), "yes": "oui"}), "content; translation message=yes: ja → oui", ""},
		{"gettext byte order", "de.mo", moOf(le, map[string]string{"yes": "ja"}), moOf(binary.BigEndian, map[string]string{"yes": "ja"}), "packing; gettext-tables: 51 bytes → 51 bytes", ""},
		{"gettext text", "de.po", "msgid \"\"\n\"POT-Creation-Date: 2024-01-02 03:04+0100\\n\"\n", "msgid \"\"\n\"POT-Creation-Date: 2024-01-02 03:05+0100\\n\"\n", "date; line line=2: 2024-01-02 03:04+0100 → 2024-01-02 03:05+0100", "@@"},

		{"manual", "usr/share/man/man1/ls.1", fmt.Sprintf(man, "2024"), fmt.Sprintf(man, "January 2025"), "date; line line=1: \"2024\" → \"January 2025\"", "@@"},
		{"manual whose date is none", "usr/share/man/man1/ls.1", fmt.Sprintf(man, "9.1"), fmt.Sprintf(man, "9.2"), "content; changed-line line=1: \".TH LS 1 \\\"9.1\\\" \\\"GNU coreutils 9.1\\\" \\\"User Commands\\\"\" → \".TH LS 1 \\\"9.2\\\" \\\"GNU coreutils 9.1\\\" \\\"User Commands\\\"\"", "@@"},
		{"manual of BSD", "ls.1", ".Dd $Mdocdate: January 2 2024 $\n.Dt LS 1\n", ".Dd $Mdocdate: March 3 2025 $\n.Dt LS 1\n", "date; line line=1: $Mdocdate: January 2 2024 $ → $Mdocdate: March 3 2025 $", "@@"},
		{"manual of another version", "ls.1", fmt.Sprintf(man, "9.1"), strings.Replace(fmt.Sprintf(man, "9.1"), "utils 9.1", "utils 9.2", 1), "content; changed-line line=1: \".TH LS 1 \\\"9.1\\\" \\\"GNU coreutils 9.1\\\" \\\"User Commands\\\"\" → \".TH LS 1 \\\"9.1\\\" \\\"GNU coreutils 9.2\\\" \\\"User Commands\\\"\"", "@@"},

		{"Info menu order", "usr/share/info/dir", fmt.Sprintf(menu, "* Sed: (sed).  Editor.\n* Grep: (grep).  Search.\n"), fmt.Sprintf(menu, "* Grep: (grep).  Search.\n* Sed: (sed).  Editor.\n"),
			"order; member-order: * Sed: (sed).  Editor. → * Grep: (grep).  Search. ×2", "@@"},
		{"Info menu entry", "usr/share/info/dir", fmt.Sprintf(menu, "* Sed: (sed).  Editor.\n"), fmt.Sprintf(menu, "* Sed: (sed).  Editor.\n* Grep: (grep).  Search.\n"),
			"content; member-extra member=* Grep: (grep).  Search.:  → \ncontent; changed-line line=8:  → \"* Grep: (grep).  Search.\"", "+* Grep"},

		{"JSON values", "x.json", `{"date":"2024-01-02T03:04:05Z","n":1}`, `{"date":"2025-01-02T03:04:05Z","n":2}`, "date; json-value field=date: 2024-01-02T03:04:05Z → 2025-01-02T03:04:05Z\ncontent; json-value field=n: 1 → 2", ""},
		{"JSON order", "x.json", `{"list":["a","b"]}`, `{"list":["b","a"]}`, `content; json-value field=list: ["a","b"] → ["b","a"]`, ""},
		{"JSON keys", "x.json", `{"a":1,"b":2}`, `{"b":2, "a":1}`, "order; json-spelling: 13 bytes → 14 bytes", "bytes common="},
		{"JSON escapes", "x.json", `{"a":"A"}`, `{"a":"\u0041"}`, "packing; json-spelling: 9 bytes → 14 bytes", "bytes common="},
		{"JSON spacing", "x.json", `{"a":1}`, `{ "a": 1 }`, "packing; json-spelling: 7 bytes → 10 bytes", "bytes common="},
		{"JSON lines", "x.json", "{\n \"a\": 1\n}\n", "{\n \"a\": 2\n}\n", "content; json-value field=a: 1 → 2", "- \"a\": 1"},

		{"text date and content", "a", "built 2024-01-02\nx\ny\nz\n", "built 2025-01-02\nx\ny\nZ\n", "date; line line=1: 2024-01-02 → 2025-01-02\ncontent; changed-line line=4: \"z\" → \"Z\"", "@@"},
		{"text adjacent lines", "a", "built 2024-01-02\none\n", "built 2025-01-02\ntwo\n", "date; line line=1: 2024-01-02 → 2025-01-02\ncontent; changed-line line=2: \"one\" → \"two\"", "@@"},
		{"passwords", "etc/shadow", "root:*:20411:0:99999:7:::\nx:!:20411::::::\n", "root:*:20412:0:99999:7:::\nx:!:20412::::::\n", "date; line line=1: 20411 → 20412 ×2", "@@"},
		{"a removed password", "etc/shadow", "root:*:20411:0:99999:7:::\n", "root::20411:0:99999:7:::\n", "content; changed-line line=1: \"root:*:20411:0:99999:7:::\" → \"root::20411:0:99999:7:::\"", "@@"},
		{"a removed password on another day", "etc/shadow", "root:*:20411:0:99999:7:::\n", "root::20412:0:99999:7:::\n", "content; changed-line line=1: \"root:*:20411:0:99999:7:::\" → \"root::20412:0:99999:7:::\"", "@@"},
		{"a password that must be changed", "etc/shadow", "root:*:20411:0:99999:7:::\n", "root:*:0:0:99999:7:::\n", "content; changed-line line=1: \"root:*:20411:0:99999:7:::\" → \"root:*:0:0:99999:7:::\"", "@@"},
		{"the day on which an account expires", "etc/shadow", "root:*:20411:0:99999:7::20411:\n", "root:*:20411:0:99999:7::29999:\n", "content; changed-line line=1: \"root:*:20411:0:99999:7::20411:\" → \"root:*:20411:0:99999:7::29999:\"", "@@"},
		{"another password, a date in it", "etc/shadow", "root:2024-01-02:20411:0:99999:7:::\n", "root:2025-01-02:20411:0:99999:7:::\n", "content; changed-line line=1: \"root:2024-01-02:20411:0:99999:7:::\" → \"root:2025-01-02:20411:0:99999:7:::\"", "@@"},
		{"another password", "etc/shadow", "root:$6$a:20411:0:99999:7:::\n", "root:$6$b:20411:0:99999:7:::\n", "content; changed-line line=1: \"root:$6$a:20411:0:99999:7:::\" → \"root:$6$b:20411:0:99999:7:::\"", "@@"},
		{"another field of a password", "etc/shadow", "root:*:20411:0:99999:7:::\n", "root:*:20411:1:99999:7:::\n", "content; changed-line line=1: \"root:*:20411:0:99999:7:::\" → \"root:*:20411:1:99999:7:::\"", "@@"},
		{"a day before a password", "etc/shadow", "root:*:19000:0:99999:7:::\nx:$6$a:19000::::::\n", "root:*:19001:0:99999:7:::\nx:$6$b:19000::::::\n",
			"date; line line=1: 19000 → 19001\ncontent; changed-line line=2: \"x:$6$a:19000::::::\" → \"x:$6$b:19000::::::\"", "@@"},
		{"days around a new account", "etc/shadow", "root:*:19000:0:99999:7:::\nx:*:19000::::::\n", "root:*:19001:0:99999:7:::\nevil:$6$b:0::::::\nx:*:19001::::::\n",
			"date; line line=1: 19000 → 19001 ×2\ncontent; changed-line line=2:  → \"evil:$6$b:0::::::\"", "@@"},
		{"a date before what it does not explain", "a", "admin=no until 2024-01-01\nx=1\n\ny=1\n", "admin=no until 2025-01-01\nx=2\n\ny=2\n",
			"date; line line=1: 2024-01-01 → 2025-01-01\ncontent; changed-line line=2 others=1: \"x=1\" → \"x=2\"", "@@"},
		{"a line that moved and one that is new", "a", "one\ntwo\nthree\n", "two\nthree\none\nnew\n", "content; changed-line line=4 moved=1:  → \"new\"", "@@"},
		{"another end of a line", "a", "one\ntwo", "one\ntwo\n", "content; changed-line line=2: \"two\" → \"two\\n\"", "@@"},
		{"another indentation", "a.yaml", "a:\n  b: 1\n", "a:\nb: 1\n", "content; changed-line line=2: \"  b: 1\" → \"b: 1\"", "@@"},
		{"a long line", "a", strings.Repeat("x", 300) + "1\n", strings.Repeat("x", 300) + "2\n",
			"content; changed-line line=1: \"…" + strings.Repeat("x", 40) + "1\" → \"…" + strings.Repeat("x", 40) + "2\"", "@@"},
		{"text order", "a", "b\na\nc\n", "a\nb\nc\n", "content; reordered-lines line=1 lines=1: \"b\" → ", "@@"},
		{"lines of a PAM file", "etc/pam.d/su", "auth required pam_unix.so\nauth sufficient pam_permit.so\n", "auth sufficient pam_permit.so\nauth required pam_unix.so\n", "content; reordered-lines line=1 lines=1: \"auth required pam_unix.so\" → ", "@@"},
		{"a number in a source", "x.py", "if t > 1700000000:\n", "if t > 1800000000:\n", "content; changed-line line=1: \"if t > 1700000000:\" → \"if t > 1800000000:\"", "@@"},
		{"a day in a source", "x.py", "VALID = 20240102\n", "VALID = 20991231\n", "content; changed-line line=1: \"VALID = 20240102\" → \"VALID = 20991231\"", "@@"},
		{"a stamp", "built-at", "1700000000\n", "1700000009\n", "date; line line=1: 1700000000 → 1700000009", "@@"},
		{"the time of a build", "x.env", "SOURCE_DATE_EPOCH=1700000000\n", "SOURCE_DATE_EPOCH=1700000009\n", "date; line line=1: 1700000000 → 1700000009", "@@"},
		{"a number of JSON", "x.json", `{"builtTime":1700000000,"limit":1700000000}`, `{"builtTime":1700000009,"limit":1700000009}`, "date; json-value field=builtTime: 1700000000 → 1700000009\ncontent; json-value field=limit: 1700000000 → 1700000009", ""},
		{"a host in a setting", "etc/x.conf", "hostname = good.example\n", "hostname = evil.example\n", "content; changed-line line=1: \"hostname = good.example\" → \"hostname = evil.example\"", "@@"},
		{"another program of a folder", "run", "exec /tmp/x/good\n", "exec /tmp/x/evil\n", "content; changed-line line=1: \"exec /tmp/x/good\" → \"exec /tmp/x/evil\"", "@@"},
		{"another program of a home", "run", "exec /root/good\n", "exec /root/evil\n", "content; changed-line line=1: \"exec /root/good\" → \"exec /root/evil\"", "@@"},
		{"another package of a store", "a", store1 + "/bin/sh\n", strings.Replace(store2, "-bash-", "-evil-", 1) + "/bin/sh\n", "content; changed-line line=1: \"/gnu/store/1hhc8zjp9xmm6rrd3hwbsvx7s9s7kp0r-bash-5.1/bin/sh\" → \"/gnu/store/9zrcaa2nqfwy2nrdcq7qnxqs0jmf3s6g-evil-5.1/bin/sh\"", "@@"},

		{"machine id", "etc/machine-id", strings.Repeat("0a", 16) + "\n", strings.Repeat("1b", 16) + "\n", "content; machine-id: " + strings.Repeat("0a", 16) + " → " + strings.Repeat("1b", 16), ""},
		{"no machine id", "etc/machine-id", strings.Repeat("0a", 16) + "\n", "#!/bin/sh\n", "content; changed-line line=1: \"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\" → \"#!/bin/sh\"", "@@"},
		{"the line of a container in hosts", "etc/hosts", "127.0.0.1\tlocalhost\n172.17.0.2\t0a1b2c3d4e5f\n", "127.0.0.1\tlocalhost\n172.17.0.3\t9a1b2c3d4e5f\n", "content; engine-file:  → ", "@@"},
		{"another line in hosts", "etc/hosts", "127.0.0.1\tlocalhost\n", "127.0.0.1\tlocalhost\n6.6.6.6\tdeb.debian.org\n", "content; changed-line line=2:  → \"6.6.6.6\\tdeb.debian.org\"", "@@"},
		{"a private line in hosts", "etc/hosts", "127.0.0.1\tlocalhost\n", "127.0.0.1\tlocalhost\n172.17.0.3\tdeb.debian.org\n", "content; changed-line line=2:  → \"172.17.0.3\\tdeb.debian.org\"", "@@"},
		{"the name of a container", "etc/hostname", "0a1b2c3d4e5f\n", "9a1b2c3d4e5f\n", "content; engine-file:  → ", "@@"},
		{"another name", "etc/hostname", "0a1b2c3d4e5f\n", "evil\n", "content; changed-line line=1: \"0a1b2c3d4e5f\" → \"evil\"", "@@"},
		{"servers of names", "etc/resolv.conf", "nameserver 127.0.0.11\n", "nameserver 192.168.1.1\n", "content; engine-file:  → ", "@@"},
		{"another server of names", "etc/resolv.conf", "nameserver 127.0.0.11\n", "nameserver 6.6.6.6\n", "content; changed-line line=1: \"nameserver 127.0.0.11\" → \"nameserver 6.6.6.6\"", "@@"},
		{"cache of ldconfig", "var/cache/ldconfig/aux-cache", auxCache(1, 100, "libc.so.6"), auxCache(2, 100, "libc.so.6"), "content; aux-cache libraries=1:  → ", ""},
		{"cache of ldconfig with another library", "var/cache/ldconfig/aux-cache", auxCache(1, 100, "libc.so.6"), auxCache(1, 100, "libd.so.6"), "content; :  → ", "bytes"},
		{"cache of ldconfig with a library of another size", "var/cache/ldconfig/aux-cache", auxCache(1, 100, "libc.so.6"), auxCache(1, 101, "libc.so.6"), "content; :  → ", "bytes"},
		{"cache of fonts", "var/cache/fontconfig/a-le64.cache-7", fontCache(1700000000, "x"), fontCache(1700000009, "x"), "date; font-cache: 2023-11-14T22:13:20Z → 2023-11-14T22:13:29Z", ""},
		{"cache of other fonts", "var/cache/fontconfig/a-le64.cache-7", fontCache(1700000000, "x"), fontCache(1700000009, "y"), "content; :  → ", "bytes"},
		{"store path", "a", "#!" + store1 + "/bin/sh\n", "#!" + store2 + "/bin/sh\n", "store path; line line=1: " + store1[11:] + " → " + store2[11:], "@@"},
		{"store path in bytes", "a", "\x00\x01" + store1 + "/lib\x00end", "\x00\x01" + store2 + "/lib\x00end", "store path; byte offset=13: " + store1[11:] + " → " + store2[11:], ""},
		{"bytes", "a", "\x00\x01\x02", "\x00\x01\x03", "content; :  → ", "offset=2"},
		{"a byte and a date", "a", "\x00x 2024-01-02 " + strings.Repeat("-", 20) + "\x01", "\x00x 2024-01-03 " + strings.Repeat("-", 20) + "\x02", "date; byte offset=3: 2024-01-02 → 2024-01-03\ncontent; :  → ", "offset="},
		{"from nothing", "a", "", "x", "content; changed-line line=1:  → \"x\"", "+x"},
	}
}

// auxCache is a cache of ldconfig with one library.
func auxCache(inode, size uint64, soname string) string {
	le := binary.LittleEndian
	b := append([]byte("glibc-ld.so.auxcache-1.0"), 1, 0, 0, 0, byte(len(soname)+1), 0, 0, 0)
	for _, v := range []uint64{inode, inode * 1000, size, inode + 5} {
		b = le.AppendUint64(b, v)
	}
	b = append(b, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	return string(b) + soname + "\x00"
}

// fontCache is a cache of fontconfig with some fonts.
func fontCache(seconds uint32, fonts string) string {
	b := make([]byte, 64)
	copy(b, "\x04\xfc\x02\xfc\x07")
	binary.LittleEndian.PutUint32(b[48:], seconds)
	binary.LittleEndian.PutUint64(b[56:], uint64(seconds)*3)
	return string(b) + fonts
}

const zip8 = 8 // the method of zip that packs by deflate

func nest(t testing.TB, n int, text string) string {
	for range n {
		text = gzipped(t, time.Time{}, "", 9, text)
	}
	return text
}

// debOf is a Debian package of one file.
func debOf(t testing.TB, jar string) string {
	return arMembers("data.tar.gz 0 0 " + gzipped(t, time.Time{}, "", 9, tarred(t, tarFile("usr/x.jar", jar, day1))))
}

// gap puts bytes before the central directory of a zip file.
func gap(data, hidden string) string {
	at := strings.Index(data, "PK\x01\x02")
	b := []byte(data[:at] + hidden + data[at:])
	end := b[strings.LastIndex(string(b), "PK\x05\x06"):]
	binary.LittleEndian.PutUint32(end[16:], uint32(at+len(hidden)))
	return string(b)
}

// withAttributes gives the one member of a zip file another host and other
// external attributes.
func withAttributes(data string, madeBy uint16, attributes uint32) string {
	b := []byte(data)
	central := b[strings.Index(data, "PK\x01\x02"):]
	binary.LittleEndian.PutUint16(central[4:], madeBy)
	binary.LittleEndian.PutUint32(central[38:], attributes)
	return string(b)
}

func dynamic(major, minor uint64) string {
	b := binary.LittleEndian.AppendUint64(nil, 0x37146003)
	return string(binary.LittleEndian.AppendUint64(b, major<<16|minor))
}

func TestExplain(t *testing.T) {
	for _, tc := range samples(t) {
		t.Run(tc.name, func(t *testing.T) {
			e := New(time.Time{}).Explain(tc.path, []byte(tc.was), []byte(tc.now))
			if got := strings.TrimSuffix(show(e), "\n"); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
			if tc.text == "" != (len(e.Shown) == 0) || !strings.Contains(shownText(e), tc.text) {
				t.Errorf("what is shown lacks %q:\n%s", tc.text, shownText(e))
			}
			if again := New(time.Time{}).Explain(tc.path, []byte(tc.was), []byte(tc.now)); show(again) != show(e) || shownText(again) != shownText(e) {
				t.Error("explained again, it is another explanation")
			}
		})
	}
}

// What matters most is listed, however much else differs before it.
func TestWeightOfParts(t *testing.T) {
	var was, now strings.Builder
	for i := range 3 * maxParts {
		content := "same"
		was.WriteString(arEntry(fmt.Sprint("m", i), int64(i), content))
		if i == 2*maxParts {
			content = "evil"
		}
		now.WriteString(arEntry(fmt.Sprint("m", i), int64(100_000+i), content))
	}
	e := New(time.Time{}).Explain("a.a", []byte(arMagic+was.String()), []byte(arMagic+now.String()))
	if len(e.Parts) != maxParts || e.total() != 3*maxParts+1 || e.More != 2*maxParts+1 {
		t.Errorf("%d parts, %d in all, %d more", len(e.Parts), e.total(), e.More)
	}
	if !slices.ContainsFunc(e.Parts, func(p Part) bool { return p.Reason == Content && p.What.Args.String("inside") == "m200" }) {
		t.Errorf("the content is not listed: %+v", e.Parts)
	}
}

func arEntry(name string, time int64, content string) string {
	return fmt.Sprintf("%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", name+"/", time, 0, 0, "644", len(content), content)
}
