// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

func TestIDTokenRefused(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	claim := func(name string, v any) func(*providertest.Knobs) {
		return func(k *providertest.Knobs) { k.IDToken = func(c map[string]any) { c[name] = v } }
	}
	payload := func(old, replacement string) func(*providertest.Knobs) {
		return func(k *providertest.Knobs) {
			k.Payload = func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(replacement), 1) }
		}
	}
	header := func(name string, v any) func(*providertest.Knobs) {
		return func(k *providertest.Knobs) { k.Header = func(h map[string]any) { h[name] = v } }
	}
	tests := map[string]struct {
		turn   func(*providertest.Knobs)
		reason string
	}{
		"exp missing":              {func(k *providertest.Knobs) { k.IDToken = func(c map[string]any) { delete(c, "exp") } }, "expired"},
		"exp past":                 {claim("exp", at(-61*time.Second)), "expired"},
		"exp not a number":         {claim("exp", "4102444800"), "no exp"},
		"nbf in one hour":          {claim("nbf", at(time.Hour)), "nbf"},
		"nbf in two minutes":       {claim("nbf", at(2*time.Minute)), "nbf"},
		"nbf not a number":         {claim("nbf", []string{}), ""},
		"iat in one day":           {claim("iat", at(24*time.Hour)), "iat"},
		"iat in two minutes":       {claim("iat", at(2*time.Minute)), "clocks"},
		"iat as text":              {claim("iat", "1700000000"), "no iat"},
		"sub empty":                {claim("sub", ""), "usable sub"},
		"sub a number":             {claim("sub", 1001), ""},
		"sub very long":            {claim("sub", strings.Repeat("x", 1000)), "usable sub"},
		"aud a list without us":    {claim("aud", []string{"a", "b"}), "audience"},
		"several aud without azp":  {claim("aud", []string{"client-1", "b"}), "azp"},
		"azp another":              {claim("azp", "another"), "azp"},
		"azp a list":               {claim("azp", []string{"client-1"}), ""},
		"nonce missing":            {func(k *providertest.Knobs) { k.IDToken = func(c map[string]any) { delete(c, "nonce") } }, "nonce"},
		"nonce a list":             {claim("nonce", []string{"x"}), ""},
		"at_hash not text":         {claim("at_hash", 5), ""},
		"iss empty":                {claim("iss", ""), "issued by"},
		"iss without scheme":       {func(k *providertest.Knobs) { k.IDToken = stripScheme }, "issued by"},
		"a claim twice":            {payload(`"sub":`, `"sub":"1002","sub":`), "twice"},
		"an inner name twice":      {payload(`"sub":`, `"a":{"b":1,"b":2},"sub":`), "twice"},
		"a claim in another case":  {payload(`"sub":`, `"Sub":"1002","sub":`), "taken for sub"},
		"a claim with a long s":    {payload(`"sub":`, `"ſub":"1002","sub":`), "taken for sub"},
		"nested deeply":            {payload(`"sub":`, `"a":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,"sub":`), "deep"},
		"not an object":            {func(k *providertest.Knobs) { k.Payload = func([]byte) []byte { return []byte(`[1]`) } }, "object"},
		"two objects":              {func(k *providertest.Knobs) { k.Payload = func(b []byte) []byte { return append(b, b...) } }, "more"},
		"header demands something": {header("crit", []string{"exp"}), ""},
		"header says logout token": {header("typ", "logout+jwt"), "type"},
		"header says access token": {header("typ", "application/at+jwt"), "type"},
		"header names another key": {header("kid", "unknown"), "no key"},
		"header brings its key":    {headerKey, "no key"},
		"too long":                 {claim("padding", strings.Repeat("x", 64<<10)), "long"},
		"alg not announced": {func(k *providertest.Knobs) {
			k.Alg = "ES256"
			k.Metadata = func(m map[string]any) { m["id_token_signing_alg_values_supported"] = []string{"RS256"} }
		}, "malformed jwt"},
		"a key for another alg": {func(k *providertest.Knobs) {
			k.EditKeys = func(keys []map[string]any) []map[string]any { keys[0]["alg"] = "PS256"; return keys }
		}, "no key"},
		"alg HS256 announced": {func(k *providertest.Knobs) {
			k.Alg = "HS256"
			k.Metadata = func(m map[string]any) { m["id_token_signing_alg_values_supported"] = []string{"HS256"} }
		}, "malformed jwt"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			s.Turn(test.turn)
			_, err := signIn(t, newProvider(t, s), s)
			wantKind(t, err, provider.KindMisbehaved)
			if !strings.Contains(err.Error(), test.reason) {
				t.Errorf("reason is %q, want something of %q", err, test.reason)
			}
		})
	}
}

