// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

func TestMe(t *testing.T) {
	file := newFile(t, "users.json", `{"alice": {"password": "`+testPassword+`", "name": "Alice A", "email": "a@example.com", "groups": ["staff", "x"]}}`)
	s := newSite(t, accountsFile(file), basicHeader)
	c := s.withClock()
	cookies := s.signInAlice()
	want := map[string]any{
		"user": "alice", "guest": false, "provider": "password", "name": "Alice A", "email": "a@example.com",
		"groups": []any{"staff", "x"}, "expires": c.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339),
	}
	for name, options := range map[string][]func(*http.Request){
		"a script":      {header("Sec-Fetch-Site", "same-origin"), header("Sec-Fetch-Mode", "cors")},
		"the visitor":   {browser},
		"an old script": {header("Origin", "http://"+testHost)},
		"a program":     {},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.in(t).serve(get("/login/me", append(options, cookieLine(cookies))...))
			a.wantRefusedHere(http.StatusOK)
			a.wantHeader("Content-Type", "application/json")
			a.wantHeader("Cross-Origin-Resource-Policy", "same-origin")
			a.wantHeader("X-Content-Type-Options", "nosniff")
			a.wantHeader("Access-Control-Allow-Origin", "")
			if got := jsonOf(t, a); !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	s.serve(get("/login/me/", cookieLine(cookies))).want(http.StatusOK)
	s.serve(request("HEAD", "/login/me", cookieLine(cookies))).want(http.StatusOK)
	for name, options := range map[string][]func(*http.Request){
		"another site":   {header("Sec-Fetch-Site", "cross-site")},
		"a neighbour":    {header("Sec-Fetch-Site", "same-site")},
		"a link":         {browser, header("Sec-Fetch-Site", "cross-site")},
		"another origin": {header("Origin", "https://evil.example")},
		"no origin":      {header("Origin", "null")},
	} {
		t.Run(name, func(t *testing.T) {
			s.in(t).serve(get("/login/me", append(options, cookieLine(cookies))...)).wantRefusal(http.StatusForbidden, "cross_origin")
		})
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		a := s.serve(request(method, "/login/me", cookieLine(cookies)))
		a.wantRefusal(http.StatusMethodNotAllowed, "method_not_allowed")
		a.wantHeader("Allow", "GET, HEAD")
	}
	for _, options := range [][]func(*http.Request){{}, {browser}} {
		s.serve(get("/login/me", options...)).wantRefusal(http.StatusUnauthorized, "unauthenticated")
	}
	s.serve(get("/login/me", basic(testUser, "wrong"), cookieLine(cookies))).wantRefusal(http.StatusUnauthorized, "invalid_credentials")

	delete(want, "expires") // a password has no end
	if got := jsonOf(t, s.serve(get("/login/me", basic(testUser, testPassword)))); !reflect.DeepEqual(got, want) {
		t.Errorf("a program gets %v", got)
	}
}

func TestMeOfGuests(t *testing.T) {
	want := map[string]any{"user": "guest", "guest": true, "provider": "", "groups": []any{}}
	s := newSite(t, optional)
	if got := jsonOf(t, s.serve(get("/login/me"))); !reflect.DeepEqual(got, want) {
		t.Errorf("a guest gets %v", got)
	}
	newSite(t, guestPages("/app")).serve(get("/login/me")).wantRefusal(http.StatusUnauthorized, "unauthenticated")
}

// TestMeHasNoTokens: nothing in it can be used in the visitor's name.
func TestMeHasNoTokens(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p), takesBearer(providertest.Audience))
	v := s.newVisitor("")
	v.mustSignIn("/login?next=/app")
	exp := time.Now().Add(time.Hour)
	token := p.JWTAccessToken(claimIs("exp", exp.Unix()))
	for _, a := range []answer{v.script("/login/me"), s.serve(get("/login/me", bearerOf(token)))} {
		a.want(http.StatusOK)
		got := jsonOf(t, a)
		for _, name := range slices.Sorted(maps.Keys(got)) {
			if !slices.Contains([]string{"user", "guest", "provider", "name", "email", "groups", "expires"}, name) {
				t.Errorf("it has %s", name)
			}
		}
		if got["provider"] != "oidc" || got["expires"] == nil {
			t.Errorf("got %v", got)
		}
	}
}

func TestMeWithoutStore(t *testing.T) {
	storage := newFlakyStorage(t)
	cookies := newSiteIn(t, storage).signInAlice()
	s := newSiteIn(t, storage)
	s.withClock() // which forgets who is in memory
	storage.setAway(true)
	defer storage.setAway(false)
	a := s.serve(get("/login/me", browser, cookieLine(cookies)))
	a.wantRefusal(http.StatusServiceUnavailable, "unavailable")
	a.wantHeader("Retry-After", "5")
}
