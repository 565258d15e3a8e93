// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"go.uber.org/zap"
)

const stepIdentity = "finding out who signed in"

// Identity is who signed in.
type Identity struct {
	// User is the user name: the value of the user claim.
	User string
	// Claims are what is known of the user, bounded in size. "user" is User,
	// "username" is the provider's own or else User too, and "groups", if they
	// are known, is a []string. An e-mail address is there only if it counts.
	// Numbers are json.Number, to keep their digits.
	Claims map[string]any
	Tokens Tokens

	Subject string // the account's ID at the provider
	Issuer  string // empty without OpenID Connect
	SID     string // the provider's session
}

// evidence is what the provider says of somebody, by where it says it.
type evidence struct {
	idToken  claims // verified, or nil
	userInfo claims // fetched with the access token, or nil
	access   func() claims

	accessToken string
	unverified  string // the e-mail address that does not count
	misleading  bool   // the e-mail address was not one plain address
}

// identify finds out whose tokens these are.
func (p *Provider) identify(ctx context.Context, t Tokens, want expectation) (*Identity, error) {
	e, err := p.gather(ctx, &t, want)
	if err != nil {
		return nil, err
	}
	user, all, err := p.whoIs(ctx, e)
	if err != nil {
		return nil, err
	}
	id := &Identity{User: user, Claims: all, Tokens: t, Subject: p.subject(all)}
	id.Issuer, _ = e.idToken.text("iss")
	id.SID, _ = e.idToken.text("sid")
	return id, nil
}

// whoIs finds out who the evidence is about, and returns their claims, with the
// user name among them.
func (p *Provider) whoIs(ctx context.Context, e *evidence) (user string, all claims, err error) {
	if all, err = p.describe(ctx, e); err != nil {
		return "", nil, err
	}
	if user, err = p.user(all, e); err != nil {
		return "", nil, err
	}
	setUser(all, user)
	return user, all, nil
}

// gather collects the evidence. Where an ID token was asked for it must come,
// and where one cannot be verified it is worth nothing and is not kept.
func (p *Provider) gather(ctx context.Context, t *Tokens, want expectation) (*evidence, error) {
	e := p.newEvidence(ctx, t.Access)
	if !p.openID {
		t.ID = ""
		return e, p.addUserInfo(ctx, e)
	}
	if t.ID == "" {
		return nil, fail(KindMisbehaved, stepIDToken, "openid is in the scope, but no ID token came")
	}
	var err error
	if e.idToken, err = p.verifyIDToken(ctx, t.ID, want); err != nil {
		return nil, err
	}
	return e, p.addUserInfo(ctx, e)
}

func (p *Provider) newEvidence(ctx context.Context, accessToken string) *evidence {
	e := &evidence{accessToken: accessToken}
	e.access = sync.OnceValue(func() claims { return p.accessClaims(ctx, e) })
	return e
}

// describe makes the claims of the evidence, with groups and without what does
// not count. The user name is not among them yet.
func (p *Provider) describe(ctx context.Context, e *evidence) (claims, error) {
	all := merge(e.idToken, e.userInfo)
	for name, others := range p.row.aliases {
		addAlias(all, name, others)
	}
	if p.row.adjust != nil {
		if err := p.row.adjust(ctx, p, e, all); err != nil {
			return nil, err
		}
	}
	if err := p.checkHostedDomain(all); err != nil {
		return nil, err
	}
	p.dropUnverifiedEmail(e, all)
	p.dropMisleadingEmail(e, all)
	groups, known, err := p.groups(ctx, e, all)
	if err != nil {
		return nil, err
	}
	delete(all, "groups")
	if dropped := all.bound(maxClaims); len(dropped) > 0 {
		p.logger.Warn("claims are too large to keep", zap.String("claims", clean(strings.Join(dropped, " "))))
	}
	if known {
		all["groups"] = groups
	}
	return all, nil
}

// addAlias copies a claim that the provider calls otherwise.
func addAlias(all claims, name string, others []string) {
	for _, other := range others {
		if _, ok := all.at(name); ok {
			return
		}
		if v, ok := all.at(other); ok {
			all[name] = v
		}
	}
}

