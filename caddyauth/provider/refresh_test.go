// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

func TestRefresh(t *testing.T) {
	t.Run("claims are new, the user name is not", func(t *testing.T) {
		s := providertest.Start(t)
		p := newProvider(t, s)
		id := mustSignIn(t, p, s)
		says(s, func(c map[string]any) { c["groups"], c["email"] = []string{"retired"}, "al@example.org" })
		_, claims, err := p.Refresh(t.Context(), id.Tokens, id)
		if err != nil {
			t.Fatal(err)
		}
		if groups, _ := claims["groups"].([]string); !slices.Equal(groups, []string{"retired"}) || claims["email"] != "al@example.org" {
			t.Errorf("claims are %v", claims)
		}
		if claims["user"] != "alice@example.org" || claims["username"] != "alice@example.org" {
			t.Errorf("user is %v, %v", claims["user"], claims["username"])
		}
	})
	t.Run("a token that stays", func(t *testing.T) {
		s := providertest.Start(t)
		s.Turn(func(k *providertest.Knobs) { k.KeepRefreshToken = true })
		p := newProvider(t, s)
		id := mustSignIn(t, p, s)
		// The server gives one with the sign-in and none with a renewal.
		for range 2 {
			fresh, _, err := p.Refresh(t.Context(), id.Tokens, id)
			if err != nil || fresh.Refresh != id.Tokens.Refresh || fresh.Access == id.Tokens.Access {
				t.Fatalf("Refresh: %v", err)
			}
		}
	})
	t.Run("a token that was used", func(t *testing.T) {
		s := providertest.Start(t)
		p := newProvider(t, s)
		id := mustSignIn(t, p, s)
		if _, _, err := p.Refresh(t.Context(), id.Tokens, id); err != nil {
			t.Fatal(err)
		}
		_, _, err := p.Refresh(t.Context(), id.Tokens, id)
		wantKind(t, err, provider.KindInvalidGrant)
		if !provider.EndsSession(err) {
			t.Error("the session goes on")
		}
	})
	t.Run("without an ID token", func(t *testing.T) {
		s := providertest.Start(t)
		p := newProvider(t, s)
		id := mustSignIn(t, p, s)
		s.Turn(func(k *providertest.Knobs) {
			k.Tokens = func(answer map[string]any) { delete(answer, "id_token") }
			k.UserInfo = func(c map[string]any) { delete(c, "groups"); c["department"] = "R&D" }
		})
		fresh, claims, err := p.Refresh(t.Context(), id.Tokens, id)
		if err != nil || fresh.ID != id.Tokens.ID || claims["department"] != "R&D" || claims["groups"] == nil {
			t.Errorf("claims are %v, %v", claims, err)
		}
	})
	t.Run("plain OAuth", func(t *testing.T) {
		s := providertest.Bitbucket(t)
		p := newProvider(t, s)
		id := mustSignIn(t, p, s)
		fresh, claims, err := p.Refresh(t.Context(), id.Tokens, id)
		if err != nil || fresh.Access == id.Tokens.Access || claims["user"] != "alice" {
			t.Errorf("claims are %v, %v", claims, err)
		}
	})
	t.Run("without a refresh token", func(t *testing.T) {
		s := providertest.Start(t)
		p := newProvider(t, s)
		id := mustSignIn(t, p, s)
		_, _, err := p.Refresh(t.Context(), provider.Tokens{Access: "x"}, id)
		if err == nil || provider.EndsSession(err) {
			t.Errorf("error is %v", err)
		}
	})
}

// TestRefreshEnds and TestRefreshGoesOn: iss, sub, aud and invalid_grant end a
// session, and nothing else does.
func TestRefreshEnds(t *testing.T) {
	tests := map[string]func(*providertest.Knobs){
		"another aud": func(k *providertest.Knobs) { k.IDToken = func(c map[string]any) { c["aud"] = "another" } },
		"one more aud": func(k *providertest.Knobs) {
			k.IDToken = func(c map[string]any) { c["aud"], c["azp"] = []string{"client-1", "another"}, "client-1" }
		},
		"another sub, badly signed": func(k *providertest.Knobs) {
			k.SpoilSignature = true
			k.IDToken = func(c map[string]any) { c["sub"] = "1002" }
		},
		"userinfo about somebody else": func(k *providertest.Knobs) {
			k.UserInfo = func(c map[string]any) { c["sub"] = "1002" }
		},
	}
	for name, turn := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			p := newProvider(t, s)
			id := mustSignIn(t, p, s)
			s.Turn(turn)
			_, _, err := p.Refresh(t.Context(), id.Tokens, id)
			wantKind(t, err, provider.KindIdentityChanged)
			if !provider.EndsSession(err) {
				t.Error("the session goes on")
			}
		})
	}
	t.Run("another account, plain OAuth", func(t *testing.T) {
		s := providertest.Bitbucket(t)
		p := newProvider(t, s)
		id := mustSignIn(t, p, s)
		s.Turn(func(k *providertest.Knobs) { k.UserInfo = func(c map[string]any) { c["uuid"] = "{another}" } })
		_, _, err := p.Refresh(t.Context(), id.Tokens, id)
		wantKind(t, err, provider.KindIdentityChanged)
	})
	t.Run("GitHub's word for it", func(t *testing.T) {
		s := providertest.GitHub(t)
		p := newProvider(t, s)
		id := mustSignIn(t, p, s)
		id.Tokens.Refresh = "ghr_1"
		s.Fault(providertest.Token, providertest.Reply(200, "application/json", `{"error":"bad_refresh_token","error_description":"The refresh token passed is incorrect or expired."}`))
		_, _, err := p.Refresh(t.Context(), id.Tokens, id)
		wantKind(t, err, provider.KindInvalidGrant)
	})
}

