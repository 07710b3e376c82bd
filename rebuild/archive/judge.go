package archive

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
)

// A judge says whether a response is an answer to the question, yes or no. Redirects
// were followed: it is what is at their end.
type judge func(res *http.Response) bool

// A record is what the API answers, of all endpoints.
type record struct {
	Exception string            `json:"exception"`
	Checksums map[string]string `json:"checksums"`
	Type      string            `json:"extid_type"`
	ExtID     string            `json:"extid"`
	Target    string            `json:"target"`
	URL       string            `json:"url"`
}

// aRecord judges an answer of the API: a record that fits, or that there is none.
func aRecord(fits func(record) bool) judge {
	return func(res *http.Response) bool {
		var got record
		switch {
		case !decode(res, &got):
			return false
		case res.StatusCode == http.StatusOK:
			return fits(got)
		}
		return got.Exception == "NotFoundExc"
	}
}

func aContent(algorithm, hash string) judge {
	return aRecord(func(got record) bool { return strings.EqualFold(got.Checksums[algorithm], hash) })
}

func anExtID(kind, hash string) judge {
	return aRecord(func(got record) bool {
		return got.Type == kind && strings.EqualFold(got.ExtID, hash) && strings.HasPrefix(got.Target, "swh:1:")
	})
}

func anOrigin(address string) judge {
	return aRecord(func(got record) bool {
		return strings.TrimRight(got.URL, "/") == strings.TrimRight(address, "/")
	})
}

// aFile judges an answer of a farm. The file is not read, so that nothing in it says
// whose answer it is: a page for people, or what another server has, is none.
func aFile(res *http.Response) bool {
	if res.StatusCode != http.StatusOK {
		return true
	}
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	asked := res.Request
	for asked.Response != nil { // that redirected to it
		asked = asked.Response.Request
	}
	return err == nil && kind != "text/html" && kind != "application/xhtml+xml" && asked.URL.Host == res.Request.URL.Host
}

// recipeStart is how a recipe of Disarchive begins.
const recipeStart = "(disarchive"

// aRecipe judges an answer of a database of Disarchive.
func aRecipe(res *http.Response) bool {
	if res.StatusCode != http.StatusOK {
		return true
	}
	start := make([]byte, len(recipeStart))
	_, err := io.ReadFull(res.Body, start)
	return err == nil && string(start) == recipeStart
}

// decode reads an answer of at most maxBody bytes that is JSON, and nothing else.
func decode(res *http.Response, v any) bool {
	text, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	return err == nil && len(text) <= maxBody && json.Unmarshal(text, v) == nil
}
