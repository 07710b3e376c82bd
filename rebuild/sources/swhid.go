package sources

import "regexp"

var wholeCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// RevisionID is the SoftWare Hash IDentifier of a git commit (ISO/IEC 18670): it is
// made of the commit's own hash. "" for what is no whole SHA-1 in hexadecimal.
func RevisionID(commit string) string {
	if !wholeCommit.MatchString(commit) {
		return ""
	}
	return "swh:1:rev:" + commit
}
