// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/panelauth/caddy-panelauth/templates"
)

// nextOf settles where sign-in leads to: what the form or the address says,
// else what was remembered for a page that cannot say it, else the page that
// the visitor comes from.
func (h *Handler) nextOf(r *http.Request, said string, cookies cookies) string {
	if said != "" {
		return h.afterSignIn(r, said)
	}
	if next := h.refererNext(r); next != "" {
		return h.afterSignIn(r, next)
	}
	return h.afterSignIn(r, h.rememberedNext(cookies))
}

// nextCookieName is a companion of the session cookie that is only sent to the
// login endpoint. Pages written for Panel have no field for next.
func (h *Handler) nextCookieName() string { return h.settings.cookieName + nextSuffix }

const nextSuffix = "_next"

func (h *Handler) rememberNext(w http.ResponseWriter, r *http.Request, next string) {
	if !h.pages.isCustom(templates.SignIn) {
		return
	}
	http.SetCookie(w, h.addressCookie(r, nextSuffix, h.loginURL(r), next))
}

func (h *Handler) rememberedNext(cookies cookies) string {
	return cookies.address(h.nextCookieName())
}

func (h *Handler) forgetNext(w http.ResponseWriter, r *http.Request, cookies cookies) {
	if h.rememberedNext(cookies) == "" {
		return
	}
	cookie := h.addressCookie(r, nextSuffix, h.loginURL(r), "")
	cookie.MaxAge = -1
	http.SetCookie(w, cookie)
}

// addressCookie keeps an address for one of our own endpoints. Who reads it
// judges it anew: a browser's cookies may be anybody's.
func (h *Handler) addressCookie(r *http.Request, suffix, path, address string) *http.Cookie {
	return &http.Cookie{
		Name:     h.settings.cookieName + suffix,
		Value:    url.QueryEscape(address),
		Path:     path,
		Secure:   isHTTPS(r),
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
}

// address is what the first cookie of a name keeps, or "".
func (c cookies) address(name string) (address string) {
	c.each(func(text string) bool {
		known, value, _ := strings.Cut(text, "=")
		if known != name {
			return true
		}
		address, _ = url.QueryUnescape(value)
		return false
	})
	return address
}
