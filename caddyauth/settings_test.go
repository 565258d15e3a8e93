// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
	"github.com/panelauth/caddy-panelauth/templates"
)

// good is a handler without mistakes.
func good(changes ...func(*Handler)) *Handler {
	h := &Handler{BasicAuth: &BasicAuth{Source: testPassword}}
	for _, change := range changes {
		change(h)
	}
	return h
}

func mustResolve(t *testing.T, h *Handler) settings {
	t.Helper()
	s, mistakes := h.resolve(caddy.NewReplacer())
	for _, mistake := range mistakes {
		t.Errorf("%s: %v", mistake.Subdirective, mistake.Err)
	}
	return s
}

func TestDefaults(t *testing.T) {
	s := mustResolve(t, good())
	want := map[string][2]any{
		"login":         {s.login, "/login"},
		"logout":        {s.logout, "/logout"},
		"lifetime":      {s.lifetime, 24 * time.Hour},
		"remember":      {s.remember, time.Duration(0)},
		"idle":          {s.idle, time.Duration(0)},
		"attempts":      {s.attempts, limit{max: 5, window: 2 * time.Minute}},
		"cookie name":   {s.cookieName, "panelauth"},
		"cookie path":   {s.cookiePath, "/"},
		"cookie domain": {s.cookieDomain, ""},
		"same site":     {s.cookieSameSite, http.SameSiteLaxMode},
		"stateless":     {s.stateless, false},
		"panel cookies": {s.panelCookies, []string{"user", "id_token"}},
		"encrypted":     {s.panelEncrypted, false},
		"headers":       {s.identityHeaders, map[string]string{}},
		"secrets":       {len(s.secrets), 0},
		"origin":        {s.websocketOrigin, ""},
		"accounts":      {s.inline["*"].Password, testPassword},
	}
	for name, pair := range want {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
}

func TestSettings(t *testing.T) {
	key := tornado.NewFernetKey()
	t.Setenv("PANELAUTH_TEST_SECRET", "from-the-environment")
	s := mustResolve(t, good(func(h *Handler) {
		h.CookieSecret = []string{"{env.PANELAUTH_TEST_SECRET}", "an-older-cookie-secret"}
		h.OAuthExpiryDays, h.RememberMe, h.SessionIdle = "0.5", "30", "1h"
		h.LoginAttempts = &LoginAttempts{Max: "3"}
		h.LoginEndpoint, h.LogoutEndpoint = "/auth/login/", "/auth/logout"
		h.CookiePath, h.CookieDomain, h.CookieName, h.CookieSameSite = "/app", "example.com", "me", "Strict"
		h.SessionStore = "cookie"
		h.OAuthEncryptionKey, h.PanelCookies = key, []string{"encrypted", "id_token", "user"}
		h.IdentityHeaders = map[string]string{"x-forwarded-email": "email", "X_Who": "user"}
		h.WebsocketOrigin = "https://inner.example:5006"
	}))
	want := map[string][2]any{
		"secrets":       {s.secrets, [][]byte{[]byte("from-the-environment"), []byte("an-older-cookie-secret")}},
		"lifetime":      {s.lifetime, 12 * time.Hour},
		"remember":      {s.remember, 30 * 24 * time.Hour},
		"idle":          {s.idle, time.Hour},
		"attempts":      {s.attempts, limit{max: 3, window: 2 * time.Minute}},
		"login":         {s.login, "/auth/login"},
		"logout":        {s.logout, "/auth/logout"},
		"cookie":        {[]string{s.cookieName, s.cookiePath, s.cookieDomain}, []string{"me", "/app", "example.com"}},
		"same site":     {s.cookieSameSite, http.SameSiteStrictMode},
		"stateless":     {s.stateless, true},
		"panel cookies": {s.panelCookies, []string{"id_token", "user"}},
		"encrypted":     {s.panelEncrypted && s.fernet != nil, true},
		"headers":       {s.identityHeaders, map[string]string{"X-Forwarded-Email": "email", "X_who": "user"}},
		"origin":        {s.websocketOrigin, "https://inner.example:5006"},
	}
	for name, pair := range want {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
	t.Run("a provider as Panel takes it", func(t *testing.T) {
		s := mustResolve(t, &Handler{OAuthProvider: OAuthProviders{{Name: "GitHub"}}, OAuthKey: "id", OAuthSecret: "secret"})
		if got := s.providers[0].config; got.Name != "github" || got.ID != "github" {
			t.Errorf("it is %q with the id %q", got.Name, got.ID)
		}
	})
	t.Run("session_store storage", func(t *testing.T) {
		if mustResolve(t, good(func(h *Handler) { h.SessionStore = "storage" })).stateless {
			t.Error("sessions are in cookies")
		}
	})
	t.Run("panel_cookies off", func(t *testing.T) {
		if names := mustResolve(t, good(func(h *Handler) { h.PanelCookies = []string{"off"} })).panelCookies; len(names) != 0 {
			t.Errorf("there are %v", names)
		}
	})
	t.Run("panel_cookies encrypted alone", func(t *testing.T) {
		s := mustResolve(t, good(func(h *Handler) { h.PanelCookies, h.OAuthEncryptionKey = []string{"encrypted"}, key }))
		if !s.panelEncrypted || len(s.panelCookies) != 2 {
			t.Errorf("there are %v", s.panelCookies)
		}
	})
	t.Run("identity_headers alone", func(t *testing.T) {
		s := mustResolve(t, good(identityHeaders))
		if !reflect.DeepEqual(s.identityHeaders, defaultIdentityHeaders) {
			t.Errorf("there are %v", s.identityHeaders)
		}
	})
	t.Run("oauth_error_template falls back", func(t *testing.T) {
		page := newFile(t, "page.html", "x")
		s := mustResolve(t, good(func(h *Handler) { h.AuthTemplate = page }))
		if s.templates[templates.Refused] != page || s.templates[templates.Failed] != page {
			t.Errorf("there are %v", s.templates)
		}
	})
	t.Run("braces that are no placeholder", func(t *testing.T) {
		s := mustResolve(t, good(func(h *Handler) { h.BasicAuth = &BasicAuth{Source: "p{3}w{nothing.known}"} }))
		if got := s.inline["*"].Password; got != "p{3}w{nothing.known}" {
			t.Errorf("the password is %q", got)
		}
	})
	t.Run("placeholders in accounts", func(t *testing.T) {
		s := mustResolve(t, good(func(h *Handler) {
			h.BasicAuth = &BasicAuth{Accounts: map[string]string{"alice": "{env.PANELAUTH_TEST_SECRET}", "*": "m"}}
		}))
		if s.inline["alice"].Password != "from-the-environment" || s.inline["*"].Password != "m" {
			t.Errorf("there are %v", s.inline)
		}
	})
}

// TestMistakes has each mistake with what is said about it. Where it is the
// machine's and not the configuration's, it is local.
func TestMistakes(t *testing.T) {
	const hidden = "hunter2"
	t.Setenv("PANELAUTH_TEST_EMPTY", "")
	t.Setenv("PANELAUTH_TEST_SHORT", hidden)
	dir := t.TempDir()
	brokenJSON := newFile(t, "users.json", "{\n\"alice\": \"hunter2\"\n\"bob\"}")
	emptyJSON := newFile(t, "users.json", "{}")
	brokenPage := newFile(t, "page.html", "line 1\n{% if %}\n")
	strs := func(s ...string) []string { return s }
	tests := []struct {
		name         string
		change       func(*Handler)
		subdirective string
		says         string
		local        bool
	}{
		{"nobody", func(h *Handler) { h.BasicAuth = nil }, "", "nobody could sign in", false},
		{"empty password", func(h *Handler) { h.BasicAuth = &BasicAuth{} }, "basic_auth", "empty", false},
		{"no accounts", func(h *Handler) { h.BasicAuth = &BasicAuth{Accounts: map[string]string{}} }, "basic_auth", "empty", false},
		{"account without password", func(h *Handler) { h.BasicAuth = &BasicAuth{Accounts: map[string]string{"alice": ""}} }, "basic_auth", `user "alice"`, false},
		{"account without name", func(h *Handler) { h.BasicAuth = &BasicAuth{Accounts: map[string]string{"": hidden}} }, "basic_auth", "user name is empty", false},
		{"account guest", func(h *Handler) { h.BasicAuth = &BasicAuth{Accounts: map[string]string{"guest": hidden}} }, "basic_auth", "reserved", false},
		{"account with a damaged hash", func(h *Handler) { h.BasicAuth = &BasicAuth{Accounts: map[string]string{"alice": "$2a$10$" + hidden}} }, "basic_auth", "damaged", false},
		{"password from nowhere", func(h *Handler) { h.BasicAuth = &BasicAuth{Source: "{env.PANELAUTH_TEST_MISSING}"} }, "basic_auth", "{env.PANELAUTH_TEST_MISSING}", true},
		{"password from an empty variable", func(h *Handler) { h.BasicAuth = &BasicAuth{Source: "{env.PANELAUTH_TEST_EMPTY}"} }, "basic_auth", "{env.PANELAUTH_TEST_EMPTY}", true},
		{"account's password from nowhere", func(h *Handler) {
			h.BasicAuth = &BasicAuth{Accounts: map[string]string{"a": "{env.PANELAUTH_TEST_MISSING}"}}
		}, "basic_auth", "{env.PANELAUTH_TEST_MISSING}", true},
		{"password with a part from nowhere", func(h *Handler) { h.BasicAuth = &BasicAuth{Source: hidden + "-{env.PANELAUTH_TEST_MISSING}"} }, "basic_auth", "{env.PANELAUTH_TEST_MISSING}", true},
		{"password from a misspelt variable", func(h *Handler) { h.BasicAuth = &BasicAuth{Source: "{nv.APP_PASSWORD}"} }, "basic_auth", "{nv.APP_PASSWORD}", false},
		{"password that is another program's hash", func(h *Handler) { h.BasicAuth = &BasicAuth{Source: "$6$" + hidden + "$" + hidden} }, "basic_auth", "not supported", false},
		{"long password", func(h *Handler) { h.BasicAuth = &BasicAuth{Source: strings.Repeat(hidden, 200)} }, "basic_auth", "longer than 1024", false},
		{"damaged master hash", func(h *Handler) { h.BasicAuth = &BasicAuth{Source: "$2a$10$" + hidden} }, "basic_auth", "damaged", false},
		{"missing file", func(h *Handler) { h.BasicAuth = &BasicAuth{Source: dir + "/no.json"} }, "basic_auth", "no.json", true},
		{"missing file by its ending", func(h *Handler) { h.BasicAuth = &BasicAuth{Source: "no-such-file.json"} }, "basic_auth", "no-such-file.json", true},
		{"a folder", func(h *Handler) { h.BasicAuth = &BasicAuth{Source: dir} }, "basic_auth", dir, true},
		{"broken file", func(h *Handler) { h.BasicAuth = &BasicAuth{Source: brokenJSON} }, "basic_auth", "line 3, column 1", true},
		{"file without accounts", func(h *Handler) { h.BasicAuth = &BasicAuth{Source: emptyJSON} }, "basic_auth", "no accounts", true},

		{"empty secret", func(h *Handler) { h.CookieSecret = strs("") }, "cookie_secret", "empty", false},
		{"empty older secret", func(h *Handler) { h.CookieSecret = strs("0123456789abcdef", "") }, "cookie_secret", "empty", false},
		{"short secret", func(h *Handler) { h.CookieSecret = strs("0123456789abcde") }, "cookie_secret", "16 bytes", false},
		{"short older secret", func(h *Handler) { h.CookieSecret = strs("0123456789abcdef", hidden) }, "cookie_secret", "16 bytes", false},
		{"short secret from the environment", func(h *Handler) { h.CookieSecret = strs("{env.PANELAUTH_TEST_SHORT}") }, "cookie_secret", "16 bytes", true},
		{"secret from nowhere", func(h *Handler) { h.CookieSecret = strs("{env.PANELAUTH_TEST_MISSING}") }, "cookie_secret", "{env.PANELAUTH_TEST_MISSING}", true},
		{"secret from a missing file", func(h *Handler) { h.CookieSecret = strs("{file." + dir + "/no}") }, "cookie_secret", "resolves to nothing", true},

		{"encryption key", func(h *Handler) { h.OAuthEncryptionKey = hidden }, "oauth_encryption_key", "", false},
		{"encryption key from nowhere", func(h *Handler) { h.OAuthEncryptionKey = "{env.PANELAUTH_TEST_MISSING}" }, "oauth_encryption_key", "{env.PANELAUTH_TEST_MISSING}", true},
		{"encrypted without key", func(h *Handler) { h.PanelCookies = strs("encrypted", "user") }, "panel_cookies", "oauth_encryption_key", false},
		{"off with others", func(h *Handler) { h.PanelCookies = strs("off", "user") }, "panel_cookies", "off stands alone", false},
		{"unknown cookie", func(h *Handler) { h.PanelCookies = strs("user", "session") }, "panel_cookies", `"session"`, false},
		{"encrypted in the middle", func(h *Handler) { h.PanelCookies = strs("user", "encrypted") }, "panel_cookies", `"encrypted"`, false},
		{"cookie twice", func(h *Handler) { h.PanelCookies = strs("user", "user") }, "panel_cookies", "twice", false},
		{"empty cookie", func(h *Handler) { h.PanelCookies = strs("") }, "panel_cookies", "empty", false},

		{"lifetime in words", func(h *Handler) { h.OAuthExpiryDays = "a day" }, "oauth_expiry_days", "not a number", false},
		{"lifetime from nowhere", func(h *Handler) { h.OAuthExpiryDays = "{env.PANELAUTH_TEST_MISSING}" }, "oauth_expiry_days", "{env.PANELAUTH_TEST_MISSING}", true},
		{"endless lifetime", func(h *Handler) { h.OAuthExpiryDays = "inf" }, "oauth_expiry_days", "not a number", false},
		{"idle without a unit", func(h *Handler) { h.SessionIdle = "30" }, "session_idle", "not a duration", false},
		{"half an attempt", func(h *Handler) { h.LoginAttempts = &LoginAttempts{Max: "0.5"} }, "login_attempts", "whole", false},
		{"lifetime below 0", func(h *Handler) { h.OAuthExpiryDays = "-1" }, "oauth_expiry_days", "more than 0", false},
		{"lifetime of a moment", func(h *Handler) { h.OAuthExpiryDays = "1e-9" }, "oauth_expiry_days", "more than 0", false},
		{"lifetime of years", func(h *Handler) { h.OAuthExpiryDays = "401" }, "oauth_expiry_days", "400", false},
		{"remember below 0", func(h *Handler) { h.RememberMe = "-1" }, "remember_me", "more than 0", false},
		{"remember for years", func(h *Handler) { h.RememberMe = "1e300" }, "remember_me", "400", false},
		{"idle for a moment", func(h *Handler) { h.SessionIdle = lasting(time.Millisecond) }, "session_idle", "1s", false},
		{"idle below 0", func(h *Handler) { h.SessionIdle = "-1h" }, "session_idle", "1s", false},
		{"attempts below 0", func(h *Handler) { h.LoginAttempts = &LoginAttempts{Max: "-1"} }, "login_attempts", "between", false},
		{"attempts without end", func(h *Handler) { h.LoginAttempts = &LoginAttempts{Max: "1e6"} }, "login_attempts", "between", false},
		{"window below 0", func(h *Handler) { h.LoginAttempts = &LoginAttempts{Window: "-1ns"} }, "login_attempts", "between", false},
		{"window of a week", func(h *Handler) { h.LoginAttempts = &LoginAttempts{Window: lasting(7 * day)} }, "login_attempts", "between", false},

		{"login without slash", func(h *Handler) { h.LoginEndpoint = "login" }, "login_endpoint", "/login", false},
		{"login at the root", func(h *Handler) { h.LoginEndpoint = "/" }, "login_endpoint", "plain path", false},
		{"login elsewhere", func(h *Handler) { h.LoginEndpoint = "https://x/login" }, "login_endpoint", "slash", false},
		{"login at another host", func(h *Handler) { h.LoginEndpoint = "//x/login" }, "login_endpoint", "plain path", false},
		{"login with a query", func(h *Handler) { h.LoginEndpoint = "/login?x" }, "login_endpoint", "plain path", false},
		{"login with a star", func(h *Handler) { h.LoginEndpoint = "/login*" }, "login_endpoint", "plain path", false},
		{"login with dots", func(h *Handler) { h.LoginEndpoint = "/a/../login" }, "login_endpoint", "plain path", false},
		{"login with an escape", func(h *Handler) { h.LoginEndpoint = "/%6cogin" }, "login_endpoint", "plain path", false},
		{"login from nowhere", func(h *Handler) { h.LoginEndpoint = "{env.PANELAUTH_TEST_MISSING}" }, "login_endpoint", "{env.PANELAUTH_TEST_MISSING}", true},
		{"logout with a query", func(h *Handler) { h.LogoutEndpoint = "/logout?x" }, "logout_endpoint", "plain path", false},
		{"login is logout", func(h *Handler) { h.LoginEndpoint, h.LogoutEndpoint = "/x", "/x" }, "logout_endpoint", "same", false},
		{"login is logout, but for a slash", func(h *Handler) { h.LoginEndpoint, h.LogoutEndpoint = "/x", "/x/" }, "logout_endpoint", "same", false},
		{"login is the default logout", func(h *Handler) { h.LoginEndpoint = "/logout" }, "login_endpoint", "same", false},

		{"GP-046 empty guest page", func(h *Handler) { h.OAuthGuestEndpoints = strs("") }, "oauth_guest_endpoints", "empty", false},
		{"GP-046 blank guest page", func(h *Handler) { h.OAuthGuestEndpoints = strs(" ") }, "oauth_guest_endpoints", "slash", false},
		{"GP-046 guest page from nowhere", func(h *Handler) { h.OAuthGuestEndpoints = strs("{env.PANELAUTH_TEST_MISSING}") }, "oauth_guest_endpoints", "nothing", true},
		{"guest page without slash", func(h *Handler) { h.OAuthGuestEndpoints = strs("/a", "app") }, "oauth_guest_endpoints", `"app"`, false},
		{"star alone", func(h *Handler) { h.OAuthGuestEndpoints = strs("*") }, "oauth_guest_endpoints", "slash", false},
		{"star in a name", func(h *Handler) { h.OAuthGuestEndpoints = strs("/app*") }, "oauth_guest_endpoints", "star", false},
		{"star in the middle", func(h *Handler) { h.OAuthGuestEndpoints = strs("/a/*/b") }, "oauth_guest_endpoints", "star", false},
		{"two stars", func(h *Handler) { h.OAuthGuestEndpoints = strs("/a/**") }, "oauth_guest_endpoints", "star", false},
		{"guest page with a query", func(h *Handler) { h.OAuthGuestEndpoints = strs("/app?x") }, "oauth_guest_endpoints", "plain path", false},
		{"guest page with dots", func(h *Handler) { h.OAuthGuestEndpoints = strs("/a/../b") }, "oauth_guest_endpoints", "plain path", false},
		{"guest page with an escape", func(h *Handler) { h.OAuthGuestEndpoints = strs("/a%20b") }, "oauth_guest_endpoints", "plain path", false},
		{"guest pages in optional mode", func(h *Handler) { h.OAuthOptional, h.OAuthGuestEndpoints = true, strs("/a") }, "oauth_guest_endpoints", "oauth_optional", false},

		{"cookie name", func(h *Handler) { h.CookieName = "a b" }, "cookie_name", "letters", false},
		{"cookie name with =", func(h *Handler) { h.CookieName = "a=b" }, "cookie_name", "letters", false},
		{"cookie name beyond ASCII", func(h *Handler) { h.CookieName = "sitzung-ä" }, "cookie_name", "letters", false},
		{"cookie name with a prefix", func(h *Handler) { h.CookieName = "__host-x" }, "cookie_name", "prefix", false},
		{"cookie name of Panel", func(h *Handler) { h.CookieName = "user" }, "cookie_name", "Panel", false},
		{"cookie name of Panel's state", func(h *Handler) { h.CookieName = "panel-oauth-state" }, "cookie_name", "Panel", false},
		{"cookie path", func(h *Handler) { h.CookiePath = "app" }, "cookie_path", "slash", false},
		{"cookie path with attributes", func(h *Handler) { h.CookiePath = "/; Domain=evil.com" }, "cookie_path", "plain", false},
		{"cookie path beyond ASCII", func(h *Handler) { h.CookiePath = "/prö" }, "cookie_path", "", false},
		{"cookie domain with a scheme", func(h *Handler) { h.CookieDomain = "https://example.com" }, "cookie_domain", "without scheme", false},
		{"cookie domain with a port", func(h *Handler) { h.CookieDomain = "example.com:443" }, "cookie_domain", "without scheme", false},
		{"cookie domain with attributes", func(h *Handler) { h.CookieDomain = "example.com; Path=/" }, "cookie_domain", "without scheme", false},
		{"same site", func(h *Handler) { h.CookieSameSite = "sometimes" }, "cookie_same_site", "lax, strict or none", false},
		{"store", func(h *Handler) { h.SessionStore = "memory" }, "session_store", "storage, cookie, or redis", false},
		{"store without a host", func(h *Handler) { h.SessionStore = "redis://:" + hidden + "@/0" }, "session_store", "name a host", false},
		{"store without a scheme", func(h *Handler) { h.SessionStore = ":" + hidden + "@localhost" }, "session_store", "begin with redis://", false},
		{"store from nowhere", func(h *Handler) { h.SessionStore = "{env.PANELAUTH_TEST_MISSING}" }, "session_store", "nothing", true},
		{"store with a password from nowhere", func(h *Handler) { h.SessionStore = "redis://:{env.PANELAUTH_TEST_MISSING}@localhost" }, "session_store", "nothing", true},
		{"store on a host from nowhere", func(h *Handler) { h.SessionStore = "redis://:a@{env.PANELAUTH_TEST_MISSING}" }, "session_store", "nothing", true},
		{"store with a misspelt password", func(h *Handler) { h.SessionStore = "redis://{evn.PASSWORD}@localhost" }, "session_store", "misspelt", false},
		{"store without its CA", func(h *Handler) { h.SessionStore = "rediss://:" + hidden + "@localhost?ca=" + dir + "/no.pem" }, "session_store", "no.pem", true},

		{"header without claim", func(h *Handler) { h.IdentityHeaders = map[string]string{"X-User": ""} }, "identity_headers", "needs a claim", false},
		{"header with a space", func(h *Handler) { h.IdentityHeaders = map[string]string{"X User": "user"} }, "identity_headers", "not the name", false},
		{"header beyond ASCII", func(h *Handler) { h.IdentityHeaders = map[string]string{"X-Üser": "user"} }, "identity_headers", "not the name", false},
		{"header Cookie", func(h *Handler) { h.IdentityHeaders = map[string]string{"cookie": "user"} }, "identity_headers", "Cookie", false},
		{"header Host", func(h *Handler) { h.IdentityHeaders = map[string]string{"HOST": "user"} }, "identity_headers", "Host", false},
		{"header Connection", func(h *Handler) { h.IdentityHeaders = map[string]string{"connection": "user"} }, "identity_headers", "Connection", false},
		{"header twice", func(h *Handler) { h.IdentityHeaders = map[string]string{"X-User": "user", "x-user": "email"} }, "identity_headers", "twice", false},

		{"origin with a path", func(h *Handler) { h.WebsocketOrigin = "https://example.com/" }, "websocket_origin", "origin", false},
		{"origin without scheme", func(h *Handler) { h.WebsocketOrigin = "example.com" }, "websocket_origin", "origin", false},
		{"origin of a websocket", func(h *Handler) { h.WebsocketOrigin = "wss://example.com" }, "websocket_origin", "origin", false},
		{"origin with a user", func(h *Handler) { h.WebsocketOrigin = "https://a@example.com" }, "websocket_origin", "origin", false},
		{"origin from nowhere", func(h *Handler) { h.WebsocketOrigin = "{env.PANELAUTH_TEST_MISSING}" }, "websocket_origin", "nothing", true},
		{"allowed star", func(h *Handler) { h.WebsocketAllowedOrigins = strs("*") }, "websocket_allowed_origins", "origin", false},
		{"allowed pattern", func(h *Handler) { h.WebsocketAllowedOrigins = strs("https://*.example.com/") }, "websocket_allowed_origins", "origin", false},
		{"allowed null", func(h *Handler) { h.WebsocketAllowedOrigins = strs("null") }, "websocket_allowed_origins", "origin", false},

		{"missing sign-in page", func(h *Handler) { h.BasicLoginTemplate = dir + "/no.html" }, "basic_login_template", "no.html", true},
		{"missing logout page", func(h *Handler) { h.LogoutTemplate = dir + "/no.html" }, "logout_template", "no.html", true},
		{"missing auth page", func(h *Handler) { h.AuthTemplate = dir + "/no.html" }, "auth_template", "no.html", true},
		{"missing error page", func(h *Handler) { h.OAuthErrorTemplate = dir + "/no.html" }, "oauth_error_template", "no.html", true},
		{"broken page", func(h *Handler) { h.BasicLoginTemplate = brokenPage }, "basic_login_template", "page.html:2", true},
		{"page from nowhere", func(h *Handler) { h.LogoutTemplate = "{env.PANELAUTH_TEST_MISSING}" }, "logout_template", "nothing", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := good(test.change)
			mistakes := h.Mistakes()
			if len(mistakes) != 1 {
				t.Fatalf("there are %d mistakes: %v", len(mistakes), mistakes)
			}
			m := mistakes[0]
			if m.Subdirective != test.subdirective || m.Local != test.local {
				t.Errorf("subdirective %q, local %t", m.Subdirective, m.Local)
			}
			if !strings.Contains(m.Err.Error(), test.says) {
				t.Errorf("says %q, want %q", m.Err, test.says)
			}
			for _, secret := range []string{hidden, "0123456789"} {
				if strings.Contains(m.Err.Error(), secret) {
					t.Errorf("shows a secret: %v", m.Err)
				}
			}
			if _, err := tryNewSite(t, newFlakyStorage(t), func(h *Handler) { *h = *good(test.change) }); err == nil {
				t.Error("starts nevertheless")
			}
		})
	}
}

// TestMistakesTogether: all are found at once.
func TestMistakesTogether(t *testing.T) {
	h := good(func(h *Handler) { h.BasicAuth, h.CookieSecret, h.SessionStore = nil, []string{"short"}, "nowhere" })
	if mistakes := h.Mistakes(); len(mistakes) != 3 {
		t.Errorf("there are %v", mistakes)
	}
}

// TestMissingFileIsNoPassword: Panel takes a path of nothing for a password.
func TestMissingFileIsNoPassword(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.json")
	writeFile(t, path, `{"alice": "pw"}`)
	s := newSite(t, accountsFile(path))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s.serve(post("/login", credentialsForm("alice", path))).wantRefusedHere(http.StatusUnauthorized)
	s.signIn("alice", "pw")
}
