// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"

	"github.com/panelauth/caddy-panelauth/templates"
)

// lastChoiceAge is how long a browser remembers who it signed in with, in
// seconds.
const lastChoiceAge = 365 * 24 * 3600

// stayWith is the parameter that names a provider, as "provider" does, for those
// who want to stay signed in.
const stayWith = "stay"

// chosenWay is the provider to go to without asking: the one that the address
// names, or the only one there is.
func (h *Handler) chosenWay(r *http.Request) *way {
	query := r.URL.Query()
	id := cmp.Or(query.Get("provider"), query.Get(stayWith))
	if id == "" {
		return h.onlyWay()
	}
	if chosen := h.way(id); chosen != nil && !chosen.UsesPassword() {
		return chosen
	}
	return nil
}

// buttons are the providers on the sign-in page, the last choice first.
func (h *Handler) buttons(r *http.Request, next string, cookies cookies) []templates.Provider {
	var buttons []templates.Provider
	last := h.companion(cookies, lastSuffix)
	for _, w := range h.ways {
		if w.UsesPassword() {
			continue
		}
		link := func(parameter string) string {
			query := url.Values{parameter: {w.ID()}, "next": {next}}
			if r.URL.Query().Has(another) {
				query.Set(another, "1")
			}
			return h.loginURL(r) + "?" + query.Encode()
		}
		button := templates.Provider{ID: w.ID(), Label: w.label, Text: w.text, URL: link("provider"), Mark: marks[w.Name()]}
		if h.settings.remember > 0 {
			button.RememberURL = link(stayWith)
		}
		if w.ID() == last {
			buttons = slices.Insert(buttons, 0, button)
		} else {
			buttons = append(buttons, button)
		}
	}
	return buttons
}

// rememberChoice has the browser say at the login endpoint, and nowhere else,
// which of several providers its visitor signed in with.
func (h *Handler) rememberChoice(w http.ResponseWriter, r *http.Request, id string) {
	if len(h.ways) < 2 || h.way(id) == nil {
		return
	}
	cookie := h.newCompanion(r, lastSuffix, h.loginURL(r), id)
	cookie.MaxAge = lastChoiceAge
	http.SetCookie(w, cookie)
}

// labels are the providers' own names, for buttons without a label.
var labels = map[string]string{
	"github":    "GitHub",
	"gitlab":    "GitLab",
	"google":    "Google",
	"azure":     "Microsoft",
	"azurev2":   "Microsoft",
	"okta":      "Okta",
	"auth0":     "Auth0",
	"bitbucket": "Bitbucket",
}

// marks are the pictures on the buttons of providers.
var marks = map[string]string{
	"github":    "github",
	"gitlab":    "gitlab",
	"google":    "google",
	"azure":     "microsoft",
	"azurev2":   "microsoft",
	"okta":      "okta",
	"auth0":     "auth0",
	"bitbucket": "bitbucket",
	"oidc":      "openid",
	"generic":   "openid",
	"auth_code": "key",
}

// labelOf is the text for a button: as configured, the provider's own name, or
// the entry's id.
func labelOf(configured, name, id string) string {
	if configured != "" {
		return configured
	}
	if label, ok := labels[name]; ok && id == name {
		return label
	}
	return id
}
