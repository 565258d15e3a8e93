// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// bearerCase is a token: its claims, and what its server is made to do.
type bearerCase struct {
	edit   func(map[string]any)
	turn   func(*providertest.Knobs)
	reason string
}

func (c bearerCase) verify(t *testing.T, s *providertest.Server, audiences ...string) (*provider.Bearer, error) {
	t.Helper()
	if c.turn != nil {
		s.Turn(c.turn)
	}
	if c.edit == nil {
		c.edit = func(map[string]any) {}
	}
	return newProvider(t, s).VerifyBearer(t.Context(), s.JWTAccessToken(c.edit), audiences)
}

func setClaim(name string, v any) func(map[string]any) {
	return func(c map[string]any) { c[name] = v }
}

func dropClaim(name string) func(map[string]any) {
	return func(c map[string]any) { delete(c, name) }
}

func withHeader(name string, v any) func(*providertest.Knobs) {
	return func(k *providertest.Knobs) { k.Header = func(h map[string]any) { h[name] = v } }
}

func TestBearerRefused(t *testing.T) {
	at := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	payload := func(old, replacement string) func(*providertest.Knobs) {
		return func(k *providertest.Knobs) {
			k.Payload = func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(replacement), 1) }
		}
	}
	for name, test := range map[string]bearerCase{
		"signature spoilt":       {turn: func(k *providertest.Knobs) { k.SpoilSignature = true }, reason: "no key"},
		"alg none":               {turn: func(k *providertest.Knobs) { k.Alg = "none" }, reason: "malformed jwt"},
		"alg HS256":              {turn: func(k *providertest.Knobs) { k.Alg = "HS256" }, reason: "malformed jwt"},
		"another key":            {turn: withHeader("kid", "unknown"), reason: "no key"},
		"brings its key":         {turn: headerKey, reason: "no key"},
		"crit":                   {turn: withHeader("crit", []string{"exp"})},
		"a logout token by type": {turn: withHeader("typ", "logout+jwt"), reason: "type"},
		"a security event":       {turn: withHeader("typ", "secevent+jwt"), reason: "type"},
		"a DPoP proof":           {turn: withHeader("typ", "dpop+jwt"), reason: "type"},
		"type empty":             {turn: withHeader("typ", ""), reason: "type"},
		"type no text":           {turn: withHeader("typ", 5), reason: "type"},
		"a logout token, typ JWT": {
			turn: withHeader("typ", "JWT"), edit: setClaim("events", map[string]any{providertest.LogoutEvent: map[string]any{}}),
			reason: "events",
		},
		"bound to a key":     {edit: setClaim("cnf", map[string]any{"jkt": "x"}), reason: "cnf"},
		"exp missing":        {edit: dropClaim("exp"), reason: "no exp"},
		"exp past":           {edit: setClaim("exp", at(-61*time.Second)), reason: "expired"},
		"exp as text":        {edit: setClaim("exp", "4102444800"), reason: "no exp"},
		"iat missing":        {edit: dropClaim("iat"), reason: "no iat"},
		"iat in two minutes": {edit: setClaim("iat", at(2*time.Minute)), reason: "clocks"},
		"nbf in two minutes": {edit: setClaim("nbf", at(2*time.Minute)), reason: "nbf"},
		"nbf null":           {edit: setClaim("nbf", nil), reason: "nbf"},
		"sub missing":        {edit: dropClaim("sub"), reason: "sub"},
		"sub empty":          {edit: setClaim("sub", ""), reason: "sub"},
		"sub a number":       {edit: setClaim("sub", 1001), reason: "sub"},
		"a claim twice":      {turn: payload(`"sub":`, `"sub":"1002","sub":`), reason: "twice"},
		"aud twice":          {turn: payload(`"aud":`, `"aud":"other","aud":`), reason: "twice"},
		"aud in other case":  {turn: payload(`"aud":`, `"Aud":"other","aud":`), reason: "taken for aud"},
		"an ID token of another client": {
			edit:   func(c map[string]any) { c["nonce"], c["azp"] = "n", "another-client" },
			reason: "azp",
		},
		"user claim missing": {edit: dropClaim("email"), reason: "no claim"},
		"e-mail unverified":  {edit: setClaim("email_verified", false), reason: "verified"},
		"user hides a sign":  {edit: setClaim("email", "robot@example.com\u200b"), reason: "usable"},
		"alg not announced": {turn: func(k *providertest.Knobs) {
			k.Alg = "ES256"
			k.Metadata = func(m map[string]any) { m["id_token_signing_alg_values_supported"] = []string{"RS256"} }
		}, reason: "malformed jwt"},
	} {
		t.Run(name, func(t *testing.T) {
			who, err := test.verify(t, providertest.Start(t), providertest.Audience)
			if who != nil || err == nil || provider.KindOf(err) == provider.KindUnreachable || errors.Is(err, provider.ErrNotAddressed) {
				t.Fatalf("got %v, %v", who, err)
			}
			if !strings.Contains(err.Error(), test.reason) {
				t.Errorf("reason is %q, want something of %q", err, test.reason)
			}
		})
	}
}

