// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// wantNothingAsked fails the test if a provider was asked for tokens by do.
func wantNothingAsked(t *testing.T, p *providertest.Server, do func()) {
	t.Helper()
	before := asked(p, providertest.Token)
	do()
	if asked(p, providertest.Token) != before {
		t.Error("the provider was asked for tokens")
	}
}

// TestForeignAnswers: answers that are not to a sign-in of this browser (CS-002
// to CS-017).
func TestForeignAnswers(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	other := s.newVisitor("")
	otherAnswer := other.answerOf(other.begin("/login"))
	for name, edit := range map[string]func(url.Values){
		"no state":                  func(q url.Values) { q.Del("state") },
		"an empty state":            func(q url.Values) { q.Set("state", "") },
		"a longer state":            func(q url.Values) { q.Set("state", q.Get("state")+"x") },
		"a shorter state":           func(q url.Values) { q.Set("state", q.Get("state")[1:]) },
		"a state in capitals":       func(q url.Values) { q.Set("state", strings.ToUpper(q.Get("state"))) },
		"a second state after it":   func(q url.Values) { q.Add("state", "evil") },
		"a second state before it":  func(q url.Values) { q["state"] = []string{"evil", q.Get("state")} },
		"the state twice":           func(q url.Values) { q.Add("state", q.Get("state")) },
		"a second code":             func(q url.Values) { q.Add("code", "evil") },
		"a huge state":              func(q url.Values) { q.Set("state", strings.Repeat("s", 8000)) },
		"another browser's state":   func(q url.Values) { q.Set("state", stateIn(otherAnswer)) },
		"another browser's answer":  func(q url.Values) { q.Set("state", stateIn(otherAnswer)); q.Set("code", codeIn(otherAnswer)) },
		"an error beside the code":  func(q url.Values) { q.Set("error", "access_denied") },
		"an error of another state": func(q url.Values) { q.Del("code"); q.Set("error", "x"); q.Set("state", "y") },
		"an error without a state":  func(q url.Values) { q.Del("code"); q.Set("error", "x"); q.Del("state") },
		"a code that is too long":   func(q url.Values) { q.Set("code", strings.Repeat("c", 9000)) },
	} {
		t.Run(name, func(t *testing.T) {
			v := s.in(t).newVisitor("")
			answer := edited(v.answerOf(v.begin("/login")), edit)
			wantNothingAsked(t, p, func() {
				a := v.comeBack(answer)
				if a.reached || a.StatusCode != http.StatusUnauthorized || v.hasSession() {
					t.Errorf("got %d to %q", a.StatusCode, a.Header.Get("Location"))
				}
			})
			v.mustSignIn("/again") // no loop, no leftover in the way
		})
	}
	t.Run("still good for its own browser", func(t *testing.T) {
		other := other.at(s.in(t), testHost)
		other.comeBack(otherAnswer).want(http.StatusSeeOther)
	})
	t.Run("without the cookie", func(t *testing.T) {
		v, thief := s.in(t).newVisitor(""), s.in(t).newVisitor("")
		answer := v.answerOf(v.begin("/login"))
		wantNothingAsked(t, p, func() {
			thief.wantFailed(thief.comeBack(answer), http.StatusUnauthorized, "state_mismatch", failureMessages["state_mismatch"])
		})
	})
	t.Run("with a cookie under another name", func(t *testing.T) {
		v := s.in(t).newVisitor("")
		first, second := v.answerOf(v.begin("/login")), v.answerOf(v.begin("/login"))
		values := make(map[string]string)
		for _, c := range v.jar.Cookies(v.url("/login")) {
			values[c.Name] = c.Value
		}
		names := v.attempts()
		if len(names) != 2 {
			t.Fatalf("cookies are %q", names)
		}
		swapped := cookieLine(names[0] + "=" + values[names[1]] + "; " + names[1] + "=" + values[names[0]])
		wantNothingAsked(t, p, func() {
			for _, answer := range []string{first, second} {
				s.in(t).newVisitor("").open(answer, swapped).want(http.StatusUnauthorized)
			}
		})
	})
}

func stateIn(answer string) string { return paramIn(answer, "state") }
func codeIn(answer string) string  { return paramIn(answer, "code") }

func paramIn(answer, name string) string {
	_, query, _ := strings.Cut(answer, "?")
	params, err := url.ParseQuery(query)
	if err != nil {
		panic(err)
	}
	return params.Get(name)
}

