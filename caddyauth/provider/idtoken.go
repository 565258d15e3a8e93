// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"crypto"
	_ "crypto/sha256" // for leftHalf
	_ "crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const stepIDToken = "checking the ID token"

// expectation is what an ID token must agree with beside the configuration.
type expectation struct {
	nonce       string // empty: none was sent
	code        string // empty: there was none
	accessToken string
	demands     bool // max_age and acr_values were asked for, just now
}

// verifyIDToken checks an ID token as OpenID Connect Core 3.1.3.7 says. The
// signature, the algorithm, iss, aud, exp and at_hash are go-oidc's work; what
// it leaves to its caller is done here.
func (p *Provider) verifyIDToken(ctx context.Context, raw string, want expectation) (claims, error) {
	m, err := p.about(ctx)
	if err != nil {
		return nil, err
	}
	t, err := parseToken(raw)
	if err == nil {
		err = t.notOfType("at+jwt", "logout+jwt")
	}
	if err != nil {
		return nil, refuseToken(stepIDToken, err)
	}
	issuer, ok := m.issuerOf(t.payload)
	if !ok {
		return nil, fail(KindMisbehaved, stepIDToken, "its tid is not a tenant")
	}
	source := &keySource{keys: p.keys}
	token, err := p.verifier(m, issuer, source).Verify(ctx, raw)
	if source.failure != nil {
		return nil, source.failure
	}
	if err != nil {
		return nil, refuseToken(stepIDToken, err)
	}
	for _, check := range []func() error{
		func() error { return t.checkTimes(p.now()) },
		func() error { return t.checkParties(p.clientID) },
		func() error { return t.checkNonce(want.nonce) },
		func() error { return t.checkHashes(token, want) },
		func() error { return p.checkDemands(t.payload, want.demands) },
	} {
		if err := check(); err != nil {
			return nil, refuseToken(stepIDToken, err)
		}
	}
	t.payload["iss"] = issuer // Google's tokens may leave out its scheme
	return t.payload, nil
}

// verifier is go-oidc's, with this provider's algorithms and clock.
func (p *Provider) verifier(m *metadata, issuer string, source oidc.KeySet) *oidc.IDTokenVerifier {
	return oidc.NewVerifier(issuer, source, &oidc.Config{
		ClientID:             p.clientID,
		SupportedSigningAlgs: algsOf(m),
		Now:                  func() time.Time { return p.now().Add(-ClockSkew) },
	})
}

// logoutVerifier is verifier for logout tokens, whose issuer, audience and
// times are looked at before: exp may be missing.
func (p *Provider) logoutVerifier(m *metadata, source oidc.KeySet) *oidc.IDTokenVerifier {
	return oidc.NewVerifier("", source, &oidc.Config{
		ClientID:             p.clientID,
		SupportedSigningAlgs: algsOf(m),
		SkipIssuerCheck:      true,
		SkipExpiryCheck:      true,
	})
}

// checkParties wants a subject, and this client as the one that the token was
// issued to wherever that is said, or could be in doubt.
func (t *token) checkParties(clientID string) error {
	if err := t.checkSubject(); err != nil {
		return err
	}
	audiences, _ := t.payload["aud"].([]any)
	azp, said := t.payload["azp"]
	if !said && len(audiences) > 1 {
		return errors.New("it has several audiences and no azp")
	}
	if said && azp != clientID {
		return errors.New("its azp is another client")
	}
	return nil
}

func (t *token) checkNonce(want string) error {
	if want == "" {
		return nil
	}
	got, _ := t.payload["nonce"].(string)
	if subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return errors.New("its nonce is not this sign-in's")
	}
	return nil
}

// checkHashes compares the token with the access token and the code it came
// with, where it names them.
func (t *token) checkHashes(verified *oidc.IDToken, want expectation) error {
	if _, ok := t.payload["at_hash"]; ok {
		if err := verified.VerifyAccessToken(want.accessToken); err != nil {
			return errors.New("its at_hash is not that of the access token")
		}
	}
	hash, ok := t.payload["c_hash"]
	if !ok || want.code == "" {
		return nil
	}
	alg, _ := t.header["alg"].(string)
	if hash != leftHalf(alg, want.code) {
		return errors.New("its c_hash is not that of the code")
	}
	return nil
}

// leftHalf is the hash that OpenID Connect Core 3.3.2.11 speaks of: the left half
// of the digest that belongs to the signature's algorithm.
func leftHalf(alg, value string) string {
	h := crypto.SHA512
	switch {
	case strings.HasSuffix(alg, "256"):
		h = crypto.SHA256
	case strings.HasSuffix(alg, "384"):
		h = crypto.SHA384
	}
	digest := h.New()
	digest.Write([]byte(value))
	sum := digest.Sum(nil)
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// demands reads the parameters of the authorization URL that a provider is
// free to disregard, so that the ID token must prove that it did not.
func demands(params map[string]string) (maxAge time.Duration, acr []string, err error) {
	maxAge = -1
	if v, ok := params["max_age"]; ok {
		seconds, err := strconv.ParseUint(v, 10, 31)
		if err != nil {
			return 0, nil, errors.New("the parameter max_age is not a number of seconds")
		}
		maxAge = time.Duration(seconds) * time.Second
	}
	return maxAge, strings.Fields(params["acr_values"]), nil
}

func (p *Provider) checkDemands(c claims, made bool) error {
	if !made {
		return nil
	}
	if p.maxAge >= 0 {
		at, ok := c.date("auth_time")
		if !ok || p.now().Sub(at) > p.maxAge+ClockSkew {
			return errors.New("max_age was asked for, and its auth_time is missing or too old")
		}
	}
	if acr, _ := c["acr"].(string); len(p.acr) > 0 && !slices.Contains(p.acr, acr) {
		return errors.New("acr_values were asked for, and its acr is none of them")
	}
	return nil
}
