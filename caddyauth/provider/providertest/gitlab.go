// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import (
	"net/http"
	"slices"
	"strconv"
	"testing"
)

// GitLab runs a server in the shape of GitLab. Its quirks: scopes that the
// application has not been given are malformed, the ID token says which groups
// somebody is in directly and the userinfo answer all of them, and the API,
// which wants the scope read_user, says who somebody is in words of its own.
func GitLab(t testing.TB) *Server {
	t.Helper()
	s := start(t, shape{
		paths: paths{
			authorize: "/oauth/authorize", exchange: "/oauth/token", userInfo: "/oauth/userinfo",
			keys: "/oauth/discovery/keys", revoke: "/oauth/revoke",
		},
		idToken: gitLabIDToken,
		userInfo: func(s *Server, u User) map[string]any {
			claims := gitLabIDToken(s, u)
			delete(claims, "groups_direct")
			claims["groups"] = u.Groups
			claims["picture"] = s.base + "/uploads/avatar.png"
			return claims
		},
		scope: func(scope string) bool {
			return slices.Contains([]string{"openid", "profile", "email", "read_user"}, scope)
		},
		tokens: func(s *Server, _ *grant, answer map[string]any) {
			answer["expires_in"], answer["created_at"] = 7200, s.Now().Unix()
		},
		allows: func(_ *http.Request, g *grant) bool { return g.has("openid") },
		apis: map[string]func(*Server, http.ResponseWriter, *http.Request){
			"/api/v4/user": gitLabUser,
		},
	})
	s.Name = "gitlab"
	s.Params = map[string]string{"url": s.URL}
	return s
}

func gitLabIDToken(s *Server, u User) map[string]any {
	return map[string]any{
		"sub": u.ID, "sub_legacy": "4d4f", "name": u.Name, "nickname": u.Login, "preferred_username": u.Login,
		"email": u.Email, "email_verified": !u.Unverified, "profile": s.base + "/" + u.Login,
		"groups_direct": u.Groups[:min(1, len(u.Groups))],
	}
}

func gitLabUser(s *Server, w http.ResponseWriter, r *http.Request) {
	g := s.bearer(r)
	if g == nil || !g.has("read_user") {
		writeJSON(w, http.StatusForbidden, map[string]any{
			"error": "insufficient_scope", "error_description": "The request requires higher privileges than provided by the access token.",
			"scope": "api read_user read_api",
		})
		return
	}
	id, _ := strconv.Atoi(g.user.ID)
	user := map[string]any{
		"id": id, "username": g.user.Login, "name": g.user.Name, "state": "active", "locked": false,
		"email": g.user.Email, "confirmed_at": "2024-05-03T10:11:12.131Z", "two_factor_enabled": true,
	}
	if g.user.Unverified {
		user["confirmed_at"] = nil
	}
	writeJSON(w, http.StatusOK, user)
}
