// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
)

// listener remembers the events that it is told of.
type listener struct {
	mu   sync.Mutex
	told []caddy.Event
	do   func() error
}

// Handle implements caddyevents.Handler.
func (l *listener) Handle(_ context.Context, event caddy.Event) error {
	l.mu.Lock()
	l.told = append(l.told, event)
	l.mu.Unlock()
	if l.do != nil {
		return l.do()
	}
	return nil
}

// take returns what it was told since it was last asked.
func (l *listener) take() []caddy.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	told := l.told
	l.told = nil
	return told
}

// listen subscribes to the events of a site.
func (s *site) listen(do func() error) *listener {
	s.t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: s.t.Context()})
	s.t.Cleanup(cancel)
	l, app := &listener{do: do}, new(caddyevents.App)
	if err := app.Provision(ctx); err != nil {
		s.t.Fatal(err)
	}
	for _, name := range []string{"login", "login_failed", "logout", "revoked", "denied"} {
		if err := app.On("panelauth."+name, l); err != nil {
			s.t.Fatal(err)
		}
	}
	s.emitter = emitter{app, ctx}
	return l
}

func (s *site) wantEvent(l *listener, name string, want map[string]any) {
	s.t.Helper()
	told := l.take()
	if len(told) != 1 || told[0].Name() != "panelauth."+name {
		s.t.Fatalf("told of %v, want one %s", told, name)
	}
	keys := []string{"user_id", "client_ip", "provider", "session_id", "reason", "path"}
	for _, key := range keys {
		if _, ok := told[0].Data[key].(string); !ok {
			s.t.Errorf("%s has no %s", name, key)
		}
	}
	if len(told[0].Data) != len(keys) {
		s.t.Errorf("%s has %v", name, told[0].Data)
	}
	for key, value := range want {
		if told[0].Data[key] != value {
			s.t.Errorf("%s: %s is %q, want %q", name, key, told[0].Data[key], value)
		}
	}
}

func TestEvents(t *testing.T) {
	s := newSite(t, signInWith(newOpenID(t)), withPassword)
	l := s.listen(nil)
	here := from("203.0.113.9:1")
	cookie := s.signIn(testUser, testPassword, here)
	id := listOf(t)[0]["id"]
	s.wantEvent(l, "login", map[string]any{"user_id": testUser, "client_ip": "203.0.113.9", "provider": "password", "session_id": id, "reason": ""})

	s.serve(post("/login", credentialsForm("bob", "wrong"), here))
	s.wantEvent(l, "login_failed", map[string]any{"user_id": "bob", "client_ip": "203.0.113.9", "provider": "password", "reason": "wrong_credentials"})

	s.serve(get("/login?code=x&state=y", here, browser))
	s.wantEvent(l, "login_failed", map[string]any{"user_id": "", "client_ip": "203.0.113.9", "provider": "", "reason": "state_mismatch"})

	s.serve(get("/logout", here, cookieLine(cookie)))
	s.wantEvent(l, "logout", map[string]any{"user_id": testUser, "client_ip": "203.0.113.9", "session_id": id, "reason": "logout"})

	s.signInAlice()
	l.take()
	wantStatus(t, ask(t, http.MethodDelete, sessionsPath+"?user=alice"), http.StatusOK)
	s.wantEvent(l, "revoked", map[string]any{"user_id": testUser, "client_ip": "", "reason": "administrator"})
}

// TestEventsFromProvider: sessions that a provider ends are revoked, too.
func TestEventsFromProvider(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	l := s.listen(nil)
	v := s.signedInAt("oidc")
	s.wantEvent(l, "login", map[string]any{"provider": "oidc"})
	s.backChannel(p.LogoutToken("1001", "")).want(http.StatusOK)
	s.wantEvent(l, "revoked", map[string]any{"provider": "oidc", "client_ip": "198.51.100.7", "reason": "back_channel_logout"})
	if v.isIn() {
		t.Error("the session goes on")
	}
}

func TestDeniedIsReported(t *testing.T) {
	s := newSite(t)
	alice, err := s.door.sessions.Find(t.Context(), valueOf(s.signInAlice()), 0)
	if err != nil || alice == nil {
		t.Fatal("alice is not in", err)
	}
	l := s.listen(nil)
	before := scrape(t)
	s.reportDenied(prepared(get("/admin?token=x", from("203.0.113.9:1"))), s.identityOf(alice), "rule 3")
	s.wantEvent(l, "denied", map[string]any{"user_id": testUser, "client_ip": "203.0.113.9", "provider": "password", "reason": "rule 3", "path": "/admin"})
	s.wantLines("access denied", map[string]any{
		"event": "denied", "user_id": testUser, "client_ip": "203.0.113.9", "provider": "password",
		"session_id": anything, "reason": "rule 3", "path": "/admin",
	})
	wantMetrics(t, since(t, before), map[string]float64{"refusals_total denied": 1})
}

// TestEventHandlersDecideNothing: one that aborts or panics keeps nobody out,
// and no session from ending.
func TestEventHandlersDecideNothing(t *testing.T) {
	for name, do := range map[string]func() error{
		"aborts": func() error { return caddy.ErrEventAborted },
		"panics": func() error { panic("a mistake in a handler") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			l := s.listen(do)
			one, two := s.signInAlice(), s.signInAlice()
			if !s.isSignedIn(one) {
				t.Error("alice is not in")
			}
			wantStatus(t, ask(t, http.MethodDelete, sessionsPath+"?user=alice"), http.StatusOK)
			if s.isSignedIn(one) || s.isSignedIn(two) {
				t.Error("a session goes on")
			}
			if told := len(l.take()); told != 4 {
				t.Errorf("told of %d events, want 4", told)
			}
		})
	}
}

// TestEventsMayActOnSessions: whoever handles one may ask the admin API.
func TestEventsMayActOnSessions(t *testing.T) {
	s := newSite(t)
	ending := false
	s.listen(func() error {
		if !ending {
			ending = true
			ask(t, http.MethodDelete, sessionsPath+"?user=alice")
		}
		return nil
	})
	if s.isSignedIn(s.signInAlice()) {
		t.Error("alice is in")
	}
}

// TestEventsAfterReload: what an old handler still does is told by the new one.
func TestEventsAfterReload(t *testing.T) {
	s := newSite(t)
	cookie := s.signInAlice()
	old := *s.Handler
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	old.lasts = ended
	l := s.listen(nil)
	alice, err := s.door.sessions.Find(t.Context(), valueOf(cookie), 0)
	if err != nil || alice == nil {
		t.Fatal("alice is not in", err)
	}
	old.end(t.Context(), alice, ending{reason: endedByProvider, handler: &old})
	s.wantEvent(l, "revoked", map[string]any{"reason": "provider_refused_renewal"})
}

func valueOf(cookie string) string {
	_, value, _ := strings.Cut(cookie, "=")
	return value
}

func TestEveryEventHasALine(t *testing.T) {
	for _, event := range []string{eventLogin, eventLoginFailed, eventLogout, eventRevoked, eventDenied} {
		if auditLines[event].message == "" {
			t.Errorf("%s has none", event)
		}
	}
}
