// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/certmagic"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// allPanelCookies are what Panel can be given.
var allPanelCookies = panelGets("user", "id_token", "access_token", "refresh_token", "oauth_expiry")

// renewals are the requests by which a provider was asked to renew tokens.
func renewals(p *providertest.Server) (list []providertest.Request) {
	for _, r := range p.Requests(providertest.Token) {
		if r.Form.Get("grant_type") == "refresh_token" {
			list = append(list, r)
		}
	}
	return list
}

// inBubble runs a test on a fake clock, with a site for a provider that knows
// that clock as well.
func inBubble(t *testing.T, p *providertest.Server, configure []func(*Handler), test func(t *testing.T, v *visitor)) {
	t.Helper()
	onFakeTime(t, func(t *testing.T) {
		s := newSite(t, append([]func(*Handler){signInWith(p), refreshTokens, allPanelCookies}, configure...)...)
		v := s.newVisitor("")
		v.mustSignIn("/")
		test(t, v)
	})
}

// accessToken is the one that the application gets now.
func (v *visitor) accessToken() string {
	v.t.Helper()
	v.open("/app").wantReached()
	return v.seenByPanel()["access_token"]
}

// modes are the session stores.
var modes = map[string][]func(*Handler){"storage": nil, "cookie": {stateless}}

func TestRenewalAhead(t *testing.T) {
	for name, configure := range modes {
		t.Run(name, func(t *testing.T) {
			p := newOpenID(t)
			inBubble(t, p, configure, func(t *testing.T, v *visitor) {
				first := v.accessToken()
				time.Sleep(58 * time.Minute)
				if v.accessToken() != first || len(renewals(p)) > 0 {
					t.Fatal("renewed too early")
				}
				time.Sleep(time.Minute + 10*time.Second) // the last minute has begun
				if v.accessToken() != first {
					t.Log("the new token came at once")
				}
				synctest.Wait()
				second := v.accessToken()
				if second == first || len(renewals(p)) != 1 {
					t.Fatalf("not renewed ahead of time: %d renewals", len(renewals(p)))
				}
				panel := v.seenByPanel()
				if panel["refresh_token"] == "" || panel["oauth_expiry"] == "" || panel["user"] != "alice@example.org" {
					t.Errorf("Panel sees %v", panel)
				}
				time.Sleep(time.Hour)
				if third := v.accessToken(); third == second || len(renewals(p)) != 2 {
					t.Errorf("not renewed a second time: %d renewals", len(renewals(p)))
				}
			})
		})
	}
}

// TestRenewalOfExpired: the application never gets a token that is over, where
// another can be had.
func TestRenewalOfExpired(t *testing.T) {
	for name, configure := range modes {
		t.Run(name, func(t *testing.T) {
			p := newOpenID(t)
			inBubble(t, p, configure, func(t *testing.T, v *visitor) {
				first := v.accessToken()
				for hours := range 5 {
					time.Sleep(3 * time.Hour)
					next := v.accessToken()
					if next == first {
						t.Fatalf("after %d hours the token is the old one", 3*(hours+1))
					}
					first = next
				}
				used := make(map[string]bool) // each refresh token once
				for _, r := range renewals(p) {
					if used[r.Form.Get("refresh_token")] {
						t.Error("a refresh token was used twice")
					}
					used[r.Form.Get("refresh_token")] = true
				}
				if len(used) != 5 {
					t.Errorf("%d renewals", len(used))
				}
			})
		})
	}
}

// TestRenewalOff: without the option nothing is renewed, and nobody is signed
// out for it.
func TestRenewalOff(t *testing.T) {
	p := newOpenID(t)
	inBubble(t, p, []func(*Handler){func(h *Handler) { h.OAuthRefreshTokens = false }}, func(t *testing.T, v *visitor) {
		time.Sleep(10 * time.Hour)
		v.wantSignedIn("alice@example.org")
		if len(renewals(p)) > 0 {
			t.Error("tokens were renewed")
		}
	})
}

