// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// framed makes a request one of a browser for a frame on another site's page.
func framed(r *http.Request) {
	browser(r)
	r.Header.Set("Sec-Fetch-Dest", "iframe")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
}

func frontChannelURL(iss, sid string) string {
	return "/logout/frontchannel?" + url.Values{"iss": {iss}, "sid": {sid}}.Encode()
}

// frontChannel loads the frame that a provider's page has, without cookies.
func (s *site) frontChannel(iss, sid string, options ...func(*http.Request)) answer {
	s.t.Helper()
	return s.serve(get(frontChannelURL(iss, sid), append([]func(*http.Request){framed, overTLS}, options...)...))
}

func TestFrontChannel(t *testing.T) {
	for mode, options := range modes {
		t.Run(mode, func(t *testing.T) {
			p := newOpenID(t)
			s := newSite(t, append(options, signInWith(p))...)
			v := s.signedInAt("oidc")
			sid := providertest.SIDOf("1001")
			wrong := s.frontChannel("https://other.example.com", sid)
			wrong.want(http.StatusOK)
			s.frontChannel(p.URL, "another").want(http.StatusOK)
			s.frontChannel(p.URL, strings.ToUpper(sid)).want(http.StatusOK)
			if !v.isIn() {
				t.Fatal("the session is over")
			}
			a := s.frontChannel(p.URL, sid)
			a.want(http.StatusOK)
			if v.isIn() {
				t.Error("the session goes on")
			}
			if a.text != wrong.text || a.Header.Get("Content-Length") != wrong.Header.Get("Content-Length") {
				t.Error("the answer tells that there was such a session")
			}
			a.wantHeader("X-Frame-Options", "")
			a.wantHeader("Content-Security-Policy", "default-src 'none'; frame-ancestors 'self' "+p.URL)
		})
	}
}

func TestFrontChannelRequests(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	v := s.signedInAt("oidc")
	iss, sid := "iss="+url.QueryEscape(p.URL), "sid="+providertest.SIDOf("1001")
	for name, query := range map[string]string{
		"nothing":  "",
		"sid only": "?" + sid,
		"iss only": "?" + iss,
		"no sid":   "?" + iss + "&sid=",
		"no iss":   "?iss=&" + sid,
		"two sids": "?" + iss + "&" + sid + "&sid=x",
		"too long": "?" + iss + "&sid=" + strings.Repeat("x", 600),
	} {
		t.Run(name, func(t *testing.T) {
			s.in(t).serve(get("/logout/frontchannel"+query, framed, overTLS)).wantRefusedHere(http.StatusBadRequest)
		})
	}
	for _, method := range []string{"POST", "HEAD", "PUT"} {
		a := s.serve(request(method, frontChannelURL(p.URL, providertest.SIDOf("1001"))))
		a.wantRefusedHere(http.StatusMethodNotAllowed)
		a.wantHeader("Allow", "GET")
	}
	if !v.isIn() {
		t.Error("the session is over")
	}
}

// TestFrontChannelOwnCookie: with sessions in cookies, a browser that does send
// its cookie along ends a session that this instance has not met.
func TestFrontChannelOwnCookie(t *testing.T) {
	p := newOpenID(t)
	there := newSiteIn(t, newFlakyStorage(t), signInWith(p), stateless)
	v := there.signedInAt("oidc")
	here := newSiteIn(t, newFlakyStorage(t), signInWith(p), stateless)
	w := v.at(here, testHost)
	w.open(frontChannelURL(p.URL, providertest.SIDOf("1001")), framed).want(http.StatusOK)
	if w.isIn() {
		t.Error("the session goes on")
	}
}

// TestFrontChannelOfAnotherWay: an account here that says it is of that issuer
// is not the provider's to end.
func TestFrontChannelOfAnotherWay(t *testing.T) {
	p, v, other := newTwoClients(t)
	other.frontChannel(p.URL, providertest.SIDOf("1001")).want(http.StatusOK)
	if !v.isIn() {
		t.Error("the session of another client is over")
	}
}
