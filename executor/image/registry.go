package image

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
)

// registry is a client for all registries that one pull talks to.
type registry struct {
	resolver   remotes.Resolver
	transports []*http.Transport
}

// newRegistry makes a client that logs in with what docker's and podman's configuration files hold (credentials.go).
// Registries are spoken to over TLS; only those on this host's loopback addresses may use plain HTTP or a certificate
// that nobody has signed.
func newRegistry(ctx context.Context) *registry {
	r := &registry{}
	strict := docker.DefaultHTTPTransport(nil)
	loopback := docker.DefaultHTTPTransport(&tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}) //nolint:gosec // never leaves the host
	loopback.Proxy = nil
	r.transports = []*http.Transport{strict, loopback}
	creds := credentials{ctx}
	r.resolver = docker.NewResolver(docker.ResolverOptions{Hosts: func(host string) ([]docker.RegistryHost, error) {
		client := &http.Client{Transport: patientTransport{tlsOnly{strict}}, CheckRedirect: checkRedirect}
		if isLoopback(host) {
			client.Transport = patientTransport{tlsOnly{docker.NewHTTPFallback(loopback)}}
		}
		endpoint, err := docker.DefaultHost(host)
		if err != nil {
			return nil, err
		}
		return []docker.RegistryHost{{
			Client: client, Host: endpoint, Scheme: "https", Path: "/v2",
			Capabilities: docker.HostCapabilityPull | docker.HostCapabilityResolve,
			Authorizer:   docker.NewDockerAuthorizer(docker.WithAuthClient(client), docker.WithAuthCreds(creds.lookup)),
		}}, nil
	}})
	return r
}

func (r *registry) close() {
	for _, t := range r.transports {
		t.CloseIdleConnections()
	}
}

// isLoopback reports whether a host[:port] is this host, without asking a name server.
func isLoopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// tlsOnly refuses to send anything in the clear to another host, whatever a redirect or a token server's address says.
type tlsOnly struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t tlsOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !isLoopback(req.URL.Host) {
		return nil, fmt.Errorf("refusing to speak plain HTTP to %s", req.URL.Host)
	}
	return t.RoundTripper.RoundTrip(req)
}

// checkRedirect takes the credentials off a request that leads to another server. net/http does so only when the host
// name changes, not for another port, and not for a subdomain.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("stopped after 10 redirects")
	}
	if req.URL.Host != via[0].URL.Host {
		req.Header.Del("Authorization")
	}
	return nil
}
