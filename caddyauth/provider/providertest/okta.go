// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import (
	"net/http"
	"testing"
)

// Okta runs a server in the shape of an Okta organisation, with a custom
// authorization server of the given name or, where that is empty, the
// organisation's own. Its quirks: the own server's issuer is the bare domain;
// the ID token is thin where there is an access token, so that the e-mail
// address takes the userinfo answer; access tokens are JWTs for an API; a
// groups claim comes for the scope groups alone.
func Okta(t testing.TB, server string) *Server {
	t.Helper()
	issuer, root := "", "/oauth2"
	if server != "" {
		issuer, root = "/oauth2/"+server, "/oauth2/"+server
	}
	s := start(t, shape{
		paths: paths{
			issuer:    issuer,
			authorize: root + "/v1/authorize", exchange: root + "/v1/token", userInfo: root + "/v1/userinfo",
			keys: root + "/v1/keys", endSession: root + "/v1/logout", revoke: root + "/v1/revoke",
		},
		idToken: func(_ *Server, u User) map[string]any {
			return map[string]any{"sub": u.ID, "ver": 1, "amr": []string{"pwd"}, "idp": "00o1"}
		},
		userInfo: func(s *Server, u User) map[string]any {
			claims := standardClaims(s, u)
			claims["locale"], claims["zoneinfo"] = "en_US", "America/Los_Angeles"
			return claims
		},
		refuse: func(w http.ResponseWriter, status int, code, description string) {
			if code == "invalid_token" {
				w.WriteHeader(status) // its error is in WWW-Authenticate alone
				return
			}
			writeJSON(w, status, map[string]any{"error": code, "error_description": description})
		},
	})
	s.knobs.AccessToken = map[string]any{"aud": "api://default", "cid": s.ClientID, "ver": 1, "scp": []string{"openid"}}
	s.Name = "okta"
	s.Params = map[string]string{"url": s.URL, "server": server}
	return s
}
