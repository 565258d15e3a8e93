// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"testing"
	"time"

	"go.uber.org/zap"
)

// TestUselessCookies: what is no session is taken from the browser, on a page. A
// session that another handler may know stays, and so does one that a storage
// that is away may have.
func TestUselessCookies(t *testing.T) {
	for mode, options := range map[string][]func(*Handler){"storage": nil, "cookie": {stateless}} {
		t.Run(mode, func(t *testing.T) {
			storage := newFlakyStorage(t)
			s := newSiteIn(t, storage, options...)
			other := newSiteIn(t, storage, append(options, masterPassword)...)
			good, ended := s.signInAlice(), s.signInAlice()
			s.serve(post("/logout", nil, cookieLine(ended))).want(http.StatusOK)
			cleared := func(s *site, line string, options ...func(*http.Request)) bool {
				a := s.serve(get("/app", append([]func(*http.Request){cookieLine(line)}, options...)...))
				deleted := a.cookie("panelauth")
				return deleted != nil && deleted.MaxAge < 0 && !a.reached
			}
			for what, c := range map[string]struct{ is, want bool }{
				"garbage":               {cleared(s, "panelauth=garbage", browser), true},
				"ended":                 {cleared(s, ended, browser), true},
				"cut":                   {cleared(s, good[:len(good)-3], browser), true},
				"garbage, for a script": {cleared(s, "panelauth=garbage", header("Accept", "application/json")), false},
				"garbage, websocket":    {cleared(s, "panelauth=garbage", websocket), false},
				"none":                  {cleared(s, "a=b", browser), false},
				"good":                  {cleared(s, good, browser), false},
				"good before garbage":   {cleared(s, good+"; panelauth=garbage", browser), false},
				"of another handler's":  {cleared(other, good, browser), false},
			} {
				if c.is != c.want {
					t.Errorf("%s is cleared: %t", what, c.is)
				}
			}
			if !s.isSignedIn(good) {
				t.Error("the session is over")
			}
		})
	}
}

// TestUselessCookiesStoreAway: what cannot be looked up is not useless.
func TestUselessCookiesStoreAway(t *testing.T) {
	storage := newFlakyStorage(t)
	s := newSiteIn(t, storage)
	line := s.signInAlice()
	c := newClock()
	c.pass(time.Minute)
	s.useClock(c) // which forgets what is in memory
	storage.setAway(true)
	a := s.serve(get("/app", browser, cookieLine(line)))
	a.want(http.StatusServiceUnavailable)
	if a.Header["Set-Cookie"] != nil {
		t.Errorf("sets %v", a.Header["Set-Cookie"])
	}
}

// TestPlainHTTPIsSaid is CK-035: once, and not on the machine itself.
func TestPlainHTTPIsSaid(t *testing.T) {
	const said = "somebody signed in over unencrypted HTTP"
	times := func(s *site) int { return s.logs.FilterLevelExact(zap.WarnLevel).FilterMessageSnippet(said).Len() }
	host := func(name string) func(*http.Request) {
		return func(r *http.Request) { r.Host = name; r.Header.Set("Origin", "http://"+name) }
	}
	s := newSite(t)
	for _, here := range []string{"localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "[::1]", "app.localhost"} {
		s.signInAlice(host(here))
	}
	s.signInAlice(overTLS)
	if times(s) != 0 {
		t.Error("it is said of this machine, or of HTTPS")
	}
	s.signInAlice(header("X-Forwarded-Proto", "https"))
	s.signInAlice(host("192.0.2.1:8080"))
	if got := times(s); got != 1 {
		t.Errorf("it is said %d times", got)
	}
}
