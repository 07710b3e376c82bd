// Package sbom writes what an image is made of as a software bill of
// materials: SPDX 2.3 and CycloneDX 1.6, both as JSON.
//
// [Collect] makes one [Bill], which knows of neither format, from an inspected
// image and its recipe; [Bill.WriteSPDX] and [Bill.WriteCycloneDX] print it.
// The same image gives the same bytes, on every machine and on every run: ids
// derive from digests, the date from the caller or the image, and all lists
// are sorted.
//
// The image is the subject. It contains its layers, these contain the store
// items, and a store item depends on those that its bytes refer to. Every
// store item is a component, whether the recipe names it or not: packages,
// what they need, and what profile hooks made. A bill lists what is in the
// image and says where each thing was found; it does not say that the image
// was built from it. Files outside the store are no components; while the
// check named closure has not passed, the bill says that it is incomplete.
//
// # Names and versions
//
// For an item that the profile manifest names, name, version and output are
// those of the manifest. For others they are read from the item's name, by the
// rule of Guix and Nix: the version starts after the first dash that a digit
// follows. Such a bill entry says "store-name" as its identity, in place of
// "recipe".
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
