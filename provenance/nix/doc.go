// Package nix recovers what an image reveals of how Nix made it: which packer,
// of what time, from which store items. It also makes the check closure: is
// every file of the image explained?
//
// # What Nix leaves in an image
//
// An image of Nix says nothing of its origin by itself. It has store items,
// /nix/store/HASH-NAME, and around them the little that the packer adds; its
// config has labels only where the author wrote them. So the recipe is partial
// at best: the revision of nixpkgs, the expression and its attribute are not in
// the image, and this package says so instead of guessing. The user can add
// them; evaluating them then gives the store paths of the image, or not.
//
// What can be recovered:
//
//   - The packer, by how it writes: dockerTools.buildImage,
//     dockerTools.streamLayeredImage (which buildLayeredImage calls since
//     nixpkgs 20.09), the buildLayeredImage before it, nix2container, Nixery.
//   - The store items, from the layers, and from the history of images of
//     streamLayeredImage, which lists them as Python prints a list. Both must
//     agree. The last list names the store path of the customisation layer,
//     which itself is not in the image: a candidate for the recipe can be compared
//     with it without building anything.
//   - Of an image with the store's database (includeNixDB), what the store knew
//     of each item: its NAR hash, size and references, and where Nix ran in the
//     image the derivation that made it.
//   - Labels org.opencontainers.image.source and revision. These are only
//     asserted: nothing ties them to the bytes.
//
// Formats and rules were learnt from nixpkgs (pkgs/build-support/docker, 18.09
// to 25.05), nix2container (1.0.0 of March 2026) and Nixery (2026).
package nix
