// Package policy reads a file that says what is demanded of an image, and compares
// what was found with it. It is pure: the same file and the same findings have
// the same violations.
//
// A policy is JSON (see policy.schema.json):
//
//	{
//	  "require": "explained",
//	  "checks": {"closure": ["pass"], "signatures": ["pass", "unknown"]},
//	  "refuse": ["closure/setuid-file", "packages/"],
//	  "allow": [{
//	    "path": "usr/lib/python3/**/*.pyc", "cause": "embedded-date",
//	    "reason": "the time of the source, Debian bug 1012345", "expires": "2027-01-31"
//	  }]
//	}
//
// require is what the verdict has to be; checks are the statuses that a check may
// have; refuse are codes of findings, or beginnings of codes that end in a slash
// or a hyphen, which must not be there.
//
// allow are differences of the rebuild that are documented: until the day on which
// an allowance expires, at most a year from now, a difference of its cause at a
// path that it matches does not count. In a path, * stands for any characters but a
// slash, ** as a whole name for any folders or none, ? for one character; a
// backslash takes the meaning from the next. "config:" begins a field of the config.
// A pattern never allows everything, never an owner, an extended attribute or a
// device, and nothing about a file that lends rights, or a file or field that decides who
// has them or what runs: those are named one by one.
//
// A file under another name is allowed where both names are, the old one as missing or
// renamed and the new one as extra or renamed. A folder that was renamed is allowed where
// all that moved with it is, or under its own old path as renamed; where it went to another
// folder, or to one for programs, its new path has to be allowed too.
//
// An allowance changes the exit status and nothing else: the difference stays in
// the report, and so do its result and its verdict.
package policy
