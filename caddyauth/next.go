// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"cmp"
	"net/http"

	"github.com/panelauth/caddy-panelauth/templates"
)

// nextOf settles where sign-in leads to. What the browser kept is for pages
// written for Panel, which have no field for next.
func (h *Handler) nextOf(r *http.Request, said string, cookies cookies) string {
	return h.returnTo(r, said, h.companion(cookies, nextSuffix))
}

// returnTo settles where to lead back to: what the form or the address says,
// else the page that the visitor comes from, else what the browser kept.
func (h *Handler) returnTo(r *http.Request, said, kept string) string {
	return h.afterSignIn(r, cmp.Or(said, h.refererNext(r), kept))
}

func (h *Handler) rememberNext(w http.ResponseWriter, r *http.Request, next string) {
	if !h.pages.isCustom(templates.SignIn) {
		return
	}
	http.SetCookie(w, h.newCompanion(r, nextSuffix, h.loginURL(r), next))
}

func (h *Handler) forgetNext(w http.ResponseWriter, r *http.Request, cookies cookies) {
	h.deleteCompanion(w, r, cookies, nextSuffix, h.loginURL(r))
}
