package report

import (
	"time"

	"audit/inspect/check"
	"audit/inspect/compression"
	"audit/inspect/image"
	"audit/provenance"
	"audit/provenance/base"
	"audit/provenance/vouch"
	"audit/rebuild"
	"audit/rebuild/compare"
)

// SchemaVersion is the version of the contract in this file. It changes with
// every key: a reader never has to guess what a key means.
const SchemaVersion = "2"

// A Report is all that is known of one image, as report.json holds it.
//
// Digests are "sha256:" and 64 lower-case hexadecimal digits, or "" when there
// is none; sizes are bytes; a layer of -1 means no layer.
type Report struct {
	SchemaVersion string          `json:"schemaVersion"`
	Tool          Tool            `json:"tool"` // what wrote the report
	Image         Image           `json:"image"`
	Recipe        Recipe          `json:"recipe"`
	Plan          *Plan           `json:"plan"`       // null when no rebuild was planned
	StoreItems    []StoreItem     `json:"storeItems"` // sorted by path
	Statements    []Statement     `json:"statements"` // of others: in the order of the index, the registry, the files
	Sources       []Source        `json:"sources"`    // what everything was made from, sorted by name
	Road          *Road           `json:"road"`       // from the image to the sources; null when it was not followed
	Checks        []Check         `json:"checks"`     // always eight, in the order of the ladder
	Coverage      Coverage        `json:"coverage"`
	Vouchers      Vouchers        `json:"vouchers"`   // who vouches for the files that a container sees
	Rebuild       *Rebuild        `json:"rebuild"`    // null when nothing was rebuilt, given or signed
	Comparison    *Comparison     `json:"comparison"` // null when there was nothing to compare with
	Verdict       rebuild.Verdict `json:"verdict"`
	Policy        Policy          `json:"policy"`
	Run           Run             `json:"run"`

	words words // of the build systems and of all codes
}

// A Tool is a program and its version.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// An Image is what was read, with all that an outside tool needs to check it.
type Image struct {
	Reference        string           `json:"reference"`        // without the host's folders, which are in run
	Transport        image.Transport  `json:"transport"`        // the form it was read in, as in containers-transports(5)
	Compression      compression.Kind `json:"compression"`      // of the archive as a whole
	ArchiveDigest    string           `json:"archiveDigest"`    // computed over the file or stream as it was given; "" when there is no such one
	Tags             []string         `json:"tags"`             // names that the image claims for itself, in its order
	ConfigDigest     string           `json:"configDigest"`     // computed over the config; the image ID
	ConfigMember     string           `json:"configMember"`     // where the config lies in the archive
	ManifestDigest   ManifestDigest   `json:"manifestDigest"`   // of the image manifest
	IndexDigest      string           `json:"indexDigest"`      // of the image index that led here; "" when none did
	Platforms        []Platform       `json:"platforms"`        // entries of that index and of those in it, in its order; of a layout with several images, those of the one that was asked for
	Platform         string           `json:"platform"`         // as the config claims it: "linux/amd64", "linux/arm64/v8"
	Created          string           `json:"created"`          // as the config claims it, RFC 3339; "" when it does not
	UncompressedSize int64            `json:"uncompressedSize"` // of all layers
	Layers           []Layer          `json:"layers"`           // lowest first
	Members          []Member         `json:"members"`          // of the archive, in its order
	Documents        []Document       `json:"documents"`        // what a SIF says of itself beside its file system
	Folders          []Folder         `json:"folders"`          // what lies outside of stores, the largest first
}

// A Folder is what the layers hold below one folder outside of stores, counted
// by the first two parts of each path. The last one can be what is left over.
type Folder struct {
	Path  string `json:"path"`  // "usr/lib"; "." for files at the top, "" for all folders that are not listed
	Files int    `json:"files"` // count of entries
	Bytes int64  `json:"bytes"` // that they take in the layers, headers and contents
}

// A Platform is an entry of the image index, as the index describes it: an image
// for a platform, or something that lies beside one.
type Platform struct {
	Platform     string          `json:"platform"`     // "linux/arm64/v8"; "" when it names none
	Digest       string          `json:"digest"`       // of the manifest, as claimed
	Name         string          `json:"name"`         // that it or an index above it bears; "" when none does
	Kind         image.EntryKind `json:"kind"`         // image, attestation or artifact
	ArtifactType string          `json:"artifactType"` // "" when it names none
	Chosen       bool            `json:"chosen"`       // this one was read
}

