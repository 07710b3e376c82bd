package rebuild

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"audit/inspect/check"
)

// Secrets are what the user has given and no output may contain: the user info and the
// query values of addresses, and the values of flags that are marked so. The zero
// value hides nothing.
type Secrets struct {
	Values   []string // the longest first
	replacer *strings.Replacer
}

// Hidden takes the place of what is secret.
const Hidden = "***"

// leastSecret is how many bytes a value must have to be looked for in any text: a
// shorter one keeps no secret, and is a part of too many words.
const leastSecret = 4

// NewSecrets are the secrets of words of a command line, in which addresses may
// stand anywhere, and the values that are secret as a whole. An address is replaced
// by what [WithoutSecrets] leaves of it.
func NewSecrets(words []string, values ...string) Secrets {
	var pairs [][2]string
	for _, w := range words {
		for _, a := range addressesIn(w) {
			if without := WithoutSecrets(a); without != a {
				pairs = append(pairs, [2]string{a, without})
			}
			values = append(values, secretsOf(a)...)
		}
	}
	var s Secrets
	for _, v := range values {
		if len(v) >= leastSecret {
			s.Values = append(s.Values, v)
			pairs = append(pairs, [2]string{v, Hidden})
		}
	}
	slices.SortFunc(s.Values, longestFirst)
	s.Values = slices.Compact(s.Values)
	s.replacer = replacerOf(pairs)
	return s
}

func longestFirst(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) }

// replacerOf replaces texts in each of the forms in which an output or a message may
// have them, the longest first.
func replacerOf(pairs [][2]string) *strings.Replacer {
	slices.SortStableFunc(pairs, func(a, b [2]string) int { return longestFirst(a[0], b[0]) })
	var words []string
	for _, p := range pairs {
		for _, form := range forms(p[0]) {
			words = append(words, form, p[1])
		}
	}
	return strings.NewReplacer(words...)
}

// forms are a text as it is, and as Go, JSON, HTML, an address and the header of a
// login write it.
func forms(text string) []string {
	inJSON, _ := json.Marshal(text) // a string always marshals
	quoted := strconv.Quote(text)
	all := []string{text, quoted[1 : len(quoted)-1], string(inJSON[1 : len(inJSON)-1]), html.EscapeString(text),
		url.QueryEscape(text), url.PathEscape(text), base64.StdEncoding.EncodeToString([]byte(text))}
	slices.SortFunc(all, longestFirst)
	return slices.Compact(all)
}

// IsZero says that there is nothing to hide.
func (s Secrets) IsZero() bool { return s.replacer == nil || len(s.Values) == 0 }

// Mask hides what is secret in a text.
func (s Secrets) Mask(text string) string {
	if s.replacer == nil {
		return text
	}
	return s.replacer.Replace(text)
}

// Args masks the texts of the arguments of a finding or a reason, in a copy.
func (s Secrets) Args(args check.Args) check.Args {
	if s.IsZero() || args == nil {
		return args
	}
	masked := make(check.Args, len(args))
	for name, value := range args {
		switch v := value.(type) {
		case string:
			value = s.Mask(v)
		case []string:
			list := make([]string, len(v))
			for i := range v {
				list[i] = s.Mask(v[i])
			}
			value = list
		}
		masked[name] = value
	}
	return masked
}

// A MaskedWriter writes lines without what is secret.
type MaskedWriter struct {
	To      io.Writer
	Secrets Secrets
}

