// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The scripts of the page get its access token; those of other sites do not,
// nor do those of another port, which cookies know no difference to.
func TestTokenEndpoint(t *testing.T) {
	port := freePort(t)
	idp := openID(t, port)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), idp.lines(), "token_endpoint", allCookies))
	visitor := browser(t)
	visitor.open(site.url + "/congrats")
	visitor.signInAt(idp, "alice")
	known := visitor.isWelcome("alice")
	if got := visitor.fetches("/login/token"); got != known.AccessToken {
		t.Errorf("the page gets %q, want %q", got, known.AccessToken)
	}

	stranger := "http://" + notPanel(t).address
	neighbour := strings.Replace(stranger, "127.0.0.1", "localhost", 1)
	for _, elsewhere := range []string{neighbour, stranger} {
		visitor.open(elsewhere + "/")
		if got := visitor.fetches(site.url + "/login/token"); got != "refused" {
			t.Errorf("a script at %s gets %q", elsewhere, got)
		}
	}
	for _, from := range []string{"same-site", "cross-site", "none"} {
		request := with(navigation(t, site.url+"/login/token"), visitor.cookies())
		request.Header.Set("Sec-Fetch-Site", from)
		if status := answer(t, request).StatusCode; status != http.StatusForbidden {
			t.Errorf("a request that is %s gets %d, want 403", from, status)
		}
	}
}

func TestTokenEndpointIsOff(t *testing.T) {
	port := freePort(t)
	idp := openID(t, port)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), idp.lines()))
	visitor := browser(t)
	visitor.open(site.url + "/congrats")
	visitor.signInAt(idp, "alice")
	visitor.isWelcome("alice")
	if got := visitor.fetches("/login/token"); got != "refused" {
		t.Errorf("the page gets %q", got)
	}
}

// fetches is the access token that a script of the page gets from an address.
func (v *visitor) fetches(address string) string {
	v.t.Helper()
	v.do("fetching", chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`
		window.fetched = undefined;
		fetch(%q, { credentials: "include" })
			.then(answer => answer.json())
			.then(answer => { window.fetched = answer.access_token ?? "refused" })
			.catch(() => { window.fetched = "refused" });`, address)))
	v.eventually("an answer to a script", `window.fetched !== undefined`)
	fetched, err := ask[string](v, `window.fetched`)
	if err != nil {
		v.t.Fatal(err)
	}
	return fetched
}
