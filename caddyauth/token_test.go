// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTokenEndpoint(t *testing.T) {
	p := newOpenID(t)
	onFakeTime(t, func(t *testing.T) {
		s := newSite(t, signInWith(p), refreshTokens, tokenEndpoint, optional, allPanelCookies)
		v := s.newVisitor("")
		a := v.script("/login/token")
		a.wantRefusedHere(http.StatusUnauthorized)
		if got := jsonOf(t, a); got["error"] != "unauthenticated" || got["login"] != "/login" {
			t.Errorf("a guest gets %v", got)
		}
		v.visit("/login?next=/app").wantReached()
		read := func() map[string]any {
			t.Helper()
			a := v.script("/login/token")
			a.wantRefusedHere(http.StatusOK)
			a.wantHeader("Content-Type", "application/json")
			a.wantHeader("X-Content-Type-Options", "nosniff")
			if a.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("other sites may read it")
			}
			return jsonOf(t, a)
		}
		got := read()
		if got["access_token"] != v.accessToken() || got["token_type"] != "Bearer" {
			t.Errorf("got %v", got)
		}
		expires, err := time.Parse(time.RFC3339, got["expires_at"].(string))
		if err != nil || time.Until(expires) > time.Hour || time.Until(expires) < 59*time.Minute {
			t.Errorf("it expires at %v", got["expires_at"])
		}
		if strings.Contains(v.script("/login/token").text, "refresh-") {
			t.Error("it gives the refresh token away")
		}
		time.Sleep(3 * time.Hour)
		if later := read(); later["access_token"] == got["access_token"] || later["access_token"] != v.accessToken() {
			t.Errorf("after hours got %v", later)
		}

		for name, options := range map[string][]func(*http.Request){
			"another site":         {header("Sec-Fetch-Site", "cross-site")},
			"a neighbour":          {header("Sec-Fetch-Site", "same-site")},
			"the address bar":      {header("Sec-Fetch-Site", "none")},
			"another origin":       {header("Sec-Fetch-Site", ""), header("Origin", "https://evil.example")},
			"another scheme":       {header("Sec-Fetch-Site", ""), header("Origin", "http://"+testHost)},
			"no origin that it is": {header("Sec-Fetch-Site", ""), header("Origin", "null")},
		} {
			a := v.script("/login/token", options...)
			if a.reached || a.StatusCode != http.StatusForbidden || strings.Contains(a.text, "access-") {
				t.Errorf("%s: got %d %s", name, a.StatusCode, a.text)
			}
		}
		for name, options := range map[string][]func(*http.Request){
			"a program":        {header("Sec-Fetch-Site", ""), header("Sec-Fetch-Mode", ""), header("Sec-Fetch-Dest", "")},
			"an older browser": {header("Sec-Fetch-Site", ""), header("Origin", "https://"+testHost)},
		} {
			if a := v.script("/login/token", options...); a.StatusCode != http.StatusOK {
				t.Errorf("%s: got %d", name, a.StatusCode)
			}
		}
		for _, method := range []string{"POST", "HEAD", "PUT", "OPTIONS"} {
			a := v.send(request(method, "/login/token", header("Sec-Fetch-Site", "same-origin"), header("Origin", "https://"+testHost)))
			if a.reached || a.StatusCode != http.StatusMethodNotAllowed || strings.Contains(a.text, "access-") {
				t.Errorf("%s: got %d", method, a.StatusCode)
			}
		}
	})
}

func TestTokenEndpointOff(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	v := s.newVisitor("")
	v.mustSignIn("/")
	v.script("/login/token").wantReached() // like any other page
	v.script("/token").wantReached()
}

func TestTokenEndpointFollowsLogin(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p), tokenEndpoint, func(h *Handler) { h.LoginEndpoint = "/auth/in" })
	v := s.newVisitor("")
	v.mustSignIn("/")
	v.script("/auth/in/token").want(http.StatusOK)
	v.script("/login/token").wantReached()
}

// TestTokenEndpointWithoutToken: people with a password have none.
func TestTokenEndpointWithoutToken(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p), withPassword, tokenEndpoint)
	a := s.serve(get("/login/token", fromHere, cookieLine(s.signInAlice())))
	a.wantRefusedHere(http.StatusNotFound)
}

// TestTokenEndpointAfterEnd: a session that the provider has ended gives none.
func TestTokenEndpointAfterEnd(t *testing.T) {
	p := newOpenID(t)
	onFakeTime(t, func(t *testing.T) {
		s := newSite(t, signInWith(p), refreshTokens, tokenEndpoint)
		v := s.newVisitor("")
		v.mustSignIn("/")
		p.Forget()
		time.Sleep(2 * time.Hour)
		v.script("/login/token").wantRefusedHere(http.StatusUnauthorized)
	})
}

// TestNextIsNotTheToken: sign-in must not end on a page of JSON with a secret.
func TestNextIsNotTheToken(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p), tokenEndpoint)
	v := s.newVisitor("")
	a := v.comeBack(v.answerOf(v.begin("/login?next=/login/token")))
	a.wantHeader("Location", "/")
}
