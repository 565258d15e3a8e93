// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

const evilText = `"><script>alert(1)</script>{{7*7}}`

// TestFailedSignIns: whatever a provider does, the page has words of ours.
func TestFailedSignIns(t *testing.T) {
	idToken := func(name string, value any) func(*providertest.Knobs) {
		return func(k *providertest.Knobs) { k.IDToken = func(c map[string]any) { c[name] = value } }
	}
	fault := func(e providertest.Endpoint, h http.HandlerFunc) func(*providertest.Knobs) {
		return func(k *providertest.Knobs) { k.Faults = map[providertest.Endpoint]http.HandlerFunc{e: h} }
	}
	answered := func(edit func(url.Values)) func(*providertest.Knobs) {
		return func(k *providertest.Knobs) { k.Answer = edit }
	}
	evilJSON := `{"error":"` + evilCode + `","error_description":"EVIL<script>alert(1)</script>"}`
	tests := map[string]struct {
		turn   func(*providertest.Knobs)
		status int
		kind   provider.Kind
	}{
		"access denied":           {func(k *providertest.Knobs) { k.Deny = "access_denied" }, 401, provider.KindDenied},
		"login required":          {func(k *providertest.Knobs) { k.Deny = "login_required" }, 401, provider.KindDenied},
		"server error":            {func(k *providertest.Knobs) { k.Deny = "server_error" }, 503, provider.KindUnreachable},
		"temporarily unavailable": {func(k *providertest.Knobs) { k.Deny = "temporarily_unavailable" }, 503, provider.KindUnreachable},
		"invalid scope":           {func(k *providertest.Knobs) { k.Deny = "invalid_scope" }, 401, provider.KindMisconfigured},
		"unknown error":           {func(k *providertest.Knobs) { k.Deny = "EVIL" }, 401, provider.KindMisbehaved},
		"HTML in the error": {answered(func(q url.Values) {
			q.Del("code")
			q.Set("error", "EVIL"+evilText)
			q.Set("error_description", "EVIL"+evilText)
		}), 401, provider.KindMisbehaved},
		"no code":        {answered(func(q url.Values) { q.Set("code", "") }), 401, provider.KindMisbehaved},
		"a wrong code":   {answered(func(q url.Values) { q.Set("code", "EVIL") }), 401, provider.KindExpired},
		"another issuer": {answered(func(q url.Values) { q.Set("iss", "https://evil.example") }), 401, provider.KindState},

		"token endpoint says HTML":          {fault(providertest.Token, providertest.HTML()), 401, provider.KindMisbehaved},
		"token endpoint is out of order":    {fault(providertest.Token, providertest.Unavailable()), 503, provider.KindUnreachable},
		"token endpoint redirects":          {fault(providertest.Token, providertest.Redirect("https://evil.example/")), 401, provider.KindMisbehaved},
		"token endpoint says too much":      {fault(providertest.Token, providertest.Huge(2<<20)), 401, provider.KindMisbehaved},
		"token endpoint says nothing":       {fault(providertest.Token, providertest.Reply(200, "application/json", "")), 401, provider.KindMisbehaved},
		"token endpoint says broken JSON":   {fault(providertest.Token, providertest.Reply(200, "application/json", `{"access_token":"EVIL`)), 401, provider.KindMisbehaved},
		"token endpoint says no token":      {fault(providertest.Token, providertest.Reply(200, "application/json", `{"token_type":"EVIL"}`)), 401, provider.KindMisbehaved},
		"token endpoint refuses the client": {fault(providertest.Token, providertest.Reply(401, "application/json", `{"error":"invalid_client","error_description":"EVIL<script>"}`)), 401, provider.KindMisconfigured},
		"token endpoint says HTML in JSON":  {fault(providertest.Token, providertest.Reply(400, "application/json", evilJSON)), 401, provider.KindMisbehaved},
		"keys are away":                     {fault(providertest.Keys, providertest.Unavailable()), 503, provider.KindUnreachable},
		"keys are HTML":                     {fault(providertest.Keys, providertest.HTML()), 401, provider.KindMisbehaved},
		"userinfo is out of order":          {fault(providertest.UserInfo, providertest.Unavailable()), 503, provider.KindUnreachable},

		"signature":             {func(k *providertest.Knobs) { k.SpoilSignature = true }, 401, provider.KindMisbehaved},
		"alg none":              {func(k *providertest.Knobs) { k.Alg = "none" }, 401, provider.KindMisbehaved},
		"alg HS256":             {func(k *providertest.Knobs) { k.Alg = "HS256" }, 401, provider.KindMisbehaved},
		"another nonce":         {idToken("nonce", "EVIL"), 401, provider.KindMisbehaved},
		"no nonce":              {func(k *providertest.Knobs) { k.IDToken = func(c map[string]any) { delete(c, "nonce") } }, 401, provider.KindMisbehaved},
		"another audience":      {idToken("aud", "EVIL"), 401, provider.KindMisbehaved},
		"several audiences":     {idToken("aud", []string{"client-1", "EVIL"}), 401, provider.KindMisbehaved},
		"another issuer inside": {idToken("iss", "https://evil.example"), 401, provider.KindMisbehaved},
		"expired":               {idToken("exp", time.Now().Add(-time.Hour).Unix()), 401, provider.KindMisbehaved},
		"from the future":       {idToken("iat", time.Now().Add(time.Hour).Unix()), 401, provider.KindMisbehaved},
		"no subject":            {func(k *providertest.Knobs) { k.IDToken = func(c map[string]any) { delete(c, "sub") } }, 401, provider.KindMisbehaved},
		"a key twice": {func(k *providertest.Knobs) {
			k.Payload = func(b []byte) []byte { return []byte(strings.Replace(string(b), "{", `{"sub":"EVIL",`, 1)) }
		}, 401, provider.KindMisbehaved},
		"no ID token":     {func(k *providertest.Knobs) { k.Tokens = func(a map[string]any) { delete(a, "id_token") } }, 401, provider.KindMisbehaved},
		"another subject": {func(k *providertest.Knobs) { k.UserInfo = func(c map[string]any) { c["sub"] = "EVIL" } }, 401, provider.KindMisbehaved},
		"an encrypted token": {func(k *providertest.Knobs) {
			k.Tokens = func(a map[string]any) {
				head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":100000000,"p2s":"AAAA","zip":"DEF"}`))
				a["id_token"] = head + ".AAAA.AAAA.AAAA.AAAA"
			}
		}, 401, provider.KindMisbehaved},

		"no user claim": {func(k *providertest.Knobs) {
			gone := func(c map[string]any) { delete(c, "email") }
			k.IDToken, k.UserInfo = gone, gone
		}, 401, provider.KindMissingUser},
		"an empty user claim": {func(k *providertest.Knobs) {
			empty := func(c map[string]any) { c["email"] = "" }
			k.IDToken, k.UserInfo = empty, empty
		}, 401, provider.KindMissingUser},
		"a list for a user, HS-103": {idToken("email", []string{"a@x", "b@y"}), 401, provider.KindMissingUser},
		"an object for a user":      {idToken("email", map[string]any{"EVIL": "x"}), 401, provider.KindMissingUser},
		"unverified e-mail":         {idToken("email_verified", false), 401, provider.KindUnverifiedEmail},
		"control characters, HS-100": {func(k *providertest.Knobs) {
			evil := func(c map[string]any) { c["email"] = "alice\r\nX-Admin: 1" }
			k.IDToken, k.UserInfo = evil, evil
		}, 401, provider.KindMissingUser},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newOpenID(t)
			s := newSite(t, signInWith(p))
			v := s.newVisitor("")
			answer := v.begin("/login?next=/app")
			p.Turn(test.turn)
			if strings.HasPrefix(name, "keys") {
				eventually(t, "keys were fetched once", func() bool { return asked(p, providertest.Keys) > 0 })
				p.RotateKeys() // so that they are fetched again
			}
			a := v.comeBack(v.answerOf(answer))
			v.wantFailed(a, test.status, string(test.kind), failureMessages[test.kind])
			for _, evil := range []string{"EVIL", "evil", "<script", "hotel", "503 Service"} {
				if strings.Contains(a.text, evil) {
					t.Errorf("%q of the provider's is on the page", evil)
				}
			}
			a.wantHeader("Cache-Control", "no-store")
			if got := a.Header.Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") {
				t.Errorf("the policy is %q", got)
			}
			for _, entry := range s.logs.All() {
				if strings.ContainsAny(entry.Message, "\r\n") {
					t.Errorf("a log line is broken: %q", entry.Message)
				}
			}
			p.Turn(func(k *providertest.Knobs) { *k = providertest.Knobs{} })
			if test.kind != provider.KindUnreachable && !strings.HasPrefix(name, "keys") {
				v.mustSignIn("/app")
			}
		})
	}
}

