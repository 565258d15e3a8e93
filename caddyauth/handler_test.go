// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"net/http"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

func TestModule(t *testing.T) {
	info, err := caddy.GetModule("http.handlers.panelauth")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := info.New().(*Handler); !ok {
		t.Errorf("it is a %T", info.New())
	}
}

// TestCleanupOfHalf: Caddy cleans up what it could not provision.
func TestCleanupOfHalf(t *testing.T) {
	if err := new(Handler).Cleanup(); err != nil {
		t.Error(err)
	}
	storage := newFlakyStorage(t)
	storage.setAway(true)
	for name, h := range map[string]*Handler{
		"mistakes":       {},
		"no storage":     {BasicAuth: &BasicAuth{Source: testPassword}},
		"no such folder": {BasicAuth: &BasicAuth{Source: "/no/such/file"}},
	} {
		if err := h.provision(caddy.Context{Context: context.Background()}, zap.NewNop(), storage); err == nil {
			t.Errorf("%s: it starts", name)
		}
		if err := h.Cleanup(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReload: the new handler begins before the old one ends. Sessions in
// memory and failed attempts go on.
func TestReload(t *testing.T) {
	storage := newFlakyStorage(t)
	provision := func() (*Handler, context.CancelFunc) {
		h := &Handler{BasicAuth: &BasicAuth{Source: testPassword}, CookieSecret: []string{testSecret}}
		ctx, cancel := context.WithCancel(context.Background())
		// A reload makes a new storage value with the same name.
		again := anotherInstance(storage.name[len("flaky "):], storage.Storage.(*certmagic.FileStorage).Path)
		again.setAway(false)
		if err := h.provision(caddy.Context{Context: ctx}, zap.NewNop(), again); err != nil {
			t.Fatal(err)
		}
		return h, cancel
	}
	newSiteOf := func(h *Handler) *site { return &site{Handler: h, t: t, app: &application{}} }

	old, cancelOld := provision()
	cookie := newSiteOf(old).signInAlice()
	for range 5 {
		newSiteOf(old).serve(post("/login", credentialsForm("bob", "wrong"))).want(http.StatusUnauthorized)
	}
	fresh, cancelFresh := provision()
	cancelOld()
	if err := old.Cleanup(); err != nil {
		t.Fatal(err)
	}
	s := newSiteOf(fresh)
	s.serve(post("/login", credentialsForm("bob", "wrong"))).want(http.StatusTooManyRequests)
	fresh.storage.(*flakyStorage).setAway(true)
	if !s.isSignedIn(cookie) {
		t.Error("a session in memory is lost")
	}
	fresh.storage.(*flakyStorage).setAway(false)
	s.signInAlice(from("192.0.2.77:1")) // the storage that is open now
	if _, ok := doors.References(fresh.doorKey); !ok {
		t.Error("the door is closed")
	}
	cancelFresh()
	if err := fresh.Cleanup(); err != nil {
		t.Fatal(err)
	}
	if n, ok := doors.References(fresh.doorKey); ok {
		t.Errorf("the door is still open, for %d", n)
	}
}

// TestFailedReload: a configuration that is refused leaves the one in force as
// it was.
func TestFailedReload(t *testing.T) {
	dir := newFolder(t)
	s := newSiteIn(t, &certmagic.FileStorage{Path: dir})
	cookie := s.signInAlice()
	if _, err := tryNewSite(t, &certmagic.FileStorage{Path: dir}, func(h *Handler) { h.BasicAuth = nil }); err == nil {
		t.Fatal("it starts")
	}
	if !s.isSignedIn(cookie) {
		t.Error("the session is lost")
	}
	s.signInAlice()
}

func TestWeakPassword(t *testing.T) {
	for password, want := range map[string]int{"short": 1, "1234567": 1, "12345678": 0, bcryptOf(t, "short", 4): 0} {
		s := newSite(t, func(h *Handler) { h.BasicAuth = &BasicAuth{Source: password} })
		lines := s.logs.FilterMessageSnippet("fewer than 8").All()
		if len(lines) != want {
			t.Errorf("%q: %d warnings", password, len(lines))
		}
	}
}

func renewingInCookies(h *Handler) {
	stateless(h)
	refreshTokens(h)
	entries(OAuthProvider{Name: "github", Key: "key", Secret: "secret"})(h)
}

// TestLimitsAreSaid at start.
func TestLimitsAreSaid(t *testing.T) {
	tests := map[string]struct {
		change func(*Handler)
		says   string
		want   int
	}{
		"default":        {func(*Handler) {}, "", 0},
		"in the browser": {stateless, "sessions are kept in cookies", 1},
		"tokens there":   {renewingInCookies, "each instance renews tokens for itself", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			logs := newSite(t, test.change).logs
			if n := logs.FilterMessageSnippet(test.says).Len(); n != test.want {
				t.Errorf("said %d times: %v", n, logs.All())
			}
		})
	}
}

// TestWithoutCaddy: a request that did not come through Caddy's server has no
// replacer and no variables, which is no reason to fail.
func TestWithoutCaddy(t *testing.T) {
	s := newSite(t, optional)
	cookie := s.signInAlice()
	for _, line := range []string{"", cookie} {
		if err := s.ServeHTTP(newRecorder(), get("/app", cookieLine(line)), s.app); err != nil {
			t.Error(err)
		}
	}
	if s.app.hits != 2 {
		t.Errorf("%d requests got through", s.app.hits)
	}
}
