// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http/httpguts"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
)

// FuzzAttempt: nothing is a sign-in that was begun here but what was sealed
// here, under the state that it was sealed for.
func FuzzAttempt(f *testing.F) {
	s := newSite(f)
	begun := begunSignIn{Attempt: provider.Attempt{State: "the-state", Provider: "oidc"}, Next: "/app"}
	w := httptest.NewRecorder()
	if err := s.keepBegun(w, get("/login"), begun, nil); err != nil {
		f.Fatal(err)
	}
	good := w.Result().Cookies()[0]
	f.Add("the-state", good.Name+"="+good.Value)
	f.Add("another", good.Name+"="+good.Value)
	f.Add("another", s.begunCookie(get("/login"), "another")+"="+good.Value)
	f.Add("the-state", good.Name+"=x; "+good.Name+"="+good.Value)
	f.Add("", "panelauth_state_=x")
	f.Fuzz(func(t *testing.T, state, line string) {
		got, ok := s.findBegun(get("/login"), state, cookies{line})
		if ok && (state != "the-state" || got.Attempt.State != state || got.Next != begun.Next) {
			t.Errorf("state %q with %q is a sign-in to %q", state, line, got.Next)
		}
	})
}

// FuzzSessionCookies: no Cookie header makes anybody but whom the session in it
// is of, in one cookie or in chunks.
func FuzzSessionCookies(f *testing.F) {
	stored, carried := newSite(f), newSite(f, stateless)
	for _, s := range []*site{stored, carried} {
		alice := s.signInAlice()
		name, value, _ := strings.Cut(alice, "=")
		half := len(value) / 2
		for _, line := range []string{
			alice, "__Host-" + alice, alice + "; " + alice, name + "=; " + alice, "=" + alice, strings.ToUpper(name) + "=" + value, name + `="` + value + `"`,
			name + "=" + value[:half] + "; " + name + "_1=" + value[half:], name + "_1=" + value[half:] + "; " + name + "=" + value[:half],
			name + "_0=" + value, name + "_4=x; " + alice, name + "=" + value[1:], name,
		} {
			f.Add(line)
		}
	}
	f.Fuzz(func(t *testing.T, line string) {
		if !httpguts.ValidHeaderFieldValue(line) {
			return // the server refuses it
		}
		for _, s := range []*site{stored, carried} {
			if a := s.in(t).serve(get("/app", cookieLine(textproto.TrimString(line)))); a.reached && a.user != testUser {
				t.Errorf("%q is a session of %q", line, a.user)
			}
		}
	})
}

// FuzzAuthorization: Basic credentials are read in one way only, and none that
// an application would read are taken for its own affair.
func FuzzAuthorization(f *testing.F) {
	s := newSite(f, basicHeader)
	for _, line := range []string{
		"Basic YWxpY2U6cHc=", "basic YWxpY2U6cHc=", "BASIC\tYWxpY2U6cHc=", "Basic  YWxpY2U6cHc= ", "Basic YWxpY2U6cHc", "Basic YWxpY2U6cHd=", "Basic", "Basic Og==",
		"BAsiC A006\n", "Bearer x", "bearer panelauth_ABC", "Digest x", "", " ", "Basic /zpi", "Basic YTpi, Basic YTpi",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		kind, value := s.schemeOf(line)
		r := &http.Request{Header: http.Header{"Authorization": {line}}}
		if _, _, ok := r.BasicAuth(); ok && kind != basicScheme {
			t.Errorf("%q is %q, and has Basic credentials for others", line, kind)
		}
		if kind != basicScheme {
			return
		}
		user, password, ok := decodeBasic(value)
		if ok && base64.StdEncoding.EncodeToString([]byte(user+":"+password)) != value {
			t.Errorf("%q is read as %q with %q", line, user, password)
		}
		if ok && strings.Contains(user, ":") {
			t.Errorf("%q is of %q", line, user)
		}
	})
}

// FuzzAdminSession: the admin API ends no session but the one that is named.
func FuzzAdminSession(f *testing.F) {
	s := newSite(f)
	alice := s.signInAlice()
	id := listOf(f)[0]["id"].(string)
	for _, name := range []string{id[1:], id + "/", "/" + id, strings.ToUpper(id), id + ".tokens", "../" + id, "*", "", "..", "%2e%2e/" + id, id + "\x00"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if name == id {
			return
		}
		r := httptest.NewRequest(http.MethodDelete, sessionsPath+"/x", nil)
		r.URL = &url.URL{Path: sessionsPath + "/" + name}
		err := adminRoutes{}.serveSession(httptest.NewRecorder(), r)
		if err == nil || !s.in(t).isSignedIn(alice) {
			t.Errorf("%q ended the session %s", name, id)
		}
	})
}

