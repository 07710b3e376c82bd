package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"audit/inspect/dockerarchive"
	"audit/inspect/form"
	"audit/inspect/image"
	"audit/inspect/paths"
)

// Form is that of a running engine.
func Form() form.Form {
	return form.Form{Transport: image.DockerDaemon, Argument: "REF", Named: true, Open: open}
}

// open reads an image from a running engine: Docker, or podman through the
// socket that DOCKER_HOST names (Docker Engine API v1.24, "Export several
// images"; later versions have it too). What comes is a docker-archive and is
// read as one.
func open(in *form.Input) (*image.Image, error) {
	client, base, err := engine(os.Getenv("DOCKER_HOST"))
	if err != nil {
		return nil, err
	}
	body, err := export(in.Pass.Ctx, client, base, in.Path)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if err := in.Read(body); err != nil {
		return nil, err
	}
	img, err := dockerarchive.Open(in)
	if err != nil {
		return nil, err
	}
	img.Transport = image.DockerDaemon
	return img, nil
}

// usual is where an engine is unless DOCKER_HOST says another place.
const usual = "unix:///var/run/docker.sock"

// engine returns a client for the engine at host, in the form of DOCKER_HOST.
func engine(host string) (*http.Client, string, error) {
	if host == "" {
		host = usual
	}
	u, err := url.Parse(host)
	if err != nil {
		return nil, "", fmt.Errorf("understanding DOCKER_HOST: %w", err)
	}
	switch u.Scheme {
	case "unix":
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", u.Path)
		}
		return &http.Client{Transport: &http.Transport{DialContext: dial}}, "http://engine", nil
	case "tcp", "http":
		return &http.Client{}, "http://" + u.Host, nil
	}
	return nil, "", fmt.Errorf("DOCKER_HOST is %q: audit can talk to unix:// and tcp:// engines; docker save gives a file for any other", host)
}

// where is the place of the engine, and who says that it is there.
func where() string {
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		return usual + " (DOCKER_HOST names another place)"
	}
	if u, err := url.Parse(host); err == nil {
		host = u.Redacted()
	}
	return host + ", which DOCKER_HOST names"
}

func export(ctx context.Context, client *http.Client, base, reference string) (io.ReadCloser, error) {
	address := base + "/images/get?names=" + url.QueryEscape(tagged(reference))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // the rest is the question
		}
		return nil, fmt.Errorf("no engine answers at %s: %w", where(), err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if resp.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("the engine has no image %q", reference)
	}
	return nil, errors.New("the engine says: " + resp.Status + " " + strings.TrimSpace(string(answer)))
}

// tagged adds the tag latest to a name that has neither tag nor digest, as
// docker run does; an engine would export all tags. What may be the ID of an
// image stays.
func tagged(reference string) string {
	_, last := paths.Split(reference)
	isID := len(reference) >= 12 && strings.Trim(reference, "0123456789abcdef") == ""
	if strings.ContainsAny(last, ":@") || isID {
		return reference
	}
	return reference + ":latest"
}