// TestAnswerTwice is CS-010: the second use fails, and the session stays.
func TestAnswerTwice(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	v := s.newVisitor("")
	address := v.begin("/login?next=/app")
	cookies := v.jar.Cookies(v.url("/login"))
	answer := v.answerOf(address)
	v.comeBack(answer).wantHeader("Location", "/app")
	wantNothingAsked(t, p, func() { v.comeBack(answer).want(http.StatusUnauthorized) })
	v.wantSignedIn("alice@example.org")

	// Whoever has copied the cookie gets no further, nor with a new code.
	v.jar.SetCookies(v.url("/login"), []*http.Cookie{{Name: cookies[0].Name, Value: cookies[0].Value, Path: "/", Secure: true}})
	wantNothingAsked(t, p, func() {
		v.comeBack(answer).want(http.StatusUnauthorized)
	})
	wantNothingAsked(t, p, func() { v.comeBack(v.answerOf(address)).want(http.StatusUnauthorized) })
	v.wantSignedIn("alice@example.org")
}

func TestSwappedBetweenPeople(t *testing.T) {
	p := newOpenID(t)
	p.SetUsers(providertest.User{ID: "1", Login: "alice", Email: "alice@example.org"}, providertest.User{ID: "2", Login: "mallory", Email: "mallory@example.org"})
	s := newSite(t, signInWith(p))
	alice, mallory := s.newVisitor("alice"), s.newVisitor("mallory")
	hers, theirs := alice.answerOf(alice.begin("/login")), mallory.answerOf(mallory.begin("/login"))

	t.Run("the other's code", func(t *testing.T) {
		// PKCE and the nonce bind the code to the sign-in that asked for it.
		alice := alice.at(s.in(t), testHost)
		alice.wantFailed(alice.comeBack(edited(hers, func(q url.Values) { q.Set("code", codeIn(theirs)) })), http.StatusUnauthorized, "expired", "")
	})
	t.Run("the other's answer", func(t *testing.T) {
		alice := alice.at(s.in(t), testHost)
		alice.wantFailed(alice.comeBack(theirs), http.StatusUnauthorized, "state_mismatch", "")
	})
	alice.mustSignIn("/")
	alice.wantSignedIn("alice@example.org")
	mallory.mustSignIn("/")
	mallory.wantSignedIn("mallory@example.org")
}

// TestMixUp: two providers, each answer is taken only from the one that was
// asked (RFC 9700, section 4.4; RFC 9207).
func TestMixUp(t *testing.T) {
	names := func(p *providertest.Server) *providertest.Server {
		p.Turn(func(k *providertest.Knobs) {
			k.Metadata = func(m map[string]any) { m["authorization_response_iss_parameter_supported"] = true }
			k.Answer = func(q url.Values) { q.Set("iss", p.URL) }
		})
		return p
	}
	one, two := names(newOpenID(t)), names(newOpenID(t))
	s := newSite(t, entries(entryFor(one, called("one")), entryFor(two, called("two"))))

	both := func(do func()) { wantNothingAsked(t, one, func() { wantNothingAsked(t, two, do) }) }
	t.Run("an answer of the other", func(t *testing.T) {
		v := s.in(t).newVisitor("")
		asked, other := v.begin("/login?provider=one"), v.begin("/login?provider=two")
		state := paramIn(asked, "state")
		both(func() {
			v.wantFailed(v.comeBack(edited(v.answerOf(other), func(q url.Values) { q.Set("state", state) })), http.StatusUnauthorized, "state_mismatch", "")
		})
	})
	t.Run("without iss", func(t *testing.T) {
		v := s.in(t).newVisitor("")
		both(func() {
			v.wantFailed(v.comeBack(edited(v.answerOf(v.begin("/login?provider=one")), func(q url.Values) { q.Del("iss") })), http.StatusUnauthorized, "state_mismatch", "")
		})
	})
	t.Run("iss twice", func(t *testing.T) {
		v := s.in(t).newVisitor("")
		both(func() {
			v.wantFailed(v.comeBack(edited(v.answerOf(v.begin("/login?provider=one")), func(q url.Values) { q.Add("iss", two.URL) })), http.StatusUnauthorized, "state_mismatch", "")
		})
	})
	t.Run("an error of the other", func(t *testing.T) {
		v := s.in(t).newVisitor("")
		a := v.comeBack(edited(v.answerOf(v.begin("/login?provider=one")), func(q url.Values) { q.Set("iss", two.URL); q.Del("code"); q.Set("error", "access_denied") }))
		v.wantFailed(a, http.StatusUnauthorized, "state_mismatch", "")
	})
	for _, id := range []string{"one", "two"} {
		v := s.newVisitor("")
		a := v.comeBack(v.answerOf(v.begin("/login?provider=" + id)))
		a.want(http.StatusSeeOther)
		v.wantSignedIn("alice@example.org")
		if got, _ := replacerOf(s.app.got).GetString("http.auth.user.provider"); got != id {
			t.Errorf("the provider is %q, wanted %q", got, id)
		}
	}
}

