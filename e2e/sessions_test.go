// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
)

// Two processes that share a storage folder share sessions, and what one ends
// is over on the other within ten seconds.
func TestTwoCaddysShareSessions(t *testing.T) {
	app := examplePanel(t)
	storage := t.TempDir()
	one := caddySharing(t, storage, inFrontOf(app, "basic_auth my_password"))
	other := caddySharing(t, storage, inFrontOf(app, "basic_auth my_password"))
	visitor := browser(t)
	visitor.open(one.url + "/app")
	visitor.signIn("alice", "my_password")
	visitor.sees("Hello alice")
	visitor.open(other.url + "/app")
	visitor.sees("Hello alice")
	visitor.hasLiveWidget()

	session := visitor.cookies()
	visitor.open(one.url + "/logout")
	eventually(t, 10*time.Second, "the other Caddy sees the logout", func() bool {
		return status(t, other.url+"/app", session) == http.StatusFound
	})
	isOver(t, one.url+"/app", session)
}

func TestSessionsSurviveRestart(t *testing.T) {
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.signIn("alice", "my_password")
	visitor.sees("Hello alice")
	site.restart(t)
	visitor.open(site.url + "/app")
	visitor.sees("Hello alice")
	visitor.hasLiveWidget()
}

// Without cookie_secret one is generated, and it survives restarts as well.
func TestSessionsSurviveRestartWithGeneratedSecret(t *testing.T) {
	app := notPanel(t)
	site := caddy(t, "panelauth {\n\tbasic_auth my_password\n}\nreverse_proxy "+app.address)
	visitor := browser(t)
	visitor.open(site.url + "/page")
	visitor.signIn("alice", "my_password")
	visitor.sees("not Panel")
	site.restart(t)
	if got := status(t, site.url+"/page", visitor.cookies()); got != http.StatusOK {
		t.Errorf("after the restart the session gets %d", got)
	}
}

func TestSessionsSurviveReload(t *testing.T) {
	app := examplePanel(t)
	site := caddy(t, inFrontOf(app, "basic_auth my_password"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.signIn("alice", "my_password")
	visitor.sees("Hello alice")
	site.reload(t, inFrontOf(app, "basic_auth my_password", "oauth_expiry_days 2"))
	visitor.open(site.url + "/app")
	visitor.sees("Hello alice")
	visitor.hasLiveWidget()
}

func TestChangingThePasswordEndsSessions(t *testing.T) {
	app := notPanel(t)
	site := caddy(t, "panelauth {\n\tbasic_auth my_password\n}\nreverse_proxy "+app.address)
	visitor := browser(t)
	visitor.open(site.url + "/page")
	visitor.signIn("alice", "my_password")
	visitor.sees("not Panel")
	site.reload(t, "panelauth {\n\tbasic_auth another_password\n}\nreverse_proxy "+app.address)
	isOver(t, site.url+"/page", visitor.cookies())
}

func TestSessionsInCookies(t *testing.T) {
	app := examplePanel(t)
	one := caddy(t, inFrontOf(app, "basic_auth my_password", "session_store cookie"))
	other := caddy(t, inFrontOf(app, "basic_auth my_password", "session_store cookie"))
	visitor := browser(t)
	visitor.open(one.url + "/app")
	visitor.signIn("alice", "my_password")
	visitor.hasLiveWidget()
	visitor.open(other.url + "/app")
	visitor.sees("Hello alice")
	session := visitor.cookies()
	visitor.open(other.url + "/logout")
	isOver(t, other.url+"/app", session)
	visitor.open(one.url + "/app")
	visitor.seesForm()
}

// status is what a page answers to the cookies.
func status(t *testing.T, url string, cookies []*network.Cookie) int {
	t.Helper()
	return answer(t, with(navigation(t, url), cookies)).StatusCode
}
