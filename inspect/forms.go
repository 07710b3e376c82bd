package inspect

import (
	"audit/inspect/containersstorage"
	"audit/inspect/daemon"
	"audit/inspect/dockerarchive"
	"audit/inspect/form"
	"audit/inspect/oci"
	"audit/inspect/registry"
	"audit/inspect/rootfs"
	"audit/inspect/sif"
	"audit/inspect/squashfs"
)

// Forms are the forms in which an image can reach audit, in the order in which
// they are asked whether an input is of theirs. This is the one list: a new form
// is a package and a line here.
func Forms() []form.Form {
	return []form.Form{
		registry.Form(),  // what is no file
		oci.LayoutForm(), // the only folder
		squashfs.Form(),
		sif.Form(),
		rootfs.Form(), // by its first names; the two that follow read the whole tar
		oci.ArchiveForm(),
		dockerarchive.Form(), // any other tar
		daemon.Form(),        // never guessed
		containersstorage.Form(),
	}
}