// TestRenewalOnce is RL-008: 50 parallel requests, 1 renewal.
func TestRenewalOnce(t *testing.T) {
	for name, configure := range modes {
		for state, sleep := range map[string]time.Duration{"due": 59*time.Minute + 30*time.Second, "expired": 2 * time.Hour} {
			t.Run(name+", "+state, func(t *testing.T) {
				p := newOpenID(t)
				inBubble(t, p, configure, func(t *testing.T, v *visitor) {
					time.Sleep(sleep)
					p.Turn(func(k *providertest.Knobs) {
						k.Tokens = func(map[string]any) { time.Sleep(time.Second) } // a slow provider
					})
					var served atomic.Int32
					app := caddyhttp.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) error {
						if user, _ := replacerOf(r).GetString("http.auth.user.id"); user == "alice@example.org" {
							served.Add(1)
						}
						return nil
					})
					cookies := make([]string, 0, 4)
					for _, c := range v.jar.Cookies(v.url("/")) {
						cookies = append(cookies, c.Name+"="+c.Value)
					}
					var group sync.WaitGroup
					for range 50 {
						group.Go(func() {
							r := prepared(get("/app", browser, overTLS, cookieLine(strings.Join(cookies, "; "))))
							if err := v.ServeHTTP(httptest.NewRecorder(), r, app); err != nil {
								t.Error(err)
							}
						})
					}
					group.Wait()
					synctest.Wait()
					time.Sleep(2 * time.Second)
					if served.Load() != 50 || len(renewals(p)) != 1 {
						t.Errorf("%d of 50 served, %d renewals", served.Load(), len(renewals(p)))
					}
					v.wantSignedIn("alice@example.org") // with the cookie of before
				})
			})
		}
	}
}

// TestRenewalOnTwoInstances: two that share a storage renew once.
func TestRenewalOnTwoInstances(t *testing.T) {
	p := newOpenID(t)
	dir := newFolder(t)
	onFakeTime(t, func(t *testing.T) {
		options := []func(*Handler){signInWith(p), refreshTokens, allPanelCookies}
		a := newSiteIn(t, anotherInstance(t.Name()+"a", dir), options...)
		b := newSiteIn(t, anotherInstance(t.Name()+"b", dir), options...)
		v := a.newVisitor("")
		v.mustSignIn("/")
		w := v.at(b, testHost)
		w.wantSignedIn("alice@example.org")
		for range 3 {
			time.Sleep(2 * time.Hour)
			v.wantSignedIn("alice@example.org")
			w.wantSignedIn("alice@example.org")
			if one, other := v.accessToken(), w.accessToken(); one != other {
				t.Error("the instances have different tokens")
			}
		}
		if got := len(renewals(p)); got != 3 {
			t.Errorf("%d renewals, wanted 3", got)
		}
	})
}

// TestRenewalKeepsWhatIsLeftOut: no new refresh token, no new ID token.
func TestRenewalKeepsWhatIsLeftOut(t *testing.T) {
	p := newOpenID(t)
	inBubble(t, p, nil, func(t *testing.T, v *visitor) {
		p.Turn(func(k *providertest.Knobs) {
			k.KeepRefreshToken = true
			k.Tokens = func(a map[string]any) { delete(a, "id_token") }
		})
		before := v.accessToken()
		refresh := v.seenByPanel()["refresh_token"]
		for range 3 {
			time.Sleep(2 * time.Hour)
			if v.accessToken() == before {
				t.Error("not renewed")
			}
			if v.seenByPanel()["refresh_token"] != refresh {
				t.Error("the refresh token is lost")
			}
		}
	})
}

