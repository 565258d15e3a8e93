// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

var callbackScenes = map[string]scene{
	"CS-010": func(s *site, _ attack) {
		flow := s.begin("/login")
		params := flow.visit("alice")
		first := flow.back(params)
		session := [2]string{s.sessionCookie(), first.cookie(s.sessionCookie())}
		asked := s.asked()
		o := outcome{base: s.base(), session: s.sessionCookie(), answer: flow.back(params), asked: s.asked() - asked}
		if err := nothingAsked(o); err != nil {
			s.t.Error(err)
		}
		if o := s.attackedWith(get("/app").as(session)); len(o.app) != 1 {
			s.t.Errorf("the session is over: %d", o.answer.status)
		}
	},
	"CS-019": func(s *site, _ attack) {
		q := s.begin("/login").params()
		if q.Get("response_type") != "code" || q.Get("redirect_uri") != s.base()+"/login" || q.Get("code_challenge_method") != "S256" ||
			len(q.Get("code_challenge")) != 43 || len(q.Get("state")) < 22 || len(q.Get("nonce")) < 22 {
			s.t.Errorf("the address of the sign-in has %v", q)
		}
	},
	"CS-020": func(s *site, _ attack) {
		seen := map[string]string{}
		for range 1000 {
			q := s.begin("/login").params()
			for _, name := range []string{"state", "nonce", "code_challenge"} {
				// A prefix of 64 bits that two have in common would be no chance.
				if other, found := seen[q.Get(name)[:11]]; found {
					s.t.Fatalf("%s and %s begin alike: %s", name, other, q.Get(name))
				}
				seen[q.Get(name)[:11]] = name
			}
		}
	},
	"CS-023": refusedToken(func(_ *site, k *providertest.Knobs) { k.IDToken = func(c map[string]any) { c["nonce"] = "another" } }),
	"CS-031": manyAtOnce,
	"CS-032": func(s *site, a attack) {
		q := s.begin(a.Request.Path).params()
		for name, values := range q {
			if len(values) != 1 || slices.Contains([]string{"https://evil.com", "x", "admin", "none", "fixed", "token", "1"}, values[0]) {
				s.t.Errorf("the provider is told %s=%q", name, values)
			}
		}
	},
	"CS-033": func(s *site, a attack) {
		q := s.begin(a.Request.Path).params()
		if len(q["scope"]) != 1 || strings.Contains(q.Get("scope"), "admin") || len(q["redirect_uri"]) != 1 || q.Get("redirect_uri") != s.base()+"/login" {
			s.t.Errorf("the provider is told %v", q)
		}
	},
	"CS-059": manyPeople,
	"CS-061": func(s *site, a attack) {
		wantNoSignInBegun(s, filled(a.Request, nil))
		navigating := get("/login", [2]string{"Accept", "text/html,*/*;q=0.8"}, [2]string{"Sec-Fetch-Mode", "navigate"})
		for _, dest := range []string{"iframe", "frame", "embed", "object", "fencedframe"} {
			wantNoSignInBegun(s, navigating.with("Sec-Fetch-Dest", dest))
			wantNoSignInBegun(s, navigating.with("Sec-Fetch-Dest", dest).with("Sec-Fetch-Site", "cross-site"))
		}
		wantNoSignInBegun(s, navigating.with("Sec-Fetch-Dest", "document").with("Sec-Purpose", "prefetch"))
	},
	"CS-062": func(s *site, a attack) { wantNoSignInBegun(s, filled(a.Request, nil)) },
	"CS-065": refusedLogout(func(c map[string]any) { c["aud"] = "another client" }),
	"CS-067": refusedLogout(func(c map[string]any) { delete(c, "events") }),
	"CS-069": refusedLogout(func(c map[string]any) { c["nonce"] = "x" }),
	"DO-010": func(s *site, _ attack) {
		asked := s.asked()
		for n := range 1000 {
			o := s.attackedWith(get(fmt.Sprintf("/login?code=%d&state=%d", n, n)))
			if o.answer.status != http.StatusUnauthorized {
				s.t.Fatalf("an answer to no sign-in: %d", o.answer.status)
			}
		}
		if s.asked() != asked {
			s.t.Error("the provider was asked")
		}
	},
}

// wantNoSignInBegun: what is not a person in front of a browser begins no
// sign-in.
func wantNoSignInBegun(s *site, q request) {
	s.t.Helper()
	o := s.attackedWith(q)
	if err := closed(o); err != nil {
		s.t.Error(err)
	}
	if o.answer.status != http.StatusUnauthorized || o.answer.header["Set-Cookie"] != nil {
		s.t.Errorf("the answer is %d with the cookies %q", o.answer.status, o.answer.header["Set-Cookie"])
	}
}

// manyAtOnce: a page that loads fifty things when its session is over.
func manyAtOnce(s *site, _ attack) {
	var mu sync.Mutex
	jar := map[string]string{}
	var all sync.WaitGroup
	for n := range 50 {
		all.Go(func() {
			q := get("/app").page()
			if n%2 == 1 {
				q = get(fmt.Sprintf("/app/%d.js", n), [2]string{"Sec-Fetch-Dest", "script"}, [2]string{"Sec-Fetch-Mode", "no-cors"})
			}
			if a := s.send(q); len(a.cookies()) > 0 {
				s.t.Errorf("a page that is asked for sets %q", a.cookies())
			}
		})
	}
	all.Wait()
	for range 20 { // one after the other, as tabs are opened
		q := get("/login").page()
		for name, value := range jar {
			q = q.as([2]string{name, value})
		}
		a := s.send(q)
		mu.Lock()
		for _, c := range (&http.Response{Header: a.header}).Cookies() {
			if jar[c.Name] = c.Value; c.MaxAge < 0 {
				delete(jar, c.Name)
			}
		}
		mu.Unlock()
	}
	size := 0
	for name, value := range jar {
		size += len(name) + len(value) + 3
	}
	if len(jar) > 8 || size > 8<<10 {
		s.t.Errorf("the browser keeps %d cookies of %d bytes", len(jar), size)
	}
}