// A Document is an object of a SIF that says something of the image, such as
// the definition that it was built from.
type Document struct {
	Member string `json:"member"` // its name among the members
	Kind   string `json:"kind"`   // definition, environment, labels, json, sbom, signature
	Digest string `json:"digest"` // computed
	Text   string `json:"text"`   // what it says, its first 64 KiB
}

// A ManifestDigest is the digest of an image manifest and how it came about.
type ManifestDigest struct {
	Digest    string       `json:"digest"`    // "" when the form has no manifest: none is made up
	Origin    image.Origin `json:"origin"`    // claimed, computed, or synthesised when a tool would have to make it up
	MediaType string       `json:"mediaType"` // as the manifest itself has it; "" when it does not
	Size      int64        `json:"size"`      // bytes; 0 when the form has no manifest
}

// A Layer is one change set of the image.
type Layer struct {
	Index            int              `json:"index"`            // 0 is the lowest
	Member           string           `json:"member"`           // name in the archive, or the blob's digest
	MediaType        string           `json:"mediaType"`        // as the image claims it; "" when it does not
	Compression      compression.Kind `json:"compression"`      // of the blob, by its magic number
	Digest           string           `json:"digest"`           // computed over the blob as stored
	ClaimedDigest    string           `json:"claimedDigest"`    // what a descriptor says; "" when none does
	DiffID           string           `json:"diffID"`           // computed over the uncompressed tar, to its last byte
	ClaimedDiffID    string           `json:"claimedDiffID"`    // what the config says; "" when it does not
	Size             int64            `json:"size"`             // of the blob as stored
	UncompressedSize int64            `json:"uncompressedSize"` // of the tar
	Entries          int              `json:"entries"`          // count of tar entries
	StoreItems       int              `json:"storeItems"`       // count of the store items that it holds
	Broken           string           `json:"broken"`           // why the tar could be read only in part; "" when whole
}

// A Member is one entry of the archive that carries the image.
type Member struct {
	Name       string `json:"name"`
	Size       int64  `json:"size"`
	Digest     string `json:"digest"`     // computed
	Referenced bool   `json:"referenced"` // something of the image leads to it
}

// A Recipe says how the image was built, as far as the image shows.
type Recipe struct {
	System   provenance.SystemName `json:"system"`
	Status   provenance.Status     `json:"status"`
	Packer   string                `json:"packer"`   // the tool and its era
	Channels []Channel             `json:"channels"` // in the order of the recipe
	Packages []Package             `json:"packages"` // in the order of the recipe
	Evidence []Evidence            `json:"evidence"` // where in the image the recipe comes from
	Missing  []Message             `json:"missing"`  // what the recipe cannot express, or the image does not reveal
	Root     string                `json:"root"`     // store path that the image is made of; "" where there is none
	Details  map[string]any        `json:"details"`  // how the packer was called, in the terms of the system
	Unknown  []Message             `json:"unknown"`  // what of the call the image does not reveal
	Files    []File                `json:"files"`    // the recipe as the system's own tools take it
	Base     *Base                 `json:"base"`     // the image that it was built on; null when there is no evidence of one, and of an image with store items
	Share    *LockShare            `json:"share"`    // how much locks of its packages account for; null for an image with store items
}

// A Base is what is known of the image that another was built on.
type Base struct {
	Reference    string        `json:"reference"`    // without a digest; "" when it is not known
	Digest       string        `json:"digest"`       // of its manifest, as claimed or computed; "" when it is not known
	By           base.Strength `json:"by"`           // layers, signed, claim or trace; "" when the reference is not known
	Layers       int           `json:"layers"`       // the lowest ones that are its own, by their bytes; 0 when that is not known
	Instructions int           `json:"instructions"` // the first lines of the history that are its own; 0 when that is not known
	Cut          base.Strength `json:"cut"`          // how far the latter is known: layers, trace or guess; "" when it is not
}

// A LockShare says how much of the files that a container sees the locks of packages
// account for. What has several names is counted once.
type LockShare struct {
	Bytes    int64 `json:"bytes"`    // of files that packages in a lock have, or the base image
	Base     int64 `json:"base"`     // of these, those of a base image that is known by its layers
	Total    int64 `json:"total"`    // of all files
	Own      int   `json:"own"`      // files and links that neither has
	OwnBytes int64 `json:"ownBytes"` // of these
}

// A Channel is a source of package definitions, pinned to a commit.
type Channel struct {
	Name         string        `json:"name"`
	URL          string        `json:"url"`
	Branch       string        `json:"branch"`
	Commit       string        `json:"commit"`
	SWHID        string        `json:"swhid"`        // of the commit, swh:1:rev:… (ISO/IEC 18670); "" when it is not a whole hash
	Introduction *Introduction `json:"introduction"` // null when none is recorded
}