// TestRenewalFails is RL-005 and RL-006: a provider that is down, slow or mad
// ends no session.
func TestRenewalFails(t *testing.T) {
	for name, fault := range map[string]http.HandlerFunc{
		"down":                       func(http.ResponseWriter, *http.Request) { panic(errNobodyThere) },
		"out of order":               providertest.Unavailable(),
		"HTML":                       providertest.HTML(),
		"hanging":                    providertest.Hang(),
		"broken JSON":                providertest.Reply(200, "application/json", `{"access`),
		"too many requests":          providertest.Reply(429, "application/json", `{"error":"slow_down"}`),
		"invalid_client":             providertest.Reply(401, "application/json", `{"error":"invalid_client"}`),
		"temporarily unavailable":    providertest.Reply(400, "application/json", `{"error":"temporarily_unavailable"}`),
		"invalid_grant as a failure": providertest.Reply(503, "text/html", `invalid_grant`),
	} {
		t.Run(name, func(t *testing.T) {
			p := newOpenID(t)
			inBubble(t, p, nil, func(t *testing.T, v *visitor) {
				before := v.accessToken()
				p.Fault(providertest.Token, fault)
				time.Sleep(59*time.Minute + 30*time.Second)
				began := time.Now()
				v.wantSignedIn("alice@example.org")
				if took := time.Since(began); took > 0 {
					t.Errorf("a request with a good token took %s", took)
				}
				for range 20 {
					time.Sleep(10 * time.Minute)
					began := time.Now()
					v.wantSignedIn("alice@example.org")
					if took := time.Since(began); took > 15*time.Second {
						t.Errorf("a request took %s", took)
					}
				}
				if text := v.logText(); !strings.Contains(text, "tokens cannot be renewed") {
					t.Error("the log does not say so")
				}
				p.Fault(providertest.Token, nil)
				time.Sleep(2 * time.Minute)
				if v.accessToken() == before {
					t.Error("not renewed when the provider was back")
				}
			})
		})
	}
}

// TestRenewalFailsRarely: while a provider is away it is asked ever more
// rarely, however many requests there are.
func TestRenewalFailsRarely(t *testing.T) {
	p := newOpenID(t)
	inBubble(t, p, nil, func(t *testing.T, v *visitor) {
		time.Sleep(2 * time.Hour)
		p.Fault(providertest.Token, providertest.Unavailable())
		for range 600 {
			time.Sleep(time.Second)
			v.wantSignedIn("alice@example.org")
		}
		if got := len(renewals(p)); got < 5 || got > 20 {
			t.Errorf("it was asked %d times in 10 minutes", got)
		}
	})
}

// TestRenewalRefused is RL-007: invalid_grant ends the session, with a line in
// the log; so does a token about somebody else.
func TestRenewalRefused(t *testing.T) {
	tests := map[string]struct {
		turn   func(*providertest.Server)
		reason string
	}{
		"invalid_grant": {func(p *providertest.Server) { p.Forget() }, "invalid_grant"},
		"another sub": {func(p *providertest.Server) {
			p.Turn(func(k *providertest.Knobs) { k.IDToken = func(c map[string]any) { c["sub"] = "2002" } })
		}, "identity_changed"},
		"another iss": {func(p *providertest.Server) {
			p.Turn(func(k *providertest.Knobs) { k.IDToken = func(c map[string]any) { c["iss"] = "https://evil.example" } })
		}, "identity_changed"},
		"another aud": {func(p *providertest.Server) {
			p.Turn(func(k *providertest.Knobs) { k.IDToken = func(c map[string]any) { c["aud"] = "client-2" } })
		}, "identity_changed"},
	}
	for name, test := range tests {
		for mode, configure := range modes {
			for state, sleep := range map[string]time.Duration{"ahead": 59*time.Minute + 30*time.Second, "expired": 2 * time.Hour} {
				t.Run(name+", "+mode+", "+state, func(t *testing.T) {
					p := newOpenID(t)
					inBubble(t, p, configure, func(t *testing.T, v *visitor) {
						test.turn(p)
						time.Sleep(sleep)
						v.open("/app")              // while the old token is good, this one may pass
						time.Sleep(3 * time.Second) // another instance may have been faster
						synctest.Wait()
						v.open("/app").wantHeader("Location", "/login?next=%2Fapp")
						v.script("/app/data").wantRefusedHere(http.StatusUnauthorized)
						v.open("/app/ws", websocket).wantRefusedHere(http.StatusUnauthorized)
						if text := v.logText(); !strings.Contains(text, test.reason) || !strings.Contains(text, "alice@example.org") {
							t.Errorf("the log says %s", text)
						}
						p.Turn(func(k *providertest.Knobs) { *k = providertest.Knobs{} })
						v.mustSignIn("/app")
					})
				})
			}
		}
	}
}

