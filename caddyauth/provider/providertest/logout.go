// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import (
	"crypto/rand"
	"time"
)

// logoutLifetime is what the specification recommends.
const logoutLifetime = 2 * time.Minute

// LogoutEvent is the event of a logout token.
const LogoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// SIDOf is the session that ID tokens for somebody are of.
func SIDOf(userID string) string { return "session-of-" + userID }

// LogoutToken is a token as the provider posts it to a client when a session
// is over. Empty texts are left out. The knobs LogoutToken, Alg, Header,
// Payload and SpoilSignature make it misbehave.
func (s *Server) LogoutToken(sub, sid string) string {
	k, now := s.turned(), s.Now()
	claims := map[string]any{
		"iss": s.issuer(), "aud": s.ClientID, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(logoutLifetime).Unix(),
		"events": map[string]any{LogoutEvent: map[string]any{}},
	}
	for name, text := range map[string]string{"sub": sub, "sid": sid} {
		if text != "" {
			claims[name] = text
		}
	}
	if k.LogoutToken != nil {
		k.LogoutToken(claims)
	}
	header := k.Header
	k.Header = func(h map[string]any) {
		h["typ"] = "logout+jwt"
		if header != nil {
			header(h)
		}
	}
	return s.sign(k, claims)
}
