// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// mePath is where, below the login endpoint, a page asks who its visitor is.
const mePath = "/me"

// serveMe says who the visitor is, to scripts of this site, to programs and to
// the visitor. It says nothing that could be used in their name.
func (h *Handler) serveMe(w http.ResponseWriter, r *http.Request, cookies cookies) error {
	hurry(w, r)
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return writeJSON(w, http.StatusMethodNotAllowed, map[string]any{"error": "method_not_allowed"})
	}
	if r.Header.Get("Sec-Fetch-Site") != "none" && !isFromThisSite(r) {
		return writeJSON(w, http.StatusForbidden, map[string]any{"error": "cross_origin"})
	}
	who, err := h.identify(w, r, cookies)
	if err != nil {
		return h.cannotTell(w, r, err)
	}
	if who == nil {
		return h.tellToSignIn(w, r)
	}
	return writeJSON(w, http.StatusOK, who.about())
}

// about is what an identity is, without what it could be proven with.
func (id *identity) about() map[string]any {
	claims := id.allClaims()
	about := map[string]any{"user": id.user, "guest": id.guest, "provider": id.provider, "groups": []any{}}
	for _, name := range []string{"name", "email"} {
		if text, ok := claims[name].(string); ok {
			about[name] = text
		}
	}
	if groups, ok := claims["groups"].([]any); ok {
		about["groups"] = groups
	}
	if s := id.session; s != nil && !s.Expires.Equal(session.Never) {
		about["expires"] = s.Expires.UTC().Format(time.RFC3339)
	}
	return about
}
