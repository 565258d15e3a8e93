// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

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

// sessionCookies appends to values those of the request's session cookies, of
// which there is normally one.
func (h *Handler) sessionCookies(values []string, r *http.Request, sent cookies) []string {
	if kept, ok := caddyhttp.GetVar(r.Context(), cookiesVar).(cookies); ok {
		sent = append(kept[:len(kept):len(kept)], sent...)
	}
	if len(sent) == 0 {
		return values
	}
	name := h.sessionCookieName(r)
	if h.settings.stateless {
		return chunkedCookies(values, sent, name)
	}
	sent.each(func(text string) bool {
		if found, value, ok := strings.Cut(text, "="); ok && found == name {
			values = append(values, value)
		}
		return len(values) < maxSessionCookies
	})
	return values
}

// chunkedCookies joins a session that is kept in the browser, in name, name_1,
// name_2 and so on, and appends it to values.
func chunkedCookies(values []string, cookies cookies, name string) []string {
	var chunks [maxChunks]string
	found := false
	cookies.each(func(text string) bool {
		chunk, value, ok := strings.Cut(text, "=")
		if i := chunkIndex(chunk, name); ok && i >= 0 && chunks[i] == "" {
			chunks[i], found = value, true
		}
		return true
	})
	if !found {
		return values
	}
	return append(values, session.Join(chunks[:]))
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
	h.clearSession(w, r)
	h.clearLeftovers(w, cookies)
}

func (h *Handler) clearSession(w http.ResponseWriter, r *http.Request) {
	name := h.sessionCookieName(r)
	h.deleteCookie(w, r, name)
	if !h.settings.stateless {
		return
	}
	for i := 1; i < maxChunks; i++ {
		h.deleteCookie(w, r, chunkName(name, i))
	}
}

// clearUseless deletes a session cookie that will never be any good. One of a
// session that is not good here, or that the store does not have now, stays: it
// may be good elsewhere on the host, or when the store is mended.
func (h *Handler) clearUseless(w http.ResponseWriter, r *http.Request, cookies cookies) {
	values := h.sessionCookies(nil, r, cookies)
	if len(values) > 0 && !slices.ContainsFunc(values, h.door.sessions.MayBeGood) {
		h.clearSession(w, r)
	}
}

// clearLeftovers deletes the cookies of Panel that the browser still sends.
func (h *Handler) clearLeftovers(w http.ResponseWriter, cookies cookies) {
	cleared := make(map[string]bool)
	cookies.each(func(text string) bool {
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
