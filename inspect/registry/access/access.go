// Package access says how servers are reached from which images come: over which
// connections, with whose credentials, and what is asked again. Proxies are those of the
// environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY).
package access

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"audit/inspect/userfile"
)

// Options say how. Nil is with the credentials of docker login or podman login, over TLS
// that is verified, or plain HTTP of a server on this machine, which gets no credentials.
type Options struct {
	AuthFile    string       // credentials as docker login and podman login store them; "" for theirs
	Credentials *Credentials // of one registry, in place of those
	Insecure    bool         // certificates are not verified, and plain HTTP is taken
	Verified    bool         // plain HTTP is not even taken of this machine
	CertDir     string       // *.crt of authorities, *.cert and *.key of this client (containers-certs.d(5))
	Mirrors     []Mirror     // that are asked first, in their order

	once        sync.Once
	connections *http.Transport // of all that is asked, once one of it was
	failed      error
}

// Credentials are for one registry and go to no other.
type Credentials struct{ Registry, User, Password string }

// A Mirror has at a place what lies below a registry, or below a path in it.
type Mirror struct{ Of, At string }

// ParseMirror reads "registry.example/lab=mirror.example/x".
func ParseMirror(text string) (Mirror, error) {
	of, at, ok := strings.Cut(text, "=")
	m := Mirror{strings.TrimSuffix(of, "/"), strings.TrimSuffix(at, "/")}
	_, wrong := name.NewRepository(m.At+"/x", name.StrictValidation)
	if !ok || m.Of == "" || wrong != nil || strings.Contains(text, "://") || strings.Contains(m.At, "=") {
		return m, errors.New("a mirror is HOST[/PATH]=HOST[/PATH]")
	}
	if host, rest, _ := strings.Cut(m.Of, "/"); host == "docker.io" { // as people write it
		m.Of = strings.TrimSuffix(name.DefaultRegistry+"/"+rest, "/")
	}
	return m, nil
}

// Names are the options with which names of repositories are read.
func (o *Options) Names() []name.Option {
	if o != nil && o.Insecure {
		return []name.Option{name.Insecure}
	}
	return nil
}

// Places are the repositories in which one may lie: its mirrors, and itself.
func (o *Options) Places(repo name.Repository) (all []name.Repository, err error) {
	if o != nil {
		for _, m := range o.Mirrors {
			rest, ok := strings.CutPrefix(repo.Name(), m.Of)
			if !ok || rest != "" && rest[0] != '/' {
				continue
			}
			mirror, err := name.NewRepository(m.At+rest, o.Names()...)
			if err != nil {
				return nil, fmt.Errorf("understanding the mirror %s: %w", m.At, err)
			}
			all = append(all, mirror)
		}
	}
	return append(all, repo), nil
}

// Keychain finds the credentials for a registry.
func (o *Options) Keychain() authn.Keychain {
	if o == nil {
		return authn.DefaultKeychain
	}
	return keychain{o}
}

type keychain struct{ options *Options }

func (k keychain) Resolve(target authn.Resource) (authn.Authenticator, error) {
	return k.ResolveContext(context.Background(), target)
}

// ResolveContext implements [authn.ContextKeychain].
func (k keychain) ResolveContext(ctx context.Context, target authn.Resource) (authn.Authenticator, error) {
	if c := k.options.Credentials; c != nil && c.Registry == target.RegistryStr() {
		return &authn.Basic{Username: c.User, Password: c.Password}, nil
	}
	if k.options.AuthFile == "" {
		return authn.Resolve(ctx, authn.DefaultKeychain, target)
	}
	return stored(k.options.AuthFile, target)
}

// stored finds credentials in a file: those of the repository, of a path above it, or of
// its registry (containers-auth.json(5)).
func stored(path string, target authn.Resource) (authn.Authenticator, error) {
	file, err := readAuth(path)
	if err != nil {
		return nil, err
	}
	for key := target.String(); ; key = key[:strings.LastIndexByte(key, '/')] {
		asked := key
		if asked == name.DefaultRegistry {
			asked = authn.DefaultAuthKey
		}
		found, err := file.GetAuthConfig(asked)
		if err != nil {
			return nil, fmt.Errorf("reading the credentials for %s in %s: %w", key, path, err)
		}
		found.ServerAddress = ""
		if found != (types.AuthConfig{}) {
			return authn.FromConfig(authn.AuthConfig{
				Username: found.Username, Password: found.Password, Auth: found.Auth,
				IdentityToken: found.IdentityToken, RegistryToken: found.RegistryToken,
			}), nil
		}
		if !strings.Contains(key, "/") {
			return authn.Anonymous, nil
		}
	}
}

