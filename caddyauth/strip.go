// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// stripIdentity removes from a request by which a client could pass for
// somebody else. (Cookies are rebuilt in setCookies.)
func (h *Handler) stripIdentity(r *http.Request) {
	for name := range r.Header {
		if h.isIdentityHeader(name) {
			delete(r.Header, name)
		}
	}
	keepWebsocketUpgrade(r.Header)
	if lines, ok := r.Header["Connection"]; ok {
		keepConnectionTokens(r.Header, lines)
	}
	// Trailers arrive after the request was judged. Nothing that browsers send
	// has any.
	r.Trailer = nil
	delete(r.Header, "Trailer")
}

// isIdentityHeader recognises identity headers in every spelling that an
// application server might fold together.
func (h *Handler) isIdentityHeader(name string) bool {
	if !h.settings.managedLengths[len(name)&63] {
		return false
	}
	var folded [64]byte
	if len(name) > len(folded) {
		return h.settings.managedHeaders[foldHeader(name)]
	}
	for i := range len(name) {
		folded[i] = foldHeaderByte(name[i])
	}
	return h.settings.managedHeaders[string(folded[:len(name)])]
}

func foldHeader(name string) string {
	folded := []byte(name)
	for i, c := range folded {
		folded[i] = foldHeaderByte(c)
	}
	return string(folded)
}

// foldHeaderByte does what CGI does to names, and what servers after it do.
func foldHeaderByte(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		return c
	}
	return '_'
}

// keepWebsocketUpgrade takes out every protocol but websocket. After an upgrade
// to another one, HTTP/2 above all, the client would talk to the application
// past this module, and say about itself what it likes.
func keepWebsocketUpgrade(header http.Header) {
	protocols, ok := header["Upgrade"]
	delete(header, "Http2-Settings")
	if !ok {
		return
	}
	if httpguts.HeaderValuesContainsToken(protocols, "websocket") {
		header["Upgrade"] = []string{"websocket"}
	} else {
		delete(header, "Upgrade")
	}
}

// keepConnectionTokens keeps the tokens that steer a connection. Any other
// token names a header that a proxy must drop, which is how a client would take
// out the cookies and headers that were set for it.
func keepConnectionTokens(header http.Header, lines []string) {
	if len(lines) == 1 && lines[0] == "keep-alive" {
		return // what nearly all requests say
	}
	var kept []string
	for _, line := range lines {
		for token := range strings.SplitSeq(line, ",") {
			token = strings.TrimSpace(token)
			switch strings.ToLower(token) {
			case "upgrade":
				if header["Upgrade"] == nil {
					continue
				}
			case "close", "keep-alive", "te":
			default:
				continue
			}
			kept = append(kept, token)
		}
	}
	if len(kept) == 0 {
		header.Del("Connection")
		return
	}
	header["Connection"] = []string{strings.Join(kept, ", ")}
}
