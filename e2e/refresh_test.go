// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// The provider of these tests rotates refresh tokens: whoever uses one twice
// loses everything that was ever issued with it. The tests wait for its clock,
// which is the real one, and so they wait together.

// shortLived runs a provider whose access tokens live for some seconds.
func shortLived(t *testing.T, seconds int, ports ...int) *openIDProvider {
	t.Helper()
	idp := newOpenID(t, ports...)
	idp.settings.AccessTokenLifetime = seconds
	idp.run(t)
	return idp
}

func TestExpiredTokenIsRenewedOnPageLoad(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	idp := shortLived(t, 6, port)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), idp.lines("prompt consent"), "oauth_refresh_tokens", allCookies))
	visitor := browser(t)
	visitor.open(site.url + "/congrats")
	visitor.signInAt(idp, "alice")
	before := visitor.isWelcome("alice")
	visitor.leaves()
	eventually(t, patience, "the access token expires", func() bool { return !idp.accepts(before.AccessToken) })
	visitor.open(site.url + "/congrats")
	after := visitor.isWelcome("alice")
	if after.AccessToken == before.AccessToken || after.RefreshToken == before.RefreshToken {
		t.Errorf("Panel still has the tokens %q and %q", after.AccessToken, after.RefreshToken)
	}
	if idp.renewals() == 0 {
		t.Error("the provider renewed nothing")
	}
}

// While a dashboard is open and does nothing, its session is kept fresh.
func TestTokenIsRenewedWhileOnlyWebsocketIsOpen(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	idp := shortLived(t, 65, port) // renewed a minute ahead
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), idp.lines("prompt consent"), "oauth_refresh_tokens", allCookies))
	visitor := browser(t)
	visitor.open(site.url + "/congrats")
	visitor.signInAt(idp, "alice")
	before := visitor.isWelcome("alice")
	visitor.hasLiveWidget()
	quiet := idp.renewals()
	eventually(t, 30*time.Second, "another renewal while only a websocket is open", func() bool { return idp.renewals() > quiet })
	visitor.say("Still here")
	visitor.sees("Python heard: Still here")
	visitor.open(site.url + "/congrats")
	if after := visitor.isWelcome("alice"); after.AccessToken == before.AccessToken || !idp.accepts(after.AccessToken) {
		t.Errorf("Panel has the access token %q", after.AccessToken)
	}
}

// Many requests at once, on two instances, need one renewal between them when
// it is due, and none of them may use a refresh token that was used before.
func TestRenewalWithParallelRequests(t *testing.T) {
	t.Parallel()
	for name, lifetime := range map[string]int{"due": 65, "expired": 6} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ports := []int{freePort(t), freePort(t)}
			idp := shortLived(t, lifetime, ports...)
			storage, app := t.TempDir(), notPanel(t)
			lines := "panelauth {\n\tcookie_secret " + cookieSecret + "\n\toauth_refresh_tokens\n\t" + allCookies + "\n\t" +
				idp.lines("prompt consent") + "\n}\nreverse_proxy " + app.address
			one := serveOn(t, ports[0], "http", storage, lines)
			other := serveOn(t, ports[1], "http", storage, lines)
			visitor := browser(t)
			visitor.open(one.url + "/page")
			visitor.signInAt(idp, "alice")
			visitor.sees("not Panel")
			session := visitor.cookies()
			before := *tokenOf(t, app)
			renewals := idp.renewals()
			time.Sleep(time.Duration(lifetime%60+1) * time.Second)
			for range 3 {
				allAtOnce(t, session, one.url+"/page", other.url+"/page")
			}
			eventually(t, patience, "the application gets another access token", func() bool { // one that is due is renewed in the background
				visitor.open(one.url + "/page")
				visitor.sees("not Panel")
				return *tokenOf(t, app) != before
			})
			renewed := idp.renewals() - renewals
			if renewed == 0 || lifetime > 60 && renewed != 1 {
				t.Errorf("the tokens were renewed %d times", renewed)
			}
		})
	}
}

// allAtOnce sends many requests, none of which waits for another.
func allAtOnce(t *testing.T, session []*network.Cookie, pages ...string) {
	t.Helper()
	var all sync.WaitGroup
	for range 10 {
		for _, page := range pages {
			request := with(navigation(t, page), session)
			all.Go(func() {
				response, err := http.DefaultTransport.RoundTrip(request)
				if err != nil {
					t.Error(err)
					return
				}
				defer response.Body.Close()
				if response.StatusCode != http.StatusOK {
					t.Errorf("%s answers %d to one of many requests", page, response.StatusCode)
				}
			})
		}
	}
	all.Wait()
}

// tokenOf is the access token that the application got last.
func tokenOf(t *testing.T, app *recorder) *string {
	t.Helper()
	token := tornado(t, app.last(t).Header.Get("Cookie"), "access_token")["access_token"]
	if token == nil {
		t.Fatal("the application got no access token")
	}
	return token
}

// A provider that is away ends no session that is otherwise good.
func TestProviderIsDownWhenTokensExpire(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	idp := shortLived(t, 6, port)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), idp.lines("prompt consent"), "oauth_refresh_tokens"))
	visitor := browser(t)
	visitor.open(site.url + "/congrats")
	visitor.signInAt(idp, "alice")
	visitor.isWelcome("alice")
	visitor.leaves()
	idp.stop()
	time.Sleep(7 * time.Second)
	visitor.open(site.url + "/congrats")
	visitor.isWelcome("alice")
	visitor.hasLiveWidget()
	if !strings.Contains(site.output(), "tokens cannot be renewed") {
		t.Error("nothing was to be renewed, so this test proves less than it says")
	}
}

// leaves shows an empty page, whose browser asks for nothing.
func (v *visitor) leaves() {
	v.t.Helper()
	v.do("leaving", chromedp.Navigate("about:blank"))
}
