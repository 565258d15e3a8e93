// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Who signs out at the provider loses the dashboard that is open in another
// tab, and has to sign in for the next.
func TestBackChannelLogout(t *testing.T) {
	port := freePort(t)
	idp := newOpenID(t, port)
	for i := range idp.settings.Clients {
		idp.settings.Clients[i].BackChannel = fmt.Sprintf("http://localhost:%d/logout/backchannel", port)
		idp.settings.Clients[i].BackChannelSession = true
	}
	idp.run(t)
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), idp.lines(), "oauth_refresh_tokens"))
	visitor := browser(t)
	visitor.watchesWebsockets()
	visitor.open(site.url + "/congrats")
	visitor.signInAt(idp, "alice")
	visitor.isWelcome("alice")
	visitor.hasLiveWidget()
	session := visitor.cookies()

	tab := visitor.inAnotherTab()
	tab.open(idp.url + "/session/end")
	tab.logsOutAt(idp)
	visitor.losesTheWebsocket()
	isOver(t, site.url+"/congrats", session)
	visitor.open(site.url + "/congrats")
	visitor.isAskedBy(idp)
}

// endsAtKeycloak has alice, who is signed in at the site, lose her session for
// what happens at Keycloak.
func endsAtKeycloak(t *testing.T, idp *keycloakServer, site *caddyServer) {
	for name, test := range map[string]struct {
		frontChannel bool
		end          func(v *visitor)
	}{
		"back-channel, she signs out there": {false, func(v *visitor) { v.logsOutAtKeycloak(idp) }},
		"back-channel, an administrator":    {false, func(*visitor) { idp.endSessionsOf("alice") }},
		"front-channel, she signs out there": {true, func(v *visitor) {
			v.logsOutAtKeycloak(idp)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			idp.tellsBy(test.frontChannel, site.url)
			visitor := browser(t)
			visitor.watchesWebsockets()
			visitor.open(site.url + "/congrats")
			visitor.signsInAtKeycloak(idp)
			visitor.knownFromKeycloak()
			visitor.hasLiveWidget()
			session := visitor.cookies()
			test.end(visitor.inAnotherTab())
			visitor.losesTheWebsocket()
			isOver(t, site.url+"/congrats", session)
			visitor.open(site.url + "/congrats")
			visitor.isAt(idp.issuer())
			visitor.seesForm()
		})
	}
}

// tellsBy has Keycloak tell the site of logouts, by one channel.
func (k *keycloakServer) tellsBy(frontChannel bool, site string) {
	k.t.Helper()
	var clients []map[string]any
	k.administrate(http.MethodGet, "clients?clientId="+clientBasic, nil, &clients)
	if len(clients) != 1 {
		k.t.Fatalf("Keycloak has %d clients of that name", len(clients))
	}
	client := clients[0]
	client["frontchannelLogout"] = frontChannel
	attributes, _ := client["attributes"].(map[string]any)
	for _, channel := range []string{"backchannel", "frontchannel"} {
		attributes[channel+".logout.url"] = site + "/logout/" + channel
		attributes[channel+".logout.session.required"] = "true"
	}
	k.administrate(http.MethodPut, fmt.Sprint("clients/", client["id"]), client, nil)
}

// endSessionsOf ends all sessions of a user, as the button does that Keycloak's
// administrators have.
func (k *keycloakServer) endSessionsOf(user string) {
	k.t.Helper()
	var users []struct{ ID string }
	k.administrate(http.MethodGet, "users?exact=true&username="+user, nil, &users)
	if len(users) != 1 {
		k.t.Fatalf("Keycloak has %d users of that name", len(users))
	}
	k.administrate(http.MethodPost, "users/"+users[0].ID+"/logout", nil, nil)
}

func (v *visitor) logsOutAtKeycloak(k *keycloakServer) {
	v.t.Helper()
	v.open(k.issuer() + "/protocol/openid-connect/logout")
	v.leavingThePage(func() { v.do("confirming", chromedp.Click(chromedp.CSS(`#kc-logout`))) })
}

// inAnotherTab is the same visitor, in another tab of the browser.
func (v *visitor) inAnotherTab() *visitor {
	v.t.Helper()
	tab, stop := chromedp.NewContext(v.tab)
	v.t.Cleanup(stop)
	if err := chromedp.Do(tab); err != nil {
		v.t.Fatalf("opening another tab: %v", err)
	}
	return &visitor{t: v.t, tab: tab}
}

// watchesWebsockets notes how the first websocket of each page that comes is
// closed. Panel tries to open others then.
func (v *visitor) watchesWebsockets() {
	v.t.Helper()
	const script = `window.WebSocket = class extends WebSocket {
		constructor(...args) {
			super(...args);
			this.addEventListener("close", event => { window.closedWith ??= event.code + " " + event.reason; });
		}
	};`
	_, err := chromedp.Call(v.tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	if err != nil {
		v.t.Fatalf("watching websockets: %v", err)
	}
}

// losesTheWebsocket waits for the dashboard to be told that its session ended.
func (v *visitor) losesTheWebsocket() {
	v.t.Helper()
	v.eventually("the websocket is closed", `window.closedWith === "4401 session ended"`)
}