// user finds the user name. An access token is asked last, and only if the
// provider's keys verify it.
func (p *Provider) user(all claims, e *evidence) (string, error) {
	switch {
	case p.userKey != "email":
	case e.unverified != "":
		return "", errUnverified
	case e.misleading:
		return "", errMisleading
	}
	claim, ok := all.at(p.userKey)
	if !ok {
		claim, ok = p.fromAccessToken(e)
	}
	if !ok {
		detail := fmt.Sprintf("there is no claim %q; set jwt_user to one that there is", p.userKey)
		if there := all.candidates(); there != "" {
			detail += ", such as: " + there
		}
		return "", fail(KindMissingUser, stepIdentity, detail)
	}
	user, ok := textOf(claim)
	if !ok || !usableName(user) {
		return "", fail(KindMissingUser, stepIdentity,
			fmt.Sprintf("the claim %q is not usable as a user name; set jwt_user to another", p.userKey))
	}
	if strings.EqualFold(user, e.unverified) {
		return "", errUnverified
	}
	if p.userKey == "email" && isMisleading(user) {
		return "", errMisleading // of the access token
	}
	return user, nil
}

var errMisleading = fail(KindMissingUser, stepIdentity, "the e-mail address is not usable as a user name: it is not one plain address")

var errUnverified = fail(KindUnverifiedEmail, stepIdentity,
	"the provider has not verified the e-mail address that is the user name; allow_unverified_email lets it count")

// fromAccessToken looks for the user claim in the access token, where the
// rules for e-mail addresses are the same.
func (p *Provider) fromAccessToken(e *evidence) (any, bool) {
	access := e.access()
	claim, ok := access.at(p.userKey)
	if ok && !p.allowUnverifiedEmail && emailDenied(access) {
		e.unverified, _ = access.text("email")
	}
	return claim, ok
}

// setUser names the user in the claims, as Panel's applications expect it.
func setUser(all claims, user string) {
	all["user"] = user
	if name, ok := all["username"].(string); !ok || !usableName(name) {
		all["username"] = user
	}
}

// dropUnverifiedEmail removes an e-mail address that any source of it says is
// not verified, unless that is allowed.
func (p *Provider) dropUnverifiedEmail(e *evidence, all claims) {
	if p.allowUnverifiedEmail || !emailDenied(all, e.idToken, e.userInfo) {
		return
	}
	e.unverified, _ = all.text("email")
	delete(all, "email")
}

// dropMisleadingEmail removes what is no plain e-mail address: rules and
// applications tell people apart by its domain.
func (p *Provider) dropMisleadingEmail(e *evidence, all claims) {
	email, _ := all.text("email")
	if e.misleading = isMisleading(email); e.misleading {
		p.logger.Warn("the claim email is left out: it is not one plain address")
		delete(all, "email")
	}
}

// emailDenied reports whether the first source's e-mail address is not
// verified according to a source that speaks of it, or of none in particular.
func emailDenied(sources ...claims) bool {
	email, _ := sources[0].text("email")
	for _, source := range sources {
		own, has := source.text("email")
		if has && !strings.EqualFold(own, email) {
			continue
		}
		if yes, said := source.verified("email_verified"); said && !yes {
			return true
		}
	}
	return false
}

// subject is the account's ID at the provider. User names can change hands; it
// does not.
func (p *Provider) subject(c claims) string {
	keys := p.row.subjectKeys
	if p.openID {
		keys = []string{"sub"}
	} else if len(keys) == 0 {
		keys = []string{"sub", "id"}
	}
	for _, key := range keys {
		if id, ok := c.text(key); ok {
			return id
		}
	}
	return ""
}

// checkHostedDomain wants the proof of what Google was merely asked for: the
// parameter hd is a hint that anybody can take out of the URL.
func (p *Provider) checkHostedDomain(all claims) error {
	if p.hostedParam == "" {
		return nil
	}
	hd, _ := all.text("hd")
	if hd != "" && (p.hostedParam == "*" || strings.EqualFold(hd, p.hostedParam)) {
		return nil
	}
	return fail(KindNotAllowed, stepIdentity, "the account is not of the hosted domain that hd asks for")
}
