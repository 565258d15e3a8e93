// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"net/url"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

func knownPrompts(values ...string) func(*providertest.Server) {
	return func(s *providertest.Server) {
		s.Turn(func(k *providertest.Knobs) {
			k.Metadata = func(m map[string]any) { m["prompt_values_supported"] = values }
		})
	}
}

// TestBeginAnother: each provider is told to ask in the way that it knows, and
// only when that is wanted.
func TestBeginAnother(t *testing.T) {
	start := func(t *testing.T) *providertest.Server { return providertest.Start(t) }
	google := func(t *testing.T) *providertest.Server { return providertest.Google(t) }
	tests := map[string]struct {
		server func(*testing.T) *providertest.Server
		turn   func(*providertest.Server)
		edits  []func(*provider.Config)
		want   string
		usual  string // the prompt of a sign-in like any other
	}{
		"says nothing of it":    {server: start, want: "login"},
		"selects accounts":      {server: start, turn: knownPrompts("none", "login", "select_account"), want: "select_account"},
		"asks for a password":   {server: start, turn: knownPrompts("none", "login", "consent"), want: "login"},
		"does neither":          {server: start, turn: knownPrompts("none", "consent")},
		"a prompt of one's own": {server: start, edits: []func(*provider.Config){extra("prompt", "none")}, want: "login", usual: "none"},
		"a consent":             {server: start, edits: []func(*provider.Config){extra("prompt", "consent")}, want: "login consent", usual: "consent"},
		"google":                {server: google, want: "select_account"},
		"google, to be renewed": {
			server: google, want: "select_account consent", usual: "consent",
			edits: []func(*provider.Config){func(c *provider.Config) { c.RefreshTokens = true }},
		},
		"github":    {server: func(t *testing.T) *providertest.Server { return providertest.GitHub(t) }, want: "select_account"},
		"gitlab":    {server: func(t *testing.T) *providertest.Server { return providertest.GitLab(t) }, want: "login"},
		"okta":      {server: func(t *testing.T) *providertest.Server { return providertest.Okta(t, "default") }, want: "login"},
		"auth0":     {server: func(t *testing.T) *providertest.Server { return providertest.Auth0(t) }, want: "login"},
		"bitbucket": {server: func(t *testing.T) *providertest.Server { return providertest.Bitbucket(t) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := test.server(t)
			if test.turn != nil {
				test.turn(s)
			}
			p := newProvider(t, s, test.edits...)
			usual, err := p.Begin(t.Context(), callback)
			if err != nil {
				t.Fatal(err)
			}
			another, err := p.BeginAnother(t.Context(), callback)
			if err != nil {
				t.Fatal(err)
			}
			if got := promptOf(t, usual); got != test.usual {
				t.Errorf("a usual sign-in has the prompt %q, want %q", got, test.usual)
			}
			if got := promptOf(t, another); got != test.want && (test.want != "" || got != test.usual) {
				t.Errorf("the prompt is %q, want %q", got, test.want)
			}
			if p.AsksForAnother() != (test.want != "") {
				t.Errorf("it is said to ask: %t", p.AsksForAnother())
			}
		})
	}
}

func promptOf(t *testing.T, a provider.Attempt) string {
	t.Helper()
	u, err := url.Parse(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("prompt")
}
