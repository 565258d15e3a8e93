// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"time"
)

// tokenPath is where, below the login endpoint, a page gets its access token.
const tokenPath = "/token"

func (h *Handler) isToken(path string) bool {
	return h.TokenEndpoint && path == h.settings.login+tokenPath
}

// serveToken gives the signed-in page its current access token. Only scripts of
// this site may have it, and no cache.
func (h *Handler) serveToken(w http.ResponseWriter, r *http.Request, cookies cookies) error {
	hurry(w, r)
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		return writeJSON(w, http.StatusMethodNotAllowed, map[string]any{"error": "method_not_allowed"})
	}
	if !isFromThisSite(r) {
		return writeJSON(w, http.StatusForbidden, map[string]any{"error": "cross_origin"})
	}
	who, err := h.known(w, r, cookies)
	if err != nil {
		return h.cannotTell(w, r, err)
	}
	if who == nil {
		return writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "unauthenticated", "login": h.loginURL(r)})
	}
	tokens := who.session.Tokens()
	if tokens == nil || tokens.Access == "" {
		return writeJSON(w, http.StatusNotFound, map[string]any{"error": "no_access_token"})
	}
	body := map[string]any{"access_token": tokens.Access, "token_type": tokens.Type}
	if !tokens.Expiry.IsZero() {
		body["expires_at"] = tokens.Expiry.UTC().Format(time.RFC3339)
	}
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	return writeJSON(w, http.StatusOK, body)
}

// isFromThisSite is stricter than the check for forms: nothing but a script of
// this origin, or a program that is no browser.
func isFromThisSite(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	return r.Header.Get("Origin") == "" || r.Header.Get("Origin") == origin(r)
}
