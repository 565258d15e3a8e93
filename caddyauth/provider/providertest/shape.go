// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import "net/http"

// shape is what tells one provider's server from another's.
type shape struct {
	paths paths
	// idToken and userInfo are what the provider says of a user, where. A
	// shape without idToken does not speak OpenID Connect.
	idToken  func(*Server, User) map[string]any
	userInfo func(*Server, User) map[string]any
	// tokens edits the answer of the token endpoint.
	tokens func(*Server, *grant, map[string]any)
	// refuse writes an error in the provider's way.
	refuse func(w http.ResponseWriter, status int, code, description string)
	// reply writes the answer of the token endpoint in the provider's way.
	reply func(w http.ResponseWriter, r *http.Request, answer map[string]any)
	// scope says whether there is such a scope. Default: there is any
	scope func(scope string) bool
	// issuer is the provider's name in tokens. Default: base and paths.issuer
	issuer func(*Server) string
	// named is the provider's name in its discovery document. Default: issuer
	named func(*Server) string
	// metadata edits the discovery document, key the keys in the key set.
	metadata func(*Server, map[string]any)
	key      func(*Server, map[string]any)
	// allows says whether a token is good for a request. Default: it is
	allows func(*http.Request, *grant) bool
	// apis are further addresses, apiPrefix what may stand before any.
	apiPrefix string
	apis      map[string]func(*Server, http.ResponseWriter, *http.Request)
}

type paths struct {
	issuer, authorize, exchange, userInfo, keys, endSession, revoke string
}

func openIDShape() shape {
	return shape{
		paths: paths{
			authorize: "/authorize", exchange: "/token", userInfo: "/userinfo",
			keys: "/keys", endSession: "/logout", revoke: "/revoke",
		},
		idToken:  standardClaims,
		userInfo: standardClaims,
	}
}

func standardClaims(_ *Server, u User) map[string]any {
	claims := map[string]any{
		"sub": u.ID, "name": u.Name, "preferred_username": u.Login,
		"email": u.Email, "email_verified": !u.Unverified,
	}
	if u.Groups != nil {
		claims["groups"] = u.Groups
	}
	return claims
}

// issuer is the provider's name in tokens.
func (s *Server) issuer() string {
	if s.shape.issuer != nil {
		return s.shape.issuer(s)
	}
	return s.base + s.shape.paths.issuer
}
