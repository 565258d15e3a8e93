// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// serveLive passes a request of a session on, and ends it with the session.
func (h *Handler) serveLive(w http.ResponseWriter, r *http.Request, s *session.Session, next caddyhttp.Handler) error {
	c := &connection{handler: h, session: s, websocket: isWebsocket(r), wanted: h.wantedBy(r)}
	c.extended = c.websocket && r.Method == http.MethodConnect
	c.ResponseWriter = w
	notice := h.noticed(w, r, s)
	if notice != nil {
		c.ResponseWriter = notice
	}
	c.lifetime.parent = r.Context()
	h.door.live.add(c)
	defer c.leave()
	// It may have ended, or its user been removed, before it could be closed.
	// The rules may have changed meanwhile, too.
	who := h.identityOf(s)
	if s.Over(h.now()) || who == nil {
		return h.refuse(w, r, http.StatusUnauthorized, "unauthenticated")
	}
	if c.wanted != nil && !h.allows(r, who) {
		return h.refuse(w, r, http.StatusForbidden, "forbidden")
	}
	if c.extended || h.settings.idle > 0 && r.ContentLength != 0 {
		r.Body = &upload{r.Body, c}
	}
	// In place, since Caddy's placeholders look at this very request.
	*r = *r.WithContext(&c.lifetime)
	err := next.ServeHTTP(c, r)
	if notice != nil && err == nil && !c.breaksOff() {
		err = notice.finish()
	}
	*r = *r.WithContext(c.lifetime.parent)
	if c.breaksOff() {
		panic(http.ErrAbortHandler) // the server's way to end an answer that is not whole
	}
	return err
}
