// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// forgery is an ID token that somebody else makes of the right claims.
type forgery func(t *testing.T, header, claims map[string]any) string

// signInForged signs in with a forged token in place of the provider's.
func signInForged(t *testing.T, s *providertest.Server, forge forgery) error {
	t.Helper()
	var claims, header map[string]any
	s.Turn(func(k *providertest.Knobs) {
		k.Header = func(h map[string]any) { header = maps.Clone(h) }
		k.IDToken = func(c map[string]any) { claims = c }
		k.Tokens = func(answer map[string]any) { answer["id_token"] = forge(t, maps.Clone(header), claims) }
	})
	_, err := signIn(t, newProvider(t, s), s)
	return err
}

func wantForgeryRefused(t *testing.T, s *providertest.Server, forge forgery) {
	t.Helper()
	before := len(s.Requests(providertest.UserInfo))
	wantKind(t, signInForged(t, s, forge), provider.KindMisbehaved)
	if len(s.Requests(providertest.UserInfo)) > before {
		t.Error("the access token was used although the ID token is forged")
	}
}

func encoded(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// publicKeyOf is the key that a provider signs with, as anybody can have it.
func publicKeyOf(t *testing.T, s *providertest.Server) (*rsa.PublicKey, []byte) {
	t.Helper()
	resp, err := http.Get(s.URL + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(text, &set); err != nil || len(set.Keys) == 0 {
		t.Fatalf("there are no keys: %v in %s", err, text)
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(set.Keys[0]); err != nil {
		t.Fatal(err)
	}
	return key.Key.(*rsa.PublicKey), set.Keys[0]
}

// TestAlgorithmConfusion: the public key, in each of its forms, is no secret
// that a token could be sealed with; and none is no signature however it is
// written.
func TestAlgorithmConfusion(t *testing.T) {
	s := providertest.Start(t)
	public, asJSON := publicKeyOf(t, s)
	pkix, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(public)
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix})
	for name, secret := range map[string][]byte{
		"PEM": asPEM, "PEM without its last line": []byte(strings.TrimSpace(string(asPEM))), "PEM of PKCS 1": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1}),
		"DER": pkix, "DER of PKCS 1": pkcs1, "JWK": asJSON, "modulus": public.N.Bytes(), "nothing": nil, "client secret": []byte(s.ClientSecret),
	} {
		for _, alg := range []string{"HS256", "hs256", "RS256", "RS256 ", ""} {
			t.Run(name+" as "+alg, func(t *testing.T) {
				wantForgeryRefused(t, s, func(_ *testing.T, header, claims map[string]any) string {
					header["alg"] = alg
					text := encoded(header) + "." + encoded(claims)
					mac := hmac.New(sha256.New, secret)
					mac.Write([]byte(text))
					return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
				})
			})
		}
	}
	for _, alg := range []any{"none", "None", "NONE", "nOnE", "", nil, "none ", []string{"none"}, []string{"RS256", "none"}, 0, map[string]any{}} {
		for _, signature := range []string{"", "AA", base64.RawURLEncoding.EncodeToString(make([]byte, 256))} {
			t.Run("unsigned", func(t *testing.T) {
				wantForgeryRefused(t, s, func(_ *testing.T, header, claims map[string]any) string {
					header["alg"] = alg
					return encoded(header) + "." + encoded(claims) + "." + signature
				})
			})
		}
	}
}

// TestKeysOfTheToken: a key that a token brings along, or says where to find, is
// not used, nor looked for.
func TestKeysOfTheToken(t *testing.T) {
	s := providertest.Start(t)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	own := jose.JSONWebKey{Key: private.Public(), KeyID: "own", Algorithm: "ES256", Use: "sig"}
	var asked atomic.Int64
	theirs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{own}})
	}))
	defer theirs.Close()
	brought := map[string]map[string]any{
		"jwk":           {"jwk": own},
		"jku":           {"jku": theirs.URL},
		"x5u":           {"x5u": theirs.URL},
		"x5c":           {"x5c": []string{base64.StdEncoding.EncodeToString(certificate)}},
		"all":           {"jwk": own, "jku": theirs.URL, "x5u": theirs.URL, "x5c": []string{base64.StdEncoding.EncodeToString(certificate)}},
		"kid of a file": {"kid": "../../../../dev/null"}, "kid of SQL": {"kid": "x' UNION SELECT 'secret"}, "kid of an address": {"kid": theirs.URL},
		"kid a list": {"kid": []string{"own"}},
	}
	signed := func(kid string, more map[string]any) forgery {
		return func(t *testing.T, header, claims map[string]any) string {
			if kid != "the provider's" {
				header["kid"] = kid
			}
			maps.Copy(header, more)
			header["alg"] = "ES256"
			text := encoded(header) + "." + encoded(claims)
			digest := sha256.Sum256([]byte(text))
			r, s, err := ecdsa.Sign(rand.Reader, private, digest[:])
			if err != nil {
				t.Fatal(err)
			}
			signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
			return text + "." + base64.RawURLEncoding.EncodeToString(signature)
		}
	}
	for name, more := range brought {
		for _, kid := range []string{"the provider's", "own", ""} {
			t.Run(name+", "+kid, func(t *testing.T) { wantForgeryRefused(t, s, signed(kid, more)) })
		}
	}
	t.Run("were it the provider's key", func(t *testing.T) { // nothing else is wrong with these tokens
		s := providertest.Start(t)
		s.Turn(func(k *providertest.Knobs) {
			k.EditKeys = func(keys []map[string]any) []map[string]any {
				var key map[string]any
				text, err := own.MarshalJSON()
				if err != nil || json.Unmarshal(text, &key) != nil {
					panic(err)
				}
				return append(keys, key)
			}
		})
		if err := signInForged(t, s, signed("own", nil)); err != nil {
			t.Errorf("it is refused: %v", err)
		}
	})
	if asked.Load() > 0 {
		t.Errorf("the token's own address was asked %d times", asked.Load())
	}
}

