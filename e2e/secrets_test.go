// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// A Panel that keeps tokens encrypted reads what it gets with its own key.
func TestPanelWithEncryptedTokens(t *testing.T) {
	key, err := exec.Command(caddyProgram, "panelauth", "oauth-secret").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KEY", strings.TrimSpace(string(key)))
	app := panel(t, "testdata/who.py", "--setup", "testdata/encryption.py")
	site := caddy(t, inFrontOf(app, "basic_auth my_password", "oauth_encryption_key {env.KEY}",
		"panel_cookies encrypted user id_token"))
	visitor := browser(t)
	visitor.open(site.url + "/who")
	visitor.signIn("zoë ü", "my_password")
	visitor.isKnownAs("zoë ü")
}

// A Panel that asks for a password of its own lets in who comes through Caddy,
// pages and websockets, and nobody who comes by another way.
func TestPanelWithDoorOfItsOwn(t *testing.T) {
	app := examplePanel(t, "--basic-auth", "nobody-knows-this")
	site := caddy(t, inFrontOf(app, "basic_auth my_password"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.signIn("alice", "my_password")
	visitor.sees("Hello alice")
	visitor.hasLiveWidget()

	if got := answer(t, navigation(t, app.url+"/app")).StatusCode; got != http.StatusFound {
		t.Errorf("who comes by another way gets %d, want 302", got)
	}
	opens(t, websocket(t, app.url+"/app/ws"), http.StatusForbidden)
}

// A new secret from the command line is one that Panel and panelauth accept.
func TestPanelWithNewSecret(t *testing.T) {
	secret, err := exec.Command(caddyProgram, "panelauth", "secret").Output()
	if err != nil {
		t.Fatal(err)
	}
	app := panelWithSecret(t, strings.TrimSpace(string(secret)), exec.Command(panelProgram, "serve", "testdata/who.py"))
	site := caddy(t, "panelauth {\n\tbasic_auth my_password\n\tcookie_secret "+strings.TrimSpace(string(secret))+
		"\n}\nreverse_proxy "+app.address+" {\n\theader_up Origin "+app.url+"\n}")
	visitor := browser(t)
	visitor.open(site.url + "/who")
	visitor.signIn("alice", "my_password")
	visitor.isKnownAs("alice")
}
