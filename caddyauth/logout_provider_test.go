// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

func fromHere(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }

// TestLogoutAtProvider goes to the provider and back, to the signed-out page.
func TestLogoutAtProvider(t *testing.T) {
	for name, configure := range modes {
		t.Run(name, func(t *testing.T) {
			p := newOpenID(t)
			s := newSite(t, append(configure, signInWith(p), refreshTokens)...)
			v := s.newVisitor("")
			v.mustSignIn("/")
			copied := v.jar.Cookies(v.url("/"))
			a := v.open("/logout", fromHere)
			a.want(http.StatusSeeOther)
			a.wantHeader("Cache-Control", "no-store")
			address, err := a.Location()
			if err != nil || !strings.HasPrefix(address.String(), p.URL+"/logout?") {
				t.Fatalf("it leads to %s", address)
			}
			q := address.Query()
			if q.Get("post_logout_redirect_uri") != "https://"+testHost+"/logout" || q.Get("client_id") != p.ClientID {
				t.Errorf("the parameters are %v", q)
			}
			if hint := infoOf(t, q.Get("id_token_hint")); hint["sub"] != "1001" {
				t.Errorf("the hint is about %v", hint)
			}
			if v.hasSession() {
				t.Error("the browser has its session still")
			}
			if s.isSignedIn(copied[0].Name+"="+copied[0].Value, overTLS) {
				t.Error("the session is good still")
			}
			v.trail = nil
			a = v.followFrom(a)
			a.want(http.StatusOK)
			a.wantBody("signed out", `href="/login"`)
			if strings.Contains(a.text, `method="post"`) {
				t.Error("the visitor is asked to sign out once more")
			}
			eventually(t, "the refresh token is revoked", func() bool { return asked(p, providertest.Revocation) == 1 })
			if got := p.Requests(providertest.Revocation)[0].Form; !strings.HasPrefix(got.Get("token"), "refresh-") {
				t.Errorf("revoked was %v", got)
			}
			v.open("/app").wantHeader("Location", "/login?next=%2Fapp")
		})
	}
}

// TestLogoutByButton: the form on the page that asks first leads to the
// provider as well, which the page's policy must allow: browsers apply
// form-action to redirects.
func TestLogoutByButton(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	v := s.newVisitor("")
	v.mustSignIn("/")
	a := v.open("/logout", header("Sec-Fetch-Site", "cross-site"))
	a.want(http.StatusOK)
	a.wantBody(`method="post"`)
	v.wantSignedIn("alice@example.org")
	policy := a.Header.Get("Content-Security-Policy")
	a = v.send(post("/logout", url.Values{}))
	if a.Header.Get("Location") != "" && strings.Contains(policy, "form-action 'self'") {
		t.Errorf("the form leads to %s, which the policy of its page does not allow", a.Header.Get("Location"))
	}
	if !strings.Contains(a.Header.Get("Refresh")+a.Header.Get("Location"), p.URL+"/logout?") || !strings.Contains(a.text, p.URL+"/logout?") {
		t.Errorf("it does not lead to the provider: %d %q", a.StatusCode, a.Header.Get("Refresh"))
	}
	if v.hasSession() {
		t.Error("the browser has its session still")
	}
}

// TestLogoutUnderAPrefix: the provider sends back to where the browser was.
func TestLogoutUnderAPrefix(t *testing.T) {
	p := newOpenID(t)
	v := newSite(t, signInWith(p)).newVisitor("")
	v.mustSignIn("/")
	r := prepared(get("/proxy/logout", browser, fromHere))
	r.URL.Path = "/logout"
	a := v.send(r)
	location, err := a.Location()
	if err != nil || location.Query().Get("post_logout_redirect_uri") != "https://"+testHost+"/proxy/logout" {
		t.Errorf("it leads to %s", location)
	}
}

// TestLogoutFromElsewhere: another site cannot sign anybody out, nor learn
// whether somebody is signed in.
func TestLogoutFromElsewhere(t *testing.T) {
	p := newOpenID(t)
	v := newSite(t, signInWith(p)).newVisitor("")
	v.mustSignIn("/")
	for name, r := range map[string]*http.Request{
		"link":     get("/logout", browser, header("Sec-Fetch-Site", "cross-site")),
		"form":     post("/logout", url.Values{}, header("Origin", "https://evil.example"), header("Sec-Fetch-Site", "cross-site")),
		"image":    get("/logout", browser, header("Sec-Fetch-Site", "cross-site"), header("Sec-Fetch-Dest", "image"), header("Sec-Fetch-Mode", "no-cors")),
		"prefetch": get("/logout", browser, fromHere, header("Sec-Purpose", "prefetch")),
	} {
		if a := v.send(r); a.Header.Get("Location") != "" || a.Header.Get("Refresh") != "" {
			t.Errorf("%s: got %d to %s", name, a.StatusCode, a.Header.Get("Location"))
		}
		v.wantSignedIn("alice@example.org")
	}
}

