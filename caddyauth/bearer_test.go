// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/certmagic"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

func takesBearer(audience ...string) func(*Handler) {
	return func(h *Handler) {
		id := h.OAuthProvider[0].ID
		if id == "" {
			id = h.OAuthProvider[0].Name
		}
		h.Bearer = append(h.Bearer, Bearer{Provider: id, Audience: audience})
	}
}

func claimIs(name string, v any) func(map[string]any) {
	return func(c map[string]any) { c[name] = v }
}

func TestBearer(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p), takesBearer(providertest.Audience), identityHeaders, panelGets("user", "access_token"))
	token := p.JWTAccessToken()
	for name, options := range map[string][]func(*http.Request){
		"a page":      {},
		"a websocket": {websocket},
		"a form":      {header("Accept", "text/html")},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.in(t).serve(get("/app", append(options, bearerOf(token))...))
			a.wantUser("robot@example.com")
			got := s.app.got.Header
			if got["Authorization"] != nil || got.Get("Remote-User") != "robot@example.com" || got.Get("Remote-Groups") != "robots" || len(a.Cookies()) > 0 {
				t.Errorf("the application gets %v", got)
			}
			if seen := s.seenByPanel(); seen["user"] != "robot@example.com" || seen["access_token"] != token {
				t.Errorf("Panel sees %v", seen)
			}
		})
	}
	if provider, _ := replacerOf(s.app.got).GetString("http.auth.user.provider"); provider != "oidc" {
		t.Errorf("the provider is %q", provider)
	}
	session := s.newVisitor("")
	session.mustSignIn("/login?next=/app")
	session.open("/app", bearerOf(token)).wantUser("robot@example.com")
	session.open("/app", bearerOf("wrong")).wantRefusal(http.StatusUnauthorized, "invalid_token")
	session.open("/app").wantReached()
}

// TestBearerOnOtherConditions: whom one handler on the way knows by one claim, the
// next does not take for whoever has that name by another.
func TestBearerOnOtherConditions(t *testing.T) {
	p := newOpenID(t)
	storage := &certmagic.FileStorage{Path: newFolder(t)}
	first := newSiteIn(t, storage, signInWith(p, func(o *OAuthProvider) { o.JWTUser = "nickname" }), takesBearer(providertest.Audience))
	token := p.JWTAccessToken(claimIs("nickname", "admin@example.com"))
	for name, jwtUser := range map[string]string{"nickname": "nickname", "email": ""} {
		t.Run(name, func(t *testing.T) {
			second := newSiteIn(t, storage, signInWith(p, func(o *OAuthProvider) { o.JWTUser = jwtUser }), takesBearer(providertest.Audience))
			err := first.ServeHTTP(httptest.NewRecorder(), prepared(get("/app", bearerOf(token))), caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
				return second.ServeHTTP(w, r, second.app)
			}))
			if reached := second.app.hits > 0; err != nil || reached != (jwtUser == "nickname") {
				t.Errorf("it is let in: %t, %v", reached, err)
			}
		})
	}
}

