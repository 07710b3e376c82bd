package image

// A Transport is the form in which an image reaches audit; the names are those
// that containers-transports(5) made usual.
type Transport string

// The transports.
const (
	DockerArchive Transport = "docker-archive" // what docker save writes
	OCIArchive    Transport = "oci-archive"    // an OCI image layout in a tar
	OCI           Transport = "oci"            // an OCI image layout in a folder
	DockerDaemon  Transport = "docker-daemon"  // a running engine
	Registry      Transport = "docker"         // a registry
	RootFS        Transport = "rootfs"         // a flattened file system in a tar
	SquashFS      Transport = "squashfs"       // a squashfs file system
	SIF           Transport = "sif"            // what Singularity and Apptainer run

	ContainersStorage Transport = "containers-storage" // the store of podman and buildah
)

// IsEngine says that the image came out of an engine or its store, under a name.
func (t Transport) IsEngine() bool { return t == DockerDaemon || t == ContainersStorage }
