// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"maps"
	"net/http"
	"strings"
	"time"
)

func (s *Server) tokens(r *http.Request, g *grant) map[string]any {
	k := s.turned()
	access := s.accessToken(k, g)
	answer := map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": 3600,
		"scope": strings.Join(g.scopes, " "),
	}
	refreshing := r.PostForm.Get("grant_type") == "refresh_token"
	if !refreshing || !k.KeepRefreshToken {
		answer["refresh_token"] = s.issue("refresh", g)
	}
	if s.shape.idToken != nil && g.has("openid") {
		answer["id_token"] = s.idToken(k, g, access, refreshing)
	}
	if s.shape.tokens != nil {
		s.shape.tokens(s, g, answer)
	}
	if k.Tokens != nil {
		k.Tokens(answer)
	}
	return answer
}

func (s *Server) accessToken(k Knobs, g *grant) string {
	if k.AccessToken == nil {
		return s.issue("access", g)
	}
	claims := map[string]any{
		"iss": s.issuer(), "sub": g.user.ID, "azp": s.ClientID, "aud": "account", "jti": rand.Text(),
		"exp": s.Now().Add(time.Hour).Unix(), "iat": s.Now().Unix(),
	}
	maps.Copy(claims, k.AccessToken)
	text := s.sign(Knobs{}, claims)
	own := *g
	own.used, own.kind = false, "access"
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grants[text] = &own
	return text
}

func (s *Server) idToken(k Knobs, g *grant, access string, refreshing bool) string {
	if k.RotateBeforeSigning {
		s.RotateKeys()
	}
	now := s.Now()
	claims := s.shape.idToken(s, g.user)
	maps.Copy(claims, map[string]any{
		"iss": s.issuer(), "aud": s.ClientID, "sid": SIDOf(g.user.ID),
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "auth_time": g.authTime.Unix(),
		"at_hash": half(k.Alg, access),
	})
	if g.nonce != "" && !refreshing {
		claims["nonce"] = g.nonce
	}
	maps.Copy(claims, g.user.Claims)
	if k.IDToken != nil {
		k.IDToken(claims)
	}
	return s.sign(k, claims)
}

// half is the left half of the hash that belongs to an algorithm.
func half(alg, value string) string {
	var h hash.Hash
	switch alg {
	case "ES384":
		h = sha512.New384()
	case "EdDSA":
		h = sha512.New()
	default:
		h = sha256.New()
	}
	h.Write([]byte(value))
	sum := h.Sum(nil)
	return encode(sum[:len(sum)/2])
}