func TestLogoutProviderOff(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p), refreshTokens, func(h *Handler) { h.LogoutProvider = "off" })
	v := s.newVisitor("")
	v.mustSignIn("/")
	a := v.open("/logout", fromHere)
	a.want(http.StatusOK)
	a.wantBody("signed out")
	eventually(t, "the refresh token is revoked", func() bool { return asked(p, providertest.Revocation) == 1 })
	if asked(p, providertest.EndSession) > 0 {
		t.Error("the provider's session was ended")
	}
}

func TestLogoutWithoutEndSession(t *testing.T) {
	p := connected(t, providertest.GitHub(t))
	s := newSite(t, signInWith(p))
	v := s.newVisitor("")
	v.mustSignIn("/")
	v.open("/logout", fromHere).want(http.StatusOK)
	if v.hasSession() {
		t.Error("the browser has its session still")
	}
}

func TestLogoutAddresses(t *testing.T) {
	t.Run("auth0", func(t *testing.T) {
		p := connected(t, providertest.Auth0(t))
		v := newSite(t, signInWith(p)).newVisitor("")
		v.mustSignIn("/")
		location := v.open("/logout", fromHere).Header.Get("Location")
		if want := p.URL + "/v2/logout?client_id=client-1&returnTo=" + url.QueryEscape("https://"+testHost+"/logout"); location != want {
			t.Errorf("it leads to %s", location)
		}
	})
	t.Run("LOGOUT_URL", func(t *testing.T) {
		p := newOpenID(t)
		p.Name, p.Params = "generic", genericParams(p)
		v := newSite(t, signInWith(p, withParam("LOGOUT_URL", p.URL+"/bye?x=1"))).newVisitor("")
		v.mustSignIn("/")
		if location := v.open("/logout", fromHere).Header.Get("Location"); !strings.HasPrefix(location, p.URL+"/bye?x=1&") {
			t.Errorf("it leads to %s", location)
		}
	})
	t.Run("password", func(t *testing.T) {
		p := newOpenID(t)
		s := newSite(t, signInWith(p), withPassword)
		a := s.serve(get("/logout", browser, fromHere, cookieLine(s.signInAlice())))
		a.want(http.StatusOK)
	})
	t.Run("nobody", func(t *testing.T) {
		p := newOpenID(t)
		v := newSite(t, signInWith(p)).newVisitor("")
		v.open("/logout", fromHere).want(http.StatusOK)
	})
}

// TestLogoutWithProviderAway: signing out here works without it.
func TestLogoutWithProviderAway(t *testing.T) {
	p := newOpenID(t)
	onFakeTime(t, func(t *testing.T) {
		s := newSite(t, signInWith(p), refreshTokens)
		v := s.newVisitor("")
		v.mustSignIn("/")
		p.Fault(providertest.Revocation, providertest.Hang())
		p.Fault(providertest.Discovery, providertest.Hang())
		began := time.Now()
		a := v.open("/logout", fromHere)
		if took := time.Since(began); took > 3*time.Second || v.hasSession() {
			t.Errorf("it took %s: %d", took, a.StatusCode)
		}
		time.Sleep(time.Minute)
		if !strings.Contains(s.logText(), "refresh token could not be revoked") {
			t.Error("the log does not say that a token was not revoked")
		}
	})
}

// TestLogoutOfTwoSessions: a session without a place to go on to must not hide
// the one that has it.
func TestLogoutOfTwoSessions(t *testing.T) {
	p, hub := newOpenID(t), connected(t, providertest.GitHub(t))
	s := newSite(t, entries(entryFor(p), entryFor(hub)))
	line := func(id string) string {
		v := s.newVisitor("")
		v.visit("/login?provider=" + id)
		for _, c := range v.jar.Cookies(v.url("/")) {
			if c.Name == "__Host-panelauth" {
				return c.Name + "=" + c.Value
			}
		}
		t.Fatal("no session")
		return ""
	}
	a := s.serve(get("/logout", browser, fromHere, overTLS, cookieLine(line("oidc")+"; "+line("github"))))
	if !strings.HasPrefix(a.Header.Get("Location"), p.URL+"/logout?") {
		t.Errorf("got %d to %q", a.StatusCode, a.Header.Get("Location"))
	}
}
