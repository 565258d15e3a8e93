// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	maxToken = 64 << 10
	// ClockSkew is how far a provider's clock may be from this one.
	ClockSkew = 60 * time.Second
)

// token is a JWT that is taken apart but not yet believed.
type token struct {
	header, payload claims
}

var compactToken = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$`)

// parseToken takes a JWT apart, within bounds.
func parseToken(raw string) (*token, error) {
	if len(raw) > maxToken {
		return nil, errors.New("it is too long")
	}
	if !compactToken.MatchString(raw) {
		return nil, errors.New("it does not look like a signed token")
	}
	parts := strings.Split(raw, ".")
	header, err := decodePart(parts[0])
	if err != nil {
		return nil, err
	}
	payload, err := decodePart(parts[1])
	if err != nil {
		return nil, err
	}
	t := &token{header: header, payload: payload}
	return t, t.checkNames()
}

func decodePart(part string) (claims, error) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, errors.New("it is not encoded as a token is")
	}
	return decodeObject(data)
}

// checkNames refuses names that differ from a registered one in case alone.
// Go's JSON decoder, which go-oidc uses, would take them for it.
func (t *token) checkNames() error {
	if _, ok := t.header["crit"]; ok {
		return errors.New("its header demands an extension")
	}
	registered := []string{"iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "at_hash", "azp", "_claim_names", "_claim_sources"}
	for name := range t.payload {
		for _, r := range registered {
			if name != r && strings.EqualFold(name, r) {
				return fmt.Errorf("it has a claim that could be taken for %s", r)
			}
		}
	}
	return nil
}

// notOfType refuses tokens that were made for another purpose.
func (t *token) notOfType(others ...string) error {
	typ := mediaTypeOf(t.header["typ"])
	if slices.Contains(others, typ) {
		return fmt.Errorf("it is of the type %s", typ)
	}
	return nil
}

// mediaTypeOf is what a header's typ says, as RFC 7515, section 4.1.9 shortens
// it.
func mediaTypeOf(typ any) string {
	text, _ := typ.(string)
	return strings.TrimPrefix(strings.ToLower(text), "application/")
}

// refuseToken says why a token is not believed, unless it is not the token's
// fault. go-oidc's texts quote claims, which are no secrets.
func refuseToken(step string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return fail(KindMisbehaved, step, clean(err.Error()))
}

// checkTimes wants exp beside what checkBeginning wants. That exp is not past is
// go-oidc's to say.
func (t *token) checkTimes(now time.Time) error {
	if _, ok := t.payload.date("exp"); !ok {
		return errors.New("it has no exp")
	}
	_, err := t.checkBeginning(now)
	return err
}

// checkBeginning wants an iat, which it returns, and neither that nor nbf in the
// future.
func (t *token) checkBeginning(now time.Time) (iat time.Time, err error) {
	iat, ok := t.payload.date("iat")
	if !ok {
		return iat, errors.New("it has no iat")
	}
	if iat.After(now.Add(ClockSkew)) {
		return iat, fmt.Errorf("its iat is in the future by %s; are both clocks right?", iat.Sub(now).Round(time.Second))
	}
	if _, said := t.payload["nbf"]; !said {
		return iat, nil
	}
	if nbf, ok := t.payload.date("nbf"); !ok || nbf.After(now.Add(ClockSkew)) {
		return iat, errors.New("its nbf is in the future or not a time")
	}
	return iat, nil
}

func (t *token) checkSubject() error {
	if sub, ok := t.payload["sub"].(string); !ok || sub == "" || len(sub) > maxSubject {
		return errors.New("it has no usable sub")
	}
	return nil
}