const evilCode = "EVIL<img src=x>"

// TestEveryKindHasWords: a kind without a message would leave the page to the
// template's own.
func TestEveryKindHasWords(t *testing.T) {
	for _, kind := range []provider.Kind{
		provider.KindDenied, provider.KindState, provider.KindExpired, provider.KindUnreachable, provider.KindMisbehaved,
		provider.KindMisconfigured, provider.KindMissingUser, provider.KindUnverifiedEmail, provider.KindNotAllowed,
		provider.KindGroups, provider.KindBadCredentials,
	} {
		if failureMessages[kind] == "" {
			t.Errorf("%s has none", kind)
		}
	}
	want := map[provider.Kind]int{provider.KindUnreachable: 503, provider.KindNotAllowed: 403}
	for kind := range failureMessages {
		status := want[kind]
		if status == 0 {
			status = 401
		}
		if got := failureStatus(kind); got != status {
			t.Errorf("%s has status %d", kind, got)
		}
	}
}

func TestFailedSignInForPrograms(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	v := s.newVisitor("")
	a := v.script("/login?error=EVIL<script>&state=x", header("Accept", "application/json"))
	a.wantRefusedHere(http.StatusUnauthorized)
	fields := jsonOf(t, a)
	if fields["error"] != "state_mismatch" || fields["reference"] == "" || strings.Contains(a.text, "EVIL") {
		t.Errorf("got %s", a.text)
	}
}