func TestBearerRefused(t *testing.T) {
	p := newOpenID(t)
	other := newOpenID(t)
	good := p.JWTAccessToken()
	sites := []*site{
		newSite(t, signInWith(p), takesBearer(providertest.Audience)),
		newSite(t, signInWith(p), takesBearer(providertest.Audience), optional),
		newSite(t, signInWith(p), takesBearer(providertest.Audience), guestPages("/app")),
	}
	for name, token := range map[string]string{
		"of another issuer":      other.JWTAccessToken(),
		"for another audience":   p.JWTAccessToken(claimIs("aud", "https://other.example.com")),
		"an ID token":            p.JWTAccessToken(claimIs("aud", p.ClientID)),
		"over":                   p.JWTAccessToken(claimIs("exp", time.Now().Add(-time.Hour).Unix())),
		"without a user":         p.JWTAccessToken(claimIs("email", nil)),
		"with a spoilt end":      good[:len(good)-4] + "AAAA",
		"without its signature":  good[:strings.LastIndexByte(good, '.')+1],
		"a logout token":         p.LogoutToken("1001", ""),
		"opaque":                 "opaque",
		"an API key, not so":     apiKeyPrefix + "x",
		"with padding":           good + "==",
		"with another signature": good[:strings.LastIndexByte(good, '.')+1] + other.JWTAccessToken()[strings.LastIndexByte(good, '.')+1:],
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range sites {
				for _, options := range [][]func(*http.Request){{}, {header("Accept", "text/html")}, {websocket}} {
					a := s.in(t).serve(get("/app", append(options, bearerOf(token), from("[2001:db8::1]:1"))...))
					if a.StatusCode == http.StatusTooManyRequests {
						s.door.secrets = newAttempts()
						a = s.in(t).serve(get("/app", append(options, bearerOf(token))...))
					}
					a.wantRefusal(http.StatusUnauthorized, "invalid_token")
					a.wantChallenge(`Bearer realm="panelauth", error="invalid_token", error_description="`)
				}
			}
		})
	}
	for name, value := range map[string]string{
		"nothing":       "Bearer",
		"two":           "Bearer " + good + " " + good,
		"two, a comma":  "Bearer " + good + ", Bearer " + good,
		"in quotes":     `Bearer "` + good + `"`,
		"too long":      "Bearer " + strings.Repeat("x", 17<<10),
		"not ASCII":     "Bearer é",
		"a parameter":   "Bearer token=" + good,
		"equals inside": "Bearer a=b",
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range sites {
				a := s.in(t).serve(get("/app", header("Authorization", value)))
				a.wantRefusal(http.StatusBadRequest, "invalid_request")
				a.wantChallenge(`error="invalid_request"`)
			}
		})
	}
	// RFC 6750, section 2.3: a token in an address ends up in logs.
	for _, r := range []*http.Request{
		get("/app?access_token="+good, header("Accept", "application/json")),
		request("POST", "/app", header("Content-Type", "application/x-www-form-urlencoded"), body("access_token="+good)),
	} {
		a := sites[0].serve(r)
		a.wantRefusal(http.StatusUnauthorized, "unauthenticated")
		a.wantHeader("Www-Authenticate", `Bearer realm="panelauth"`)
	}
}

// TestBearerKnown: a token is checked once a minute, and never after its end.
func TestBearerKnown(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p), takesBearer(providertest.Audience))
	c := s.withClock()
	token := p.JWTAccessToken(claimIs("exp", c.Now().Add(30*time.Second).Unix()))
	show := func() answer { return s.serve(get("/app", bearerOf(token))) }
	show().wantUser("robot@example.com")
	away(p)
	s.ways[0] = nil // what is known needs nobody
	show().wantUser("robot@example.com")
	c.pass(30*time.Second + 59*time.Second)
	if who := s.knownProgram(s.programs.known.Keys()[0]); who != nil {
		t.Error("it is known for longer than a minute")
	}
}

func TestBearerOver(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p), takesBearer(providertest.Audience))
	c := s.withClock()
	token := p.JWTAccessToken(claimIs("exp", c.Now().Add(-30*time.Second).Unix()))
	s.serve(get("/app", bearerOf(token))).wantUser("robot@example.com") // clocks may differ by so much
	c.pass(30 * time.Second)
	if who := s.knownProgram(s.programs.known.Keys()[0]); who != nil {
		t.Error("it is known after its end")
	}
}

// TestBearerKeysAway: who cannot be checked is told to come again.
func TestBearerKeysAway(t *testing.T) {
	p := newOpenID(t)
	away(p)
	s := newSite(t, signInWith(p), takesBearer(providertest.Audience), optional)
	a := s.serve(get("/app", bearerOf(p.JWTAccessToken())))
	a.wantRefusal(http.StatusServiceUnavailable, "unavailable")
	a.wantHeader("Retry-After", "5")
	back(p)
	eventually(t, "the provider is back", func() bool {
		return s.serve(get("/app", bearerOf(p.JWTAccessToken()))).reached
	})
}

