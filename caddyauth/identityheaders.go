// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"maps"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// defaultIdentityHeaders are the headers that bare identity_headers sends, with
// the claim that each carries. A client may never say them, asked for or not.
var defaultIdentityHeaders = map[string]string{
	"Remote-User":   "user",
	"Remote-Name":   "name",
	"Remote-Email":  "email",
	"Remote-Groups": "groups",
}

func (c *checker) identityHeaders(h *Handler, s *settings) {
	const subdirective = "identity_headers"
	headers := h.IdentityHeaders
	if headers != nil && len(headers) == 0 {
		headers = defaultIdentityHeaders
	}
	s.identityHeaders = make(map[string]string, len(headers))
	for _, written := range slices.Sorted(maps.Keys(headers)) {
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

// manage makes a header one of ours: stripIdentity removes a client's own.
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

// identityHeaders are the headers that tell the application who is signed in.
// A claim that is missing sends none.
func (h *Handler) identityHeaders(id *identity) map[string]string {
	if len(h.settings.identityHeaders) == 0 {
		return nil
	}
	headers := make(map[string]string, len(h.settings.identityHeaders))
	for name, claim := range h.settings.identityHeaders {
		if id.guest && claim != "user" {
			continue
		}
		value, ok := id.claim(claim)
		if !ok || value == nil {
			continue
		}
		headers[name] = headerText(value)
	}
	return headers
}

// setHeaders gives each request values of its own, since handlers after this
// one may change them in place.
func (id *identity) setHeaders(r *http.Request) {
	values := make([]string, 0, len(id.headers))
	for name, value := range id.headers {
		values = append(values, value)
		r.Header[name] = values[len(values)-1 : len(values) : len(values)]
	}
}

// headerText is a claim as a header may carry it. A comma within a list's
// value is encoded so that it cannot make one value into two.
func headerText(value any) string {
	if list, ok := value.([]any); ok {
		parts := make([]string, len(list))
		for i, part := range list {
			parts[i] = strings.ReplaceAll(percentEncodeHeader(claimText(part)), ",", "%2C")
		}
		return strings.Join(parts, ",")
	}
	return percentEncodeHeader(claimText(value))
}

// literalPercent is a percent sign of the claim's own that would read as the
// beginning of an encoded byte.
var literalPercent = regexp.MustCompile(`%([0-9A-Fa-f]{2})`)

// percentEncodeHeader encodes control characters and what is not ASCII. A space
// within a value is legal in a header; one around it would be cut off.
func percentEncodeHeader(s string) string {
	s = literalPercent.ReplaceAllString(s, "%25$1")
	inner := strings.Trim(s, " ")
	start := strings.Index(s, inner)
	parts := strings.Split(inner, " ")
	for i, part := range parts {
		parts[i] = percentEncode(part)
	}
	return percentEncode(s[:start]) + strings.Join(parts, " ") + percentEncode(s[start+len(inner):])
}
