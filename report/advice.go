package report

import (
	"strings"

	"audit/inspect/check"
	"audit/rebuild/compare"
)

// why says why a check matters.
func why(id check.ID) string {
	switch id {
	case check.Integrity:
		return "Every other check reads these bytes. Where they are not what the image's own descriptors say, the copy is damaged or was changed after it was made, and a container may run other bytes than those that were looked at."
	case check.Recipe:
		return "Without a recipe nobody can say where the bytes come from, and nobody can build them again. A recipe that names every source at a commit still works when names and tags have moved on."
	case check.Closure:
		return "A file that no recipe explains was put there by something else: a step that was never written down, or a change after the image was made. A store path that is named and not there makes programs fail at run time, or find something else."
	case check.Repack:
		return "The packer follows rules: which entries, in which order, with which times, owners and modes. An image that these rules do not give was changed after it was packed, or was packed by something else than it says. No builder is needed to see it."
	case check.Signatures:
		return "Build farms build the same packages and sign what comes out. Agreement of independent farms, byte for byte, is strong evidence that an item is what its sources give, and it costs no building."
	case check.Sources:
		return "A build that begins with something of which no hash exists cannot be done again, and nobody can say what went into it. Where everything leads back to sources with hashes, all of it can be read, and be fetched again from an archive."
	case check.Derivation:
		return "A store path holds a digest of all that goes into a build: sources, tools, options. The recipe giving the very paths of the image ties the image to these sources, whatever is inside the files."
	case check.Rebuild:
		return "It is the only check that shows, for the bytes themselves, that they come from the recipe. All others can pass on an image in which someone changed a file inside a store item and made every digest fit."
	}
	return ""
}

// advice says what to do about a check that ended in this way: where it is no pass, what
// its gravest finding says.
func (r *Report) advice(id check.ID, status check.Status) string {
	switch status {
	case check.Pass:
		return "Nothing. " + confirm(id)
	case check.Skipped:
		return r.remedy(id)
	case check.Fail:
		return r.about(id, check.Problem)
	}
	return r.about(id, check.Undecided)
}

// about says what to do about a check by its gravest finding of a level.
func (r *Report) about(id check.ID, level check.Level) string {
	for _, f := range r.byWeight() {
		if f.check == id && f.Level == level {
			return r.words.only(r.Recipe.System).adviseOn(id, f.Code, level).todo
		}
	}
	if level == check.Undecided && r.compared() {
		if r.Comparison != nil {
			return "Look at the differences and at what causes them. They accuse neither image."
		}
		return "The findings say what stood in the way of a comparison."
	}
	if level == check.Undecided {
		return "It ran and could not decide. " + r.remedy(id)
	}
	return react(id)
}

// confirm says how a pass can be seen without audit.
func confirm(id check.ID) string {
	switch id {
	case check.Integrity:
		return "The same digests come out of sha256sum: see the last section but one, Check this report by hand."
	case check.Recipe:
		return "Read the recipe below: that it is complete does not make it good."
	case check.Closure:
		return "The store items and what refers to what are listed below."
	case check.Repack:
		return "Findings, if any, name the freedoms that this packer leaves: up to these the image is what it would have packed."
	case check.Signatures:
		return "Ask farms that do not depend on each other, and it weighs more."
	case check.Sources:
		return "The sources are listed below, with their addresses and hashes."
	case check.Derivation:
		return "What is inside the store items is another question, which signatures and rebuild answer."
	}
	return "How much of it was built in this run, and what was taken on trust, stands at the top and under Rebuild."
}

// remedy says what lets a check decide that has not.
func (w words) remedy(id check.ID) string {
	switch id {
	case check.Integrity:
		return "Get the image in a form that carries its digests, such as an OCI layout or a pull by digest."
	case check.Recipe:
		text := "Ask the author for the recipe."
		for _, s := range w.systems {
			text += strings.TrimRight(" "+s.SavesRecipe, " ")
		}
		return text
	case check.Closure:
		return "It needs a recipe, or at least the store item that the image is made of."
	case check.Repack:
		return "It needs a recipe, and a packer whose rules are known here."
	case check.Signatures:
		return "Ask build farms with --online, or --substitutes URL and --trusted-key FILE. The packages of a distribution need its key, --trusted-key FILE, and but for those of rpm the packages too, --packages DIR or URL."
	case check.Sources:
		return w.derivationFlags()
	case check.Derivation:
		return "It needs the build system on this machine, and no building. rebuild.sh and plan.json carry the recipe to a machine that has it."
	}
	return "Run audit where the build system is, or run rebuild.sh there and come back with --rebuilt IMAGE."
}

// derivationFlags says how the derivations of an image are had.
func (w words) derivationFlags() string {
	text := "It needs the derivations of the image: the build system on this machine, which evaluates the recipe and builds nothing for it"
	var flags []string
	for _, s := range w.systems {
		if s.DerivationFlag != "" {
			flags = append(flags, "--"+s.DerivationFlag+" FILE")
		}
	}
	if len(flags) > 0 {
		text += ", or " + strings.Join(flags, " or ") + " with the files that its .drv file needs beside it"
	}
	return text + "."
}

