// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import (
	"crypto/rand"
	"time"
)

// Audience is the audience of tokens for an application behind the client.
const Audience = "https://api.example.com"

// JWTAccessToken is an access token as RFC 9068 describes it, for Audience,
// with claims as they are edited. The knobs Alg, Header, Payload and
// SpoilSignature make it misbehave.
func (s *Server) JWTAccessToken(edits ...func(claims map[string]any)) string {
	k, now := s.turned(), s.Now()
	claims := map[string]any{
		"iss": s.issuer(), "sub": "1001", "aud": Audience, "client_id": "some-script", "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"email": "robot@example.com", "groups": []string{"robots"},
	}
	for _, edit := range edits {
		edit(claims)
	}
	header := k.Header
	k.Header = func(h map[string]any) {
		h["typ"] = "at+jwt"
		if header != nil {
			header(h)
		}
	}
	return s.sign(k, claims)
}
