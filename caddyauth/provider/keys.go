// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

const (
	maxKeys    = 100
	minRSABits = 2048
	stepKeys   = "reading the provider's keys"
)

// signingAlgs are the algorithms that a token may be signed with. All are
// asymmetric: with a shared secret, whoever can verify could also sign.
var signingAlgs = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512,
	jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512,
	jose.EdDSA,
}

// keySet is the provider's JSON Web Key Set, as far as it is of use here.
type keySet struct {
	keys []signingKey
}

type signingKey struct {
	jose.JSONWebKey
	issuer string // Azure says which tenant a key signs for
}

func (p *Provider) fetchKeys(ctx context.Context) (*keySet, error) {
	m, err := p.about(ctx)
	if err != nil {
		return nil, err
	}
	a, err := p.get(ctx, stepKeys, m.Keys)
	if err != nil {
		return nil, err
	}
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(a.body, &document); err != nil {
		return nil, fail(KindMisbehaved, stepKeys, "it is not a key set")
	}
	set := &keySet{}
	for _, raw := range document.Keys[:min(len(document.Keys), maxKeys)] {
		key, ok := parseSigningKey(raw)
		if !ok {
			continue
		}
		if !p.row.tenantIssuer {
			key.issuer = "" // means nothing elsewhere
		}
		set.keys = append(set.keys, key)
	}
	if len(set.keys) == 0 {
		return nil, fail(KindMisbehaved, stepKeys, "the key set has no usable key")
	}
	return set, nil
}

// parseSigningKey passes over keys that are of no use, as RFC 7517 wants,
// rather than refuse the whole set for one of them.
func parseSigningKey(raw json.RawMessage) (signingKey, bool) {
	var extra struct {
		Use    string `json:"use"`
		Issuer string `json:"issuer"`
	}
	key := signingKey{}
	if json.Unmarshal(raw, &extra) != nil || extra.Use != "" && extra.Use != "sig" {
		return key, false
	}
	if key.UnmarshalJSON(raw) != nil || !key.Valid() || !key.IsPublic() {
		return key, false
	}
	if k, ok := key.Key.(*rsa.PublicKey); ok && k.N.BitLen() < minRSABits {
		return key, false
	}
	key.issuer = extra.Issuer
	return key, true
}

// keySource gives go-oidc the keys of the provider's key set and no others,
// whatever a token's header offers. A key that is not among them is looked for
// once more at the provider: it may be new.
type keySource struct {
	keys    *remote[keySet]
	known   bool  // look among the keys at hand alone
	failure error // the keys could not be had, which says nothing of the token
}

var errNoKey = errors.New("no key of the provider's verifies it")

var _ oidc.KeySet = (*keySource)(nil)

// VerifySignature implements oidc.KeySet.
func (s *keySource) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	jws, err := jose.ParseSigned(jwt, signingAlgs)
	if err != nil || len(jws.Signatures) != 1 {
		return nil, errors.New("it is not a signed token")
	}
	set, err := s.keys.get(ctx)
	if err != nil {
		s.failure = err
		return nil, err
	}
	if payload, ok := set.verify(jws); ok {
		return payload, nil
	}
	if s.known {
		return nil, errNoKey
	}
	if set, err = s.keys.newer(ctx, set); err != nil {
		s.failure = err
		return nil, err
	}
	if payload, ok := set.verify(jws); ok {
		return payload, nil
	}
	return nil, errNoKey
}

func (s *keySet) verify(jws *jose.JSONWebSignature) ([]byte, bool) {
	header := jws.Signatures[0].Protected
	for _, key := range s.keys {
		if header.KeyID != "" && key.KeyID != header.KeyID {
			continue
		}
		if key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		payload, err := jws.Verify(key.JSONWebKey)
		if err == nil && key.signsFor(payload) {
			return payload, true
		}
	}
	return nil, false
}

// signsFor keeps a key that belongs to one tenant from signing for another.
func (k signingKey) signsFor(payload []byte) bool {
	if k.issuer == "" || strings.Contains(k.issuer, tenantPlaceholder) {
		return true
	}
	c, err := decodeObject(payload)
	if err != nil {
		return false
	}
	iss, _ := c.text("iss")
	tenant, _ := c.text("tid")
	return iss == k.issuer || guid.MatchString(tenant) && strings.Contains(k.issuer, tenant)
}

// algsOf are the algorithms that the provider announces, as far as they are
// allowed. A provider that announces none of them signs with RS256.
func algsOf(m *metadata) []string {
	var algs []string
	for _, alg := range m.SigningAlgs {
		if slices.Contains(signingAlgs, jose.SignatureAlgorithm(alg)) {
			algs = append(algs, alg)
		}
	}
	if len(algs) == 0 {
		algs = []string{oidc.RS256}
	}
	return algs
}
