// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"maps"
	"net/http"
	"net/url"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

const callback = "https://app.example.com/login"

// configFor is the configuration that points at a server.
func configFor(s *providertest.Server) provider.Config {
	return provider.Config{
		Name:         s.Name,
		ClientID:     s.ClientID,
		ClientSecret: provider.Secret(s.ClientSecret),
		ExtraParams:  maps.Clone(s.Params),
		Now:          s.Now,
	}
}

func newProvider(t testing.TB, s *providertest.Server, edits ...func(*provider.Config)) *provider.Provider {
	t.Helper()
	c := configFor(s)
	for _, edit := range edits {
		edit(&c)
	}
	p, err := provider.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// extra is an edit of a configuration's extra parameters.
func extra(name, value string) func(*provider.Config) {
	return func(c *provider.Config) { c.ExtraParams[name] = value }
}

// begin starts a sign-in and sends the visitor to the provider and back.
func begin(t *testing.T, p *provider.Provider, s *providertest.Server) (provider.Attempt, url.Values) {
	t.Helper()
	a, err := p.Begin(t.Context(), callback)
	if err != nil {
		t.Fatalf("Begin: %v", err)
	}
	return a, s.Visit(t, a.URL)
}

// signIn is a whole sign-in.
func signIn(t *testing.T, p *provider.Provider, s *providertest.Server) (*provider.Identity, error) {
	t.Helper()
	a, params := begin(t, p, s)
	return p.Finish(t.Context(), a, params)
}

func mustSignIn(t *testing.T, p *provider.Provider, s *providertest.Server) *provider.Identity {
	t.Helper()
	id, err := signIn(t, p, s)
	if err != nil {
		t.Fatalf("signing in: %v", err)
	}
	return id
}

// wantKind fails the test unless err is of the kind.
func wantKind(t *testing.T, err error, kind provider.Kind) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", kind)
	}
	if got := provider.KindOf(err); got != kind {
		t.Fatalf("error is %s (%v), want %s", got, err, kind)
	}
}

// linked is a fault with a further page after it, for ever.
func linked(fault http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", `<https://elsewhere.invalid/?page=2>; rel="next"`)
		fault(w, r)
	}
}
