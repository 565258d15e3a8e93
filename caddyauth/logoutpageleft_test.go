// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// signInAgainLink is where the signed-out page leads.
var signInAgainLink = regexp.MustCompile(`href="([^"]*)">Sign in again`)

func (a answer) wantLeadsBackTo(next string) {
	a.t.Helper()
	want := "/login?next=" + url.QueryEscape(next)
	if next == "/" {
		want = "/login"
	}
	found := signInAgainLink.FindStringSubmatch(a.text)
	if found == nil || html.UnescapeString(found[1]) != want {
		a.t.Errorf("it leads to %q, want %q", found, want)
	}
}

// TestSignedOutLeadsBack to the page that was left, and nowhere else.
func TestSignedOutLeadsBack(t *testing.T) {
	s := newSite(t)
	here := "https://" + testHost
	tests := map[string]struct {
		target string
		option func(*http.Request)
		want   string
	}{
		"Panel's button":           {"/logout", header("Referer", here+"/app?tab=2"), "/app?tab=2"},
		"a link that says it":      {"/logout?next=%2Fapp%3Ftab%3D2", header("Referer", here+"/other"), "/app?tab=2"},
		"typed":                    {"/logout", func(*http.Request) {}, "/"},
		"from another site":        {"/logout", header("Referer", "https://evil.example/app"), "/"},
		"from the sign-in page":    {"/logout", header("Referer", here+"/login?next=%2Fapp"), "/app"},
		"from itself":              {"/logout", header("Referer", here+"/logout?everywhere=1"), "/"},
		"from a provider's answer": {"/logout", header("Referer", here+"/?code=c&state=s"), "/"},
		"to another site":          {"/logout?next=https://evil.example/", header("Referer", here+"/app"), "/"},
		"to the logout":            {"/logout?next=/logout", func(*http.Request) {}, "/"},
		"what a browser kept":      {"/logout", cookieLine("panelauth_left=%2Fapp%3Fx"), "/app?x"},
		"what was put there":       {"/logout", cookieLine("panelauth_left=" + url.QueryEscape(`//evil.example/"><script>`)), "/"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := s.in(t).serve(get(test.target, browser, overTLS, test.option))
			a.want(http.StatusOK)
			a.wantLeadsBackTo(test.want)
			if strings.Contains(a.text, "evil") {
				t.Error("what a stranger said is on the page")
			}
		})
	}
}

// TestSignedOutLeadsNowhereElse tries everything that browsers take elsewhere.
func TestSignedOutLeadsNowhereElse(t *testing.T) {
	s := newSite(t)
	for _, fact := range redirectFacts(t) {
		a := s.serve(get("/logout?next="+url.QueryEscape(fact.String), browser))
		found := signInAgainLink.FindStringSubmatch(a.text)
		if a.StatusCode != http.StatusOK || found == nil {
			t.Fatalf("%q: %d, %v", fact.String, a.StatusCode, found)
		}
		link, err := url.Parse(html.UnescapeString(found[1]))
		if err != nil || link.Host != "" || link.Path != "/login" {
			t.Fatalf("%q: it leads to %q", fact.String, found[1])
		}
		wantOnSite(t, fact.String, link.Query().Get("next"))
		if a.Header.Get("Location")+a.Header.Get("Refresh") != "" {
			t.Errorf("%q: it leads on by itself", fact.String)
		}
	}
}

// TestSignedOutUnderAPrefix: nothing in particular is no page at all there, too.
func TestSignedOutUnderAPrefix(t *testing.T) {
	s := newSite(t)
	for referer, want := range map[string]string{"": "/proxy/login\"", "https://" + testHost + "/proxy/app": "/proxy/login?next=%2Fproxy%2Fapp\""} {
		r := prepared(get("/proxy/logout", browser, overTLS, header("Referer", referer)))
		r.URL.Path = "/logout"
		s.serve(r).wantBody(`href="` + want)
	}
}

// TestQuestionKeepsWhatWasLeft: the button of a page that asks first.
func TestQuestionKeepsWhatWasLeft(t *testing.T) {
	s := newSite(t)
	cookie := s.signInAlice()
	asked := s.serve(get("/logout?everywhere=1&next=%2Fapp", browser, cookieLine(cookie)))
	asked.wantBody(`action="/logout?everywhere=1&amp;next=%2Fapp"`, `href="/app">Stay signed in`)
	s.serve(post("/logout?everywhere=1&next=%2Fapp", nil, cookieLine(cookie))).wantLeadsBackTo("/app")
	asked = s.serve(get("/logout?next=%2Fapp", browser, cookieLine(s.signInAlice()), header("Sec-Fetch-Site", "cross-site")))
	asked.wantBody(`action="/logout?next=%2Fapp"`, `href="/app">Stay signed in`)
}

// TestSignedOutLeadsBackFromProvider: the browser keeps the page that was left
// while it is at the provider, and not for longer.
func TestSignedOutLeadsBackFromProvider(t *testing.T) {
	p := newOpenID(t)
	v := newSite(t, signInWith(p)).newVisitor("")
	v.mustSignIn("/")
	a := v.open("/logout", fromHere, header("Referer", "https://"+testHost+"/app?tab=2"))
	a.want(http.StatusSeeOther)
	if kept := a.cookie("panelauth_left"); kept == nil || kept.Path != "/logout" || !kept.HttpOnly || !kept.Secure || kept.MaxAge != leftAge {
		t.Errorf("the cookie is %v", kept)
	}
	if strings.Contains(a.Header.Get("Location"), "tab") {
		t.Error("the provider is told where the visitor was")
	}
	a = v.followFrom(a)
	a.wantLeadsBackTo("/app?tab=2")
	v.open("/logout").wantLeadsBackTo("/")
}

// TestProviderMayStillKnow: after a sign-out that ends nothing at the provider,
// people are told so.
func TestProviderMayStillKnow(t *testing.T) {
	const words = "Your identity provider may still know you."
	p := newOpenID(t)
	s := newSite(t, signInWith(p), func(h *Handler) { h.LogoutProvider = "off" })
	v := s.newVisitor("")
	v.mustSignIn("/")
	v.open("/logout", fromHere).wantBody(words)
	if a := v.open("/logout", fromHere); strings.Contains(a.text, words) {
		t.Error("it is said to those who were not signed in")
	}
	other := newSite(t)
	if a := other.serve(get("/logout", browser, cookieLine(other.signInAlice()))); strings.Contains(a.text, words) {
		t.Error("it is said where there is no provider")
	}
}
