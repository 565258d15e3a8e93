// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// AttemptLifetime is how long a visitor may take at the provider.
const AttemptLifetime = 10 * time.Minute

const (
	stepBegin  = "beginning a sign-in"
	stepAnswer = "reading the provider's answer"

	maxCodeLength = 8 << 10
)

// Attempt is a sign-in under way. Its caller keeps it for the visitor's
// browser alone, where nobody can read or change it, and hands it to Finish
// once: an answer may arrive a second time, an attempt must not.
type Attempt struct {
	Provider    string    `json:"p"`
	State       string    `json:"s"`
	Nonce       string    `json:"n"`
	Verifier    string    `json:"v"`
	RedirectURI string    `json:"r"`
	Begun       time.Time `json:"t"`
	// URL is where to send the visitor.
	URL string `json:"-"`
}

// String hides the attempt: who knows it can finish it.
func (Attempt) String() string { return redacted }

// GoString hides the attempt from %#v.
func (Attempt) GoString() string { return redacted }

// Begin starts a sign-in that will come back to redirectURI. It asks the
// network only for a discovery document that is not there yet.
func (p *Provider) Begin(ctx context.Context, redirectURI string) (Attempt, error) {
	return p.begin(ctx, redirectURI, false)
}

func (p *Provider) begin(ctx context.Context, redirectURI string, another bool) (Attempt, error) {
	if p.UsesPassword() {
		return Attempt{}, fail(KindMisconfigured, stepBegin, "this provider takes passwords only")
	}
	if err := checkURL(redirectURI); err != nil {
		return Attempt{}, fail(KindMisconfigured, stepBegin, "the redirect URI "+err.Error())
	}
	m := &metadata{Authorization: p.authorize}
	if p.authorize == "" || p.wantsOfflineScope() {
		var err error
		if m, err = p.about(ctx); err != nil {
			return Attempt{}, err
		}
	}
	a := Attempt{
		Provider:    p.id,
		State:       randomText(),
		Nonce:       randomText(),
		Verifier:    oauth2.GenerateVerifier(),
		RedirectURI: redirectURI,
		Begun:       p.now(),
	}
	var more []oauth2.AuthCodeOption
	if prompt := p.promptForAnother(m); another && prompt != "" {
		more = append(more, oauth2.SetAuthURLParam("prompt", withConfigured(prompt, p.params["prompt"])))
	}
	a.URL = p.authorizationURL(m, a, more...)
	return a, nil
}

func (p *Provider) authorizationURL(m *metadata, a Attempt, more ...oauth2.AuthCodeOption) string {
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(a.Verifier)}
	for name, value := range p.params {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	if slices.Contains(p.scopes, oidc.ScopeOpenID) {
		options = append(options, oidc.Nonce(a.Nonce))
	}
	return p.oauth2Config(m, a.RedirectURI).AuthCodeURL(a.State, append(options, more...)...)
}

// wantsOfflineScope says whether offline_access may have to be added: it is
// what OpenID Connect gives refresh tokens for, and no row but oidc leaves to
// be found out.
func (p *Provider) wantsOfflineScope() bool {
	return p.refreshTokens && !p.ownScopes && p.row.family == familyOpenID
}

func (p *Provider) scopesFor(m *metadata) []string {
	known := len(m.Scopes) == 0 || slices.Contains(m.Scopes, oidc.ScopeOfflineAccess)
	if p.wantsOfflineScope() && known && !slices.Contains(p.scopes, oidc.ScopeOfflineAccess) {
		return append(slices.Clone(p.scopes), oidc.ScopeOfflineAccess)
	}
	return p.scopes
}

// randomText is 256 bits nobody can guess.
func randomText() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails, says its documentation
	return base64.RawURLEncoding.EncodeToString(b)
}

