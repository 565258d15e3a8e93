// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"
)

const (
	assertionType     = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	assertionLifetime = 2 * time.Minute
)

// clientKey proves who the client is with a signature (private_key_jwt).
type clientKey struct {
	signer jose.Signer
}

var errKey = errors.New("the client secret looks like a private key, but cannot be used as one")

// parseKey makes a key of the client secret if it is one.
func (p *Provider) parseKey() (*clientKey, error) {
	text := strings.TrimSpace(string(p.secret))
	key, isKey := jose.JSONWebKey{}, true
	switch {
	case strings.HasPrefix(text, "-----BEGIN "):
		key.Key = parsePEM(text)
	case looksLikeJWK(text):
		if key.UnmarshalJSON([]byte(text)) != nil {
			return nil, errKey
		}
	default:
		isKey = false
	}
	if !isKey {
		return nil, nil
	}
	if p.row.family != familyOpenID && (p.row.family != familyGeneric || p.issuer == "") {
		return nil, errors.New("the client secret is a private key, which this provider does not take")
	}
	return newClientKey(key)
}

func looksLikeJWK(text string) bool {
	var jwk struct {
		Type string `json:"kty"`
	}
	return strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &jwk) == nil && jwk.Type != ""
}

// parsePEM reads the three forms in which tools write private keys. It gives
// nil for anything else.
func parsePEM(text string) any {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return key
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key
	}
	return nil
}

func newClientKey(key jose.JSONWebKey) (*clientKey, error) {
	alg := jose.SignatureAlgorithm(key.Algorithm)
	if alg == "" {
		alg = algFor(key.Key)
	}
	if key.Key == nil || key.IsPublic() || !key.Valid() || !slices.Contains(signingAlgs, alg) {
		return nil, errKey
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, errKey
	}
	return &clientKey{signer: signer}, nil
}

func algFor(key any) jose.SignatureAlgorithm {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return jose.RS256
	case ed25519.PrivateKey:
		return jose.EdDSA
	case *ecdsa.PrivateKey:
		switch key.Curve {
		case elliptic.P256():
			return jose.ES256
		case elliptic.P384():
			return jose.ES384
		case elliptic.P521():
			return jose.ES512
		}
	}
	return ""
}

// assertion is a fresh statement that this is the client, for one address
// only: whoever receives it there cannot use it elsewhere.
func (p *Provider) assertion(address string) (string, error) {
	now := p.now()
	return jwt.Signed(p.key.signer).Claims(jwt.Claims{
		Issuer:   p.clientID,
		Subject:  p.clientID,
		Audience: jwt.Audience{address},
		ID:       randomText(),
		IssuedAt: jwt.NewNumericDate(now),
		Expiry:   jwt.NewNumericDate(now.Add(assertionLifetime)),
	}).Serialize()
}

// addAssertion adds the assertion to a request for tokens, if there is a key.
func (p *Provider) addAssertion(req *http.Request) error {
	if p.key == nil {
		return nil
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return err
	}
	_ = req.Body.Close()
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return err
	}
	signed, err := p.assertion(req.URL.String())
	if err != nil {
		return errKey
	}
	form.Set("client_assertion_type", assertionType)
	form.Set("client_assertion", signed)
	body = []byte(form.Encode())
	req.Body = io.NopCloser(bytes.NewReader(body))
	req.ContentLength = int64(len(body))
	req.GetBody = nil
	return nil
}

// authStyle is how the client sends its ID and secret: the way its row says,
// unless discovery announces only the other.
func (p *Provider) authStyle(m *metadata) oauth2.AuthStyle {
	if p.sentSecret() == "" {
		return oauth2.AuthStyleInParams
	}
	post := slices.Contains(m.TokenAuthMethods, "client_secret_post")
	basic := slices.Contains(m.TokenAuthMethods, "client_secret_basic")
	if p.row.secretStyle == secretBasic && (basic || !post) || basic && !post {
		return oauth2.AuthStyleInHeader
	}
	return oauth2.AuthStyleInParams
}

// sentSecret is the client secret as far as it is one and is to be sent.
func (p *Provider) sentSecret() string {
	if p.key != nil || p.row.secretStyle == secretNever {
		return ""
	}
	return string(p.secret)
}
