// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
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

func (h *Handler) keepForLater(r *http.Request, from cookies) {
	var kept cookies
	from.each(func(text, name string) bool {
		if h.isOwnCookie(name) {
			kept = append(kept, text)
		}
		return true
	})
	if len(kept) > 0 {
		caddyhttp.SetVar(r.Context(), cookiesVar, kept)
	}
}

// each calls do with the trimmed text of each cookie and its name, folded as
// the most lenient reader would fold it, until do returns false.
func (c cookies) each(do func(text, name string) bool) {
	for _, line := range c {
		for line != "" {
			text := line
			if end := strings.IndexByte(line, ';'); end >= 0 {
				text, line = line[:end], line[end+1:]
			} else {
				line = ""
			}
			if text = strings.Trim(text, " \t"); text != "" && !do(text, foldedName(text)) {
				return
			}
		}
	}
}

// foldedName is the name in "name=value" without what some parser drops around
// it: white space of any alphabet, control characters, quotes, and the equals
// sign before a name that others take for an empty one.
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
	return ok && (rest == "" || rest == nextSuffix || rest == lastSuffix || strings.HasPrefix(rest, attemptInfix) || chunkSuffix(rest) > 0)
}

// setCookies rebuilds the Cookie header as one line: the client's cookies as
// they were, without the managed ones, followed by the visitor's own.
func (h *Handler) setCookies(r *http.Request, who *identity, cookies cookies) {
	ours := who.panelCookies(h)
	size := len(ours) + 2
	for _, line := range cookies {
		size += len(line) + 2
	}
	line := make([]byte, 0, size)
	cookies.each(func(text, name string) bool {
		if !h.isManaged(name) {
			line = append(append(line, text...), "; "...)
		}
		return true
	})
	line = append(line, ours...)
	if ours == "" && len(line) > 0 {
		line = line[:len(line)-len("; ")]
	}
	if len(line) == 0 {
		r.Header.Del("Cookie")
		return
	}
	r.Header["Cookie"] = []string{string(line)}
}

// Prefixes by which a browser refuses cookies that another host or an
// unencrypted page could have set (RFC 6265bis, section 4.1.3).
const (
	hostPrefix   = "__Host-"
	securePrefix = "__Secure-"
)

// sessionCookieName is the name under which this request's session cookie is
// set and read.
func (h *Handler) sessionCookieName(r *http.Request) string {
	switch {
	case !isHTTPS(r):
		return h.settings.cookieName
	case h.settings.cookiePath == "/" && h.settings.cookieDomain == "":
		return h.settings.hostCookieName
	}
	return h.settings.secureCookieName
}

// sessionCookies are the values of the request's session cookies, of which
// there is normally one.
func (h *Handler) sessionCookies(r *http.Request, sent cookies) []string {
	if kept, ok := caddyhttp.GetVar(r.Context(), cookiesVar).(cookies); ok {
		sent = append(kept[:len(kept):len(kept)], sent...)
	}
	if len(sent) == 0 {
		return nil
	}
	name := h.sessionCookieName(r)
	if h.settings.stateless {
		return chunkedCookies(sent, name)
	}
	var values []string
	sent.each(func(text, _ string) bool {
		if found, value, ok := strings.Cut(text, "="); ok && found == name {
			values = append(values, value)
		}
		return len(values) < maxSessionCookies
	})
	return values
}

// chunkedCookies joins a session that is kept in the browser, in name, name_1,
// name_2 and so on.
func chunkedCookies(cookies cookies, name string) []string {
	var chunks [maxChunks]string
	found := false
	cookies.each(func(text, _ string) bool {
		chunk, value, ok := strings.Cut(text, "=")
		if i := chunkIndex(chunk, name); ok && i >= 0 && chunks[i] == "" {
			chunks[i], found = value, true
		}
		return true
	})
	if !found {
		return nil
	}
	return []string{session.Join(chunks[:])}
}

