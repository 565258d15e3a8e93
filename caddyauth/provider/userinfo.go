// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"errors"
	"net/http"

	"github.com/coreos/go-oidc/v3/oidc"
	"go.uber.org/zap"
)

const stepUserInfo = "asking for the user's claims"

// addUserInfo adds what the provider says about the user, which must be about
// the ID token's subject.
func (p *Provider) addUserInfo(ctx context.Context, e *evidence) error {
	info, err := p.askUserInfo(ctx, e)
	if err != nil {
		return err
	}
	if info != nil && e.idToken != nil && !sameSubject(e.idToken, info) {
		return fail(KindMisbehaved, stepUserInfo, "its sub is not that of the ID token")
	}
	e.userInfo = info
	return nil
}

// askUserInfo asks the provider about the user, where it can be asked.
func (p *Provider) askUserInfo(ctx context.Context, e *evidence) (claims, error) {
	m, err := p.about(ctx)
	if err != nil || m.UserInfo == "" {
		return nil, err
	}
	a, err := p.ask(ctx, stepUserInfo, m.UserInfo, e.accessToken)
	if err != nil {
		return nil, err
	}
	if a.status == http.StatusUnauthorized || a.status == http.StatusForbidden {
		return nil, p.refusedUserInfo(e, a)
	}
	if err := a.mustBeOK(stepUserInfo); err != nil {
		return nil, err
	}
	return p.decodeUserInfo(ctx, m, a)
}

// refusedUserInfo goes on without an answer if the ID token has the user name
// already: some access tokens are made for another audience than this. The
// same refusal comes every time, so nobody's groups come and go with it.
func (p *Provider) refusedUserInfo(e *evidence, a *answer) error {
	if _, named := e.idToken.at(p.userKey); named && !p.row.needsUserInfo {
		p.logger.Warn("provider refuses to say more about the user than the ID token does",
			zap.Int("status", a.status))
		return nil
	}
	return a.mustBeOK(stepUserInfo)
}

func sameSubject(idToken, info claims) bool {
	want, _ := idToken["sub"].(string)
	got, _ := info["sub"].(string)
	return want != "" && got == want
}

// decodeUserInfo reads the answer, which is JSON or a signed token.
func (p *Provider) decodeUserInfo(ctx context.Context, m *metadata, a *answer) (claims, error) {
	if a.mediaType() == "application/jwt" {
		return p.verifyUserInfo(ctx, m, string(a.body))
	}
	info, err := decodeObject(repairEscapes(a.body))
	if err != nil {
		return nil, fail(KindMisbehaved, stepUserInfo, err.Error())
	}
	return info, nil
}

// verifyUserInfo checks a signed answer: it need not name issuer and audience,
// but if it does they must be right.
func (p *Provider) verifyUserInfo(ctx context.Context, m *metadata, raw string) (claims, error) {
	if p.keys == nil {
		return nil, fail(KindMisbehaved, stepUserInfo, "it is signed, but there is no ISSUER whose keys could verify it")
	}
	t, err := parseToken(raw)
	if err == nil {
		err = t.notOfType("at+jwt", "logout+jwt")
	}
	if err == nil {
		err = t.checkAddressee(m, p.clientID)
	}
	if err == nil {
		err = verifySignature(ctx, m, raw, &keySource{keys: p.keys})
	}
	if err != nil {
		return nil, refuseToken(stepUserInfo, err)
	}
	return t.payload, nil
}

// verifySignature checks a token's signature. What the token says is for its
// caller to check.
func verifySignature(ctx context.Context, m *metadata, raw string, source *keySource) error {
	_, err := oidc.NewVerifier("", source, &oidc.Config{
		SupportedSigningAlgs: algsOf(m),
		SkipIssuerCheck:      true,
		SkipClientIDCheck:    true,
		SkipExpiryCheck:      true,
	}).Verify(ctx, raw)
	if source.failure != nil {
		return source.failure
	}
	return err
}

// checkAddressee wants iss and aud to be right where they are said.
func (t *token) checkAddressee(m *metadata, clientID string) error {
	if iss, ok := t.payload["iss"]; ok {
		if want, known := m.issuerOf(t.payload); !known || iss != want {
			return errors.New("its iss is another issuer")
		}
	}
	if _, ok := t.payload["aud"]; !ok {
		return nil
	}
	if !t.payload.has("aud", clientID) {
		return errors.New("its aud is another client")
	}
	return nil
}

// accessClaims are those of an access token that is a JWT of this provider's,
// for this client and for the subject of the ID token. Of any other they are
// nil: an access token is opaque unless it proves otherwise. Keys are not
// looked for on its account if an ID token came with it, which has had them
// fetched by then.
func (p *Provider) accessClaims(ctx context.Context, e *evidence) claims {
	if p.keys == nil || !compactToken.MatchString(e.accessToken) {
		return nil
	}
	m, err := p.about(ctx)
	if err != nil {
		return nil
	}
	t, err := parseToken(e.accessToken)
	if err == nil {
		err = t.notOfType("logout+jwt")
	}
	if err == nil {
		err = t.checkAccess(m, p, e)
	}
	if err == nil {
		err = verifySignature(ctx, m, e.accessToken, &keySource{keys: p.keys, known: p.openID})
	}
	if err != nil {
		p.logger.Debug("access token is not read as a JWT", zap.String("reason", clean(err.Error())))
		return nil
	}
	return t.payload
}

// checkAccess wants an access token to be this issuer's, current, about the
// same subject and given to this client, under whatever name that is said.
func (t *token) checkAccess(m *metadata, p *Provider, e *evidence) error {
	if want, known := m.issuerOf(t.payload); !known || t.payload["iss"] != want {
		return errors.New("its iss is another issuer")
	}
	exp, ok := t.payload.date("exp")
	if !ok || exp.Before(p.now().Add(-ClockSkew)) {
		return errors.New("it has no exp or is over")
	}
	if e.idToken != nil && !sameSubject(e.idToken, t.payload) {
		return errors.New("its sub is not that of the ID token")
	}
	for _, name := range []string{"client_id", "azp", "cid", "appid", "aud"} {
		if t.payload.has(name, p.clientID) {
			return nil
		}
	}
	return errors.New("it was not given to this client")
}
