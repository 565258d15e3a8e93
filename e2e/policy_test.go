// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// evilTexts are what somebody would like our pages to run. Each calls alert, in
// a way that works where nothing is escaped.
var evilTexts = []string{
	`<script>alert(1)</script>`, `"><svg/onload=alert(1)>`, `</title><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `' autofocus onfocus=alert(1) x='`,
	`" autofocus onfocus=alert(1) x="`, `javascript:alert(1)`, `{{constructor.constructor('alert(1)')()}}`, "`${alert(1)}`", `</style><script>alert(1)</script>`, `<style>@import "//evil.example"</style>`,
	`<iframe srcdoc="<script>parent.alert(1)</script>">`, `<base href="//evil.example/">`, `<meta http-equiv="refresh" content="0;url=javascript:alert(1)">`, "\u2028alert(1)", `&lt;script&gt;alert(1)`,
}

// watchedBrowser is a visitor whose browser notes in each page what calls alert,
// and each breach of the page's own policy.
func watchedBrowser(t *testing.T) *visitor {
	t.Helper()
	v := browser(t)
	_, err := chromedp.Call(v.tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.noted = [];
		window.alert = () => window.noted.push("a script ran");
		document.addEventListener("securitypolicyviolation", event => window.noted.push(event.violatedDirective + " was broken by " + event.blockedURI));`})
	if err != nil {
		t.Fatalf("watching: %v", err)
	}
	return v
}

// hasNothingNoted checks the page that is open: nothing ran, and nothing was
// kept from running by the policy alone.
func (v *visitor) hasNothingNoted(what string) {
	v.t.Helper()
	noted, err := ask[[]string](v, `window.noted`)
	if err != nil {
		v.t.Fatalf("%s: asking what was noted: %v", what, err)
	}
	if len(noted) > 0 {
		v.t.Errorf("%s: %q", what, noted)
	}
	if host, err := ask[string](v, `location.hostname`); err != nil || host != "localhost" {
		v.t.Errorf("%s: the browser is at %s", what, v.at())
	}
}

// refusingProvider is a provider that sends everybody back with an error.
func refusingProvider(t *testing.T, says *atomic.Value) *httptest.Server {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": server.URL, "authorization_endpoint": server.URL + "/authorize", "token_endpoint": server.URL + "/token", "jwks_uri": server.URL + "/keys",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		text := says.Load().(string)
		back := url.Values{"state": {r.URL.Query().Get("state")}, "error": {text}, "error_description": {text}, "error_uri": {text}}
		http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
	})
	return server
}

// TestNothingRuns puts what anybody can say where it comes nearest to a page:
// user names, addresses and the errors of a provider.
func TestNothingRuns(t *testing.T) {
	var says atomic.Value
	p := refusingProvider(t, &says)
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password", "login_attempts 1000 1s",
		"oauth_provider oidc {\nkey x\nsecret y\nextra_params {\nISSUER "+p.URL+"\n}\n}"))
	visitor := watchedBrowser(t)

	visitor.open(site.url + "/login")
	visitor.do("calling alert and adding a script", chromedp.Evaluate[chromedp.Void](`alert(1);
		document.body.append(Object.assign(document.createElement("script"), {textContent: "1"}))`))
	visitor.eventually("both are noted", `window.noted.length === 2`) // or the rest would prove nothing

	for _, evil := range evilTexts {
		e := url.QueryEscape(evil)
		for _, target := range []string{
			"/login?next=" + e, "/login?next=%2F" + e, "/login?next=%2Fapp%3Fx%3D" + e, "/login?error=" + e, "/login?error=x&error_description=" + e + "&state=" + e, "/login?code=" + e + "&state=" + e,
			"/login?provider=" + e, "/logout?error=" + e, "/logout?next=" + e, "/logout?next=%2F" + e, "/login?another=" + e, "/logout?everywhere=1&x=" + e, "/" + url.PathEscape(evil), "/login?username=" + e,
		} {
			visitor.open(site.url + target)
			visitor.hasNothingNoted(target)
		}
		visitor.open(site.url + "/login?next=" + e)
		visitor.signIn(evil, "wrong")
		visitor.sees("Invalid username or password!")
		visitor.hasNothingNoted("user name " + evil)
		kept, err := ask[string](visitor, `document.querySelector("input[name=username]").value`)
		if err != nil || kept != strings.TrimSpace(evil) {
			t.Errorf("the user name is %q after a failure, not %q (%v)", kept, evil, err)
		}
	}
	for _, evil := range evilTexts {
		says.Store(evil)
		if status := visitor.open(site.url + "/login?provider=oidc"); status != http.StatusUnauthorized {
			t.Errorf("an error of the provider is answered %d", status)
		}
		visitor.hasNothingNoted("error " + evil)
		visitor.open(site.url + "/login?next=%2Flogout%3Feverywhere%3D1")
		visitor.signIn(evil, "my_password")
		visitor.open(site.url + "/logout?everywhere=1")
		visitor.hasNothingNoted("signed in as " + evil)
		visitor.open(site.url + "/logout")
		visitor.hasNothingNoted("signed out as " + evil)
	}
}
