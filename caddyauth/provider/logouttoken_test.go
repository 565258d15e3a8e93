// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

func logoutClaim(name string, v any) func(*providertest.Knobs) {
	return func(k *providertest.Knobs) { k.LogoutToken = func(c map[string]any) { c[name] = v } }
}

func withoutLogoutClaim(names ...string) func(*providertest.Knobs) {
	return func(k *providertest.Knobs) {
		k.LogoutToken = func(c map[string]any) {
			for _, name := range names {
				delete(c, name)
			}
		}
	}
}

func logoutHeader(edit func(map[string]any)) func(*providertest.Knobs) {
	return func(k *providertest.Knobs) { k.Header = edit }
}

func TestLogoutTokenRefused(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	payload := func(old, replacement string) func(*providertest.Knobs) {
		return func(k *providertest.Knobs) {
			k.Payload = func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(replacement), 1) }
		}
	}
	typ := func(v any) func(*providertest.Knobs) {
		return logoutHeader(func(h map[string]any) { h["typ"] = v })
	}
	for name, test := range map[string]struct {
		turn   func(*providertest.Knobs)
		reason string
	}{
		"signature spoilt":       {func(k *providertest.Knobs) { k.SpoilSignature = true }, "no key"},
		"alg none":               {func(k *providertest.Knobs) { k.Alg = "none" }, "malformed jwt"},
		"alg HS256":              {func(k *providertest.Knobs) { k.Alg = "HS256" }, "malformed jwt"},
		"type access token":      {typ("at+jwt"), "type"},
		"type empty":             {typ(""), "type"},
		"type of something else": {typ("secevent+jwt"), "type"},
		"crit":                   {logoutHeader(func(h map[string]any) { h["crit"] = []string{"exp"} }), ""},
		"another key":            {logoutHeader(func(h map[string]any) { h["kid"] = "unknown" }), "no key"},
		"iat missing":            {withoutLogoutClaim("iat"), "no iat"},
		"iat as text":            {logoutClaim("iat", "1700000000"), "no iat"},
		"iat in two minutes":     {logoutClaim("iat", at(2*time.Minute)), "clocks"},
		"iat long ago":           {logoutClaim("iat", at(-16*time.Minute-time.Second)), "expired"},
		"iat a while ago, no exp": {func(k *providertest.Knobs) {
			k.LogoutToken = func(c map[string]any) { delete(c, "exp"); c["iat"] = at(-3*time.Minute - time.Second) }
		}, "expired"},
		"iat long ago, exp in a year": {func(k *providertest.Knobs) {
			k.LogoutToken = func(c map[string]any) { c["iat"], c["exp"] = at(-16*time.Minute-time.Second), at(365*24*time.Hour) }
		}, "expired"},
		"exp past":              {logoutClaim("exp", at(-61*time.Second)), "expired"},
		"exp as text":           {logoutClaim("exp", "4102444800"), "not a time"},
		"exp null":              {logoutClaim("exp", nil), "not a time"},
		"nbf in two minutes":    {logoutClaim("nbf", at(2*time.Minute)), "nbf"},
		"sub and sid missing":   {withoutLogoutClaim("sub", "sid"), "neither"},
		"sub empty":             {logoutClaim("sub", ""), "sub"},
		"sub a number":          {logoutClaim("sub", 1001), "sub"},
		"sub null":              {logoutClaim("sub", nil), "sub"},
		"sid a list":            {logoutClaim("sid", []string{"x"}), "sid"},
		"sid very long":         {logoutClaim("sid", strings.Repeat("x", 1000)), "sid"},
		"jti missing":           {withoutLogoutClaim("jti"), "jti"},
		"jti a number":          {logoutClaim("jti", 5), "jti"},
		"nonce null":            {logoutClaim("nonce", nil), "nonce"},
		"nonce empty":           {logoutClaim("nonce", ""), "nonce"},
		"events a list":         {logoutClaim("events", []string{providertest.LogoutEvent}), "events"},
		"events text":           {logoutClaim("events", providertest.LogoutEvent), "events"},
		"event null":            {logoutClaim("events", map[string]any{providertest.LogoutEvent: nil}), "no logout"},
		"event true":            {logoutClaim("events", map[string]any{providertest.LogoutEvent: true}), "no logout"},
		"event in another case": {logoutClaim("events", map[string]any{strings.ToUpper(providertest.LogoutEvent): map[string]any{}}), "no logout"},
		"sub twice":             {payload(`"sub":`, `"sub":"1002","sub":`), "twice"},
		"events twice":          {payload(`"events":`, `"events":{},"events":`), "twice"},
		"an event twice":        {payload(`"events":{`, `"events":{"a":{},"a":{},`), "twice"},
		"sub in another case":   {payload(`"sub":`, `"Sub":"1002","sub":`), "taken for sub"},
		"not an object":         {func(k *providertest.Knobs) { k.Payload = func([]byte) []byte { return []byte(`[1]`) } }, "object"},
		"too long":              {logoutClaim("padding", strings.Repeat("x", 64<<10)), "long"},
		"alg not announced": {func(k *providertest.Knobs) {
			k.Alg = "ES256"
			k.Metadata = func(m map[string]any) { m["id_token_signing_alg_values_supported"] = []string{"RS256"} }
		}, "malformed jwt"},
	} {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			s.Turn(test.turn)
			out, err := newProvider(t, s).VerifyLogoutToken(t.Context(), s.LogoutToken("1001", "session"))
			if out != nil || errors.Is(err, provider.ErrNotAddressed) {
				t.Fatalf("got %v, %v", out, err)
			}
			wantKind(t, err, provider.KindMisbehaved)
			if !strings.Contains(err.Error(), test.reason) {
				t.Errorf("reason is %q, want something of %q", err, test.reason)
			}
		})
	}
}

