// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import (
	"net/http"
	"testing"
)

// Auth0 runs a server in the shape of an Auth0 tenant. Its quirks: the issuer
// ends in a slash, a wrong code is answered 403, there is no
// end_session_endpoint but /v2/logout, and groups are claims with a URL for a
// name, if somebody put them there.
func Auth0(t testing.TB) *Server {
	t.Helper()
	s := start(t, shape{
		paths: paths{
			issuer: "/", authorize: "/authorize", exchange: "/oauth/token", userInfo: "/userinfo",
			keys: "/.well-known/jwks.json", revoke: "/oauth/revoke",
		},
		idToken:  auth0Claims,
		userInfo: auth0Claims,
		refuse: func(w http.ResponseWriter, status int, code, description string) {
			if code == "invalid_grant" {
				status, description = http.StatusForbidden, "Invalid authorization code"
			}
			writeJSON(w, status, map[string]any{"error": code, "error_description": description})
		},
		apis: map[string]func(*Server, http.ResponseWriter, *http.Request){
			"/v2/logout": func(_ *Server, w http.ResponseWriter, r *http.Request) {
				sendTo(w, r.URL.Query().Get("returnTo"))
			},
		},
	})
	s.Name = "auth0"
	s.Params = map[string]string{"url": s.URL}
	return s
}

func auth0Claims(_ *Server, u User) map[string]any {
	return map[string]any{
		"sub": "auth0|" + u.ID, "nickname": u.Login, "name": u.Name, "picture": "https://s.gravatar.com/avatar/x",
		"updated_at": "2026-01-05T10:00:00.000Z", "email": u.Email, "email_verified": !u.Unverified,
		"https://example.com/groups": u.Groups,
	}
}
