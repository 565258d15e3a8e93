// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import "net/http"

// leftSuffix marks the companion of the session cookie that keeps, while its
// visitor is signed out at a provider, which page they left.
const leftSuffix = "_left"

// leftAge is how long a browser keeps it, in seconds.
const leftAge = 10 * 60

// pageLeft is the page that somebody signs out from, where signing in again
// leads back to: what the address says, else the page that the visitor comes
// from, else what the browser kept while it was at the provider.
func (h *Handler) pageLeft(r *http.Request, cookies cookies) string {
	if said := r.URL.Query().Get("next"); said != "" {
		return h.afterSignIn(r, said)
	}
	if next := h.refererNext(r); next != "" {
		return h.afterSignIn(r, next)
	}
	return h.afterSignIn(r, cookies.address(h.settings.cookieName+leftSuffix))
}

func (h *Handler) rememberLeft(w http.ResponseWriter, r *http.Request, next string) {
	if next == "" {
		return
	}
	cookie := h.addressCookie(r, leftSuffix, h.logoutURL(r), next)
	cookie.MaxAge = leftAge
	http.SetCookie(w, cookie)
}

func (h *Handler) forgetLeft(w http.ResponseWriter, r *http.Request, cookies cookies) {
	if cookies.address(h.settings.cookieName+leftSuffix) == "" {
		return
	}
	cookie := h.addressCookie(r, leftSuffix, h.logoutURL(r), "")
	cookie.MaxAge = -1
	http.SetCookie(w, cookie)
}
