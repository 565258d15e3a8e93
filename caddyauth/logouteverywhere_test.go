// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

func TestLogoutEverywhere(t *testing.T) {
	for name, options := range modes {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, append(options, func(h *Handler) {
				h.BasicAuth.Accounts["bob"] = testPassword
			})...)
			one, two, bob := s.signInAlice(), s.signInAlice(), s.signIn("bob", testPassword)
			asks := func(what string, status int, options ...func(*http.Request)) {
				t.Helper()
				a := s.serve(get("/logout?everywhere=1", append([]func(*http.Request){cookieLine(one), browser}, options...)...))
				a.wantRefusedHere(status)
				a.wantBody(`method="post"`, `action="/logout?everywhere=1"`, "Sign out everywhere")
				if a.Header["Set-Cookie"] != nil || !s.isSignedIn(one) || !s.isSignedIn(two) {
					t.Errorf("%s ends a session", what)
				}
			}
			asks("a link", http.StatusOK)
			asks("a link elsewhere", http.StatusOK, header("Sec-Fetch-Site", "cross-site"))
			asks("a form elsewhere", http.StatusForbidden, header("Sec-Fetch-Site", "cross-site"), func(r *http.Request) { r.Method = http.MethodPost })
			asks("a form of a sister site", http.StatusForbidden, header("Sec-Fetch-Site", "same-site"), func(r *http.Request) { r.Method = http.MethodPost })
			a := s.serve(post("/logout?everywhere=1", nil, cookieLine(one)))
			a.want(http.StatusOK)
			a.wantBody("You are signed out")
			if deleted := a.cookie("panelauth"); deleted == nil || deleted.MaxAge >= 0 {
				t.Errorf("the cookies are %v", a.Header["Set-Cookie"])
			}
			if s.isSignedIn(one) || s.isSignedIn(two) {
				t.Error("a session goes on")
			}
			if !s.isSignedIn(bob) {
				t.Error("another user is signed out")
			}
			if again := s.signInAlice(); !s.isSignedIn(again) {
				t.Error("alice cannot sign in again")
			}
			if n := s.logs.FilterMessage("signed out").Len(); n != 2 {
				t.Errorf("%d are said to have signed out", n)
			}
		})
	}
}

func TestLogoutEverywhereOfNobody(t *testing.T) {
	s := newSite(t)
	for _, r := range []*http.Request{get("/logout?everywhere=1", browser), post("/logout?everywhere=1", nil)} {
		a := s.serve(r)
		a.want(http.StatusOK)
		a.wantBody("You are signed out")
	}
	a := s.serve(get("/logout?everywhere=1", browser, header("Sec-Fetch-Site", "cross-site")))
	a.wantBody(`method="post"`)
}

// TestLogoutEverywhereOfAnotherWay: who has the same name at another provider
// may be somebody else.
func TestLogoutEverywhereOfAnotherWay(t *testing.T) {
	p, other := newOpenID(t), newOpenID(t)
	s := newSite(t, entries(entryFor(p), entryFor(other, called("other"))), refreshTokens)
	visit := func(id string) *visitor {
		v := s.newVisitor("")
		v.visit("/login?provider=" + id)
		v.wantSignedIn("alice@example.org")
		return v
	}
	one, two, there := visit("oidc"), visit("oidc"), visit("other")
	a := one.send(post("/logout?everywhere=1", nil))
	a.want(http.StatusOK)
	if one.hasSession() {
		t.Error("this browser has its session still")
	}
	two.open("/app").wantHeader("Location", "/login?next=%2Fapp")
	there.wantSignedIn("alice@example.org")
	eventually(t, "both refresh tokens are revoked", func() bool { return asked(p, providertest.Revocation) == 2 })
	if asked(other, providertest.Revocation) != 0 {
		t.Error("a token of the other provider was revoked")
	}
}

// TestLogoutEverywhereOfAnotherSite: who has the same name in the accounts of
// another site that shares the secret is somebody else, also to a process that
// has met nobody since it started.
func TestLogoutEverywhereOfAnotherSite(t *testing.T) {
	const password = "another alice's password"
	for mode, options := range modes {
		t.Run(mode, func(t *testing.T) {
			storage := newFlakyStorage(t)
			s := newSiteIn(t, storage, options...)
			other := newSiteIn(t, storage, append(options, func(h *Handler) {
				h.BasicAuth = &BasicAuth{Accounts: map[string]string{testUser: password}}
			})...)
			mine, theirs := s.signInAlice(), other.signIn(testUser, password)
			c := newClock()
			c.pass(2 * time.Second)
			s.useClock(c)
			other.useClock(c)
			s.serve(post("/logout?everywhere=1", nil, cookieLine(s.signInAlice()))).want(http.StatusOK)
			if s.isSignedIn(mine) {
				t.Error("a session goes on")
			}
			if !other.isSignedIn(theirs) {
				t.Error("the other site's alice is signed out")
			}
		})
	}
}

// TestLogoutEverywhereElsewhere: sessions that only another instance has met.
func TestLogoutEverywhereElsewhere(t *testing.T) {
	dir := newFolder(t)
	here, there := newSiteIn(t, anotherInstance("here "+dir, dir)), newSiteIn(t, anotherInstance("there "+dir, dir))
	c := here.withClock()
	there.useClock(c)
	one, two := here.signInAlice(), there.signInAlice()
	here.serve(post("/logout?everywhere=1", nil, cookieLine(one))).want(http.StatusOK)
	if here.isSignedIn(two) {
		t.Error("the session is good here")
	}
	c.pass(10*time.Second + 1)
	if there.isSignedIn(two) {
		t.Error("after 10 s the session goes on elsewhere")
	}
}

// TestLogoutEverywhereStoreAway: nobody is told to be signed out everywhere who
// may not be, and who asked can ask again.
func TestLogoutEverywhereStoreAway(t *testing.T) {
	storage := newFlakyStorage(t)
	s := newSiteIn(t, storage)
	one, two := s.signInAlice(), s.signInAlice()
	storage.setAway(true)
	s.serve(post("/logout?everywhere=1", nil, cookieLine(one))).want(http.StatusServiceUnavailable)
	if s.isSignedIn(two) {
		t.Error("the other session goes on here")
	}
	storage.setAway(false)
	if !s.isSignedIn(one) {
		t.Fatal("the session is over, so that it cannot be tried again")
	}
	s.serve(post("/logout?everywhere=1", nil, cookieLine(one))).want(http.StatusOK)
	if s.isSignedIn(one) || s.isSignedIn(two) {
		t.Error("a session goes on")
	}
}
