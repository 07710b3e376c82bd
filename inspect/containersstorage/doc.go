// Package containersstorage reads an image from the store in which podman, buildah and
// CRI-O keep theirs, as it lies on disk (containers-storage(5),
// go.podman.io/storage/docs). No engine is asked, nothing is mounted, no lock is taken,
// and nothing is written; a store that is changed meanwhile fails loudly, since each layer
// has to have its diffID.
//
// The store keeps layers taken apart: the files of each below overlay/ID/diff, and what
// else the tar had, byte for byte, in overlay-layers/ID.tar-split.gz
// (github.com/vbatts/tar-split, "tar/storage"). Of the two the layer is put together again.
// The layers as they were pulled are gone: the image is read as one of docker-archive.
package containersstorage