// TestMixUpByRedirectURI: providers that do not name themselves can be told
// apart by redirect URIs of their own, if those are compared.
func TestMixUpByRedirectURI(t *testing.T) {
	one, two := newOpenID(t), newOpenID(t)
	const own, other = "https://" + testHost + "/cb/one", "https://" + testHost + "/cb/two"
	for name, test := range map[string]struct {
		one, two string // redirect URIs as configured
		answered string // where the answer to a sign-in with one comes to
		taken    bool
	}{
		"both configured, at the other's":       {own, other, "/cb/two", false},
		"both configured, at its own":           {own, other, "/cb/one", true},
		"the other configured, at the other's":  {"", other, "/cb/two", false},
		"the other configured, at its own":      {"", other, "/login", true},
		"this one configured, at the other's":   {own, "", "/login", false},
		"this one configured, at its own":       {own, "", "/cb/one", true},
		"the same for both":                     {other, other, "/cb/two", true},
		"the login endpoint, written and not":   {"", "https://" + testHost + "/login", "/login", true},
		"the login endpoint, not and written":   {"https://" + testHost + "/login", "", "/login", true},
		"the login endpoint, with other slash":  {"https://" + testHost + "/login/", "", "/login/", true},
		"the root, and the other its own place": {"https://" + testHost, other, "/", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, entries(entryFor(one, called("one"), comingBackTo(test.one)), entryFor(two, called("two"), comingBackTo(test.two))))
			v := s.newVisitor("")
			_, query, _ := strings.Cut(v.atProvider(v.begin("/login?provider=one")), "?")
			before := asked(one, providertest.Token)
			a := v.comeBack(test.answered + "?" + query)
			if v.hasSession() != test.taken || (asked(one, providertest.Token) > before) != test.taken {
				t.Errorf("the answer got %d: %.0q", a.StatusCode, a.text)
			}
		})
	}
}

func TestSeveralTabs(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	v := s.newVisitor("")
	first := v.answerOf(v.begin("/login?next=/first"))
	second := v.answerOf(v.begin("/login?next=/second"))
	third := v.answerOf(v.begin("/login?next=/third"))
	v.comeBack(second).wantHeader("Location", "/second")
	v.comeBack(first).wantHeader("Location", "/first")
	v.wantSignedIn("alice@example.org")
	v.comeBack(third).wantHeader("Location", "/third")
	v.wantSignedIn("alice@example.org")
}

func TestAttemptsAreCapped(t *testing.T) {
	p := newOpenID(t)
	onFakeTime(t, func(t *testing.T) {
		s := newSite(t, signInWith(p))
		v := s.newVisitor("")
		var answers []string
		for range 12 {
			time.Sleep(time.Second)
			answers = append(answers, v.answerOf(v.begin("/login")))
			if got := len(v.attempts()); got > 8 {
				t.Fatalf("%d sign-ins under way", got)
			}
		}
		if got := len(v.attempts()); got != 8 {
			t.Errorf("%d sign-ins are under way, wanted 8", got)
		}
		size := 0
		for _, c := range v.jar.Cookies(v.url("/login")) {
			size += len(c.Name) + len(c.Value) + 3
		}
		if size > 8<<10 {
			t.Errorf("the cookies have %d bytes", size)
		}
		for i, answer := range answers {
			status := http.StatusSeeOther
			if i < 4 {
				status = http.StatusUnauthorized
			}
			v.comeBack(answer).want(status)
		}
	})
}

// TestAttemptsPileUp: with the longest addresses to come back to, the cookies
// must stay within what servers take.
func TestAttemptsPileUp(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	v := s.newVisitor("")
	for range 12 {
		v.begin("/login?next=" + url.QueryEscape("/app?"+strings.Repeat("a=b&", 500)))
	}
	size := 0
	for _, c := range v.jar.Cookies(v.url("/login")) {
		size += len(c.Name) + len(c.Value) + 3
	}
	if size > 32<<10 {
		t.Errorf("the cookies have %d bytes", size)
	}
}

func TestAttemptsExpire(t *testing.T) {
	p := newOpenID(t)
	onFakeTime(t, func(t *testing.T) {
		s := newSite(t, signInWith(p))
		v := s.newVisitor("")
		answer := v.answerOf(v.begin("/login?next=/late"))
		time.Sleep(9*time.Minute + 50*time.Second)
		v.comeBack(answer).wantHeader("Location", "/late")

		v = s.newVisitor("")
		answer = v.answerOf(v.begin("/login"))
		cookies := v.jar.Cookies(v.url("/login"))
		time.Sleep(10*time.Minute + time.Second)
		if got := v.attempts(); len(got) > 0 {
			t.Errorf("the browser still has %q", got)
		}
		wantNothingAsked(t, p, func() {
			v.wantFailed(v.comeBack(answer), http.StatusUnauthorized, "state_mismatch", "")
		})
		// Nor with a browser that keeps cookies longer.
		wantNothingAsked(t, p, func() {
			a := v.open(answer, cookieLine(cookies[0].Name+"="+cookies[0].Value))
			v.wantFailed(a, http.StatusUnauthorized, "expired", "took too long")
		})
	})
}

