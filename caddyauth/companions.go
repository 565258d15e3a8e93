// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"net/url"
	"strings"
)

// Companions of the session cookie are named after it, with one of these behind
// the name. Each keeps a text for one of our own endpoints, and is sent to no
// other.
const (
	nextSuffix = "_next" // where to go after signing in, for pages that have no field for it
	leftSuffix = "_left" // which page was left, while its visitor is signed out at a provider
	lastSuffix = "_last" // which provider was chosen last
)

func (h *Handler) companionName(suffix string) string { return h.settings.cookieName + suffix }

// newCompanion keeps a text for the endpoint at a path. Who reads it judges it
// anew: a browser's cookies may be anybody's.
func (h *Handler) newCompanion(r *http.Request, suffix, path, text string) *http.Cookie {
	return &http.Cookie{
		Name:     h.companionName(suffix),
		Value:    url.QueryEscape(text),
		Path:     path,
		Secure:   isHTTPS(r),
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
}

// companion is what the first of these cookies keeps, or "".
func (h *Handler) companion(cookies cookies, suffix string) (text string) {
	name := h.companionName(suffix)
	cookies.each(func(cookie string) bool {
		known, value, _ := strings.Cut(cookie, "=")
		if known != name {
			return true
		}
		text, _ = url.QueryUnescape(value)
		return false
	})
	return text
}

// deleteCompanion deletes one that the browser still sends.
func (h *Handler) deleteCompanion(w http.ResponseWriter, r *http.Request, cookies cookies, suffix, path string) {
	if h.companion(cookies, suffix) == "" {
		return
	}
	cookie := h.newCompanion(r, suffix, path, "")
	cookie.MaxAge = -1
	http.SetCookie(w, cookie)
}
