package inspect

// A Compression is how a stream of bytes is packed.
type Compression string

// The compressions that are recognised, by magic number.
const (
	None  Compression = "none"
	Gzip  Compression = "gzip"  // RFC 1952
	Zstd  Compression = "zstd"  // RFC 8878
	XZ    Compression = "xz"    // The .xz File Format 1.2.1
	Bzip2 Compression = "bzip2" // no specification but its source
	Lzip  Compression = "lzip"  // draft-diaz-lzip-09
)
