// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"strings"
	"testing"
)

func TestSuggestion(t *testing.T) {
	tests := map[string]string{
		"basicauth":                "basic_auth",
		"basic-auth":               "basic_auth",
		"--basic-auth":             "basic_auth",
		"--oauth-guest-endpoints":  "oauth_guest_endpoints",
		"Cookie_Secret":            "cookie_secret",
		"coookie_secret":           "cookie_secret",
		"logn_endpoint":            "login_endpoint",
		"oauth_login_endpoint":     "login_endpoint",
		"jwt_user":                 "oauth_jwt_user",
		"client_id":                "oauth_key",
		"session_timeout":          "",
		"reverse_proxy":            "",
		"{":                        "",
		"":                         "",
		strings.Repeat("x", 1<<20): "",
	}
	for unknown, expected := range tests {
		t.Run(unknown[:min(len(unknown), 30)], func(t *testing.T) {
			if expected != "" {
				expected = ", did you mean '" + expected + "'?"
			}
			if got := suggestion(unknown, subdirectives); got != expected {
				t.Errorf("got %q, wanted %q", got, expected)
			}
		})
	}
}

func TestSuggestionOfOption(t *testing.T) {
	tests := map[string]string{
		"oauth_key":          "key",
		"client_id":          "key",
		"client_secret":      "secret",
		"issuer":             "extra_params",
		"redirect-uri":       "redirect_uri",
		"oauth_extra_params": "extra_params",
		"tenant":             "",
	}
	for unknown, expected := range tests {
		t.Run(unknown, func(t *testing.T) {
			if expected != "" {
				expected = ", did you mean '" + expected + "'?"
			}
			if got := suggestion(unknown, providerOptions); got != expected {
				t.Errorf("got %q, wanted %q", got, expected)
			}
		})
	}
}
