// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// madeWith gives a record the proof of a way in.
func madeWith(change func(*session.Record), way ...string) func(*session.Record) {
	return func(r *session.Record) {
		change(r)
		r.Proof = session.Fingerprint(way...)
	}
}

func ways(ways ...[]string) [][]string { return ways }

// TestBars: each bar ends what it did before others came.
func TestBars(t *testing.T) {
	here, there := []string{"account", "alice", "here"}, []string{"account", "alice", "there"}
	sessions := map[string]func(*session.Record){
		"alice here":  madeWith(named("alice"), here...),
		"alice there": madeWith(named("alice"), there...),
		"1 phone":     madeWith(at(issuer, "1", "phone"), "client-1"),
		"1 desk":      madeWith(at(issuer, "1", "desk"), "client-2"),
		"1 unsaid":    madeWith(at(issuer, "1", ""), "client-1"),
		"2 phone":     madeWith(at(issuer, "2", "phone of 2"), "client-1"),
	}
	subject := session.Who{Issuer: issuer, Subject: "1"}
	sid := func(sid string) session.Who { return session.Who{Issuer: issuer, Subject: "1", SID: sid} }
	made := func(who session.Who, w ...[]string) session.Who {
		who.Ways = w
		return who
	}
	for title, c := range map[string]struct {
		bars []session.Who
		over []string
	}{
		"a subject": {[]session.Who{subject}, []string{"1 phone", "1 desk", "1 unsaid"}},
		"a subject, then a session of it": {
			[]session.Who{subject, sid("tablet")}, []string{"1 phone", "1 desk", "1 unsaid"},
		},
		"a session, then its subject": {
			[]session.Who{sid("tablet"), subject}, []string{"1 phone", "1 desk", "1 unsaid"},
		},
		"a session":    {[]session.Who{sid("phone")}, []string{"1 phone", "1 unsaid"}},
		"two sessions": {[]session.Who{sid("phone"), sid("desk")}, []string{"1 phone", "1 desk", "1 unsaid"}},
		"a session, then the same of another": {
			[]session.Who{{Issuer: issuer, SID: "phone"}, {Issuer: issuer, Subject: "2", SID: "phone"}}, []string{"1 phone"},
		},
		"a user, then with a provider": {
			[]session.Who{{User: "alice"}, {User: "alice", Provider: "oidc"}}, []string{"alice here", "alice there"},
		},
		"a user by one way": {[]session.Who{made(session.Who{User: "alice"}, here)}, []string{"alice here"}},
		"a user by one way, then by another": {
			[]session.Who{made(session.Who{User: "alice"}, here), made(session.Who{User: "alice"}, there)},
			[]string{"alice here", "alice there"},
		},
		"a user, then by one way": {
			[]session.Who{{User: "alice"}, made(session.Who{User: "alice"}, here)}, []string{"alice here", "alice there"},
		},
		"a user by both ways, then by one": {
			[]session.Who{made(session.Who{User: "alice"}, here, there), made(session.Who{User: "alice"}, there)},
			[]string{"alice here", "alice there"},
		},
		"a subject by one client": {
			[]session.Who{made(subject, []string{"client-1"})}, []string{"1 phone", "1 unsaid"},
		},
		"a session by another client": {[]session.Who{made(sid("phone"), []string{"client-2"})}, nil},
		"a subject's sessions until yesterday": {
			[]session.Who{{Issuer: issuer, Subject: "1", Until: time.Now().Add(-lifetime)}}, nil,
		},
		"a subject, then until yesterday": {
			[]session.Who{subject, {Issuer: issuer, Subject: "1", Until: time.Now().Add(-lifetime)}},
			[]string{"1 phone", "1 desk", "1 unsaid"},
		},
	} {
		t.Run(title, func(t *testing.T) {
			now := time.Now()
			clock := func(c *session.Config) { c.Now = func() time.Time { return now } }
			here, elsewhere := newManager(t, nil, clock), newManager(t, nil, clock)
			cookies := map[string]string{}
			for name, change := range sessions {
				_, cookies[name] = beginAs(t, elsewhere, change)
			}
			for _, who := range c.bars {
				now = now.Add(2 * time.Second)
				here.Bar(who)
			}
			over := map[string]bool{}
			for _, name := range c.over {
				over[name] = true
			}
			for name, cookie := range cookies {
				if s, err := here.Find(background, cookie, 0); err != nil || (s == nil) != over[name] {
					t.Errorf("%s is over: %v, %v", name, s == nil, err)
				}
			}
		})
	}
}

// TestBarUntil: what began later is not meant, and what began in the same
// second is.
func TestBarUntil(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			m, elsewhere := newManager(t, store), newManager(t, store)
			var cookies, ids []string
			for range 3 {
				id, cookie := beginAs(t, elsewhere, at(issuer, "1", ""))
				cookies, ids = append(cookies, cookie), append(ids, id)
				time.Sleep(time.Second)
			}
			until := time.Now().Add(-2 * time.Second).Truncate(time.Second)
			who := session.Who{Issuer: issuer, Subject: "1", Until: until}
			if wantIDs(t, elsewhere.Of(background, who), ids[:2]...); store != nil {
				wantIDs(t, m.Of(background, who), ids[:2]...)
				return
			}
			m.Bar(who)
			wantNone(t, m, cookies[0], 0)
			wantNone(t, m, cookies[1], 0)
			wantFound(t, m, cookies[2], 0)
		})
	})
}

// TestManyBars: too many to tell apart end more, not less, and are forgotten
// when no session could be meant.
func TestManyBars(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, elsewhere := newManager(t, nil), newManager(t, nil)
		way := func(i int) []string { return []string{"account", "alice", fmt.Sprint(i)} }
		bar := func(i int) { here.Bar(session.Who{User: "alice", Ways: ways(way(i))}) }
		begin := func() (cookies []string) {
			for i := range session.MaxBars + 2 {
				_, cookie := beginAs(t, elsewhere, madeWith(named("alice"), way(i)...))
				cookies = append(cookies, cookie)
			}
			return cookies
		}
		cookies := begin()
		_, bob := beginAs(t, elsewhere, named("bob"))
		time.Sleep(time.Second)
		for range 2 {
			for i := range session.MaxBars {
				bar(i)
			}
		}
		for i, cookie := range cookies {
			if s, err := here.Find(background, cookie, 0); err != nil || (s == nil) != (i < session.MaxBars) {
				t.Errorf("%d is over: %v, %v", i, s == nil, err)
			}
		}
		cookies = begin()
		time.Sleep(time.Second)
		bar(session.MaxBars)
		for _, cookie := range cookies {
			wantNone(t, here, cookie, 0)
		}
		wantFound(t, here, bob, 0)
		if n := here.Barred(); n != 1 {
			t.Errorf("%d names are barred", n)
		}
		time.Sleep(500 * lifetime)
		here.Forget(time.Now())
		if n := here.Barred(); n != 0 {
			t.Errorf("%d bars are remembered for ever", n)
		}
	})
}