// TestRenewalRefusedClearsCookie is the other half of RL-007. Without a store
// the cookie is the session: another instance would take it once more.
func TestRenewalRefusedClearsCookie(t *testing.T) {
	for mode, configure := range modes {
		t.Run(mode, func(t *testing.T) {
			p := newOpenID(t)
			inBubble(t, p, configure, func(t *testing.T, v *visitor) {
				p.Forget()
				time.Sleep(2 * time.Hour)
				v.open("/app").wantHeader("Location", "/login?next=%2Fapp")
				if v.hasSession() {
					t.Error("the browser keeps its cookie")
				}
			})
		})
	}
}

// TestRenewalBringsClaims: groups that change at the provider change here, the
// user name does not.
func TestRenewalBringsClaims(t *testing.T) {
	p := newOpenID(t)
	inBubble(t, p, []func(*Handler){identityHeaders}, func(t *testing.T, v *visitor) {
		edit := func(c map[string]any) { c["groups"], c["email"] = []string{"alumni"}, "renamed@example.org" }
		p.Turn(func(k *providertest.Knobs) { k.IDToken, k.UserInfo = edit, edit })
		time.Sleep(2 * time.Hour)
		v.wantSignedIn("alice@example.org")
		v.wantSignedIn("alice@example.org")
		if got := v.app.got.Header.Get("Remote-Groups"); got != "alumni" {
			t.Errorf("Remote-Groups is %q", got)
		}
		if info := infoOf(t, v.seenByPanel()["id_token"]); info["user"] != "alice@example.org" {
			t.Errorf("user_info is %v", info)
		}
	})
}

// TestRenewalWithoutRefreshToken: some providers give none.
func TestRenewalWithoutRefreshToken(t *testing.T) {
	p := connected(t, providertest.GitHub(t))
	inBubble(t, p, nil, func(t *testing.T, v *visitor) {
		time.Sleep(20 * time.Hour)
		v.wantSignedIn("alice")
		if len(renewals(p)) > 0 {
			t.Error("tokens were renewed")
		}
	})
}

// TestRenewalSetsCookie: without a store the new tokens travel in the cookie,
// on whatever answer can carry it.
func TestRenewalSetsCookie(t *testing.T) {
	p := newOpenID(t)
	inBubble(t, p, []func(*Handler){stateless}, func(t *testing.T, v *visitor) {
		before := v.jar.Cookies(v.url("/"))[0].Value
		time.Sleep(2 * time.Hour)
		a := v.open("/ws", websocket)
		a.wantReached()
		if len(a.Cookies()) > 0 {
			t.Error("the answer to a websocket sets cookies")
		}
		a = v.open("/app")
		after := v.jar.Cookies(v.url("/"))[0]
		if after.Value == before {
			t.Fatal("the cookie is the old one")
		}
		c := a.cookie("__Host-panelauth")
		if c == nil || !c.Secure || !c.HttpOnly || c.MaxAge > 22*3600 || c.MaxAge < 21*3600 {
			t.Errorf("the cookie is %v", c)
		}
		if a := v.open("/app"); len(a.Cookies()) > 0 {
			t.Error("the cookie is set once more")
		}
		if len(renewals(p)) != 1 {
			t.Errorf("%d renewals", len(renewals(p)))
		}
		// An instance that has not seen any of this goes on from the cookie.
		other := newSiteIn(t, anotherInstance(t.Name(), newFolder(t)), signInWith(p), refreshTokens, allPanelCookies, stateless,
			func(h *Handler) { h.CookieSecret = []string{testSecret, "to have a door of its own"} })
		w := v.at(other, testHost)
		time.Sleep(2 * time.Hour)
		w.wantSignedIn("alice@example.org")
		if len(renewals(p)) != 2 {
			t.Errorf("%d renewals", len(renewals(p)))
		}
	})
}

// openWebsocket serves a websocket until close is called.
func (v *visitor) openWebsocket() (stop func()) {
	done := make(chan struct{})
	opened := make(chan struct{})
	finished := make(chan struct{})
	app := caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error {
		close(opened)
		<-done
		return nil
	})
	var pairs []string
	for _, c := range v.jar.Cookies(v.url("/")) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	r := prepared(get("/app/ws", websocket, overTLS, header("Origin", "https://"+testHost), cookieLine(strings.Join(pairs, "; "))))
	go func() {
		defer close(finished)
		defer func() {
			if reason := recover(); reason != nil && !isAbort(reason) {
				panic(reason) // a server takes the other one for the end of an answer
			}
		}()
		if err := v.ServeHTTP(httptest.NewRecorder(), r, app); err != nil {
			v.t.Error(err)
		}
	}()
	<-opened
	return func() { close(done); <-finished }
}

