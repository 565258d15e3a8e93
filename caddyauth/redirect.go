// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxNext bounds the address that sign-in returns to, in bytes.
const maxNext = 2048

var errUnsafeNext = errors.New("not a path on this site")

// safeNext returns where to go after signing in, ready for a Location header,
// or an error for anything that a browser might take to another site. It
// judges as the WHATWG URL parser does: backslashes count as slashes and
// control characters vanish, so neither is allowed anywhere.
func safeNext(next string) (string, error) {
	encoded := percentEncode(next)
	if len(encoded) > maxNext || !utf8.ValidString(next) {
		return "", errUnsafeNext
	}
	if strings.ContainsFunc(next, hidesSomething) {
		return "", errUnsafeNext
	}
	if err := safePath(pathOf(next)); err != nil {
		return "", err
	}
	return encoded, nil
}

// pathOf is an address up to its query and fragment.
func pathOf(address string) string {
	if end := strings.IndexAny(address, "?#"); end >= 0 {
		return address[:end]
	}
	return address
}

// safePath checks the path of an address, as it is and once decoded.
func safePath(path string) error {
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return errUnsafeNext
	}
	if strings.ContainsFunc(decoded, hidesSomething) {
		return errUnsafeNext
	}
	for _, p := range []string{path, decoded} {
		if !strings.HasPrefix(p, "/") || strings.Contains(p, "//") || hasDotSegment(p) {
			return errUnsafeNext
		}
	}
	return nil
}

// hidesSomething reports characters that browsers drop, rewrite or do not
// show. A space is fine: it is percent-encoded later.
func hidesSomething(c rune) bool {
	if c == '\\' || c == utf8.RuneError {
		return true
	}
	return c != ' ' && !unicode.IsPrint(c)
}

func hasDotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// percentEncode encodes what may not stand in a header or URL as it is, and
// leaves every other byte alone.
func percentEncode(s string) string {
	const hex = "0123456789ABCDEF"
	if strings.IndexFunc(s, func(c rune) bool { return c <= ' ' || c > '~' }) < 0 {
		return s
	}
	var out strings.Builder
	for i := range len(s) {
		if c := s[i]; c > ' ' && c <= '~' {
			out.WriteByte(c)
		} else {
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return out.String()
}

// afterSignIn is where sign-in leads: next if it is safe and not one of the
// module's own endpoints, else the root of the site.
func (h *Handler) afterSignIn(r *http.Request, next string) string {
	safe, err := safeNext(next)
	if err != nil || h.isOwnEndpoint(r, safe) {
		return prefix(r) + "/"
	}
	return safe
}

// isOwnEndpoint keeps people from being sent around in circles, or signed out
// by the address they return to.
func (h *Handler) isOwnEndpoint(r *http.Request, address string) bool {
	path, _ := strings.CutPrefix(pathOf(address), prefix(r))
	path, err := url.PathUnescape(path)
	if err != nil {
		return true
	}
	return endpoint(path) == h.settings.login || endpoint(path) == h.settings.logout || endpoint(path) == h.settings.me || h.isToken(path) ||
		strings.HasPrefix(path, h.settings.logout+"/")
}

// requestNext is the address of a request itself, to come back to.
func requestNext(r *http.Request) string {
	u := originalURL(r)
	if u.RawQuery == "" {
		return u.EscapedPath()
	}
	return u.EscapedPath() + "?" + u.RawQuery
}

// refererNext is the page of this site that the request comes from, or "".
// From the sign-in page it is the address that page leads to.
func (h *Handler) refererNext(r *http.Request) string {
	referer, err := url.Parse(r.Header.Get("Referer"))
	if err != nil || referer.Host == "" || !sameHost(referer, r) {
		return ""
	}
	path, _ := strings.CutPrefix(referer.EscapedPath(), prefix(r))
	if endpoint(path) == h.settings.login {
		return referer.Query().Get("next")
	}
	query := referer.Query()
	if query.Has("state") && (query.Has("code") || query.Has("error")) {
		return "" // a provider's answer, which is good once
	}
	if referer.RawQuery == "" {
		return referer.EscapedPath()
	}
	return referer.EscapedPath() + "?" + referer.RawQuery
}

// loginURL is the login endpoint as the browser reaches it.
func (h *Handler) loginURL(r *http.Request) string { return prefix(r) + h.settings.login }

// logoutURL is the logout endpoint as the browser reaches it.
func (h *Handler) logoutURL(r *http.Request) string { return prefix(r) + h.settings.logout }

// redirect writes the Location itself: http.Redirect would clean the path and
// so change what was judged. Other sites do not learn where a visitor was.
func redirect(w http.ResponseWriter, location string, status int) {
	header := w.Header()
	header.Set("Location", location)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	noStore(w)
	w.WriteHeader(status)
}

func noStore(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
}
