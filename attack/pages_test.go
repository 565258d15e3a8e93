// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// payloads are what somebody would like a page to run.
var payloads = []string{
	"<script>alert(1)</script>", `"><svg/onload=alert(1)>`, "</title><script>alert(1)</script>", "<img src=x onerror=alert(1)>",
	"%3Cscript%3Ealert(1)%3C/script%3E", "`${alert(1)}`", "{{7*7}}{{alert(1)}}", "{env.HOME}alert(1)", "javascript:alert(1)", "' onfocus=alert(1) autofocus='",
	"\u2028<script>alert(1)</script>", "<!--<script>alert(1)", "]]><script>alert(1)</script>", "&lt;script&gt;alert(1)", "+ADw-script+AD4-alert(1)", "\x00<script>alert(1)</script>",
}

var pageScenes = map[string]scene{
	"XS-020": func(s *site, _ attack) {
		for _, payload := range payloads {
			for _, next := range []string{payload, "/" + payload, "/app?x=" + payload} {
				a := s.send(get("/login?next=" + url.QueryEscape(next)).page())
				if err := errors.Join(noMarkup(a), goodHeaders(outcome{answer: a}), staysHere(outcome{base: s.base(), answer: a})); err != nil {
					s.t.Errorf("%q: %v", next, err)
				}
			}
		}
	},
	"XS-026": func(s *site, _ attack) {
		for _, payload := range payloads {
			p := url.QueryEscape(payload)
			for _, target := range []string{"/login?code=x&state=" + p, "/login?error=" + p + "&error_description=" + p + "&state=" + p, "/login?code=" + p + "&iss=" + p} {
				a := s.send(get(target).page())
				if err := notShown(outcome{answer: a}); err != nil {
					s.t.Errorf("%s: %v", target, err)
				}
			}
		}
	},
	"XS-042": func(s *site, _ attack) {
		for _, payload := range payloads[:4] {
			flow := s.begin("/login")
			params := flow.visit("alice")
			claims := func(c map[string]any) { c["name"], c["picture"], c["preferred_username"] = payload, payload, payload }
			s.turn(func(k *providertest.Knobs) { k.IDToken, k.UserInfo = claims, claims })
			session := [2]string{s.sessionCookie(), flow.back(params).cookie(s.sessionCookie())}
			for _, q := range []request{
				get("/logout?everywhere=1"), get("/logout", [2]string{"Sec-Fetch-Site", "cross-site"}), get("/login/token"), get("/logout/frontchannel"), {Method: "PUT", Path: "/login"},
			} {
				a := s.send(q.page().as(session))
				if err := errors.Join(noMarkup(a), noText(a)); err != nil && a.body != theApplication {
					s.t.Errorf("%s: %v", q.Path, err)
				}
			}
		}
	},
	"XS-044": func(s *site, _ attack) {
		for _, payload := range payloads {
			a := s.send(form("/login", url.Values{"username": {payload}, "password": {"wrong"}, "next": {payload}}).page())
			link, _, _ := strings.Cut(a.body, "<form")
			if a.status != http.StatusUnauthorized || noMarkup(a) != nil || strings.Contains(link, `"`+payload) {
				s.t.Errorf("%q: %d, %v\n%s", payload, a.status, noMarkup(a), a.body)
			}
			if err := staysHere(outcome{base: s.base(), answer: s.send(get("/login?next=" + url.QueryEscape(payload)).page())}); err != nil {
				s.t.Errorf("%q: %v", payload, err)
			}
		}
	},
	"XS-048": func(s *site, _ attack) {
		// It would write without end; our own page stands in, whole.
		a := s.send(form("/login", url.Values{"username": {"boom"}, "password": {"wrong"}}).page())
		if a.status != http.StatusUnauthorized || !strings.Contains(a.body, `name="password"`) || !strings.HasSuffix(strings.TrimSpace(a.body), "</html>") {
			s.t.Errorf("the answer is %d:\n%s", a.status, a.body)
		}
		if err := goodHeaders(outcome{answer: a}); err != nil {
			s.t.Error(err)
		}
		for _, text := range []string{"{{ next", "{% if %}", "{{ next|nothing }}", "{% for x in y %}"} {
			s.write("broken.html", text)
			wantRefused(s.t, "basic_auth \""+master+"\"\nbasic_login_template "+s.dir+"/broken.html", "basic_login_template")
		}
	},
	"CS-053": everyPage, "CS-054": everyPage,
}

