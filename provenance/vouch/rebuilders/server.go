package rebuilders

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"audit/inspect/limit"
	"audit/inspect/registry/access"
	"audit/provenance/signatures"
	"audit/provenance/vouch"
)

// How much is asked of a server.
const (
	spacing        = 50 * time.Millisecond // between two requests
	requestTimeout = 20 * time.Second
	giveUp         = 3       // requests that fail in a row: then it is asked no more
	maxList        = 4 << 20 // bytes of a list of packages of one name
	maxLink        = 1 << 20 // bytes of an attestation
	maxRecords     = 1 << 10 // packages of one name that are looked at
	maxAsked       = 16      // attestations about one package that are fetched
)

// CheckServer says what is wrong with the address of a server.
func CheckServer(address string) error {
	_, err := parseServer(address)
	return err
}

func parseServer(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, errors.New("it is no address")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("%s: an address begins with http:// or https://", u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s: an address with a query or fragment is none of a rebuilder", u.Redacted())
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u, nil
}

// A server is one of rebuilderd. It is asked one question at a time.
type server struct {
	base   *url.URL
	client *http.Client
	v0     bool // it has no /api/v1
	failed int  // requests in a row
	last   error
	next   time.Time
}

func newServer(address string, client *http.Client) (*server, error) {
	u, err := parseServer(address)
	if err != nil {
		return nil, err
	}
	return &server{base: u, client: signatures.NewClient(client, 1)}, nil
}

func (s *server) String() string { return s.base.Redacted() }

var errAbsent = errors.New("it is not there")

// get asks for one answer of at most so many bytes: errAbsent when there is none.
func (s *server) get(ctx context.Context, path string, query url.Values, most int64) ([]byte, error) {
	if s.failed >= giveUp {
		return nil, fmt.Errorf("asked no more, since %d requests in a row had failed: %w", giveUp, s.last)
	}
	if access.Wait(ctx, time.Until(s.next)) != nil {
		return nil, context.Cause(ctx)
	}
	text, err := s.once(ctx, path, query, most)
	s.next = time.Now().Add(spacing)
	switch {
	case err == nil || errors.Is(err, errAbsent):
		s.failed = 0
	default:
		s.failed, s.last = s.failed+1, err
	}
	return text, err
}

func (s *server) once(ctx context.Context, path string, query url.Values, most int64) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, requestTimeout, fmt.Errorf("no answer within %v", requestTimeout))
	defer cancel()
	u := *s.base
	u.Path, u.RawPath, u.RawQuery = u.Path+path, "", query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "audit")
	answer, err := s.client.Do(req)
	if err != nil {
		return nil, unwrapped(ctx, err)
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return nil, errAbsent
	default:
		return nil, fmt.Errorf("it answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err != nil {
		return nil, unwrapped(ctx, err)
	}
	if int64(len(text)) > most {
		return nil, &limit.Error{Name: "bytes of an answer", Limit: most, Where: s.String()}
	}
	return text, nil
}

// unwrapped is an error without the address, which may have a password.
func unwrapped(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// A record is what a server says of a package.
type record struct {
	status string // GOOD, BAD, or anything else
	link   string // path of its attestation; "" for none
}

// records lists what a server says of a package of this name and version.
func (s *server) records(ctx context.Context, a vouch.Archive) ([]record, error) {
	if !s.v0 {
		found, err := s.newer(ctx, a)
		if !errors.Is(err, errAbsent) {
			return found, err
		}
		s.v0 = true
	}
	found, err := s.older(ctx, a)
	if errors.Is(err, errAbsent) {
		err = errors.New("it is no server of rebuilderd")
	}
	return found, err
}

// newer asks by /api/v1.
func (s *server) newer(ctx context.Context, a vouch.Archive) ([]record, error) {
	text, err := s.get(ctx, "/api/v1/packages/binary", url.Values{"name": {a.Name}, "version": {a.Version}}, maxList)
	if err != nil {
		return nil, err
	}
	var page struct {
		Records []struct {
			Name, Version, Status string
			BuildID               *int32 `json:"build_id"`
			ArtifactID            *int32 `json:"artifact_id"`
			Attestation           *int32 `json:"attestation_log_id"`
		}
	}
	if err := json.Unmarshal(text, &page); err != nil {
		return nil, fmt.Errorf("reading what it has of %s: %w", a.Name, err)
	}
	var found []record
	for _, p := range page.Records[:min(len(page.Records), maxRecords)] {
		if p.Name != a.Name || p.Version != a.Version {
			continue
		}
		r := record{status: strings.ToUpper(p.Status)}
		if p.BuildID != nil && p.ArtifactID != nil && p.Attestation != nil {
			r.link = fmt.Sprintf("/api/v1/builds/%d/artifacts/%d/attestation", *p.BuildID, *p.ArtifactID)
		}
		found = append(found, r)
	}
	return found, nil
}

// older asks by /api/v0.
func (s *server) older(ctx context.Context, a vouch.Archive) ([]record, error) {
	text, err := s.get(ctx, "/api/v0/pkgs/list", url.Values{"name": {a.Name}}, maxList)
	if err != nil {
		return nil, err
	}
	var list []struct {
		Name, Version, Status string
		BuildID               *int32 `json:"build_id"`
		Attestation           bool   `json:"has_attestation"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("reading what it has of %s: %w", a.Name, err)
	}
	var found []record
	for _, p := range list[:min(len(list), maxRecords)] {
		if p.Name != a.Name || p.Version != a.Version {
			continue
		}
		r := record{status: strings.ToUpper(p.Status)}
		if p.BuildID != nil && p.Attestation {
			r.link = fmt.Sprintf("/api/v0/builds/%d/attestation", *p.BuildID)
		}
		found = append(found, r)
	}
	return found, nil
}
