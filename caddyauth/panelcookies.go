// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
)

// panelCookies returns Panel's cookies for the visitor, signed as Tornado
// does, or "" if the handler sends none.
func (id *identity) panelCookies(h *Handler) string {
	if h.panel == nil {
		return ""
	}
	if id.guest {
		return "is_guest=1"
	}
	now := h.now()
	if line := id.panel.Load(); line != nil && line.second == now.Unix() {
		return line.text
	}
	line := &panelLine{second: now.Unix(), text: h.signPanelCookies(id, now), of: id}
	h.door.signed.add(line, now)
	return line.text
}

func (h *Handler) signPanelCookies(id *identity, now time.Time) string {
	line := make([]byte, 0, 512+2*len(id.token))
	for _, name := range h.settings.panelCookies {
		value := h.panelValue(id, name, now)
		if value == "" {
			continue
		}
		if len(line) > 0 {
			line = append(line, "; "...)
		}
		line = append(append(line, name...), '=')
		line = h.panel.Append(line, name, value, now)
	}
	return string(line)
}

// panelValue is what one of Panel's cookies says, or "" if there is nothing to
// say.
func (h *Handler) panelValue(id *identity, name string, now time.Time) string {
	tokens := id.tokens
	switch {
	case name == "user":
		return id.user
	case name == "id_token":
		return h.wrapToken(id.token, now)
	case tokens == nil:
		return ""
	case name == "refresh_token":
		return h.wrapToken(h.withExpiry(id, tokens.Refresh), now)
	case name == "oauth_expiry":
		if tokens.Expiry.IsZero() {
			return ""
		}
		return strconv.FormatInt(tokens.Expiry.Unix(), 10)
	}
	return h.wrapToken(h.withExpiry(id, tokens.Access), now)
}

// withExpiry withholds a JWT that never expires: pn.state would raise an error
// in the application.
func (h *Handler) withExpiry(id *identity, token string) string {
	if !isJWTWithoutExpiry(token) {
		return token
	}
	h.logger.Debug("token withheld: Panel fails on a JWT that never expires", zap.String("user_id", id.user))
	return ""
}

// isJWTWithoutExpiry recognises such tokens. Nothing is verified here: the token
// is not ours to judge.
func isJWTWithoutExpiry(token string) bool {
	_, rest, ok := strings.Cut(token, ".")
	payload, _, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 {
		return false
	}
	decoded, err := base64.RawURLEncoding.DecodeString(payload)
	var claims map[string]any
	if err != nil || json.Unmarshal(decoded, &claims) != nil {
		return false
	}
	return claims["exp"] == nil
}

// wrapToken encrypts a token for a Panel server that has the same key.
func (h *Handler) wrapToken(token string, now time.Time) string {
	if token == "" || !h.settings.panelEncrypted {
		return token
	}
	return h.settings.fernet.Encrypt(token, now)
}

// panelToken is the id_token of somebody without a provider: claims as base64
// of JSON, which Panel takes for pn.state.user_info.
func panelToken(claims map[string]any) string {
	encoded, err := json.Marshal(claims)
	if err != nil {
		return "" // claims come from JSON
	}
	return base64.RawURLEncoding.EncodeToString(encoded)
}