// TestRenewalByWebsocket: tokens stay fresh while nothing but a websocket is
// open.
func TestRenewalByWebsocket(t *testing.T) {
	for name, configure := range modes {
		t.Run(name, func(t *testing.T) {
			p := newOpenID(t)
			inBubble(t, p, append([]func(*Handler){tokenEndpoint}, configure...), func(t *testing.T, v *visitor) {
				stop := v.openWebsocket()
				time.Sleep(4*time.Hour + 30*time.Minute)
				if got := len(renewals(p)); got != 4 {
					t.Errorf("%d renewals in 4½ hours", got)
				}
				v.wantSignedIn("alice@example.org")
				if got := len(renewals(p)); got != 4 {
					t.Error("the page renewed once more")
				}
				stop()
				time.Sleep(4 * time.Hour)
				if got := len(renewals(p)); got != 4 {
					t.Error("renewals go on after the websocket is closed")
				}
			})
		})
	}
	t.Run("two at once", func(t *testing.T) {
		p := newOpenID(t)
		inBubble(t, p, nil, func(t *testing.T, v *visitor) {
			one, two := v.openWebsocket(), v.openWebsocket()
			defer two()
			time.Sleep(90 * time.Minute)
			one()
			time.Sleep(time.Hour)
			if got := len(renewals(p)); got != 2 {
				t.Errorf("%d renewals", got)
			}
		})
	})
	t.Run("provider away for a while", func(t *testing.T) {
		p := newOpenID(t)
		inBubble(t, p, nil, func(t *testing.T, v *visitor) {
			defer v.openWebsocket()()
			p.Fault(providertest.Token, providertest.Unavailable())
			time.Sleep(3 * time.Hour)
			failed := len(renewals(p))
			if failed == 0 || failed > 200 {
				t.Errorf("it was asked %d times in 2 hours", failed)
			}
			p.Fault(providertest.Token, nil)
			time.Sleep(2 * time.Minute)
			if len(renewals(p)) != failed+1 {
				t.Errorf("%d renewals after it was back", len(renewals(p))-failed)
			}
		})
	})
	t.Run("until logout", func(t *testing.T) {
		p := newOpenID(t)
		inBubble(t, p, []func(*Handler){func(h *Handler) { h.LogoutProvider = "off" }}, func(t *testing.T, v *visitor) {
			defer v.openWebsocket()()
			v.open("/logout", header("Sec-Fetch-Site", "same-origin")).want(http.StatusOK)
			time.Sleep(5 * time.Hour)
			if got := len(renewals(p)); got != 0 {
				t.Errorf("%d renewals after a logout", got)
			}
		})
	})
	t.Run("until invalid_grant", func(t *testing.T) {
		p := newOpenID(t)
		inBubble(t, p, nil, func(t *testing.T, v *visitor) {
			defer v.openWebsocket()()
			p.Forget()
			time.Sleep(5 * time.Hour)
			if got := len(renewals(p)); got != 1 {
				t.Errorf("it was asked %d times", got)
			}
			v.open("/app").wantHeader("Location", "/login?next=%2Fapp")
		})
	})
}

// TestRenewalWithGuests: the option and guests together.
func TestRenewalWithGuests(t *testing.T) {
	p := newOpenID(t)
	onFakeTime(t, func(t *testing.T) {
		s := newSite(t, signInWith(p), refreshTokens, optional, allPanelCookies)
		v := s.newVisitor("")
		v.open("/app").wantUser("guest")
		v.open("/app/ws", websocket).wantUser("guest")
		if got := s.app.got.Header.Get("Cookie"); got != "is_guest=1" {
			t.Errorf("the application gets %q", got)
		}
		v.visit("/login?next=/app").wantUser("alice@example.org")
		time.Sleep(2 * time.Hour)
		v.wantSignedIn("alice@example.org")
		p.Forget()
		time.Sleep(2 * time.Hour)
		v.open("/app").wantUser("guest")
	})
}

