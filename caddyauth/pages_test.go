// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/panelauth/caddy-panelauth/templates"
)

// TestPageHeaders: all of the module's own pages, and what goes with them.
func TestPageHeaders(t *testing.T) {
	s := newSite(t)
	tooMany := strings.Repeat(";", maxCookies)
	for name, a := range map[string]answer{
		"sign-in":       s.serve(get("/login", browser)),
		"failed":        s.serve(post("/login", credentialsForm("alice", "wrong"))),
		"signed out":    s.serve(get("/logout", browser)),
		"sign out?":     s.serve(get("/logout", browser, header("Sec-Fetch-Site", "cross-site"))),
		"form":          s.serve(request("POST", "/app", browser)),
		"bad request":   s.serve(get("/app", browser, cookieLine(tooMany))),
		"cross-origin":  s.serve(post("/login", nil, header("Sec-Fetch-Site", "cross-site"))),
		"no form":       s.serve(post("/login", nil, header("Content-Type", "text/plain"))),
		"other methods": s.serve(request("PUT", "/login", browser)),
	} {
		t.Run(name, func(t *testing.T) {
			a.t = t
			a.wantHeader("Content-Type", "text/html; charset=utf-8")
			a.wantHeader("Cache-Control", "no-store")
			a.wantHeader("X-Content-Type-Options", "nosniff")
			a.wantHeader("Referrer-Policy", "same-origin")
			a.wantHeader("Content-Security-Policy", s.pages.theme().Policy)
			a.wantHeader("Content-Length", strconv.Itoa(len(a.text)))
			if strings.Contains(a.text, "<script>") || strings.Contains(a.text, "javascript:") || strings.Contains(a.text, "://") {
				t.Errorf("the page loads something: %s", a.text)
			}
		})
	}
	for name, a := range map[string]answer{
		"unauthenticated": s.serve(get("/api", header("Accept", "application/json"))),
		"bad request":     s.serve(get("/api", header("Accept", "application/json"), cookieLine(tooMany))),
		"cross-origin":    s.serve(get("/ws", websocket, header("Accept", "application/json"), header("Origin", "https://evil.com"))),
		"other methods":   s.serve(request("PUT", "/login")),
	} {
		t.Run(name+", JSON", func(t *testing.T) {
			a.t = t
			a.wantHeader("Content-Type", "application/json")
			a.wantHeader("X-Content-Type-Options", "nosniff")
			if !strings.HasPrefix(a.text, `{"error":"`) {
				t.Errorf("says %s", a.text)
			}
		})
	}
}

// TestNothingIsEchoed: XS-001 to XS-020. What a request says is not on a page,
// escaped or not, but for the user name in its field and a safe next.
// (CVE-2023-52430, CVE-2024-21496, CVE-2026-33525, CVE-2026-30852.)
func TestNothingIsEchoed(t *testing.T) {
	s := newSite(t)
	const mark = "echo1234"
	for _, payload := range []string{"<script>" + mark + "</script>", `"><svg/onload=` + mark + `>`, "</title><script>" + mark + "</script>", "%3Cscript%3E" + mark, "`${" + mark + "}`", "{{" + mark + "}}", "{env." + mark + "}", mark} {
		escaped := url.QueryEscape(payload)
		for name, r := range map[string]*http.Request{
			"error":       get("/login?error="+escaped, browser),
			"description": get("/login?error_description="+escaped+"&state="+escaped+"&code="+escaped, browser),
			"unsafe next": get("/login?next="+url.QueryEscape("//"+payload), browser),
			"username":    get("/login?username="+escaped+"&message="+escaped, browser),
			"path":        get("/login/?x="+escaped, browser),
			"logout":      get("/logout?error="+escaped, browser),
			"Referer":     get("/login", browser, header("Referer", "javascript:alert("+mark+")//"+payload)),
			"foreign":     get("/login", browser, header("Referer", "https://evil.com/"+mark)),
			"cookie":      get("/login", browser, cookieLine("panelauth="+mark+"; user="+mark)),
			"User-Agent":  get("/login", browser, header("User-Agent", payload)),
			"language":    get("/login", browser, header("Accept-Language", payload)),
			"method":      request("X"+mark, "/login", browser),
			"form":        post("/login?error="+escaped, url.Values{"error": {payload}, "password": {payload}, "username": {"x"}}),
		} {
			a := s.serve(r)
			if strings.Contains(a.text, mark) {
				t.Errorf("%s: %s is on the page", name, payload)
			}
		}
	}
}

