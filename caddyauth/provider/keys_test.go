// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

func TestParseSigningKey(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk := func(key any, use string) string {
		raw, err := jose.JSONWebKey{Key: key, Use: use}.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	modulus := func(bits uint) string {
		n := new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), bits-1), 0, 1)
		return jwk(&rsa.PublicKey{N: n, E: 65537}, "sig")
	}
	tests := map[string]struct {
		raw string
		ok  bool
	}{
		"public":              {jwk(public, "sig"), true},
		"without use":         {jwk(public, ""), true},
		"for encryption":      {jwk(public, "enc"), false},
		"private":             {jwk(private, "sig"), false},
		"symmetric":           {`{"kty":"oct","k":"` + base64.RawURLEncoding.EncodeToString(make([]byte, 32)) + `"}`, false},
		"RSA, 2048 bits":      {modulus(2048), true},
		"RSA, 1024 bits":      {modulus(1024), false},
		"RSA, 10240 bits":     {modulus(10240), false},
		"of an unknown kind":  {`{"kty":"AKP"}`, false},
		"not an object":       {`"x"`, false},
		"certificate is none": {`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","x5c":["AAAA"]}`, false},
		"elliptic, off curve": {`{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, ok := parseSigningKey(json.RawMessage(test.raw)); ok != test.ok {
				t.Errorf("parseSigningKey gives %v", ok)
			}
		})
	}
}