func chunkIndex(chunk, name string) int {
	rest, ok := strings.CutPrefix(chunk, name)
	if !ok {
		return -1
	}
	if rest == "" {
		return 0
	}
	return chunkSuffix(rest)
}

// chunkSuffix is the number of a chunk after the first, or -1.
func chunkSuffix(rest string) int {
	if len(rest) == 2 && rest[0] == '_' && rest[1] > '0' && rest[1] < '0'+maxChunks {
		return int(rest[1] - '0')
	}
	return -1
}

// setSessionCookie gives the browser its session.
func (h *Handler) setSessionCookie(w http.ResponseWriter, r *http.Request, value string, lifetime time.Duration) {
	chunks := []string{value}
	if h.settings.stateless {
		chunks = session.Split(value)
	}
	for i := range maxChunks {
		cookie := h.newCookie(r, chunkName(h.sessionCookieName(r), i))
		switch {
		case i < len(chunks):
			cookie.Value, cookie.MaxAge = chunks[i], int(lifetime.Seconds())
		case h.settings.stateless:
			cookie.MaxAge = -1 // what a larger session before this one left
		default:
			return
		}
		http.SetCookie(w, cookie)
	}
}

// renewCookie gives the browser the session as it is now, if what it sent is
// older. An answer to a websocket cannot carry it; the next page does.
func (h *Handler) renewCookie(w http.ResponseWriter, r *http.Request, s *session.Session, had string) {
	if isWebsocket(r) {
		return
	}
	if value, changed := h.door.sessions.Cookie(s, had); changed {
		h.setSessionCookie(w, r, value, s.Expires.Sub(h.now()))
	}
}

func chunkName(name string, i int) string {
	if i == 0 {
		return name
	}
	return name + "_" + strconv.Itoa(i)
}

// newCookie has the attributes that setting and deleting must share.
func (h *Handler) newCookie(r *http.Request, name string) *http.Cookie {
	cookie := &http.Cookie{
		Name:     name,
		Path:     h.settings.cookiePath,
		Domain:   h.settings.cookieDomain,
		Secure:   isHTTPS(r),
		HttpOnly: true,
		SameSite: h.settings.cookieSameSite,
	}
	if cookie.SameSite == http.SameSiteNoneMode && !cookie.Secure {
		cookie.SameSite = http.SameSiteLaxMode // browsers refuse None without Secure
	}
	return cookie
}

// clearCookies deletes the session cookie, and what an earlier sign-in by
// Panel itself left in this browser.
func (h *Handler) clearCookies(w http.ResponseWriter, r *http.Request, cookies cookies) {
	name := h.sessionCookieName(r)
	h.deleteCookie(w, r, name)
	h.clearLeftovers(w, cookies)
	if !h.settings.stateless {
		return
	}
	for i := 1; i < maxChunks; i++ {
		h.deleteCookie(w, r, chunkName(name, i))
	}
}

// clearLeftovers deletes the cookies of Panel that the browser still sends.
func (h *Handler) clearLeftovers(w http.ResponseWriter, cookies cookies) {
	cleared := make(map[string]bool)
	cookies.each(func(text, _ string) bool {
		name, _, _ := strings.Cut(text, "=")
		if isPanelCookie(name) && !cleared[name] {
			cleared[name] = true
			h.clearLeftover(w, name)
		}
		return len(cleared) < 16
	})
}

// clearLeftover deletes a cookie of Panel, which may have been set for the
// configured path or, by Panel's own rule, for the whole site.
func (h *Handler) clearLeftover(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1})
	if path := h.settings.cookiePath; path != "/" {
		http.SetCookie(w, &http.Cookie{Name: name, Path: path, MaxAge: -1})
	}
}

func (h *Handler) deleteCookie(w http.ResponseWriter, r *http.Request, name string) {
	cookie := h.newCookie(r, name)
	cookie.MaxAge = -1
	http.SetCookie(w, cookie)
}
