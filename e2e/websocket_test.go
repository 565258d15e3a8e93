// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"net/http"
	"testing"
)

func TestWebsocketAnswersAfterSignIn(t *testing.T) {
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.signIn("alice", "my_password")
	visitor.hasLiveWidget()
}

func TestWebsocketOfGuests(t *testing.T) {
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password", "oauth_guest_endpoints /app"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.sees("Hello guest")
	visitor.hasLiveWidget()
	opens(t, websocket(t, site.url+"/app/ws"), http.StatusSwitchingProtocols)
	opens(t, websocket(t, site.url+"/admin/ws"), http.StatusUnauthorized)
}

// Below a prefix Panel has its library there, too.
func TestGuestsBelowPrefix(t *testing.T) {
	site := caddy(t, inFrontOf(examplePanel(t, "--prefix", "pre"), "basic_auth my_password", "oauth_guest_endpoints /pre/app /pre/static/*"))
	visitor := browser(t)
	visitor.open(site.url + "/pre/app")
	visitor.sees("Hello guest")
	visitor.hasLiveWidget()
	visitor.open(site.url + "/pre/admin")
	visitor.seesForm()
}

func TestWebsocketNeedsSession(t *testing.T) {
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.signIn("alice", "my_password")
	visitor.sees("Hello alice")
	session := visitor.cookies()

	socket := site.url + "/app/ws"
	opens(t, websocket(t, socket), http.StatusUnauthorized)
	opens(t, with(websocket(t, socket), session), http.StatusSwitchingProtocols)

	elsewhere := with(websocket(t, socket), session)
	elsewhere.Header.Set("Origin", "http://elsewhere.example")
	opens(t, elsewhere, http.StatusForbidden)

	program := with(websocket(t, socket), session)
	program.Header.Del("Origin")
	opens(t, program, http.StatusSwitchingProtocols)

	visitor.open(site.url + "/logout")
	opens(t, with(websocket(t, socket), session), http.StatusUnauthorized)
}

func TestWebsocketFromListedOrigin(t *testing.T) {
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password", "oauth_optional",
		"websocket_allowed_origins http://friend.example"))
	friend := websocket(t, site.url+"/app/ws")
	friend.Header.Set("Origin", "http://friend.example")
	opens(t, friend, http.StatusSwitchingProtocols)
	stranger := websocket(t, site.url+"/app/ws")
	stranger.Header.Set("Origin", "http://stranger.example")
	opens(t, stranger, http.StatusForbidden)
}

// opens checks the answer to a request for a websocket.
func opens(t *testing.T, request *http.Request, want int) {
	t.Helper()
	response := answer(t, request)
	if response.StatusCode != want {
		t.Errorf("a websocket at %s from %q gets %d, want %d", request.URL, request.Header.Get("Origin"), response.StatusCode, want)
	}
	if location := response.Header.Get("Location"); location != "" {
		t.Errorf("a websocket is sent to %s", location)
	}
}
