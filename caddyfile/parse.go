// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"errors"
	"slices"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/panelauth/caddy-panelauth/caddyauth"
)

// subdirective is something that a panelauth block may hold.
type subdirective struct {
	name string
	// takes says what follows the name. Errors say this and never what was
	// written, which may be a secret.
	takes string
	parse parseFunc
}

// parseFunc reads what follows a subdirective's name into the handler. It need
// not look whether anything is left over: read does.
type parseFunc func(line *caddyfile.Dispenser, handler *caddyauth.Handler) error

// errArguments is a parseFunc's answer to arguments that are too few, too many
// or of the wrong kind.
var errArguments = errors.New("wrong arguments")

// noPlaceholder is said of numbers, which are numbers in JSON as well.
const noPlaceholder = " (an environment variable is written {$NAME} here)"

// subdirectives are in the order of the syntax above parseDirective.
var subdirectives = []subdirective{
	{"basic_auth", "one password or one file, in quotes if it has spaces, or a block of accounts with a user name and a password or hash on each line", parseBasicAuth},
	{"oauth_encryption_key", "one Fernet key", text(func(h *caddyauth.Handler) *string { return &h.OAuthEncryptionKey })},
	{"oauth_expiry_days", "a number of days greater than 0, such as 1 or 0.5" + noPlaceholder, days(func(h *caddyauth.Handler) *float64 { return &h.OAuthExpiryDays })},

	{"oauth_optional", "no value", flag(func(h *caddyauth.Handler) *bool { return &h.OAuthOptional })},
	{"oauth_guest_endpoints", "one or more paths", texts(func(h *caddyauth.Handler) *[]string { return &h.OAuthGuestEndpoints })},

	{"login_endpoint", "one path", text(func(h *caddyauth.Handler) *string { return &h.LoginEndpoint })},
	{"logout_endpoint", "one path", text(func(h *caddyauth.Handler) *string { return &h.LogoutEndpoint })},
	{"basic_login_template", "one file", text(func(h *caddyauth.Handler) *string { return &h.BasicLoginTemplate })},
	{"logout_template", "one file", text(func(h *caddyauth.Handler) *string { return &h.LogoutTemplate })},
	{"auth_template", "one file", text(func(h *caddyauth.Handler) *string { return &h.AuthTemplate })},
	{"oauth_error_template", "one file", text(func(h *caddyauth.Handler) *string { return &h.OAuthErrorTemplate })},

	{"cookie_secret", "one secret and, after it, older ones that are still accepted", texts(func(h *caddyauth.Handler) *[]string { return &h.CookieSecret })},
	{"cookie_path", "one path", text(func(h *caddyauth.Handler) *string { return &h.CookiePath })},
	{"cookie_domain", "one domain", text(func(h *caddyauth.Handler) *string { return &h.CookieDomain })},
	{"cookie_name", "one name", text(func(h *caddyauth.Handler) *string { return &h.CookieName })},
	{"cookie_same_site", "one of lax, strict and none", text(func(h *caddyauth.Handler) *string { return &h.CookieSameSite })},
	{"session_store", "one of storage and cookie", text(func(h *caddyauth.Handler) *string { return &h.SessionStore })},
	{"session_idle", "a duration greater than 0, such as 30m" + noPlaceholder, parseSessionIdle},
	{"remember_me", "a number of days greater than 0, such as 30" + noPlaceholder, days(func(h *caddyauth.Handler) *float64 { return &h.RememberMe })},
	{"login_attempts", "a number of failures and a duration, both greater than 0, such as 5 2m" + noPlaceholder, parseLoginAttempts},

	{"panel_cookies", "off, or the names of cookies, with encrypted before them to wrap tokens", texts(func(h *caddyauth.Handler) *[]string { return &h.PanelCookies })},
	{"identity_headers", "nothing, or a block with a header and a claim on each line", parseIdentityHeaders},
	{"websocket_origin", "one origin, such as https://example.com", text(func(h *caddyauth.Handler) *string { return &h.WebsocketOrigin })},
	{"websocket_allowed_origins", "one or more origins, such as https://example.com", texts(func(h *caddyauth.Handler) *[]string { return &h.WebsocketAllowedOrigins })},
}

// segments remembers what was written for each subdirective, and under the
// empty name the directive itself.
type segments map[string]caddyfile.Segment

// parseHandler reads a directive whose matcher has been taken out.
func parseHandler(d *caddyfile.Dispenser) (*caddyauth.Handler, segments, error) {
	d.Next() // the directive's name
	handler := new(caddyauth.Handler)
	written := segments{"": {d.Token()}}
	if d.NextArg() {
		return nil, nil, d.Err("panelauth takes at most a matcher before its block: *, a path that begins with '/', or @ and a name")
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		known, err := lookUp(d)
		if err != nil {
			return nil, nil, err
		}
		if written[known.name] != nil {
			return nil, nil, d.Errf("%s given twice", known.name)
		}
		written[known.name] = d.NextSegment()
		if err := known.read(written[known.name], handler); err != nil {
			return nil, nil, err
		}
	}
	return handler, written, nil
}

// lookUp finds the subdirective that stands at d.
func lookUp(d *caddyfile.Dispenser) (subdirective, error) {
	for _, known := range subdirectives {
		if known.name == d.Val() {
			return known, nil
		}
	}
	return subdirective{}, d.Errf("unrecognized subdirective '%s'%s", d.Val(), suggestion(d.Val()))
}

// read takes in the subdirective with its arguments and its block.
func (s subdirective) read(segment caddyfile.Segment, handler *caddyauth.Handler) error {
	line := caddyfile.NewDispenser(segment)
	line.Next() // the subdirective's name
	if slices.ContainsFunc(segment, func(token caddyfile.Token) bool { return token.Text == "" }) {
		return line.Errf("%s has an empty value: give one or leave the subdirective out", s.name)
	}
	err := s.parse(line, handler)
	if errors.Is(err, errArguments) || err == nil && line.Next() {
		return line.Errf("%s takes %s", s.name, s.takes)
	}
	return err
}
