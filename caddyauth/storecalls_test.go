// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

// TestWatchedStore: a store can do what it could, and nothing else.
func TestWatchedStore(t *testing.T) {
	sessiontest.RunStore(t, func(*testing.T) session.Store {
		return watchStore(sessiontest.NewMemoryStore(), "memory")
	})
	for name, c := range map[string]struct {
		store              session.Store
		announces, expires bool
	}{
		"plain":     {store: sessiontest.NewMemoryStore()},
		"announces": {store: sessiontest.NewAnnouncingStore(sessiontest.NewMemoryStore()), announces: true},
		"expires":   {store: expiring{sessiontest.NewMemoryStore()}, expires: true},
	} {
		t.Run(name, func(t *testing.T) {
			watched := watchStore(c.store, "memory")
			if _, announces := watched.(session.Announcer); announces != c.announces {
				t.Errorf("it announces: %v", announces)
			}
			if expirer, ok := watched.(session.Expirer); ok && expirer.Expires() != c.expires {
				t.Errorf("it expires: %v", !c.expires)
			}
		})
	}
}

type expiring struct{ session.Store }

func (expiring) Expires() bool { return true }
