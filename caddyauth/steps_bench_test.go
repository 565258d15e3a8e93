// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// The steps on the way of every request, each by itself.

func BenchmarkReadCookies(b *testing.B) {
	s := newSite(b)
	r := get("/app", overTLS, cookieLine(foreignCookies+"; "+s.signInAlice(overTLS)))
	b.ReportAllocs()
	for b.Loop() {
		var room [maxSessionCookies]string
		lines, err := s.readCookies(r)
		if err != nil || len(s.sessionCookies(room[:0], r, lines)) != 1 {
			b.Fatal("there is not one session cookie")
		}
	}
}

func BenchmarkIdentify(b *testing.B) {
	s := newSite(b)
	r := prepared(get("/app", overTLS, cookieLine(foreignCookies+"; "+s.signInAlice(overTLS))))
	lines, _ := s.readCookies(r)
	b.ReportAllocs()
	for b.Loop() {
		if who, err := s.identify(&discard{}, r, lines); who == nil || err != nil {
			b.Fatal("nobody is signed in")
		}
	}
}

func BenchmarkRebuildCookies(b *testing.B) {
	s := newSite(b)
	alice := s.aliceHere()
	r := get("/app", cookieLine(foreignCookies+"; user=evil; panelauth=x"))
	onEach(b, func() *http.Request { return r }, func(_ http.ResponseWriter, r *http.Request) {
		s.setCookies(r, alice, r.Header["Cookie"])
	})
}

func BenchmarkStrip(b *testing.B) {
	s := newSite(b, identityHeaders)
	r := get("/app", fullBrowser)
	onEach(b, func() *http.Request { return r }, func(_ http.ResponseWriter, r *http.Request) { s.stripIdentity(r) })
}

func BenchmarkSetPlaceholders(b *testing.B) {
	alice := newSite(b).aliceHere()
	r := get("/app")
	onEach(b, func() *http.Request { return r }, func(_ http.ResponseWriter, r *http.Request) { alice.setPlaceholders(r) })
}

func BenchmarkGetPlaceholder(b *testing.B) {
	alice := newSite(b).aliceHere()
	r := prepared(get("/app"))
	alice.setPlaceholders(r)
	repl := replacerOf(r)
	b.ReportAllocs()
	for b.Loop() {
		if _, found := repl.Get("http.auth.user.username"); !found {
			b.Fatal("the placeholder is not known")
		}
	}
}

func BenchmarkGuestMatch(b *testing.B) {
	g := newGuests(false, []string{"/welcome", "/app", "/public/*"})
	for name, target := range map[string]string{"page": "/app/ws", "tree": "/public/a/b/c/d.js", "closed": "/admin/a/b/c"} {
		b.Run(name, func(b *testing.B) {
			r := prepared(get(target))
			b.ReportAllocs()
			for b.Loop() {
				g.allow(r)
			}
		})
	}
}

func BenchmarkSignPanelCookies(b *testing.B) {
	s := newSite(b)
	alice, now := s.aliceHere(), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		s.signPanelCookies(alice, now)
	}
}

func BenchmarkSafeNext(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := safeNext("/app/page.html?x=1&y=a//b#z"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkColdSession is the first request of a session that this instance
// has not seen, which is read from files.
func BenchmarkColdSession(b *testing.B) {
	s := newSite(b)
	line := cookieLine(foreignCookies + "; " + s.signInAlice())
	r := get("/app?x=1", fullBrowser, line)
	onEach(b, func() *http.Request { return r }, func(w http.ResponseWriter, r *http.Request) {
		b.StopTimer()
		forgetful, err := session.NewManager(session.Config{Secrets: s.settings.secrets, Store: s.door.storage})
		if err != nil {
			b.Fatal(err)
		}
		s.door.sessions = forgetful
		b.StartTimer()
		if err := s.ServeHTTP(w, r, nobody); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkSignIn is a sign-in with a password that is not hashed, and a store
// that takes no time.
func BenchmarkSignIn(b *testing.B) {
	s := newSite(b, func(h *Handler) { h.LoginAttempts = &LoginAttempts{Max: "1000"} })
	s.withSessions(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		r := prepared(post("/login", credentialsForm(testUser, testPassword), fullBrowser))
		w := &discard{header: make(http.Header)}
		b.StartTimer()
		if err := s.ServeHTTP(w, r, nobody); err != nil || w.header.Get("Set-Cookie") == "" {
			b.Fatal("not signed in", err)
		}
	}
}