// An Introduction says from which commit on, and by whose signature, the
// history of a channel is authenticated.
type Introduction struct {
	Commit      string `json:"commit"`
	Fingerprint string `json:"fingerprint"` // of an OpenPGP key, as written in the image
}

// A Package is one entry of the recipe.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Output  string `json:"output"`
	Path    string `json:"path"`    // its store item
	Channel string `json:"channel"` // the channel that defines it; "" when not recorded
}

// Evidence is a place in the image that the recipe comes from.
type Evidence struct {
	Layer  int    `json:"layer"` // -1 for the config
	Path   string `json:"path"`
	Digest string `json:"digest"`
}

// A File is a text that a build system's own tools read.
type File struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// A Plan is how the image would be built again, and whose code that would run.
type Plan struct {
	System  provenance.SystemName `json:"system"`
	Command []string              `json:"command"` // the arguments, one a word; files are those of the recipe
	Trust   []Trust               `json:"trust"`   // every channel whose code the build would run
	Refused []Message             `json:"refused"` // why the plan must not be run; none when it may
}

// Trust says of one thing that a build would run or fetch whether it may.
type Trust struct {
	Kind    string  `json:"kind"` // channel, transformation, source, frontend, program; "" when it is not known
	Name    string  `json:"name"` // what it is called
	URL     string  `json:"url"`  // where it comes from; "" for what the image itself holds
	Trusted bool    `json:"trusted"`
	Reason  Message `json:"reason"` // why it is trusted, or is not
	Flag    string  `json:"flag"`   // what would allow it; "" when nothing does, or nothing has to
}

// A StoreItem is a file or folder directly in /gnu/store or /nix/store.
type StoreItem struct {
	Path       string   `json:"path"`
	Layer      int      `json:"layer"`
	NarHash    string   `json:"narHash"` // SHA-256 of its NAR; "" when it is not known
	NarSize    int64    `json:"narSize"`
	Files      int      `json:"files"`      // count of entries
	Bytes      int64    `json:"bytes"`      // that they take in the layer, headers and contents
	Signed     int      `json:"signed"`     // independent keys that signed this narHash, none of them another
	References []string `json:"references"` // store paths that its bytes name, sorted; itself included
	Problem    string   `json:"problem"`    // why narHash is "", or references are incomplete
}

// A Check is one rung of the ladder of evidence.
type Check struct {
	ID       check.ID     `json:"id"`
	Status   check.Status `json:"status"`
	Summary  []Message    `json:"summary"` // why it ended so; the first is the main reason
	Findings []Finding    `json:"findings"`
}

// A Message is something for a person to read: a code of CODES.md, and the
// arguments of its sentence by name.
type Message struct {
	Code string     `json:"code"`
	Args check.Args `json:"arguments"`
}

// A Finding is one thing that a check saw.
type Finding struct {
	Code  string      `json:"code"` // what was seen, such as "closure/unexplained-file"
	Args  check.Args  `json:"arguments"`
	Level check.Level `json:"level"` // problem: the reason for a fail; undecided: for an unknown; note: neither
	Layer int         `json:"layer"` // -1 when it is about no layer
	Path  string      `json:"path"`  // the entry, archive member or store item; may be ""
}

// Coverage says for which of the image's bytes each check vouches, and who for the
// files that a container sees.
type Coverage struct {
	Total    int64          `json:"total"`    // bytes of all uncompressed layers
	Checks   []Share        `json:"checks"`   // in the order of the checks
	Contents int64          `json:"contents"` // bytes in the files that a container sees, each counted once
	Vouchers []VoucherShare `json:"vouchers"` // all kinds, the strongest first, adding up to contents; none when nobody was asked
}

// A Share is what one check vouches for.
type Share struct {
	ID    check.ID `json:"id"`
	Bytes int64    `json:"bytes"`
	Share float64  `json:"share"` // 0 to 1, rounded down to four digits: 1 means every byte
}

// A VoucherShare is what somebody vouches for.
type VoucherShare struct {
	Kind  vouch.Kind `json:"kind"`
	Files int        `json:"files"` // names, links too
	Bytes int64      `json:"bytes"`
	Share float64    `json:"share"` // of contents, 0 to 1, rounded down to four digits
}

