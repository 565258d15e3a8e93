// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// checkers is how many sessions Check asks the store about at a time: few
// enough to leave the store to the requests.
const checkers = 16

// Use marks a session as seen, as Find does for a request: something of it that
// stays open is in use. The idle limit is the one that Find is given.
func (m *Manager) Use(s *Session, idle time.Duration) {
	now := m.config.Now()
	s.see(now)
	if idle > 0 {
		s.limit(idle)
		m.noteSeen(s, now, idle)
	}
}

// Check looks after sessions of which something stays open, each with its idle
// limit (0: none), while nobody asks for them. It ends those that the store no
// longer has and those that were not seen for longer than their limit. While
// the store is away they go on. It waits for the store, and should be called
// every second or so.
func (m *Manager) Check(ctx context.Context, sessions map[*Session]time.Duration) {
	var asking errgroup.Group
	asking.SetLimit(checkers)
	for s, idle := range sessions {
		now := m.config.Now()
		if ctx.Err() != nil || s.Over(now) {
			continue
		}
		due, unused := m.mayCheck(s, now), m.mayEndUnused(s, now, idle)
		if !due && !unused {
			continue
		}
		asking.Go(func() error {
			if due {
				m.checkNow(context.WithoutCancel(ctx), s)
			}
			if unused && !s.ended.Load() {
				m.endUnused(ctx, s, now, idle)
			}
			return nil
		})
	}
	_ = asking.Wait() // none of them has an error
}

// checkAnnounced is how often the store is asked for a session of which
// something stays open while this instance hears of ends elsewhere: in case it
// was not told of one.
const checkAnnounced = 30 * time.Second

// mayCheck reports whether it is time to ask the store for a session again.
func (m *Manager) mayCheck(s *Session, now time.Time) bool {
	if m.store == nil {
		return false
	}
	checked := s.checked.Load()
	fresh, _ := m.trust(checked, now)
	if fresh > 0 && m.announcer != nil && !m.deaf.Load() {
		fresh = max(fresh, checkAnnounced)
	}
	if age := time.Duration(now.UnixNano() - checked); age >= 0 && age <= fresh {
		return false
	}
	return m.store.works() || m.store.mayRetry(now)
}

// checkNow asks the store for a session, once for all who want to know.
func (m *Manager) checkNow(ctx context.Context, s *Session) {
	_, err, _ := m.flights.Do(checkFlight(s), func() (any, error) { return nil, m.check(ctx, s) })
	if err != nil {
		m.store.complain("session store failed, going on with sessions in memory", err)
	}
}

// mayEndUnused reports whether a session was not seen here for too long, and
// the store was not asked about that a moment ago.
func (m *Manager) mayEndUnused(s *Session, now time.Time, idle time.Duration) bool {
	if idle <= 0 || now.Sub(s.LastSeen()) <= idle {
		return false
	}
	since := now.UnixNano() - s.asked.Load()
	return since < 0 || since >= int64(askEvery(idle))
}

// askEvery is how often the store is asked whether another instance has seen a
// session.
func askEvery(idle time.Duration) time.Duration {
	return max(noteEvery(idle)/4, time.Second)
}

// endUnused ends a session that no instance has seen for too long.
func (m *Manager) endUnused(ctx context.Context, s *Session, now time.Time, idle time.Duration) {
	s.asked.Store(now.UnixNano())
	seen, err := m.seenElsewhere(ctx, s, now, idle)
	if err != nil || seen || now.Sub(s.LastSeen()) <= idle {
		return
	}
	// Over here all the same if this fails, and tried again.
	_ = m.End(ctx, s)
}