// TestHeaderTwice: two algorithms in one header mean another to each reader.
func TestHeaderTwice(t *testing.T) {
	s := providertest.Start(t)
	for name, header := range map[string]string{
		"alg":        `{"alg":"none","alg":"RS256","kid":"key-RSA-0"}`,
		"other case": `{"alg":"RS256","ALG":"none","kid":"key-RSA-0"}`,
		"kid":        `{"alg":"RS256","kid":"key-RSA-0","kid":"x"}`,
		"no object":  `["RS256"]`, "nothing": ``, "b64": `{"alg":"RS256","b64":false,"crit":["b64"],"kid":"key-RSA-0"}`,
		"zip": `{"alg":"RS256","zip":"DEF","kid":"key-RSA-0"}`, "nested deeply": strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			wantForgeryRefused(t, s, func(_ *testing.T, _, claims map[string]any) string {
				return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + encoded(claims) + ".AAAA"
			})
		})
	}
}

// TestTimesOut: by a minute and by a year, and by more than a number can say.
func TestTimesOut(t *testing.T) {
	now := time.Now()
	const year = 365 * 24 * time.Hour
	at := func(d time.Duration) any { return now.Add(d).Unix() }
	for name, c := range map[string]struct {
		claim string
		value any
		ok    bool
	}{
		"exp half a minute ago":  {"exp", at(-30 * time.Second), true},
		"exp over a minute ago":  {"exp", at(-65 * time.Second), false},
		"exp a year ago":         {"exp", at(-year), false},
		"exp zero":               {"exp", 0, false},
		"exp negative":           {"exp", -1, false},
		"exp beyond all numbers": {"exp", json.Number("1e400"), false},
		"exp in 2^64 seconds":    {"exp", json.Number("18446744073709551616"), false},
		"exp null":               {"exp", nil, false},
		"iat half a minute on":   {"iat", at(30 * time.Second), true},
		"iat over a minute on":   {"iat", at(65 * time.Second), false},
		"iat a year on":          {"iat", at(year), false},
		"iat beyond all numbers": {"iat", json.Number("1e400"), false},
		"iat null":               {"iat", nil, false},
		"nbf half a minute on":   {"nbf", at(30 * time.Second), true},
		"nbf over a minute on":   {"nbf", at(65 * time.Second), false},
		"nbf a year on":          {"nbf", at(year), false},
	} {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			s.Turn(func(k *providertest.Knobs) { k.IDToken = func(claims map[string]any) { claims[c.claim] = c.value } })
			_, err := signIn(t, newProvider(t, s), s)
			if c.ok && err != nil {
				t.Errorf("it is refused: %v", err)
			}
			if !c.ok {
				wantKind(t, err, provider.KindMisbehaved)
			}
		})
	}
}

// TestJSONOfProviders: names that are there twice, depth without end and numbers
// without end, in what a provider says of somebody.
func TestJSONOfProviders(t *testing.T) {
	insert := func(text string) func([]byte) []byte {
		return func(b []byte) []byte { return []byte(strings.Replace(string(b), "{", "{"+text+",", 1)) }
	}
	bombs := map[string]string{
		"a name twice":   `"sub":"1002"`,
		"depth":          `"a":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000),
		"deep objects":   `"a":` + strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat("}", 10000),
		"an inner twice": `"a":{"b":1,"b":2}`,
	}
	for name, bomb := range bombs {
		t.Run(name+", ID token", func(t *testing.T) {
			s := providertest.Start(t)
			s.Turn(func(k *providertest.Knobs) { k.Payload = insert(bomb) })
			_, err := signIn(t, newProvider(t, s), s)
			wantKind(t, err, provider.KindMisbehaved)
		})
		t.Run(name+", userinfo", func(t *testing.T) {
			s := providertest.Start(t)
			says := func(more string) { // in place of what it says
				s.Fault(providertest.UserInfo, providertest.Reply(http.StatusOK, "application/json", `{`+more+`"sub":"1001","email":"alice@example.org"}`))
			}
			says(bomb + ",")
			if _, err := signIn(t, newProvider(t, s), s); err == nil {
				t.Error("it is believed")
			}
			says("")
			mustSignIn(t, newProvider(t, s), s)
		})
	}
}
