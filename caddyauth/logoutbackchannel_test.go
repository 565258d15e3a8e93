// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// backChannel posts a logout token as a provider does.
func (s *site) backChannel(token string, options ...func(*http.Request)) answer {
	s.t.Helper()
	options = append([]func(*http.Request){
		header("Content-Type", "application/x-www-form-urlencoded"),
		body(url.Values{"logout_token": {token}}.Encode()), overTLS, from("198.51.100.7:443"),
	}, options...)
	return s.serve(request(http.MethodPost, "/logout/backchannel", options...))
}

func (a answer) wantLogoutRefused() {
	a.t.Helper()
	a.wantRefusedHere(http.StatusBadRequest)
	a.wantHeader("Content-Type", "application/json")
	if a.text != `{"error":"invalid_request"}` {
		a.t.Errorf("the body is %q", a.text)
	}
}

// signedInAt is a visitor who signed in with a provider.
func (s *site) signedInAt(id string) *visitor {
	s.t.Helper()
	v := s.newVisitor("")
	v.visit("/login?provider=" + id)
	if !v.hasSession() {
		s.t.Fatal("no session")
	}
	return v
}

func (v *visitor) isIn() bool {
	v.t.Helper()
	return v.open("/private").reached
}

// TestLogoutConformance does what the logout cases of the OpenID conformance
// suite do, under their names. Logout begun by the relying party is in package
// provider. One case is missing, for it does not apply:
// oidcc-client-test-session-management is for pages that keep asking a frame of
// the provider's whether its session goes on, and here the provider says so.
func TestLogoutConformance(t *testing.T) {
	refused := func(turn func(*providertest.Knobs)) func(*testing.T, *providertest.Server, *site) {
		return func(t *testing.T, p *providertest.Server, s *site) {
			v := s.signedInAt("oidc")
			p.Turn(turn)
			s.backChannel(p.LogoutToken("1001", providertest.SIDOf("1001"))).wantLogoutRefused()
			if !v.isIn() {
				t.Error("the session is over")
			}
			p.Turn(func(k *providertest.Knobs) { *k = providertest.Knobs{} })
			s.backChannel(p.LogoutToken("1001", providertest.SIDOf("1001"))).want(http.StatusOK)
			if v.isIn() {
				t.Error("a good token does not end the session")
			}
		}
	}
	claim := func(edit func(map[string]any)) func(*providertest.Knobs) {
		return func(k *providertest.Knobs) { k.LogoutToken = edit }
	}
	for name, test := range map[string]func(*testing.T, *providertest.Server, *site){
		// The visitor signs out here, which leads to the provider, and that tells
		// its clients.
		"oidcc-client-test-rp-backchannel-rpinitlogout": func(t *testing.T, p *providertest.Server, s *site) {
			v, other := s.signedInAt("oidc"), s.signedInAt("oidc")
			a := v.open("/logout", fromHere)
			a.want(http.StatusSeeOther)
			if !strings.HasPrefix(a.Header.Get("Location"), p.URL+"/logout?") {
				t.Errorf("it leads to %q", a.Header.Get("Location"))
			}
			a = s.backChannel(p.LogoutToken("1001", providertest.SIDOf("1001")))
			a.wantRefusedHere(http.StatusOK)
			a.wantHeader("Cache-Control", "no-store")
			if v.isIn() || other.isIn() {
				t.Error("a session goes on")
			}
		},
		"oidcc-client-test-rp-backchannel-rpinitlogout-alg-none":  refused(func(k *providertest.Knobs) { k.Alg = "none" }),
		"oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg": refused(func(k *providertest.Knobs) { k.Alg = "HS256" }),
		"oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud": refused(claim(func(c map[string]any) { c["aud"] = "another client" })),
		"oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss": refused(claim(func(c map[string]any) { c["iss"] = "https://other.example.com" })),
		"oidcc-client-test-rp-backchannel-rpinitlogout-no-event":  refused(claim(func(c map[string]any) { delete(c, "events") })),
		"oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event": refused(claim(func(c map[string]any) {
			c["events"] = map[string]any{"http://schemas.openid.net/event/other": map[string]any{}}
		})),
		"oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce": refused(claim(func(c map[string]any) { c["nonce"] = "n" })),
		// The provider's page has a frame for each client, which brings no cookie.
		"oidcc-client-test-rp-frontchannel-opinitlogout": func(t *testing.T, p *providertest.Server, s *site) {
			v := s.signedInAt("oidc")
			s.frontChannel(p.URL, providertest.SIDOf("1001")).wantRefusedHere(http.StatusOK)
			if v.isIn() {
				t.Error("the session goes on")
			}
		},
		"oidcc-client-test-rp-frontchannel-rpinitlogout": func(t *testing.T, p *providertest.Server, s *site) {
			v := s.signedInAt("oidc")
			v.open("/logout", fromHere).want(http.StatusSeeOther)
			s.frontChannel(p.URL, providertest.SIDOf("1001")).wantRefusedHere(http.StatusOK)
			if v.isIn() {
				t.Error("the session goes on")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newOpenID(t)
			test(t, p, newSite(t, signInWith(p)))
		})
	}
}