// manyPeople: whoever signs in at the same time as others is who they are.
func manyPeople(s *site, _ attack) {
	const people = 200
	var accounts []providertest.User
	for n := range people {
		accounts = append(accounts, providertest.User{ID: fmt.Sprint(5000 + n), Login: fmt.Sprint("user", n), Email: fmt.Sprintf("user%d@example.org", n)})
	}
	s.provider.SetUsers(accounts...)
	defer s.provider.SetUsers(providertest.User{ID: "1001", Login: "alice", Name: "Alice Example", Email: "alice@example.org"})
	sessions := make([][2]string, people)
	var all sync.WaitGroup
	turn := make(chan struct{}, 16)
	for n := range people {
		all.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			sessions[n] = s.begin("/login").finish(accounts[n].Login)
		})
	}
	all.Wait()
	for n, session := range sessions {
		o := s.attackedWith(get("/app").as(session))
		if len(o.app) != 1 || fmt.Sprint(o.app[0].values("X-Forwarded-User")) != "["+accounts[n].Email+"]" {
			s.t.Fatalf("%s is taken for somebody else: %d", accounts[n].Email, o.answer.status)
		}
	}
}

// refusedLogout: a logout token that is not one ends nothing.
func refusedLogout(edit func(map[string]any)) scene {
	return func(s *site, _ attack) {
		session := s.anybody("alice")
		s.turn(func(k *providertest.Knobs) { k.LogoutToken = edit })
		token := s.provider.LogoutToken("1001", "")
		o := s.attackedWith(form("/logout/backchannel", url.Values{"logout_token": {token}}))
		if o.answer.status != http.StatusBadRequest {
			s.t.Errorf("the answer is %d", o.answer.status)
		}
		if strings.Contains(o.answer.body, token) || strings.Contains(s.logs(), token) {
			s.t.Error("the token is in the answer or in the log")
		}
		if o := s.attackedWith(get("/app").as(session)); len(o.app) != 1 {
			s.t.Errorf("the session is over: %d", o.answer.status)
		}
		// A good token does end it, so that the bad one was refused for what is bad.
		s.provider.Turn(func(k *providertest.Knobs) { k.LogoutToken = nil })
		if a := s.send(form("/logout/backchannel", url.Values{"logout_token": {s.provider.LogoutToken("1001", "")}})); a.status != http.StatusOK {
			s.t.Errorf("a good token: %d", a.status)
		}
		if o := s.attackedWith(get("/app").as(session)); len(o.app) != 0 {
			s.t.Error("the session goes on")
		}
	}
}

// TestSwapped: what belongs to the sign-in of one person, browser or provider is
// of no use to another. Each pair of sign-ins exchanges each part of an answer.
func TestSwapped(t *testing.T) {
	s := serve(t, "two providers")
	s.provider.SetUsers(providertest.User{ID: "1", Login: "alice", Email: "alice@example.org"}, providertest.User{ID: "2", Login: "mallory", Email: "mallory@example.org"})
	parts := map[string]func(own, foreign url.Values){
		"code":          func(own, foreign url.Values) { own["code"] = foreign["code"] },
		"state":         func(own, foreign url.Values) { own["state"] = foreign["state"] },
		"all":           func(own, foreign url.Values) { own["code"], own["state"] = foreign["code"], foreign["state"] },
		"both states":   func(own, foreign url.Values) { own["state"] = append(own["state"], foreign["state"]...) },
		"both codes":    func(own, foreign url.Values) { own["code"] = append(own["code"], foreign["code"]...) },
		"issuer":        func(own, _ url.Values) { own.Set("iss", "https://evil.example.com") },
		"second issuer": func(own, _ url.Values) { own["iss"] = []string{s.provider.URL, s.second.URL} },
	}
	for what, way := range map[string]string{"another person": "/login?provider=one", "another provider": "/login?provider=two"} {
		for part, swap := range parts {
			t.Run(what+", "+part, func(t *testing.T) {
				s := s.in(t)
				mine, theirs := s.begin("/login?provider=one"), s.begin(way)
				params := mine.visit("mallory")
				swap(params, theirs.visit("alice"))
				o := outcome{base: s.base(), session: s.sessionCookie(), answer: mine.back(params)}
				if err := closed(o); err != nil || o.answer.status != http.StatusUnauthorized {
					t.Errorf("the answer is %d, %v", o.answer.status, err)
				}
				if !strings.Contains(o.answer.body, "/login") {
					t.Error("the page does not lead back to sign-in")
				}
			})
		}
		t.Run(what+", cookie", func(t *testing.T) {
			s := s.in(t)
			mine, theirs := s.begin("/login?provider=one"), s.begin(way)
			params := theirs.visit("alice")
			for _, cookies := range [][][2]string{
				mine.cookies, {{mine.cookies[0][0], theirs.cookies[0][1]}}, {{theirs.cookies[0][0], mine.cookies[0][1]}}, {{s.sessionCookie(), theirs.cookies[0][1]}},
			} {
				asked := s.asked()
				a := s.send(get("/login?" + params.Encode()).page().as(cookies...))
				if err := nothingAsked(outcome{base: s.base(), session: s.sessionCookie(), answer: a, asked: s.asked() - asked}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