// ownPage is a way to get a page, or an answer, of the module's own.
type ownPage struct {
	q      request
	status int
}

// ownPages are all of them, with somebody's session and without.
func ownPages(s *site, session [2]string) map[string]ownPage {
	crossSite := [2]string{"Sec-Fetch-Site", "cross-site"}
	asPage := [2]string{"Accept", "text/html"}
	put := request{Method: "PUT", Path: "/login"}
	pages := map[string]ownPage{
		"sign-in":                   {get("/login").page(), 200},
		"sign-in, with a slash":     {get("/login/").page(), 200},
		"sign-in, for a program":    {get("/login"), 200},
		"sign-in, HEAD":             {request{Method: "HEAD", Path: "/login"}, 200},
		"sign-in after a form":      {request{Method: "POST", Path: "/app", Headers: [][2]string{asPage}}, 401},
		"a page without session":    {get("/app").page(), 302},
		"a page with a bad cookie":  {get("/app").page().as([2]string{session[0], "bad"}), 302},
		"a program without session": {get("/app", [2]string{"Accept", "application/json"}), 401},
		"a websocket without":       {opening("/app/ws"), 401},
		"a wrong password":          {form("/login", url.Values{"username": {"x"}, "password": {"y"}}), 401},
		"a wrong password, JSON":    {form("/login", url.Values{"username": {"x"}, "password": {"y"}}).with("Accept", "application/json"), 401},
		"a right password":          {signingInAsAnybody(), 303},
		"a form of another site":    {form("/login", nil).with(crossSite[0], crossSite[1]), 403},
		"no form":                   {request{Method: "POST", Path: "/login"}, 415},
		"a form that is too long":   {form("/login", url.Values{"x": {strings.Repeat("x", 70<<10)}}), 413},
		"another method":            {put, 405},
		"another method, page":      {put.with(asPage[0], asPage[1]), 405},
		"too many cookies":          {get("/app", [2]string{"Cookie", strings.Repeat(";", 3001)}).page(), 400},
		"another site's websocket":  {opening("/app/ws").with("Origin", "https://evil.com").as(session), 403},
		"signing out, asked":        {get("/logout", crossSite).page().as(session), 200},
		"signing out, other site":   {form("/logout", nil).with(crossSite[0], crossSite[1]).page().as(session), 403},
		"signing out everywhere":    {get("/logout?everywhere=1").page().as(session), 200},
		"signing out, HEAD":         {request{Method: "HEAD", Path: "/logout"}, 200},
		"signing out, other method": {request{Method: "DELETE", Path: "/logout"}, 405},
		"signed out":                {get("/logout").page(), 200},
	}
	if s.provider == nil {
		return pages
	}
	pages["a choice"] = pages["sign-in"]
	pages["to a provider"] = ownPage{get("/login?provider=one").page(), 302}
	pages["a foreign answer"] = ownPage{get("/login?code=x&state=y").page(), 401}
	pages["a foreign answer, JSON"] = ownPage{get("/login?code=x&state=y", [2]string{"Sec-Fetch-Mode", "cors"}), 401}
	pages["a foreign error"] = ownPage{get("/login?error=access_denied&state=y").page(), 401}
	pages["front-channel logout, wrong"] = ownPage{get("/logout/frontchannel?sid=x").page(), 400}
	pages["back-channel logout, wrong"] = ownPage{form("/logout/backchannel", nil).with("Accept", "text/html"), 400}
	return pages
}

