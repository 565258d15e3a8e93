// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

func TestLogoutURL(t *testing.T) {
	const back = "https://app.example.com/logout"
	standard := url.Values{
		"client_id": {"client-1"}, "id_token_hint": {"a.b.c"}, "post_logout_redirect_uri": {back}, "state": {"x"},
	}
	noEndSession := func(s *providertest.Server) {
		s.Turn(func(k *providertest.Knobs) { k.Metadata = func(m map[string]any) { delete(m, "end_session_endpoint") } })
	}
	tests := map[string]struct {
		server func(*testing.T) *providertest.Server
		turn   func(*providertest.Server)
		own    string // LOGOUT_URL
		hint   string
		want   string // address; empty: none
		params url.Values
	}{
		"discovered": {hint: "a.b.c", want: "{url}/logout", params: standard},
		"configured": {own: "https://sso.example.com/out?realm=x", hint: "a.b.c", want: "https://sso.example.com/out", params: with(standard, "realm", "x")},
		"none":       {turn: noEndSession, hint: "a.b.c"},
		"without an ID token": {
			want: "{url}/logout", params: without(standard, "id_token_hint"),
		},
		"with an ID token too long for a URL": {
			hint: strings.Repeat("x", 7000), want: "{url}/logout", params: without(standard, "id_token_hint"),
		},
		"Auth0": {
			server: func(t *testing.T) *providertest.Server { return providertest.Auth0(t) }, hint: "a.b.c",
			want: "{url}/v2/logout", params: url.Values{"client_id": {"client-1"}, "returnTo": {back}},
		},
		"Okta": {
			server: func(t *testing.T) *providertest.Server { return providertest.Okta(t, "default") }, hint: "a.b.c",
			want: "{url}/oauth2/default/v1/logout", params: standard,
		},
		"Auth0 with LOGOUT_URL": {
			server: func(t *testing.T) *providertest.Server { return providertest.Auth0(t) }, hint: "a.b.c",
			own: "https://id.example.com/oidc/logout", want: "https://id.example.com/oidc/logout", params: standard,
		},
		"Auth0, federated": {
			server: func(t *testing.T) *providertest.Server { return providertest.Auth0(t) }, hint: "a.b.c",
			own: "https://id.example.com/v2/logout?federated=", want: "https://id.example.com/v2/logout",
			params: url.Values{"client_id": {"client-1"}, "returnTo": {back}, "federated": {""}},
		},
		"GitHub":                 {server: func(t *testing.T) *providertest.Server { return providertest.GitHub(t) }},
		"GitHub with LOGOUT_URL": {server: func(t *testing.T) *providertest.Server { return providertest.GitHub(t) }, own: "https://github.com/logout", want: "https://github.com/logout", params: without(standard, "id_token_hint")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			if test.server != nil {
				s = test.server(t)
			}
			if test.turn != nil {
				test.turn(s)
			}
			p := newProvider(t, s, func(c *provider.Config) {
				if test.own != "" {
					c.ExtraParams["LOGOUT_URL"] = test.own
				}
			})
			got, ok := p.LogoutURL(t.Context(), test.hint, back, "x")
			if ok != (test.want != "") {
				t.Fatalf("LogoutURL gives %q, %v", got, ok)
			}
			if !ok {
				return
			}
			address, query, _ := strings.Cut(got, "?")
			params, err := url.ParseQuery(query)
			if err != nil || address != strings.ReplaceAll(test.want, "{url}", s.URL) || params.Encode() != test.params.Encode() {
				t.Errorf("LogoutURL gives %s", got)
			}
		})
	}
}

func with(v url.Values, name, value string) url.Values {
	all := without(v, name)
	all.Set(name, value)
	return all
}

func without(v url.Values, name string) url.Values {
	all := url.Values{}
	for n, values := range v {
		if n != name {
			all[n] = values
		}
	}
	return all
}

func TestLogoutProviderAway(t *testing.T) {
	s := providertest.Start(t)
	p := newProvider(t, s)
	s.Fault(providertest.Discovery, providertest.Unavailable())
	if got, ok := p.LogoutURL(t.Context(), "", "https://app.example.com/logout", ""); ok {
		t.Errorf("LogoutURL gives %s", got)
	}
}

func TestRevoke(t *testing.T) {
	t.Run("revoked", func(t *testing.T) {
		s := providertest.Start(t)
		p := newProvider(t, s)
		id := mustSignIn(t, p, s)
		if err := p.Revoke(t.Context(), id.Tokens); err != nil {
			t.Fatal(err)
		}
		_, _, err := p.Refresh(t.Context(), id.Tokens, id)
		wantKind(t, err, provider.KindInvalidGrant)
	})
	t.Run("nothing to revoke", func(t *testing.T) {
		s := providertest.Start(t)
		if err := newProvider(t, s).Revoke(t.Context(), provider.Tokens{Access: "x"}); err != nil {
			t.Error(err)
		}
	})
	t.Run("nowhere to", func(t *testing.T) {
		s := providertest.GitHub(t)
		if err := newProvider(t, s).Revoke(t.Context(), provider.Tokens{Refresh: "x"}); err != nil {
			t.Error(err)
		}
	})
	t.Run("out of order", func(t *testing.T) {
		s := providertest.Start(t)
		s.Fault(providertest.Revocation, providertest.Unavailable())
		err := newProvider(t, s).Revoke(t.Context(), provider.Tokens{Refresh: "x"})
		wantKind(t, err, provider.KindUnreachable)
	})
	t.Run("secret in the body", func(t *testing.T) {
		s := providertest.Auth0(t)
		p := newProvider(t, s)
		id := mustSignIn(t, p, s)
		if err := p.Revoke(t.Context(), id.Tokens); err != nil {
			t.Error(err)
		}
	})
}
