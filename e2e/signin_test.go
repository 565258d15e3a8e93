// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// allCookies asks for everything that Panel can know.
const allCookies = "panel_cookies user id_token access_token refresh_token"

// congratsPanel serves testdata/congrats.py. It knows the cookie secret, and
// nothing of providers.
func congratsPanel(t *testing.T, arguments ...string) *panelServer {
	t.Helper()
	return panel(t, append([]string{"testdata/congrats.py"}, arguments...)...)
}

func TestSignInWithProvider(t *testing.T) {
	port := freePort(t)
	idp := openID(t, port)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), idp.lines("prompt consent"), "oauth_refresh_tokens", allCookies))
	visitor := browser(t)
	visitor.open(site.url + "/congrats?year=2026&name=a%20b&c=%2Fd")
	visitor.signInAt(idp, "alice")
	visitor.arrives(site.url + "/congrats?year=2026&name=a%20b&c=%2Fd")
	known := visitor.isWelcome("alice")
	if !idp.accepts(known.AccessToken) {
		t.Errorf("the provider does not accept the access token %q", known.AccessToken)
	}
	if !idp.renews(known.RefreshToken) {
		t.Errorf("the provider does not accept the refresh token %q", known.RefreshToken)
	}
	visitor.hasLiveWidget()
}

// Tokens stay away from an application that does not ask for them.
func TestSignInWithProviderKeepsTokens(t *testing.T) {
	port := freePort(t)
	idp := openID(t, port)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), idp.lines()))
	visitor := browser(t)
	visitor.open(site.url + "/congrats")
	visitor.signInAt(idp, "alice")
	if known := visitor.isWelcome("alice"); known.AccessToken != "" || known.RefreshToken != "" {
		t.Errorf("Panel has the tokens %q and %q", known.AccessToken, known.RefreshToken)
	}
}

// The generic provider of Panel has no discovery document, and proves itself
// in the body of its requests.
func TestSignInWithGenericProvider(t *testing.T) {
	port := freePort(t)
	idp := openID(t, port)
	generic := fmt.Sprintf("oauth_provider generic\n\toauth_key %s\n\toauth_secret {env.%s}\n\toauth_extra_params {\n\t\tAUTHORIZE_URL %[3]s/auth\n\t\tTOKEN_URL %[3]s/token\n\t\tUSER_URL %[3]s/me\n\t}",
		clientPost, secretVariable(clientPost), idp.url)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), generic, allCookies))
	visitor := browser(t)
	visitor.open(site.url + "/congrats")
	visitor.signInAt(idp, "alice")
	visitor.arrives(site.url + "/congrats")
	if known := visitor.isWelcome("alice"); !idp.accepts(known.AccessToken) {
		t.Errorf("the provider does not accept the access token %q", known.AccessToken)
	}
}

func TestSignInWithProviderAndEncryptedTokens(t *testing.T) {
	key, err := exec.Command(caddyProgram, "panelauth", "oauth-secret").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KEY", strings.TrimSpace(string(key)))
	port := freePort(t)
	idp := openID(t, port)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t, "--setup", "testdata/encryption.py"), idp.lines("prompt consent"),
		"oauth_refresh_tokens", "oauth_encryption_key {env.KEY}", "panel_cookies encrypted user id_token access_token refresh_token"))
	visitor := browser(t)
	visitor.open(site.url + "/congrats")
	visitor.signInAt(idp, "alice")
	known := visitor.isWelcome("alice")
	if !idp.accepts(known.AccessToken) || !idp.renews(known.RefreshToken) {
		t.Errorf("the provider does not accept the tokens %q and %q", known.AccessToken, known.RefreshToken)
	}
}

// The whole session with its tokens is in cookies, which are for HTTPS and this
// host alone.
func TestSignInWithProviderOverHTTPS(t *testing.T) {
	port := freePort(t)
	idp := openID(t, port)
	site := serveOn(t, port, "https", t.TempDir(), "tls internal\n"+inFrontOf(congratsPanel(t), idp.lines("prompt consent"),
		"oauth_refresh_tokens", "session_store cookie", allCookies))
	visitor := browser(t)
	visitor.open(site.url + "/congrats?x=1")
	visitor.signInAt(idp, "alice")
	visitor.arrives(site.url + "/congrats?x=1")
	if known := visitor.isWelcome("alice"); !idp.accepts(known.AccessToken) {
		t.Errorf("the provider does not accept the access token %q", known.AccessToken)
	}
	visitor.hasLiveWidget()
	for _, cookie := range visitor.cookies() {
		if cookie.Domain == "localhost" && (!strings.HasPrefix(cookie.Name, "__Host-") || !cookie.Secure || !cookie.HTTPOnly) {
			t.Errorf("there is a cookie %+v", cookie)
		}
	}
	visitor.press("Log out")
	visitor.logsOutAt(idp)
	visitor.isSignedOut(site)
	visitor.open(site.url + "/congrats")
	visitor.isAskedBy(idp)
}

// Both tabs were sent to the provider before either came back.
func TestTwoTabsSignInAtOnce(t *testing.T) {
	port := freePort(t)
	idp := openID(t, port)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), idp.lines("prompt consent")))
	one := browser(t)
	other := one.anotherTab()
	one.open(site.url + "/congrats?tab=one")
	one.isAskedBy(idp)
	other.open(site.url + "/congrats?tab=other")
	other.isAskedBy(idp)
	one.signInAt(idp, "alice")
	one.arrives(site.url + "/congrats?tab=one")
	one.isWelcome("alice")
	other.signInAt(idp, "alice")
	other.arrives(site.url + "/congrats?tab=other")
	other.isWelcome("alice")
}

// Between two sign-ins, the provider has changed the keys that it signs with.
func TestProviderChangesItsKeys(t *testing.T) {
	port := freePort(t)
	idp := openID(t, port)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), idp.lines()))
	alice := browser(t)
	alice.open(site.url + "/congrats")
	alice.signInAt(idp, "alice")
	alice.isWelcome("alice")
	idp.changeKeys()
	bob := browser(t)
	bob.open(site.url + "/congrats")
	bob.signInAt(idp, "bob")
	bob.isWelcome("bob")
	alice.open(site.url + "/congrats")
	alice.isWelcome("alice")
}

// While a provider is down, Caddy starts and serves everything else; and when
// it is back, sign-in works without anybody telling Caddy.
func TestProviderIsDownAtStart(t *testing.T) {
	port, elsewhere := freePort(t), freePort(t)
	idp := newOpenID(t, port)
	another := fmt.Sprintf("}\nhttp://localhost:%d {\n\trespond \"another site\"\n", elsewhere)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), idp.lines(), "oauth_guest_endpoints /welcome")+another)
	visitor := browser(t)
	visitor.open(fmt.Sprintf("http://localhost:%d/", elsewhere))
	visitor.sees("another site")
	if status := visitor.open(site.url + "/congrats"); status != http.StatusServiceUnavailable {
		t.Errorf("the page answers %d while the provider is down, want 503", status)
	}
	visitor.photographAll("provider-down")
	if retry := visitor.request(site.url + "/login").Header.Get("Retry-After"); retry == "" {
		t.Error("nobody is told when to try again")
	}
	idp.run(t)
	eventually(t, patience, "the way to the provider is open", func() bool {
		return visitor.request(site.url+"/login?next=%2Fcongrats").StatusCode == http.StatusFound
	})
	visitor.click("Try again")
	visitor.signInAt(idp, "alice")
	visitor.arrives(site.url + "/congrats")
	visitor.isWelcome("alice")
}
