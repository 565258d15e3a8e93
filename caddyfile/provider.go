// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/panelauth/caddy-panelauth/caddyauth"
)

// extraParams is what both extra_params and oauth_extra_params take.
const extraParams = "a block with a parameter and one value, in quotes if it has spaces, on each line"

// providerOptions are in the order of the syntax above parseDirective.
var providerOptions = []entry[caddyauth.OAuthProvider]{
	{"key", "one client id", text(func(p *caddyauth.OAuthProvider) *string { return &p.Key })},
	{"secret", "one client secret", text(func(p *caddyauth.OAuthProvider) *string { return &p.Secret })},
	{"redirect_uri", "one address, such as https://example.com/login", text(func(p *caddyauth.OAuthProvider) *string { return &p.RedirectURI })},
	{"scope", "one or more scopes", texts(func(p *caddyauth.OAuthProvider) *[]string { return &p.Scope })},
	{"jwt_user", "one claim", text(func(p *caddyauth.OAuthProvider) *string { return &p.JWTUser })},
	{"label", "one text, in quotes if it has spaces", text(func(p *caddyauth.OAuthProvider) *string { return &p.Label })},
	{"groups_claim", "one claim", text(func(p *caddyauth.OAuthProvider) *string { return &p.GroupsClaim })},
	{"allow_unverified_email", "no value", flag(func(p *caddyauth.OAuthProvider) *bool { return &p.AllowUnverifiedEmail })},
	{"extra_params", extraParams, params(func(p *caddyauth.OAuthProvider) *map[string]string { return &p.ExtraParams })},
}

func parseOAuthProvider(line *caddyfile.Dispenser, handler *caddyauth.Handler) error {
	names := line.RemainingArgs()
	if len(names) < 1 || len(names) > 2 {
		return errArguments
	}
	if err := refuseEmpty(names...); err != nil {
		return err
	}
	provider := caddyauth.OAuthProvider{Name: names[0]}
	if len(names) > 1 {
		provider.ID = names[1]
	}
	const whose = " of oauth_provider (what only some providers take goes into extra_params)"
	_, err := parseBlock(line, whose, providerOptions, &provider)
	handler.OAuthProvider = append(handler.OAuthProvider, provider)
	return err
}