// TestCustomPages: no policy of ours but what is said in the docs, values
// always escaped, and a page that fails gives way.
func TestCustomPages(t *testing.T) {
	path := newFile(t, "login.html", `<p>{{ errormessage }}|{{ username }}|{{ next }}|{{ username|safe }}</p>`)
	s := newSite(t, func(h *Handler) { h.BasicLoginTemplate = path }, attemptsLimit(1000, 2*60e9))
	form := credentialsForm(`<b>"bob"`, "wrong")
	form.Set("next", `/app?a="b"<c>`)
	a := s.serve(post("/login", form))
	a.want(http.StatusUnauthorized)
	a.wantHeader("Content-Type", "text/html; charset=utf-8")
	a.wantHeader("X-Content-Type-Options", "nosniff")
	a.wantHeader("Referrer-Policy", "same-origin")
	a.wantHeader("Content-Security-Policy", "")
	if strings.Contains(a.text, "<b>") || strings.Contains(a.text, "<c>") || strings.Contains(a.text, `"b"`) {
		t.Errorf("values are not escaped: %s", a.text)
	}
	if text := html.UnescapeString(a.text); !strings.Contains(text, invalidPassword+`|<b>"bob"|/app?a="b"<c>|<b>"bob"`) {
		t.Errorf("the page says %s", text)
	}

	writeFile(t, path, "second {{ errormessage }}")
	s.pages.custom[templates.SignIn].refresh()
	s.serve(get("/login", browser)).wantBody("second")
	writeFile(t, path, "third {% if %}")
	s.pages.custom[templates.SignIn].refresh()
	s.serve(get("/login", browser)).wantBody("second")

	// A template that renders one thing and fails at another.
	writeFile(t, path, "{% if username == 'boom' %}{% for i in range(100000000) %}{{ i }}{% endfor %}{% endif %}fourth")
	s.pages.custom[templates.SignIn].refresh()
	s.serve(get("/login", browser)).wantBody("fourth")
	a = s.serve(post("/login", credentialsForm("boom", "wrong")))
	a.want(http.StatusUnauthorized)
	a.wantHeader("Content-Security-Policy", s.pages.theme().Policy)
	a.wantBody(invalidPassword, `name="password"`)
}

// TestCustomFormsFindTheirWay: wherever a sign-in page is shown, the form that
// Panel's own pages have posts to the login endpoint.
func TestCustomFormsFindTheirWay(t *testing.T) {
	s := newSite(t, func(h *Handler) { h.BasicLoginTemplate = newFile(t, "login.html", panelsPage) })
	nested := newSite(t, func(h *Handler) {
		h.BasicLoginTemplate = newFile(t, "login.html", panelsPage)
		h.LoginEndpoint = "/auth/login"
	})
	action := regexp.MustCompile(`action="([^"]*)"`)
	for _, test := range []struct {
		site   *site
		r      *http.Request
		status int
		want   string
	}{
		{s, get("/login", browser), 200, "/login"},
		{s, get("/login/", browser), 302, "/login"},
		{s, post("/login/", credentialsForm("x", "wrong")), 401, "/login"},
		{s, post("/login", credentialsForm("x", "wrong")), 401, "/login"},
		{s, request("POST", "/app", browser), 401, "/login"},
		{s, request("POST", "/app/", browser), 401, "/login"},
		{s, request("POST", "/a/b/c", browser), 401, "/login"},
		{nested, get("/auth/login", browser), 200, "/auth/login"},
		{nested, request("POST", "/app", browser), 401, "/auth/login"},
	} {
		t.Run(test.r.Method+" "+test.r.URL.Path, func(t *testing.T) {
			a := test.site.in(t).serve(test.r)
			a.want(test.status)
			if a.StatusCode == http.StatusFound { // to where the form is right
				test.r = get(a.Header.Get("Location"), browser)
				a = test.site.in(t).serve(test.r)
				a.want(http.StatusOK)
			}
			match := action.FindStringSubmatch(a.text)
			if match == nil {
				t.Fatalf("there is no form: %s", a.text)
			}
			to, err := test.r.URL.Parse(html.UnescapeString(match[1]))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSuffix(to.Path, "/"); got != test.want {
				t.Errorf("the form posts to %s (%s), not to %s", to.Path, match[1], test.want)
			}
		})
	}
}

// TestReferenceFindsItsLine: the number on a page is in the log.
func TestReferenceFindsItsLine(t *testing.T) {
	s := newSite(t)
	a := s.serve(post("/login", nil, header("Sec-Fetch-Site", "cross-site")))
	match := regexp.MustCompile(`<code>([0-9a-f]+)</code>`).FindStringSubmatch(a.text)
	if match == nil {
		t.Fatalf("there is no reference: %s", a.text)
	}
	for _, line := range s.logs.All() {
		if line.ContextMap()["reference"] == match[1] {
			return
		}
	}
	t.Errorf("%s is not in the log", match[1])
}
