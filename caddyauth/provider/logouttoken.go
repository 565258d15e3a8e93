// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	stepLogoutToken = "checking the logout token"

	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

	// A token without exp is good for so long, which is the most that the
	// specification recommends.
	logoutLifetime = 2 * time.Minute
	// LogoutTokenLifetime is how long a token can be good at most, whatever it
	// says, counted from when it was issued: so long, and for the clocks'
	// difference, its jti must be remembered.
	LogoutTokenLifetime = 15 * time.Minute
)

// Logout is what a provider says of sessions that are over: those of a subject
// or, with a SID, the one of its sessions that has it.
type Logout struct {
	Issuer  string
	Subject string // may be empty if there is a SID
	SID     string // may be empty if there is a Subject
	TokenID string // to tell a token that comes twice

	// When the provider said so, in whole seconds of its clock. Sessions that
	// began more than ClockSkew later are not meant.
	IssuedAt time.Time
}

// ErrNotAddressed means that a logout token is of another issuer or for another
// client. A provider configured beside this one may be the one that is meant.
var ErrNotAddressed = errors.New("it is not of this issuer and for this client")

// VerifyLogoutToken checks a logout token as OpenID Connect Back-Channel Logout
// 1.0, section 2.6 says. Whether it comes for the first time is the caller's to
// find out. An Error of KindUnreachable says nothing about the token.
func (p *Provider) VerifyLogoutToken(ctx context.Context, raw string) (*Logout, error) {
	t, err := parseToken(raw)
	if err != nil {
		return nil, refuseToken(stepLogoutToken, err)
	}
	if p.metadata == nil {
		return nil, ErrNotAddressed // it has no issuer, so nobody can speak for it
	}
	m, err := p.about(ctx)
	if err != nil {
		return nil, err
	}
	issuer, ok := m.issuerOf(t.payload)
	if !ok || t.payload["iss"] != issuer || !t.payload.has("aud", p.clientID) {
		return nil, ErrNotAddressed
	}
	if err := p.checkLogoutToken(ctx, m, t, raw); err != nil {
		return nil, refuseToken(stepLogoutToken, err)
	}
	out := &Logout{Issuer: issuer}
	out.Subject, _ = t.payload["sub"].(string)
	out.SID, _ = t.payload["sid"].(string)
	out.TokenID, _ = t.payload["jti"].(string)
	out.IssuedAt, _ = t.payload.date("iat")
	return out, nil
}

// checkLogoutToken checks what the token says, which costs nothing, and then its
// signature.
func (p *Provider) checkLogoutToken(ctx context.Context, m *metadata, t *token, raw string) error {
	for _, check := range []func() error{
		t.checkLogoutType,
		func() error { return t.checkLogoutTimes(p.now()) },
		t.checkLogoutClaims,
		t.checkLogoutEvent,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	source := &keySource{keys: p.keys}
	_, err := p.logoutVerifier(m, source).Verify(ctx, raw)
	if source.failure != nil {
		return source.failure
	}
	return err
}

// checkLogoutType refuses tokens that say they are something else. Providers
// older than the type logout+jwt say JWT, as for every token.
func (t *token) checkLogoutType() error {
	typ, said := t.header["typ"]
	if !said || slices.Contains([]string{"jwt", "logout+jwt"}, mediaTypeOf(typ)) {
		return nil
	}
	return errors.New("it is of another type")
}

// checkLogoutTimes wants a token that is good until exp or, without one, for a
// short while.
func (t *token) checkLogoutTimes(now time.Time) error {
	iat, err := t.checkBeginning(now)
	if err != nil {
		return err
	}
	end := iat.Add(logoutLifetime)
	if _, said := t.payload["exp"]; said {
		var ok bool
		if end, ok = t.payload.date("exp"); !ok {
			return errors.New("its exp is not a time")
		}
	}
	if latest := iat.Add(LogoutTokenLifetime); end.After(latest) {
		end = latest
	}
	if !now.Before(end.Add(ClockSkew)) {
		return errors.New("it has expired")
	}
	return nil
}

// checkLogoutClaims wants to know whose session is over, and what makes the
// token another than all others.
func (t *token) checkLogoutClaims() error {
	if _, said := t.payload["nonce"]; said {
		return errors.New("it has a nonce, as an ID token has") // which may be one
	}
	whose := 0
	for _, name := range []string{"sub", "sid"} {
		v, said := t.payload[name]
		if !said {
			continue
		}
		if text, ok := v.(string); !ok || text == "" || len(text) > maxSubject {
			return fmt.Errorf("its %s is not usable", name)
		}
		whose++
	}
	if whose == 0 {
		return errors.New("it has neither sub nor sid")
	}
	if id, ok := t.payload["jti"].(string); !ok || id == "" || len(id) > maxSubject {
		return errors.New("it has no usable jti")
	}
	return nil
}

// checkLogoutEvent wants the event that makes it a logout token.
func (t *token) checkLogoutEvent() error {
	events, ok := t.payload["events"].(map[string]any)
	if !ok {
		return errors.New("it has no events")
	}
	if _, ok := events[logoutEvent].(map[string]any); !ok {
		return errors.New("its events have no logout")
	}
	return nil
}