// opening is the request for a websocket.
func opening(path string) request {
	return get(path, [2]string{"Connection", "Upgrade"}, [2]string{"Upgrade", "websocket"}, [2]string{"Sec-WebSocket-Version", "13"}, [2]string{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="})
}

// everyPage looks at the headers of all answers of the module's own.
func everyPage(s *site, _ attack) {
	for name, page := range ownPages(s, s.anybody("alice")) {
		wantOwn(s, name, page)
	}
}

func wantOwn(s *site, name string, page ownPage) {
	s.t.Helper()
	o := s.attackedWith(page.q)
	if o.answer.status != page.status {
		s.t.Errorf("%s: the answer is %d, wanted %d", name, o.answer.status, page.status)
	}
	if o.answer.header.Get("Cache-Control") == "" {
		s.t.Errorf("%s: it may be kept", name)
	}
	if err := errors.Join(untouched(o), goodHeaders(o), noMarkup(o.answer)); err != nil {
		s.t.Errorf("%s: %v", name, err)
	}
}

// TestHeadersOfPages: every page of every profile, over HTTP and HTTPS.
func TestHeadersOfPages(t *testing.T) {
	for name, change := range map[string][]func(*site, *profile){"HTTP": nil, "HTTPS": {overTLS}} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, "every way", change...)
			session := s.begin("/login").finish("alice")
			for name, page := range ownPages(s, session) {
				t.Run(name, func(t *testing.T) {
					if page.status == 303 {
						session := s.in(t).begin("/login").finish("alice")
						page.q = page.q.as(session) // and it replaces the one before
					}
					wantOwn(s.in(t), name, page)
				})
			}
		})
	}
	t.Run("limited", func(t *testing.T) {
		s := serve(t, "limited")
		wrong := form("/login", url.Values{"username": {"x"}, "password": {"y"}})
		for range 5 {
			s.send(wrong)
		}
		wantOwn(s, "too many attempts", ownPage{wrong.page(), 429})
		wantOwn(s, "too many attempts, JSON", ownPage{wrong.with("Accept", "application/json"), 429})
	})
	t.Run("provider away", func(t *testing.T) {
		s := serve(t, "oidc")
		s.provider.Fault(providertest.Discovery, providertest.Unavailable())
		away := serveBeside(s, providerLines("oidc", s.provider))
		wantOwn(away, "the provider is away", ownPage{get("/login").page(), 503})
		wantOwn(away, "a form that nobody has", ownPage{form("/login", nil).page(), 405})
	})
	t.Run("strict", func(t *testing.T) {
		s := serve(t, "oidc", beside("cookie_same_site strict"))
		flow := s.begin("/login?next=%2Fapp")
		a := flow.back(flow.visit("alice"))
		if a.status != http.StatusOK || a.header.Get("Refresh") == "" {
			t.Fatalf("the page that leads on: %d", a.status)
		}
		if err := goodHeaders(outcome{answer: a}); err != nil {
			t.Error(err)
		}
	})
}

// TestCustomPageHeaders: what a page of the operator's loads is the operator's
// choice; that it is not kept, not taken for something else, and does not tell
// where somebody was is not.
func TestCustomPageHeaders(t *testing.T) {
	s := serve(t, "templates")
	for name, q := range map[string]request{
		"sign-in": get("/login").page(), "a wrong password": form("/login", url.Values{"username": {"x"}, "password": {"y"}}).page(),
	} {
		a := s.send(q)
		for header, value := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Content-Type": "text/html; charset=utf-8",
			"Content-Security-Policy": "",
		} {
			if got := a.header.Get(header); got != value {
				t.Errorf("%s: %s is %q", name, header, got)
			}
		}
		if !strings.Contains(a.body, "<a href=") {
			t.Errorf("%s is not the custom page: %s", name, fmt.Sprint(a.status, a.body))
		}
	}
}