func TestBearerOfAnother(t *testing.T) {
	for name, edit := range map[string]func(map[string]any){
		"iss another":               setClaim("iss", "https://other.example.com"),
		"iss missing":               dropClaim("iss"),
		"iss with a slash":          func(c map[string]any) { c["iss"] = c["iss"].(string) + "/" },
		"aud missing":               dropClaim("aud"),
		"aud the client":            setClaim("aud", "client-1"),
		"aud another":               setClaim("aud", "another-client"),
		"aud a longer one":          setClaim("aud", providertest.Audience+".evil.example"),
		"aud a list without":        setClaim("aud", []string{"a", "b"}),
		"aud an object":             setClaim("aud", map[string]any{providertest.Audience: true}),
		"aud empty":                 setClaim("aud", ""),
		"longer than tokens can be": setClaim("padding", strings.Repeat("x", 16<<10)),
	} {
		t.Run(name, func(t *testing.T) {
			who, err := bearerCase{edit: edit}.verify(t, providertest.Start(t), providertest.Audience)
			if who != nil || !errors.Is(err, provider.ErrNotAddressed) {
				t.Fatalf("got %v, %v", who, err)
			}
		})
	}
	t.Run("no audience asked for", func(t *testing.T) {
		who, err := bearerCase{edit: setClaim("aud", "")}.verify(t, providertest.Start(t), "")
		if who != nil || !errors.Is(err, provider.ErrNotAddressed) {
			t.Fatalf("got %v, %v", who, err)
		}
	})
}

func TestBearerAccepted(t *testing.T) {
	at := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for name, test := range map[string]bearerCase{
		"as RFC 9068 has it": {},
		"type JWT":           {turn: withHeader("typ", "JWT")},
		"type written long":  {turn: withHeader("typ", "application/at+jwt")},
		"no type":            {turn: func(k *providertest.Knobs) { k.Header = func(h map[string]any) { delete(h, "typ") } }},
		"ES256":              {turn: func(k *providertest.Knobs) { k.Alg = "ES256" }},
		"several audiences":  {edit: setClaim("aud", []string{"other", providertest.Audience})},
		"given to another":   {edit: setClaim("azp", "another-client")},
		"just over":          {edit: setClaim("exp", at(-30*time.Second))},
		"an ID token": {edit: func(c map[string]any) {
			maps.Copy(c, map[string]any{"aud": "client-1", "azp": "client-1", "nonce": "n", "at_hash": "h"})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			who, err := test.verify(t, providertest.Start(t), "client-1", providertest.Audience)
			if err != nil {
				t.Fatal(err)
			}
			if who.User != "robot@example.com" || who.Subject != "1001" || who.Claims["user"] != who.User || who.Tokens != (provider.Tokens{}) {
				t.Errorf("got %+v", who)
			}
			if groups, _ := who.Claims["groups"].([]string); len(groups) != 1 || groups[0] != "robots" {
				t.Errorf("the groups are %v", who.Claims["groups"])
			}
			if until := time.Until(who.Expires); until > time.Hour+time.Minute || until < 0 {
				t.Errorf("it is good for %s", until)
			}
		})
	}
}

// TestBearerKeysAway: what cannot be checked is neither good nor bad.
func TestBearerKeysAway(t *testing.T) {
	for name, endpoint := range map[string]providertest.Endpoint{"discovery": providertest.Discovery, "keys": providertest.Keys} {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			s.Fault(endpoint, providertest.HTML())
			who, err := bearerCase{}.verify(t, s, providertest.Audience)
			if who != nil || provider.KindOf(err) != provider.KindUnreachable {
				t.Fatalf("got %v, %v", who, err)
			}
		})
	}
}

// TestBearerKeyRotation: new keys are looked for, but not for each token that
// names one.
func TestBearerKeyRotation(t *testing.T) {
	s := providertest.Start(t)
	p := newProvider(t, s)
	verify := func() error {
		_, err := p.VerifyBearer(t.Context(), s.JWTAccessToken(), []string{providertest.Audience})
		return err
	}
	if err := verify(); err != nil {
		t.Fatal(err)
	}
	s.RotateKeys()
	if err := verify(); err != nil {
		t.Fatal("after the rotation:", err)
	}
	s.Turn(withHeader("kid", "unknown"))
	before := len(s.Requests(providertest.Keys))
	for range 20 {
		if verify() == nil {
			t.Fatal("an unknown key")
		}
	}
	if asked := len(s.Requests(providertest.Keys)) - before; asked > 1 {
		t.Errorf("the keys were asked for %d times", asked)
	}
}

// TestBearerWithoutIssuer: GitHub gives out no tokens that could be verified.
func TestBearerWithoutIssuer(t *testing.T) {
	p, err := provider.New(provider.Config{Name: "github", ClientID: "client-1", ClientSecret: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	s := providertest.Start(t)
	if _, err := p.VerifyBearer(t.Context(), s.JWTAccessToken(), []string{providertest.Audience}); !errors.Is(err, provider.ErrNotAddressed) {
		t.Error(err)
	}
}

// FuzzVerifyBearer: no change to a good token leaves it good.
func FuzzVerifyBearer(f *testing.F) {
	s := providertest.Start(f)
	p := newProvider(f, s)
	good := s.JWTAccessToken()
	f.Add(good)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, raw string) {
		_, err := p.VerifyBearer(t.Context(), raw, []string{providertest.Audience})
		if err == nil && raw != good {
			t.Errorf("%q is accepted", raw)
		}
	})
}
