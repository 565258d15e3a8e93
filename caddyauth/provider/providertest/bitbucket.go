// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import (
	"strings"
	"testing"
)

// Bitbucket runs a server in the shape of Bitbucket Cloud. Its quirks: it does
// not speak OpenID Connect, says scopes where others say scope, and has no
// e-mail address in what it says of a user.
func Bitbucket(t testing.TB) *Server {
	t.Helper()
	s := start(t, shape{
		paths: paths{
			authorize: "/site/oauth2/authorize", exchange: "/site/oauth2/access_token", userInfo: "/2.0/user",
		},
		userInfo: func(_ *Server, u User) map[string]any {
			return map[string]any{
				"type": "user", "username": u.Login, "nickname": u.Login, "display_name": u.Name,
				"uuid": "{a54f16da-24e9-4d7f-a3a7-b1ba2cd98aa3}", "account_id": "557058:" + u.ID,
				"account_status": "active", "is_staff": false, "created_on": "2013-11-06T01:15:51Z",
				"links": map[string]any{"html": map[string]any{"href": "https://bitbucket.org/" + u.Login}},
			}
		},
		tokens: func(_ *Server, g *grant, answer map[string]any) {
			delete(answer, "scope")
			answer["scopes"], answer["state"] = strings.Join(g.scopes, " "), "authorization_code"
			answer["expires_in"], answer["token_type"] = 7200, "bearer"
		},
	})
	s.Name = "bitbucket"
	s.Params = map[string]string{
		"AUTHORIZE_URL": s.URL + "/site/oauth2/authorize",
		"TOKEN_URL":     s.URL + "/site/oauth2/access_token",
		"USER_URL":      s.URL + "/2.0/user",
	}
	return s
}
