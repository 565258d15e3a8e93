// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/panelauth/caddy-panelauth/caddyauth"
)

func TestRefuseMistakes(t *testing.T) {
	const input = `panelauth {
		basic_auth ./users.json
		auth_template {env.PAGES}/refused.html
		oauth_provider github
		oauth_provider gitlab work {
			key a
		}
		oauth_secret {env.CLIENT_SECRET}
	}`
	tests := map[string]struct {
		mistake  caddyauth.Mistake
		expected string // empty: left to whoever loads the configuration
	}{
		"at its line": {
			caddyauth.Mistake{Subdirective: "basic_auth", Err: errors.New("wrong")},
			"basic_auth: wrong, at Caddyfile:2",
		},
		"with a placeholder": {
			caddyauth.Mistake{Subdirective: "auth_template", Err: errors.New("wrong")},
			"auth_template: wrong, at Caddyfile:3",
		},
		"of the whole": {
			caddyauth.Mistake{Err: errors.New("wrong")},
			"wrong, at Caddyfile:1",
		},
		"of something not written": {
			caddyauth.Mistake{Subdirective: "cookie_name", Err: errors.New("wrong")},
			"cookie_name: wrong, at Caddyfile:1",
		},
		"here, without a placeholder": {
			caddyauth.Mistake{Subdirective: "basic_auth", Err: fs.ErrNotExist, Local: true},
			"basic_auth: file does not exist, at Caddyfile:2",
		},
		"here, with a placeholder": {
			caddyauth.Mistake{Subdirective: "auth_template", Err: fs.ErrNotExist, Local: true},
			"",
		},
		"here, where it may not be read": {
			caddyauth.Mistake{Subdirective: "basic_auth", Err: fmt.Errorf("opening: %w", fs.ErrPermission), Local: true},
			"",
		},
		"of the first provider": {
			caddyauth.Mistake{Subdirective: "oauth_provider", Err: errors.New("wrong")},
			"oauth_provider: wrong, at Caddyfile:4",
		},
		"of the second provider": {
			caddyauth.Mistake{Subdirective: "oauth_provider", Entry: 1, Err: errors.New("wrong")},
			"oauth_provider: wrong, at Caddyfile:5",
		},
		"of a provider, with a placeholder beside it": {
			caddyauth.Mistake{Subdirective: "oauth_provider", Err: errors.New("wrong"), Local: true},
			"",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tokens, err := caddyfile.Tokenize([]byte(input), "Caddyfile")
			if err != nil {
				t.Fatal(err)
			}
			_, written, err := parseHandler(caddyfile.NewDispenser(tokens))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := refuseMistakes([]caddyauth.Mistake{test.mistake}, written); err != nil {
				got = err.Error()
			}
			if got != test.expected {
				t.Errorf("got %q, wanted %q", got, test.expected)
			}
		})
	}
}
