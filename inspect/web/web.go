// Package web fetches an archive that a user names by its address or its DOI, and
// compares it with the checksum that was published of it before anybody looks into it.
//
// A DOI leads to a record of a repository that runs InvenioRDM, such as Zenodo, which has
// the checksum of each file (https://inveniordm.docs.cern.ch/reference/rest_api_drafts_records/).
package web

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"audit/inspect/host"
	"audit/inspect/limit"
	"audit/inspect/registry/access"
)

// IsAddress says that a reference is what this package fetches.
func IsAddress(reference string) bool {
	return strings.HasPrefix(reference, "https://") || strings.HasPrefix(reference, "http://") || IsDOI(reference)
}

// IsDOI says that a reference is a DOI, "doi:10.5281/zenodo.1234567", or the address of
// one, or of its record, as a browser shows it.
func IsDOI(reference string) bool {
	return strings.HasPrefix(reference, "doi:") || strings.Contains(reference, "://") && Deposit(reference) != ""
}

// Deposit is the DOI that an address, or one without its "https://", is about, as "doi:…":
// of doi.org, or of a record of Zenodo, whose file is not named. It is "" for all else.
func Deposit(reference string) string {
	text := reference
	for _, scheme := range []string{"doi:", "DOI:", "https://", "http://"} {
		text = strings.TrimPrefix(text, scheme)
	}
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "www."), "?")
	text, _, _ = strings.Cut(text, "#")
	for _, host := range []string{"doi.org/", "dx.doi.org/", "zenodo.org/doi/"} {
		text = strings.TrimPrefix(text, host)
	}
	if isDOI.MatchString(text) {
		return "doi:" + text
	}
	if m := isRecord.FindStringSubmatch(text); m != nil {
		return "doi:10.5281/zenodo." + m[1]
	}
	return ""
}

// DepositFile is the DOI and the file that the address of a file of Zenodo's is about, "" and
// "" for all else.
func DepositFile(address string) (doi, file string) {
	u, err := url.Parse(address)
	if err != nil {
		return "", ""
	}
	record, file, ok := strings.Cut(u.Host+u.Path, "/files/")
	if doi = Deposit(record); !ok || doi == "" || strings.Contains(file, "/") {
		return "", ""
	}
	return doi, file
}

var (
	isDOI    = regexp.MustCompile(`^10\.[0-9]{4,9}/[!-~]+$`) // as Crossref has nearly all of them
	isRecord = regexp.MustCompile(`^zenodo\.org/records?/([0-9]+)/?$`)
)

// A Checksum is what somebody published of a file.
type Checksum struct {
	Algorithm string // "sha256", "sha512" or "md5"
	Hex       string // in lower case
	From      string // who published it: the address of a record, or "" for the user's word
}

// ParseChecksum reads the hexadecimal digits of an algorithm.
func ParseChecksum(algorithm, digits string) (Checksum, error) {
	c := Checksum{Algorithm: algorithm, Hex: strings.ToLower(strings.TrimPrefix(digits, algorithm+":"))}
	h := c.hash()
	if h == nil {
		return c, fmt.Errorf("%.20q is no algorithm that is known here", algorithm)
	}
	if raw, err := hex.DecodeString(c.Hex); err != nil || len(raw) != h.Size() {
		return c, fmt.Errorf("a checksum by %s has %d hexadecimal digits", algorithm, 2*h.Size())
	}
	return c, nil
}

func (c Checksum) hash() hash.Hash {
	switch c.Algorithm {
	case "sha256":
		return sha256.New()
	case "sha512":
		return sha512.New()
	case "md5":
		return md5.New()
	}
	return nil
}

// String is the checksum as "sha256:HEX".
func (c Checksum) String() string { return c.Algorithm + ":" + c.Hex }

// A MismatchError says that a file is not the one that was published.
type MismatchError struct {
	Want Checksum
	Hex  string // what the file has
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("it is not the file that was published: its %s is %s, and %s was published", e.Want.Algorithm, e.Hex, e.Want.Hex)
}