func TestRefreshGoesOn(t *testing.T) {
	reply := func(status int, body string) http.HandlerFunc {
		return providertest.Reply(status, "application/json", body)
	}
	tests := map[string]http.HandlerFunc{
		"out of order":    providertest.Unavailable(),
		"HTML":            providertest.HTML(),
		"redirect":        providertest.Redirect("/login"),
		"invalid_client":  reply(401, `{"error":"invalid_client"}`),
		"invalid_request": reply(400, `{"error":"invalid_request"}`),
		"unknown":         reply(400, `{"error":"interaction_required"}`),
		"forbidden":       reply(403, ``),
		"truncated":       reply(200, `{"access_token":"`),
		"huge":            providertest.Huge(1 << 20),
		"no access token": reply(200, `{}`),
		"hangs":           providertest.Hang(),
		"invalid_grant, if only one could read it": reply(400, `{"error":"invalid_grant`),
	}
	for name, fault := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			p := newProvider(t, s, func(c *provider.Config) { c.Timeout = 100 * time.Millisecond })
			id := mustSignIn(t, p, s)
			s.Fault(providertest.Token, fault)
			_, _, err := p.Refresh(t.Context(), id.Tokens, id)
			if err == nil || provider.EndsSession(err) {
				t.Fatalf("error is %v", err)
			}
			s.Fault(providertest.Token, nil)
			if _, _, err := p.Refresh(t.Context(), id.Tokens, id); err != nil {
				t.Errorf("second try: %v", err)
			}
		})
	}
}

// TestRefreshKeepsTokens: once the provider has given new tokens, they are kept
// though nothing more can be had of it.
func TestRefreshKeepsTokens(t *testing.T) {
	rotated := func(s *providertest.Server) {
		s.RotateKeys()
		s.Fault(providertest.Keys, providertest.Unavailable())
	}
	tests := map[string]struct {
		fault  func(*providertest.Server)
		server func(*testing.T) *providertest.Server
		keepID bool
		edit   func(*provider.Config)
	}{
		"keys unreachable":      {fault: rotated, keepID: true},
		"userinfo out of order": {fault: func(s *providertest.Server) { s.Fault(providertest.UserInfo, providertest.Unavailable()) }},
		"userinfo an error": {fault: func(s *providertest.Server) {
			s.Fault(providertest.UserInfo, providertest.Reply(200, "application/json", `{"error":"x"}`))
		}},
		"userinfo HTML": {fault: func(s *providertest.Server) { s.Fault(providertest.UserInfo, providertest.HTML()) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			p := newProvider(t, s)
			id := mustSignIn(t, p, s)
			test.fault(s)
			fresh, claims, err := p.Refresh(t.Context(), id.Tokens, id)
			if err != nil || fresh.Refresh == "" || fresh.Refresh == id.Tokens.Refresh || fresh.Access == id.Tokens.Access {
				t.Fatalf("Refresh: %v", err)
			}
			if kept := fresh.ID == id.Tokens.ID; kept != test.keepID {
				t.Errorf("ID token is kept: %v", kept)
			}
			if !test.keepID && claims != nil {
				t.Errorf("claims are %v", claims)
			}
		})
	}
	t.Run("groups out of order", func(t *testing.T) {
		s := providertest.GitHub(t)
		p := newProvider(t, s, extra("scope", "read:org"))
		id := mustSignIn(t, p, s)
		s.Fault(providertest.API, providertest.Unavailable())
		s.Fault(providertest.Token, providertest.Reply(200, "application/json", `{"access_token":"gho_2","refresh_token":"ghr_2","token_type":"bearer"}`))
		s.Fault(providertest.UserInfo, providertest.Reply(200, "application/json", `{"login":"alice","id":1001}`))
		id.Tokens.Refresh = "ghr_1"
		fresh, claims, err := p.Refresh(t.Context(), id.Tokens, id)
		if err != nil || fresh.Refresh != "ghr_2" || claims != nil {
			t.Errorf("claims are %v, %v", claims, err)
		}
	})
}

// TestRefreshOutlivesRequest: the new refresh token must not be lost because a
// browser closed its connection.
func TestRefreshOutlivesRequest(t *testing.T) {
	s := providertest.Start(t)
	p := newProvider(t, s)
	id := mustSignIn(t, p, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := p.Refresh(ctx, id.Tokens, id); err != nil {
		t.Errorf("Refresh: %v", err)
	}
}

func TestRefreshNonce(t *testing.T) {
	for name, test := range map[string]struct {
		nonce string
		ok    bool
	}{"the same": {"", true}, "another": {"another", false}} {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			p := newProvider(t, s)
			a, params := begin(t, p, s)
			id, err := p.Finish(t.Context(), a, params)
			if err != nil {
				t.Fatal(err)
			}
			nonce := test.nonce
			if test.ok {
				nonce = a.Nonce
			}
			s.Turn(func(k *providertest.Knobs) { k.IDToken = func(c map[string]any) { c["nonce"] = nonce } })
			_, _, err = p.Refresh(t.Context(), id.Tokens, id)
			if (err == nil) != test.ok || provider.EndsSession(err) {
				t.Errorf("Refresh: %v", err)
			}
		})
	}
}
