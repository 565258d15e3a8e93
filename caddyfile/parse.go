// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"errors"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/panelauth/caddy-panelauth/caddyauth"
)

// entry is something that a block may hold: a subdirective of panelauth, which
// fills a handler, or an option of one of its subdirectives.
type entry[T any] struct {
	name string
	// takes says what follows the name. Errors say this and never what was
	// written, which may be a secret.
	takes string
	parse parseFunc[T]
}

// parseFunc reads what follows an entry's name. It need not look whether
// anything is left over: read does.
type parseFunc[T any] func(line *caddyfile.Dispenser, target *T) error

// errArguments is a parseFunc's answer to arguments that are too few, too many
// or of the wrong kind, and errEmpty to one that is there and empty.
var (
	errArguments = errors.New("wrong arguments")
	errEmpty     = errors.New("empty value")
)

// subdirectives are in the order of the syntax above parseDirective.
var subdirectives = []entry[caddyauth.Handler]{
	{"basic_auth", "one password or one file, in quotes if it has spaces, or a block of accounts with a user name and a password or hash on each line", parseBasicAuth},
	{oauthProvider, "the name of a provider, and then an id or a block of options or both", parseOAuthProvider},
	{"oauth_key", "one client id", text(func(h *caddyauth.Handler) *string { return &h.OAuthKey })},
	{"oauth_secret", "one client secret", text(func(h *caddyauth.Handler) *string { return &h.OAuthSecret })},
	{"oauth_redirect_uri", "one address, such as https://example.com/login", text(func(h *caddyauth.Handler) *string { return &h.OAuthRedirectURI })},
	{"oauth_jwt_user", "one claim", text(func(h *caddyauth.Handler) *string { return &h.OAuthJWTUser })},
	{"oauth_extra_params", extraParams, params(func(h *caddyauth.Handler) *map[string]string { return &h.OAuthExtraParams })},
	{"oauth_encryption_key", "one Fernet key", text(func(h *caddyauth.Handler) *string { return &h.OAuthEncryptionKey })},
	{"oauth_refresh_tokens", "no value", flag(func(h *caddyauth.Handler) *bool { return &h.OAuthRefreshTokens })},
	{"oauth_expiry_days", "a number of days greater than 0, such as 1 or 0.5", days(func(h *caddyauth.Handler) *caddyauth.Number { return &h.OAuthExpiryDays })},
	{"logout_provider", "off, or is left out", text(func(h *caddyauth.Handler) *string { return &h.LogoutProvider })},
	{"token_endpoint", "no value", flag(func(h *caddyauth.Handler) *bool { return &h.TokenEndpoint })},

	{"oauth_optional", "no value", flag(func(h *caddyauth.Handler) *bool { return &h.OAuthOptional })},
	{"oauth_guest_endpoints", "one or more paths", texts(func(h *caddyauth.Handler) *[]string { return (*[]string)(&h.OAuthGuestEndpoints) })},

	{authorize, "one file, or a block of rules", skipRules},

	{"login_endpoint", "one path", text(func(h *caddyauth.Handler) *string { return &h.LoginEndpoint })},
	{"logout_endpoint", "one path", text(func(h *caddyauth.Handler) *string { return &h.LogoutEndpoint })},
	{"basic_login_template", "one file", text(func(h *caddyauth.Handler) *string { return &h.BasicLoginTemplate })},
	{"logout_template", "one file", text(func(h *caddyauth.Handler) *string { return &h.LogoutTemplate })},
	{"auth_template", "one file", text(func(h *caddyauth.Handler) *string { return &h.AuthTemplate })},
	{"oauth_error_template", "one file", text(func(h *caddyauth.Handler) *string { return &h.OAuthErrorTemplate })},
	{"branding", "a block with title, logo, accent or notice on each line", parseBranding},
	{"session_notice", "no value", flag(func(h *caddyauth.Handler) *bool { return &h.SessionNotice })},

	{"cookie_secret", "one secret and, after it, older ones that are still accepted", texts(func(h *caddyauth.Handler) *[]string { return (*[]string)(&h.CookieSecret) })},
	{"cookie_path", "one path", text(func(h *caddyauth.Handler) *string { return &h.CookiePath })},
	{"cookie_domain", "one domain", text(func(h *caddyauth.Handler) *string { return &h.CookieDomain })},
	{"cookie_name", "one name", text(func(h *caddyauth.Handler) *string { return &h.CookieName })},
	{"cookie_same_site", "one of lax, strict and none", text(func(h *caddyauth.Handler) *string { return &h.CookieSameSite })},
	{"session_store", "one of storage and cookie, or redis and a URL such as redis://localhost:6379", parseSessionStore},
	{"session_idle", "a duration greater than 0, such as 30m", parseSessionIdle},
	{"remember_me", "a number of days greater than 0, such as 30", days(func(h *caddyauth.Handler) *caddyauth.Number { return &h.RememberMe })},
	{"login_attempts", "a number of failures and a duration, both greater than 0, such as 5 2m", parseLoginAttempts},

	{"basic_auth_header", "no value", flag(func(h *caddyauth.Handler) *bool { return &h.BasicAuthHeader })},
	{bearer, "the id of an oauth_provider, and then a block with audience or nothing", parseBearer},
	{"cors_preflight", "one or more origins, such as https://example.com", texts(func(h *caddyauth.Handler) *[]string { return (*[]string)(&h.CORSPreflight) })},

	{"panel_cookies", "off, or any of user, id_token, access_token, refresh_token and oauth_expiry, with encrypted before them to wrap tokens", texts(func(h *caddyauth.Handler) *[]string { return (*[]string)(&h.PanelCookies) })},
	{"identity_headers", "nothing, or a block with a header and a claim on each line", parseIdentityHeaders},
	{"websocket_origin", "one origin, such as https://example.com", text(func(h *caddyauth.Handler) *string { return &h.WebsocketOrigin })},
	{"websocket_allowed_origins", "one or more origins, such as https://example.com", texts(func(h *caddyauth.Handler) *[]string { return (*[]string)(&h.WebsocketAllowedOrigins) })},
}