// Check reads a file to its end and compares. The error is a [*MismatchError] where it is
// another one.
func (c Checksum) Check(ctx context.Context, r io.Reader) error {
	h := c.hash()
	if _, err := io.Copy(h, interruptible{ctx, r}); err != nil {
		return err
	}
	if sum := hex.EncodeToString(h.Sum(nil)); sum != c.Hex {
		return &MismatchError{c, sum}
	}
	return nil
}

// interruptible ends a long reading with its context.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// Bounds on what is fetched.
const (
	maxArchive   = 256 << 30 // bytes of an archive
	maxRecord    = 16 << 20  // bytes of a record
	maxResumes   = 8         // that bring nothing
	maxRedirects = 5
)

// A Fetcher fetches files over HTTPS.
type Fetcher struct {
	client   *http.Client
	progress func(done, size int64) // may be nil
	pause    time.Duration          // before a file is taken up again the first time
}

// NewFetcher makes one. Idle is how long a server may send nothing.
func NewFetcher(options *access.Options, idle time.Duration, progress func(done, size int64)) (*Fetcher, error) {
	transport, err := options.Transport(idle)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if req.URL.Scheme != "https" {
			return errors.New("it leads to an address that is not https")
		}
		if len(via) > maxRedirects {
			return fmt.Errorf("it leads on and on, more than %d times", maxRedirects)
		}
		return nil
	}}
	return &Fetcher{client, progress, 500 * time.Millisecond}, nil
}

// get asks for a file from a byte on, as long as it is the one that etag names.
func (f *Fetcher) get(ctx context.Context, address string, from int64, etag string) (*http.Response, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, errors.New("this is no address")
	}
	if u.Scheme != "https" {
		return nil, errors.New("only https is fetched: what comes over http can be changed on its way")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("this is no address")
	}
	req.Header.Set("Accept-Encoding", "identity")
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
		if etag != "" {
			req.Header.Set("If-Range", etag)
		}
	}
	resp, err := f.client.Do(req)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // the rest repeats the address
	}
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK && (from == 0 || resp.StatusCode != http.StatusPartialContent) {
		resp.Body.Close()
		return nil, &StatusError{resp.StatusCode, resp.Status}
	}
	return resp, nil
}

// A StatusError is the answer of a server that is no file.
type StatusError struct {
	Code   int
	Status string
}

func (e *StatusError) Error() string { return "the server answers " + e.Status }

// State asks a server what it calls the state of a file, its ETag or the time of its last
// change, and its size: as long as both stay the file is the same. It is "" where the
// server does not say.
func (f *Fetcher) State(ctx context.Context, address string) (state string, size int64) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil || req.URL.Scheme != "https" {
		return "", 0
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return "", 0
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", 0
	}
	return cmp.Or(resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")), resp.ContentLength
}

