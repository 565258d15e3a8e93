// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"net/url"
	"strings"
)

const (
	// panelCDN is where Panel 1.9.4 serves its own pages' pictures from.
	panelCDN = "https://cdn.holoviz.org/panel/1.9.4/dist/"
	// npmCDN is Panel's default for npm_cdn.
	npmCDN = "https://cdn.jsdelivr.net/npm"
)

// variables are what an operator's template can say: Panel's own, by their
// names, and ours. A name that is not here renders as nothing.
func (p Page) variables() map[string]any {
	login := shield(lastSegment(p.LoginURL))
	vars := map[string]any{
		"PANEL_CDN":      panelCDN,
		"npm_cdn":        npmCDN,
		"base_url":       "./",
		"login_endpoint": login,
		"LOGIN_ENDPOINT": login,
		"errormessage":   shield(english.message(p)),
		"next":           shield(p.Next),
		"username":       shield(p.Username),
		"reference":      shield(p.Reference),
		"providers":      p.providers(),
	}
	switch p.Kind {
	case Refused:
		vars["title"] = "Panel: Authorization Error"
		vars["error_type"] = "Authorization Error"
		vars["error"] = "User is not authorized."
	case Failed, Trouble:
		vars["title"] = "Panel: Authentication Error"
		vars["error_type"] = "Authentication Error"
		vars["error"] = shield(english.headline(p))
	default:
		return vars
	}
	vars["error_msg"] = shield(english.explanation(p))
	vars["oauth_logout_link"] = shield(link(p.LogoutLink))
	return vars
}

func (p Page) providers() []map[string]string {
	list := make([]map[string]string, 0, len(p.Providers))
	for _, provider := range p.Providers {
		list = append(list, map[string]string{
			"id":    shield(provider.ID),
			"label": shield(provider.Label),
			"url":   shield(link(provider.URL)),
		})
	}
	return list
}

// lastSegment of a path, with its slash: Panel's pages write ".{{ … }}" to
// stay under whatever prefix the browser sees.
func lastSegment(path string) string {
	path = strings.TrimRight(path, "/")
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[i:]
	}
	return "/" + path
}

// link lets an address through that a browser follows rather than runs.
func link(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	switch u.Scheme {
	case "", "http", "https":
		return address
	}
	return ""
}