// oauthProvider and bearer alone may be given more than once.
const (
	oauthProvider = "oauth_provider"
	bearer        = "bearer"
)

// segments remembers what was written for each entry of a block, as often as it
// was given.
type segments map[string][]caddyfile.Segment

// parseHandler reads a directive whose matcher has been taken out. Its name is
// remembered as a segment without a name.
func parseHandler(d *caddyfile.Dispenser) (*caddyauth.Handler, segments, error) {
	d.Next() // the directive's name
	name := d.Token()
	if d.NextArg() {
		return nil, nil, d.Err("panelauth takes at most a matcher before its block: *, a path that begins with '/', or @ and a name")
	}
	handler := new(caddyauth.Handler)
	written, err := parseBlock(d, "", subdirectives, handler)
	if err != nil {
		return nil, nil, err
	}
	written[""] = []caddyfile.Segment{{name}}
	return handler, written, nil
}

// parseBlock reads the block at d, if there is one. Errors about entries that
// do not exist say whose they are not.
func parseBlock[T any](d *caddyfile.Dispenser, whose string, known []entry[T], target *T) (segments, error) {
	written := make(segments)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		i := slices.IndexFunc(known, func(e entry[T]) bool { return e.name == d.Val() })
		if i < 0 {
			return nil, d.Errf("unrecognized subdirective '%s'%s%s", d.Val(), whose, suggestion(d.Val(), known))
		}
		name := known[i].name
		if written[name] != nil && name != oauthProvider && name != bearer {
			return nil, d.Errf("%s given twice", name)
		}
		segment := d.NextSegment()
		written[name] = append(written[name], segment)
		if err := known[i].read(segment, target); err != nil {
			return nil, err
		}
	}
	return written, nil
}

// read takes in the entry with its arguments and its block.
func (e entry[T]) read(segment caddyfile.Segment, target *T) error {
	line := caddyfile.NewDispenser(segment)
	line.Next() // the entry's name
	err := e.parse(line, target)
	switch {
	case errors.Is(err, errEmpty):
		return line.Errf("%s has an empty value: give one or leave the subdirective out", e.name)
	case errors.Is(err, errArguments) && len(segment) == 1 && strings.HasPrefix(e.takes, "one "):
		return line.Errf("%s takes %s, but nothing is there (if it is a variable {$NAME}, that is not set)", e.name, e.takes)
	case errors.Is(err, errArguments) || err == nil && line.Next():
		return line.Errf("%s takes %s", e.name, e.takes)
	}
	return err
}