// otherThanSigned is what to do about files of signed packages.
const otherThanSigned = "Files that a signed package has otherwise were changed after it was installed: ask who did, and why."

// react says what to do about a no.
func react(id check.ID) string {
	switch id {
	case check.Integrity:
		return "Get the image again from where it was published, and compare its digest with the one that the publisher names. If it fails again, do not run it, and inform the publisher which descriptor does not fit."
	case check.Recipe:
		return "What the image says of how it was built does not fit together. Ask the author for the recipe that was really used."
	case check.Closure:
		return "Look at each file in the findings before running the image. Ask the author which step wrote it; if there is an answer, that step belongs into the recipe."
	case check.Repack:
		return "The findings name the entry and the field. Setuid bits, owners and times that no packer writes are the marks of a change by hand: ask for the image as it was packed."
	case check.Signatures:
		return "Build the items that differ yourself, with --fresh: either the package does not build reproducibly, which its maintainers want to know, or this copy, or the farm's, was changed. Where a signature is bad: name the key of that farm with --trusted-key, if you trust it; if you did, somebody changed its answer. " + otherThanSigned
	case check.Sources:
		return "The findings name what has no hash: a local folder, something that was fetched without one, or a build that was let out of its sandbox. Ask the author to pin it."
	case check.Derivation:
		return "The recipe is not the one that this image was built from: another commit, another version, or an option that the image does not show. The findings name the items."
	}
	return "See Differences: each has a cause, and each cause says what usually brings it about. Build twice on one machine to distinguish a build that varies from an image that was changed."
}

// causeAdvice says what usually brings a cause about, and what helps.
func causeAdvice(c compare.Cause) string {
	switch c {
	case compare.Order:
		return "The packer takes entries as the file system hands them out. Sorting them, as newer packers do, helps; nothing inside a container depends on it."
	case compare.Timestamp:
		return "Something keeps the time of the build. Packers and archivers that honour SOURCE_DATE_EPOCH write a fixed one."
	case compare.Mode:
		return "Permissions decide who may do what: setuid and setgid above all. An umask of the builder's machine is the harmless reason; make sure that it is that."
	case compare.Owner:
		return "Files belong to whoever built them unless the packer sets owners. Inside a container the owner decides who may write."
	case compare.Link:
		return "The link leads elsewhere: another file is used under this name."
	case compare.HardLink:
		return "What is read is the same; what a container writes under one name shows under the others where they are one file. Copying, or archiving, with hard links kept (cp -a, tar without --hard-dereference) makes them alike."
	case compare.Xattr:
		return "Extended attributes hold capabilities and labels: they give rights that the mode does not show."
	case compare.Device:
		return "Device numbers lead to another device under the same name."
	case compare.Missing:
		return "The rebuild has no such file: a step that is in no recipe made it, or it was added afterwards."
	case compare.Extra:
		return "The original has no such file: an input has changed since, or something was taken out."
	case compare.Renamed:
		return "The same bytes lie under another name: a version in a path is the usual reason. Whatever looks for the old name finds nothing."
	case compare.Type:
		return "A link where a file was, or a folder: what is found under the name is something else."
	case compare.Content:
		return "Look at the diff. Dates, host names, paths, random numbers and the order of work are the usual reasons; anything else is worth a question to the author."
	case compare.Packaging:
		return "Another tool, or another version, wrote the archive. No container sees it, but every digest changes with it."
	case compare.EmbeddedDate:
		return "A tool wrote the time of the build into the file. With SOURCE_DATE_EPOCH many write a fixed one; others have an option to leave it out."
	case compare.EmbeddedPath:
		return "A tool wrote the folder or the machine of the build into the file. Building in a folder of a fixed name helps, as does -ffile-prefix-map for compilers."
	case compare.EmbeddedStorePath:
		return "The file names another store item: an input of the build was another one. See which, and from which commit it comes."
	case compare.EmbeddedOrder:
		return "The file lists its parts as the file system, or a table of hashes, handed them out. Sorting them where it is made helps."
	case compare.Compression:
		return "Another compressor, level or version packed the same bytes. Nothing is lost, but the digest is another."
	case compare.Derived:
		return "It follows from differences that are listed on their own: when they go, it goes."
	}
	return ""
}

// causePage is the page of reproducible-builds.org on a cause, "" where it has none.
func causePage(c compare.Cause) string {
	page := map[compare.Cause]string{
		compare.Order: "archives", compare.Timestamp: "archives", compare.Mode: "archives", compare.Owner: "archives", compare.Packaging: "archives",
		compare.Content: "stable-outputs", compare.EmbeddedDate: "source-date-epoch", compare.EmbeddedPath: "build-path",
		compare.EmbeddedOrder: "stable-inputs", compare.EmbeddedStorePath: "stable-inputs", compare.Compression: "archives",
	}[c]
	if page == "" {
		return ""
	}
	return "https://reproducible-builds.org/docs/" + page + "/"
}
