// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"golang.org/x/net/http/httpguts"
)

// isPreflight recognises the question that a browser asks before a script of
// another site may send what it wants to, if that site is one of those whose
// questions the application answers. It never carries who asks, so that it can
// only be passed on for nobody: whatever is more than the bare question is not
// one.
func (h *Handler) isPreflight(r *http.Request) bool {
	if r.Method != http.MethodOptions || len(h.settings.preflightOrigins) == 0 {
		return false
	}
	origins, methods := r.Header["Origin"], r.Header["Access-Control-Request-Method"]
	switch {
	case len(origins) != 1 || !h.settings.preflightOrigins[strings.ToLower(origins[0])]:
	case len(methods) != 1 || !httpguts.ValidHeaderFieldName(methods[0]): // a method is such a token
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0 || r.Header["Upgrade"] != nil:
	case r.Header["Authorization"] != nil || !isPlain(r) || namesAnotherMethod(r):
	default:
		return true
	}
	return false
}

// namesAnotherMethod reports whether a request has a header by which some
// frameworks take it for one of another method.
func namesAnotherMethod(r *http.Request) bool {
	for name := range r.Header {
		switch foldHeader(name) {
		case "x_http_method_override", "x_http_method", "x_method_override":
			return true
		}
	}
	return false
}

// passPreflight lets the application answer, which learns nothing of who asks.
func (h *Handler) passPreflight(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	h.stripIdentity(r)
	r.Header.Del("Cookie")
	return next.ServeHTTP(w, r)
}

func (c *checker) preflights(h *Handler, s *settings) {
	const subdirective = "cors_preflight"
	s.preflightOrigins = make(map[string]bool)
	for _, origin := range c.texts(subdirective, h.CORSPreflight) {
		if err := checkOrigin(origin); err != nil {
			c.wrong(subdirective, "%w", err)
		}
		s.preflightOrigins[strings.ToLower(origin)] = true
	}
}