func TestAttemptCookie(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	v := s.newVisitor("")
	a := v.open("/login?next=/app")
	cookies := a.Cookies()
	if len(cookies) != 1 {
		t.Fatalf("got %v", cookies)
	}
	c := cookies[0]
	if !strings.HasPrefix(c.Name, "__Host-panelauth_state_") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" ||
		c.Domain != "" || c.MaxAge != 600 {
		t.Errorf("the cookie is %v", c)
	}
	location, _ := a.Location()
	for _, name := range []string{"state", "nonce"} {
		if strings.Contains(a.Header.Get("Set-Cookie"), location.Query().Get(name)) {
			t.Errorf("the %s can be read in the cookie", name)
		}
	}
	t.Run("is not for the application", func(t *testing.T) {
		v := v.at(s.in(t), testHost)
		v.comeBack(v.answerOf(a.Header.Get("Location")))
		v.begin("/login") // another one
		v.wantSignedIn("alice@example.org")
		if got := s.app.got.Header.Get("Cookie"); strings.Contains(got, "_state_") {
			t.Errorf("the application gets %q", got)
		}
	})
	t.Run("without TLS", func(t *testing.T) {
		s := s.in(t)
		a := s.serve(get("/login", browser))
		a.want(http.StatusFound)
		if c := a.Cookies()[0]; c.Secure || !strings.HasPrefix(c.Name, "panelauth_state_") {
			t.Errorf("the cookie is %v", c)
		}
		if !strings.Contains(a.Header.Get("Location"), url.QueryEscape("http://"+testHost+"/login")) {
			t.Errorf("it leads to %s", a.Header.Get("Location"))
		}
	})
	t.Run("of another secret", func(t *testing.T) {
		answer := v.answerOf(v.begin("/login"))
		other := newSite(t, signInWith(p), func(h *Handler) { h.CookieSecret = []string{"another secret altogether"} })
		wantNothingAsked(t, p, func() { v.at(other, testHost).comeBack(answer).want(http.StatusUnauthorized) })
		rotated := newSite(t, signInWith(p), func(h *Handler) { h.CookieSecret = []string{"another secret altogether", testSecret} })
		v.at(rotated, testHost).comeBack(answer).want(http.StatusSeeOther)
	})
}

// TestSignInOnTwoInstances: begun on one, finished on the other, with nothing
// but the secret in common.
func TestSignInOnTwoInstances(t *testing.T) {
	p := newOpenID(t)
	a, b := newSite(t, signInWith(p), stateless), newSite(t, signInWith(p), stateless)
	v := a.newVisitor("")
	answer := v.answerOf(v.begin("/login?next=/app"))
	v.at(b, testHost).comeBack(answer).wantHeader("Location", "/app")
	v.wantSignedIn("alice@example.org")
}

// TestSignInAcrossReload is RL-016: begun before a reload, finished after.
func TestSignInAcrossReload(t *testing.T) {
	p := newOpenID(t)
	storage := newFlakyStorage(t)
	before := newSiteIn(t, storage, signInWith(p))
	v := before.newVisitor("")
	answer := v.answerOf(v.begin("/login?next=/app"))
	after := newSiteIn(t, storage, signInWith(p))
	v.at(after, testHost).comeBack(answer).wantHeader("Location", "/app")
	v.at(after, testHost).wantSignedIn("alice@example.org")
	v.wantSignedIn("alice@example.org")
}

// TestTryAgainFromCallback: the link on the page of a failure must not make the
// callback's own address the place that sign-in leads to.
func TestTryAgainFromCallback(t *testing.T) {
	p := newOpenID(t)
	for name, uri := range map[string]string{"root": "https://" + testHost, "configured": "https://" + testHost + "/oauth/callback", "login": ""} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, signInWith(p, comingBackTo(uri)))
			v := s.newVisitor("")
			p.Turn(func(k *providertest.Knobs) { k.Deny = "access_denied" })
			answer := v.answerOf(v.begin("/login"))
			p.Turn(func(k *providertest.Knobs) { k.Deny = "" })
			a := v.comeBack(answer)
			a.want(http.StatusUnauthorized)
			link := hrefIn.FindStringSubmatch(a.text)
			if link == nil {
				t.Fatalf("no link: %.500q", a.text)
			}
			v.visit(link[1], header("Sec-Fetch-Site", "same-origin"), header("Referer", "https://"+testHost+answer))
			if got := s.app.got; got == nil || got.URL.RequestURI() != "/" {
				t.Errorf("sign-in led to %v", slices.Clip(v.trail))
			}
		})
	}
}
