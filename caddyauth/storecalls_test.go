// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

// TestWatchedStore: a store can do what it could, and nothing else.
func TestWatchedStore(t *testing.T) {
	sessiontest.RunStore(t, func(*testing.T) session.Store {
		return watchStore(sessiontest.NewMemoryStore(), "memory")
	})
	for name, c := range map[string]struct {
		store                        session.Store
		announces, expires, tallying bool
	}{
		"plain":     {store: sessiontest.NewMemoryStore()},
		"tallies":   {store: tallying{sessiontest.NewAnnouncingStore(sessiontest.NewMemoryStore())}, announces: true, tallying: true},
		"announces": {store: sessiontest.NewAnnouncingStore(sessiontest.NewMemoryStore()), announces: true},
		"expires":   {store: expiring{sessiontest.NewMemoryStore()}, expires: true},
	} {
		t.Run(name, func(t *testing.T) {
			watched := watchStore(c.store, "memory")
			if _, announces := watched.(session.Announcer); announces != c.announces {
				t.Errorf("it announces: %v", announces)
			}
			if _, ok := watched.(session.Tallier); ok != c.tallying {
				t.Errorf("it tallies: %v", ok)
			}
			if expirer, ok := watched.(session.Expirer); ok && expirer.Expires() != c.expires {
				t.Errorf("it expires: %v", !c.expires)
			}
		})
	}
}

type tallying struct{ session.Announcer }

func (tallying) Note(context.Context, string, string, time.Time, time.Time) ([]string, error) {
	return nil, nil
}
func (tallying) Strike(context.Context, string, []string) error { return nil }

type expiring struct{ session.Store }

func (expiring) Expires() bool { return true }
