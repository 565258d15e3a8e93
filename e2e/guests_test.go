// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"testing"
)

// Panel's own redirect URI is the root of the site, and most providers answer
// with the state before the code. With both, guests of Panel never get in.
func TestProviderAnswersAtTheRootOfTheSite(t *testing.T) {
	for name, more := range map[string][]string{
		"signing in":     {"oauth_refresh_tokens"},
		"guests":         {"oauth_optional"},
		"guests refresh": {"oauth_optional", "oauth_refresh_tokens"},
	} {
		for _, root := range []string{"", "/"} {
			t.Run(name+root, func(t *testing.T) {
				port := freePort(t)
				address := fmt.Sprintf("http://localhost:%d%s", port, root)
				idp := newOpenID(t, port)
				idp.settings.StateFirst = true
				for number := range idp.settings.Clients {
					idp.settings.Clients[number].RedirectURIs = []string{address}
				}
				idp.run(t)
				lines := append(more, idp.lines(), "oauth_redirect_uri "+address)
				site := caddyOn(t, port, inFrontOf(examplePanel(t), lines...))
				visitor := browser(t)
				visitor.open(site.url + "/app?from=the-guide")
				if len(more) > 1 || more[0] == "oauth_optional" {
					visitor.sees("Hello guest")
					visitor.press("Log in")
				}
				visitor.signInAt(idp, "alice")
				visitor.arrives(site.url + "/app?from=the-guide")
				visitor.sees("Hello alice@example.com")
			})
		}
	}
}

// What is an application's own ?code= stays its own.
func TestApplicationKeepsItsOwnCode(t *testing.T) {
	port := freePort(t)
	idp := openID(t, port)
	app := notPanel(t)
	site := caddyOn(t, port, "panelauth {\n\toauth_optional\n\t"+idp.lines()+"\n}\nreverse_proxy "+app.address)
	visitor := browser(t)
	for _, page := range []string{"/?code=1234", "/?state=ready&code=1234", "/shop?error=none&state=open"} {
		visitor.open(site.url + page)
		visitor.sees("not Panel")
		if got := app.last(t).URL.String(); got != page {
			t.Errorf("the application is asked for %s, want %s", got, page)
		}
	}
}

func TestGuestsOfProvider(t *testing.T) {
	port := freePort(t)
	idp := openID(t, port)
	site := caddyOn(t, port, inFrontOf(examplePanel(t), idp.lines(), "oauth_guest_endpoints /app"))
	visitor := browser(t)
	visitor.open(site.url + "/app?a=1")
	visitor.sees("Hello guest")
	visitor.hasLiveWidget()
	visitor.open(site.url + "/admin")
	visitor.signInAt(idp, "alice")
	visitor.arrives(site.url + "/admin")
	visitor.sees("you are alice@example.com")
	visitor.open(site.url + "/app")
	visitor.sees("Hello alice@example.com")
	visitor.press("Log out")
	visitor.logsOutAt(idp)
	visitor.isSignedOut(site)
	visitor.open(site.url + "/app")
	visitor.sees("Hello guest")
}
