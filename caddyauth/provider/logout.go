// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"
)

const (
	stepRevoke = "revoking the refresh token"

	// maxHint is what still fits into a URL everywhere.
	maxHint = 6 << 10
)

// LogoutURL is where to send a visitor to end the provider's session too, if
// the provider has such a place. It comes back to postLogoutRedirect, which
// must be registered with the provider, and brings state along; both may be
// empty, and so may the ID token.
func (p *Provider) LogoutURL(ctx context.Context, idToken, postLogoutRedirect, state string) (string, bool) {
	m, err := p.about(ctx)
	if err != nil {
		m = &metadata{} // the provider is away, but signing out here must work
	}
	address := cmp.Or(p.ownLogout, m.EndSession, p.logout)
	if address == "" {
		return "", false
	}
	params := url.Values{"client_id": {p.clientID}}
	if p.row.returnToOnLogout && strings.Contains(address, "/v2/logout") {
		set(params, "returnTo", postLogoutRedirect)
		return withQuery(address, params), true
	}
	if len(idToken) <= maxHint {
		set(params, "id_token_hint", idToken)
	}
	if postLogoutRedirect != "" {
		set(params, "post_logout_redirect_uri", postLogoutRedirect)
		set(params, "state", state)
	}
	return withQuery(address, params), true
}

func set(params url.Values, name, value string) {
	if value != "" {
		params.Set(name, value)
	}
}

func withQuery(address string, params url.Values) string {
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + params.Encode()
}

// Revoke makes the refresh token useless, where the provider has a place for
// that. Without one, or without a refresh token, there is nothing to do.
func (p *Provider) Revoke(ctx context.Context, t Tokens) error {
	if t.Refresh == "" {
		return nil
	}
	m, err := p.about(ctx)
	if err != nil || m.Revocation == "" {
		return err
	}
	req, err := p.revocation(ctx, m, t.Refresh)
	if err != nil {
		return err
	}
	a, err := p.fetch(stepRevoke, req)
	if err != nil {
		return failNetwork(stepRevoke, err, t.Refresh, string(p.secret))
	}
	return a.mustBeOK(stepRevoke)
}

func (p *Provider) revocation(ctx context.Context, m *metadata, refresh string) (*http.Request, error) {
	form := url.Values{"token": {refresh}, "token_type_hint": {"refresh_token"}}
	basic := p.authStyle(m) == oauth2.AuthStyleInHeader
	if !basic {
		form.Set("client_id", p.clientID)
		set(form, "client_secret", p.sentSecret())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.Revocation, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fail(KindMisbehaved, stepRevoke, "the URL is not usable")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if basic {
		req.SetBasicAuth(url.QueryEscape(p.clientID), url.QueryEscape(p.sentSecret()))
	}
	if err := p.addAssertion(req); err != nil {
		return nil, fail(KindMisconfigured, stepRevoke, err.Error())
	}
	return req, nil
}

// Origins are the sites that the provider's pages are on, as far as it is known
// without asking.
func (p *Provider) Origins() (origins []string) {
	addresses := []string{p.issuer, p.authorize, p.ownLogout, p.logout}
	if p.metadata != nil {
		if m := p.metadata.current(); m != nil {
			addresses = append(addresses, m.Authorization, m.EndSession)
		}
	}
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Scheme == "" || u.Host == "" || strings.ContainsAny(u.Host, ";,'\"") {
			continue
		}
		if origin := u.Scheme + "://" + u.Host; !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}