func TestLogoutTokenOfAnother(t *testing.T) {
	for name, turn := range map[string]func(*providertest.Knobs){
		"iss another":    logoutClaim("iss", "https://other.example.com"),
		"iss missing":    withoutLogoutClaim("iss"),
		"iss a list":     logoutClaim("iss", []string{"https://other.example.com"}),
		"aud another":    logoutClaim("aud", "another client"),
		"aud others":     logoutClaim("aud", []string{"another client"}),
		"aud missing":    withoutLogoutClaim("aud"),
		"aud in a claim": logoutClaim("aud", map[string]any{"client-1": true}),
	} {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			s.Turn(turn)
			if out, err := newProvider(t, s).VerifyLogoutToken(t.Context(), s.LogoutToken("1001", "")); out != nil || !errors.Is(err, provider.ErrNotAddressed) {
				t.Errorf("got %v, %v", out, err)
			}
		})
	}
	t.Run("a provider without issuer", func(t *testing.T) {
		s, hub := providertest.Start(t), providertest.GitHub(t)
		if out, err := newProvider(t, hub).VerifyLogoutToken(t.Context(), s.LogoutToken("1001", "")); out != nil || !errors.Is(err, provider.ErrNotAddressed) {
			t.Errorf("got %v, %v", out, err)
		}
	})
}