// Fetch writes what lies at an address into a file. A connection that is cut is taken up
// where it was.
func (f *Fetcher) Fetch(ctx context.Context, address string, to *os.File) error {
	d := download{fetcher: f, address: address, to: to}
	for failures := 0; ; {
		before := d.at
		err := d.more(ctx)
		if err == nil {
			return nil
		}
		if _, over := errors.AsType[*limit.Error](err); over || !d.begun || ctx.Err() != nil {
			return err
		}
		if d.at > before {
			failures = 0
		}
		if failures++; failures > maxResumes {
			return fmt.Errorf("%w, again and again, after %d bytes", err, d.at)
		}
		select {
		case <-time.After(f.pause << min(failures-1, 6)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// A download is a fetching under way.
type download struct {
	fetcher *Fetcher
	address string
	to      *os.File
	at      int64 // bytes that are there
	etag    string
	begun   bool // a server has sent something
}

// more fetches the rest. A server that sends the whole once more is obeyed.
func (d *download) more(ctx context.Context) error {
	resp, err := d.fetcher.get(ctx, d.address, d.at, d.etag)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		d.at = 0
		if err := d.to.Truncate(0); err != nil {
			return err
		}
	} else if !strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", d.at)) {
		return errors.New("the server sends another part than it was asked for")
	}
	d.begun, d.etag = true, resp.Header.Get("ETag")
	size := d.at + max(resp.ContentLength, 0)
	if size > maxArchive {
		return &limit.Error{Name: "bytes of an archive that is fetched", Limit: maxArchive, Where: "the address"}
	}
	buf := make([]byte, 256<<10)
	for {
		n, err := resp.Body.Read(buf)
		if _, e := d.to.WriteAt(buf[:n], d.at); e != nil {
			return e
		}
		if d.at += int64(n); d.at > maxArchive {
			return &limit.Error{Name: "bytes of an archive that is fetched", Limit: maxArchive, Where: "the address"}
		}
		if d.fetcher.progress != nil {
			d.fetcher.progress(d.at, size)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// A record is what a repository says of a deposit, as far as it is needed.
type record struct {
	Files []struct {
		Key, Checksum string
		Links         struct{ Self string }
	}
}

// Record finds the address and the published checksum of a file of a DOI. With an empty
// name it is the only file. The server is that of the repository, such as
// "https://zenodo.org".
func (f *Fetcher) Record(ctx context.Context, server, doi, file string) (string, Checksum, error) {
	number, err := recordNumber(doi)
	if err != nil {
		return "", Checksum{}, err
	}
	address := strings.TrimSuffix(server, "/") + "/api/records/" + number
	resp, err := f.get(ctx, address, 0, "")
	if err != nil {
		return "", Checksum{}, fmt.Errorf("asking for the record %s: %w", address, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxRecord+1))
	if err != nil {
		return "", Checksum{}, fmt.Errorf("asking for the record %s: %w", address, err)
	}
	if len(text) > maxRecord {
		return "", Checksum{}, &limit.Error{Name: "bytes of a record", Limit: maxRecord, Where: address}
	}
	var r record
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&r); err != nil {
		return "", Checksum{}, fmt.Errorf("%s is no record of a repository: %w", address, err)
	}
	return r.find(address, file)
}

// recordNumber is the last number of a DOI, after the name of the repository.
func recordNumber(doi string) (string, error) {
	_, suffix, ok := strings.Cut(strings.TrimPrefix(doi, "doi:"), "/")
	number := suffix[strings.LastIndexAny(suffix, "./")+1:]
	if !ok || number == "" || strings.Trim(number, "0123456789") != "" {
		return "", errors.New("a DOI that leads to a record is doi:10.5281/zenodo.NUMBER; of another repository give the https address of the file, and --sha256 or --md5")
	}
	return number, nil
}

// leads says that a record may lead to where it has a file.
func leads(from, to string) bool {
	a, err := url.Parse(from)
	b, toErr := url.Parse(to)
	return err == nil && toErr == nil && host.MayLead(a.Hostname(), b.Hostname())
}

func (r record) find(address, file string) (string, Checksum, error) {
	var names []string
	for _, f := range r.Files {
		names = append(names, f.Key)
		if f.Key != file && (file != "" || len(r.Files) > 1) {
			continue
		}
		algorithm, digits, ok := strings.Cut(f.Checksum, ":")
		sum, err := ParseChecksum(algorithm, digits)
		if err != nil || !ok {
			return "", Checksum{}, fmt.Errorf("the record %s has no checksum of %s", address, f.Key)
		}
		if !leads(address, f.Links.Self) {
			return "", Checksum{}, fmt.Errorf("the record %s has the file at an address of this machine or of an inner network, which is not asked", address)
		}
		sum.From = address
		return f.Links.Self, sum, nil
	}
	if file == "" {
		return "", Checksum{}, fmt.Errorf("the record %s has %d files: choose one with --doi-file: %s", address, len(names), strings.Join(names, ", "))
	}
	return "", Checksum{}, fmt.Errorf("the record %s has no file %s: there is %s", address, file, strings.Join(names, ", "))
}
