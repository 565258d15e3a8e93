// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// newAdmin is Caddy's admin API as far as this module adds to it.
func newAdmin() http.Handler {
	mux := http.NewServeMux()
	for _, route := range (adminRoutes{}).Routes() {
		mux.HandleFunc(route.Pattern, func(w http.ResponseWriter, r *http.Request) {
			var failure caddy.APIError
			if err := route.Handler.ServeHTTP(w, r); errors.As(err, &failure) {
				if failure.Message == "" {
					failure.Message = failure.Err.Error()
				}
				w.WriteHeader(failure.HTTPStatus)
				_ = json.NewEncoder(w).Encode(failure)
			} else if err != nil {
				panic(err)
			}
		})
	}
	return mux
}

// ask asks the admin API.
func ask(t testing.TB, method, uri string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	newAdmin().ServeHTTP(recorder, httptest.NewRequest(method, uri, nil))
	return recorder
}

func wantStatus(t testing.TB, got *httptest.ResponseRecorder, status int) {
	t.Helper()
	if got.Code != status {
		t.Fatalf("status is %d, want %d: %s", got.Code, status, got.Body)
	}
}

func listOf(t testing.TB) (sessions []map[string]any) {
	t.Helper()
	got := ask(t, http.MethodGet, sessionsPath)
	wantStatus(t, got, http.StatusOK)
	if err := json.Unmarshal(got.Body.Bytes(), &sessions); err != nil || sessions == nil {
		t.Fatalf("%v: %s", err, got.Body)
	}
	return sessions
}

func usersOf(sessions []map[string]any) (users []string) {
	for _, s := range sessions {
		users = append(users, s["user"].(string))
	}
	slices.Sort(users)
	return users
}

func withBob(h *Handler) { h.BasicAuth.Accounts["bob"] = testPassword }

func TestAdminList(t *testing.T) {
	for mode, options := range modes {
		t.Run(mode, func(t *testing.T) {
			s := newSite(t, append(options, withBob)...)
			if got := ask(t, http.MethodGet, sessionsPath); got.Body.String() != "[]\n" || got.Header().Get("Content-Type") != "application/json" {
				t.Errorf("nobody is %q of %q", got.Body, got.Header().Get("Content-Type"))
			}
			began := time.Now().Add(-time.Second)
			cookie := s.signInAlice(from("203.0.113.5:4711"))
			s.signIn("bob", testPassword)
			if !s.isSignedIn(cookie) {
				t.Fatal("no session")
			}
			sessions := listOf(t)
			if users := usersOf(sessions); !slices.Equal(users, []string{"alice", "bob"}) {
				t.Fatalf("listed are %q", users)
			}
			alice := sessions[slices.IndexFunc(sessions, func(s map[string]any) bool { return s["user"] == "alice" })]
			var fields []string
			for name := range alice {
				fields = append(fields, name)
			}
			slices.Sort(fields)
			if want := []string{"client_ip", "connections", "created", "expires", "id", "last_seen", "provider", "user"}; !slices.Equal(fields, want) {
				t.Errorf("the fields are %q", fields)
			}
			if alice["provider"] != "password" || alice["client_ip"] != "203.0.113.5" || alice["connections"] != 0.0 {
				t.Errorf("listed is %v", alice)
			}
			for _, name := range []string{"created", "last_seen", "expires"} {
				at, err := time.Parse(time.RFC3339, fmt.Sprint(alice[name]))
				if err != nil || at.Before(began) || name != "expires" && at.After(time.Now()) {
					t.Errorf("%s is %v", name, alice[name])
				}
			}
			incomplete := ask(t, http.MethodGet, sessionsPath).Header().Get(incompleteHeader)
			if (incomplete != "") != (mode == "cookie") {
				t.Errorf("%s is %q", incompleteHeader, incomplete)
			}
		})
	}
}

