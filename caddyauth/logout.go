// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/templates"
)

// serveLogout is the logout endpoint. Panel's buttons lead here with a GET.
func (h *Handler) serveLogout(w http.ResponseWriter, r *http.Request, cookies cookies) error {
	switch r.Method {
	case http.MethodGet, http.MethodPost:
	case http.MethodHead:
		return h.writePage(w, r, http.StatusOK, h.page(r, templates.SignOut))
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		return h.refuse(w, r, http.StatusMethodNotAllowed, "method_not_allowed")
	}
	if !isMeant(r) {
		return h.writePage(w, r, http.StatusOK, h.page(r, templates.SignOut))
	}
	if err := h.endSessions(r, cookies); err != nil {
		h.logUnavailable(r, err)
		return h.refuse(w, r, http.StatusServiceUnavailable, "unavailable")
	}
	h.clearCookies(w, r, cookies)
	return h.writePage(w, r, http.StatusOK, h.page(r, templates.SignedOut))
}

// isMeant reports whether the person in front of the browser asked to be
// signed out, and not another site or a browser that loads pages ahead.
func isMeant(r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		return false
	}
	for _, ahead := range []string{"Sec-Purpose", "Purpose", "X-Moz", "X-Purpose"} {
		if r.Header.Get(ahead) != "" {
			return false
		}
	}
	return sameOrigin.Check(r) == nil
}

// endSessions ends the sessions whose cookies the request carries, for every
// copy of those cookies. The error says that it is not known which they are:
// nobody may be told to be signed out then.
func (h *Handler) endSessions(r *http.Request, cookies cookies) error {
	var unknown error
	for _, value := range h.sessionCookies(r, cookies) {
		found, err := h.door.sessions.Find(r.Context(), value, h.settings.idle)
		if err != nil {
			unknown = err
		}
		if found == nil {
			continue
		}
		if err := h.door.sessions.End(r.Context(), found); err != nil {
			h.logger.Error("session has ended here, but the store could not be told yet", zap.Error(err))
		}
		h.logLogout(r, found)
	}
	return unknown
}
