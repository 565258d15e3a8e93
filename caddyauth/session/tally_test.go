// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

func TestMemoryStoreTally(t *testing.T) {
	sessiontest.RunTally(t, func(*testing.T) session.Store { return sessiontest.NewMemoryStore() })
}

// keyStore remembers the keys that are written to it.
type keyStore struct {
	session.Store
	mu   sync.Mutex
	keys []string
}

func (s *keyStore) Save(ctx context.Context, key string, value []byte, expires time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, key)
	return s.Store.Save(ctx, key, value, expires)
}

var someone = session.Attempt{User: "alice", Address: "192.0.2.1", Area: "192.0.2.1"}

func newTallying(t *testing.T, store session.Store, now func() time.Time, secret string) *session.Manager {
	t.Helper()
	m, err := session.NewManager(session.Config{Secrets: [][]byte{[]byte(secret)}, Store: store, Now: now, StoreTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestTallySaysNothing: who reads the store learns neither names nor addresses,
// nor can find out by trying them.
func TestTallySaysNothing(t *testing.T) {
	store := &keyStore{Store: sessiontest.NewMemoryStore()}
	for _, secret := range []string{"one secret", "another secret"} {
		if _, err := newTallying(t, store, time.Now, secret).Note(t.Context(), someone, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range store.keys {
		if strings.Contains(key, "alice") || strings.Contains(key, "192.0") {
			t.Errorf("the key is %s", key)
		}
	}
	one, two := strings.Split(store.keys[0], "/"), strings.Split(store.keys[1], "/")
	if len(one) != 4 || one[2] == two[2] || strings.Split(one[3], ".")[1] == strings.Split(two[3], ".")[1] {
		t.Errorf("the keys do not depend on the secret: %q", store.keys)
	}
}

// TestTallyBound: what strangers can make an instance write is bounded, and so
// is what stays of it.
func TestTallyBound(t *testing.T) {
	store, now := sessiontest.NewMemoryStore(), time.Now()
	m := newTallying(t, store, func() time.Time { return now }, "a secret")
	refused := 0
	for i := range 5000 {
		address := fmt.Sprint("10.0.", i>>8, ".", i&255)
		if _, err := m.Note(t.Context(), session.Attempt{User: fmt.Sprint("name ", i), Address: address, Area: address}, time.Minute); err != nil {
			refused++
		}
	}
	if n := store.Len(); n > 1000 || refused != 5000-n {
		t.Errorf("%d entries, %d refused", n, refused)
	}
	now = now.Add(3 * time.Hour)
	if err := m.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := store.Len(); n != 0 {
		t.Errorf("%d entries are left", n)
	}
	if _, err := m.Note(t.Context(), someone, time.Minute); err != nil {
		t.Error("counts alone for ever:", err)
	}
}

// TestTallyStoreTrouble: a store that is away, full or hangs is an error soon,
// and asked again later.
func TestTallyStoreTrouble(t *testing.T) {
	for name, set := range map[string]func(*sessiontest.FaultyStore, bool){
		"away":  (*sessiontest.FaultyStore).SetAway,
		"full":  (*sessiontest.FaultyStore).SetFull,
		"hangs": (*sessiontest.FaultyStore).SetHung,
	} {
		t.Run(name, func(t *testing.T) {
			store, now := sessiontest.NewFaultyStore(sessiontest.NewMemoryStore()), time.Now()
			m := newTallying(t, store, func() time.Time { return now }, "a secret")
			set(store, true)
			for range 20 {
				if n, err := m.Note(t.Context(), someone, time.Minute); err == nil || n != nil {
					t.Fatal("counted")
				}
			}
			if n := store.Saves.Load(); n > 1 {
				t.Errorf("a store that was away a moment ago is asked %d times", n)
			}
			set(store, false)
			now = now.Add(2 * time.Second)
			if _, err := m.Note(t.Context(), someone, time.Minute); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTallyOfCookies: without a store there is nothing to share, and no error.
func TestTallyOfCookies(t *testing.T) {
	m := newTallying(t, nil, time.Now, "a secret")
	n, err := m.Note(t.Context(), someone, time.Minute)
	if n != nil || err != nil {
		t.Errorf("%v, %v", n, err)
	}
	m.TakeBack(n)
	m.Forgive(n)
}

// TestTallyImpatient: who hangs up before the answer has tried nevertheless.
func TestTallyImpatient(t *testing.T) {
	m := newTallying(t, sessiontest.NewMemoryStore(), time.Now, "a secret")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Note(gone, someone, time.Minute); err != nil {
		t.Error(err)
	}
}