func stripScheme(c map[string]any) { c["iss"] = strings.TrimPrefix(c["iss"].(string), "http://") }

// headerKey puts what looks like the signing key into the header, under a name
// that the key set does not have.
func headerKey(k *providertest.Knobs) {
	k.Header = func(h map[string]any) {
		h["kid"] = "brought along"
		h["jku"] = "https://evil.example.com/keys"
		h["x5u"] = "https://evil.example.com/certificate"
	}
}

func TestIDTokenAccepted(t *testing.T) {
	now := time.Now()
	tests := map[string]func(*providertest.Knobs){
		"PS256": func(k *providertest.Knobs) { k.Alg = "PS256" },
		"ES256": func(k *providertest.Knobs) { k.Alg = "ES256" },
		"ES384": func(k *providertest.Knobs) { k.Alg = "ES384" },
		"EdDSA": func(k *providertest.Knobs) { k.Alg = "EdDSA" },
		"clock skew": func(k *providertest.Knobs) {
			k.IDToken = func(c map[string]any) {
				c["exp"], c["iat"], c["nbf"] = now.Add(-30*time.Second).Unix(), now.Add(30*time.Second).Unix(), now.Add(30*time.Second).Unix()
			}
		},
		"a right c_hash, RS256": func(k *providertest.Knobs) { rightCodeHash(k, sha256.New) },
		"a right c_hash, ES384": func(k *providertest.Knobs) { k.Alg = "ES384"; rightCodeHash(k, sha512.New384) },
		"a right c_hash, EdDSA": func(k *providertest.Knobs) { k.Alg = "EdDSA"; rightCodeHash(k, sha512.New) },
		"several aud with azp": func(k *providertest.Knobs) {
			k.IDToken = func(c map[string]any) { c["aud"], c["azp"] = []string{"other", "client-1"}, "client-1" }
		},
		"aud a list of one": func(k *providertest.Knobs) {
			k.IDToken = func(c map[string]any) { c["aud"] = []string{"client-1"} }
		},
		"fractions of seconds": func(k *providertest.Knobs) {
			k.IDToken = func(c map[string]any) { c["iat"] = float64(now.UnixMilli()) / 1000 }
		},
		"a key set with much that is of no use": func(k *providertest.Knobs) {
			k.EditKeys = func(keys []map[string]any) []map[string]any {
				return append([]map[string]any{
					{"kty": "oct", "k": "c2VjcmV0", "kid": keys[0]["kid"]},
					{"kty": "RSA", "kid": keys[0]["kid"], "n": "AQAB", "e": "AQAB"},
					{"kty": "RSA", "use": "enc", "kid": keys[0]["kid"], "n": keys[0]["n"], "e": keys[0]["e"]},
					{"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
					{"kty": "unheard of"},
					{"use": 5},
				}, keys...)
			}
		},
	}
	for name, turn := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			s.Turn(turn)
			p := newProvider(t, s)
			a, params := begin(t, p, s)
			code.Store(params.Get("code"))
			if _, err := p.Finish(t.Context(), a, params); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// code is the code of the sign-in under way.
var code atomic.Value

// rightCodeHash puts the hash of the code into the ID token.
func rightCodeHash(k *providertest.Knobs, algorithm func() hash.Hash) {
	k.IDToken = func(c map[string]any) {
		h := algorithm()
		h.Write([]byte(code.Load().(string)))
		c["c_hash"] = base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:h.Size()/2])
	}
}

// TestNoIDToken: Panel takes the access token for one then.
func TestNoIDToken(t *testing.T) {
	s := providertest.Start(t)
	s.Turn(func(k *providertest.Knobs) {
		k.AccessToken = map[string]any{"email": "mallory@example.org"}
		k.Tokens = func(answer map[string]any) { delete(answer, "id_token") }
	})
	_, err := signIn(t, newProvider(t, s), s)
	wantKind(t, err, provider.KindMisbehaved)
}

