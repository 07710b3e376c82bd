// Package rootfs reads a flattened root file system in a tar, as container engines
// export it: one layer, and no config.
package rootfs
