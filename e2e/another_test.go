// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"net/http"
	"testing"
)

// TestAnotherAccount: whoever the rules refuse gets to choose another account
// at the only provider, which would let the same one in without a word.
func TestAnotherAccount(t *testing.T) {
	port := freePort(t)
	provider := openID(t, port)
	site := caddyOn(t, port, "panelauth {\n\t"+provider.lines()+"\n\tauthorize {\n\t\t@others {\n\t\t\tpath /admin\n\t\t\tnot auth_user bob@example.com\n\t\t}\n"+
		"\t\tdeny @others\n\t\tallow\n\t}\n}\nreverse_proxy "+notPanel(t).address)
	visitor := browser(t)
	visitor.open(site.url + "/page")
	visitor.signInAt(provider, "alice")
	visitor.arrives(site.url + "/page")
	if status := visitor.open(site.url + "/admin?x=1"); status != http.StatusForbidden {
		t.Fatalf("alice gets %d", status)
	}
	visitor.sees("You are signed in as alice@example.com.")
	visitor.click("Sign in as somebody else")
	visitor.signInAt(provider, "bob")
	visitor.arrives(site.url + "/admin?x=1")
	visitor.sees("not Panel")
}

// TestSignedOutLeadsBack to the page that was left, also by way of a provider.
func TestSignedOutLeadsBack(t *testing.T) {
	t.Run("password", func(t *testing.T) {
		site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password"))
		visitor := browser(t)
		visitor.open(site.url + "/app?tab=2")
		visitor.signIn("alice", "my_password")
		visitor.sees("Hello alice")
		visitor.press("Log out")
		visitor.arrives(site.url + "/logout")
		visitor.click("Sign in again")
		visitor.signIn("alice", "my_password")
		visitor.arrives(site.url + "/app?tab=2")
	})
	t.Run("provider", func(t *testing.T) {
		port := freePort(t)
		provider := openID(t, port)
		site := caddyOn(t, port, inFrontOf(congratsPanel(t), provider.lines()))
		visitor := browser(t)
		visitor.open(site.url + "/congrats?x=1")
		visitor.signInAt(provider, "alice")
		visitor.isWelcome("alice")
		visitor.press("Log out")
		visitor.logsOutAt(provider)
		visitor.isSignedOut(site)
		visitor.click("Sign in again")
		visitor.signInAt(provider, "alice")
		visitor.arrives(site.url + "/congrats?x=1")
	})
}