func TestNotAllowed(t *testing.T) {
	p := connected(t, providertest.Google(t))
	s := newSite(t, signInWith(p, withParam("hd", "example.com")))
	v := s.newVisitor("")
	v.wantFailed(v.visit("/app"), http.StatusForbidden, "not_allowed", "may not sign in")
}

func TestGroupsUnknown(t *testing.T) {
	p := connected(t, providertest.GitHub(t))
	s := newSite(t, signInWith(p, func(e *OAuthProvider) { e.Scope = []string{"read:org"} }))
	p.Fault(providertest.API, providertest.Reply(http.StatusForbidden, "application/json", `{"message":"EVIL"}`))
	v := s.newVisitor("")
	a := v.visit("/app")
	if a.StatusCode < 400 || v.hasSession() || strings.Contains(a.text, "EVIL") {
		t.Errorf("got %d: %.300q", a.StatusCode, a.text)
	}
}

// TestMissingUserIsExplained: the log names the claim and the option.
func TestMissingUserIsExplained(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p, func(e *OAuthProvider) { e.JWTUser = "department" }))
	v := s.newVisitor("")
	v.wantFailed(v.visit("/app"), http.StatusUnauthorized, "missing_user", "")
	if text := s.logText(); !strings.Contains(text, "department") || !strings.Contains(text, "jwt_user") || !strings.Contains(text, "such as: email") {
		t.Errorf("the log says %s", text)
	}
}

func TestUnverifiedEmailAllowed(t *testing.T) {
	p := newOpenID(t)
	p.SetUsers(providertest.User{ID: "1", Login: "a", Email: "a@example.org", Unverified: true})
	s := newSite(t, signInWith(p, func(e *OAuthProvider) { e.AllowUnverifiedEmail = true }))
	s.newVisitor("").mustSignIn("/").wantUser("a@example.org")
}

// TestInvalidJSON is Panel's test_decode_invalid_response_body: Azure's error
// messages have escapes that JSON does not know.
func TestInvalidJSON(t *testing.T) {
	p := connected(t, providertest.Azure(t, providertest.Tenant))
	s := newSite(t, signInWith(p, func(e *OAuthProvider) { e.Secret = "wrong" }))
	v := s.newVisitor("")
	a := v.visit("/app")
	v.wantFailed(a, http.StatusUnauthorized, "misconfigured", "")
	if strings.Contains(a.text, "AADSTS") || !strings.Contains(s.logText(), "AADSTS7000215") {
		t.Errorf("the provider's words belong into the log: %s", s.logText())
	}
}