// FuzzIdentityHeaders: what any server could fold into an identity header is
// taken out, nothing else is, and no token makes a proxy drop a header.
func FuzzIdentityHeaders(f *testing.F) {
	s := newSite(f, func(h *Handler) {
		h.IdentityHeaders = map[string]string{"X-Forwarded-User": "user", "X_Groups": "groups"}
	})
	for _, name := range []string{"Remote-User", "remote_user", "Remote.User", "Remote--User", "X-Forwarded-User", "X-Groups", "X-Group", "Remote User", "RemoteUser", "X~Groups"} {
		f.Add(name, "close, "+name)
	}
	f.Add("X-Other", "keep-alive, Cookie, TE,upgrade")
	managed := []string{"REMOTE_USER", "REMOTE_NAME", "REMOTE_EMAIL", "REMOTE_GROUPS", "X_FORWARDED_USER", "X_GROUPS"}
	asCGI := func(c rune) rune {
		if 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' {
			return c
		}
		return '_'
	}
	f.Fuzz(func(t *testing.T, name, connection string) {
		name = textproto.CanonicalMIMEHeaderKey(name)
		if !httpguts.ValidHeaderFieldName(name) || slices.Contains([]string{"Connection", "Upgrade", "Http2-Settings", "Trailer"}, name) {
			return
		}
		r := &http.Request{Header: http.Header{name: {"x"}, "Connection": {connection}}}
		s.stripIdentity(r)
		is := slices.Contains(managed, strings.Map(asCGI, strings.ToUpper(name)))
		if got := r.Header[name] != nil; got == is {
			t.Errorf("%q is there: %t", name, got)
		}
		for token := range strings.SplitSeq(r.Header.Get("Connection"), ",") {
			if !slices.Contains([]string{"", "close", "keep-alive", "te", "upgrade"}, strings.ToLower(strings.TrimSpace(token))) {
				t.Errorf("%q keeps the token %q", connection, token)
			}
		}
	})
}

// FuzzWebsocketOrigin: only an origin of this very host opens a websocket.
func FuzzWebsocketOrigin(f *testing.F) {
	s := newSite(f)
	for _, origin := range []string{
		"https://" + testHost, "http://" + testHost + ":80", "https://" + testHost + ":443", "HTTPS://APP.EXAMPLE.COM", "https://" + testHost + ".evil.com", "https://evil.com", "null", "",
		"https://evil.com@" + testHost, "https://" + testHost + "@evil.com", "https://" + testHost + "/", "//" + testHost, "file://" + testHost, "https://" + testHost + ":8443", "https://" + testHost + "#x",
	} {
		f.Add(origin)
	}
	own := []string{"http://" + testHost, "http://" + testHost + ":80", "https://" + testHost, "https://" + testHost + ":443"}
	f.Fuzz(func(t *testing.T, origin string) {
		r := get("/ws", websocket)
		r.Header["Origin"] = []string{origin}
		if s.mayOpenWebsocket(r) && !slices.ContainsFunc(own, func(o string) bool { return strings.EqualFold(o, origin) }) {
			t.Errorf("a page of %q may open a websocket", origin)
		}
	})
}

// FuzzReferer: wherever somebody comes from, sign-in leads to a page here.
func FuzzReferer(f *testing.F) {
	s := newSite(f)
	for _, referer := range []string{
		"https://" + testHost + "/app?x=1", "https://" + testHost + "//evil.com", "https://" + testHost + "/login?next=//evil.com", "https://" + testHost + "/login?next=%2Fapp",
		"https://" + testHost + `/\evil.com`, "https://evil.com/", "https://" + testHost + "/%5cevil.com", "https://" + testHost, "https://x@" + testHost + "/..//evil.com",
	} {
		f.Add(referer)
	}
	f.Fuzz(func(t *testing.T, referer string) {
		r := prepared(get("/login"))
		r.Header["Referer"] = []string{referer}
		next := s.nextOf(r, "", nil)
		wantOnSite(t, referer, next)
		if s.isOwnEndpoint(r, next) {
			t.Errorf("from %q to %q", referer, next)
		}
	})
}

// FuzzAnswer: whatever comes back from a provider's page, nobody is signed in
// but by the code that the provider gave for this browser's sign-in.
func FuzzAnswer(f *testing.F) {
	p := newOpenID(f)
	s := newSite(f, signInWith(p))
	v := s.newVisitor("")
	answer := v.answerOf(v.begin("/login"))
	_, good, _ := strings.Cut(answer, "?")
	state := stateIn(answer)
	for _, query := range []string{"code=x&state=" + state, "state=" + state + "&error=access_denied", "code=x&code=y&state=" + state, "code=&state=", "code=x;state=" + state, "%63ode=x&state=" + state, "iss=https://evil.com&code=x&state=" + state} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if query == good || strings.ContainsAny(query, "# \r\n") || parsed("/login?"+query) == nil {
			return
		}
		v := s.in(t).newVisitor("")
		if a := v.comeBack("/login?" + query); a.reached || v.hasSession() {
			t.Errorf("%q signs in", query)
		}
	})
}
