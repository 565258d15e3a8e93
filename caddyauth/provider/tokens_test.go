// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

func TestTokenEndpointFaults(t *testing.T) {
	reply := func(status int, body string) http.HandlerFunc {
		return providertest.Reply(status, "application/json", body)
	}
	tests := map[string]struct {
		fault  http.HandlerFunc
		kind   provider.Kind
		detail string
	}{
		"HTML with success":       {providertest.HTML(), provider.KindMisbehaved, "text/html"},
		"out of order":            {providertest.Unavailable(), provider.KindUnreachable, "503"},
		"too many requests":       {reply(429, ""), provider.KindUnreachable, "429"},
		"HTML with failure":       {providertest.Reply(404, "text/html", "<h1>Not Found</h1>"), provider.KindMisbehaved, "404"},
		"huge":                    {providertest.Huge(1 << 20), provider.KindMisbehaved, "more than"},
		"nothing":                 {reply(200, ""), provider.KindMisbehaved, ""},
		"no access token":         {reply(200, `{"token_type":"Bearer"}`), provider.KindMisbehaved, "access_token"},
		"access token not text":   {reply(200, `{"access_token":5}`), provider.KindMisbehaved, ""},
		"truncated":               {reply(200, `{"access_token":"x`), provider.KindMisbehaved, "JSON"},
		"twice":                   {reply(200, `{"access_token":"x","access_token":"y"}`), provider.KindMisbehaved, "twice"},
		"nested deeply":           {reply(200, `{"access_token":"x","y":`+strings.Repeat("[", 99)+strings.Repeat("]", 99)+`}`), provider.KindMisbehaved, "deep"},
		"not a bearer token":      {reply(200, `{"access_token":"x","token_type":"DPoP"}`), provider.KindMisbehaved, "bearer"},
		"line break in the token": {reply(200, `{"access_token":"x\r\nX-Admin: 1","token_type":"Bearer"}`), provider.KindMisbehaved, "characters"},
		"error with success":      {reply(200, `{"error":"invalid_client"}`), provider.KindMisconfigured, "invalid_client"},
		"unauthorized":            {reply(401, `{}`), provider.KindMisconfigured, "401"},
		"server_error":            {reply(500, `{"error":"server_error"}`), provider.KindUnreachable, "server_error"},
		"unknown code":            {reply(400, `{"error":"mfa_required"}`), provider.KindDenied, "mfa_required"},
		"code that is no code":    {reply(400, `{"error":"x y\n<b>"}`), provider.KindMisbehaved, "400"},
		"invalid_grant":           {reply(400, `{"error":"invalid_grant"}`), provider.KindExpired, "invalid_grant"},
		"redirect":                {providertest.Redirect("/elsewhere"), provider.KindMisbehaved, "redirect"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			s.Fault(providertest.Token, test.fault)
			_, err := signIn(t, newProvider(t, s), s)
			wantKind(t, err, test.kind)
			if !strings.Contains(err.Error(), test.detail) {
				t.Errorf("detail is %q, want something of %q", err, test.detail)
			}
		})
	}
}

