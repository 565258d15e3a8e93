// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// On HTTPS the browser speaks HTTP/2, and keeps the session cookie for this
// host alone and away from scripts.
func TestHTTPS(t *testing.T) {
	site := secureCaddy(t, inFrontOf(examplePanel(t), "basic_auth my_password"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.signIn("alice", "my_password")
	visitor.arrives(site.url + "/app")
	visitor.sees("Hello alice")
	visitor.hasLiveWidget()
	protocol, err := ask[string](visitor, `performance.getEntriesByType("navigation")[0].nextHopProtocol`)
	if err != nil || protocol != "h2" {
		t.Errorf("the browser speaks %q (%v), so this test proves less than it says", protocol, err)
	}
	cookies := visitor.cookies()
	if len(cookies) != 1 {
		t.Fatalf("the browser keeps %d cookies, want one", len(cookies))
	}
	cookie := cookies[0]
	if cookie.Name != "__Host-panelauth" || !cookie.Secure || !cookie.HTTPOnly ||
		cookie.SameSite != network.CookieSameSiteLax || cookie.Path != "/" || cookie.Domain != "localhost" {
		t.Errorf("the cookie is %+v", cookie)
	}
	visitor.press("Log out")
	visitor.arrives(site.url + "/logout")
	if left := visitor.cookies(); len(left) != 0 {
		t.Errorf("the browser still has a cookie %s", left[0].Name)
	}
	visitor.open(site.url + "/app")
	visitor.seesForm()
}

// Where HTTP/2 carries websockets, the browser opens them that way, and they
// are judged as others are.
func TestWebsocketOverHTTP2(t *testing.T) {
	t.Setenv("GODEBUG", "http2xconnect=1")
	site := secureCaddy(t, inFrontOf(examplePanel(t), "basic_auth my_password", "oauth_guest_endpoints /app"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.sees("Hello guest")
	visitor.hasLiveWidget()
	if opened := visitor.opensSocket("/admin/ws"); opened {
		t.Error("a guest opens a websocket that is not for guests")
	}
	visitor.open(site.url + "/admin")
	visitor.signIn("alice", "my_password")
	visitor.sees("you are alice")
	if opened := visitor.opensSocket("/admin/ws"); !opened {
		t.Error("alice does not open a websocket")
	}
	visitor.open(site.url + "/app")
	visitor.sees("Hello alice")
	visitor.hasLiveWidget()
	if !strings.Contains(site.output(), `"method":"CONNECT"`) {
		t.Error("the browser opens websockets over HTTP/1.1, so this test proves less than it says")
	}
}

// opensSocket tries a websocket from a script of the page.
func (v *visitor) opensSocket(path string) bool {
	v.t.Helper()
	v.do("opening a websocket", chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`
		window.opened = undefined;
		window.socket = new WebSocket(location.origin.replace("http", "ws") + %q);
		socket.onopen = () => { window.opened = true };
		socket.onerror = () => { window.opened ??= false };`, path)))
	v.eventually("an answer to a websocket", `window.opened !== undefined`)
	opened, err := ask[bool](v, `window.opened`)
	if err != nil {
		v.t.Fatal(err)
	}
	return opened
}
