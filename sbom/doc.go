// Package sbom writes what an image is made of as a software bill of
// materials: SPDX 2.3 as JSON or tags and values, CycloneDX 1.6 as JSON or XML.
//
// [Collect] makes one [Bill], which knows of neither format, from an inspected
// image and its recipe; [Bill.WriteSPDX] and [Bill.WriteCycloneDX] print it,
// and [Compare] finds what changed from one to another. The same image gives
// the same bytes, on every machine and on every run: ids derive from digests,
// the date from the caller or the image, and all lists are sorted.
//
// The image is the subject. It contains its layers, these contain the store
// items, and a store item depends on those that its bytes refer to. Every
// store item is a component, whether the recipe names it or not: packages,
// what they need, and what profile hooks made. A bill lists what is in the
// image and says where each thing was found; it does not say that the image
// was built from it. Files are components only when asked for; while the
// check named closure has not passed, the bill says that it is incomplete.
//
// # Other packages
//
// What the image itself says of other packages is listed as well, as a
// container sees its files: the databases of dpkg, apk and rpm, and the records of
// languages and of tools that install software (package records), when the image
// was opened with [Keep] and watched with [records.Watch]. Each is contained in the
// store item or the package that its metadata belong to, else in its layer. What
// packages depend on is listed for those of dpkg and apk, as their databases have it:
// of each list of alternatives the first that is there. Of the others it is not: that
// they lie in the image says nothing of who uses them.
//
// A package that its record says where it came from has that address, and the digests
// of what lies there, which nobody has compared with anything. The sum of a Go module
// is that of a tree, as a NAR hash is, and stands beside the checksums likewise.
//
// With Options.Files all files are listed with their SHA-256. What was not looked
// into, because it is too large or cannot be read, is a [Gap], and the documents say
// so. In SPDX a file is a package of purpose FILE, since an SPDX file must have a
// SHA-1.
//
// # Licences
//
// A licence is what the package's own metadata declare, when that is a valid
// license expression of SPDX, or means one by the rules of its ecosystem: R's
// abbreviations, those of Python's classifiers that mean one licence only, and
// the short names in the machine-readable copyright files of Debian.
// Else it is NOASSERTION, with the text in a comment (SPDX) or in the property
// audit:license:declared (CycloneDX). Nobody has read the files of licences.
//
// # CPE
//
// Store items and packages of distributions have a CPE that is made of name and
// version. It is a candidate and marked as one: in SPDX by its comment, in
// CycloneDX as evidence of low confidence, and not as the component's cpe.
//
// # Names and versions
//
// Name, version and output of a store item are those of its path, which the
// bytes and their references are bound to. Where a profile manifest names the item
// and its name, version and output make up the name in the path, that says where
// one ends and the next begins; the entry's identity is then "recipe". Else the
// path is split by the rule of its store (Store.StartsVersion), the identity is
// "store-name", and what the manifest calls the item is an alias.
//
// # Kinds
//
// An item with a version, or named by the recipe, is software: an application
// (CycloneDX: "classify as application if no more specific appropriate
// classification is available"). Any other is data, such as a profile or
// info-dir, or a file when it is a single one. In SPDX the purposes are
// APPLICATION, OTHER and FILE.
//
// # NAR hashes
//
// A store item has no checksum that sha256sum could confirm: its NAR hash is
// taken over a serialisation of the whole tree. Neither SPDX's checksums nor
// CycloneDX's hashes can say so, and a tool that compares those with files
// would be misled. So the NAR hash is an external reference of category OTHER
// and type nar-hash in SPDX, and the property audit:store:narHash in
// CycloneDX. Layers are files, and have checksums.
package sbom
