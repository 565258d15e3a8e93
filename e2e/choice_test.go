// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// Two providers and a password are offered on one page, the last choice first.
func TestChoiceOfProviders(t *testing.T) {
	port := freePort(t)
	company, partner := openID(t, port), openID(t, port)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), company.block("company", `label "Sign in as staff"`),
		partner.block("partner", `label "Sign in as a partner"`), "basic_auth my_password", "remember_me 30"))
	visitor := browser(t)
	if status := visitor.open(site.url + "/congrats?x=1"); status != http.StatusOK {
		t.Errorf("the page with the choice answers %d", status)
	}
	visitor.seesForm()
	visitor.offers("Sign in as staff", "Sign in as a partner")
	visitor.startsIn("username")
	visitor.photographAll("choice")
	visitor.click("Sign in as a partner")
	visitor.signInAt(partner, "alice")
	visitor.arrives(site.url + "/congrats?x=1")
	visitor.isWelcome("alice")
	visitor.press("Log out")
	visitor.logsOutAt(partner)
	visitor.isSignedOut(site)

	visitor.open(site.url + "/congrats?x=2")
	visitor.offers("Sign in as a partner", "Sign in as staff")
	visitor.signIn("carol", "wrong")
	visitor.sees("Invalid username or password!")
	visitor.offers("Sign in as a partner", "Sign in as staff")
	visitor.photographAll("choice-failed")
	visitor.signIn("carol", "my_password")
	visitor.arrives(site.url + "/congrats?x=2")
	visitor.sees("Congrats carol. You got access!")
	visitor.press("Log out")
	visitor.isSignedOut(site)

	visitor.open(site.url + "/login?provider=company&next=%2Fcongrats%3Fx%3D3")
	visitor.signInAt(company, "bob")
	visitor.arrives(site.url + "/congrats?x=3")
	visitor.isWelcome("bob")
}

// An answer of one provider is not taken for another's.
func TestAnswerOfAnotherProvider(t *testing.T) {
	port := freePort(t)
	company, partner := openID(t, port), openID(t, port)
	app := notPanel(t)
	site := caddyOn(t, port, "panelauth {\n\t"+company.block("company")+"\n\t"+partner.block("partner")+"\n}\nreverse_proxy "+app.address)
	visitor := browser(t)
	visitor.open(site.url + "/login?provider=company&next=%2Fpage")
	visitor.isAskedBy(company)
	state := stateAt(t, visitor, site)
	visitor.open(site.url + "/login?code=a-code-of-nobody&state=" + state + "&iss=" + partner.url)
	visitor.sees("Try again")
	if grants := append(company.report().Grants, partner.report().Grants...); len(grants) != 0 {
		t.Errorf("a provider was asked to redeem the code: %v", grants)
	}
}

// stateAt is the state of a sign-in that the visitor has begun.
func stateAt(t *testing.T, v *visitor, site *caddyServer) string {
	t.Helper()
	text := v.text()
	found := regexp.MustCompile(`state: '([A-Za-z0-9_-]+)'`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no state in %q", text)
	}
	return found[1]
}

// Whoever changes their mind at the provider gets our words and a number; the
// provider's words are in the log under that number.
func TestProviderRefuses(t *testing.T) {
	port := freePort(t)
	idp := openID(t, port)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), idp.lines()))
	visitor := browser(t)
	visitor.open(site.url + "/congrats?x=1")
	visitor.isAskedBy(idp)
	visitor.click("[ Cancel ]")
	visitor.isAt(site.url + "/login")
	visitor.photographAll("provider-refuses")
	said := visitor.text()
	for _, theirs := range []string{"access_denied", "aborted"} {
		if strings.Contains(said, theirs) {
			t.Errorf("the page shows the provider's words: %s", said)
		}
	}
	entry := failedSignIn(t, site)
	if !strings.Contains(said, entry.Reference) || entry.Reference == "" {
		t.Errorf("the page does not show the reference %q: %s", entry.Reference, said)
	}
	if !strings.Contains(entry.text, "access_denied") || !strings.Contains(entry.text, "End-User aborted interaction") {
		t.Errorf("the log lacks the provider's words: %s", entry.text)
	}
	if status := visitor.request(site.url + "/login?error=access_denied&state=made-up").StatusCode; status != http.StatusUnauthorized {
		t.Errorf("an answer that nobody asked for gets %d, want 401", status)
	}
	visitor.click("Try again")
	visitor.signInAt(idp, "alice")
	visitor.arrives(site.url + "/congrats?x=1")
	visitor.isWelcome("alice")
}

// logged is a line of Caddy's log.
type logged struct {
	text             string
	Event, Reference string
}

// failedSignIn is the line about the only sign-in that failed.
func failedSignIn(t *testing.T, site *caddyServer) logged {
	t.Helper()
	for line := range strings.Lines(site.output()) {
		entry := logged{text: line}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Event == "login_failed" {
			return entry
		}
	}
	t.Fatal("the log does not tell of the sign-in that failed")
	return logged{}
}
