// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPagesOfTroubleAreAccessible: what people get to see when something is not
// as it should be, each in its state.
func TestPagesOfTroubleAreAccessible(t *testing.T) {
	i := &inspection{visitor: browser(t), axe: readAxe(t), language: "en"}
	i.sends(nil)
	site := caddy(t, allPages(t))

	formless := caddy(t, "panelauth {\n\toauth_provider github\n\toauth_key k\n\toauth_secret s\n}\nrespond hello")
	i.open(formless.url + "/logout")
	i.posts("/login", "", "That does not work here")
	i.inspect("trouble-405")
	i.open(site.url + "/login")
	i.posts("/login", strings.Repeat("x", 70_000), "That was too much")
	i.inspect("trouble-413")
	i.open(caddy(t, "header Content-Type text/html\nrespond `<!doctype html><title>Another site</title>`").url)
	i.posts(site.url+"/login", "x", "That came from another site")
	i.inspect("trouble-403")

	away := caddy(t, "panelauth {\n\tbasic_auth my_password\n\tsession_store redis redis://127.0.0.1:1\n}\nrespond hello")
	i.open(away.url + "/login")
	i.signIn("alice", "my_password")
	i.sees("Back in a moment")
	i.inspect("trouble-503")
}

// posts sends a form with a user name from the page that is open, and waits for
// the page that answers it.
func (i *inspection) posts(to, user, headline string) {
	i.t.Helper()
	i.leavingThePage(func() {
		i.do("sending a form", chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(() => {
			const form = Object.assign(document.createElement("form"), {method: "post", action: %q});
			form.append(Object.assign(document.createElement("input"), {name: "username", value: %q}));
			document.body.append(form);
			form.submit();
		})()`, to, user)))
	})
	i.sees(headline)
}

// TestPagesAreGuarded: every page of ours, whatever its status, has all that
// keeps browsers from what they should not do with it, and is small.
func TestPagesAreGuarded(t *testing.T) {
	site := caddy(t, allPages(t))
	away := caddy(t, "panelauth {\n\tbasic_auth my_password\n\tsession_store redis redis://127.0.0.1:1\n}\nrespond hello")
	session := site.signsIn(t, "alice")
	foreign := form(t, site.url+"/login", "alice", "my_password")
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	plain := func(path string) *http.Request { return navigation(t, site.url+path) }
	signedIn := func(path string) *http.Request {
		request := plain(path)
		request.AddCookie(session)
		return request
	}
	put := plain("/login")
	put.Method = http.MethodPut
	for _, test := range []struct {
		name    string
		request *http.Request
		status  int
	}{
		{"sign-in", plain("/login"), 200},
		{"wrong password", form(t, site.url+"/login", "mallory", "wrong"), 401},
		{"another site's form", foreign, 403},
		{"refused by a rule", signedIn("/secret"), 403},
		{"failed at the provider", plain("/login?code=c&state=s"), 401},
		{"provider away", plain("/login?provider=company"), 503},
		{"store away", form(t, away.url+"/login", "alice", "my_password"), 503},
		{"wrong method", put, 405},
		{"too large", form(t, site.url+"/login", strings.Repeat("x", 70_000), ""), 413},
		{"sign out everywhere?", signedIn("/logout?everywhere=1"), 200},
		{"signed out", plain("/logout"), 200},
	} {
		t.Run(test.name, func(t *testing.T) { isGuarded(t, test.request, test.status) })
	}
	for range 5 {
		answer(t, form(t, site.url+"/login", "eve", "wrong"))
	}
	t.Run("too many attempts", func(t *testing.T) { isGuarded(t, form(t, site.url+"/login", "eve", "wrong"), 429) })
}

func isGuarded(t *testing.T, request *http.Request, status int) {
	t.Helper()
	response := answer(t, request)
	if response.StatusCode != status || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		t.Fatalf("answers %d with %s", response.StatusCode, response.Header.Get("Content-Type"))
	}
	policy := response.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "style-src 'sha256-", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'self'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy lacks %s: %s", part, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Errorf("the policy is loose: %s", policy)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "X-Frame-Options": "SAMEORIGIN"} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if got := response.Header.Get("Referrer-Policy"); got != "same-origin" && got != "no-referrer" {
		t.Errorf("Referrer-Policy is %q", got)
	}
	if response.ContentLength <= 0 || response.ContentLength > 30_000 {
		t.Errorf("it has %d bytes", response.ContentLength)
	}
}
