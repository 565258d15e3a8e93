// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestLogout(t *testing.T) {
	for name, options := range map[string][]func(*Handler){"stored": nil, "in the browser": {stateless}} {
		for how, logout := range map[string]func(*http.Request){
			"Panel's button": func(r *http.Request) { browser(r); r.Header.Set("Sec-Fetch-Site", "same-origin") },
			"typed":          browser,
			"program":        func(*http.Request) {},
			"form": func(r *http.Request) {
				r.Method = http.MethodPost
				r.Header.Set("Sec-Fetch-Site", "same-origin")
			},
			"form of an old browser": func(r *http.Request) {
				r.Method = http.MethodPost
				r.Header.Set("Origin", "https://"+testHost)
			},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				s := newSite(t, options...)
				cookie, other := s.signInAlice(), s.signInAlice()
				a := s.serve(get("/logout", cookieLine("a=b; "+cookie), logout))
				a.wantRefusedHere(http.StatusOK)
				a.wantBody(`"/login"`)
				if deleted := a.cookie("panelauth"); deleted == nil || deleted.MaxAge >= 0 {
					t.Errorf("the cookies are %v", a.Header["Set-Cookie"])
				}
				// CK-025: for every copy of the cookie.
				for range 2 {
					if s.isSignedIn(cookie) {
						t.Error("the session goes on")
					}
				}
				if !s.isSignedIn(other) {
					t.Error("another session of the user ended")
				}
			})
		}
	}
}

// TestLogoutNotMeant: another site, or a browser that loads pages ahead, signs
// nobody out; a person is asked.
func TestLogoutNotMeant(t *testing.T) {
	s := newSite(t)
	cookie := s.signInAlice()
	for name, logout := range map[string]func(*http.Request){
		"link on another site":  header("Sec-Fetch-Site", "cross-site"),
		"image":                 header("Sec-Fetch-Dest", "image"),
		"style sheet":           header("Sec-Fetch-Dest", "style"),
		"HEAD":                  func(r *http.Request) { r.Method = http.MethodHead },
		"prefetch":              header("Sec-Purpose", "prefetch"),
		"prerender":             header("Sec-Purpose", "prefetch;prerender"),
		"prefetch, older":       header("Purpose", "prefetch"),
		"prefetch, Firefox":     header("X-Moz", "prefetch"),
		"preview":               header("X-Purpose", "preview"),
		"form of another site":  func(r *http.Request) { r.Method = http.MethodPost; r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"form of a sister site": func(r *http.Request) { r.Method = http.MethodPost; r.Header.Set("Sec-Fetch-Site", "same-site") },
		"form, old browser": func(r *http.Request) {
			r.Method = http.MethodPost
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set("Origin", "https://evil.com")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			a := s.serve(get("/logout", cookieLine(cookie), browser, logout))
			status := http.StatusOK
			if strings.HasPrefix(name, "form") { // CS-052
				status = http.StatusForbidden
			}
			a.wantRefusedHere(status)
			a.wantBody(`method="post"`, `action="/logout"`, "<button")
			if a.Header["Set-Cookie"] != nil {
				t.Errorf("sets %v", a.Header["Set-Cookie"])
			}
			if !s.isSignedIn(cookie) {
				t.Fatal("the session is over")
			}
		})
	}
	// The button on that page.
	s.serve(post("/logout", nil, cookieLine(cookie))).want(http.StatusOK)
	if s.isSignedIn(cookie) {
		t.Error("the button does nothing")
	}
}

func TestLogoutMethods(t *testing.T) {
	s := newSite(t, optional)
	cookie := s.signInAlice()
	for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
		a := s.serve(request(method, "/logout", cookieLine(cookie)))
		a.wantRefusedHere(http.StatusMethodNotAllowed)
		a.wantHeader("Allow", "GET, HEAD, POST")
	}
	if !s.isSignedIn(cookie) {
		t.Error("the session is over")
	}
}

