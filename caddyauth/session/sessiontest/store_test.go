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
