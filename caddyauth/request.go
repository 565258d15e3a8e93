// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"golang.org/x/net/http/httpguts"
)

// endpoint is the path that decides whether a request is for one of the
// module's own endpoints, which answer with or without a trailing slash.
func endpoint(path string) string {
	if len(path) > 1 && path[len(path)-1] == '/' {
		return path[:len(path)-1]
	}
	return path
}

// isWebsocket recognises the opening of a websocket over HTTP/1.1 (RFC 6455),
// HTTP/2 (RFC 8441) and HTTP/3 (RFC 9220, which quic-go reports in Proto).
func isWebsocket(r *http.Request) bool {
	if r.Method == http.MethodConnect {
		return r.Proto == "websocket" || strings.EqualFold(r.Header.Get(":protocol"), "websocket")
	}
	upgrade := r.Header["Upgrade"]
	return upgrade != nil && httpguts.HeaderValuesContainsToken(upgrade, "websocket")
}

// isNavigation reports whether a person waits for the answer in a browser's
// address bar or frame, and not a script or a sub-resource.
func isNavigation(r *http.Request) bool {
	if by := r.Header.Get("X-Requested-With"); by != "" && !strings.Contains(by, ".") {
		return false // a browser within an Android app sends the app's name, such as com.example.app
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "", "document", "iframe", "frame", "embed", "object":
	default:
		return false
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return accepts(r, "text/html") || acceptsAnything(r)
	case http.MethodConnect, http.MethodOptions:
		return false
	default:
		// Programs send "*/*" with their posts; only browsers name HTML.
		return accepts(r, "text/html")
	}
}

// wantsPage reports whether a refusal should be a page for a person; programs
// get JSON.
func wantsPage(r *http.Request) bool {
	return isNavigation(r) && !isWebsocket(r)
}

// mayBeginSignIn reports whether a person asks to sign in with a provider. It
// may know them and send them straight back, so that pages of other sites must
// not sign people in behind their backs: neither in a frame, from which the way
// back would be barred anyway, nor by having it loaded ahead.
func mayBeginSignIn(r *http.Request) bool {
	return wantsPage(r) && !isAhead(r) && !isFramedElsewhere(r)
}

func isFramedElsewhere(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "", "document":
		return false
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return site != "same-origin" && site != "same-site"
}

// isPartOfPage reports what a page loads by its markup alone, such as an image.
func isPartOfPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "", "empty", "document", "iframe", "frame":
		return false
	}
	return true
}

// isAhead reports a page that a browser loads before anybody has asked for it.
func isAhead(r *http.Request) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Moz", "X-Purpose"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

func accepts(r *http.Request, mediaType string) bool {
	for _, line := range r.Header["Accept"] {
		for part := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(name), mediaType) {
				return true
			}
		}
	}
	return false
}

// acceptsAnything reports whether a client takes whatever comes, be it because
// it does not say what it accepts.
func acceptsAnything(r *http.Request) bool {
	return r.Header.Get("Accept") == "" || accepts(r, "*/*") || accepts(r, "text/*")
}

// isHTTPS reports whether the browser reached this site by HTTPS. A forwarded
// scheme counts only from a proxy that Caddy trusts.
func isHTTPS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	return trusted && strings.EqualFold(nearest(r.Header.Get("X-Forwarded-Proto")), "https")
}

// nearest is what the proxy says that is nearest to the browser, where several
// have added to a header in turn.
func nearest(forwarded string) string {
	first, _, _ := strings.Cut(forwarded, ",")
	return strings.TrimSpace(first)
}

// clientIP is the address of the client as Caddy sees it, after
// trusted_proxies.
func clientIP(r *http.Request) string {
	if ip, ok := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string); ok && ip != "" {
		return ip
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// clientNetwork is what counts as one client: an IPv4 address, or the /64 that
// one IPv6 customer has to itself.
func clientNetwork(r *http.Request) string {
	ip := clientIP(r)
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	network, err := addr.Prefix(64)
	if err != nil {
		return addr.String()
	}
	return network.String()
}

// originalURL is the URL of the request before any rewrite, as the browser
// knows it.
func originalURL(r *http.Request) *url.URL {
	if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok && original.URL != nil {
		return original.URL
	}
	return r.URL
}

// prefix is what handle_path or uri strip_prefix took off the path, so that
// redirects and links lead the browser back through it.
func prefix(r *http.Request) string {
	before, after := originalURL(r).EscapedPath(), r.URL.EscapedPath()
	if before == after {
		return ""
	}
	if stripped := cutEnd(before, after); stripped != "" {
		return stripped
	}
	return cutEnd(caddyhttp.CleanPath(before, true), after) // as Caddy has it before it takes a prefix off
}

// cutEnd is what a path begins with, if it goes on with the end, and "" if not
// or if that is no plain path.
func cutEnd(path, end string) string {
	start, found := strings.CutSuffix(path, end)
	if !found && end == "/" {
		start, found = path, true // "/proxy" under handle_path /proxy*
	}
	start = strings.TrimRight(start, "/")
	if !found || safePath(start) != nil {
		return ""
	}
	return start
}
