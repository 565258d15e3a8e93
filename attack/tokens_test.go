// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

var tokenScenes = map[string]scene{
	"TV-019": refusedToken(func(_ *site, k *providertest.Knobs) { k.IDToken = func(c map[string]any) { c["aud"] = "client-2" } }),
	"TV-022": refusedToken(func(_ *site, k *providertest.Knobs) { k.IDToken = func(c map[string]any) { delete(c, "exp") } }),
	"TV-026": refusedToken(func(_ *site, k *providertest.Knobs) {
		k.IDToken = func(c map[string]any) { c["nbf"] = time.Now().Add(time.Hour).Unix() }
	}),
	"TV-028": refusedToken(func(_ *site, k *providertest.Knobs) {
		k.IDToken = func(c map[string]any) { c["iat"] = time.Now().Add(24 * time.Hour).Unix() }
	}),
	"TV-035": refusedToken(func(_ *site, k *providertest.Knobs) {
		k.AccessToken = map[string]any{"email": "mallory@example.org", "sub": "1001"}
		k.Tokens = func(answer map[string]any) { delete(answer, "id_token") }
	}),
	"TV-040": refusedToken(func(_ *site, k *providertest.Knobs) {
		k.Faults = map[providertest.Endpoint]http.HandlerFunc{
			providertest.UserInfo: providertest.Reply(http.StatusOK, "application/json", `{"message":"Bad credentials"}`),
		}
	}),
	"TV-041": refusedToken(func(_ *site, k *providertest.Knobs) {
		unverified := func(c map[string]any) { c["email_verified"] = false }
		k.IDToken, k.UserInfo = unverified, unverified
	}),
	"TV-053": refusedToken(func(_ *site, k *providertest.Knobs) {
		k.Tokens = func(answer map[string]any) {
			answer["id_token"] = "eyJhbGciOiJQQkVTMi1IUzUxMitBMjU2S1ciLCJlbmMiOiJBMTI4R0NNIiwicDJjIjoyMTQ3NDgzNjQ3LCJwMnMiOiJBQUFBIiwiemlwIjoiREVGIn0.AAAA.AAAA.AAAA.AAAA"
		}
	}),
	"TV-055": func(s *site, _ attack) {
		// Nobody has vouched for this one's certificate.
		untrusted := httptest.NewTLSServer(s.provider)
		defer untrusted.Close()
		other := serveBeside(s, "oauth_provider oidc {\nkey x\nsecret y\nextra_params {\nISSUER "+untrusted.URL+"\n}\n}")
		a := other.send(get("/login").page())
		if a.status != http.StatusServiceUnavailable || a.location() != "" {
			s.t.Errorf("the answer is %d to %q", a.status, a.location())
		}
		if !strings.Contains(other.logs(), "certificate") {
			s.t.Error("the log does not say why")
		}
	},
}

// refusedToken: a sign-in whose tokens are not what they should be fails on a
// page of our words, with the reason in the log and nothing of the token.
func refusedToken(turn func(*site, *providertest.Knobs)) scene {
	return func(s *site, _ attack) {
		flow := s.begin("/login")
		params := flow.visit("alice")
		var issued []string
		s.turn(func(k *providertest.Knobs) {
			turn(s, k)
			edit := k.Tokens
			k.Tokens = func(answer map[string]any) {
				if edit != nil {
					edit(answer)
				}
				for _, name := range []string{"id_token", "access_token", "refresh_token"} {
					if token, ok := answer[name].(string); ok && len(token) > 8 {
						issued = append(issued, token)
					}
				}
			}
		})
		a := flow.back(params)
		if err := closed(outcome{base: s.base(), session: s.sessionCookie(), answer: a}); err != nil {
			s.t.Error(err)
		}
		if a.status != http.StatusUnauthorized && a.status != http.StatusForbidden {
			s.t.Errorf("the answer is %d", a.status)
		}
		if err := noText(a); err != nil {
			s.t.Error(err)
		}
		log := s.logs()
		if !strings.Contains(log, `"event":"login_failed"`) {
			s.t.Error("the log does not say that a sign-in failed")
		}
		for _, token := range append(issued, params.Get("code"), params.Get("state")) {
			if strings.Contains(log, token) || strings.Contains(a.body, token) {
				s.t.Errorf("%.12s… is in the log or on the page", token)
			}
		}
		s.provider.Turn(func(k *providertest.Knobs) { *k = providertest.Knobs{} })
		s.anybody("alice") // nothing stands in the way of a good one
	}
}
