// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/base64"
	"encoding/json"
	"time"
)

// panelLine is the part of a Cookie header that makes Panel know the visitor.
// Panel's cookies carry the second in which they were signed, so a line is good
// for all requests of that second, and no longer.
type panelLine struct {
	second int64
	text   string
}

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
	line := &panelLine{second: now.Unix(), text: h.signPanelCookies(id, now)}
	id.panel.Store(line)
	return line.text
}

func (h *Handler) signPanelCookies(id *identity, now time.Time) string {
	line := make([]byte, 0, 512+2*len(id.token))
	for _, name := range h.settings.panelCookies {
		value := id.user
		if name == "id_token" {
			value = h.wrapToken(id.token, now)
		}
		if len(line) > 0 {
			line = append(line, "; "...)
		}
		line = append(append(line, name...), '=')
		line = h.panel.Append(line, name, value, now)
	}
	return string(line)
}

// wrapToken encrypts a token for a Panel server that has the same key.
func (h *Handler) wrapToken(token string, now time.Time) string {
	if !h.settings.panelEncrypted {
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
