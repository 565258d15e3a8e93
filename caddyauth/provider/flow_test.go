// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

func TestBegin(t *testing.T) {
	s := providertest.Start(t)
	p := newProvider(t, s, extra("prompt", "login"))
	a, err := p.Begin(t.Context(), callback+"?x=1&y=2")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"response_type": {"code"}, "client_id": {s.ClientID}, "redirect_uri": {callback + "?x=1&y=2"},
		"scope": {"openid email profile"}, "state": {a.State}, "nonce": {a.Nonce}, "prompt": {"login"},
		"code_challenge_method": {"S256"}, "code_challenge": {u.Query().Get("code_challenge")},
	}
	if got := u.Query(); got.Encode() != want.Encode() {
		t.Errorf("parameters are %v", got)
	}
	if strings.Contains(a.URL, a.Verifier) {
		t.Error("the verifier is in the URL")
	}
}

func TestBeginRefused(t *testing.T) {
	s := providertest.Start(t)
	p := newProvider(t, s)
	for _, redirect := range []string{"", "/login", "javascript:alert(1)", "https://app.example.com/#x"} {
		if _, err := p.Begin(t.Context(), redirect); err == nil {
			t.Errorf("redirect URI %q is accepted", redirect)
		}
	}
}

// TestCVE_2024_21495: states, nonces and verifiers were predictable elsewhere.
func TestCVE_2024_21495(t *testing.T) {
	s := providertest.Start(t)
	p := newProvider(t, s)
	seen := map[string]bool{}
	for range 1000 {
		a, err := p.Begin(t.Context(), callback)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []string{a.State, a.Nonce, a.Verifier} {
			if len(v) < 43 || seen[v[:16]] {
				t.Fatalf("%q is short or not new", v)
			}
			seen[v[:16]] = true
		}
	}
}

func TestAttempt(t *testing.T) {
	s := providertest.Start(t)
	a, err := newProvider(t, s).Begin(t.Context(), callback)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(format, a) + fmt.Sprintf(format, &a); strings.Contains(text, a.Verifier) || strings.Contains(text, a.State) {
			t.Errorf("%s shows the attempt", format)
		}
	}
	raw, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var again provider.Attempt
	if err := json.Unmarshal(raw, &again); err != nil {
		t.Fatal(err)
	}
	again.URL = a.URL
	if again.Begun = a.Begun; again != a {
		t.Error("the attempt does not survive being stored")
	}
}

func TestAnswerRefused(t *testing.T) {
	tests := map[string]struct {
		edit func(*provider.Attempt, url.Values)
		kind provider.Kind
	}{
		"state missing":     {func(_ *provider.Attempt, v url.Values) { v.Del("state") }, provider.KindState},
		"state empty":       {func(_ *provider.Attempt, v url.Values) { v.Set("state", "") }, provider.KindState},
		"state longer":      {func(_ *provider.Attempt, v url.Values) { v.Set("state", v.Get("state")+"x") }, provider.KindState},
		"state of another":  {func(a *provider.Attempt, _ url.Values) { a.State = strings.Repeat("A", 43) }, provider.KindState},
		"state twice":       {func(_ *provider.Attempt, v url.Values) { v.Add("state", "evil") }, provider.KindState},
		"state twice alike": {func(_ *provider.Attempt, v url.Values) { v.Add("state", v.Get("state")) }, provider.KindState},
		"both states empty": {func(a *provider.Attempt, v url.Values) { a.State = ""; v.Set("state", "") }, provider.KindState},
		"no attempt":        {func(a *provider.Attempt, v url.Values) { *a = provider.Attempt{}; v.Del("state") }, provider.KindState},
		"code twice":        {func(_ *provider.Attempt, v url.Values) { v.Add("code", "evil") }, provider.KindState},
		"error twice":       {func(_ *provider.Attempt, v url.Values) { v["error"] = []string{"a", "b"} }, provider.KindState},
		"iss twice":         {func(_ *provider.Attempt, v url.Values) { v["iss"] = []string{"a", "b"} }, provider.KindState},
		"iss of another":    {func(_ *provider.Attempt, v url.Values) { v.Set("iss", "https://evil.example.com") }, provider.KindState},
		"error of another": {func(_ *provider.Attempt, v url.Values) {
			v.Set("iss", "https://evil.example.com")
			v.Set("error", "access_denied")
		}, provider.KindState},
		"begun elsewhere":     {func(a *provider.Attempt, _ url.Values) { a.Provider = "other" }, provider.KindState},
		"begun long ago":      {func(a *provider.Attempt, _ url.Values) { a.Begun = a.Begun.Add(-11 * time.Minute) }, provider.KindExpired},
		"begun in the future": {func(a *provider.Attempt, _ url.Values) { a.Begun = a.Begun.Add(2 * time.Minute) }, provider.KindExpired},
		"begun never":         {func(a *provider.Attempt, _ url.Values) { a.Begun = time.Time{} }, provider.KindExpired},
		"code missing":        {func(_ *provider.Attempt, v url.Values) { v.Del("code") }, provider.KindMisbehaved},
		"code very long":      {func(_ *provider.Attempt, v url.Values) { v.Set("code", strings.Repeat("x", 10000)) }, provider.KindMisbehaved},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			p := newProvider(t, s)
			a, params := begin(t, p, s)
			test.edit(&a, params)
			_, err := p.Finish(t.Context(), a, params)
			wantKind(t, err, test.kind)
			if got := len(s.Requests(providertest.Token)); got != 0 {
				t.Errorf("the provider got %d requests for tokens", got)
			}
		})
	}
}

