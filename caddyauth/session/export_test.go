// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import "time"

const (
	MaxRecord       = maxRecord
	MaxRecordCookie = maxRecordCookie
	MaxChunk        = maxChunk
	MaxBackground   = maxBackground
	MaxStoreCalls   = maxStoreCalls
	MaxBars         = maxBars
)

// Key returns where the session's record is.
func (s *Session) Key() string { return s.key() }

// Known returns how many cookies and sessions memory has.
func (m *Manager) Known() (cookies, sessions int) { return m.cookies.len(), m.known.len() }

// Remembered returns how many sessions are remembered that are not.
func (m *Manager) Remembered() int { return m.ended.len() + m.missing.len() }

// Barred returns for how many names sessions are held against bars.
func (m *Manager) Barred() int { return m.barred.len() }

// Forget is what Run does every minute.
func (m *Manager) Forget(now time.Time) { m.forget(now) }

// Reseal returns another cookie of the same session.
func (m *Manager) Reseal(cookie string, now time.Time) string {
	t, _ := m.sealer.openTicket(cookie, now)
	again, err := m.sealer.sealTicket(t)
	if err != nil {
		panic(err)
	}
	return again
}

func (t *table[K, V]) len() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.RLock()
		n += len(s.values)
		s.mu.RUnlock()
	}
	return n
}