func TestLogoutTokenAccepted(t *testing.T) {
	now := time.Now()
	type parts struct{ sub, sid string }
	both := parts{"1001", "session"}
	apart, late := now.Add(50*time.Second).Truncate(time.Second), now.Add(-10*time.Minute).Truncate(time.Second)
	for name, test := range map[string]struct {
		parts  parts
		turn   func(*providertest.Knobs)
		issued time.Time // if it is not now
	}{
		"by both":        {parts: both},
		"by sub":         {parts: parts{sub: "1001"}},
		"by sid":         {parts: parts{sid: "session"}},
		"PS256":          {parts: both, turn: func(k *providertest.Knobs) { k.Alg = "PS256" }},
		"ES256":          {parts: both, turn: func(k *providertest.Knobs) { k.Alg = "ES256" }},
		"EdDSA":          {parts: both, turn: func(k *providertest.Knobs) { k.Alg = "EdDSA" }},
		"several aud":    {parts: both, turn: logoutClaim("aud", []string{"another client", "client-1"})},
		"no type":        {parts: both, turn: logoutHeader(func(h map[string]any) { delete(h, "typ") })},
		"type JWT":       {parts: both, turn: logoutHeader(func(h map[string]any) { h["typ"] = "JWT" })},
		"type spelt out": {parts: both, turn: logoutHeader(func(h map[string]any) { h["typ"] = "application/logout+jwt" })},
		"no exp":         {parts: both, turn: withoutLogoutClaim("exp")},
		"no kid":         {parts: both, turn: func(k *providertest.Knobs) { k.NoKeyID = true }},
		"more events":    {parts: both, turn: logoutClaim("events", map[string]any{"https://example.com/x": 1, providertest.LogoutEvent: map[string]any{"why": "x"}})},
		"clocks apart": {parts: both, issued: apart, turn: func(k *providertest.Knobs) {
			k.LogoutToken = func(c map[string]any) { c["iat"], c["exp"] = apart.Unix(), now.Add(-50*time.Second).Unix() }
		}},
		"late": {parts: both, issued: late, turn: func(k *providertest.Knobs) {
			k.LogoutToken = func(c map[string]any) { c["iat"], c["exp"] = late.Unix(), now.Add(time.Minute).Unix() }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			if test.turn != nil {
				s.Turn(test.turn)
			}
			out, err := newProvider(t, s).VerifyLogoutToken(t.Context(), s.LogoutToken(test.parts.sub, test.parts.sid))
			if err != nil {
				t.Fatal(err)
			}
			if out.Issuer != s.URL || out.Subject != test.parts.sub || out.SID != test.parts.sid || out.TokenID == "" {
				t.Errorf("got %+v", *out)
			}
			issued := test.issued
			if issued.IsZero() {
				issued = time.Now()
			}
			if apart := issued.Sub(out.IssuedAt); apart < 0 || apart > time.Minute {
				t.Errorf("issued at %v, not %v", out.IssuedAt, issued)
			}
		})
	}
}

// TestLogoutTokenIsNoIDToken: neither is taken for the other.
func TestLogoutTokenIsNoIDToken(t *testing.T) {
	s := providertest.Start(t)
	p := newProvider(t, s)
	id := mustSignIn(t, p, s)
	if out, err := p.VerifyLogoutToken(t.Context(), id.Tokens.ID); out != nil || err == nil {
		t.Errorf("an ID token is %v", out)
	}
	s.Turn(func(k *providertest.Knobs) {
		k.Tokens = func(answer map[string]any) { answer["id_token"] = s.LogoutToken("1001", "x") }
	})
	_, err := signIn(t, p, s)
	wantKind(t, err, provider.KindMisbehaved)
}

func TestLogoutTokenAfterKeyRotation(t *testing.T) {
	s := providertest.Start(t)
	c := newClock()
	p := newProvider(t, s, func(config *provider.Config) { config.Now = c.Now })
	if _, err := p.VerifyLogoutToken(t.Context(), s.LogoutToken("1001", "")); err != nil {
		t.Fatal(err)
	}
	s.RotateKeys()
	if _, err := p.VerifyLogoutToken(t.Context(), s.LogoutToken("1001", "")); err != nil {
		t.Error(err)
	}
}

func TestLogoutTokenWithProviderAway(t *testing.T) {
	s := providertest.Start(t)
	token := s.LogoutToken("1001", "")
	s.Fault(providertest.Keys, providertest.Unavailable())
	_, err := newProvider(t, s).VerifyLogoutToken(t.Context(), token)
	wantKind(t, err, provider.KindUnreachable)
}

// FuzzLogoutToken: whatever is posted, nothing but what the provider signed is
// believed, and nothing panics.
func FuzzLogoutToken(f *testing.F) {
	s := providertest.Start(f)
	p := newProvider(f, s)
	if err := p.Ready(context.Background()); err != nil {
		f.Fatal(err)
	}
	good := s.LogoutToken("1001", "session")
	header, rest, _ := strings.Cut(good, ".")
	encode := base64.RawURLEncoding.EncodeToString
	for _, seed := range []string{
		"", ".", "..", "a.b.c", good, good + ".", good[1:], header + "." + rest[:10] + ".x",
		encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(`{"iss":"`+s.URL+`","aud":"client-1"}`)) + ".",
		strings.Repeat("A", 70<<10),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		out, err := p.VerifyLogoutToken(context.Background(), raw)
		if (out == nil) == (err == nil) {
			t.Fatalf("got %v and %v", out, err)
		}
		if err == nil && raw != good {
			t.Errorf("%q is believed", raw)
		}
	})
}