// Vouchers say who vouches for which files.
type Vouchers struct {
	By     []Voucher       `json:"by"`     // the strongest kind first, then by name; the last can be what is left over
	Keys   []Key           `json:"keys"`   // that signed packages, or lie in the image
	Nobody []UnvouchedFile `json:"nobody"` // files that nobody vouches for: what an intruder would want first, then the largest
	More   int             `json:"more"`   // count of such files that are not listed
}

// A Voucher is one package, record, store item or instruction, and what it speaks for.
type Voucher struct {
	Kind  vouch.Kind `json:"kind"`
	By    string     `json:"by"`   // "deb curl 7.88.1-10"; "" for all that are not listed
	Keys  []string   `json:"keys"` // fingerprints of the keys that signed it
	Rule  string     `json:"rule"` // by which the files were made; "" but for made
	Files int        `json:"files"`
	Bytes int64      `json:"bytes"`
}

// A Key is one that signs packages.
type Key struct {
	Fingerprint string `json:"fingerprint"`
	Name        string `json:"name"`    // as the key itself says
	Trusted     bool   `json:"trusted"` // the user gave it
	Path        string `json:"path"`    // in the image; "" for one that is not from there
}

// An UnvouchedFile is one that nobody vouches for, or that is other than whoever does says.
type UnvouchedFile struct {
	Path   string     `json:"path"`
	Kind   vouch.Kind `json:"kind"` // nobody or differs
	Layer  int        `json:"layer"`
	Type   string     `json:"type"`   // file, symlink, …
	Mode   string     `json:"mode"`   // octal, four digits
	Size   int64      `json:"size"`   // bytes
	Digest string     `json:"digest"` // of a file; "" for others
}

// A Rebuild is how the image was built again, or tried to be.
type Rebuild struct {
	Builder string        `json:"builder"` // "guix", "nix", "docker"; "given" for an image made elsewhere; "" for none
	Command []string      `json:"command"` // the main command, one argument a word
	Status  RebuildStatus `json:"status"`
	Problem string        `json:"problem"` // what the builder says; "" when it built
	Hint    string        `json:"hint"`    // what can be done about the problem; may be ""
	Log     string        `json:"log"`     // name of the file beside the report; "" when there is none
	Basis   rebuild.Basis `json:"basis"`   // what the verdict rests on, part by part
	Items   Items         `json:"items"`
	Steps   []Step        `json:"steps"` // the builds of this run, sorted by derivation
	Fresh   []Fresh       `json:"fresh"` // sorted by derivation
}

// A Step is one build.
type Step struct {
	Derivation string `json:"derivation"`
	Machine    string `json:"machine"` // the store where it was built; "" for that of this machine
}

// A RebuildStatus says how far a rebuild came.
type RebuildStatus string

// How a rebuild ends.
const (
	Given     RebuildStatus = "given"      // made elsewhere: how is not known here
	Built     RebuildStatus = "built"      // here, in this run
	Failed    RebuildStatus = "failed"     // the build was tried and failed
	Refused   RebuildStatus = "refused"    // the plan may not be run
	NoBuilder RebuildStatus = "no-builder" // the tool is not installed
	NotTried  RebuildStatus = "not-tried"  // nobody asked for it: the basis alone says something
	Stopped   RebuildStatus = "stopped"    // something else went wrong, or it was interrupted
)

// Items say where the store items of a rebuilt image came from, or, when it was
// built from a Dockerfile, the instructions, each by its place and words; each
// list is sorted by path.
type Items struct {
	Built       []BuiltItem  `json:"built"`  // in this run
	Reused      []string     `json:"reused"` // they were in the store before
	Substituted []Substitute `json:"substituted"`
}

// Fresh says what building a derivation again, though its outputs were in the
// builder's store, has shown.
type Fresh struct {
	Derivation  string   `json:"derivation"`
	Items       []string `json:"items"`       // its outputs, of the rebuilt image
	Same        bool     `json:"same"`        // the second build gave the same bytes
	Differences []string `json:"differences"` // paths that differ between the two builds, sorted; at most 100
	Problem     string   `json:"problem"`     // why it could not be built again; "" when it could
}

// A BuiltItem is a store item, or an instruction, that was built in this run.
type BuiltItem struct {
	Path    string `json:"path"`
	Machine string `json:"machine"` // the store where it was built; "" for that of this machine
}

// A Substitute is a store item that was fetched instead of built.
type Substitute struct {
	Path   string `json:"path"`
	Source string `json:"source"` // the server
}