// TestAdminListOfAllDoors: each session once, whichever sites share it.
func TestAdminListOfAllDoors(t *testing.T) {
	storage := &certmagic.FileStorage{Path: newFolder(t)}
	one := newSiteIn(t, storage)
	two := newSiteIn(t, storage, func(h *Handler) { h.CookieSecret = []string{"another secret of the tests", testSecret} })
	three := newSite(t, withBob)
	one.signInAlice()
	two.signInAlice()
	three.signIn("bob", testPassword)
	if users := usersOf(listOf(t)); !slices.Equal(users, []string{"alice", "alice", "bob"}) {
		t.Errorf("listed are %q", users)
	}
	got := ask(t, http.MethodDelete, sessionsPath+"?user=alice")
	wantStatus(t, got, http.StatusOK)
	if got.Body.String() != "{\"ended\":2}\n" {
		t.Errorf("the answer is %s", got.Body)
	}
	if users := usersOf(listOf(t)); !slices.Equal(users, []string{"bob"}) {
		t.Errorf("listed are %q", users)
	}
}

func TestAdminEndsOne(t *testing.T) {
	for mode, options := range modes {
		t.Run(mode, func(t *testing.T) {
			s := newSite(t, options...)
			one := s.signInAlice()
			id := listOf(t)[0]["id"].(string)
			two := s.signInAlice()
			wantStatus(t, ask(t, http.MethodDelete, sessionsPath+"/"+id), http.StatusNoContent)
			if s.isSignedIn(one) || !s.isSignedIn(two) {
				t.Errorf("one is in: %v, two is in: %v", s.isSignedIn(one), s.isSignedIn(two))
			}
			wantStatus(t, ask(t, http.MethodDelete, sessionsPath+"/"+id), http.StatusNotFound)
			lines := s.logs.FilterMessage("session revoked").All()
			if len(lines) != 1 {
				t.Fatalf("%d lines are logged", len(lines))
			}
			fields := lines[0].ContextMap()
			if fields["event"] != "revoked" || fields["user_id"] != "alice" || fields["session_id"] != id || fields["reason"] != "administrator" {
				t.Errorf("logged is %v", fields)
			}
		})
	}
}

func TestAdminEndsUser(t *testing.T) {
	for mode, options := range modes {
		t.Run(mode, func(t *testing.T) {
			s := newSite(t, append(options, func(h *Handler) { h.BasicAuth.Accounts["bob & co"] = testPassword })...)
			one, two, bob := s.signInAlice(), s.signInAlice(), s.signIn("bob & co", testPassword)
			wantStatus(t, ask(t, http.MethodDelete, sessionsPath+"?user=alice"), http.StatusOK)
			if s.isSignedIn(one) || s.isSignedIn(two) || !s.isSignedIn(bob) {
				t.Error("the wrong sessions are over")
			}
			wantStatus(t, ask(t, http.MethodDelete, sessionsPath+"?user=bob+%26+co"), http.StatusOK)
			if s.isSignedIn(bob) {
				t.Error("bob is still in")
			}
			got := ask(t, http.MethodDelete, sessionsPath+"?user=nobody")
			wantStatus(t, got, http.StatusOK)
			if got.Body.String() != "{\"ended\":0}\n" {
				t.Errorf("the answer is %s", got.Body)
			}
			if !s.isSignedIn(s.signInAlice()) {
				t.Error("alice cannot sign in again")
			}
		})
	}
}

// TestAdminEndsWhatIsNotKnown: a session of another instance, or from before a
// restart; in cookies, also one that came here before but was forgotten.
func TestAdminEndsWhatIsNotKnown(t *testing.T) {
	for mode, options := range modes {
		t.Run(mode, func(t *testing.T) {
			dir := newFolder(t)
			there := newSiteIn(t, anotherInstance("there "+dir, dir), options...)
			c := there.withClock()
			cookie := there.signInAlice()
			here := newSiteIn(t, anotherInstance("here "+dir, dir), options...)
			c.pass(time.Second)
			here.useClock(c)
			wantStatus(t, ask(t, http.MethodDelete, sessionsPath+"?user=alice"), http.StatusOK)
			if here.isSignedIn(cookie) {
				t.Error("the session goes on")
			}
		})
	}
}