// TestDecodeInvalidResponseBody is Panel's test_decode_invalid_response_body.
func TestDecodeInvalidResponseBody(t *testing.T) {
	for name, body := range map[string]string{
		"as in Panel's test": `{"error_description":"... for a secret added to app 'some-value'."}`,
		"as Azure sends it":  `{"error_description":"... for a secret added to app \'some-value\'."}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			s.Fault(providertest.Token, providertest.Reply(http.StatusUnauthorized, "application/json", body))
			_, err := signIn(t, newProvider(t, s), s)
			wantKind(t, err, provider.KindMisconfigured)
			if want := "... for a secret added to app 'some-value'."; !strings.Contains(err.Error(), want) {
				t.Errorf("error is %q, want it to say %q", err, want)
			}
		})
	}
}

// TestRaiseError is Panel's test_raise_error.
func TestRaiseError(t *testing.T) {
	s := providertest.Start(t)
	s.Fault(providertest.Token, providertest.Reply(http.StatusUnauthorized, "application/json", `{"invalid_json": "missing_end_quote}`))
	_, err := signIn(t, newProvider(t, s), s)
	wantKind(t, err, provider.KindMisconfigured)
	if strings.Contains(err.Error(), "missing_end_quote") {
		t.Errorf("error is %q", err)
	}
}

// TestGetAuthenticatedUserForwardsExtraOAuthParams is Panel's
// test_get_authenticated_user_forwards_extra_oauth_params.
func TestGetAuthenticatedUserForwardsExtraOAuthParams(t *testing.T) {
	s := providertest.AzureV2(t, "my-tenant")
	p := newProvider(t, s, extra("prompt", "login"), extra("login_hint", "user@example.org"), extra("audience", "my-audience"))
	a, err := p.Begin(t.Context(), callback)
	if err != nil {
		t.Fatal(err)
	}
	s.Visit(t, a.URL)
	q := s.Requests(providertest.Authorization)[0].Query
	for name, want := range map[string]string{
		"prompt": "login", "login_hint": "user@example.org", "audience": "my-audience", "state": a.State, "tenant": "", "url": "",
	} {
		if got := q.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestHang(t *testing.T) {
	begun := time.Now()
	defer func() {
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
	}()
	for _, endpoint := range []providertest.Endpoint{providertest.Discovery, providertest.Keys, providertest.Token, providertest.UserInfo} {
		t.Run(string(endpoint), func(t *testing.T) {
			s := providertest.Start(t)
			p := newProvider(t, s, func(c *provider.Config) { c.Timeout = 30 * time.Millisecond })
			if endpoint != providertest.Discovery {
				a, params := begin(t, p, s)
				s.Fault(endpoint, providertest.Hang())
				_, err := p.Finish(t.Context(), a, params)
				wantKind(t, err, provider.KindUnreachable)
				return
			}
			s.Fault(endpoint, providertest.Hang())
			_, err := p.Begin(t.Context(), callback)
			wantKind(t, err, provider.KindUnreachable)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestVisitorLeaves(t *testing.T) {
	s := providertest.Start(t)
	p := newProvider(t, s)
	a, params := begin(t, p, s)
	ctx, cancel := context.WithCancel(t.Context())
	s.Fault(providertest.Token, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := p.Finish(ctx, a, params)
	wantKind(t, err, provider.KindUnreachable)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

// TestRedirectWithCredentials: what a redirect asks for would carry the code
// and the secret to a stranger.
func TestRedirectWithCredentials(t *testing.T) {
	for _, endpoint := range []providertest.Endpoint{providertest.Discovery, providertest.Keys, providertest.Token, providertest.UserInfo} {
		t.Run(string(endpoint), func(t *testing.T) {
			visited := make(chan string, 10)
			stranger := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { visited <- r.URL.Path }))
			defer stranger.Close()
			s := providertest.Start(t)
			s.Fault(endpoint, providertest.Redirect(stranger.URL))
			p := newProvider(t, s)
			a, err := p.Begin(t.Context(), callback)
			if err == nil {
				_, err = p.Finish(t.Context(), a, s.Visit(t, a.URL))
			}
			wantKind(t, err, provider.KindMisbehaved)
			if len(visited) > 0 {
				t.Error("the redirect was followed")
			}
		})
	}
}

// TestErrorsKeepSecrets: providers repeat what they were sent.
func TestErrorsKeepSecrets(t *testing.T) {
	s := providertest.Start(t)
	var sent []string
	s.Fault(providertest.Token, func(w http.ResponseWriter, r *http.Request) {
		_, secret, _ := (&http.Request{Header: r.Header}).BasicAuth()
		sent = []string{r.PostForm.Get("code"), r.PostForm.Get("code_verifier"), secret, s.ClientSecret}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"error":"invalid_request","error_description":"bad: %s eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0. line\r\nbreak \u202e"}`,
			strings.Join(sent, " "))
	})
	_, err := signIn(t, newProvider(t, s), s)
	wantKind(t, err, provider.KindMisconfigured)
	for _, secret := range append(sent, "eyJ", "\n", "\u202e") {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q is in %q", secret, err)
		}
	}
	if !strings.Contains(err.Error(), "bad: [REDACTED]") {
		t.Errorf("the provider's own words are missing: %v", err)
	}
}

func TestErrorsKeepPasswords(t *testing.T) {
	for _, password := range []string{"a", "hunter2 and more", "p%2B w"} {
		s := providertest.Start(t)
		s.Fault(providertest.Token, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, `{"error":"invalid_grant","error_description":"QQ%sQQ is wrong"}`, r.PostForm.Get("password"))
		})
		p := newProvider(t, s, func(c *provider.Config) {
			c.Name = "password"
			c.ExtraParams = map[string]string{"TOKEN_URL": s.URL + "/token", "USER_URL": s.URL + "/userinfo"}
		})
		_, err := p.Password(t.Context(), "alice", password)
		wantKind(t, err, provider.KindBadCredentials)
		if strings.Contains(err.Error(), "QQ"+password) {
			t.Errorf("%q is in %q", password, err)
		}
	}
}

func TestExpiry(t *testing.T) {
	clock := newClock()
	in := func(d time.Duration) time.Time { return clock.Now().Add(d) }
	jwt := map[string]any{"exp": in(5 * time.Minute).Unix()}
	tests := map[string]struct {
		access    map[string]any
		expiresIn any
		want      time.Time
	}{
		"a number":                    {nil, 60, in(time.Minute)},
		"text":                        {nil, "60", in(time.Minute)},
		"nothing":                     {nil, nil, time.Time{}},
		"nothing, but a JWT":          {jwt, nil, in(5 * time.Minute).Truncate(time.Second)},
		"a number and a JWT":          {jwt, 60, in(time.Minute)},
		"zero":                        {nil, 0, time.Time{}},
		"negative":                    {nil, -5, time.Time{}},
		"longer than a session lives": {nil, int64(1) << 60, in(10 * 365 * 24 * time.Hour)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			s.Now = clock.Now
			s.Turn(func(k *providertest.Knobs) {
				k.AccessToken = test.access
				k.Tokens = func(answer map[string]any) { answer["expires_in"] = test.expiresIn }
			})
			id := mustSignIn(t, newProvider(t, s), s)
			if !id.Tokens.Expiry.Equal(test.want) {
				t.Errorf("expiry is %v, want %v", id.Tokens.Expiry, test.want)
			}
		})
	}
}

func TestClientAuthentication(t *testing.T) {
	post := []string{"client_secret_post"}
	tests := map[string]struct {
		name    string
		methods []string
		secret  string
		basic   bool
	}{
		"oidc, both":               {"oidc", []string{"client_secret_post", "client_secret_basic"}, "secret", true},
		"oidc, post":               {"oidc", post, "secret", false},
		"oidc, nothing announced":  {"oidc", nil, "secret", true},
		"oidc, only others":        {"oidc", []string{"tls_client_auth"}, "secret", true},
		"oidc, public":             {"oidc", nil, "", false},
		"generic, both":            {"generic", []string{"client_secret_basic", "client_secret_post"}, "secret", false},
		"generic, basic":           {"generic", []string{"client_secret_basic"}, "secret", true},
		"auth_code keeps a secret": {"auth_code", post, "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			s.ClientSecret = test.secret
			s.Turn(func(k *providertest.Knobs) {
				k.Metadata = func(m map[string]any) { m["token_endpoint_auth_methods_supported"] = test.methods }
			})
			p := newProvider(t, s, func(c *provider.Config) {
				c.Name = test.name
				if test.name == "auth_code" {
					c.ClientSecret = "not sent"
				}
			})
			mustSignIn(t, p, s)
			request := s.Requests(providertest.Token)[0]
			if _, _, basic := request.BasicAuth(); basic != test.basic {
				t.Errorf("basic is %v", basic)
			}
			if got := request.Form.Has("client_secret"); got != (!test.basic && test.secret != "") {
				t.Errorf("client_secret in the body is %v", got)
			}
		})
	}
}

func TestPrivateKeyJWT(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	sec1, err := x509.MarshalECPrivateKey(ecKey)
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := jose.JSONWebKey{Key: ecKey, KeyID: "mine", Algorithm: "ES256"}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		secret []byte
		public any
	}{
		"RSA":         {pkcs8(rsaKey), rsaKey.Public()},
		"RSA, PKCS 1": {pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)}), rsaKey.Public()},
		"EC":          {pkcs8(ecKey), ecKey.Public()},
		"EC, SEC 1":   {pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}), ecKey.Public()},
		"Ed25519":     {pkcs8(edKey), edPublic},
		"JWK":         {jwk, ecKey.Public()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			s.ClientKey = test.public
			p := newProvider(t, s, func(c *provider.Config) { c.ClientSecret = provider.Secret(test.secret) })
			id := mustSignIn(t, p, s)
			if _, _, err := p.Refresh(t.Context(), id.Tokens, id); err != nil {
				t.Errorf("Refresh: %v", err)
			}
			if err := p.Revoke(t.Context(), id.Tokens); err != nil {
				t.Errorf("Revoke: %v", err)
			}
			first, second := s.Requests(providertest.Token)[0].Form, s.Requests(providertest.Token)[1].Form
			if first.Get("client_assertion") == second.Get("client_assertion") {
				t.Error("an assertion was used twice")
			}
			if first.Has("client_secret") || first.Get("client_id") != s.ClientID {
				t.Error("the form has a secret or no client ID")
			}
		})
	}
}
