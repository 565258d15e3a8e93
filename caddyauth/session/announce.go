// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"time"
)

const (
	// Instead of Fresh and Stale, while this instance cannot hear of ends
	// elsewhere: asking more often makes up for it.
	deafFresh = time.Second
	deafStale = 2 * time.Second

	firstFollow = 100 * time.Millisecond
	lastFollow  = 2 * time.Second
)

// announce tells the other instances that the session of a record is over. One
// who does not hear it finds out when it asks the store.
func (m *Manager) announce(ctx context.Context, key string) {
	if m.announcer == nil {
		return
	}
	if _, _, ok := parseRecordKey(key, m.config.Now()); !ok {
		return // tokens, which nobody is told about
	}
	if m.tellOthers(ctx, m.config.StoreTimeout, key) == nil {
		return
	}
	m.later(func() {
		if err := m.tellOthers(context.Background(), backgroundTimeout, key); err != nil {
			m.store.complain("telling other instances of an ended session failed, they will find out when they ask", err)
		}
	})
}

func (m *Manager) tellOthers(ctx context.Context, timeout time.Duration, key string) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return m.announcer.Announce(limited, key)
}

// follow hears of the sessions that end on other instances, until ctx is done.
func (m *Manager) follow(ctx context.Context) {
	wait := firstFollow
	for {
		err := m.announcer.Follow(ctx, func() { wait = firstFollow; m.listening() }, m.heard)
		m.deaf.Store(true)
		if ctx.Err() != nil {
			return
		}
		m.store.complain("not hearing of sessions that end on other instances, asking the store more often", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait/2 + jitter(wait/2)):
		}
		wait = min(2*wait, lastFollow)
	}
}

// listening is when nothing is missed any more. What was missed until then is
// found out by checking each session before it is used again, which the store
// can be asked for.
func (m *Manager) listening() {
	m.store.recovered()
	m.doubt.Store(m.config.Now().UnixNano())
	m.deaf.Store(false)
}

// heard ends a session that has ended, as somebody says. Who may say so may
// delete it as well.
func (m *Manager) heard(key string) {
	if id, until, ok := parseRecordKey(key, m.config.Now()); ok {
		m.endHere(id, until.Add(skew))
	}
}

// trust returns for how long a session that was checked then is taken to be
// there still: without doing anything, and while it is checked.
func (m *Manager) trust(checked int64, now time.Time) (fresh, stale time.Duration) {
	doubt := m.doubt.Load()
	switch {
	case m.announcer == nil:
		return m.config.Fresh, m.config.Stale
	case checked <= doubt && doubt <= now.UnixNano(): // or the clock was put back
		return -1, -1
	case m.deaf.Load():
		return min(m.config.Fresh, deafFresh), min(m.config.Stale, deafStale)
	}
	return m.config.Fresh, m.config.Stale
}
