// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
)

// awayRedis is a Redis that nobody will ever reach.
func awayRedis(h *Handler) { h.SessionStore = "redis://:a-redis-password@127.0.0.1:1" }

func TestSessionStoreRedis(t *testing.T) {
	t.Setenv("PANELAUTH_TEST_URL", "redis://u:p%40w@redis.example.com:7000/1")
	t.Setenv("PANELAUTH_TEST_PASSWORD", "a/pass@word:with?every#thing%{1} ü")
	t.Setenv("PANELAUTH_TEST_HOST", "redis.example.com:7000")
	const escaped = "a%2Fpass@word:with%3Fevery%23thing%25%7B1%7D%20%C3%BC"
	for written, want := range map[string]string{
		"redis://localhost": "redis://localhost",
		"redis+cluster://u:p@w@a.example.com,b.example.com":                           "redis+cluster://u:p@w@a.example.com,b.example.com",
		"{env.PANELAUTH_TEST_URL}":                                                    "redis://u:p%40w@redis.example.com:7000/1",
		"redis://u:{env.PANELAUTH_TEST_PASSWORD}@localhost/2":                         "redis://u:" + escaped + "@localhost/2",
		"unix://:{env.PANELAUTH_TEST_PASSWORD}@/run/redis.sock":                       "unix://:" + escaped + "@/run/redis.sock",
		"redis://:x{1}{env.PANELAUTH_TEST_PASSWORD}@localhost":                        "redis://:x{1}" + escaped + "@localhost",
		"redis://{env.PANELAUTH_TEST_HOST}/3":                                         "redis://redis.example.com:7000/3",
		"redis+sentinel://a?master=m&sentinel_password={env.PANELAUTH_TEST_PASSWORD}": "redis+sentinel://a?master=m&sentinel_password=a%2Fpass%40word%3Awith%3Fevery%23thing%25%7B1%7D+%C3%BC",
		"redis://u:x@{env.PANELAUTH_TEST_HOST}":                                       "redis://u:x@redis.example.com:7000",
		"redis+sentinel://{env.PANELAUTH_TEST_HOST},b/0?master=m":                     "redis+sentinel://redis.example.com:7000,b/0?master=m",
	} {
		t.Run(written, func(t *testing.T) {
			s := mustResolve(t, good(func(h *Handler) { h.SessionStore = written }))
			if s.redis == nil || s.redisURL != want {
				t.Errorf("the URL is %s, want %s", s.redisURL, want)
			}
		})
	}
}

// Handlers share what they know if they have the same Redis.
func TestDoorIsForOneStore(t *testing.T) {
	key := func(store string) doorKey {
		return newDoorKey(mustResolve(t, good(func(h *Handler) { h.SessionStore = store })), &certmagic.FileStorage{Path: "x"})
	}
	keys := map[doorKey]string{}
	for _, store := range []string{"", "cookie", "redis://a", "redis://b", "redis://a/1", "redis://:p@a"} {
		if other, taken := keys[key(store)]; taken {
			t.Errorf("%q and %q share a door", store, other)
		}
		keys[key(store)] = store
	}
	if _, shared := keys[key("redis://a")]; !shared {
		t.Error("the same store has two doors")
	}
}

// A Redis that is away keeps no site from being served: nobody is let in, and
// nobody is told that the session is over.
func TestStartsWithoutRedis(t *testing.T) {
	start := time.Now()
	s := newSite(t, awayRedis, optional)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("starting took %v", took)
	}
	s.serve(get("/")).wantUser("guest")
	refused := s.serve(post("/login", credentialsForm(testUser, testPassword)))
	if refused.StatusCode != http.StatusServiceUnavailable || refused.Header.Get("Retry-After") == "" {
		t.Errorf("signing in answers %d with Retry-After %q", refused.StatusCode, refused.Header.Get("Retry-After"))
	}

	session := newSite(t).signInAlice() // of an instance whose store works
	for name, options := range map[string]func(*http.Request){"page": browser, "program": header("Accept", "application/json")} {
		a := s.serve(get("/", cookieLine(session), options))
		if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || len(a.Cookies()) > 0 {
			t.Errorf("a %s is answered %d with %v", name, a.StatusCode, a.Header)
		}
	}
	if strings.Contains(s.logText(), "a-redis-password") {
		t.Error("the password is in the log")
	}
}

// Sessions are not in the storage, which need not be marked for them.
func TestRedisLeavesStorageAlone(t *testing.T) {
	storage := newFlakyStorage(t)
	storage.setAway(true)
	newSiteIn(t, storage, awayRedis)
}

func TestRedisWithGeneratedSecret(t *testing.T) {
	const warning = "cookie_secret is not configured: instances share"
	if s := newSite(t, awayRedis, generatedSecrets); !strings.Contains(s.logText(), warning) {
		t.Error("nobody says that the secret is not shared")
	}
	if s := newSite(t, awayRedis); strings.Contains(s.logText(), warning) {
		t.Error("a configured secret is warned of")
	}
}

func TestHandlerWithRedisIsJSON(t *testing.T) {
	var h Handler
	if err := json.Unmarshal([]byte(`{"session_store": "redis://localhost"}`), &h); err != nil || h.SessionStore != "redis://localhost" {
		t.Errorf("got %+v, %v", h.SessionStore, err)
	}
}