// TestRenewalGoesToItsProvider: a refresh token is a secret between this site
// and the one provider that gave it.
func TestRenewalGoesToItsProvider(t *testing.T) {
	for name, params := range map[string]func(*providertest.Server) map[string]string{
		"with issuers": func(p *providertest.Server) map[string]string {
			params := genericParams(p)
			params["ISSUER"] = p.URL
			return params
		},
		"without": genericParams,
	} {
		t.Run(name, func(t *testing.T) {
			one, two := newOpenID(t), newOpenID(t)
			generic := func(id string, p *providertest.Server) OAuthProvider {
				return OAuthProvider{Name: "generic", ID: id, Key: p.ClientID, Secret: p.ClientSecret, ExtraParams: params(p)}
			}
			onFakeTime(t, func(t *testing.T) {
				s := newSite(t, entries(generic("one", one), generic("two", two)), refreshTokens)
				v := s.newVisitor("")
				v.visit("/login?provider=two&next=/app").wantReached()
				time.Sleep(2 * time.Hour)
				v.wantSignedIn("alice@example.org")
				if len(renewals(one)) > 0 {
					t.Error("the refresh token went to another provider")
				}
				if len(renewals(two)) != 1 {
					t.Errorf("%d renewals", len(renewals(two)))
				}
			})
		})
	}
}

// TestLogoutDuringRenewal: tokens that arrive after the logout are revoked, as
// the ones before them are.
func TestLogoutDuringRenewal(t *testing.T) {
	p := newOpenID(t)
	inBubble(t, p, nil, func(t *testing.T, v *visitor) {
		time.Sleep(59*time.Minute + 30*time.Second)
		p.Turn(func(k *providertest.Knobs) { k.Tokens = func(map[string]any) { time.Sleep(2 * time.Second) } })
		v.open("/app").wantReached() // renews in the background
		time.Sleep(time.Second)
		v.open("/logout", header("Sec-Fetch-Site", "same-origin"))
		time.Sleep(5 * time.Second)
		revoked := make(map[string]bool)
		for _, r := range p.Requests(providertest.Revocation) {
			revoked[r.Form.Get("token")] = true
		}
		if len(revoked) != 2 {
			t.Errorf("%d refresh tokens were revoked, wanted the old one and the one that came too late", len(revoked))
		}
	})
}

// TestWebsocketClosesDuringRenewal: that nobody waits any more is no failure, and
// the tokens that come are kept.
func TestWebsocketClosesDuringRenewal(t *testing.T) {
	p := newOpenID(t)
	inBubble(t, p, nil, func(t *testing.T, v *visitor) {
		first := v.accessToken()
		stop := v.openWebsocket()
		p.Turn(func(k *providertest.Knobs) { k.Tokens = func(map[string]any) { time.Sleep(2 * time.Second) } })
		time.Sleep(59*time.Minute + time.Second) // the renewal is under way
		stop()
		time.Sleep(5 * time.Second)
		if len(renewals(p)) != 1 || v.accessToken() == first {
			t.Errorf("%d renewals, and the token is the old one: %t", len(renewals(p)), v.accessToken() == first)
		}
		if text := v.logText(); strings.Contains(text, "tokens cannot be renewed") {
			t.Errorf("the log reports a failure:\n%s", text)
		}
	})
}

// TestRenewalAndStorage: a storage that is away is no reason to lose tokens.
func TestRenewalAndStorage(t *testing.T) {
	p := newOpenID(t)
	folder := newFolder(t)
	onFakeTime(t, func(t *testing.T) {
		storage := &flakyStorage{Storage: &certmagic.FileStorage{Path: folder}, name: t.Name()}
		s := newSiteIn(t, storage, signInWith(p), refreshTokens, allPanelCookies)
		v := s.newVisitor("")
		v.mustSignIn("/")
		before := v.accessToken()
		storage.setAway(true)
		time.Sleep(59*time.Minute + 50*time.Second)
		v.open("/app").wantUser("alice@example.org")
		time.Sleep(30 * time.Second)
		storage.setAway(false)
		time.Sleep(5 * time.Minute)
		v.wantSignedIn("alice@example.org")
		if v.accessToken() == before {
			t.Error("not renewed after the storage was back")
		}
	})
}
