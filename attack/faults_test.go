// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// shortLived makes tokens that are to be renewed at each use.
func shortLived(k *providertest.Knobs) {
	k.Tokens = func(answer map[string]any) { answer["expires_in"] = 1 }
}

var faultScenes = map[string]scene{
	"RL-003": func(s *site, _ attack) {
		s.anybody("alice")
		s.provider.Fault(providertest.Discovery, providertest.HTML())
		defer s.provider.Fault(providertest.Discovery, nil)
		s.anybody("alice")
	},
	"RL-005": func(s *site, _ attack) {
		s.turn(func(k *providertest.Knobs) { k.Tokens = func(a map[string]any) { a["expires_in"] = 50 } }) // to be renewed, but good
		session := s.anybody("alice")
		s.provider.Fault(providertest.Token, providertest.Unavailable())
		wantServed(s, session)
	},
	"RL-006": func(s *site, _ attack) {
		s.turn(shortLived)
		session := s.anybody("alice")
		s.provider.Fault(providertest.Token, providertest.Unavailable())
		for range 5 {
			if o := s.attackedWith(get("/app").as(session)); len(o.app) != 1 && o.answer.status != http.StatusServiceUnavailable {
				s.t.Errorf("the answer is %d", o.answer.status)
			}
		}
		s.provider.Fault(providertest.Token, nil)
		s.eventually("the session is good again", func() bool { return len(s.attackedWith(get("/app").as(session)).app) == 1 })
	},
	"RL-007": func(s *site, _ attack) {
		s.turn(shortLived)
		session := s.anybody("alice")
		s.provider.Fault(providertest.Token, providertest.Reply(http.StatusBadRequest, "application/json", `{"error":"invalid_grant"}`))
		s.eventually("the session ends", func() bool { return len(s.attackedWith(get("/app").page().as(session)).app) == 0 })
		if err := noSession(s.attackedWith(get("/app").page().as(session))); err != nil {
			s.t.Error(err)
		}
		if o := s.attackedWith(get("/app", [2]string{"X-Requested-With", "XMLHttpRequest"}).as(session)); o.answer.status != http.StatusUnauthorized {
			s.t.Errorf("a script is answered %d", o.answer.status)
		}
	},
	"RL-008": func(s *site, _ attack) {
		first := true
		s.turn(func(k *providertest.Knobs) {
			k.Tokens = func(answer map[string]any) {
				if first { // what is renewed is good for long
					answer["expires_in"], first = 1, false
				}
			}
		})
		session := s.anybody("alice")
		asked := s.asked()
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if a := s.send(get("/app").as(session)); a.body != theApplication {
					s.t.Errorf("a request is answered %d", a.status)
				}
			})
		}
		all.Wait()
		s.eventually("tokens are renewed", func() bool { return s.asked() > asked })
		wantServed(s, session)
		if n := s.asked() - asked; n != 1 {
			s.t.Errorf("tokens were renewed %d times", n)
		}
	},
	"RL-024": func(s *site, _ attack) {
		session := s.signIn("bob", alicesPassword)
		wantServed(s, session)
		s.write("users.json", strings.Replace(users, "bob@example.com", "bob@elsewhere.example.com", 1))
		s.eventually("the new address arrives", func() bool {
			o := s.attackedWith(get("/app").as(session))
			return len(o.app) == 1 && fmt.Sprint(o.app[0].values("X-Forwarded-Email")) == "[bob@elsewhere.example.com]"
		})
		s.write("users.json", `{"bob": "another password"}`)
		s.eventually("the session ends with its password", func() bool { return len(s.attackedWith(get("/app").as(session)).app) == 0 })
		s.write("users.json", users)
		s.eventually("the old file is read again", func() bool {
			return s.send(form("/login", url.Values{"username": {"bob"}, "password": {alicesPassword}})).status == http.StatusSeeOther
		})
	},
	"RL-031": func(s *site, _ attack) {
		const older, newer = "the older secret of the two", "the newer secret of the two"
		way := "basic_auth {env.MASTER}"
		before := serveBeside(s, way, `cookie_secret "`+older+`"`)
		session := before.anybody("alice")
		both := serveBeside(s, way, `cookie_secret "`+newer+`" "`+older+`"`)
		wantServed(both, session)
		fresh := both.anybody("alice")
		after := serveBeside(s, way, `cookie_secret "`+newer+`"`)
		wantServed(after, fresh)
		if err := noSession(after.attackedWith(get("/app").as(session))); err != nil {
			s.t.Error(err)
		}
	},
	"RL-037": func(s *site, _ attack) {
		session := s.anybody("alice")
		for _, path := range []string{"/app", "/other"} {
			if a := s.send(get(path).as(session)); a.status != http.StatusBadGateway || a.clears(s.sessionCookie()) {
				s.t.Errorf("the answer is %d", a.status)
			}
		}
		if a := s.send(get("/login").page()); a.status != http.StatusOK {
			s.t.Errorf("the sign-in page is answered %d", a.status)
		}
		if a := s.send(get("/logout").page().as(session)); a.status != http.StatusOK || !a.clears(s.sessionCookie()) {
			s.t.Errorf("the signed-out page is answered %d", a.status)
		}
	},
	"RL-038": func(s *site, _ attack) {
		session := s.anybody("alice")
		if err := caddy.Stop(); err != nil {
			s.t.Fatal(err)
		}
		s.eventually("it answers no more", func() bool {
			conn, err := s.dial()
			if err == nil {
				_ = conn.Close()
			}
			return err != nil
		})
		s.load()
		wantServed(s, session)
	},
	"RL-041": func(s *site, _ attack) {
		session := s.anybody("alice")
		broken := besideWith(s, another{lines: "basic_auth {env.MASTER}", after: "attack_panic"})
		for range 3 {
			if a := broken.send(get("/app", [2]string{"X-Panic", "1"}).as(session)); a.status != 0 && a.status != http.StatusInternalServerError {
				s.t.Errorf("what panics is answered %d", a.status)
			}
			if err := closed(broken.attackedWith(get("/app", [2]string{"X-Panic", "1"}))); err != nil {
				s.t.Errorf("without a session: %v", err)
			}
			wantServed(broken, session)
		}
		for _, secret := range []string{session[1], master, cookieSecret} {
			if strings.Contains(broken.logs(), secret) {
				s.t.Errorf("%.8s… is in the log", secret)
			}
		}
	},
	"RL-042": func(s *site, _ attack) {
		for _, bad := range []string{"nothing", "rubbish", "error"} {
			here := serve(s.t, "master", storedIn)
			fault.Store("")
			session := here.anybody("alice")
			if err := caddy.Stop(); err != nil {
				s.t.Fatal(err)
			}
			here.load() // so that it is in memory no more
			fault.Store(bad)
			o := here.attackedWith(get("/app").page().as(session))
			if len(o.app) > 0 || o.answer.status == http.StatusOK {
				s.t.Errorf("a storage that gives %s lets in: %d", bad, o.answer.status)
			}
			if bad == "error" && (o.answer.status != http.StatusServiceUnavailable || o.answer.clears(here.sessionCookie())) {
				s.t.Errorf("a storage that fails signs out: %d", o.answer.status)
			}
			fault.Store("")
			if bad == "error" {
				here.eventually("the session is good again", func() bool { return len(here.attackedWith(get("/app").as(session)).app) == 1 })
			}
		}
	},
}

func wantServed(s *site, session [2]string) {
	s.t.Helper()
	if o := s.attackedWith(get("/app").as(session)); len(o.app) != 1 {
		s.t.Errorf("the session is not good: %d", o.answer.status)
	}
}

// TestElsewhereIsShort: nearly everything can be played.
func TestElsewhereIsShort(t *testing.T) {
	if len(elsewhere) > 12 {
		t.Errorf("%d cases are not played", len(elsewhere))
	}
}
