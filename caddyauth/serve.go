// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// ServeHTTP decides what becomes of a request: refused, answered by one of the
// module's own endpoints, sent to sign in, or passed on with the identity of
// the person who makes it and with nothing that the client claims to be.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	cookies, err := h.readCookies(r)
	if err != nil {
		return h.refuse(w, r, http.StatusBadRequest, "too_many_cookies")
	}
	if isWebsocket(r) && !h.mayOpenWebsocket(r) {
		return h.refuse(w, r, http.StatusForbidden, "cross_origin")
	}
	if serve := h.ownEndpoint(r, cookies); serve != nil {
		return serve(w, r, cookies)
	}
	if h.isPreflight(r) {
		return h.passPreflight(w, r, next)
	}

	who, err := h.identify(w, r, cookies)
	if err != nil {
		return h.cannotIdentify(w, r, err)
	}
	if who == nil {
		return h.askToSignIn(w, r, cookies)
	}
	h.present(r, who, cookies)
	if h.rules != nil {
		d, err := h.ask(r, who)
		if err != nil {
			return h.rulesFailed(r, who, err)
		}
		if !d.allowed {
			return h.turnAway(w, r, who, cookies, d)
		}
	}
	if who.session == nil {
		return next.ServeHTTP(w, r)
	}
	if h.OAuthRefreshTokens && isWebsocket(r) {
		defer h.renewWhileOpen(who.session)()
	}
	return h.serveLive(w, r, who.session, next)
}

// serveFunc answers a request to one of the module's own endpoints.
type serveFunc func(http.ResponseWriter, *http.Request, cookies) error

// ownEndpoint returns what answers a request to one of the module's own
// endpoints, nil if the request is for the application.
func (h *Handler) ownEndpoint(r *http.Request, cookies cookies) serveFunc {
	if h.isCallback(r, cookies) {
		return h.finishSignIn
	}
	switch endpoint(r.URL.Path) {
	case h.settings.login:
		return h.serveLogin
	case h.settings.logout:
		return h.serveLogout
	case h.settings.me:
		return h.serveMe
	}
	if h.isToken(r.URL.Path) {
		return h.serveToken
	}
	return h.logoutChannel(r)
}

// identify finds out who makes a request: a program by what it shows, somebody
// with a session, a guest where guests are allowed, or nobody (nil). The error
// is a refusal, or says that the session store could not be asked.
func (h *Handler) identify(w http.ResponseWriter, r *http.Request, cookies cookies) (*identity, error) {
	who, err := h.known(w, r, cookies)
	if who != nil || err != nil {
		return who, err
	}
	if h.guests.allow(r) {
		return h.guest, nil
	}
	return nil, nil
}

// known is identify without guests.
func (h *Handler) known(w http.ResponseWriter, r *http.Request, cookies cookies) (*identity, error) {
	if who, err := h.program(r); who != nil || err != nil {
		return who, err
	}
	return h.signedIn(w, r, cookies)
}

// signedIn returns the identity behind the request's session cookie, or nil if
// it has none that is good here.
func (h *Handler) signedIn(w http.ResponseWriter, r *http.Request, cookies cookies) (*identity, error) {
	if s := sessionBefore(r, h.door); s != nil {
		if who := h.identityOf(s); who != nil {
			return who, nil
		}
	}
	var room [maxSessionCookies]string
	for _, value := range h.sessionCookies(room[:0], r, cookies) {
		found, err := h.door.sessions.Find(r.Context(), value, h.settings.idle)
		if err != nil {
			return nil, err
		}
		if found == nil {
			continue
		}
		who := h.identityOf(found)
		if who == nil {
			continue
		}
		if !h.maySkipRenewal(found) {
			if !h.renewTokens(r, found) {
				h.clearCookies(w, r, cookies)
				continue
			}
			who = h.identityOf(found) // with the new tokens
		}
		if h.settings.stateless {
			h.renewCookie(w, r, found, value)
		}
		return who, nil
	}
	return nil, nil
}

// present makes the request say who the visitor is, to the application and to
// Caddy, after removing everything by which the client says it.
func (h *Handler) present(r *http.Request, who *identity, cookies cookies) {
	if who.guest {
		h.keepForLater(r, cookies)
	}
	if who.isProgram() {
		delete(r.Header, "Authorization") // it was for us: no password may reach an application
	}
	h.stripIdentity(r)
	h.setCookies(r, who, cookies)
	who.setHeaders(r)
	who.setPlaceholders(r)
	if h.settings.websocketOrigin != "" && isWebsocket(r) {
		r.Header.Set("Origin", h.settings.websocketOrigin)
	}
}
