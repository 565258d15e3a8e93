// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// setClock makes the clock of an instance wrong: of its handler, its sessions
// and its providers.
func (s *site) setClock(wrongBy time.Duration) {
	s.t.Helper()
	now := func() time.Time { return time.Now().Add(wrongBy) }
	sessions, err := session.NewManager(session.Config{
		Secrets: s.settings.secrets, Store: s.door.storage, Now: now,
		Ended: func(ended *session.Session) { s.door.live.closeAll(ended.ID) },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.now, s.door.sessions = now, sessions
	for i, settings := range s.settings.providers {
		settings.config.Now = now
		if s.ways[i], err = newWay(s.t.Context(), settings, s.logger); err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestClocksApart: two instances whose clocks are a minute apart, whichever is
// ahead, agree on who is signed in.
func TestClocksApart(t *testing.T) {
	for name, check := range map[string]func(*clocksApart){
		"sessions are good on both":      (*clocksApart).share,
		"ends are ends on both":          (*clocksApart).end,
		"a lifetime is one":              (*clocksApart).lifetime,
		"an idle limit is one":           (*clocksApart).idle,
		"a sign-in is one":               (*clocksApart).signIn,
		"tokens are renewed once":        (*clocksApart).renew,
		"logout tokens are good on both": (*clocksApart).backChannel,
		"what goes on is not swept":      (*clocksApart).sweep,
	} {
		for _, wrongBy := range []time.Duration{time.Minute, -time.Minute} {
			t.Run(name+"/"+wrongBy.String(), func(t *testing.T) {
				p := newOpenID(t)
				onFakeTime(t, func(t *testing.T) {
					dir := newFolder(t)
					instance := func(name string) *site {
						return newSiteIn(t, anotherInstance(t.Name()+name, dir), signInWith(p), masterPassword, refreshTokens,
							allPanelCookies, func(h *Handler) { h.SessionIdle = lasting(maxIdle) })
					}
					c := &clocksApart{t: t, provider: p, right: instance("right"), wrong: instance("wrong")}
					c.wrong.setClock(wrongBy)
					synctest.Wait()
					check(c)
				})
			})
		}
	}
}

const maxIdle = 30 * time.Minute

type clocksApart struct {
	t            *testing.T
	provider     *providertest.Server
	right, wrong *site
}

// eachWay does something that begins on one instance and ends on the other.
func (c *clocksApart) eachWay(do func(from, to *site)) {
	do(c.right, c.wrong)
	do(c.wrong, c.right)
}

func (c *clocksApart) share() {
	c.eachWay(func(from, to *site) {
		cookie := from.signInAlice()
		if !to.isSignedIn(cookie) || !from.isSignedIn(cookie) {
			c.t.Error("the session is not good on both")
		}
	})
}

func (c *clocksApart) end() {
	c.eachWay(func(from, to *site) {
		cookie, unseen := from.signInAlice(), from.signInAlice()
		if !to.isSignedIn(cookie) {
			c.t.Fatal("not signed in")
		}
		to.serve(get("/logout", cookieLine(cookie))).want(http.StatusOK)
		to.serve(get("/logout", cookieLine(unseen))).want(http.StatusOK)
		time.Sleep(10*time.Second + 1)
		if from.isSignedIn(cookie) || to.isSignedIn(cookie) || from.isSignedIn(unseen) || to.isSignedIn(unseen) {
			c.t.Error("what has ended goes on")
		}
	})
}

// keepUsing uses a session on both for a while, and reports whether it lasted.
func (c *clocksApart) keepUsing(cookie string, during time.Duration) bool {
	for began := time.Now(); time.Since(began) < during; {
		step := min(maxIdle/2, during-time.Since(began))
		time.Sleep(step)
		if !c.right.isSignedIn(cookie) || !c.wrong.isSignedIn(cookie) {
			return false
		}
	}
	return true
}

func (c *clocksApart) lifetime() {
	c.eachWay(func(from, _ *site) {
		cookie := from.signInAlice()
		if !c.keepUsing(cookie, 24*time.Hour-61*time.Second) {
			c.t.Error("it was over more than a minute too early")
		}
		time.Sleep(122 * time.Second)
		if c.right.isSignedIn(cookie) || c.wrong.isSignedIn(cookie) {
			c.t.Error("it goes on more than a minute too long")
		}
	})
}

func (c *clocksApart) idle() {
	c.eachWay(func(from, to *site) {
		cookie := from.signInAlice()
		for range 3 { // on the one alone, then on the other alone
			for _, s := range []*site{from, to} {
				for range 5 {
					time.Sleep(maxIdle - 61*time.Second)
					if !s.isSignedIn(cookie) {
						c.t.Fatal("who is not idle is signed out")
					}
				}
			}
		}
		// Uses are told to the store now and then, and by the other clock.
		time.Sleep(maxIdle + maxIdle/8 + 3*time.Minute)
		if from.isSignedIn(cookie) || to.isSignedIn(cookie) {
			c.t.Error("who is idle is not signed out")
		}
	})
}

func (c *clocksApart) signIn() {
	c.eachWay(func(from, to *site) {
		for _, atProvider := range []time.Duration{0, 8*time.Minute + 50*time.Second} {
			v := from.newVisitor("")
			address := v.begin("/login?provider=oidc&next=/report")
			time.Sleep(atProvider)
			answered := v.answerOf(address)
			v.at(to, testHost).comeBack(answered).wantHeader("Location", "/report")
			v.wantSignedIn("alice@example.org")
			v.at(to, testHost).wantSignedIn("alice@example.org")
		}
	})
}

func (c *clocksApart) renew() {
	c.eachWay(func(from, to *site) {
		v := from.signedInAt("oidc")
		w := v.at(to, testHost)
		before := len(renewals(c.provider))
		const steps, step = 30, 7 * time.Minute // the token lasts an hour
		for range steps {
			time.Sleep(step)
			v.wantSignedIn("alice@example.org")
			w.wantSignedIn("alice@example.org")
		}
		time.Sleep(11 * time.Second)
		if v.accessToken() != w.accessToken() {
			c.t.Error("the instances have different tokens")
		}
		if n := len(renewals(c.provider)) - before; n != 3 {
			c.t.Errorf("%d renewals in %v", n, steps*step)
		}
		time.Sleep(11 * time.Second)
	})
}

func (c *clocksApart) backChannel() {
	c.eachWay(func(from, to *site) {
		v := from.signedInAt("oidc")
		w := v.at(to, testHost)
		w.wantSignedIn("alice@example.org")
		token := c.provider.LogoutToken("1001", providertest.SIDOf("1001"))
		to.backChannel(token).want(http.StatusOK)
		if w.isIn() {
			c.t.Error("goes on where it was to end")
		}
		time.Sleep(10*time.Second + 1)
		if v.isIn() {
			c.t.Error("goes on elsewhere")
		}
	})
}

func (c *clocksApart) sweep() {
	c.eachWay(func(from, to *site) {
		cookie := from.signInAlice()
		for range 24*4 - 1 {
			time.Sleep(15 * time.Minute)
			if err := to.door.sessions.Sweep(c.t.Context()); err != nil {
				c.t.Fatal(err)
			}
			if !from.isSignedIn(cookie) {
				c.t.Fatal("swept before it was over")
			}
		}
	})
}