// Write takes whole lines.
func (m MaskedWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(m.To, m.Secrets.Mask(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// An addressStart begins an address in a word; what is before it may be the name of
// a setting or another address.
var addressStart = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*:`)

// addressesIn are the addresses in a word, each to the end of the word or to the
// blank or semicolon after it: lists are written so.
func addressesIn(word string) []string {
	var all []string
	add := func(text string) {
		if at := addressStart.FindStringIndex(text); at != nil && (strings.Contains(text, "://") || strings.Contains(text, "?")) {
			all = append(all, text[at[0]:])
		}
	}
	add(word)
	for _, part := range strings.FieldsFunc(word, func(r rune) bool { return r == ' ' || r == ';' || r == '\n' || r == '\t' }) {
		if part != word {
			add(part)
		}
	}
	return all
}

// An addressParts is an address cut at what may be secret in it: joined, it is the
// address again.
type addressParts struct{ scheme, user, rest, query, fragment string }

// partsOf cuts an address. The user info ends before the last @ of the host, or, where
// the host is none since a password has a slash in it, before the last @ of all.
func partsOf(address string) addressParts {
	var a addressParts
	if scheme, rest, ok := strings.Cut(address, "://"); ok {
		a.scheme, address = scheme+"://", rest
		host := rest[:len(rest)-len(strings.TrimLeftFunc(rest, func(r rune) bool { return !strings.ContainsRune("/?#", r) }))]
		at := strings.LastIndexByte(host, '@')
		if _, port, ok := strings.Cut(host, ":"); at < 0 && ok && strings.Trim(port, "0123456789") != "" && !strings.HasPrefix(host, "[") {
			at = strings.LastIndexByte(rest, '@')
		}
		if imageDigest.MatchString(rest[at+1:]) { // NAME@DIGEST, of an image
			at = -1
		}
		a.user, address = rest[:at+1], rest[at+1:]
	}
	address, a.fragment = cutBefore(address, '#')
	a.rest, a.query = cutBefore(address, '?')
	return a
}

var imageDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// cutBefore cuts a text before the first of a byte.
func cutBefore(text string, c byte) (before, from string) {
	if i := strings.IndexByte(text, c); i >= 0 {
		return text[:i], text[i:]
	}
	return text, ""
}

// publicQuery are the names of query values that say which state of a source is
// meant, and nothing of who asks for it (flake references and store addresses of
// Nix, BuildKit's contexts).
var publicQuery = regexp.MustCompile(`^(ref|rev|dir|narHash|lastModified|revCount|submodules|shallow|allRefs|lfs|tag|branch|commit|subdir|checksum|keep-git-dir|priority|trusted|want-mass-query|compress|compression|store|state|real|root|remote-store|remote-program|max-connections|region|endpoint|scheme)$`)

// eachQuery goes through the names and values of a query, "?a=b&c"; a value without
// a name has the name "". It returns the query with what change makes of the values.
func eachQuery(query string, change func(name, value string) string) string {
	if query == "" {
		return ""
	}
	pairs := strings.Split(query[1:], "&")
	for i, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		switch {
		case ok:
			pairs[i] = name + "=" + change(name, value)
		default:
			pairs[i] = change("", pair)
		}
	}
	return "?" + strings.Join(pairs, "&")
}

// WithoutSecrets is an address without the name and password in it, and with
// [Hidden] for the values of its query that do not say which source is meant. The
// user of git@host:path, which is none, stays.
func WithoutSecrets(address string) string {
	if addressStart.FindStringIndex(address) == nil {
		return address
	}
	a := partsOf(address)
	a.query = eachQuery(a.query, func(name, value string) string {
		if value == "" || publicQuery.MatchString(name) {
			return value
		}
		return Hidden
	})
	return a.scheme + a.rest + a.query + a.fragment
}

// secretsOf are the parts of an address that are secret by themselves: the password,
// or a name without one, which is a token (but a login of ssh, which has a key), and
// values of the query; as they are written, and decoded.
func secretsOf(address string) []string {
	a := partsOf(address)
	var all []string
	add := func(text string) {
		if len(text) < leastSecret {
			return
		}
		all = append(all, text)
		if decoded, err := url.PathUnescape(text); err == nil && decoded != text {
			all = append(all, decoded)
		}
	}
	if user := strings.TrimSuffix(a.user, "@"); user != "" {
		_, password, ok := strings.Cut(user, ":")
		switch {
		case ok:
			add(user)
			add(password)
		case !strings.Contains(a.scheme, "ssh"):
			add(user)
		}
	}
	eachQuery(a.query, func(name, value string) string {
		if !publicQuery.MatchString(name) {
			add(value)
		}
		return value
	})
	return all
}
