// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// maxChannelParam bounds iss and sid.
const maxChannelParam = 512

// serveFrontChannel ends the session that a provider names in an invisible
// frame of its own page (OpenID Connect Front-Channel Logout 1.0).
//
// Browsers send no cookies along into a frame of another site, so the name has
// to do: who knows a sid can end its session, and nothing else. Whoever guesses
// finds out nothing, since every answer is the same.
func (h *Handler) serveFrontChannel(w http.ResponseWriter, r *http.Request, cookies cookies) error {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET")
		return h.refuse(w, r, http.StatusMethodNotAllowed, "method_not_allowed")
	}
	if h.mustWait(w, r) {
		return nil
	}
	who, ok := namedSession(r.URL.Query())
	if !ok {
		h.cameToNothing(r)
		return h.refuse(w, r, http.StatusBadRequest, "invalid_request")
	}
	leave, ok := h.door.channels.enter(r.Context())
	if !ok {
		return h.refuse(w, r, http.StatusServiceUnavailable, "unavailable")
	}
	defer leave()
	ended, err := h.endNamed(r, who, cookies)
	if err != nil {
		return h.unavailable(w, r, err)
	}
	if ended == 0 {
		h.cameToNothing(r)
	}
	header := w.Header()
	noStore(w)
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer") // the address has the sid
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors "+strings.Join(h.providerOrigins(), " "))
	w.WriteHeader(http.StatusOK)
	return nil
}

// namedSession is the session that a request names. Both parameters are needed:
// without iss, a provider could end sessions of another.
func namedSession(params url.Values) (who session.Who, ok bool) {
	for _, name := range []string{"iss", "sid"} {
		if values := params[name]; len(values) != 1 || values[0] == "" || len(values[0]) > maxChannelParam {
			return session.Who{}, false
		}
	}
	return session.Who{Issuer: params.Get("iss"), SID: params.Get("sid")}, true
}

// endNamed ends a session that was named, if it was made with a client of this
// handler's. With sessions in cookies, the browser's own may be one that
// this process has not met.
func (h *Handler) endNamed(r *http.Request, who session.Who, cookies cookies) (int, error) {
	if h.settings.stateless {
		_, _ = h.sessionsOf(r, cookies) // makes it known
	}
	ctx := context.WithoutCancel(r.Context())
	ended, err := h.door.endAll(ctx, who, func(s *session.Session) bool { return h.isOfClient(&s.Record) }, h.endedIn(r, endedByFrontChannel))
	return len(ended), err
}

// providerOrigins are the sites whose pages may have a frame of this one.
func (h *Handler) providerOrigins() []string {
	origins := []string{"'self'"}
	for _, w := range h.ways {
		for _, origin := range w.Origins() {
			if !slices.Contains(origins, origin) {
				origins = append(origins, origin)
			}
		}
	}
	return origins
}
