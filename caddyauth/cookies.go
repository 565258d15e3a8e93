// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// maxCookies bounds the cookies of a request. Go gives up at 3000 and Tornado
// does not, so beyond a number that both read alike nothing is passed on.
const maxCookies = 1000

// maxChunks is how many cookies a session that is kept in the browser can need.
const maxChunks = 4

// maxSessionCookies bounds how many cookies of the session's name are tried: a
// neighbouring host can plant some beside ours, but not make us open them all.
const maxSessionCookies = 4

var errTooManyCookies = errors.New("too many cookies")

// cookies are the Cookie lines of a request, as they came.
type cookies []string

// readCookies takes the Cookie header of a request as text. It is never read
// with net/http: applications read it by other rules, and what is passed on
// must mean to them what it means here.
func (h *Handler) readCookies(r *http.Request) (cookies, error) {
	lines := r.Header["Cookie"]
	count := 0
	for _, line := range lines {
		count += 1 + strings.Count(line, ";")
	}
	if count > maxCookies {
		return nil, errTooManyCookies
	}
	return lines, nil
}

// cookiesVar is where a request keeps the session cookies of somebody who was a
// guest to one handler, for another after it that may know them.
const cookiesVar = "panelauth.cookies"

// keepForLater keeps them before setCookies takes them out of the request.
func (h *Handler) keepForLater(r *http.Request, from cookies) {
	var kept cookies
	from.each(func(text string) bool {
		if h.isOwnCookie(foldedName(text)) {
			kept = append(kept, text)
		}
		return true
	})
	if len(kept) > 0 {
		caddyhttp.SetVar(r.Context(), cookiesVar, kept)
	}
}

// each calls do with the trimmed text of each cookie, until do returns false.
func (c cookies) each(do func(text string) bool) {
	for _, line := range c {
		for line != "" {
			text := line
			if end := strings.IndexByte(line, ';'); end >= 0 {
				text, line = line[:end], line[end+1:]
			} else {
				line = ""
			}
			if text = trimBlanks(text); text != "" && !do(text) {
				return
			}
		}
	}
}

// trimBlanks is strings.Trim(s, " \t"), which would make a set of what to trim
// for each cookie.
func trimBlanks(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// foldedName is the name in "name=value" as the most lenient reader would fold
// it, without what some parser drops around it: white space of any alphabet,
// control characters, quotes, and the equals sign before a name that others
// take for an empty one.
func foldedName(text string) string {
	text = strings.TrimLeftFunc(text, func(c rune) bool { return isDropped(c) || c == '=' })
	name, _, _ := strings.Cut(text, "=")
	return strings.TrimRightFunc(name, isDropped)
}

func isDropped(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\'' }

// isManaged reports whether a cookie of this name is ours to say: the module's
// own, or one by which Panel knows a user.
func (h *Handler) isManaged(name string) bool {
	return isPanelCookie(name) || h.isOwnCookie(name)
}

// saysManaged reports whether some reader finds a managed cookie in a text: as
// its name or, where cookies end at white space or a comma, too, in its value.
// Python's http.cookies reads "a=b user=c" as two.
func (h *Handler) saysManaged(text string) bool {
	if h.isManaged(foldedName(text)) {
		return true
	}
	for {
		before, after, found := strings.Cut(text, "=")
		if !found {
			return false
		}
		name := strings.TrimRight(before, " \t")
		// Go lets no other white space into a header.
		if end := strings.LastIndexAny(name, ", \t"); end >= 0 && h.isManaged(foldedName(name[end+1:])) {
			return true
		}
		text = after
	}
}

func isPanelCookie(name string) bool {
	switch name {
	case "user", "id_token", "access_token", "refresh_token", "oauth_expiry", "is_guest", "next_url":
		return true
	}
	return strings.HasPrefix(name, "panel-oauth-")
}

// isOwnCookie recognises the session cookie, its chunks and its companions
// under each prefix. Browsers compare the prefixes without case.
func (h *Handler) isOwnCookie(name string) bool {
	for _, prefix := range []string{hostPrefix, securePrefix} {
		if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			name = name[len(prefix):]
			break
		}
	}
	rest, ok := strings.CutPrefix(name, h.settings.cookieName)
	if !ok {
		return false
	}
	switch rest {
	case "", nextSuffix, lastSuffix, leftSuffix:
		return true
	}
	return strings.HasPrefix(rest, begunInfix) || chunkSuffix(rest) > 0
}

// setCookies rebuilds the Cookie header as one line: the client's cookies as
// they were, without the managed ones, followed by the visitor's own.
func (h *Handler) setCookies(r *http.Request, who *identity, cookies cookies) {
	ours := who.panelCookies(h)
	size := len(ours)
	for _, line := range cookies {
		size += len(line) + len("; ")
	}
	var rebuilt strings.Builder
	rebuilt.Grow(size)
	add := func(text string) bool {
		if rebuilt.Len() > 0 {
			rebuilt.WriteString("; ")
		}
		rebuilt.WriteString(text)
		return true
	}
	cookies.each(func(text string) bool { return h.saysManaged(text) || add(text) })
	if ours != "" {
		add(ours)
	}
	switch {
	case rebuilt.Len() == 0:
		delete(r.Header, "Cookie")
	case len(cookies) > 0:
		cookies[0] = rebuilt.String() // the header's own slice, which saves a new one
		r.Header["Cookie"] = cookies[:1]
	default:
		r.Header["Cookie"] = []string{rebuilt.String()}
	}
}
