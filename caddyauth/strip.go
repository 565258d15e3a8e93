// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"strings"
)

// defaultIdentityHeaders are the headers that bare identity_headers sends, with
// the claim that each carries. A client may never say them, asked for or not.
var defaultIdentityHeaders = map[string]string{
	"Remote-User":   "user",
	"Remote-Name":   "name",
	"Remote-Email":  "email",
	"Remote-Groups": "groups",
}

// stripIdentity removes from a request by which a client could pass for
// somebody else. (Cookies are rebuilt in setCookies.)
func (h *Handler) stripIdentity(r *http.Request) {
	for name := range r.Header {
		if h.isIdentityHeader(name) {
			delete(r.Header, name)
		}
	}
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
	return strings.Map(func(c rune) rune {
		if c < 0x80 {
			return rune(foldHeaderByte(byte(c)))
		}
		return c
	}, name)
}

func foldHeaderByte(c byte) byte {
	switch {
	case c == '-' || c == '.':
		return '_'
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	}
	return c
}

// keepConnectionTokens keeps the tokens that steer a connection. Any other
// token names a header that a proxy must drop, which is how a client would take
// out the cookies and headers that were set for it.
func keepConnectionTokens(header http.Header, lines []string) {
	var kept []string
	for _, line := range lines {
		for token := range strings.SplitSeq(line, ",") {
			token = strings.TrimSpace(token)
			switch strings.ToLower(token) {
			case "close", "keep-alive", "upgrade", "te", "http2-settings":
				kept = append(kept, token)
			}
		}
	}
	if len(kept) == 0 {
		header.Del("Connection")
		return
	}
	header["Connection"] = []string{strings.Join(kept, ", ")}
}
