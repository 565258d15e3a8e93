// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"net/url"
)

// another is the parameter of the login endpoint that has a provider ask who
// signs in, also where it knows somebody.
const another = "another"

// asOtherURL is where signing in with another account begins. It is empty where
// the only provider there is cannot be told to ask, and would let the same
// account in again: there people sign out first.
func (h *Handler) asOtherURL(r *http.Request, next string) string {
	if only := h.onlyWay(); only != nil && !only.AsksForAnother() {
		return ""
	}
	address := h.loginURL(r) + "?next=" + url.QueryEscape(next)
	if len(h.ways) == 0 {
		return address // the form asks anyway
	}
	return address + "&" + another + "=1"
}