func TestBackChannel(t *testing.T) {
	sid := func(name string) func(*providertest.Knobs) {
		return func(k *providertest.Knobs) {
			k.IDToken = func(c map[string]any) {
				if c["sid"] = name; name == "" {
					delete(c, "sid")
				}
			}
		}
	}
	for mode, options := range modes {
		for name, c := range map[string]struct {
			sub, sid         string
			one, two, unsaid bool // whose session ends
		}{
			"by sid":                        {sid: "one", one: true},
			"by sub":                        {sub: "1001", one: true, two: true, unsaid: true},
			"by both":                       {sub: "1001", sid: "one", one: true, unsaid: true},
			"another's sub":                 {sub: "1002"},
			"another's sid":                 {sid: "three"},
			"another's both":                {sub: "1002", sid: "one"},
			"a known sub, no session of it": {sub: "1001", sid: "three", unsaid: true},
		} {
			t.Run(mode+", "+name, func(t *testing.T) {
				p := newOpenID(t)
				s := newSite(t, append(options, signInWith(p))...)
				p.Turn(sid("one"))
				one := s.signedInAt("oidc")
				p.Turn(sid("two"))
				two := s.signedInAt("oidc")
				p.Turn(sid(""))
				unsaid := s.signedInAt("oidc")
				s.backChannel(p.LogoutToken(c.sub, c.sid)).wantRefusedHere(http.StatusOK)
				for name, v := range map[string]struct {
					visitor *visitor
					over    bool
				}{"one": {one, c.one}, "two": {two, c.two}, "unsaid": {unsaid, c.unsaid}} {
					if v.visitor.isIn() == v.over {
						t.Errorf("%s is over: %v", name, !v.over)
					}
				}
				if again := s.signedInAt("oidc"); !again.isIn() {
					t.Error("a new sign-in does not count")
				}
			})
		}
	}
}

func TestBackChannelRequests(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	v := s.signedInAt("oidc")
	good := func() string { return p.LogoutToken("1001", "") }
	for name, r := range map[string]*http.Request{
		"no body":       post("/logout/backchannel", nil),
		"no token":      post("/logout/backchannel", url.Values{"token": {good()}}),
		"two tokens":    post("/logout/backchannel", url.Values{"logout_token": {good(), good()}}),
		"empty":         post("/logout/backchannel", url.Values{"logout_token": {""}}),
		"in the query":  post("/logout/backchannel?logout_token="+good(), nil),
		"JSON":          post("/logout/backchannel", nil, header("Content-Type", "application/json"), body(`{"logout_token":"`+good()+`"}`)),
		"too large":     post("/logout/backchannel", url.Values{"logout_token": {good()}, "x": {strings.Repeat("x", 64<<10)}}),
		"many fields":   post("/logout/backchannel", nil, body("logout_token="+good()+strings.Repeat("&a=b", 100))),
		"no token form": post("/logout/backchannel", url.Values{"logout_token": {"x.y.z"}}),
	} {
		t.Run(name, func(t *testing.T) { s.in(t).serve(r).wantLogoutRefused() })
	}
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} {
		a := s.serve(request(method, "/logout/backchannel"))
		a.wantRefusedHere(http.StatusMethodNotAllowed)
		a.wantHeader("Allow", "POST")
	}
	if !v.isIn() {
		t.Fatal("the session is over")
	}
	if strings.Contains(s.logText(), good()[:20]) {
		t.Error("the log has a token")
	}
}

