// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	p := s.shape.paths
	document := map[string]any{
		"issuer":                                s.issuer(),
		"authorization_endpoint":                s.base + p.authorize,
		"token_endpoint":                        s.base + p.exchange,
		"jwks_uri":                              s.base + p.keys,
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"},
		"scopes_supported":                      []string{"openid", "email", "profile", "offline_access"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "private_key_jwt"},
		"code_challenge_methods_supported":      []string{"S256"},
	}
	for name, path := range map[string]string{
		"userinfo_endpoint": p.userInfo, "end_session_endpoint": p.endSession, "revocation_endpoint": p.revoke,
	} {
		if path != "" {
			document[name] = s.base + path
		}
	}
	if s.shape.named != nil {
		document["issuer"] = s.shape.named(s)
	}
	if s.shape.metadata != nil {
		s.shape.metadata(s, document)
	}
	if edit := s.turned().Metadata; edit != nil {
		edit(document)
	}
	writeJSON(w, http.StatusOK, document)
}

func (s *Server) jwks(w http.ResponseWriter, _ *http.Request) {
	k := s.turned()
	keys := s.publicKeys(k)
	if s.shape.key != nil {
		for _, key := range keys {
			s.shape.key(s, key)
		}
	}
	if k.EditKeys != nil {
		keys = k.EditKeys(keys)
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": keys})
}

// bearer finds the grant of a request's access token, which must be in the
// header.
func (s *Server) bearer(r *http.Request) *grant {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "token") {
		return nil
	}
	return s.redeem(token, "access", false)
}

func (s *Server) userInfo(w http.ResponseWriter, r *http.Request) {
	g := s.bearer(r)
	if g == nil || s.shape.allows != nil && !s.shape.allows(r, g) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		s.refuse(w, http.StatusUnauthorized, "invalid_token", "no access")
		return
	}
	claims := s.shape.userInfo(s, g.user)
	maps.Copy(claims, g.user.Claims)
	k := s.turned()
	if k.UserInfo != nil {
		k.UserInfo(claims)
	}
	if !k.SignUserInfo {
		writeJSON(w, http.StatusOK, claims)
		return
	}
	if _, ok := claims["iss"]; !ok {
		claims["iss"], claims["aud"] = s.issuer(), s.ClientID
	}
	w.Header().Set("Content-Type", "application/jwt")
	_, _ = w.Write([]byte(s.sign(Knobs{Alg: k.Alg, SpoilSignature: k.SpoilUserInfo}, claims)))
}

// endSession sends the visitor back, with the state that came along.
func (s *Server) endSession(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back := q.Get("post_logout_redirect_uri")
	if back == "" {
		_, _ = w.Write([]byte("You are signed out."))
		return
	}
	if state := q.Get("state"); state != "" {
		back += "?" + url.Values{"state": {state}}.Encode()
	}
	sendTo(w, back)
}

func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	if !s.authenticated(r) {
		s.refuse(w, http.StatusUnauthorized, "invalid_client", "client authentication failed")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.grants, r.PostForm.Get("token"))
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// sendTo sends a visitor wherever a client said: this provider's clients are
// tests.
func sendTo(w http.ResponseWriter, address string) {
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusFound)
}
