// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// TestSessionMemory: what is kept of a session after its first request is less
// than 1 KiB, once the second of Panel's cookies is over.
func TestSessionMemory(t *testing.T) {
	const many, most = 10_000, 1024
	tests := map[string]string{
		"plain account":       `{"*": "pw"}`,
		"account with groups": `{"*": {"password": "pw", "name": "A User", "email": "user@example.com", "groups": ["staff", "admins"]}}`,
	}
	for name, file := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, accountsFile(newFile(t, "users.json", file)))
			sessions, err := session.NewManager(session.Config{Secrets: s.settings.secrets, Store: allKnowing{s.door.storage}, Fresh: time.Hour, Stale: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			s.door.sessions = sessions
			s.beginAndAsk("first") // which finds out what all others know
			before := heapInUse()
			for i := range many {
				s.beginAndAsk(fmt.Sprintf("user%05d@example.com", i))
			}
			eventually(t, "Panel's cookies of the last second are let go", func() bool { return s.door.signed.newest.Load() == nil })
			each := (heapInUse() - before) / many
			if t.Logf("%d bytes for a session", each); each > most {
				t.Errorf("more than %d", most)
			}
			runtime.KeepAlive(s)
		})
	}
}

// beginAndAsk makes a session and serves its first request.
func (s *site) beginAndAsk(user string) {
	s.t.Helper()
	proof, ok := s.accounts().signIn(user, "pw")
	if !ok {
		s.t.Fatal("the password is not known")
	}
	record := session.Record{User: user, Provider: passwordProvider, Proof: proof, Expires: time.Now().Add(time.Hour), ClientIP: "192.0.2.1"}
	_, cookie, err := s.door.sessions.Begin(s.t.Context(), record)
	if err != nil {
		s.t.Fatal(err)
	}
	r := prepared(get("/app", cookieLine("panelauth="+cookie)))
	if err := s.ServeHTTP(&discard{header: make(http.Header)}, r, nobody); err != nil {
		s.t.Fatal(err)
	}
	if user, _ := replacerOf(r).GetString("http.auth.user.id"); user != record.User {
		s.t.Fatalf("passed on as %q", user)
	}
}

// heapInUse is how much this process needs, what could be collected left out.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestPanelLinesAreDropped: the line of a second goes after it, and a newer one
// stays.
func TestPanelLinesAreDropped(t *testing.T) {
	var lines panelLines
	alice, bob, now := new(identity), new(identity), time.Now()
	lines.add(&panelLine{of: alice}, now)
	lines.add(&panelLine{of: bob}, now)
	newer := &panelLine{of: alice}
	alice.panel.Store(newer)
	lines.drop()
	if alice.panel.Load() != newer || bob.panel.Load() != nil || lines.newest.Load() != nil {
		t.Error("the wrong lines were let go")
	}
}