func TestLogoutWithoutSession(t *testing.T) {
	s := newSite(t)
	for _, line := range []string{"", "a=b", "panelauth=garbage", "panelauth="} {
		a := s.serve(get("/logout", browser, cookieLine(line)))
		a.wantRefusedHere(http.StatusOK)
		if deleted := a.cookie("panelauth"); deleted == nil || deleted.MaxAge >= 0 {
			t.Errorf("%q: the cookies are %v", line, a.Header["Set-Cookie"])
		}
	}
	if n := s.logs.FilterMessage("signed out").Len(); n != 0 {
		t.Errorf("%d are said to have signed out", n)
	}
}

func TestLogoutWithSlash(t *testing.T) {
	s := newSite(t)
	cookie := s.signInAlice()
	s.serve(get("/logout/", cookieLine(cookie))).wantRefusedHere(http.StatusOK)
	if s.isSignedIn(cookie) {
		t.Error("the session goes on")
	}
}

// TestLogoutOfAll: of several sessions in one browser, each that it shows.
func TestLogoutOfAll(t *testing.T) {
	s := newSite(t)
	one, two := s.signInAlice(), s.signInAlice()
	s.serve(get("/logout", cookieLine(one+"; "+two))).want(http.StatusOK)
	if s.isSignedIn(one) || s.isSignedIn(two) {
		t.Error("a session goes on")
	}
}

// TestLogoutElsewhere: an instance that has the session in memory notices
// within 10 seconds.
func TestLogoutElsewhere(t *testing.T) {
	dir := newFolder(t)
	here, there := newSiteIn(t, anotherInstance("here "+dir, dir)), newSiteIn(t, anotherInstance("there "+dir, dir))
	c := here.withClock()
	there.useClock(c)
	cookie := here.signInAlice()
	if !there.isSignedIn(cookie) {
		t.Fatal("the instances do not share the session")
	}
	here.serve(get("/logout", cookieLine(cookie))).want(http.StatusOK)
	c.pass(10*time.Second + 1)
	if there.isSignedIn(cookie) {
		t.Error("after 10 s the session goes on elsewhere")
	}
}

// TestLogoutStoreAway: who is told "signed out" is signed out, even if the
// store was away and the session is not in this instance's memory.
func TestLogoutStoreAway(t *testing.T) {
	dir := newFolder(t)
	storage := anotherInstance("there "+dir, dir)
	here, there := newSiteIn(t, anotherInstance("here "+dir, dir)), newSiteIn(t, storage)
	c := here.withClock()
	there.useClock(c)
	cookie := here.signInAlice()
	storage.setAway(true)
	a := there.serve(get("/logout", browser, cookieLine(cookie)))
	storage.setAway(false)
	c.pass(time.Minute)
	if a.StatusCode == http.StatusOK && there.isSignedIn(cookie) {
		t.Error("the page says signed out, the cookie is good as soon as the store is back")
	}
}

// TestLogoutStoreAwayInMemory: it is over here at once all the same.
func TestLogoutStoreAwayInMemory(t *testing.T) {
	storage := newFlakyStorage(t)
	s := newSiteIn(t, storage)
	cookie := s.signInAlice()
	storage.setAway(true)
	s.serve(get("/logout", cookieLine(cookie))).want(http.StatusOK)
	if s.isSignedIn(cookie) {
		t.Error("the session goes on")
	}
	storage.setAway(false)
	if s.isSignedIn(cookie) {
		t.Error("the session goes on when the store is back")
	}
}

func TestLogoutCustomPage(t *testing.T) {
	s := newSite(t, func(h *Handler) {
		h.LogoutTemplate = newFile(t, "logout.html", `<title>Test Logout Page</title><form action=".{{ LOGIN_ENDPOINT }}">`)
	})
	cookie := s.signInAlice()
	a := s.serve(get("/logout", browser, cookieLine(cookie)))
	a.want(http.StatusOK)
	a.wantBody("<title>Test Logout Page</title>", `action="./login"`)
	if s.isSignedIn(cookie) {
		t.Error("the session goes on")
	}
	// A custom page cannot ask, so the built-in one does.
	cookie = s.signInAlice()
	a = s.serve(get("/logout", browser, cookieLine(cookie), header("Sec-Fetch-Site", "cross-site")))
	if strings.Contains(a.text, "Test Logout Page") || !s.isSignedIn(cookie) {
		t.Error("another site signed the visitor out, or the page says so")
	}
}
