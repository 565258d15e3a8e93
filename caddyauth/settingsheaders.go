// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"
	"net/textproto"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

func (c *checker) identityHeaders(h *Handler, s *settings) {
	const subdirective = "identity_headers"
	headers := h.IdentityHeaders
	if headers != nil && len(headers) == 0 {
		headers = defaultIdentityHeaders
	}
	s.identityHeaders = make(map[string]string, len(headers))
	for _, written := range sortedKeys(headers) {
		name, claim := c.text(subdirective, written), c.text(subdirective, headers[written])
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case name == "":
		case headers[written] == "":
			c.wrong(subdirective, "%s needs a claim, for example: X-Forwarded-Email email", name)
		case !httpguts.ValidHeaderFieldName(name):
			c.wrong(subdirective, "%q is not the name of a header", name)
		case isReservedHeader(canonical):
			c.wrong(subdirective, "%s cannot carry an identity", canonical)
		case s.managedHeaders[foldHeader(canonical)]:
			c.wrong(subdirective, "%s is there twice", canonical)
		default:
			s.identityHeaders[canonical] = claim
			s.manage(canonical)
		}
	}
	for name := range defaultIdentityHeaders {
		s.manage(name)
	}
	if h.judgesPaths() {
		for _, name := range otherPathHeaders {
			s.manage(name)
		}
	}
}

// otherPathHeaders are those by which some servers and frameworks take a request
// for one of another path than its own (CVE-2018-14773).
var otherPathHeaders = []string{"X-Original-Url", "X-Rewrite-Url"}

// judgesPaths reports whether it depends on the path who may ask for it.
func (h *Handler) judgesPaths() bool {
	return h.Authorize != nil || len(h.OAuthGuestEndpoints) > 0 || len(h.CORSPreflight) > 0
}

func (s *settings) manage(header string) {
	s.managedHeaders[foldHeader(header)] = true
	s.managedLengths[len(header)&63] = true
}

// isReservedHeader knows headers that mean something else to a proxy.
func isReservedHeader(canonical string) bool {
	switch canonical {
	case "Cookie", "Host", "Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "Upgrade",
		"Te", "Trailer", "Keep-Alive", "Proxy-Connection", "Origin", "Referer":
		return true
	}
	return strings.HasPrefix(canonical, "Sec-")
}

func (c *checker) websocketOrigins(h *Handler, s *settings) {
	if written := h.WebsocketOrigin; written != "" {
		s.websocketOrigin = c.text("websocket_origin", written)
		c.check("websocket_origin", written, s.websocketOrigin, checkOrigin(s.websocketOrigin))
	}
	s.websocketOrigins = make(map[string]bool)
	for _, origin := range c.texts("websocket_allowed_origins", h.WebsocketAllowedOrigins) {
		if err := checkOrigin(origin); err != nil {
			c.wrong("websocket_allowed_origins", "%w", err)
		}
		s.websocketOrigins[strings.ToLower(origin)] = true
	}
}

func checkOrigin(origin string) error {
	if origin == "" {
		return nil // said already
	}
	u, err := url.Parse(origin)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Scheme+"://"+u.Host != origin {
		return fmt.Errorf("%q must be an origin such as https://app.example.com, without a path", origin)
	}
	return nil
}
