package ospackages

import (
	"errors"
	"path"
	"strconv"

	"audit/inspect/paths"
	"audit/provenance/ospackages/rpmheader"
)

// digestAlgorithm is that of the file digests of a header (RFC 4880, 9.4); MD5
// where none is named.
func digestAlgorithm(h rpmheader.Header) string {
	number := uint32(1)
	if all := h.Numbers(rpmheader.FileDigestAlgo); len(all) > 0 {
		number = all[0]
	}
	return map[uint32]string{1: "md5", 2: "sha1", 8: "sha256"}[number]
}

// rpmPackage reads the header of a package.
func rpmPackage(blob []byte) (Package, error) {
	h, err := rpmheader.Read(blob)
	if err != nil {
		return Package{}, err
	}
	p := Package{Name: h.Text(rpmheader.Name), Version: h.Text(rpmheader.Version), Arch: h.Text(rpmheader.Arch), Source: h.Text(rpmheader.SourceRPM), License: h.Text(rpmheader.License)}
	if p.Name == "" {
		return p, errors.New("it has no name")
	}
	if release := h.Text(rpmheader.Release); release != "" {
		p.Version += "-" + release
	}
	if epoch := h.Numbers(rpmheader.Epoch); len(epoch) > 0 {
		p.Version = strconv.FormatUint(uint64(epoch[0]), 10) + ":" + p.Version
	}
	p.Files = rpmFiles(h)
	return p, nil
}

// files puts the parallel lists of a header together.
func rpmFiles(h rpmheader.Header) []File {
	names, dirs, of := h.Texts(rpmheader.BaseNames), h.Texts(rpmheader.DirNames), h.Numbers(rpmheader.DirIndexes)
	digests, flags, verify := h.Texts(rpmheader.FileDigests), h.Numbers(rpmheader.FileFlags), h.Numbers(rpmheader.FileVerify)
	algorithm, modes, links := digestAlgorithm(h), h.Shorts(rpmheader.FileModes), h.Texts(rpmheader.FileLinkTos)
	var files []File
	room := namesOf(h.Size())
	for i, name := range names {
		if i >= len(of) || int64(of[i]) >= int64(len(dirs)) {
			break
		}
		if room -= len(dirs[of[i]]) + len(name); room < 0 {
			break
		}
		f := File{Path: paths.Clean(path.Join(dirs[of[i]], name)), Config: flag(flags, i)&rpmheader.ConfigFlag != 0}
		if i < len(digests) && flag(flags, i)&rpmheader.GhostFlag == 0 {
			f.Digest = newDigest(algorithm, digests[i])
		}
		if i < len(links) {
			f.Link = links[i]
		}
		if i < len(modes) {
			f.Mode = int64(modes[i] & 0o7777)
		}
		f.Made = i < len(verify) && verify[i]&rpmheader.VerifyDigest == 0
		files = append(files, f)
	}
	return files
}

// flag returns the flags of a file, 0 where the list is too short.
func flag(flags []uint32, i int) uint32 {
	if i < len(flags) {
		return flags[i]
	}
	return 0
}