// Finish takes the parameters that the visitor came back with, exchanges the
// code for tokens and finds out who signed in. Nothing is asked of the
// provider for an answer that does not belong to the attempt.
func (p *Provider) Finish(ctx context.Context, a Attempt, params url.Values) (*Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, stepsTimeout)
	defer cancel()
	if err := p.checkAttempt(a, params); err != nil {
		return nil, err
	}
	m, err := p.about(ctx)
	if err != nil {
		return nil, err
	}
	code, err := p.checkParams(m, params)
	if err != nil {
		return nil, err
	}
	t, err := p.exchange(ctx, m, a, code)
	if err != nil {
		return nil, err
	}
	want := expectation{code: code, accessToken: t.Access, demands: true}
	if p.openID {
		want.nonce = a.Nonce
	}
	return p.identify(ctx, t, want)
}

// checkAttempt wants the answer to be to this attempt, and the attempt to be
// this provider's and not too old.
func (p *Provider) checkAttempt(a Attempt, params url.Values) error {
	for _, name := range []string{"state", "code", "iss", "error", "error_description"} {
		if len(params[name]) > 1 {
			return fail(KindState, stepAnswer, "it has "+name+" more than once")
		}
	}
	state := params.Get("state")
	if a.State == "" || a.Verifier == "" || subtle.ConstantTimeCompare([]byte(state), []byte(a.State)) != 1 {
		return fail(KindState, stepAnswer, "its state is not this sign-in's")
	}
	if a.Provider != p.id {
		return fail(KindState, stepAnswer, "the sign-in was begun with another provider")
	}
	if age := p.now().Sub(a.Begun); age > AttemptLifetime || age < -ClockSkew {
		return fail(KindExpired, stepAnswer, "the sign-in was begun too long ago")
	}
	return nil
}

// checkParams finds the code in an answer that belongs to the attempt. The
// issuer comes first: an answer from elsewhere says nothing, not even no.
func (p *Provider) checkParams(m *metadata, params url.Values) (string, error) {
	iss := params.Get("iss")
	switch {
	case m.Issuer == "": // not a provider that would have a name
	case iss == "" && m.NamesIssuer:
		return "", fail(KindState, stepAnswer, "it does not say which issuer it is from")
	case iss != "" && !m.names(iss):
		return "", fail(KindState, stepAnswer, "it is from another issuer")
	}
	if params.Has("error") {
		return "", answeredError(params)
	}
	code := params.Get("code")
	if code == "" || len(code) > maxCodeLength {
		return "", fail(KindMisbehaved, stepAnswer, "it has no usable code")
	}
	return code, nil
}

// answeredError is the provider's refusal, as OAuth and OpenID Connect name
// them.
func answeredError(params url.Values) *Error {
	e := &Error{
		Kind:   KindMisbehaved,
		Step:   stepAnswer,
		Code:   errorCode(params.Get("error")),
		Detail: clean(params.Get("error_description"), params.Get("state"), params.Get("code")),
	}
	switch e.Code {
	case "access_denied", "login_required", "consent_required", "interaction_required", "account_selection_required":
		e.Kind = KindDenied
	case "temporarily_unavailable", "server_error":
		e.Kind = KindUnreachable
	case "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope",
		"redirect_uri_mismatch", "application_suspended", "invalid_client":
		e.Kind = KindMisconfigured
	}
	return e
}

// Password signs somebody in with a user name and a password, which only the
// provider named password does.
func (p *Provider) Password(ctx context.Context, username, password string) (*Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, stepsTimeout)
	defer cancel()
	if !p.UsesPassword() {
		return nil, fail(KindMisconfigured, stepPassword, "this provider takes no passwords")
	}
	if username == "" || password == "" || len(username) > maxCredential || len(password) > maxCredential {
		return nil, fail(KindBadCredentials, stepPassword, "the user name or the password is empty or too long")
	}
	m, err := p.about(ctx)
	if err != nil {
		return nil, err
	}
	t, err := p.exchangePassword(ctx, m, username, password)
	if err != nil {
		return nil, err
	}
	return p.identify(ctx, t, expectation{accessToken: t.Access})
}
