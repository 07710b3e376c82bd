package base

import (
	"path"
	"regexp"
	"strings"

	"audit/inspect/check"
)

// A maker is one of base images, with a trace that its tools leave.
type maker struct {
	name      string
	where     place
	key       string         // of a label: its key
	pattern   *regexp.Regexp // of a line, of a label's value or of a path in the root file system
	reference string         // the name that its images have, of the groups of the pattern; "" when none follows
}

// A place is where a trace is looked for.
type place int

const (
	inHistory place = iota // created_by, without "/bin/sh -c #(nop)" and "# buildkit"
	inComment
	inAuthor
	inLabel
	inFiles // of the folder that the key names
)

// makers are the traces that are known, in the order in which they are named. This is
// the one list: a new one is a line here.
func makers() []maker {
	line := func(name, pattern, reference string) maker {
		return maker{name, inHistory, "", regexp.MustCompile(pattern), reference}
	}
	label := func(name, key, pattern string) maker {
		return maker{name, inLabel, key, regexp.MustCompile(pattern), ""}
	}
	file := func(name, folder, pattern, reference string) maker {
		return maker{name, inFiles, folder, regexp.MustCompile(pattern), reference}
	}
	return []maker{
		line("Alpine", `^ADD alpine-minirootfs-([0-9]+\.[0-9]+\.[0-9]+(?:_rc[0-9]+)?)-[a-z0-9_]+\.tar\.gz /$`, "alpine:$1"),
		line("BusyBox", `^BusyBox ([0-9.]+) \((glibc|musl|uclibc)\), `, "busybox:$1-$2"),
		line("Bitnami minideb", `^# ?minideb`, ""),
		line("Fedora", `^ENV DISTTAG=f([0-9]+)container`, "fedora:$1"),
		line("Ubuntu", `^ARG LAUNCHPAD_BUILD_ARCH`, ""),
		line("Distroless", `^bazel build .*distroless`, ""),
		{"KIWI", inComment, "", regexp.MustCompile(`^KIWI [0-9.]+$`), ""},
		{"Fedora's Image Factory", inComment, "", regexp.MustCompile(`^Created by Image Factory$`), ""},
		{"apko", inAuthor, "", regexp.MustCompile(`^(github\.com/chainguard-dev/)?apko$`), ""},
		{"Cloud Native Buildpacks", inComment, "", regexp.MustCompile(`^Buildpacks `), ""},
		label("Ubuntu", "org.opencontainers.image.ref.name", `^ubuntu$`),
		label("CentOS", "org.label-schema.name", `^CentOS Base Image$`),
		label("Red Hat", "com.redhat.component", `^(ubi[0-9]+)(-[a-z]+)?-container$`),
		label("openSUSE", "org.opensuse.base.title", `^openSUSE`),
		label("Rocky Linux", "org.opencontainers.image.vendor", `^Rocky Enterprise Software Foundation`),
		label("Chainguard", "dev.chainguard.package.main", `^`),
		label("Bitnami", "com.vmware.cp.artifact.flavor", `^`),
		file("Red Hat", "root/buildinfo", `^Dockerfile-(ubi[0-9]+(?:-[a-z]+)?)-([0-9.]+-[0-9.]+)$`, "registry.access.redhat.com/$1:$2"),
		file("Red Hat", "root/buildinfo/content_manifests", `^(ubi[0-9]+(?:-[a-z]+)?)-container-([0-9.]+-[0-9.]+)\.json$`, "registry.access.redhat.com/$1:$2"),
		file("Bitnami", "opt/bitnami", `^\.bitnami_components\.json$`, ""),
		file("apko", "etc", `^apko\.json$`, ""),
		file("Distroless", "var/lib/dpkg/status.d", `^base$|^base-files$|^tzdata$|^netbase$`, ""),
	}
}

// instruction is a line of a history without what builders write around it.
func instruction(line string) string {
	if before, after, ok := strings.Cut(line, "#(nop)"); ok && len(before) <= 64 {
		line = after
	}
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(line), "# buildkit"))
}

// makers looks for the traces of makers.
func (r *reader) makers() {
	for _, m := range makers() {
		switch m.where {
		case inLabel:
			if value, ok := r.labels()[m.key]; ok && m.pattern.MatchString(value) {
				r.note(-1, "", "recipe/base-maker-label", "maker", m.name, "label", m.key, "value", check.Brief(value))
			}
		case inFiles:
			r.file(m)
		default:
			r.line(m)
		}
	}
	r.ubuntu()
	r.bitnami()
}

// line looks for a maker in the history.
func (r *reader) line(m maker) {
	for n, h := range r.img.Config.File.History {
		text := map[place]string{inHistory: instruction(h.CreatedBy), inComment: h.Comment, inAuthor: h.Author}[m.where]
		groups := m.pattern.FindStringSubmatchIndex(text)
		if groups == nil {
			continue
		}
		r.note(r.layerOf(n), "", "recipe/base-maker-line", "maker", m.name, "line", check.Brief(text))
		if m.reference != "" && r.base.Set(string(m.pattern.ExpandString(nil, m.reference, text, groups)), "", Trace) {
			r.base.At(n+1+r.emptyAfter(n), Trace)
		}
		return
	}
}

// file looks for a maker's file.
func (r *reader) file(m maker) {
	folder, names, _ := r.img.Root().Folder(m.key)
	for _, name := range names {
		groups := m.pattern.FindStringSubmatchIndex(name)
		f, ok := r.img.Root().Name(path.Join(folder, name))
		if groups == nil || !ok || f.Inode.Type == '5' {
			continue
		}
		r.note(f.Layer, f.Path, "recipe/base-maker-file", "maker", m.name)
		if m.reference != "" {
			r.base.Set(string(m.pattern.ExpandString(nil, m.reference, name, groups)), "", Trace)
		}
		return
	}
}

// ubuntuVersion is that of Ubuntu's images in their label.
var ubuntuVersion = regexp.MustCompile(`^[0-9]{2}\.[0-9]{2}$`)

// ubuntu names Ubuntu's image by two labels of it.
func (r *reader) ubuntu() {
	labels := r.labels()
	if version := labels["org.opencontainers.image.version"]; labels["org.opencontainers.image.ref.name"] == "ubuntu" && ubuntuVersion.MatchString(version) {
		r.base.Set("ubuntu:"+version, "", Trace)
	}
}

// bitnami looks for the bill of materials that Bitnami puts into the folder of each
// component.
func (r *reader) bitnami() {
	folder, names, _ := r.img.Root().Folder("opt/bitnami")
	for _, name := range names {
		f, ok := r.img.Root().Name(path.Join(folder, name, ".spdx-"+name+".spdx"))
		if ok && f.Inode.Type != '5' {
			r.note(f.Layer, f.Path, "recipe/base-maker-file", "maker", "Bitnami")
			return
		}
	}
}
