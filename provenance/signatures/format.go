package signatures

import (
	"bytes"
	"errors"
)

// A format is a way in which build farms sign narinfo, and in which the public keys
// for that are written.
type format struct {
	isKey     func(text []byte) bool // whether a file of keys is in this format
	parseKeys func(name string, text []byte) ([]Key, error)

	isSigned func(info *narinfo) bool // whether a narinfo bears such a signature
	// signers returns the trusted keys whose signature of the narinfo holds. Where
	// there is none the error says why, and is an [*untrustedError] where another
	// key would have to be trusted.
	signers func(info *narinfo, keys []Key) ([]Key, error)
}

// formats are those that are known, in the order in which they are asked.
func formats() []format {
	return []format{
		{
			isKey:     func(text []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(text), []byte("(")) },
			parseKeys: parseExpressionKeys,
			isSigned:  func(info *narinfo) bool { return info.signature != "" },
			signers:   (*narinfo).expressionSigners,
		},
		{
			isKey:     func([]byte) bool { return true },
			parseKeys: parseNamedKeys,
			isSigned:  func(info *narinfo) bool { return len(info.sigs) > 0 },
			signers:   (*narinfo).namedSigners,
		},
	}
}

var errWrongSignature = errors.New("the signature is not one of this text by this key")

// An untrustedError reports a signature by a key that is not trusted.
type untrustedError struct{ key string }

func (e *untrustedError) Error() string {
	return "signed by the key " + e.key + ", which is not trusted"
}

// signers returns the trusted keys whose signature of the narinfo holds, by the
// first format that it is signed in.
func (info *narinfo) signers(keys []Key) ([]Key, error) {
	for _, f := range formats() {
		if f.isSigned(info) {
			return f.signers(info, keys)
		}
	}
	return nil, errors.New("the narinfo bears no signature")
}
