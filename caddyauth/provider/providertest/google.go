// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Google runs a server in the shape of Google. Its quirks: there is no scope
// offline_access but a parameter access_type, and a second refresh token only
// after asking the account again; an account of an organisation has the claim
// hd; after Pretend tokens name the issuer without its scheme; errors of the
// API are objects.
func Google(t testing.TB) *Server {
	t.Helper()
	s := start(t, shape{
		paths: paths{
			authorize: "/o/oauth2/v2/auth", exchange: "/o/oauth2/token", userInfo: "/v1/userinfo",
			keys: "/oauth2/v3/certs", revoke: "/revoke",
		},
		idToken:  googleClaims,
		userInfo: googleClaims,
		issuer: func(s *Server) string {
			if s.base == s.URL {
				return s.base
			}
			return strings.TrimPrefix(s.base, "https://")
		},
		named: func(s *Server) string { return s.base },
		scope: func(scope string) bool {
			return slices.Contains([]string{"openid", "email", "profile"}, scope)
		},
		tokens: func(_ *Server, g *grant, answer map[string]any) {
			answer["expires_in"] = 3599
			if g.query.Get("access_type") != "offline" || g.query.Get("prompt") != "consent" {
				delete(answer, "refresh_token")
			}
		},
		refuse: func(w http.ResponseWriter, status int, code, description string) {
			if code != "invalid_token" {
				writeJSON(w, status, map[string]any{"error": code, "error_description": description})
				return
			}
			writeJSON(w, status, map[string]any{"error": map[string]any{
				"code": status, "message": "Request is missing required authentication credential.", "status": "UNAUTHENTICATED",
			}})
		},
	})
	s.Name = "google"
	s.Params = map[string]string{
		"ISSUER":        s.URL,
		"AUTHORIZE_URL": s.URL + "/o/oauth2/v2/auth",
		"TOKEN_URL":     s.URL + "/o/oauth2/token",
	}
	return s
}

func googleClaims(_ *Server, u User) map[string]any {
	claims := map[string]any{
		"sub": u.ID, "name": u.Name, "given_name": u.Name, "picture": "https://lh3.googleusercontent.com/a/x",
		"email": u.Email, "email_verified": !u.Unverified,
	}
	if _, domain, _ := strings.Cut(u.Email, "@"); domain != "gmail.com" {
		claims["hd"] = domain
	}
	return claims
}
