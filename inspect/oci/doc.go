// Package oci reads OCI images (OCI image-spec v1.1): from an index to the one
// manifest that is asked for, its config and layers, and the attestations beside
// it. The blobs may lie in a folder, in an archive, or wherever [Blobs] finds them.
package oci
