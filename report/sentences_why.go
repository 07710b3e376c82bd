package report

// whySentences are the sentences of why a build seems to have failed, and of what can be
// done about it, by code.
func whySentences() map[string]string {
	return map[string]string{
		"why/source-gone":        "a source is gone from where the recipe has it[: {address}][ ({item})]; archives may have it: Software Heritage (https://archive.softwareheritage.org), https://web.archive.org[, the build farm at {farm}]; put a copy into the store, or let a farm give what was built from it (without --no-substitutes)",
		"why/source-changed":     "what lies at the address of a source is another file than the recipe pins[: {item}][, {expected} is expected and {actual} came]; a build farm or an archive may have the right one",
		"why/server-certificate": "a server from which something is fetched has a certificate that is not valid[: {server}]; see whether the date of this machine is right, or use a mirror",
		"why/time-bomb":          "a test seems to fail since a date has passed[: {line:quote}]; build with the clock of an earlier day, on a machine or in a virtual machine of its own, or take the package from a build farm (without --no-substitutes)",
		"why/other-processor":    "a program of the build stops at an instruction that this processor does not have[ ({line})]; build on another machine",
		"why/other-kernel":       "a program of the build wants another kernel than that of this machine[ ({line})]; build on another machine, or in a virtual machine",
		"why/other-machine":      "a package can only be built on another kind of machine[: {item}][, on {wanted}][ with {features}][, and this is {here}]; build on such a machine, name one as a builder, or enable emulation",
		"why/channel-moved":      "the channel {channel} cannot be fetched from {address}; where it has moved, name the new place: --channel-url {channel}=URL, a mirror or a folder with a clone",
		"why/no-space":           "the disk that is built on is full; free some space, or let TMPDIR name another place",
		"why/memory":             "the machine has not enough memory for a build, which was ended; build with fewer jobs at a time (--max-jobs 1, --cores 1), or on a larger machine",
		"why/too-long":           "a build took longer than it may[: {item}]; give it more time, or a faster machine",
		"why/no-daemon":          "the daemon of the build tool does not answer[ at {address}]; start it, and run audit again",
		"why/no-namespaces":      "the build sandbox needs user namespaces, which this machine does not allow; enable them, or run on another one",
		"why/no-network":         "the names of servers cannot be resolved here: without a network nothing is fetched",
		"why/about-the-build":    "why it failed is a guess from the log of the build, and says nothing of the image",
	}
}
