// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// What was found in Caddy itself, where it would have been this module's to
// notice.

func TestCVE_2022_28923_RedirectOfPath(t *testing.T) {
	s := serve(t, "master")
	for _, target := range []string{"//evil.com/..", "//evil.com/", `/\evil.com/`, "//evil.com%2f..", "/%2f%2fevil.com/", "//evil.com//", "///evil.com/login/", "//evil.com/login"} {
		if err := noRedirectAway(s.attackedWith(get(target).page())); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestCVE_2026_27586_MissingFile(t *testing.T) {
	for name, lines := range map[string]string{
		"basic_auth":           "basic_auth /nowhere/users.json",
		"basic_login_template": anyPassword + "basic_login_template /nowhere/login.html",
		"cookie_secret":        anyPassword + "cookie_secret {file./nowhere/secret}",
		"{env.NOT_SET_AT_ALL}": "basic_auth {env.NOT_SET_AT_ALL}",
	} {
		wantRefused(t, lines, name)
	}
}

func TestCVE_2026_27587_EscapesInGuestPath(t *testing.T) {
	wantClosed(t, serve(t, "guest"), "/%70ublic", "/%50UBLIC", "/PUBLIC", "/public%2Fws", "/public%2fws", "/publi%63", "/publi%43")
}

func TestCVE_2026_27588_HostInCapitals(t *testing.T) {
	s := serve(t, "master")
	for _, host := range []string{strings.ToUpper(s.host), strings.Replace(s.host, "app", "aPP", 1), strings.Replace(s.host, ".com:", ".com.:", 1)} {
		o := s.attackedWith(request{Raw: "GET /secret HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"})
		if err := untouched(o); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestCVE_2026_30851_HeaderWithoutClaim(t *testing.T) {
	wantOnlyOurs(t, "X-Forwarded-Groups", "X-Forwarded-Email", "X-Forwarded-User", "X-Auth-Request-Access-Token", "Remote-Groups")
}

func TestCVE_2026_30852_PlaceholderInValues(t *testing.T) {
	s := serve(t, "master")
	for _, name := range []string{"{env.COOKIE_SECRET}", "{file./etc/passwd}", "{http.request.header.Cookie}", "{{env.COOKIE_SECRET}}", "{$COOKIE_SECRET}"} {
		a := s.send(form("/login", url.Values{"username": {name}, "password": {master}, "next": {"/" + name}}))
		if location := a.location(); strings.Contains(location, cookieSecret) || strings.Contains(location, "root:") {
			t.Errorf("%s leads to %s", name, location)
		}
		wantLiteral(s, [2]string{s.sessionCookie(), a.cookie(s.sessionCookie())}, name)
	}
}

func TestCVE_2026_52844_BackslashInGuestPath(t *testing.T) {
	wantClosed(t, serve(t, "guest"), `/public\..\secret`, "/public%5c..%5csecret", "/static/%5c..%5c..%5csecret", `/static/\..\secret`, "/public/static/..%5c..%5csecret", "/static/..%20/secret", "/static/.%20./secret")
}

func TestCVE_2026_52845_UnderscoreAliases(t *testing.T) {
	wantOnlyOurs(t, "X_Forwarded_User", "X_Forwarded_Groups", "X_Webauth_User", "REMOTE_USER")
}

func TestGHSA_49wc_4hcv_v58q_DotAliases(t *testing.T) {
	wantOnlyOurs(t, "X.Forwarded.User", "X.Forwarded-Groups", "x.forwarded.email", "Remote.User")
}

// TestCaddy_7859_ManyAtOnce has no number of its own: answers of one request
// that reach another.
func TestCaddy_7859_ManyAtOnce(t *testing.T) {
	s := serve(t, "master")
	sessions := map[string][2]string{"alice": s.anybody("alice"), "mallory": s.anybody("mallory")}
	done := make(chan string, 64)
	for n := range 64 {
		user := []string{"alice", "mallory"}[n%2]
		go func() {
			a := s.send(get("/app?" + user).as(sessions[user]))
			if a.status != http.StatusOK {
				done <- user + " is not let in"
				return
			}
			done <- ""
		}()
	}
	for range 64 {
		if wrong := <-done; wrong != "" {
			t.Error(wrong)
		}
	}
	for _, r := range s.app.requests() {
		_, user, _ := strings.Cut(r.line, "?")
		user, _, _ = strings.Cut(user, " ")
		if err := onlyOurs(outcome{user: user, app: []received{r}}); err != nil {
			t.Errorf("%s: %v", user, err)
		}
	}
}
