// Package why infers from the log of a failed build why it failed, for what people meet
// years after an image was made: sources that are gone, tests that fail after a date,
// machines that are not like those of then.
//
// A log holds the words of builds, and a hostile build can write whatever it likes: so
// what is inferred is a hint, a message of a code with arguments, and decides no error,
// no check and no verdict. Rules are matched in linear time on a bounded part of the log,
// each once.
//
// Rules of all tools are here ([Rules]); each build system adds those of its own tool.
package why

import (
	"regexp"
	"strings"

	"audit/inspect/check"
)

// A Rule is a way in which builds fail: where Says matches the log, Code says why, with
// the named groups as its arguments. Of several rules of one code the first counts, and
// later ones add arguments that it lacks.
type Rule struct {
	Code string
	Says string // a regular expression, in which ^ and $ match at lines
}

// New is a rule. It is compiled when there is a log to match.
func New(code, says string) Rule { return Rule{code, "(?m)" + says} }

// Bounds of what is looked at and of what is inferred.
const (
	maxLog      = 1 << 20 // bytes, from the end
	maxArgument = 300     // bytes
	maxCauses   = 4
)

// Causes are what a log shows, in the order of the rules, with a last one that says what
// they are worth; none where no rule matches.
func Causes(log []byte, rules []Rule) []check.Message {
	log = log[max(0, len(log)-maxLog):]
	var causes []check.Message
	at := make(map[string]int)
	for _, r := range rules {
		says := regexp.MustCompile(r.Says)
		m := says.FindSubmatch(log)
		if m == nil {
			continue
		}
		i, known := at[r.Code]
		if !known && len(causes) == maxCauses {
			continue
		}
		if !known {
			i = len(causes)
			at[r.Code], causes = i, append(causes, check.Message{Code: r.Code, Args: check.Args{}})
		}
		for n, name := range says.SubexpNames() {
			if value := clip(string(m[n])); name != "" && value != "" && causes[i].Args[name] == nil {
				causes[i].Args[name] = value
			}
		}
	}
	if len(causes) > 0 {
		causes = append(causes, check.Say("why/about-the-build"))
	}
	return causes
}

func clip(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), maxArgument)], "")
	return strings.TrimSpace(s)
}

// Rules are those of all tools: words of the C library, of compilers, of fetchers, and of
// libraries for TLS, which every builder passes on (glibc 2.41, GCC 14, curl 8, OpenSSL 3,
// GnuTLS 3.8, Python 3, Go).
func Rules() []Rule {
	return []Rule{
		New("why/server-certificate", `SSL certificate problem: certificate has expired|server certificate verification failed|X\.509 (?:server )?certificate (?:for|of) '(?P<server>[^']*)' could not be verified`),
		New("why/time-bomb", `^(?P<line>.*(?i:fail|error|assert|certificate).*(?:certificate (?:has |is )?expired|certificate has expired|expired certificate|x509: certificate has expired|(?i:not[ _]?after).*in the past).*)$`),
		New("why/time-bomb", `^(?P<line>x509: certificate has expired.*)$`),
		New("why/time-bomb", `^(?P<line>.*(?i:fail|expected|assert|mismatch|differ).*(?i:copyright|year|date).*\b(?:19|20)[0-9][0-9]\b.*\b(?:19|20)[0-9][0-9]\b.*)$`),
		New("why/other-processor", `^.*(?P<line>Illegal instruction|SIGILL|due to signal 4\b|CPU ISA level is lower than required|[Uu]nsupported (?:CPU|processor)).*$`),
		New("why/other-kernel", `^.*(?P<line>FATAL: kernel too old|Function not implemented).*$`),
		New("why/memory", `Cannot allocate memory|[Oo]ut of memory|virtual memory exhausted|Killed signal terminated program|due to signal 9\b`),
		New("why/no-space", `No space left on device|Disk quota exceeded`),
		New("why/no-network", `Temporary failure in name resolution|Name or service not known|Could not resolve host|Network is unreachable`),
	}
}
