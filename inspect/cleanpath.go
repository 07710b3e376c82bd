package inspect

// CleanPath returns the path, of the form of Entry.Path, that the name of an
// entry or the target of a hard link means.
func CleanPath(name string) string { return cleanPath(name) }
