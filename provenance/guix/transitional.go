package guix

import "audit/provenance"

// transitional is a pack in the shape that reports still take.
func transitional(p Pack) provenance.Pack {
	out := provenance.Pack{
		Format: p.Format, Era: p.Era, Root: p.Root, MaxLayers: p.MaxLayers, EntryPoint: p.EntryPoint, ImageTag: p.ImageTag,
		Database: p.Database, ProfileName: p.ProfileName, Relocatable: p.Relocatable, PRoot: p.PRoot,
		Compression: p.Compression, SystemType: p.SystemType, FriendlyName: p.FriendlyName, Unknown: p.Unknown,
	}
	for _, link := range p.Symlinks {
		out.Symlinks = append(out.Symlinks, provenance.Symlink(link))
	}
	return out
}
