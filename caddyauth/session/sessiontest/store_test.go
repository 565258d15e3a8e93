// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package sessiontest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

func TestMemoryStore(t *testing.T) {
	sessiontest.RunStore(t, func(*testing.T) session.Store { return sessiontest.NewMemoryStore() })
}

func TestFaultyStore(t *testing.T) {
	sessiontest.RunStore(t, func(*testing.T) session.Store {
		return sessiontest.NewFaultyStore(sessiontest.NewMemoryStore())
	})
}

func TestAbandonedLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := sessiontest.NewFaultyStore(sessiontest.NewMemoryStore())
		sessiontest.RunAbandonedLock(t, store, func(string) { time.Sleep(session.LockLease) })
	})
}

func TestAnnouncingStore(t *testing.T) {
	sessiontest.RunStore(t, func(*testing.T) session.Store {
		return sessiontest.NewAnnouncingStore(sessiontest.NewMemoryStore())
	})
}

// rigOf is a rig on a store that can be made to fail.
func rigOf(store *sessiontest.FaultyStore) sessiontest.Rig {
	return sessiontest.Rig{
		Open:  func() session.Store { return store },
		Break: func() { store.SetAway(true) },
		Mend:  func() { store.SetAway(false) },
		Slow:  store.SetDelay,
	}
}

func TestMemoryStoreInstances(t *testing.T) {
	sessiontest.RunInstances(t, func(*testing.T) sessiontest.Rig {
		return rigOf(sessiontest.NewFaultyStore(sessiontest.NewMemoryStore()))
	})
}

// Sessions in cookies need no store.
func TestCookieInstances(t *testing.T) {
	sessiontest.RunInstances(t, func(*testing.T) sessiontest.Rig { return sessiontest.Rig{} })
}
