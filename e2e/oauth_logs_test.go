// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// discreet is an access log without what Caddy logs of addresses that hold the
// answers of providers and the way to them.
const discreet = `log {
	format filter {
		request>uri query {
			replace code REDACTED
			replace state REDACTED
		}
		request>headers>Referer query {
			replace code REDACTED
			replace state REDACTED
		}
		resp_headers>Location query {
			replace id_token_hint REDACTED
			replace nonce REDACTED
			replace state REDACTED
		}
		resp_headers>Refresh delete
	}
}
`

// A whole life with a provider, at debug level, leaves no code, state, token
// or secret in the logs: sign-in, renewals, failures on all sides, logout.
func TestLogsHoldNoSecretsOfProviders(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	idp := shortLived(t, 6, port)
	app := notPanel(t)
	site := caddyOn(t, port, discreet+"panelauth {\n\tcookie_secret "+cookieSecret+"\n\toauth_refresh_tokens\n\ttoken_endpoint\n\t"+allCookies+"\n\t"+
		idp.lines("prompt consent")+"\n}\nreverse_proxy "+app.address)
	secrets := lifeWithProvider(t, idp, site, app)
	secrets[clientSecret(clientBasic)] = "client secret"

	log := site.output()
	kinds := map[string]bool{}
	for value, name := range secrets {
		kinds[name] = true
		if strings.Contains(log, value) || strings.Contains(log, url.QueryEscape(value)) {
			t.Errorf("the log holds the %s: %s", name, lineWith(log, value))
		}
	}
	for _, name := range []string{"code", "state", "nonce", "code_verifier", "access_token", "refresh_token", "id_token", "id_token_hint", "token"} {
		if !kinds[name] {
			t.Errorf("no %s took part, so this test proves less than it says", name)
		}
	}
	if !strings.Contains(log, "tokens cannot be renewed") {
		t.Error("no renewal failed, so this test proves less than it says")
	}
}

// lifeWithProvider does everything that secrets take part in, and returns them
// by what they are. At its end Caddy and the provider are down.
func lifeWithProvider(t *testing.T, idp *openIDProvider, site *caddyServer, app *recorder) map[string]string {
	t.Helper()
	visitor := browser(t)
	visitor.open(site.url + "/page")
	visitor.click("[ Cancel ]")
	visitor.click("Try again")
	visitor.signInAt(idp, "alice")
	visitor.sees("not Panel")
	visitor.fetches("/login/token")
	answer(t, with(websocket(t, site.url+"/page/ws"), visitor.cookies()))
	secrets := secretCookies(t, visitor, app)
	secrets["a-code-that-was-made-up"], secrets["a-state-that-was-made-up"] = "forged code", "forged state"
	visitor.request(site.url + "/login?code=a-code-that-was-made-up&state=a-state-that-was-made-up")
	visitor.open(site.url + "/logout")
	visitor.logsOutAt(idp)
	visitor.isSignedOut(site)

	visitor.open(site.url + "/page")
	visitor.signInAt(idp, "bob")
	visitor.sees("not Panel")
	time.Sleep(6 * time.Second) // the provider's clock is the real one
	visitor.open(site.url + "/page")
	maps.Copy(secrets, secretCookies(t, visitor, app))
	maps.Copy(secrets, idp.report().Secrets)

	idp.stop()
	time.Sleep(6 * time.Second)
	visitor.open(site.url + "/page")
	logout, err := http.NewRequest(http.MethodPost, site.url+"/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer(t, with(logout, visitor.cookies()))
	site.stop()
	return secrets
}

// secretCookies are those that the browser and the application have of us.
func secretCookies(t *testing.T, v *visitor, app *recorder) map[string]string {
	t.Helper()
	secrets := map[string]string{}
	for _, cookie := range v.cookies() {
		if strings.Contains(cookie.Name, "panelauth") {
			secrets[cookie.Value] = "cookie " + cookie.Name
		}
	}
	for _, cookie := range app.last(t).Cookies() {
		secrets[cookie.Value] = "application's cookie " + cookie.Name
	}
	return secrets
}

// lineWith is the first line that says something.
func lineWith(text, something string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, something) {
			return line
		}
	}
	return ""
}
