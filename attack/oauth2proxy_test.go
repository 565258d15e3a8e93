// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"net/http"
	"net/url"
	"testing"
)

func TestGHSA_qqxw_m5fj_f7gv_Backslash(t *testing.T) {
	wantOnSite(t, `/\evil.com`, `/\/evil.com`, `\/evil.com`, `/\\evil.com`, `/x/\evil.com`)
}

func TestGHSA_j7px_6hwj_hpjg_Whitespace(t *testing.T) {
	wantOnSite(t, "/\t/evil.com", "/\n\\evil.com", "/ /evil.com", "/%09/evil.com", "/%0a/evil.com", "/\u00a0/evil.com", "/\u2028/evil.com", "\t//evil.com")
}

func TestGHSA_5m6c_jp6f_2vcv_KnownRedirects(t *testing.T) {
	allThrough(serve(t, "stateless"), "query")
}

func TestCVE_2021_21291_SimilarDomain(t *testing.T) {
	wantOnSite(t, "https://evil"+siteName+"/", "https://"+siteName+".evil.com/", "//"+siteName+"@evil.com/", "//"+siteName+".evil.com", "https://"+siteName+"%2eevil.com/")
}

func TestCVE_2025_54576_QueryInGuestPath(t *testing.T) {
	wantClosed(t, serve(t, "guest"), "/secret?x=/public", "/secret?/public", "/secret?x=%2fpublic", "/secret?/public/static/x", "/secret?\n/public")
}

func TestCVE_2025_64484_UnderscoresInHeaders(t *testing.T) {
	wantOnlyOurs(t, "X_Forwarded_User", "X_Forwarded-User", "x_forwarded_user", "X-Forwarded_Email", "Remote_User")
}

func TestCVE_2026_34454_SessionOnTheSignInPage(t *testing.T) {
	s := serve(t, "master")
	mallory := s.anybody("mallory")
	// Alice signs in with a browser that has mallory's session.
	a := s.send(signingInAsAnybody().as(mallory))
	fresh := [2]string{s.sessionCookie(), a.cookie(s.sessionCookie())}
	if a.status != http.StatusSeeOther || fresh[1] == mallory[1] {
		t.Fatalf("the answer is %d", a.status)
	}
	if err := noSession(s.attackedWith(get("/app").as(mallory))); err != nil {
		t.Errorf("the session before goes on: %v", err)
	}
	o := s.attackedWith(get("/app").as(fresh))
	o.user = "alice"
	if err := onlyOurs(o); err != nil {
		t.Error(err)
	}
}

func TestCVE_2026_34457_HealthCheck(t *testing.T) {
	s := serve(t, "guest")
	for _, agent := range []string{"GoogleHC/1.0", "kube-probe/1.31", "ELB-HealthChecker/2.0", "Consul Health Check", "Caddy"} {
		for _, target := range []string{"/secret", "/healthz", "/ping", "/ready"} {
			if err := closed(s.attackedWith(get(target, [2]string{"User-Agent", agent}))); err != nil {
				t.Errorf("%s for %s: %v", target, agent, err)
			}
		}
	}
}

func TestCVE_2026_40575_ForwardedURI(t *testing.T) {
	s := serve(t, "guest")
	for _, header := range []string{"X-Forwarded-Uri", "X-Original-Url", "X-Rewrite-Url", "X-Auth-Request-Redirect"} {
		for _, value := range []string{"/public", "/public?x", "http://" + s.host + "/public"} {
			if err := closed(s.attackedWith(get("/secret", [2]string{header, value}))); err != nil {
				t.Errorf("%s: %s: %v", header, value, err)
			}
		}
	}
}

func TestCVE_2026_41059_FragmentInGuestPath(t *testing.T) {
	wantClosed(t, serve(t, "guest"), "/secret#/public", "/secret%23/public", "/public#/../secret", "/public%23/../secret", "/#/public", "/secret%2523/public")
}

// What the tests named after systems have in common.

func wantClosed(t *testing.T, s *site, targets ...string) {
	t.Helper()
	for _, target := range targets {
		for _, q := range []request{get(target), {Method: "HEAD", Path: target}, {Method: "OPTIONS", Path: target}} {
			if err := closed(s.attackedWith(q)); err != nil {
				t.Errorf("%s %s: %v", q.Method, target, err)
			}
		}
	}
}

func wantOnSite(t *testing.T, addresses ...string) {
	t.Helper()
	s := serve(t, "stateless")
	for _, next := range addresses {
		for _, point := range []string{"form field", "query", "our own cookie"} {
			through(s, point, next)
		}
		a := s.send(get("/login?next=" + url.QueryEscape(next)).page())
		if err := staysHere(outcome{base: s.base(), answer: a}); err != nil {
			t.Errorf("%q on the page: %v", next, err)
		}
	}
}

func wantOnlyOurs(t *testing.T, headers ...string) {
	t.Helper()
	s := serve(t, "guest")
	session := s.anybody("alice")
	for _, header := range headers {
		for user, q := range map[string]request{"alice": get("/public", [2]string{header, "admin"}).as(session), "guest": get("/public", [2]string{header, "admin"})} {
			o := s.attackedWith(q)
			o.user = user
			if err := onlyOurs(o); err != nil {
				t.Errorf("%s for %s: %v", header, user, err)
			}
		}
	}
}
