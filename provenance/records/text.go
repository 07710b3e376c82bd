package records

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"audit/inspect/pass"
)

// maxFields bounds the fields of a header; a package with many classifiers and
// requirements has some hundred.
const maxFields = 10_000

// headers reads the fields before the first empty line, in the form of mail
// headers: "Key: value", continued by lines that start with a space. Keys come
// in lower case, for which case does not matter.
func headers(text []byte) map[string][]string {
	fields := make(map[string][]string)
	var key string
	var value []string
	end := func() {
		if key != "" {
			fields[key] = append(fields[key], strings.TrimSpace(strings.Join(value, "\n")))
		}
		key, value = "", nil
	}
	n := 0
	for raw := range bytes.Lines(bytes.TrimPrefix(text, []byte("\ufeff"))) {
		line := strings.TrimRight(string(raw), "\r\n")
		if n++; strings.TrimSpace(line) == "" || n > maxFields {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			value = append(value, strings.TrimSpace(line))
			continue
		}
		end()
		if name, rest, ok := strings.Cut(line, ":"); ok {
			key, value = strings.ToLower(strings.TrimSpace(name)), []string{strings.TrimSpace(rest)}
		}
	}
	end()
	return fields
}

// first returns the first value that is not empty or says nothing.
func first(values []string) string {
	i := slices.IndexFunc(values, func(v string) bool { return v != "" && v != "UNKNOWN" })
	if i < 0 {
		return ""
	}
	return values[i]
}

// decode reads a JSON document into v. One in which a key of v stands twice is read
// otherwise by others.
func decode(body []byte, v any) error {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	if depth(body) > maxDepth {
		return fmt.Errorf("its values are nested deeper than %d", maxDepth)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return errors.New("it is no JSON of its form")
	}
	if keys := pass.RepeatedKeys(body, v); len(keys) > 0 {
		return fmt.Errorf("a key stands in it more than once: %s", strings.Join(keys, ", "))
	}
	return nil
}

// maxDepth bounds the values in each other of a JSON document.
const maxDepth = 64

// depth returns how deep the values of a JSON document are nested.
func depth(body []byte) (most int) {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			most = max(most, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return most
}

// sizeOf returns the bytes of a digest, 0 for an unknown algorithm.
func sizeOf(algorithm string) int {
	return map[string]int{"md5": 16, "sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}[algorithm]
}

// hexDigest reads a digest in hexadecimal; none when it is not one.
func hexDigest(algorithm, text string) []v1.Hash {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) == 0 || len(raw) != sizeOf(algorithm) {
		return nil
	}
	return []v1.Hash{{Algorithm: algorithm, Hex: hex.EncodeToString(raw)}}
}

// publicURL returns an address of the web without what may be a secret in it: user and
// password, the token of a repository of conda ("/t/TOKEN/"), and the query. It is ""
// for any other text.
func publicURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "ftp" {
		return ""
	}
	if rest, ok := strings.CutPrefix(u.Path, "/t/"); ok {
		_, rest, _ = strings.Cut(rest, "/")
		u.Path, u.RawPath = "/"+rest, ""
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u.String()
}