// TestAdminRevokesTokens: what an administrator ends is over at the provider,
// too, as after a logout.
func TestAdminRevokesTokens(t *testing.T) {
	for name, uri := range map[string]func(id string) string{
		"by id":   func(id string) string { return sessionsPath + "/" + id },
		"by name": func(string) string { return sessionsPath + "?user=alice@example.org" },
	} {
		t.Run(name, func(t *testing.T) {
			p := newOpenID(t)
			s := newSite(t, signInWith(p), refreshTokens)
			v := s.signedInAt("oidc")
			id, _ := listOf(t)[0]["id"].(string)
			if got := ask(t, http.MethodDelete, uri(id)); got.Code >= http.StatusMultipleChoices {
				t.Fatal("the answer is", got.Code)
			}
			if v.isIn() {
				t.Error("the session goes on")
			}
			eventually(t, "the refresh token is revoked", func() bool { return asked(p, providertest.Revocation) == 1 })
		})
	}
}

func TestAdminRefuses(t *testing.T) {
	s := newSite(t)
	cookie := s.signInAlice()
	for _, c := range []struct {
		method, uri string
		status      int
	}{
		{"POST", sessionsPath, http.StatusMethodNotAllowed},
		{"PUT", sessionsPath + "/x", http.StatusMethodNotAllowed},
		{"GET", sessionsPath + "/x", http.StatusMethodNotAllowed},
		{"DELETE", sessionsPath, http.StatusBadRequest},
		{"DELETE", sessionsPath + "?user=", http.StatusBadRequest},
		{"DELETE", sessionsPath + "?user=alice&user=bob", http.StatusBadRequest},
		{"DELETE", sessionsPath + "?usr=alice", http.StatusBadRequest},
		{"DELETE", sessionsPath + "/", http.StatusNotFound},
		{"DELETE", sessionsPath + "/x", http.StatusNotFound},
		{"DELETE", sessionsPath + "/" + strings.Repeat("0", 32), http.StatusNotFound},
		{"DELETE", sessionsPath + "/alice", http.StatusNotFound},
	} {
		t.Run(c.method+" "+c.uri, func(t *testing.T) {
			got := ask(t, c.method, c.uri)
			wantStatus(t, got, c.status)
			if !strings.Contains(got.Body.String(), `"error":"`) {
				t.Errorf("the answer is %s", got.Body)
			}
		})
	}
	if !s.isSignedIn(cookie) {
		t.Error("the session is over")
	}
}

func TestAdminStoreAway(t *testing.T) {
	storage := newFlakyStorage(t)
	s := newSiteIn(t, storage)
	other := newSite(t)
	s.door.logger, other.door.logger = zap.NewNop(), zap.NewNop()
	cookie, there := s.signInAlice(), other.signInAlice()
	id := listOf(t)[0]["id"].(string)
	storage.setAway(true)
	wantStatus(t, ask(t, http.MethodDelete, sessionsPath+"/"+strings.Repeat("0", len(id))), http.StatusServiceUnavailable)
	got := ask(t, http.MethodDelete, sessionsPath+"?user=alice")
	wantStatus(t, got, http.StatusServiceUnavailable)
	if !strings.Contains(got.Body.String(), "2 sessions have ended") {
		t.Errorf("the answer is %s", got.Body)
	}
	if s.isSignedIn(cookie) || other.isSignedIn(there) {
		t.Error("what is known here goes on")
	}
	s.wantListFails(t)
	storage.setAway(false)
	if len(listOf(t)) != 0 {
		t.Error("a session is listed that ended while the store was away")
	}
}

// wantListFails checks that a list that cannot be had is no shorter list.
func (s *site) wantListFails(t *testing.T) {
	t.Helper()
	defer func() {
		if broken := recover(); broken != nil && !isAbort(broken) {
			panic(broken)
		}
	}()
	if got := ask(t, http.MethodGet, sessionsPath); got.Code != http.StatusServiceUnavailable {
		t.Errorf("the status is %d: %s", got.Code, got.Body)
	}
}

func isAbort(broken any) bool {
	err, ok := broken.(error)
	return ok && errors.Is(err, http.ErrAbortHandler)
}

