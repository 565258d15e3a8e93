// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"maps"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// wanted is what a connection that lasts has asked for, kept apart from the
// request that is being served, to ask the rules again when they change.
type wanted struct {
	request *http.Request
	server  *caddyhttp.Server
	vars    map[string]any
}

// wantedBy copies what a request asks for if it lasts and the rules may change
// meanwhile.
func (h *Handler) wantedBy(r *http.Request) *wanted {
	if !h.rules.mayChange() || !isWebsocket(r) && !accepts(r, "text/event-stream") {
		return nil
	}
	w := &wanted{request: r.Clone(context.Background())}
	w.request.Body = http.NoBody
	w.server, _ = r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if vars, ok := r.Context().Value(caddyhttp.VarsCtxKey).(map[string]any); ok {
		w.vars = maps.Clone(vars)
	}
	return w
}

// isAllowed asks the rules again, as if the request came now.
func (w *wanted) isAllowed(c *connection) bool {
	who := c.handler.identityOf(c.session)
	if who == nil {
		return false
	}
	r := caddyhttp.PrepareRequest(w.request, caddy.NewReplacer(), nil, w.server)
	for name, value := range w.vars {
		if name != identityVar {
			caddyhttp.SetVar(r.Context(), name, value)
		}
	}
	who.setPlaceholders(r)
	return c.handler.allows(r, who)
}
