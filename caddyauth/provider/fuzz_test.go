// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// newFuzzed is a provider that signs quickly, and ID tokens alone.
func newFuzzed(f *testing.F) (*providertest.Server, *Provider) {
	s := providertest.Start(f)
	s.Turn(func(k *providertest.Knobs) {
		k.Alg = "EdDSA"
		k.Header = func(h map[string]any) { h["typ"] = "JWT" }
	})
	p, err := New(Config{Name: s.Name, ClientID: s.ClientID, ClientSecret: Secret(s.ClientSecret), ExtraParams: maps.Clone(s.Params), Now: s.Now})
	if err != nil {
		f.Fatal(err)
	}
	if err := p.Ready(context.Background()); err != nil {
		f.Fatal(err)
	}
	return s, p
}

func forClient(s *providertest.Server) func(map[string]any) {
	return func(c map[string]any) { c["aud"], c["nonce"] = s.ClientID, "the-nonce" }
}

// FuzzIDToken: no change to a good token leaves it good.
func FuzzIDToken(f *testing.F) {
	s, p := newFuzzed(f)
	good := s.JWTAccessToken(forClient(s))
	if _, err := p.verifyIDToken(context.Background(), good, expectation{nonce: "the-nonce"}); err != nil {
		f.Fatal(err)
	}
	header, rest, _ := strings.Cut(good, ".")
	for _, raw := range []string{good, good + "=", good[1:], header + "." + rest[:20], "eyJhbGciOiJub25lIn0." + rest, strings.ToLower(good), good + "." + good} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if got, err := p.verifyIDToken(context.Background(), raw, expectation{nonce: "the-nonce"}); err == nil && raw != good {
			t.Errorf("%q is believed: %v", raw, got)
		}
	})
}

// FuzzIDTokenClaims: whatever a provider signs, a token is believed only if the
// usual decoder reads the right issuer, audience, nonce and times in it.
func FuzzIDTokenClaims(f *testing.F) {
	s, p := newFuzzed(f)
	now := time.Now().Unix()
	for _, claims := range []string{
		`{"iss":%q,"aud":"client-1","sub":"1","nonce":"the-nonce","iat":%d,"exp":4102444800}`,
		`{"iss":%q,"aud":["client-1","x"],"azp":"client-1","sub":"1","nonce":"the-nonce","iat":%d,"exp":4102444800}`,
		`{"iss":%q,"aud":["client-1"],"sub":"1","sub":"2","nonce":"the-nonce","iat":%d,"exp":4e9}`,
		`{"iss":%q,"aud":"client-1","sub":"1","NONCE":"the-nonce","iat":%d,"exp":"4102444800","nbf":0}`,
		`{"iss":%q,"aud":"client-1","sub":"1","nonce":"the-nonce\u0000","iat":%d.5,"exp":1e300}`,
	} {
		f.Add([]byte(fmt.Sprintf(claims, s.URL, now)))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		s.Turn(func(k *providertest.Knobs) { k.Payload = func([]byte) []byte { return payload } })
		if _, err := p.verifyIDToken(context.Background(), s.JWTAccessToken(), expectation{nonce: "the-nonce"}); err != nil {
			return
		}
		var c struct {
			Issuer   string   `json:"iss"`
			Subject  string   `json:"sub"`
			Nonce    string   `json:"nonce"`
			Party    *string  `json:"azp"`
			Audience any      `json:"aud"`
			Expires  *float64 `json:"exp"`
			Issued   *float64 `json:"iat"`
		}
		if err := json.Unmarshal(payload, &c); err != nil {
			t.Fatalf("%s is believed, and cannot be read: %v", payload, err)
		}
		list, _ := c.Audience.([]any)
		switch limit := float64(time.Now().Add(ClockSkew + time.Second).Unix()); {
		case c.Issuer != s.URL, c.Subject == "", c.Nonce != "the-nonce", c.Party != nil && *c.Party != s.ClientID:
		case c.Audience != s.ClientID && !slices.Contains(list, any(s.ClientID)), len(list) > 1 && c.Party == nil:
		case c.Expires == nil, *c.Expires < float64(time.Now().Add(-ClockSkew-time.Second).Unix()), c.Issued == nil, *c.Issued > limit:
		default:
			return
		}
		t.Errorf("%s is believed", payload)
	})
}

// FuzzSigningKey: no key is of use that somebody else may have as well, or that
// is too weak.
func FuzzSigningKey(f *testing.F) {
	for _, key := range []string{
		`{"kty":"oct","k":"c2VjcmV0"}`, `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`, `{"kty":"RSA","n":"AQAB","e":"AQAB"}`,
		`{"kty":"OKP","crv":"Ed25519","use":"enc","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`, `{"kty":"EC","crv":"P-256","x":"","y":""}`, `{"use":1}`, `[]`,
	} {
		f.Add([]byte(key))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		key, ok := parseSigningKey(raw)
		if ok && (!key.IsPublic() || !key.Valid() || key.Use == "enc") {
			t.Errorf("%s is a key", raw)
		}
	})
}
