package inspect

import (
	"audit/inspect/digest"
	"audit/inspect/image"
	"audit/inspect/limit"
	"audit/inspect/pass"
	"audit/inspect/store"
)

// What [Open] takes and returns has its name here too, so that one import is enough
// for whoever asks an image. The documentation stands where each is made, and the
// kinds of things (transports, compressions, digests) are those of their packages.
type (
	Image     = image.Image
	Layer     = image.Layer
	Entry     = image.Entry
	File      = image.File
	Config    = image.Config
	Root      = image.Root
	StoreItem = store.Item
	Sum       = digest.Sum

	Options     = pass.Options
	Limits      = limit.Limits
	LimitError  = limit.Error
	FormatError = limit.FormatError
)
