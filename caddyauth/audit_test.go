// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

func (s *site) wantLines(message string, want ...map[string]any) {
	s.t.Helper()
	lines := s.logs.FilterMessage(message).All()
	if len(lines) != len(want) {
		s.t.Fatalf("%q is logged %d times, want %d", message, len(lines), len(want))
	}
	for i, line := range lines {
		got := line.ContextMap()
		for key, value := range want[i] {
			if value == any(anything) && got[key] != nil {
				continue
			}
			if got[key] != value {
				s.t.Errorf("%q, line %d: %s is %v, want %v", message, i+1, key, got[key], value)
			}
		}
		if len(got) != len(want[i]) {
			s.t.Errorf("%q, line %d: the fields are %v", message, i+1, got)
		}
	}
}

// anything is a value that wantLines does not look at, but wants.
const anything = "\x00anything"

// TestAuditLines are what fail2ban reads.
func TestAuditLines(t *testing.T) {
	s := newSite(t, attemptsLimit(2, 60e9))
	here := from("203.0.113.9:1")
	cookie := s.signInAlice(here)
	s.serve(post("/login", credentialsForm(testUser, "wrong"), here, header("X-Forwarded-For", "1.3.3.4"))).want(http.StatusUnauthorized)
	s.serve(post("/login", credentialsForm("nobody\n2026 signed in", "wrong"), here)).want(http.StatusUnauthorized)
	s.serve(post("/login", credentialsForm(testUser, "wrong"), here)).want(http.StatusUnauthorized)
	s.serve(post("/login", credentialsForm(testUser, testPassword), here)).want(http.StatusTooManyRequests)
	s.serve(post("/login", credentialsForm(testUser, testPassword), here, header("Sec-Fetch-Site", "cross-site"))).want(http.StatusForbidden)
	s.serve(get("/logout", cookieLine(cookie), here)).want(http.StatusOK)
	s.serve(get("/logout", cookieLine(cookie), here)).want(http.StatusOK)

	line := func(event, user, reason string) map[string]any {
		fields := map[string]any{"event": event, "user_id": user, "client_ip": "203.0.113.9", "provider": "password"}
		if reason != "" {
			fields["reason"] = reason
		}
		return fields
	}
	with := func(fields map[string]any, more ...string) map[string]any {
		for _, name := range more {
			fields[name] = anything
		}
		return fields
	}
	s.wantLines("signed in", with(line("login", testUser, ""), "session_id"))
	s.wantLines("sign-in failed",
		line("login_failed", testUser, "wrong_credentials"),
		line("login_failed", "nobody\n2026 signed in", "wrong_credentials"),
		line("login_failed", testUser, "wrong_credentials"),
		line("login_failed", testUser, "too_many_attempts"),
		line("login_failed", "", "cross_origin"))
	s.wantLines("signed out", with(line("logout", testUser, "logout"), "session_id", "duration"))
	for _, logged := range s.logs.All() {
		if isAudit := logged.ContextMap()["event"] != nil; isAudit != (logged.LoggerName == "audit") {
			t.Errorf("%q is of the logger %q", logged.Message, logged.LoggerName)
		}
	}
}

// TestNothingIsLoggedPerRequest at Info or above.
func TestNothingIsLoggedPerRequest(t *testing.T) {
	s := newSite(t, optional)
	cookie := s.signInAlice()
	s.logs.TakeAll()
	for _, r := range []*http.Request{get("/app"), get("/app", cookieLine(cookie)), get("/login", browser), get("/a%2fb", browser), get("/app/ws", websocket, header("Origin", "https://evil.com"))} {
		s.serve(r)
	}
	for _, line := range s.logs.All() {
		if line.Level >= 0 {
			t.Errorf("logged: %s %v", line.Message, line.ContextMap())
		}
	}
}

// TestSecretsAreNotLogged: LG-001. Everything that can be done, then a look
// for every secret in what was logged, and in what Caddy would log of the
// configuration.
func TestSecretsAreNotLogged(t *testing.T) {
	const wrong, typo = "wrong-password-of-somebody", "another-typed-password"
	key := tornado.NewFernetKey()
	hash := bcryptOf(t, "hashed-password", 4)
	path := newFile(t, "users.json", `{"alice": "`+testPassword+`", "bob": "`+hash+`"}`)
	storage := newFlakyStorage(t)
	s := newSiteIn(t, storage, accountsFile(path), attemptsLimit(3, 60e9), func(h *Handler) {
		h.CookieSecret = []string{"{env.PANELAUTH_TEST_SECRET}", "an-older-secret-of-the-tests"}
		h.OAuthEncryptionKey, h.PanelCookies = key, []string{"encrypted"}
		t.Setenv("PANELAUTH_TEST_SECRET", testSecret)
	})
	cookie := s.signInAlice()
	s.signIn("bob", "hashed-password")
	s.serve(get("/app", cookieLine(cookie))).wantReached()
	panel := s.app.got.Header.Get("Cookie")
	for range 5 {
		s.serve(post("/login", credentialsForm("alice", wrong)))
	}
	s.serve(post("/login", credentialsForm("alice", typo), header("Sec-Fetch-Site", "cross-site")))
	s.serve(post("/login", credentialsForm("alice", typo), header("Content-Type", "text/plain")))
	s.serve(post("/login", nil, body("password="+typo+"&password="+typo)))
	s.serve(post("/login", nil, body("password="+typo+"%zz")))
	func() {
		defer withHashes(newHashGate(0, 0))()
		s.serve(post("/login", credentialsForm("bob", typo), from("192.0.2.9:1")))
	}()
	s.serve(get("/app", cookieLine("panelauth=damaged-"+cookie)))
	s.serve(get("/app", cookieLine(cookie+strings.Repeat(";", maxCookies))))
	storage.setAway(true)
	s.serve(post("/login", credentialsForm("bob", "hashed-password"), from("192.0.2.9:1")))
	s.serve(get("/logout", cookieLine(cookie)))
	storage.setAway(false)
	overwrite(t, path, `{"alice": "`+testPassword+`" "bob": "`+hash+`"}`)
	s.credentialsFile.refresh()
	overwrite(t, path, `{"alice": 1234512345}`)
	s.credentialsFile.refresh()

	config, err := json.Marshal(s.Handler)
	if err != nil {
		t.Fatal(err)
	}
	// What zap.Any and %+v print of a handler is what Caddy's trace log prints.
	everything := string(config)
	for _, line := range s.logs.All() {
		everything += fmt.Sprintln(line.Message, line.ContextMap())
	}
	_, value, _ := strings.Cut(cookie, "=")
	secrets := map[string]string{
		"wrong password": wrong, "typed password": typo, "right password": testPassword, "hashed password": "hashed-password", "hash": hash,
		"cookie secret": testSecret, "session cookie": value, "end of the session cookie": value[len(value)-20:], "number as password": "1234512345",
	}
	for _, cookie := range tornadoCookies(panel) {
		secrets["Panel's cookie "+cookie[:9]] = cookie
	}
	for name, secret := range secrets {
		if strings.Contains(everything, secret) {
			t.Errorf("the %s is logged", name)
		}
	}
	if s.logs.Len() < 10 {
		t.Errorf("only %d lines are logged", s.logs.Len())
	}
}