// TestBackChannelOnce: a token is good for one logout, and for another try if
// that failed.
func TestBackChannelOnce(t *testing.T) {
	p := newOpenID(t)
	storage := newFlakyStorage(t)
	s := newSiteIn(t, storage, signInWith(p))
	s.signedInAt("oidc")
	token := p.LogoutToken("1001", "")
	storage.setAway(true)
	a := s.backChannel(token)
	a.want(http.StatusServiceUnavailable)
	if a.Header.Get("Retry-After") == "" {
		t.Error("it does not say when to try again")
	}
	storage.setAway(false)
	v := s.signedInAt("oidc")
	s.backChannel(token).want(http.StatusOK)
	if v.isIn() {
		t.Error("the session goes on")
	}
	v = s.signedInAt("oidc")
	s.backChannel(token).wantLogoutRefused()
	if !v.isIn() {
		t.Error("a token ended a session for the second time")
	}
}

// TestBackChannelOfSeveral: of several providers, the one whose token it is.
func TestBackChannelOfSeveral(t *testing.T) {
	p, other, hub := newOpenID(t), newOpenID(t), connected(t, providertest.GitHub(t))
	s := newSite(t, entries(entryFor(p), entryFor(hub), entryFor(other, called("other"))))
	one, two := s.signedInAt("oidc"), s.signedInAt("other")
	away(p)
	s.backChannel(other.LogoutToken("1001", "")).want(http.StatusOK)
	back(p)
	if !one.isIn() || two.isIn() {
		t.Errorf("one is in: %v, two is in: %v", one.isIn(), two.isIn())
	}
	// Signed by the one, in the name of the other. RSA keys are the same ones
	// for all fake providers.
	other.Turn(func(k *providertest.Knobs) {
		k.Alg, k.LogoutToken = "ES256", func(c map[string]any) { c["iss"] = p.URL }
	})
	s.backChannel(other.LogoutToken("1001", "")).wantLogoutRefused()
	if !one.isIn() {
		t.Error("a provider ended a session of another")
	}
}

// newTwoClients returns two sites that share sessions, each a client of one
// issuer, somebody who signed in at the first, and the issuer, which speaks to
// the second.
func newTwoClients(t testing.TB, options ...func(*Handler)) (p *providertest.Server, v *visitor, other *site) {
	t.Helper()
	p = newOpenID(t)
	storage := newFlakyStorage(t)
	v = newSiteIn(t, storage, append(options, signInWith(p))...).signedInAt("oidc")
	p.ClientID = "client-2"
	return p, v, newSiteIn(t, storage, append(options, signInWith(p))...)
}

// TestLogoutOnOtherConditions: a provider tells a client of the end once, at one
// address. It is the end for all that the client signed in, on whatever
// conditions another block did so.
func TestLogoutOnOtherConditions(t *testing.T) {
	p := newOpenID(t)
	sid := providertest.SIDOf("1001")
	for name, end := range map[string]func(*site, *visitor){
		"back channel":  func(s *site, _ *visitor) { s.backChannel(p.LogoutToken("1001", sid)).want(http.StatusOK) },
		"front channel": func(s *site, _ *visitor) { s.frontChannel(p.URL, sid).want(http.StatusOK) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := newFolder(t)
			told := newSiteIn(t, &certmagic.FileStorage{Path: dir}, signInWith(p))
			other := newSiteIn(t, &certmagic.FileStorage{Path: dir}, signInWith(p, func(o *OAuthProvider) { o.JWTUser = "sub" }))
			v := other.signedInAt("oidc")
			if !v.isIn() || v.at(told, testHost).isIn() {
				t.Fatal("the session is not that of one block alone")
			}
			end(told, v)
			if v.isIn() {
				t.Error("the session goes on")
			}
		})
	}
}

// TestBackChannelOfAnotherClient: another site's client of the same issuer has
// sessions of its own, also those that nobody has met since a restart.
func TestBackChannelOfAnotherClient(t *testing.T) {
	for mode, options := range modes {
		for _, restarted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarted: %t", mode, restarted), func(t *testing.T) {
				p, v, other := newTwoClients(t, options...)
				w := other.signedInAt("oidc")
				if restarted {
					c := newClock()
					c.pass(2 * time.Second)
					v.useClock(c)
					other.useClock(c)
				}
				other.backChannel(p.LogoutToken("1001", "")).want(http.StatusOK)
				if w.isIn() || !v.isIn() {
					t.Errorf("its own is in: %v, the other is in: %v", w.isIn(), v.isIn())
				}
				v.backChannel(p.LogoutToken("1001", "")).wantLogoutRefused() // of client-2
			})
		}
	}
}

