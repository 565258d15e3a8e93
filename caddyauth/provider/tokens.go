// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

const (
	stepExchange = "exchanging the code"
	stepPassword = "sending the password"
	stepRefresh  = "renewing the tokens"

	maxCredential = 1 << 10
)

// Tokens are what the provider gave for a sign-in. ID is there only if it has
// been verified.
type Tokens struct {
	Access  string
	Refresh string
	ID      string
	Type    string
	Expiry  time.Time // of the access token; zero: not known
}

// String hides the tokens from fmt and from loggers.
func (Tokens) String() string { return redacted }

// GoString hides the tokens from %#v.
func (Tokens) GoString() string { return redacted }

func (p *Provider) oauth2Config(m *metadata, redirectURI string) *oauth2.Config {
	return &oauth2.Config{
		ClientID:     p.clientID,
		ClientSecret: p.sentSecret(),
		Endpoint:     oauth2.Endpoint{AuthURL: m.Authorization, TokenURL: m.Token, AuthStyle: p.authStyle(m)},
		RedirectURL:  redirectURI,
		Scopes:       p.scopesFor(m),
	}
}

// grant runs one request for tokens with x/oauth2, on our transport and within
// our time.
func (p *Provider) grant(ctx context.Context, step string, ask func(context.Context) (*oauth2.Token, error), secrets ...string) (Tokens, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	client := *p.client
	client.Transport = tokenTransport{p}
	answer, err := ask(context.WithValue(ctx, oauth2.HTTPClient, &client))
	if err != nil {
		return Tokens{}, p.grantError(step, err, append(secrets, string(p.secret)))
	}
	return p.tokensOf(step, answer)
}

func (p *Provider) exchange(ctx context.Context, m *metadata, a Attempt, code string) (Tokens, error) {
	return p.grant(ctx, stepExchange, func(ctx context.Context) (*oauth2.Token, error) {
		return p.oauth2Config(m, a.RedirectURI).Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	}, code, a.Verifier, a.State, a.Nonce)
}

func (p *Provider) exchangePassword(ctx context.Context, m *metadata, username, password string) (Tokens, error) {
	return p.grant(ctx, stepPassword, func(ctx context.Context) (*oauth2.Token, error) {
		return p.oauth2Config(m, "").PasswordCredentialsToken(ctx, username, password)
	}, password)
}

func (p *Provider) exchangeRefresh(ctx context.Context, m *metadata, refresh string) (Tokens, error) {
	return p.grant(ctx, stepRefresh, func(ctx context.Context) (*oauth2.Token, error) {
		return p.oauth2Config(m, "").TokenSource(ctx, &oauth2.Token{RefreshToken: refresh}).Token()
	}, refresh)
}

// tokensOf takes over an answer, if its access token is of the kind that goes
// into an Authorization header as it is.
func (p *Provider) tokensOf(step string, answer *oauth2.Token) (Tokens, error) {
	idToken, _ := answer.Extra("id_token").(string)
	t := Tokens{Access: answer.AccessToken, Refresh: answer.RefreshToken, ID: idToken, Type: answer.Type()}
	if t.Type != "Bearer" {
		return Tokens{}, fail(KindMisbehaved, step, "the access token is not a bearer token")
	}
	for _, token := range []string{t.Access, t.Refresh} {
		if len(token) > maxToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return Tokens{}, fail(KindMisbehaved, step, "a token is too long or has characters that tokens cannot have")
		}
	}
	t.Expiry = p.expiry(answer)
	return t, nil
}

// expiry is when the access token ends, by our clock. Where the answer does
// not say it, a JWT may.
func (p *Provider) expiry(answer *oauth2.Token) time.Time {
	seconds := answer.ExpiresIn
	if v, ok := answer.Extra("expires_in").(int64); ok { // of an answer that is a form
		seconds = v
	}
	const tooLong = 10 * 365 * 24 * 60 * 60
	if seconds > 0 {
		return p.now().Add(time.Duration(min(seconds, tooLong)) * time.Second)
	}
	if t, err := parseToken(answer.AccessToken); err == nil {
		if exp, ok := t.payload.date("exp"); ok {
			return exp
		}
	}
	return time.Time{}
}

// grantError sorts what went wrong at the token endpoint.
func (p *Provider) grantError(step string, err error, secrets []string) error {
	var refusal *oauth2.RetrieveError
	if errors.As(err, &refusal) {
		return p.refused(step, refusal, secrets)
	}
	e := failNetwork(step, err, secrets...)
	// x/oauth2 has no type for an answer that it cannot use.
	if strings.HasPrefix(err.Error(), "oauth2: ") {
		e.Kind = KindMisbehaved
	}
	return e
}

// refused reads an error answer. Of its body only the fields that OAuth
// defines are looked at; the rest could hold anything.
func (p *Provider) refused(step string, refusal *oauth2.RetrieveError, secrets []string) error {
	status := refusal.Response.StatusCode
	e := &Error{
		Kind:   KindMisbehaved,
		Step:   step,
		Code:   errorCode(refusal.ErrorCode),
		Detail: clean(refusal.ErrorDescription, secrets...),
	}
	if e.Detail == "" {
		e.Detail = statusDetail(status)
	}
	switch {
	case e.Code == "invalid_grant" || slices.Contains(p.row.deadGrantCodes, e.Code):
		e.Kind = deadGrant(step)
	case e.Code == "temporarily_unavailable" || e.Code == "server_error":
		e.Kind = KindUnreachable
	case slices.Contains(clientErrors, e.Code) || e.Code == "" && status == http.StatusUnauthorized:
		e.Kind = KindMisconfigured
	case outOfOrder(status):
		e.Kind = KindUnreachable
	case e.Code != "":
		e.Kind = KindDenied // by a rule of the provider's own
	}
	return e
}

// clientErrors are the codes that say the client is not set up right.
var clientErrors = []string{
	"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_request",
	"incorrect_client_credentials", "redirect_uri_mismatch",
}

// deadGrant is what it means that a grant is not good, or no longer.
func deadGrant(step string) Kind {
	switch step {
	case stepPassword:
		return KindBadCredentials
	case stepRefresh:
		return KindInvalidGrant
	default:
		return KindExpired
	}
}
