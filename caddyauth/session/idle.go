// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// inUse reports whether a session was seen recently enough, and ends it if
// not. Before it believes its own memory it asks the store, for another
// instance may have seen the session.
func (m *Manager) inUse(ctx context.Context, s *Session, now time.Time, idle time.Duration) (bool, error) {
	s.limit(idle)
	if now.Sub(s.LastSeen()) > idle {
		seen, err := m.seenElsewhere(ctx, s, now, idle)
		if err != nil {
			return false, err
		}
		if !seen {
			// Over here all the same if this fails, and tried again.
			_ = m.End(ctx, s)
			return false, nil
		}
	}
	m.noteSeen(s, now, idle)
	return true, nil
}

// limit remembers the idle limit that a session is used with.
func (s *Session) limit(idle time.Duration) {
	if s.idle.Load() != int64(idle) {
		s.idle.Store(int64(idle))
	}
}

// seenElsewhere reports whether the store knows of a use that this instance
// did not see.
func (m *Manager) seenElsewhere(ctx context.Context, s *Session, now time.Time, idle time.Duration) (bool, error) {
	if m.store == nil {
		return false, nil
	}
	found, err := m.fly(ctx, "seen "+s.ID, func() (any, error) {
		return m.store.load(context.WithoutCancel(ctx), s.key()+seenSuffix)
	})
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	text, _ := found.([]byte)
	unix, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || unix == s.seenSaved.Load() {
		return false, nil // nothing, or what this instance wrote itself
	}
	return now.Sub(time.Unix(unix, 0)) <= idle+tolerance(idle), nil
}

// tolerance is what the store's time of last use may be behind: it is written
// now and then, and by another clock.
func tolerance(idle time.Duration) time.Duration {
	return noteEvery(idle) + min(skew, idle/4)
}

// noteEvery is how often the store is told that a session is in use.
func noteEvery(idle time.Duration) time.Duration {
	return max(idle/8, time.Second)
}

// noteSeen tells the store in the background that a session is in use, if that
// is due.
func (m *Manager) noteSeen(s *Session, now time.Time, idle time.Duration) {
	if m.store == nil {
		return
	}
	last := s.seenSaved.Load()
	if since := now.Sub(time.Unix(last, 0)); since >= 0 && since < noteEvery(idle) {
		return
	}
	if !s.seenSaved.CompareAndSwap(last, now.Unix()) {
		return
	}
	if !m.later(func() { m.saveSeen(s, now) }) {
		s.seenSaved.Store(last)
	}
}

func (m *Manager) saveSeen(s *Session, now time.Time) {
	if s.ended.Load() {
		return
	}
	text := strconv.AppendInt(nil, now.Unix(), 10)
	err := m.store.save(context.Background(), backgroundTimeout, s.key()+seenSuffix, text, s.Expires)
	if err != nil {
		m.store.complain("saving the last use of a session failed", err)
	}
}