// A Comparison is how the rebuilt image differs from the original. What differs
// in manifest and blobs alone is outside of config and layers: it has no say in
// the verdict.
type Comparison struct {
	Rebuilt     Rebuilt           `json:"rebuilt"`
	Result      compare.Result    `json:"result"` // "" where there was nothing to compare
	Config      []FieldDifference `json:"config"`
	Layers      []LayerPair       `json:"layers"`
	Differences []Difference      `json:"differences"` // sorted by layer, path, cause
	Manifest    []FieldDifference `json:"manifest"`    // of the image manifests, where both images have one
	Blobs       []Difference      `json:"blobs"`       // how equal layers are packed, by layer
	Known       []Known           `json:"known"`       // freedoms of packers that explain differences, sorted by code
}

// A Known is a freedom that a packer is known to have: honest builds differ by it.
type Known struct {
	Code  string `json:"code"` // of CODES.md, such as "known/package-logs"
	Count int    `json:"count"`
}

// Rebuilt names the image that the original was compared with.
type Rebuilt struct {
	Reference    string `json:"reference"` // without the host's folders
	ConfigDigest string `json:"configDigest"`
}

// A FieldDifference is a field of the image config, or of the manifest, that differs.
type FieldDifference struct {
	Field string `json:"field"` // such as "config.Env[0]"
	Was   string `json:"was"`   // JSON text; "" when absent
	Now   string `json:"now"`

	Cause compare.Cause `json:"cause"`
	Known string        `json:"known"` // code of the freedom that explains it; "" when none does
}

// A LayerPair is a layer and the one that it is compared with.
type LayerPair struct {
	Index    int    `json:"index"`
	Original string `json:"original"` // diffID; "" when only the rebuild has it
	Rebuilt  string `json:"rebuilt"`  // diffID; "" when only the original has it
	Equal    bool   `json:"equal"`
	Size     int64  `json:"size"` // of the original's tar, uncompressed; 0 when only the rebuild has it
}

// A Difference is one thing about one path that is not the same.
type Difference struct {
	Path  string        `json:"path"`
	Layer int           `json:"layer"` // of the original; of the rebuild for what only it has
	Cause compare.Cause `json:"cause"`
	Was   string        `json:"was"`
	Now   string        `json:"now"`
	// Evidence shows it: such as what differs inside of a file, and its diff.
	Evidence []Message `json:"evidence"`
	Known    string    `json:"known"` // code of the freedom that explains it; "" when none does
	// Privileged says that the file is setuid or setgid, has a capability, or is a device.
	Privileged bool `json:"privileged"`
}

// A Policy is what was demanded of the image, and whether it holds.
type Policy struct {
	Name       string      `json:"name"`       // of its file, without folders, or "builtin:strict"; "" for a demand of the command line
	Require    string      `json:"require"`    // such as "consistent"; "" when nothing was
	Holds      bool        `json:"holds"`      // what is demanded, all of it
	Violations []Violation `json:"violations"` // of what is demanded, the weightiest first
	Allowed    []Allowed   `json:"allowed"`    // what became of the allowances, in the order of the policy
}

// A Violation is something that is demanded and not so.
type Violation struct {
	Rule  string     `json:"rule"` // the part of the policy: require, checks, refuse or allow
	Code  string     `json:"code"`
	Args  check.Args `json:"arguments"`
	Layer int        `json:"layer"` // -1 when it is about no layer
	Path  string     `json:"path"`  // the file that shows it; may be ""
	// Finding is what was found there; null when nothing shows it.
	Finding *Message `json:"finding"`
}

// Allowed is a documented difference that the policy lets pass until a day. It
// changes whether the policy holds, and nothing else.
type Allowed struct {
	Path    string        `json:"path"` // a pattern, or "config:" and one of fields
	Cause   compare.Cause `json:"cause"`
	Reason  string        `json:"reason"`
	Expires string        `json:"expires"` // the last day on which it holds, "2006-01-02"
	Count   int           `json:"count"`   // differences that it lets pass, or would if it had not expired
	Expired bool          `json:"expired"` // then it lets none pass
}

// A Run is everything that changes from one run to the next.
type Run struct {
	Date      time.Time  `json:"date"` // when it began, UTC
	Host      string     `json:"host"`
	Platform  string     `json:"platform"`  // of the machine, such as "linux/amd64"
	Reference string     `json:"reference"` // the image as the user named it
	Durations []Duration `json:"durations"` // in the order of the line
	Tools     []Tool     `json:"tools"`     // what took part
	Answered  []string   `json:"answered"`  // days on which archives of sources answered, "2006-01-02", sorted
}

// A Duration is how long one step took.
type Duration struct {
	Step    string  `json:"step"`
	Seconds float64 `json:"seconds"`
}
