// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import (
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !s.authenticated(r) {
		s.refuse(w, http.StatusUnauthorized, "invalid_client", "client authentication failed")
		return
	}
	g := s.granted(r)
	if g == nil {
		s.refuse(w, http.StatusBadRequest, "invalid_grant", "the grant is wrong, used or over")
		return
	}
	s.replyTokens(w, r, s.tokens(r, g))
}

func (s *Server) refuse(w http.ResponseWriter, status int, code, description string) {
	if s.shape.refuse != nil {
		s.shape.refuse(w, status, code, description)
		return
	}
	writeJSON(w, status, map[string]any{"error": code, "error_description": description})
}

func (s *Server) replyTokens(w http.ResponseWriter, r *http.Request, answer map[string]any) {
	if s.shape.reply != nil {
		s.shape.reply(w, r, answer)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// authenticated accepts a client that proves itself in one way exactly.
func (s *Server) authenticated(r *http.Request) bool {
	id, secret, basic := r.BasicAuth()
	assertion := r.PostForm.Get("client_assertion")
	switch {
	case s.ClientKey != nil:
		return !basic && !r.PostForm.Has("client_secret") && s.asserted(r, assertion)
	case assertion != "" || basic && r.PostForm.Has("client_secret"):
		return false
	case basic:
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	default:
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	return id == s.ClientID && secret == s.ClientSecret
}

func (s *Server) asserted(r *http.Request, assertion string) bool {
	algs := []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.ES384, jose.EdDSA}
	token, err := jwt.ParseSigned(assertion, algs)
	if err != nil {
		return false
	}
	var claims jwt.Claims
	if token.Claims(s.ClientKey, &claims) != nil {
		return false
	}
	expected := jwt.Expected{
		Issuer: s.ClientID, Subject: s.ClientID, Time: s.Now(),
		AnyAudience: jwt.Audience{s.base + r.URL.Path},
	}
	return claims.ID != "" && claims.Expiry != nil && claims.Validate(expected) == nil
}

// granted finds what the request for tokens rests on.
func (s *Server) granted(r *http.Request) *grant {
	form := r.PostForm
	switch form.Get("grant_type") {
	case "authorization_code":
		g := s.redeem(form.Get("code"), "code", true)
		if g == nil || g.redirectURI != form.Get("redirect_uri") || g.challenge != challenge(form.Get("code_verifier")) {
			return nil
		}
		return g
	case "refresh_token":
		return s.redeem(form.Get("refresh_token"), "refresh", !s.turned().KeepRefreshToken)
	case "password":
		if form.Get("password") != "right password" {
			return nil
		}
		return &grant{
			user: s.find(form.Get("username")), scopes: strings.Fields(form.Get("scope")), authTime: s.Now(),
		}
	default:
		return nil
	}
}

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return encode(sum[:])
}
