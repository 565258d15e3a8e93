// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import "net/http"

// leftAge is how long a browser keeps the page that was left, in seconds.
const leftAge = 10 * 60

// pageLeft is the page that somebody signs out from, where signing in again
// leads back to. What the browser kept is from before it was at the provider.
func (h *Handler) pageLeft(r *http.Request, cookies cookies) string {
	return h.returnTo(r, r.URL.Query().Get("next"), h.companion(cookies, leftSuffix))
}

func (h *Handler) rememberLeft(w http.ResponseWriter, r *http.Request, next string) {
	if next == "" {
		return
	}
	cookie := h.newCompanion(r, leftSuffix, h.logoutURL(r), next)
	cookie.MaxAge = leftAge
	http.SetCookie(w, cookie)
}

func (h *Handler) forgetLeft(w http.ResponseWriter, r *http.Request, cookies cookies) {
	h.deleteCompanion(w, r, cookies, leftSuffix, h.logoutURL(r))
}
