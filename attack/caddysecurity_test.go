// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// What was found in caddy-security and go-authcrunch, by Trail of Bits in 2023
// and after that.

func TestCVE_2023_52430_PathOnAPage(t *testing.T) {
	s := serve(t, "master")
	for _, target := range []string{
		"/admin%22%3E%3Cscript%3Ealert(document.domain)%3C/script%3E/admin/login", "/settings/mfa/delete/%3Cimg%20src=x%20onerror=alert(1)%3E",
		"/login/%3Cscript%3Ealert(1)%3C/script%3E", "/logout/%3Cscript%3Ealert(1)%3C/script%3E",
	} {
		for _, method := range []string{"GET", "POST", "PUT"} {
			a := s.send(request{Method: method, Path: target}.page())
			if err := errors.Join(noMarkup(a), goodHeaders(outcome{answer: a})); err != nil {
				t.Errorf("%s %s: %v", method, target, err)
			}
		}
	}
}

func TestCVE_2024_21492_SessionAfterLogout(t *testing.T) {
	for _, profile := range []string{"master", "stateless", "oidc"} {
		s := serve(t, profile)
		session := s.anybody("alice")
		s.send(form("/logout", nil).as(session))
		if err := noSession(s.attackedWith(get("/app").as(session))); err != nil {
			t.Errorf("%s: %v", profile, err)
		}
	}
}

func TestCVE_2024_21493_PanicOnEmptyArguments(t *testing.T) {
	for _, word := range []string{"basic_auth", "oauth_provider", "cookie_secret", "oauth_guest_endpoints", "identity_headers", "login_attempts", "session_store", "panel_cookies", "login_endpoint", "oauth_extra_params", "remember_me"} {
		for _, arguments := range []string{"", `""`, "{\n}", `{`, `"" ""`, "`\x00`"} {
			err := recovered(func() error {
				_, err := tryToAdapt(word + " " + arguments)
				return err
			})
			if errors.Is(err, errPanicked) {
				t.Errorf("%s %s: %v", word, arguments, err)
			}
		}
	}
}

func TestCVE_2024_21494_AddressInHeader(t *testing.T) {
	s := serve(t, "limited")
	refused := 0
	for _, header := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP", "X-Cluster-Client-IP", "X-Forwarded"} {
		a := s.send(form("/login", url.Values{"username": {"alice"}, "password": {"wrong"}}).with(header, "1.3.3."+header[:1]))
		if a.status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 3 {
		t.Errorf("of 8 attempts 3 were to be refused, not %d", refused)
	}
	if strings.Contains(s.logs(), "1.3.3.") {
		t.Error("the log believes a header")
	}
}

func TestCVE_2024_21495_Randomness(t *testing.T) {
	s := serve(t, "oidc")
	seen := map[string]bool{}
	for range 50 {
		q := s.begin("/login").params()
		for _, value := range []string{q.Get("state"), q.Get("nonce"), q.Get("code_challenge")} {
			if len(value) < 22 || seen[value[:11]] {
				t.Errorf("%q was there before", value)
			}
			seen[value[:11]] = true
		}
	}
}

func TestCVE_2024_21496_RefererOnAPage(t *testing.T) {
	s := serve(t, "master")
	for _, referer := range []string{"javascript:alert(document.domain)//X", "data:text/html,<script>alert(1)</script>", "https://evil.com/<script>alert(1)</script>"} {
		for _, q := range []request{get("/login"), form("/login", url.Values{"username": {"x"}}), {Method: "POST", Path: "/app"}, get("/logout?everywhere=1")} {
			a := s.send(q.with("Referer", referer).page())
			if err := errors.Join(noMarkup(a), noText(a), staysHere(outcome{base: s.base(), answer: a})); err != nil {
				t.Errorf("%s at %s: %v", referer, q.Path, err)
			}
		}
	}
}

func TestCVE_2024_21497_RedirectElsewhere(t *testing.T) {
	s := serve(t, "stateless")
	for point := range injectionPoints {
		for _, next := range []string{"https://evil.com", "//evil.com", `/\evil.com`, "https:evil.com"} {
			through(s, point, next)
		}
	}
}

func TestCVE_2024_21498_ForwardedHost(t *testing.T) {
	s := serve(t, "any host")
	usual := s.begin("/login").params().Get("redirect_uri")
	a := s.send(get("/login").page().with("X-Forwarded-Host", "evil.com").with("X-Host", "evil.com").with("Forwarded", "host=evil.com"))
	u, err := url.Parse(a.location())
	if err != nil || u.Query().Get("redirect_uri") != usual || strings.Contains(a.location(), "evil") {
		t.Errorf("it leads to %q", a.location())
	}
}

func TestCVE_2024_21499_ForwardedProto(t *testing.T) {
	s := serve(t, "oidc")
	for _, proto := range []string{"https", "evil_protocol", "javascript"} {
		a := s.send(get("/login").page().with("X-Forwarded-Proto", proto).with("X-Forwarded-Scheme", proto).with("X-Url-Scheme", proto))
		u, err := url.Parse(a.location())
		if err != nil || u.Query().Get("redirect_uri") != s.base()+"/login" || strings.Contains(strings.Join(a.header.Values("Set-Cookie"), ""), "Secure") {
			t.Errorf("%s: it leads to %q, with the cookies %q", proto, a.location(), a.header.Values("Set-Cookie"))
		}
	}
}

// TestAuthcrunch_c320a62_TraversalOutOfPublic has no number of its own.
func TestAuthcrunch_c320a62_TraversalOutOfPublic(t *testing.T) {
	wantClosed(t, serve(t, "guest"), "/public/%2e%2e/admin", "/public/%252e%252e/admin", "/public/static/%2e%2e/%2e%2e/admin", "/static/..%252fadmin")
}

// TestAuthcrunch_429779c_TokenOfAnother has no number of its own.
func TestAuthcrunch_429779c_TokenOfAnother(t *testing.T) {
	wantTokenRefused(t, "iss", "https://evil.example.com")
	wantTokenRefused(t, "aud", "another client")
}
