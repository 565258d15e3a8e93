// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// TestProviderElsewhere: with addresses of their own, as Panel takes them too,
// providers with an issuer do not depend on that issuer.
func TestProviderElsewhere(t *testing.T) {
	for _, name := range []string{"auth0", "azure", "azurev2", "gitlab", "google", "okta"} {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			p := newProvider(t, s, func(c *provider.Config) {
				c.Name, c.JWTUser = name, "email"
				c.ExtraParams = map[string]string{
					"AUTHORIZE_URL": s.URL + "/authorize", "TOKEN_URL": s.URL + "/token", "USER_URL": s.URL + "/userinfo",
				}
				for option, value := range enough[name] {
					c.ExtraParams[option] = value
				}
			})
			if p.Issuer() != "" {
				t.Errorf("the issuer is %s", p.Issuer())
			}
			id := mustSignIn(t, p, s)
			if id.User != "alice@example.org" || id.Issuer != "" || id.Tokens.ID != "" {
				t.Errorf("got %+v", id)
			}
		})
	}
	t.Run("not with two of them", func(t *testing.T) {
		p, err := provider.New(provider.Config{Name: "google", ClientID: "id", ClientSecret: "secret", ExtraParams: map[string]string{
			"TOKEN_URL": "https://proxy.example.com/token", "USER_URL": "https://proxy.example.com/me",
		}})
		if err != nil {
			t.Fatal(err)
		}
		if p.Issuer() != "https://accounts.google.com" {
			t.Errorf("the issuer is %q", p.Issuer())
		}
	})
}