// maxAuthFile bounds a file of credentials, in bytes.
const maxAuthFile = 1 << 20

func readAuth(path string) (*configfile.ConfigFile, error) {
	text, err := userfile.Read(path, maxAuthFile)
	if err != nil {
		return nil, err
	}
	file, err := config.LoadFromReader(strings.NewReader(string(text)))
	if err != nil {
		return nil, fmt.Errorf("%s is no file of credentials, as docker login writes it", path) // the cause may quote it
	}
	return file, nil
}

// Pushing are the options with which something is pushed to a registry.
func (o *Options) Pushing(idle time.Duration) ([]remote.Option, error) {
	transport, err := o.Transport(idle)
	if err != nil {
		return nil, err
	}
	return []remote.Option{remote.WithAuthFromKeychain(o.Keychain()), remote.WithTransport(transport)}, nil
}

// RegistryOf is the registry of a reference, or of what names several with a slash at its
// end.
func RegistryOf(reference string) string {
	ref, err := name.ParseReference(strings.TrimSuffix(reference, "/"))
	if err != nil {
		host, _, _ := strings.Cut(reference, "/")
		return host
	}
	return ref.Context().RegistryStr()
}

// CheckAuthFile says what is wrong with the file of credentials.
func (o *Options) CheckAuthFile() error {
	if o == nil || o.AuthFile == "" {
		return nil
	}
	_, err := readAuth(o.AuthFile)
	return err
}

// CheckCertDir says what is wrong with the folder of certificates.
func (o *Options) CheckCertDir() error {
	_, err := o.tls()
	return err
}

// Transport makes connections, ends those to which nothing has come for a while, and asks
// again what may work a moment later. What it refuses to ask is a [*RefusedError].
func (o *Options) Transport(idle time.Duration) (http.RoundTripper, error) {
	if o == nil {
		o = new(Options)
	}
	o.once.Do(o.connect)
	if o.failed != nil {
		return nil, o.failed
	}
	return guarded{retrying{idleTransport{o.connections, idle}}, o}, nil
}

func (o *Options) connect() {
	o.connections = http.DefaultTransport.(*http.Transport).Clone()
	o.connections.OnProxyConnectResponse = judgeProxy
	config, err := o.tls()
	if o.failed = err; config != nil {
		o.connections.TLSClientConfig = config
	}
}

// judgeProxy says of a proxy that lets nobody through that it is the proxy.
func judgeProxy(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return fmt.Errorf("the proxy %s answers %s", server(proxy), answer.Status)
}

// tls are the settings of TLS, nil for those of Go.
func (o *Options) tls() (*tls.Config, error) {
	if o == nil || !o.Insecure && o.CertDir == "" {
		return nil, nil
	}
	config := &tls.Config{InsecureSkipVerify: o.Insecure}
	if o.CertDir == "" {
		return config, nil
	}
	entries, err := os.ReadDir(o.CertDir)
	if err != nil {
		return nil, fmt.Errorf("reading the folder of certificates: %w", err)
	}
	if config.RootCAs, err = x509.SystemCertPool(); err != nil {
		config.RootCAs = x509.NewCertPool()
	}
	for _, e := range entries {
		if err := addCertificate(config, filepath.Join(o.CertDir, e.Name())); err != nil {
			return nil, err
		}
	}
	return config, nil
}

// addCertificate takes a file of the folder for what its ending says.
func addCertificate(config *tls.Config, path string) error {
	switch filepath.Ext(path) {
	case ".crt":
		text, err := userfile.Read(path, maxAuthFile)
		if err != nil {
			return fmt.Errorf("reading a certificate: %w", err)
		}
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("reading a certificate: %s has none in PEM", path)
		}
	case ".cert":
		pair, err := tls.LoadX509KeyPair(path, strings.TrimSuffix(path, ".cert")+".key")
		if err != nil {
			return fmt.Errorf("reading a certificate of this client: %w", err)
		}
		config.Certificates = append(config.Certificates, pair)
	}
	return nil
}