// TestBackChannelReplay: another instance does not know that a token was used.
// What began after it is not meant.
func TestBackChannelReplay(t *testing.T) {
	for mode, options := range modes {
		t.Run(mode, func(t *testing.T) {
			p, dir := newOpenID(t), newFolder(t)
			configure := append(options, signInWith(p))
			here := newSiteIn(t, anotherInstance("here "+dir, dir), configure...)
			there := newSiteIn(t, anotherInstance("there "+dir, dir), configure...)
			c := here.withClock()
			there.useClock(c)
			first := here.signedInAt("oidc")
			token := p.LogoutToken("1001", "")
			c.pass(2 * time.Second)
			here.backChannel(token).want(http.StatusOK)
			c.pass(90 * time.Second)
			again := here.signedInAt("oidc")
			c.pass(2 * time.Second)
			there.backChannel(token).want(http.StatusOK)
			c.pass(11 * time.Second)
			if !again.isIn() || !again.at(there, testHost).isIn() {
				t.Error("a token that was used has ended a session that began after it")
			}
			if first.isIn() || first.at(there, testHost).isIn() {
				t.Error("the session that the token is about goes on")
			}
		})
	}
}

func TestBackChannelProviderAway(t *testing.T) {
	p := newOpenID(t)
	away(p)
	s := newSite(t, signInWith(p))
	a := s.backChannel(p.LogoutToken("1001", ""))
	a.want(http.StatusServiceUnavailable)
	a.wantBody("temporarily_unavailable")
}

// TestBackChannelWithoutProvider: the path is then the application's.
func TestBackChannelWithoutProvider(t *testing.T) {
	for name, s := range map[string]*site{
		"password": newSite(t),
		"github":   newSite(t, signInWith(connected(t, providertest.GitHub(t)))),
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/logout/backchannel", "/logout/frontchannel"} {
				a := s.in(t).serve(request(http.MethodPost, path))
				a.wantRefusedHere(http.StatusUnauthorized)
				a.wantBody("unauthenticated")
			}
		})
	}
}

// TestChannelsAreBounded: who keeps asking in vain waits; a provider that signs
// everybody out does not.
func TestChannelsAreBounded(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	c := s.withClock()
	p.Now = c.Now
	for range channelFailures.max + 20 {
		s.backChannel(p.LogoutToken("1001", ""), from("198.51.100.7:1")).want(http.StatusOK)
	}
	for range channelFailures.max {
		s.backChannel("x", from("198.51.100.8:1")).wantLogoutRefused()
	}
	for _, a := range []answer{
		s.backChannel(p.LogoutToken("1001", ""), from("198.51.100.8:2")),
		s.frontChannel(p.URL, "x", from("198.51.100.8:3")),
	} {
		a.want(http.StatusTooManyRequests)
		if a.Header.Get("Retry-After") == "" {
			t.Error("it does not say when to try again")
		}
	}
	s.backChannel(p.LogoutToken("1001", ""), from("198.51.100.7:1")).want(http.StatusOK)
	c.pass(channelFailures.window)
	s.backChannel(p.LogoutToken("1001", ""), from("198.51.100.8:2")).want(http.StatusOK)
	if n := len(s.door.channels.slots); n != 0 {
		t.Errorf("%d turns are not over", n)
	}
}

func TestChannelsAreBusy(t *testing.T) {
	p := newOpenID(t)
	onFakeTime(t, func(t *testing.T) {
		s := newSite(t, signInWith(p))
		for range cap(s.door.channels.slots) {
			if _, ok := s.door.channels.enter(t.Context()); !ok {
				t.Fatal("no turn")
			}
		}
		began := time.Now()
		s.backChannel(p.LogoutToken("1001", "")).want(http.StatusServiceUnavailable)
		s.frontChannel(p.URL, "x").want(http.StatusServiceUnavailable)
		if took := time.Since(began); took != 2*logoutQueueTime {
			t.Errorf("it took %s", took)
		}
	})
}
