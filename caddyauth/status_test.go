// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func statusNow(t testing.TB) (s status) {
	t.Helper()
	got := ask(t, http.MethodGet, statusPath)
	wantStatus(t, got, http.StatusOK)
	if err := json.Unmarshal(got.Body.Bytes(), &s); err != nil {
		t.Fatalf("%v: %s", err, got.Body)
	}
	return s
}

// onlyGroup is the status of the one site that a test has.
func onlyGroup(t testing.TB) groupStatus {
	t.Helper()
	groups := statusNow(t).Groups
	if len(groups) != 1 || len(groups[0].Handlers) != 1 {
		t.Fatalf("there is %+v, want one handler", groups)
	}
	return groups[0]
}

func TestStatusOfNothing(t *testing.T) {
	if got := ask(t, http.MethodGet, statusPath); !strings.Contains(got.Body.String(), `"groups":[]`) {
		t.Errorf("it is %s", got.Body)
	}
	wantStatus(t, ask(t, http.MethodPost, statusPath), http.StatusMethodNotAllowed)
}

func TestStatusOfStore(t *testing.T) {
	storage := newFlakyStorage(t)
	s := newSiteIn(t, storage)
	one := s.signInAlice()
	s.signInAlice()
	s.serve(get("/logout", cookieLine(one)))
	group := onlyGroup(t)
	if group.Sessions != 1 || group.Connections != 0 || group.Store != (storeStatus{Kind: "storage", Working: true}) {
		t.Errorf("it is %+v", group)
	}
	storage.setAway(true)
	var store storeStatus
	eventually(t, "the store is away", func() bool { // once what the logout left to do is done
		s.serve(post("/login", credentialsForm(testUser, testPassword))).want(http.StatusServiceUnavailable)
		store = onlyGroup(t).Store
		return !store.Working
	})
	if store.LastError != "failed" || time.Since(store.FailingSince) > time.Hour {
		t.Errorf("away it is %+v", store)
	}
	storage.setAway(false)
	s.signInAlice()
	if store := onlyGroup(t).Store; !store.Working || store.LastError != "" || !store.FailingSince.IsZero() {
		t.Errorf("back it is %+v", store)
	}
}

func TestStatusOfStoreKinds(t *testing.T) {
	for kind, configure := range map[string]func(*Handler){"cookie": stateless, "redis": awayRedis} {
		t.Run(kind, func(t *testing.T) {
			newSite(t, configure)
			got := ask(t, http.MethodGet, statusPath).Body.String()
			if group := onlyGroup(t); group.Store.Kind != kind || strings.Contains(got, "a-redis-password") {
				t.Errorf("it is %s", got)
			}
		})
	}
}

func TestStatusOfProvider(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p, called("corp")))
	if err := s.ways[0].Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := onlyGroup(t).Handlers[0].Providers[0]
	if got.ID != "corp" || got.Name != p.Name || !got.Ready || got.Reachable == nil || !*got.Reachable || got.LastError != "" {
		t.Errorf("it is %+v", got)
	}
	if got.LastAnswer.IsZero() || got.KeysFetched.IsZero() || got.DiscoveredAt.IsZero() || got.KeysAge < 0 {
		t.Errorf("it lacks a time: %+v", got)
	}
	v := s.newVisitor("")
	answer := v.answerOf(v.begin("/login"))
	away(p)
	v.comeBack(answer).want(http.StatusServiceUnavailable)
	got = onlyGroup(t).Handlers[0].Providers[0]
	if !got.Ready || *got.Reachable || got.LastError == "" {
		t.Errorf("away it is %+v", got)
	}
}

func TestStatusOfProviderThatWasNotThere(t *testing.T) {
	p := newOpenID(t)
	away(p)
	s := newSite(t, signInWith(p))
	if s.ways[0].Ready(t.Context()) == nil {
		t.Fatal("it is there")
	}
	got := onlyGroup(t).Handlers[0].Providers[0]
	if got.Ready || got.Reachable == nil || *got.Reachable || got.LastError == "" || !got.KeysFetched.IsZero() {
		t.Errorf("it is %+v", got)
	}
}

func TestStatusOfFiles(t *testing.T) {
	users := newFile(t, "users.json", `{"alice": "`+testPassword+`", "bob": "`+testPassword+`"}`)
	page := newFile(t, "login.html", "<form></form>")
	s := newSite(t, accountsFile(users), func(h *Handler) { h.BasicLoginTemplate, h.AuthTemplate = page, page })
	h := onlyGroup(t).Handlers[0]
	if h.LoginEndpoint != "/login" || h.CredentialsFile.File != users || h.CredentialsFile.Users != 2 ||
		h.CredentialsFile.Error != "" || h.CredentialsFile.Loaded.IsZero() {
		t.Errorf("it is %+v", h)
	}
	if len(h.Templates) != 1 || h.Templates[0].File != page || h.Templates[0].Error != "" || h.Templates[0].Loaded.IsZero() {
		t.Errorf("templates are %+v", h.Templates)
	}
	overwrite(t, users, `{"alice": "another secret" "bob"}`)
	s.credentialsFile.refresh()
	got := ask(t, http.MethodGet, statusPath).Body.String()
	broken := onlyGroup(t).Handlers[0].CredentialsFile
	if broken.Users != 2 || broken.Error == "" || strings.Contains(got, "another secret") || strings.Contains(got, testPassword) {
		t.Errorf("broken it is %s", got)
	}
	overwrite(t, users, `{"alice": "another secret"}`)
	s.credentialsFile.refresh()
	if mended := onlyGroup(t).Handlers[0].CredentialsFile; mended.Users != 1 || mended.Error != "" {
		t.Errorf("mended it is %+v", mended)
	}
}

func TestStatusOfHashing(t *testing.T) {
	defer withHashes(newHashGate(2, 30))()
	done := make(chan struct{})
	begun := make(chan struct{})
	go func() {
		_ = hashes.do(t.Context(), func() { close(begun); <-done })
	}()
	<-begun
	if got := statusNow(t).PasswordHashing; got != (hashingStatus{Running: 1, MaxRunning: 2, MaxWaiting: 30}) {
		t.Errorf("it is %+v", got)
	}
	close(done)
}

func TestStatusCommand(t *testing.T) {
	p := newOpenID(t)
	away(p)
	users := newFile(t, "users.json", `{"alice": "`+testPassword+`"}`)
	s := newSite(t, signInWith(p, called("corp")), accountsFile(users))
	_ = s.ways[0].Ready(t.Context())
	s.signInAlice()
	admin := httptest.NewServer(newAdmin())
	defer admin.Close()
	out, err := run(t, "status", "--address", strings.TrimPrefix(admin.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Passwords: 0 of ", "storage  yes    1", "corp      NO     NO", users, "FILE"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if _, err := run(t, "status", "--address", "127.0.0.1:1"); err == nil {
		t.Error("a Caddy that is not there is no error")
	}
}
