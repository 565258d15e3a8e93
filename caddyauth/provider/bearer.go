// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"errors"
	"slices"
	"time"
)

const (
	stepBearer = "checking the bearer token"

	// maxBearer bounds tokens that strangers send.
	maxBearer = 16 << 10
)

// Bearer is who a program is, by the token that it shows.
type Bearer struct {
	Identity
	// Expires is when the token is no longer good, clock skew included.
	Expires time.Time
}

// VerifyBearer checks a JWT that a program shows: an access token as RFC 9068
// describes it or, where the client's own ID is an audience, an ID token. The
// provider is asked for nothing but its keys. ErrNotAddressed means that the
// token is of another issuer or for another audience, an Error of
// KindUnreachable says nothing about the token.
func (p *Provider) VerifyBearer(ctx context.Context, raw string, audiences []string) (*Bearer, error) {
	if p.metadata == nil || len(raw) > maxBearer {
		return nil, ErrNotAddressed
	}
	t, err := parseToken(raw)
	if err != nil {
		return nil, refuseToken(stepBearer, err)
	}
	if !p.row.tenantIssuer && t.payload["iss"] != p.issuer {
		return nil, ErrNotAddressed // which needs no discovery to know
	}
	m, err := p.about(ctx)
	if err != nil {
		return nil, unreachable(err)
	}
	issuer, ok := m.issuerOf(t.payload)
	if !ok || issuer == "" || t.payload["iss"] != issuer || !slices.ContainsFunc(audiences, t.isFor) {
		return nil, ErrNotAddressed
	}
	if err := p.checkBearer(t); err != nil {
		return nil, refuseToken(stepBearer, err)
	}
	source := &keySource{keys: p.keys}
	err = verifySignature(ctx, m, raw, source)
	if source.failure != nil {
		return nil, unreachable(source.failure)
	}
	if err != nil {
		return nil, refuseToken(stepBearer, err)
	}
	return p.bearerOf(ctx, t)
}

func (t *token) isFor(audience string) bool { return audience != "" && t.payload.has("aud", audience) }

// unreachable is an error that says nothing about the token, whatever is wrong
// at the provider.
func unreachable(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return fail(KindUnreachable, stepBearer, clean(err.Error()))
	}
	away := *e
	away.Kind = KindUnreachable
	return &away
}

// checkBearer does what costs nothing before the signature.
func (p *Provider) checkBearer(t *token) error {
	for _, check := range []func() error{
		t.checkBearerType,
		func() error { return t.checkTimes(p.now()) },
		func() error { return t.checkNotOver(p.now()) },
		func() error { return t.checkBearerSubject(p.clientID) },
		func() error { return p.checkGroupsAreThere(t) },
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkBearerType refuses tokens that were made for another purpose: those of
// other types, those that tell of an event, such as a logout, and those that
// prove nothing without a key, which is not shown here.
func (t *token) checkBearerType() error {
	if typ, said := t.header["typ"]; said && !slices.Contains([]string{"jwt", "at+jwt"}, mediaTypeOf(typ)) {
		return errors.New("it is of another type")
	}
	for _, name := range []string{"events", "cnf"} {
		if _, said := t.payload[name]; said {
			return errors.New("it has " + name + ", so it is not a bearer token")
		}
	}
	return nil
}

func (t *token) checkNotOver(now time.Time) error {
	if exp, _ := t.payload.date("exp"); !now.Before(exp.Add(ClockSkew)) {
		return errors.New("it has expired")
	}
	return nil
}

// checkBearerSubject wants a subject and, of what is an ID token by what it
// holds, the client that it was made for.
func (t *token) checkBearerSubject(clientID string) error {
	for _, name := range []string{"nonce", "at_hash", "c_hash"} {
		if _, said := t.payload[name]; said {
			return t.checkParties(clientID)
		}
	}
	return t.checkSubject()
}

// checkGroupsAreThere refuses a token that has a reference in the place of
// groups: another provider would have to be asked with it.
func (p *Provider) checkGroupsAreThere(t *token) error {
	if p.row.tenantIssuer && overage(t.payload) {
		return fail(KindGroups, stepBearer, "it has too many groups to list them")
	}
	return nil
}

// bearerOf finds out who shows a verified token, by the rules of a sign-in.
func (p *Provider) bearerOf(ctx context.Context, t *token) (*Bearer, error) {
	e := &evidence{idToken: t.payload, access: func() claims { return nil }}
	user, all, err := p.whoIs(ctx, e)
	if err != nil {
		return nil, err
	}
	exp, _ := t.payload.date("exp")
	b := &Bearer{Identity: Identity{User: user, Claims: all}, Expires: exp.Add(ClockSkew)}
	b.Issuer, _ = t.payload.text("iss")
	b.Subject, _ = t.payload.text("sub")
	return b, nil
}