// TestAdminListIsBrokenOff: one that has begun must not look whole.
func TestAdminListIsBrokenOff(t *testing.T) {
	recorder := httptest.NewRecorder()
	list := &sessionList{w: recorder}
	if err := list.add(listedSession{ID: "x"}); err != nil {
		t.Fatal(err)
	}
	list.lack(t.Context(), &door{logger: zap.NewNop()}, errAway)
	if err := list.add(listedSession{ID: "y"}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if !isAbort(recover()) {
			t.Error("the answer ends as if it were whole")
		}
		if text := recorder.Body.String(); json.Valid([]byte(text)) || !strings.Contains(text, `"y"`) {
			t.Errorf("%s looks whole, or hides what comes after", text)
		}
	}()
	_ = list.end()
}

// TestAdminOneDoorAway: sites whose store is away keep nobody from the sessions
// of others.
func TestAdminOneDoorAway(t *testing.T) {
	for _, first := range []bool{true, false} {
		t.Run(fmt.Sprintf("provisioned first: %t", first), func(t *testing.T) {
			storage := newFlakyStorage(t)
			var s, away *site
			if first {
				away = newSiteIn(t, storage)
			}
			s = newSite(t, withBob)
			if !first {
				away = newSiteIn(t, storage)
			}
			away.door.logger = zap.NewNop()
			there, bob := away.signInAlice(), s.signIn("bob", testPassword)
			alice := s.signInAlice()
			id := func(user string) string {
				sessions := listOf(t)
				return sessions[slices.IndexFunc(sessions, func(s map[string]any) bool { return s["user"] == user })]["id"].(string)
			}
			bobs := id("bob")
			storage.setAway(true)
			got := ask(t, http.MethodGet, sessionsPath)
			wantStatus(t, got, http.StatusOK)
			if users := usersOf(listOf(t)); !slices.Equal(users, []string{"alice", "bob"}) {
				t.Errorf("listed are %q", users)
			}
			if lacks := got.Header().Values(incompleteHeader); !slices.Equal(lacks, []string{lacksStore}) {
				t.Errorf("%s is %q", incompleteHeader, lacks)
			}
			got = ask(t, http.MethodDelete, sessionsPath+"/"+bobs)
			if wantStatus(t, got, http.StatusServiceUnavailable); !strings.Contains(got.Body.String(), "the session has ended here") {
				t.Errorf("the answer is %s", got.Body)
			}
			if s.isSignedIn(bob) || !s.isSignedIn(alice) || !away.isSignedIn(there) {
				t.Error("the wrong session is over")
			}
			got = ask(t, http.MethodDelete, sessionsPath+"/"+bobs)
			if wantStatus(t, got, http.StatusServiceUnavailable); !strings.Contains(got.Body.String(), "no session of that id was found") {
				t.Errorf("the answer is %s", got.Body)
			}
			storage.setAway(false)
			wantStatus(t, ask(t, http.MethodDelete, sessionsPath+"/"+bobs), http.StatusNotFound)
			wantStatus(t, ask(t, http.MethodDelete, sessionsPath+"/"+id("alice")), http.StatusNoContent)
		})
	}
}

// TestAdminListNobodyWaitsFor: that who asked has gone is no failure.
func TestAdminListNobodyWaitsFor(t *testing.T) {
	s := newSite(t)
	core, logs := observer.New(zap.DebugLevel)
	s.door.logger = zap.New(core)
	s.signInAlice()
	ctx, leave := context.WithCancel(t.Context())
	leave()
	defer func() {
		if !isAbort(recover()) {
			t.Error("an answer is made all the same")
		}
		if n := logs.Len(); n != 0 {
			t.Errorf("logged is %v", logs.All())
		}
	}()
	newAdmin().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, sessionsPath, nil))
}

func TestAdminIsRegistered(t *testing.T) {
	module, err := caddy.GetModule("admin.api.panelauth")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := module.New().(caddy.AdminRouter); !ok {
		t.Error("it has no routes")
	}
}