func TestCodeRefused(t *testing.T) {
	tests := map[string]func(*provider.Attempt, url.Values){
		"wrong code":         func(_ *provider.Attempt, v url.Values) { v.Set("code", "guessed") },
		"wrong verifier":     func(a *provider.Attempt, _ url.Values) { a.Verifier = strings.Repeat("A", 43) },
		"wrong redirect URI": func(a *provider.Attempt, _ url.Values) { a.RedirectURI += "/other" },
	}
	for name, edit := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			p := newProvider(t, s)
			a, params := begin(t, p, s)
			edit(&a, params)
			_, err := p.Finish(t.Context(), a, params)
			wantKind(t, err, provider.KindExpired)
		})
	}
	t.Run("second time", func(t *testing.T) {
		s := providertest.Start(t)
		p := newProvider(t, s)
		a, params := begin(t, p, s)
		if _, err := p.Finish(t.Context(), a, params); err != nil {
			t.Fatal(err)
		}
		_, err := p.Finish(t.Context(), a, params)
		wantKind(t, err, provider.KindExpired)
	})
}

// TestIssuerParameter is RFC 9207.
func TestIssuerParameter(t *testing.T) {
	announce := func(m map[string]any) { m["authorization_response_iss_parameter_supported"] = true }
	tests := map[string]struct {
		metadata func(map[string]any)
		iss      string
		ok       bool
	}{
		"announced and right":     {announce, "own", true},
		"announced and missing":   {announce, "", false},
		"announced and empty":     {announce, "empty", false},
		"not announced but right": {nil, "own", true},
		"not announced and wrong": {nil, "https://evil.example.com", false},
		"one slash too many":      {announce, "slash", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			iss := strings.NewReplacer("own", s.URL, "slash", s.URL+"/").Replace(test.iss)
			s.Turn(func(k *providertest.Knobs) {
				k.Metadata = test.metadata
				k.Answer = func(v url.Values) {
					switch iss {
					case "":
					case "empty":
						v.Set("iss", "")
					default:
						v.Set("iss", iss)
					}
				}
			})
			_, err := signIn(t, newProvider(t, s), s)
			if test.ok && err != nil {
				t.Fatal(err)
			}
			if !test.ok {
				wantKind(t, err, provider.KindState)
			}
		})
	}
}

func TestAnsweredErrors(t *testing.T) {
	tests := map[string]provider.Kind{
		"access_denied":           provider.KindDenied,
		"login_required":          provider.KindDenied,
		"temporarily_unavailable": provider.KindUnreachable,
		"server_error":            provider.KindUnreachable,
		"invalid_scope":           provider.KindMisconfigured,
		"unauthorized_client":     provider.KindMisconfigured,
		"whatever":                provider.KindMisbehaved,
		"<script>alert(1)":        provider.KindMisbehaved,
	}
	for code, kind := range tests {
		t.Run(code, func(t *testing.T) {
			s := providertest.Start(t)
			s.Turn(func(k *providertest.Knobs) { k.Deny = code })
			_, err := signIn(t, newProvider(t, s), s)
			wantKind(t, err, kind)
			var e *provider.Error
			if errors.As(err, &e); strings.Contains(e.Code, "<") {
				t.Errorf("code is %q", e.Code)
			}
		})
	}
}

// TestCVE_2026_33544: shared state of a provider mixed up accounts elsewhere.
func TestCVE_2026_33544(t *testing.T) {
	s := providertest.Start(t)
	var users []providertest.User
	for i := range 200 {
		users = append(users, providertest.User{
			ID: fmt.Sprint(i + 1), Login: fmt.Sprintf("user%d", i), Email: fmt.Sprintf("user%d@example.org", i),
		})
	}
	s.SetUsers(users...)
	p := newProvider(t, s)
	var all sync.WaitGroup
	for _, u := range users {
		all.Go(func() {
			a, err := p.Begin(t.Context(), callback)
			if err != nil {
				t.Error(err)
				return
			}
			params := s.Visit(t, a.URL+"&login_hint="+u.Login)
			id, err := p.Finish(t.Context(), a, params)
			if err != nil || id.User != u.Email || id.Subject != u.ID {
				t.Errorf("%s signed in as %v, %v", u.Email, id, err)
			}
		})
	}
	all.Wait()
}

func TestPassword(t *testing.T) {
	s := providertest.Start(t)
	token := func(issuer bool) map[string]string {
		params := map[string]string{"TOKEN_URL": s.URL + "/token", "USER_URL": s.URL + "/userinfo"}
		if issuer {
			params["ISSUER"] = s.URL
		}
		return params
	}
	for name, params := range map[string]map[string]string{"plain": token(false), "OpenID Connect": token(true)} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t, s, func(c *provider.Config) { c.Name, c.ExtraParams = "password", params })
			if !p.UsesPassword() {
				t.Error("a form is not asked for")
			}
			id, err := p.Password(t.Context(), "alice", "right password")
			if err != nil || id.User != "alice@example.org" {
				t.Fatalf("identity is %v, %v", id, err)
			}
			for _, wrong := range [][2]string{{"alice", "wrong password"}, {"", "right password"}, {"alice", ""}, {"alice", strings.Repeat("x", 2000)}} {
				_, err = p.Password(t.Context(), wrong[0], wrong[1])
				wantKind(t, err, provider.KindBadCredentials)
			}
			for _, request := range s.Requests(providertest.Token) {
				if len(request.Form.Get("password")) > 1024 || request.Form.Get("username") == "" {
					t.Error("the provider was asked about nonsense")
				}
			}
			if _, err := p.Begin(t.Context(), callback); err == nil {
				t.Error("Begin works too")
			}
		})
	}
	if _, err := newProvider(t, s).Password(t.Context(), "alice", "right password"); err == nil {
		t.Error("another provider takes passwords")
	}
}
