// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"testing"
)

func preflightsFrom(origins ...string) func(*Handler) {
	return func(h *Handler) { h.CORSPreflight = origins }
}

func preflight(target string, options ...func(*http.Request)) *http.Request {
	return request("OPTIONS", target, append([]func(*http.Request){
		header("Origin", "https://docs.example.com"),
		header("Access-Control-Request-Method", "PUT"),
		header("Access-Control-Request-Headers", "authorization"),
		header("Sec-Fetch-Site", "cross-site"), header("Sec-Fetch-Mode", "cors"),
	}, options...)...)
}

func TestPreflight(t *testing.T) {
	s := newSite(t, preflightsFrom("https://Docs.example.com", "http://localhost:3000"), identityHeaders)
	alice := s.signInAlice()
	for name, options := range map[string][]func(*http.Request){
		"as browsers ask":        {},
		"from another":           {header("Origin", "http://localhost:3000")},
		"with what it could say": {cookieLine(alice + "; user=mallory; theme=dark"), header("Remote-User", "mallory"), header("Remote_user", "mallory")},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.in(t).serve(preflight("/app", options...))
			if !a.reached || a.user != "" {
				t.Fatalf("reached: %t, user %q, status %d", a.reached, a.user, a.StatusCode)
			}
			for _, name := range []string{"Cookie", "Remote-User", "Remote_user", "Authorization"} {
				if got := s.app.got.Header[name]; got != nil {
					t.Errorf("the application gets %s: %q", name, got)
				}
			}
		})
	}
}

// TestPreflightIsNothingElse: what is more or less than the bare question needs
// to be signed in.
func TestPreflightIsNothingElse(t *testing.T) {
	s := newSite(t, preflightsFrom("https://docs.example.com"), basicHeader)
	for name, r := range map[string]*http.Request{
		"another origin":      preflight("/app", header("Origin", "https://evil.example")),
		"a longer origin":     preflight("/app", header("Origin", "https://docs.example.com.evil.example")),
		"another scheme":      preflight("/app", header("Origin", "http://docs.example.com")),
		"another port":        preflight("/app", header("Origin", "https://docs.example.com:8443")),
		"with a slash":        preflight("/app", header("Origin", "https://docs.example.com/")),
		"null":                preflight("/app", header("Origin", "null")),
		"no origin":           preflight("/app", header("Origin", "")),
		"two origins":         preflight("/app", func(r *http.Request) { r.Header.Add("Origin", "https://docs.example.com") }),
		"no method":           preflight("/app", header("Access-Control-Request-Method", "")),
		"two methods":         preflight("/app", func(r *http.Request) { r.Header.Add("Access-Control-Request-Method", "GET") }),
		"no word":             preflight("/app", header("Access-Control-Request-Method", "GET, PUT")),
		"a body":              preflight("/app", body("x")),
		"a body of no length": preflight("/app", func(r *http.Request) { r.ContentLength = -1 }),
		"chunked":             preflight("/app", func(r *http.Request) { r.TransferEncoding = []string{"chunked"} }),
		"another method":      preflight("/app", func(r *http.Request) { r.Method = "GET"; r.Header.Set("Accept", "application/json") }),
		"in lower case":       preflight("/app", func(r *http.Request) { r.Method = "options" }),
		"an upgrade":          preflight("/app", header("Upgrade", "h2c"), header("Connection", "Upgrade")),
		"a hidden path":       preflight("/app/..%2fadmin"),
		"dots":                preflight("/app/../admin"),
		"two slashes":         preflight("//admin"),
		"a method of its own": preflight("/app", header("X-HTTP-Method-Override", "DELETE")),
		"the same, folded":    preflight("/app", func(r *http.Request) { r.Header["X_http-Method"] = []string{"DELETE"} }),
		"with credentials":    preflight("/app", header("Authorization", "Negotiate abc")),
	} {
		t.Run(name, func(t *testing.T) {
			a := s.in(t).serve(r)
			a.wantRefusal(http.StatusUnauthorized, "unauthenticated")
		})
	}
	s.serve(preflight("/app", basic(testUser, "wrong"), header("Sec-Fetch-Site", ""))).wantRefusal(http.StatusUnauthorized, "invalid_credentials")
	s.serve(preflight("/ws", websocket)).wantRefusal(http.StatusForbidden, "cross_origin")
	for _, own := range []string{"/login", "/logout", "/login/me"} {
		a := s.serve(preflight(own))
		a.wantRefusedHere(http.StatusMethodNotAllowed)
	}
	newSite(t).serve(preflight("/app")).wantRefusal(http.StatusUnauthorized, "unauthenticated")
}