// TestBearerKeysHang: a provider that takes its time does not take everybody's,
// however many tokens name keys that are not known.
func TestBearerKeysHang(t *testing.T) {
	p := newOpenID(t)
	onFakeTime(t, func(t *testing.T) {
		s := newSite(t, signInWith(p), takesBearer(providertest.Audience))
		s.serve(get("/app", bearerOf(p.JWTAccessToken()))).wantUser("robot@example.com")
		p.Fault(providertest.Keys, providertest.Hang())
		p.Turn(func(k *providertest.Knobs) { k.Header = func(h map[string]any) { h["kid"] = "unknown" } })
		begun := time.Now()
		var all sync.WaitGroup
		for range 10 {
			token := p.JWTAccessToken()
			all.Go(func() {
				here := s.in(t)
				here.app = &application{}
				if a := here.serve(get("/app", bearerOf(token))); a.reached || a.StatusCode < 400 {
					t.Errorf("got %d", a.StatusCode)
				}
			})
		}
		all.Wait()
		if took := time.Since(begun); took > programPatience+time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// TestBearerOfSeveral: each token is checked with its own provider's keys, and
// one that is away keeps the tokens of the others from nothing.
func TestBearerOfSeveral(t *testing.T) {
	p, q := newOpenID(t), newOpenID(t)
	q.RotateKeys() // which p's were the same as
	s := newSite(t, entries(entryFor(p, called("p")), entryFor(q, called("q"))), func(h *Handler) {
		h.Bearer = []Bearer{{Provider: "p", Audience: []string{"for p"}}, {Provider: "q", Audience: []string{"for q"}}}
	})
	away(p)
	s.serve(get("/app", bearerOf(q.JWTAccessToken(claimIs("aud", "for q"))))).wantUser("robot@example.com")
	back(p)
	eventually(t, "the provider is back", func() bool {
		return s.serve(get("/app", bearerOf(p.JWTAccessToken(claimIs("aud", "for p"))))).reached
	})
	for name, token := range map[string]string{
		"p for q":        p.JWTAccessToken(claimIs("aud", "for q")),
		"q for p":        q.JWTAccessToken(claimIs("aud", "for p")),
		"q as p":         q.JWTAccessToken(claimIs("aud", "for p"), claimIs("iss", p.URL)),
		"q as p for all": q.JWTAccessToken(claimIs("aud", []string{"for p", "for q"}), claimIs("iss", p.URL)),
	} {
		t.Run(name, func(t *testing.T) {
			s.in(t).serve(get("/app", bearerOf(token))).wantRefusal(http.StatusUnauthorized, "invalid_token")
		})
	}
}

// TestBearerAudienceByDefault: without an audience, a token must be for the
// client that people sign in to.
func TestBearerAudienceByDefault(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p), takesBearer())
	s.serve(get("/app", bearerOf(p.JWTAccessToken(claimIs("aud", p.ClientID))))).wantUser("robot@example.com")
	s.serve(get("/app", bearerOf(p.JWTAccessToken()))).wantRefusal(http.StatusUnauthorized, "invalid_token")
}

func TestBearerMistakes(t *testing.T) {
	oidc := OAuthProvider{Name: "oidc", Key: "id", Secret: "hunter2-hunter2", ExtraParams: map[string]string{"ISSUER": "https://x.org"}}
	for name, test := range map[string]struct {
		handler Handler
		says    string
	}{
		"no provider":         {Handler{BasicAuth: &BasicAuth{Source: "a password"}, Bearer: []Bearer{{Provider: "oidc"}}}, "no oauth_provider"},
		"no id":               {Handler{OAuthProvider: OAuthProviders{oidc}, Bearer: []Bearer{{}}}, "needs the id"},
		"no issuer":           {Handler{OAuthProvider: OAuthProviders{{Name: "github", Key: "id", Secret: "s"}}, Bearer: []Bearer{{Provider: "github"}}}, "no issuer"},
		"twice":               {Handler{OAuthProvider: OAuthProviders{oidc}, Bearer: []Bearer{{Provider: "oidc"}, {Provider: "oidc"}}}, "there twice"},
		"an empty audience":   {Handler{OAuthProvider: OAuthProviders{oidc}, Bearer: []Bearer{{Provider: "oidc", Audience: []string{""}}}}, "empty"},
		"an id that is taken": {Handler{OAuthProvider: OAuthProviders{{Name: "github", ID: "api_key", Key: "id", Secret: "s"}}}, "cannot be the id"},
	} {
		t.Run(name, func(t *testing.T) {
			mistakes := test.handler.Mistakes()
			if len(mistakes) == 0 || !strings.Contains(mistakes[len(mistakes)-1].Err.Error(), test.says) {
				t.Errorf("got %v", mistakes)
			}
		})
	}
}
