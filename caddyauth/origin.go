// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// origin is this site as the browser reaches it.
func origin(r *http.Request) string {
	if isHTTPS(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// mayOpenWebsocket reports whether the page that opens a websocket is one of
// this site's or of a site that is allowed. Browsers always send an Origin and
// apply no other rule of their own to websockets.
func (h *Handler) mayOpenWebsocket(r *http.Request) bool {
	origins := r.Header["Origin"]
	if len(origins) == 0 {
		return true
	}
	if len(origins) > 1 {
		return false
	}
	if h.settings.websocketOrigins[strings.ToLower(origins[0])] {
		return true
	}
	origin, err := url.Parse(origins[0])
	if err != nil || origin.Host == "" || !strings.EqualFold(origin.Scheme+"://"+origin.Host, origins[0]) {
		return false // with anything more, others might read another host in it
	}
	if origin.Scheme != "https" && (origin.Scheme != "http" || isHTTPS(r)) {
		return false
	}
	return sameHost(origin, r) || isForwardedHost(origin, r)
}

// sameOrigin knows forms by Sec-Fetch-Site, which browsers leave out on plain
// HTTP, and by Origin.
var sameOrigin = http.NewCrossOriginProtection()

// isForeignForm reports a form that another site posts here.
func isForeignForm(r *http.Request) bool {
	if sameOrigin.Check(r) == nil {
		return false
	}
	if r.Header.Get("Sec-Fetch-Site") != "" {
		return true
	}
	page, err := url.Parse(r.Header.Get("Origin"))
	return err != nil || page.Host == "" || !isForwardedHost(page, r)
}

// isForwardedHost reports whether a trusted proxy says that the browser asked
// for that host, and the proxy for another. A page cannot make a browser say
// it.
func isForwardedHost(u *url.URL, r *http.Request) bool {
	forwarded := r.Header["X-Forwarded-Host"]
	trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	return trusted && len(forwarded) == 1 &&
		strings.EqualFold(withoutDefaultPort(u.Host, u.Scheme), withoutDefaultPort(nearest(forwarded[0]), u.Scheme))
}

// sameHost compares the host of a URL with the one that was asked for. A port
// that is the default of the URL's scheme may be written or not.
func sameHost(u *url.URL, r *http.Request) bool {
	return strings.EqualFold(withoutDefaultPort(u.Host, u.Scheme), withoutDefaultPort(r.Host, u.Scheme))
}

func withoutDefaultPort(host, scheme string) string {
	switch scheme {
	case "http", "ws":
		return strings.TrimSuffix(host, ":80")
	case "https", "wss":
		return strings.TrimSuffix(host, ":443")
	}
	return host
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

// checkOrigin refuses what is no origin, written as browsers write theirs.
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

// isLoopback reports whether a host is the machine that asks.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}