// TestProviderComesBack: Caddy starts without the provider, says so, and signs
// people in as soon as it is there, without a reload.
func TestProviderComesBack(t *testing.T) {
	p := newOpenID(t)
	onFakeTime(t, func(t *testing.T) {
		away(p)
		began := time.Now()
		s := newSite(t, signInWith(p), withPassword, optional)
		if took := time.Since(began); took > time.Second {
			t.Errorf("starting took %s", took)
		}
		v := s.newVisitor("")
		v.open("/").wantUser("guest")
		v.wantFailed(v.open("/login?provider=oidc"), http.StatusServiceUnavailable, "provider_unreachable", "cannot be reached")
		a := v.open("/login?provider=oidc", header("Accept", "application/json"), header("Sec-Fetch-Mode", "cors"), header("Sec-Fetch-Dest", "empty"))
		a.wantRefusedHere(http.StatusUnauthorized) // a script begins no sign-in
		a.wantHeader("Content-Type", "application/json")
		s.isSignedIn(s.signInAlice()) // the other way in works
		time.Sleep(5 * time.Minute)
		v.wantFailed(v.open("/login?provider=oidc"), http.StatusServiceUnavailable, "provider_unreachable", "cannot be reached")
		back(p)
		time.Sleep(2 * time.Second)
		v.visit("/login?provider=oidc&next=/app").wantUser("alice@example.org")
	})
}

// TestProviderGoesAway: what was learned of it serves on, RL-003.
func TestProviderGoesAway(t *testing.T) {
	p := newOpenID(t)
	onFakeTime(t, func(t *testing.T) {
		s := newSite(t, signInWith(p))
		v := s.newVisitor("")
		v.mustSignIn("/")
		p.Fault(providertest.Discovery, providertest.HTML())
		p.Fault(providertest.Keys, providertest.HTML())
		time.Sleep(2 * time.Hour)
		s.newVisitor("").mustSignIn("/")
		v.wantSignedIn("alice@example.org")
		if text := s.logText(); !strings.Contains(text, "going on with what is known") {
			t.Error("the log does not warn")
		}

		w := s.newVisitor("")
		answer := w.answerOf(w.begin("/login"))
		away(p)
		w.wantFailed(w.comeBack(answer), http.StatusServiceUnavailable, "provider_unreachable", "cannot be reached")
		v.wantSignedIn("alice@example.org")
		back(p)
		w.mustSignIn("/")
	})
}

// TestProviderHangs: nobody waits for ever.
func TestProviderHangs(t *testing.T) {
	p := newOpenID(t)
	onFakeTime(t, func(t *testing.T) {
		s := newSite(t, signInWith(p))
		v := s.newVisitor("")
		answer := v.answerOf(v.begin("/login"))
		p.Fault(providertest.Token, providertest.Hang())
		began := time.Now()
		v.wantFailed(v.comeBack(answer), http.StatusServiceUnavailable, "provider_unreachable", "")
		if took := time.Since(began); took > 11*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// TestKeyRotation: 0 failed sign-ins.
func TestKeyRotation(t *testing.T) {
	p := newOpenID(t)
	onFakeTime(t, func(t *testing.T) {
		s := newSite(t, signInWith(p))
		for range 4 {
			s.newVisitor("").mustSignIn("/")
			p.RotateKeys()
			time.Sleep(11 * time.Second)
		}
	})
}

// TestUntrustedCertificate is TV-055 as far as the handler goes: a failure of
// TLS is an unreachable provider, with a reason in the log.
func TestUntrustedCertificate(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	v := s.newVisitor("")
	answer := v.answerOf(v.begin("/login"))
	p.Fault(providertest.Token, func(http.ResponseWriter, *http.Request) { panic(errTLS) })
	v.wantFailed(v.comeBack(answer), http.StatusServiceUnavailable, "provider_unreachable", "")
	if !strings.Contains(s.logText(), errTLS.Error()) {
		t.Error("the log does not say why")
	}
}

var errTLS = errors.New("tls: failed to verify certificate: x509: certificate has expired")
