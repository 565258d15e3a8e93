// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// A whole run at debug level, in which every secret is used, leaves none of
// them in the logs. Secrets come from outside the Caddyfile, as is good use:
// what stands in it, Caddy itself prints at this level.
func TestLogsHoldNoSecrets(t *testing.T) {
	app := notPanel(t)
	secrets := map[string]string{
		"password":       "the-password-of-alice",
		"other password": "the-password-of-bob",
		"wrong password": "a-password-that-is-wrong",
		"cookie secret":  cookieSecret,
		"older secret":   "an-older-secret-of-these-tests",
		"encryption key": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
		"forged session": "a-session-that-was-made-up",
		"forged user":    "a-user-cookie-that-was-made-up",
	}
	credentials := writeJSON(t, "credentials.json", map[string]string{
		"alice": secrets["password"], "bob": secrets["other password"],
	})
	t.Setenv("TEST_SECRET", cookieSecret)
	t.Setenv("TEST_OLDER_SECRET", secrets["older secret"])
	t.Setenv("TEST_ENCRYPTION_KEY", secrets["encryption key"])
	lines := func(more string) string {
		return fmt.Sprintf(`panelauth {
			basic_auth %s
			cookie_secret {env.TEST_SECRET} {env.TEST_OLDER_SECRET}
			oauth_encryption_key {env.TEST_ENCRYPTION_KEY}
			panel_cookies encrypted user id_token
			identity_headers
			login_attempts 3 2m
			%s
		}
		reverse_proxy %s`, credentials, more, app.address)
	}
	site := caddy(t, lines(""))
	visitor := browser(t)
	visitor.open(site.url + "/page")
	visitor.signIn("alice", secrets["wrong password"])
	visitor.signIn("alice", secrets["password"])
	visitor.sees("not Panel")
	for number, cookie := range visitor.cookies() {
		secrets[fmt.Sprintf("session cookie %d", number)] = cookie.Value
	}
	visitor.request(site.url + "/page")
	answer(t, with(websocket(t, site.url+"/page/ws"), visitor.cookies()))
	for _, cookie := range app.last(t).Cookies() {
		secrets["application's cookie "+cookie.Name] = cookie.Value
	}
	forgeries(t, site, secrets)
	site.reload(t, lines("session_idle 1h"))
	visitor.request(site.url + "/page")
	for range 5 {
		post(t, site.url+"/login", "mallory", secrets["wrong password"])
	}
	visitor.open(site.url + "/logout")
	replaceJSON(t, credentials, map[string]string{"bob": secrets["other password"]})
	if err := os.WriteFile(credentials, []byte(`{"bob": "`+secrets["other password"]+`", broken`), 0o600); err != nil {
		t.Fatal(err)
	}
	post(t, site.url+"/login", "bob", secrets["other password"])
	site.stop()

	log := site.output()
	if !strings.Contains(log, `"level":"debug"`) {
		t.Error("the log is not at debug level")
	}
	for name, secret := range secrets {
		if strings.Contains(log, secret) || strings.Contains(log, url.QueryEscape(secret)) {
			t.Errorf("the log holds the %s", name)
		}
	}
}

// forgeries sends what is secret in places where it does not belong.
func forgeries(t *testing.T, site *caddyServer, secrets map[string]string) {
	t.Helper()
	request := navigation(t, site.url+"/page")
	request.Header.Set("Cookie", "panelauth="+secrets["forged session"]+"; user="+secrets["forged user"])
	answer(t, request)
	request = navigation(t, site.url+"/page")
	request.SetBasicAuth("alice", secrets["password"])
	answer(t, request)
	crossing := form(t, site.url+"/login", "alice", secrets["password"])
	crossing.Header.Set("Origin", "http://elsewhere.example")
	if response := answer(t, crossing); response.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site gets %d, want 403", response.StatusCode)
	}
}

// Each sign-in, failed sign-in and logout is one line, from which a program
// such as fail2ban knows who it was and why.
func TestLogsTellOfSignIns(t *testing.T) {
	app := notPanel(t)
	site := caddy(t, "panelauth {\n\tbasic_auth my_password\n}\nreverse_proxy "+app.address)
	visitor := browser(t)
	visitor.open(site.url + "/page")
	visitor.signIn("alice", "wrong")
	visitor.signIn("alice", "my_password")
	visitor.sees("not Panel")
	visitor.open(site.url + "/logout")
	site.stop()

	events := map[string]int{}
	pages := 0
	for line := range strings.Lines(site.output()) {
		var entry struct {
			Logger, Event, Provider, Reason string
			UserID                          string `json:"user_id"`
			ClientIP                        string `json:"client_ip"`
			Status                          int
			Request                         struct{ URI string }
		}
		if json.Unmarshal([]byte(line), &entry) != nil {
			continue
		}
		if strings.HasPrefix(entry.Logger, "http.log.access") && entry.Request.URI == "/page" && entry.Status == http.StatusOK {
			pages++
			if entry.UserID != "alice" {
				t.Errorf("the access log does not name alice: %s", line)
			}
		}
		if entry.Event == "" {
			continue
		}
		events[entry.Event]++
		if !strings.HasPrefix(entry.Logger, "http.handlers.panelauth") || entry.UserID != "alice" || entry.ClientIP != "127.0.0.1" {
			t.Errorf("the line lacks something: %s", line)
		}
		if entry.Event == "login_failed" && entry.Reason == "" {
			t.Errorf("the line gives no reason: %s", line)
		}
	}
	for _, event := range []string{"login", "login_failed", "logout"} {
		if events[event] != 1 {
			t.Errorf("%d lines with event %s, want 1", events[event], event)
		}
	}
	if pages == 0 {
		t.Error("the access log does not show the page")
	}
}

// form is a sign-in as the form sends it.
func form(t *testing.T, address, user, password string) *http.Request {
	t.Helper()
	values := url.Values{"username": {user}, "password": {password}}
	request, err := http.NewRequest(http.MethodPost, address, strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "text/html")
	return request
}

// post signs in without a browser.
func post(t *testing.T, address, user, password string) *http.Response {
	t.Helper()
	return answer(t, form(t, address, user, password))
}
