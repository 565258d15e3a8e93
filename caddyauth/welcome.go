// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/templates"
)

// newcomer is somebody who has just signed in.
type newcomer struct {
	record   session.Record
	next     string
	lifetime time.Duration
}

// welcome begins a session and leads on to where the visitor wanted to go.
func (h *Handler) welcome(w http.ResponseWriter, r *http.Request, who newcomer, cookies cookies) error {
	now := h.now()
	who.record.Created, who.record.Expires = now, now.Add(who.lifetime)
	who.record.ClientIP = clientIP(r)
	begun, value, err := h.door.sessions.Begin(r.Context(), who.record)
	if err != nil {
		return h.unavailable(w, r, err)
	}
	if _, err := h.endSessions(r, cookies, endedBySignIn); err != nil { // a new sign-in replaces the one before
		h.logUnavailable(r, err)
	}
	h.warnOfPlainHTTP(r)
	h.setSessionCookie(w, r, value, who.lifetime)
	h.clearLeftovers(w, cookies)
	h.forgetNext(w, r, cookies)
	h.rememberChoice(w, r, begun.Provider)
	h.reportLogin(r, begun)
	return h.leadOn(w, r, who)
}

// warnOfPlainHTTP says once that passwords and sessions can be read on the way
// here. On the machine itself there is no way.
func (h *Handler) warnOfPlainHTTP(r *http.Request) {
	if isHTTPS(r) || isLoopback(r.Host) {
		return
	}
	h.door.warned.Do(func() {
		h.logger.Warn("somebody signed in over unencrypted HTTP; if a proxy before Caddy speaks HTTPS, name it in trusted_proxies",
			zap.String("host", r.Host))
	})
}

// leadOn sends a newcomer to where they wanted to go. Browsers keep a Strict
// cookie back on a way that began at a provider, so from there it is a page of
// this site that goes on.
func (h *Handler) leadOn(w http.ResponseWriter, r *http.Request, who newcomer) error {
	if r.Method == http.MethodPost || h.settings.cookieSameSite != http.SameSiteStrictMode {
		redirect(w, who.next, http.StatusSeeOther)
		return nil
	}
	w.Header().Set("Refresh", "0; url="+who.next)
	page := h.page(r, templates.Onward)
	page.Next = who.next
	return h.writePage(w, r, http.StatusOK, page)
}
