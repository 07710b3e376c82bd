package rebuild

// A Fetch is how an input of a build, whose hash is known beforehand, is had.
type Fetch struct {
	Method    Method
	Addresses []string // where it is had from, in the order in which they are tried
	// Revision is the commit, tag or number of a repository; "" for a file.
	Revision string
	// Executable says that what is fetched is a program to be run as it is.
	Executable bool
	// Impure says why what comes out follows from more than the derivation's
	// inputs: the setting that allows it; "" where it does not.
	Impure string
	// Lists are store paths of files that name more places: mirrors and archives.
	Lists []string
}

// A Method is a way to fetch.
type Method string

// The methods. The zero value is none: what is not fetched is built.
const (
	FetchURL       Method = "url"         // a file at an address
	FetchGitCommit Method = "git-commit"  // a commit, by its hash
	FetchGitRef    Method = "git-ref"     // a tag or branch, which can be moved
	FetchSVN       Method = "svn"         // a revision of a Subversion repository
	FetchHg        Method = "hg"          // a changeset of a Mercurial repository, by its hash
	FetchHgRef     Method = "hg-ref"      // a tag or branch of one
	FetchBzr       Method = "bzr"         // a revision of a Bazaar repository
	FetchCVS       Method = "cvs"         // a date or tag of a CVS repository
	FetchProgram   Method = "own-program" // a program of the recipe's own makes it
)

// Movable says whether the same address and revision can lead to something else
// later: only the hash then says what was meant.
func (m Method) Movable() bool { return m == FetchGitRef || m == FetchHgRef || m == FetchCVS }

// GitMethod is that of a git revision: a commit where it is a whole hash.
func GitMethod(revision string) Method {
	if isCommit(revision) {
		return FetchGitCommit
	}
	return FetchGitRef
}

// HgMethod is that of a changeset of Mercurial.
func HgMethod(changeset string) Method {
	if isCommit(changeset) {
		return FetchHg
	}
	return FetchHgRef
}

// isCommit says whether a revision is a whole SHA-1 or SHA-256 in hexadecimal.
func isCommit(revision string) bool {
	if len(revision) != 40 && len(revision) != 64 {
		return false
	}
	for _, c := range []byte(revision) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Derivations say where the derivations of an image lie.
type Derivations struct {
	Root string // store path of the image's own .drv file; "" where none is known
	// Below is a folder that store paths lie below, "" for the root of this machine.
	Below string
	// Beside is a folder that has store items by their names alone, and is looked into
	// first; "" for none.
	Beside string
}
