// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"slices"

	"go.uber.org/zap"
)

// Refresh renews an access token. It returns the tokens to keep from now on
// and, where they could be had, the user's current claims; nil means that the
// old ones stand. The user name stays what it was at sign-in.
//
// EndsSession tells from the error whether the session is over. After any
// other error the old tokens stand, and it may be tried again.
//
// A caller that goes away does not stop a renewal: with rotating refresh
// tokens the old one is used up by then, and the new one would be lost.
func (p *Provider) Refresh(ctx context.Context, old Tokens, id *Identity) (Tokens, map[string]any, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepsTimeout)
	defer cancel()
	if old.Refresh == "" {
		return Tokens{}, nil, fail(KindMisconfigured, stepRefresh, "there is no refresh token")
	}
	m, err := p.about(ctx)
	if err != nil {
		return Tokens{}, nil, err
	}
	fresh, err := p.exchangeRefresh(ctx, m, old.Refresh)
	if err != nil {
		return Tokens{}, nil, err
	}
	e := p.newEvidence(ctx, fresh.Access)
	if err := p.renewIDToken(ctx, m, e, old, &fresh, id); err != nil {
		return Tokens{}, nil, err
	}
	all, err := p.describeAgain(ctx, e, id)
	if err != nil {
		return Tokens{}, nil, err
	}
	return fresh, all, nil
}

// renewIDToken checks the ID token of a renewal, if there is one: it must be
// about the same account. Where there is none, or keys to verify it cannot be
// had just now, the one before stands.
func (p *Provider) renewIDToken(ctx context.Context, m *metadata, e *evidence, old Tokens, fresh *Tokens, id *Identity) error {
	if !p.openID {
		fresh.ID = ""
		return nil
	}
	previous, err := parseToken(old.ID)
	if err == nil {
		e.idToken = previous.payload // was verified when it came
	}
	if fresh.ID == "" {
		fresh.ID = old.ID
		return nil
	}
	t, err := parseToken(fresh.ID)
	if err != nil {
		return refuseToken(stepIDToken, err)
	}
	if err := t.sameAccount(m, p.clientID, e.idToken, id); err != nil {
		return err
	}
	verified, err := p.verifyIDToken(ctx, fresh.ID, t.expectAgain(e.idToken, fresh.Access))
	if err != nil && KindOf(err) == KindUnreachable {
		p.logger.Warn("ID token of a renewal cannot be verified now; keeping the one before", zap.Error(err))
		fresh.ID = old.ID
		return nil
	}
	if err != nil {
		return err
	}
	e.idToken = verified
	return nil
}

// sameAccount wants iss, sub and aud to be what they were (OpenID Connect Core
// 12.2). It looks before the signature is checked: the token came from the
// provider's own mouth, and what it says of somebody else is not for this
// session, however it is signed.
func (t *token) sameAccount(m *metadata, clientID string, before claims, id *Identity) error {
	issuer, _ := m.issuerOf(t.payload)
	iss, _ := t.payload["iss"].(string)
	if issuer != id.Issuer || iss != issuer && "https://"+iss != issuer { // Google's, again
		return changed("iss")
	}
	if sub, _ := t.payload["sub"].(string); sub != id.Subject {
		return changed("sub")
	}
	if !t.payload.has("aud", clientID) || before != nil && !sameAudience(t.payload, before) {
		return changed("aud")
	}
	return nil
}

func changed(name string) error {
	return fail(KindIdentityChanged, stepRefresh, "the new ID token has another "+name)
}

func sameAudience(a, b claims) bool {
	one, _ := a.list("aud")
	other, _ := b.list("aud")
	return slices.Equal(slices.Sorted(slices.Values(one)), slices.Sorted(slices.Values(other)))
}

// expectAgain is what a renewed ID token must agree with. It need not repeat
// the nonce, but if it does it must be the one from the sign-in.
func (t *token) expectAgain(before claims, accessToken string) expectation {
	want := expectation{accessToken: accessToken}
	if _, ok := t.payload["nonce"]; ok {
		want.nonce, _ = before["nonce"].(string)
	}
	return want
}

// describeAgain finds the user's current claims. Where that fails the old ones
// stand: the renewal has used up the refresh token, so it must not be lost for
// this. Only an answer about another account is an error.
func (p *Provider) describeAgain(ctx context.Context, e *evidence, id *Identity) (map[string]any, error) {
	if p.openID && e.idToken == nil {
		return nil, nil
	}
	info, err := p.askUserInfo(ctx, e)
	if err != nil {
		p.logger.Warn("claims cannot be renewed; keeping those before", zap.Error(err))
		return nil, nil
	}
	if got := p.subject(info); got != "" && id.Subject != "" && got != id.Subject {
		return nil, fail(KindIdentityChanged, stepRefresh, "the user's claims are about another account")
	}
	if info != nil && e.idToken != nil && !sameSubject(e.idToken, info) {
		p.logger.Warn("claims cannot be renewed: they do not say whose they are; keeping those before")
		return nil, nil
	}
	e.userInfo = info
	all, err := p.describe(ctx, e)
	if err != nil {
		p.logger.Warn("claims cannot be renewed; keeping those before", zap.Error(err))
		return nil, nil
	}
	setUser(all, id.User)
	return all, nil
}
