package inspect

// The numbers of the formats that tests write by hand, as their specifications
// have them.
const (
	superblockSize = 96
	metaSize       = 8 << 10
	none32         = 1<<32 - 1
	none64         = 1<<64 - 1
	notPacked      = 1 << 24

	sifMagic          = "SIF_MAGIC\x00"
	sifMagicAt        = 32
	descriptorSize    = 585
	nameSize          = 128
	extraSize         = 384
	definitionKind    = 0x4001
	labelsKind        = 0x4003
	partitionKind     = 0x4004
	indexKind         = 0x400a
	blobKind          = 0x400b
	squashfsPartition = 1
	primaryRole       = 2

	hashA = "0123456789abcdfghijklmnpqrsvwxyz"
	hashB = "zyxwvsrqpnmlkjihgfdcba9876543210"
)