// TestEncryptedIDToken: such tokens were bombs more than once (CVE-2024-28180
// and others), so they are not even taken apart.
func TestEncryptedIDToken(t *testing.T) {
	s := providertest.Start(t)
	s.Turn(func(k *providertest.Knobs) {
		k.Tokens = func(answer map[string]any) {
			answer["id_token"] = "eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1ciLCJwMmMiOjIxNDc0ODM2NDd9.AA.AA.AA.AA"
		}
	})
	_, err := signIn(t, newProvider(t, s), s)
	wantKind(t, err, provider.KindMisbehaved)
}

// TestPublicKeyAsSecret: the RSA key must never serve as an HMAC secret.
func TestPublicKeyAsSecret(t *testing.T) {
	s := providertest.Start(t)
	s.Turn(func(k *providertest.Knobs) {
		k.Alg = "HS256"
		k.EditKeys = func(keys []map[string]any) []map[string]any {
			return append(keys, map[string]any{"kty": "oct", "k": "dmVyeSBzZWNyZXQ6ICsvPSUAAAAAAAAAAAAAAAAAAAA"})
		}
	})
	_, err := signIn(t, newProvider(t, s), s)
	wantKind(t, err, provider.KindMisbehaved)
}

func TestUnknownKeys(t *testing.T) {
	s := providertest.Start(t)
	clock := newClock()
	s.Now = clock.Now
	p := newProvider(t, s)
	mustSignIn(t, p, s)
	s.Turn(func(k *providertest.Knobs) { k.Header = func(h map[string]any) { h["kid"] = "unknown" } })
	for range 5 {
		_, err := signIn(t, p, s)
		wantKind(t, err, provider.KindMisbehaved)
	}
	if got := len(s.Requests(providertest.Keys)); got != 2 {
		t.Errorf("keys were fetched %d times, want 2", got)
	}
	clock.advance(10 * time.Second)
	_, err := signIn(t, p, s)
	wantKind(t, err, provider.KindMisbehaved)
	if got := len(s.Requests(providertest.Keys)); got != 3 {
		t.Errorf("keys were fetched %d times, want 3", got)
	}
}

func TestKeysUnreachable(t *testing.T) {
	faults := map[string]http.HandlerFunc{
		"out of order": providertest.Unavailable(),
		"no keys":      providertest.Reply(http.StatusOK, "application/json", `{"keys":[]}`),
		"HTML":         providertest.HTML(),
		"huge":         providertest.Huge(1 << 20),
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			clock := newClock()
			s.Now = clock.Now
			p := newProvider(t, s)
			s.Fault(providertest.Keys, fault)
			if _, err := signIn(t, p, s); err == nil {
				t.Fatal("signed in without keys")
			}
			s.Fault(providertest.Keys, nil)
			clock.advance(time.Second)
			mustSignIn(t, p, s)

			// What was good stays in use, and a new key is not a bad token.
			s.Fault(providertest.Keys, fault)
			mustSignIn(t, p, s)
			s.RotateKeys()
			_, err := signIn(t, p, s)
			if name == "out of order" {
				wantKind(t, err, provider.KindUnreachable)
			} else {
				wantKind(t, err, provider.KindMisbehaved)
			}
		})
	}
}

func TestDemands(t *testing.T) {
	tests := map[string]struct {
		name, value string
		edit        func(map[string]any)
		ok          bool
	}{
		"fresh enough":         {"max_age", "300", nil, true},
		"too old":              {"max_age", "300", func(c map[string]any) { c["auth_time"] = time.Now().Add(-time.Hour).Unix() }, false},
		"auth_time missing":    {"max_age", "300", func(c map[string]any) { delete(c, "auth_time") }, false},
		"acr as asked for":     {"acr_values", "gold silver", func(c map[string]any) { c["acr"] = "silver" }, true},
		"acr another":          {"acr_values", "gold", func(c map[string]any) { c["acr"] = "0" }, false},
		"acr missing":          {"acr_values", "gold", nil, false},
		"nothing asked for":    {"prompt", "login", func(c map[string]any) { delete(c, "auth_time") }, true},
		"max_age of zero, now": {"max_age", "0", nil, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			s.Turn(func(k *providertest.Knobs) { k.IDToken = test.edit })
			_, err := signIn(t, newProvider(t, s, extra(test.name, test.value)), s)
			if test.ok && err != nil {
				t.Fatal(err)
			}
			if !test.ok {
				wantKind(t, err, provider.KindMisbehaved)
			}
		})
	}
}
