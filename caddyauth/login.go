// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"net/url"

	"github.com/panelauth/caddy-panelauth/templates"
)

// serveLogin is the login endpoint: the page, and what its form sends.
func (h *Handler) serveLogin(w http.ResponseWriter, r *http.Request, cookies cookies) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		next := h.nextOf(r, r.URL.Query().Get("next"), nil) // what the browser kept is for a form that comes back
		if through := h.chosenWay(r); through != nil {
			if !mayBeginSignIn(r) {
				metrics.unauthenticated.Inc()
				hurry(w, r)
				return h.tellToSignIn(w, r)
			}
			return h.toProvider(w, r, through, next, cookies)
		}
		return h.showLogin(w, r, next, cookies)
	case http.MethodPost:
		return h.signIn(w, r, cookies)
	}
	w.Header().Set("Allow", "GET, HEAD, POST")
	return h.refuse(w, r, http.StatusMethodNotAllowed, "method_not_allowed")
}

func (h *Handler) showLogin(w http.ResponseWriter, r *http.Request, next string, cookies cookies) error {
	if h.pages.isCustom(templates.SignIn) && !h.formsFindLogin(r, templates.SignIn) {
		redirect(w, h.loginURL(r)+"?next="+url.QueryEscape(next), http.StatusFound) // from /login/
		return nil
	}
	h.rememberNext(w, r, next)
	return h.writePage(w, r, http.StatusOK, h.signInPage(r, next, cookies))
}

func (h *Handler) signInPage(r *http.Request, next string, cookies cookies) templates.Page {
	page := h.page(r, templates.SignIn)
	page.Next = next
	page.Password = h.hasForm()
	page.Providers = h.buttons(r, next, cookies)
	page.Remember = h.settings.remember
	return page
}
