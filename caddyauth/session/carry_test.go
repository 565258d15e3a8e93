// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// wantCookie fails unless a request with one cookie is answered with another,
// or, if they are the same, with none.
func wantCookie(t *testing.T, m *session.Manager, s *session.Session, had, want string) {
	t.Helper()
	if got, changed := m.Cookie(s, had); got != want || changed != (had != want) {
		t.Fatalf("changed: %v, same as before: %v", changed, got == had)
	}
}

// newCookie returns the cookie that answers a request with an older one.
func newCookie(t *testing.T, m *session.Manager, s *session.Session, had string) string {
	t.Helper()
	got, changed := m.Cookie(s, had)
	if !changed || got == had {
		t.Fatal("there is no new cookie")
	}
	return got
}

func TestCookieOfRenewedTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := newManager(t, nil), &rotating{}
		s, first := beginWithTokens(t, m)
		wantCookie(t, m, s, first, first)
		wantRenewed(t, m, s, p)
		second := newCookie(t, m, s, first)
		for range 3 { // several requests were on their way
			wantCookie(t, m, s, first, second)
		}
		if wantFound(t, m, second, 0) != s {
			t.Error("the new cookie is another session's")
		}
		wantCookie(t, m, s, second, second)
		if wantFound(t, m, first, 0) != s {
			t.Error("the old cookie is another session's")
		}
		wantAccess(t, wantFound(t, newManager(t, nil), second, 0), "access-1")
		wantAccess(t, wantFound(t, newManager(t, nil), first, 0), "access-0")
		time.Sleep(time.Minute)
		wantRenewed(t, m, s, p)
		third := newCookie(t, m, s, second)
		wantCookie(t, m, s, first, third)
		if err := m.End(background, s); err != nil {
			t.Fatal(err)
		}
		for _, cookie := range []string{first, second, third} {
			wantNone(t, m, cookie, 0)
		}
	})
}

func TestCookieWithStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := newManager(t, newStore()), &rotating{}
		s, cookie := beginWithTokens(t, m)
		wantRenewed(t, m, s, p)
		wantCookie(t, m, s, cookie, cookie)
		synctest.Wait()
	})
}

func TestCookieWithoutTokens(t *testing.T) {
	m := newManager(t, nil)
	s, cookie := begin(t, m)
	wantCookie(t, m, s, cookie, cookie)
}

func TestCookieRenewedOnAnotherInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there, p := newManager(t, nil), newManager(t, nil), &rotating{}
		held, first := beginWithTokens(t, here)
		s := wantFound(t, there, first, 0)
		wantRenewed(t, there, s, p)
		second := newCookie(t, there, s, first)

		if wantFound(t, here, second, 0) != held {
			t.Error("the new cookie is another session's")
		}
		wantAccess(t, held, "access-1")
		wantCookie(t, here, held, second, second)
		// A late answer has brought the old one back to the browser.
		wantFound(t, here, first, 0)
		wantAccess(t, held, "access-1")
		wantCookie(t, here, held, first, second)

		time.Sleep(time.Minute)
		wantRenewed(t, here, held, p)
		third := newCookie(t, here, held, second)
		wantAccess(t, wantFound(t, there, third, 0), "access-2")
		wantCookie(t, there, s, third, third)
	})
}

func TestCookiesOfOneSessionAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := newManager(t, nil), &rotating{}
		s, cookie := beginWithTokens(t, m)
		for range 20 {
			time.Sleep(time.Minute)
			wantRenewed(t, m, s, p)
			cookie = newCookie(t, m, s, cookie)
			wantFound(t, m, cookie, 0)
			if n, _ := m.Known(); n != 1 {
				t.Fatalf("%d cookies in memory", n)
			}
		}
	})
}

func TestUndeliveredCookieIsNotForgotten(t *testing.T) {
	// Renewed when no answer was left to send it with.
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, nil)
		first := func() string { // and nobody holds the session
			s, cookie := beginWithTokens(t, m)
			wantRenewed(t, m, s, &rotating{})
			return cookie
		}()
		rest := func() {
			for range 30 {
				time.Sleep(time.Minute)
				m.Forget(time.Now())
				runtime.GC()
			}
		}
		rest()
		second := func() string {
			s := wantFound(t, m, first, 0)
			wantAccess(t, s, "access-1")
			cookie := newCookie(t, m, s, first)
			wantCookie(t, m, wantFound(t, m, cookie, 0), cookie, cookie)
			return cookie
		}()
		rest()
		if cookies, sessions := m.Known(); cookies != 0 || sessions != 0 {
			t.Errorf("%d cookies and %d sessions in memory", cookies, sessions)
		}
		wantAccess(t, wantFound(t, m, second, 0), "access-1")
	})
}
