// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Package providertest is a fake provider for tests: an OpenID provider that
// follows the specifications until a knob makes it misbehave, and servers in
// the shape of GitHub, GitLab, Bitbucket, Google, Azure, Okta and Auth0, with
// their addresses, answers and quirks.
package providertest

import (
	"context"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// Endpoint is a part of a provider, for counting requests and for faults.
type Endpoint string

// The endpoints of a provider. API is whatever else it serves.
const (
	Discovery     Endpoint = "discovery"
	Keys          Endpoint = "keys"
	Authorization Endpoint = "authorization"
	Token         Endpoint = "token"
	UserInfo      Endpoint = "userinfo"
	EndSession    Endpoint = "end_session"
	Revocation    Endpoint = "revocation"
	API           Endpoint = "api"
)

// User is somebody with an account. The first of a server's users signs in,
// unless the parameter login_hint names another by login or e-mail address.
type User struct {
	ID         string // digits, as some providers want them
	Login      string
	Name       string
	Email      string
	Unverified bool // the e-mail address
	Groups     []string
	Claims     map[string]any // further ones
}

// Server is a running provider.
type Server struct {
	// URL is where the server listens.
	URL string
	// Name is the row of the provider's table that this server is in the shape of.
	Name string
	// Params are the extra parameters that point a provider at this server.
	Params map[string]string

	ClientID     string
	ClientSecret string // empty makes the client a public one
	ClientKey    any    // the public key of a client that signs assertions

	// Now is the server's clock. Default: time.Now
	Now func() time.Time

	shape shape
	base  string // of the addresses that the server gives of itself
	http  *httptest.Server

	mu       sync.Mutex
	users    []User
	knobs    Knobs
	requests map[Endpoint][]Request
	grants   map[string]*grant // by code and by token
	signers  signers
}

// Request is what a client sent.
type Request struct {
	Method string
	Host   string
	Path   string
	Query  url.Values
	Header http.Header
	Form   url.Values // of the body alone
}

// BasicAuth is the user name and password of the Authorization header.
func (r Request) BasicAuth() (username, password string, ok bool) {
	return (&http.Request{Header: r.Header}).BasicAuth()
}

// Start runs a well-behaved OpenID provider until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	s := start(t, openIDShape())
	s.Name = "oidc"
	s.Params = map[string]string{"ISSUER": s.URL}
	return s
}

func start(t testing.TB, sh shape) *Server {
	t.Helper()
	s := &Server{
		ClientID:     "client-1",
		ClientSecret: "very secret: +/=%",
		Now:          time.Now,
		shape:        sh,
		users: []User{{
			ID: "1001", Login: "alice", Name: "Alice Example", Email: "alice@example.org",
			Groups: []string{"staff", "staff/admins"},
		}},
		requests: map[Endpoint][]Request{},
		grants:   map[string]*grant{},
	}
	s.http = httptest.NewServer(s)
	s.URL, s.base = s.http.URL, s.http.URL
	t.Cleanup(s.http.Close)
	return s
}

// Pretend makes the server give addresses at another base than its own, for
// clients that reach it through Client.
func (s *Server) Pretend(base string) { s.base = base }

// Client sends every request to this server, whatever host it is for.
func (s *Server) Client() *http.Client {
	dialer := net.Dialer{}
	address := s.http.Listener.Addr().String()
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		},
	}
	return &http.Client{Transport: plain{transport}}
}

// plain takes TLS off, which the server does not speak.
type plain struct{ base *http.Transport }

func (p plain) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Scheme = "http"
	return p.base.RoundTrip(req)
}

// SetUsers replaces who has an account.
func (s *Server) SetUsers(users ...User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users = users
}

// Turn changes knobs.
func (s *Server) Turn(change func(*Knobs)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.knobs)
}

// Requests are those that an endpoint got so far.
func (s *Server) Requests(e Endpoint) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests[e]...)
}

// Visit does what a browser does with the address of a sign-in: it goes there,
// agrees, and comes back with the parameters that Visit returns.
func (s *Server) Visit(t testing.TB, address string) url.Values {
	t.Helper()
	client := s.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Get(address)
	if err != nil {
		t.Fatalf("visiting the provider: %v", err)
	}
	defer func() { _ = resp.Body.Close() }()
	back, err := resp.Location()
	if err != nil {
		t.Fatalf("the provider did not send the visitor back: it answered %d", resp.StatusCode)
	}
	return back.Query()
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	endpoint, handle := s.route(r)
	s.record(endpoint, r)
	if fault := s.turned().Faults[endpoint]; fault != nil {
		fault(w, r)
		return
	}
	handle(w, r)
}

func (s *Server) turned() Knobs {
	s.mu.Lock()
	defer s.mu.Unlock()
	knobs := s.knobs
	knobs.Faults = maps.Clone(knobs.Faults)
	return knobs
}

func (s *Server) record(e Endpoint, r *http.Request) {
	_ = r.ParseForm()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[e] = append(s.requests[e], Request{
		Method: r.Method, Host: r.Host, Path: r.URL.Path,
		Query: r.URL.Query(), Header: r.Header.Clone(), Form: r.PostForm,
	})
}

func (s *Server) route(r *http.Request) (Endpoint, http.HandlerFunc) {
	if handle := s.shape.apis[s.pathOf(r)]; handle != nil {
		return API, func(w http.ResponseWriter, r *http.Request) { handle(s, w, r) }
	}
	p, path := s.shape.paths, s.pathOf(r)
	switch path {
	case strings.TrimSuffix(p.issuer, "/") + "/.well-known/openid-configuration":
		return Discovery, s.discovery
	case p.keys:
		return Keys, s.jwks
	case p.authorize:
		return Authorization, s.authorize
	case p.exchange:
		return Token, s.token
	case p.userInfo:
		return UserInfo, s.userInfo
	case p.endSession:
		return EndSession, s.endSession
	case p.revoke:
		return Revocation, s.revoke
	default:
		return API, http.NotFound
	}
}

// pathOf is a request's path without what an installation of one's own puts
// before those of the API.
func (s *Server) pathOf(r *http.Request) string {
	if s.shape.apiPrefix == "" {
		return r.URL.Path
	}
	return strings.TrimPrefix(r.URL.Path, s.shape.apiPrefix)
}
