// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// Logging out goes on to the provider and comes back, and whoever signs in
// next has to say who they are.
func TestLogoutGoesOnToProvider(t *testing.T) {
	port := freePort(t)
	idp := openID(t, port)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), idp.lines()))
	visitor := browser(t)
	visitor.open(site.url + "/congrats")
	visitor.signInAt(idp, "alice")
	visitor.isWelcome("alice")
	session := visitor.cookies()
	visitor.press("Log out")
	visitor.logsOutAt(idp)
	isOver(t, site.url+"/congrats", session)
	visitor.isSignedOut(site)
	visitor.photographAll("signed-out-at-provider")
	visitor.open(site.url + "/congrats")
	visitor.signInAt(idp, "bob")
	visitor.isWelcome("bob")
	if logouts := len(idp.report().Logouts); logouts != 1 {
		t.Errorf("the provider saw %d logouts, want one", logouts)
	}
}

func TestLogoutStaysHere(t *testing.T) {
	port := freePort(t)
	idp := openID(t, port)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), idp.lines("prompt consent"), "logout_provider off",
		"oauth_refresh_tokens", allCookies))
	visitor := browser(t)
	visitor.open(site.url + "/congrats")
	visitor.signInAt(idp, "alice")
	known := visitor.isWelcome("alice")
	session := visitor.cookies()
	visitor.press("Log out")
	visitor.isSignedOut(site)
	isOver(t, site.url+"/congrats", session)
	visitor.open(site.url + "/congrats")
	visitor.agreesAt(idp) // who it is, the provider still knows
	visitor.isWelcome("alice")
	if idp.renews(known.RefreshToken) {
		t.Error("the refresh token of the session that is over is still good")
	}
	if logouts := len(idp.report().Logouts); logouts != 0 {
		t.Errorf("the provider saw %d logouts, want none", logouts)
	}
}

// A link on another site does not log anybody out, and the button that it
// leads to does, at the provider too.
func TestLogoutAskedForByAnotherSite(t *testing.T) {
	port := freePort(t)
	idp := openID(t, port)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), idp.lines()))
	visitor := browser(t)
	visitor.open(site.url + "/congrats")
	visitor.signInAt(idp, "alice")
	visitor.isWelcome("alice")
	visitor.follows("http://"+notPanel(t).address+"/page", site.url+"/logout")
	visitor.arrives(site.url + "/logout")
	visitor.photographAll("sign-out")
	visitor.open(site.url + "/congrats")
	visitor.isWelcome("alice")
	visitor.follows("http://"+notPanel(t).address+"/page", site.url+"/logout")
	visitor.arrives(site.url + "/logout")
	visitor.leavingThePage(func() { visitor.press("Sign out") })
	visitor.logsOutAt(idp)
	visitor.isSignedOut(site)
}

// follows opens a page and follows a link from it.
func (v *visitor) follows(page, link string) {
	v.t.Helper()
	v.open(page)
	v.leavingThePage(func() {
		v.do("following a link", chromedp.Evaluate[chromedp.Void](`location.href = "`+link+`"`))
	})
}

// isSignedOut waits for the page at the end of a logout.
func (v *visitor) isSignedOut(site *caddyServer) {
	v.t.Helper()
	v.isAt(site.url + "/logout")
	v.sees("Sign in again")
}
